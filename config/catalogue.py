"""Facts about cities: pilots, feeds, denominators, calendars, read from a folder of reviewed TOML files.

A catalogue is a folder with `catalogue.toml` (settings of the whole comparison) and one file per pilot.
A seventh pilot is one new file and no Python. A fact has a source or is the word "unknown".
"""

import hashlib
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from config import alerts, presets, vocabulary
from config.formats import FORMATS
from config.problems import ConfigError, Problem, problems_of
from config.quantities import known_quantity
from config.units import conversion

UNKNOWN: Final = "unknown"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: object) -> object:
    """A duration such as "90s", "15m", "1h" or "2d" as a timedelta; anything else is left to the validator.

    >>> parse_duration("15m")
    datetime.timedelta(seconds=900)
    """
    if isinstance(text, str) and (found := re.fullmatch(r"(\d+)\s*([smhd])", text.strip())):
        return timedelta(**{_UNITS[found[2]]: int(found[1])})
    if isinstance(text, str):
        raise ValueError('write a duration as a number and a unit: "90s", "15m", "1h" or "2d"')
    return text


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
EventType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Fact(_Strict):
    """One statement about a pilot, with its evidence; an unknown one is shown as "not documented"."""

    value: str | list[str] = UNKNOWN
    evidence: Literal["verified", "reported", "unknown"] = "unknown"
    source_url: str = UNKNOWN

    @model_validator(mode="after")
    def _known_facts_have_a_source(self) -> "Fact":
        if self.value != UNKNOWN and self.evidence == "unknown":
            raise ValueError('a known value needs evidence = "verified" or "reported" and a source_url')
        if self.value == UNKNOWN and self.evidence != "unknown":
            raise ValueError('an unknown value has evidence = "unknown"')
        if self.value != UNKNOWN and self.source_url == UNKNOWN:
            raise ValueError("a known value needs its source_url")
        return self


class Quantity(_Strict):
    """What one field of a payload measures.

    Of a quantity in the registry `unit` becomes the registry's, and what the file called `unit` is `read_unit`.
    """

    quantity: Slug
    unit: str = Field(
        min_length=1, description="Unit of the numbers, for example ug/m3; by default the one in docs/units.md."
    )
    read_unit: str = Field("", description="Unit of the numbers where it is another than `unit`, which they become.")
    missing: list[float | str] = Field([], description="Values that a device sends in place of a reading.")
    range: tuple[float, float] | None = Field(
        None, description="Lowest and highest plausible value in `unit`; what is outside is no point."
    )
    outside: Literal["dead_letter", "no_reading"] = Field(
        "dead_letter", description="What becomes of a value outside `range`: set aside, or counted as no reading."
    )
    words: dict[str, float] = Field({}, description="Texts and flags that stand for numbers: {true = 1, OFF = 0}.")
    factor: float = Field(1.0, allow_inf_nan=False, description="What the number is multiplied by to be in `unit`.")
    sent_unit: str | None = Field(None, description="Unit code the payload has to name, if it names one; see decoders.")

    @model_validator(mode="before")
    @classmethod
    def _is_kept_in_the_unit_of_its_quantity(cls, table: Any) -> Any:
        known = known_quantity(str(table.get("quantity"))) if isinstance(table, dict) else None
        if known is None:
            return table
        given = table.get("unit", known.unit)
        if not isinstance(given, str) or conversion(given, known.unit) is None:
            return table  # lint tells, and each reading says so
        return {**table, "unit": known.unit, "read_unit": table.get("read_unit") or given}

    @model_validator(mode="after")
    def _a_range_has_its_lower_end_first(self) -> "Quantity":
        if self.range is not None and not self.range[0] <= self.range[1]:
            raise ValueError("range is [lowest, highest]")
        return self

    @property
    def numbers_unit(self) -> str:
        """The unit of the numbers where the payload names none."""
        return self.read_unit or self.unit


class Mapping(_Strict):
    """How a payload is read: dotted paths to the time, the device and the measured fields."""

    values: dict[str, Quantity] = Field(min_length=1)
    device: str | None = None
    device_level: int | None = Field(
        None, ge=0, description="Level of the topic that names the device; 0 is the first."
    )
    time: str | None = None
    time_format: Literal["iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns"] = "iso"
    id: str | None = None
    items: str | None = Field(None, description="Path to a list of {name, value} pairs (sensor.community).")
    item_name: str = "value_type"
    item_value: str = "value"
    missing: list[float | str] = Field([], description="Values that stand for no reading in every field of the feed.")
    sparse: bool = Field(False, description="True where a payload may leave fields out without that being a gap.")
    tags: list[str] = Field([], description="Tags of line protocol that are kept beside a reading; others are not.")

    @model_validator(mode="before")
    @classmethod
    def _what_is_missing_everywhere_is_missing_in_each_field(cls, table: Any) -> Any:
        if not isinstance(table, dict) or not table.get("missing") or not isinstance(table.get("values"), dict):
            return table
        return {**table, "values": {key: _also_missing(one, table["missing"]) for key, one in table["values"].items()}}


def _also_missing(quantity: Any, signs: Any) -> Any:
    if not isinstance(quantity, dict) or not isinstance(signs, list):
        return quantity  # of a wrong shape, which its own check tells
    return {**quantity, "missing": [*quantity.get("missing", []), *signs]}


class Feed(_Strict):
    """One source of one stream in one pilot."""

    id: Slug
    topic: str = Field(min_length=1, description="MQTT topic or filter; pilots/{pilot}/{stream}/{source} by habit.")
    stream: Literal["sensor", "usage", "engagement", "ops"]
    decoder: str = Field("cloudevents", description="Format of the payloads, one of config/formats.py.")
    preset: str | None = Field(None, description="A file of config/presets whose decoder and map are the beginning.")
    map: Mapping | None = None
    expect_every: Duration | None = Field(None, description="Interval of each device's samples, for completeness.")
    heartbeat_every: Duration | None = Field(None, description="Interval of feed.heartbeat, for event-driven feeds.")
    lateness: Duration = Field(timedelta(days=2), description="A period closes at its end plus this.")
    accept_since: date | None = Field(None, description="Back-fill: accept event times from this day on.")
    until: date | None = Field(None, description="The feed's last day; then it is out of use and not missed.")
    synthetic: bool = Field(
        False, description="True where everything on this feed is simulated; if given, payloads need not say it."
    )
    consent: Literal["none", "count_only", "cohort"] = Field("none", description="Consent when a payload names none.")
    person_id: str | None = Field(None, description="Dotted path to an id that becomes actor_key before any disk.")
    drop: list[Literal["retained_replay", "simulated"]] = ["retained_replay"]
    devices: list[str] = Field([], description="Devices that the feed should have, for completeness.")
    by_hand: bool = Field(False, description="True for what people enter: it has no rhythm, quiet is no fault.")
    extra_types: list[EventType] = Field(
        [], description="Event types of the feed's own, beside those of docs/schemas/README.md."
    )

    def over(self, day: str) -> bool:
        """True on ISO dates after the feed's last day."""
        return self.until is not None and day > self.until.isoformat()

    @model_validator(mode="before")
    @classmethod
    def _begins_with_its_preset(cls, table: Any) -> Any:
        return presets.applied(table)

    @field_validator("decoder")
    @classmethod
    def _decoder_exists(cls, name: str) -> str:
        if name not in FORMATS:
            raise ValueError(f'there is no decoder "{name[:40]}"; choose from {", ".join(FORMATS)}')
        return name

    @model_validator(mode="after")
    def _a_mapped_format_has_its_map(self) -> "Feed":
        if self.decoder != "cloudevents" and self.map is None:
            raise ValueError(f'decoder "{self.decoder}" needs a [feeds.map] table that names its fields')
        return self


class Denominator(_Strict):
    """A population that rates are computed per, with its year and source."""

    kind: Literal["inhabitants", "students", "visitors", "target"]
    value: int | Literal["unknown"] = UNKNOWN
    year: int | Literal["unknown"] = UNKNOWN
    source: str = UNKNOWN
    synthetic: bool = False

    @model_validator(mode="after")
    def _a_number_has_a_source(self) -> "Denominator":
        if self.value != UNKNOWN and (self.year == UNKNOWN or self.source == UNKNOWN):
            raise ValueError("a denominator with a value needs its year and source")
        return self


class Closure(_Strict):
    """Days (both included) on which no participation is expected."""

    first: date
    last: date
    reason: str

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Closure":
        if self.last < self.first:
            raise ValueError("last is before first")
        return self


class Calendar(_Strict):
    """What to leave out when people's habits are judged: `holidays` is a country or country-subdivision code."""

    holidays: str | None = None
    closures: list[Closure] = []

    @field_validator("holidays")
    @classmethod
    def _holidays_are_known(cls, code: str | None) -> str | None:
        from holidays import list_supported_countries  # here, as it costs a tenth of a second

        country, _, part = (code or "").partition("-")
        known = list_supported_countries()
        if code is not None and (country not in known or (part and part not in known[country])):
            raise ValueError(f'"{code}" is no calendar of the holidays library; write one such as "SE" or "DE-HB"')
        return code


class Limit(_Strict):
    """A level of a sensor quantity whose hours above it are counted."""

    quantity: Slug
    unit: str
    above: float
    source: str = Field(min_length=1)


class Target(_Strict):
    """A dated desired change of one indicator, declared before the period."""

    indicator: str
    direction: Literal["up", "down"]
    declared: date
    by: date
    value: float | None = None
    synthetic: bool = Field(False, description="True where it is made up for a simulation.")


class EffectPlan(_Strict):
    """What activities are expected to move, declared before they are held.

    Without `method` each activity is judged by itself; with it, all activities of that method together.
    """

    outcome: Literal["people", "core_actions"]
    window_weeks: int = Field(ge=1, le=12, description="Weeks after the activity's week, compared with as many before.")
    declared: date
    direction: Literal["up", "down"] = "up"
    method: str | None = None
    seasonal: bool = Field(True, description="False only where use has no yearly swing: 26 weeks before then suffice.")
    control: Slug | None = Field(None, description="Another service of the pilot that the activities are not about.")


class Pilot(_Strict):
    """One city's co-produced service experiment."""

    slug: Slug
    name: str = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    time_zone: str
    service: str = Field("service", description="Id of the service whose uptake is measured when an event names none.")
    synthetic: bool = Field(False, description="True where no real feed exists and all data shown are simulated.")
    facts: dict[str, Fact] = {}
    feeds: list[Feed] = Field(min_length=1)
    denominators: list[Denominator] = []
    calendar: Calendar = Calendar()
    limits: list[Limit] = []
    targets: list[Target] = Field([], max_length=5)
    effects: list[EffectPlan] = Field([], max_length=5)
    excluded: frozenset[str] = Field(
        frozenset(), description="Pseudonyms (actor_key) of staff, bots and test accounts, left out of every indicator."
    )
    core_types: list[EventType] = Field(
        ["action.performed"],
        description="Usage event types that count as core actions; the pilot's feeds may send them.",
    )

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f'"{zone}" is no IANA time zone; write one such as "Europe/Berlin"')
        return zone

    @model_validator(mode="after")
    def _feed_ids_are_unique(self) -> "Pilot":
        ids = [feed.id for feed in self.feeds]
        for doubled in {i for i in ids if ids.count(i) > 1}:
            raise ValueError(f'two feeds have the id "{doubled}"')
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def feed(self, feed_id: str) -> Feed | None:
        return next((feed for feed in self.feeds if feed.id == feed_id), None)

    def denominator(self) -> Denominator | None:
        """The first denominator with a known value, else None: rates per 1,000 are then not defined."""
        return next((d for d in self.denominators if d.value != UNKNOWN), None)


class Common(_Strict):
    """`catalogue.toml`: what holds for every pilot of this comparison."""

    title: str = "Periscope"
    disclosure_k: int = Field(5, ge=0, le=100, description="Counts of people from 1 to k-1 are hidden; 0 is off.")


class Catalogue(_Strict):
    """All pilots of one folder, in file-name order, and the hash of everything that was read."""

    common: Common
    pilots: dict[str, Pilot]
    config_hash: str
    folder: Path


def load_catalogue(folder: Path) -> Catalogue:
    """Read and check a catalogue; raises ConfigError that lists every problem with file, key and remedy."""
    if not folder.is_dir():
        raise ConfigError(
            [
                Problem(
                    str(folder),
                    "",
                    "there is no such catalogue folder",
                    "set PERISCOPE_CATALOGUE to a folder of pilot files",
                )
            ]
        )
    problems: list[Problem] = []
    digest = hashlib.sha256()
    common, pilots = Common(), dict[str, Pilot]()
    for path in sorted(folder.glob("*.toml")):
        if path.name == alerts.FILE:
            continue  # who is told changes no value, so it is no part of the hash; its pilots are checked below
        raw = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + raw + b"\0")
        if path.name == vocabulary.FILE:
            problems += vocabulary.problems(folder)
            continue
        try:
            table = tomllib.loads(raw.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(Problem(path.name, "", f"is not TOML: {error}", "mend the syntax at that place"))
            continue
        try:
            if path.name == "catalogue.toml":
                common = Common.model_validate(table)
                continue
            pilot = Pilot.model_validate(table)
        except ValidationError as error:
            problems += problems_of(error, path.name)
            continue
        if pilot.slug != path.stem:
            problems.append(
                Problem(
                    path.name,
                    "slug",
                    f'is "{pilot.slug}"',
                    f'name the file {pilot.slug}.toml or set slug = "{path.stem}"',
                )
            )
        pilots[pilot.slug] = pilot
    problems += alerts.problems(folder, set(pilots)) if pilots else []
    if not pilots and not problems:
        problems.append(Problem(str(folder), "", "holds no pilot file", "add one <slug>.toml per pilot"))
    if problems:
        raise ConfigError(problems)
    return Catalogue(common=common, pilots=pilots, config_hash=digest.hexdigest()[:16], folder=folder)


def as_table(model: BaseModel) -> dict[str, Any]:
    """A model as plain values, for pages and exports."""
    return model.model_dump(mode="json")
