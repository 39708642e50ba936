"""What the columns of a file mean: a TOML mapping that turns one row into one message for a feed.

A row becomes a CloudEvent (`[cloudevent]`) or the flat JSON that the feed's own decoder reads (`[flat_json]`). A
person's id leaves here only as `actor_key`; the mapping has no way to pass it on as it is.
"""

import re
import string
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from config.catalogue import Catalogue
from config.problems import ConfigError, Problem, problems_of

Row = Mapping[str, Any]
Pseudonym = Callable[[str], str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Pseudonyms that are remembered within one import; a bound, as memory is.
_PEOPLE = 100_000
_RUBY = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(UTC|Z|[+-]\d\d:?\d\d)?")


class WrongInput(Exception):
    """A file cannot be imported with this mapping; the sentence names the file and what is missing."""


class Unmapped(Exception):
    """One row cannot become a message; `reason` is a short code that rejects are counted by."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CloudEvent(_Strict):
    """How a row becomes a CloudEvent: `id` and `source` may name {pilot}, {file} and {row}.

    `key` are the columns that tell a row from all others of its source, wherever it stands; an id may then name {key},
    and with a `person` also {person}, which is the pseudonym. With `revised`, a row that changed since it was last
    imported replaces what it said. `values` gives a field's codes by the words of the file, `required` are fields that
    must not be empty, `only` leaves out rows that say something else.
    """

    id: str = Field("{pilot}/{file}/{row}", min_length=1)
    key: list[str] = []
    revised: bool = False
    source: str = Field("/pilots/{pilot}/import", min_length=1)
    type: str = Field(min_length=1)
    time: str
    time_format: Literal["iso", "ruby", "epoch_s", "epoch_ms"] = "iso"
    person: str | None = None
    constants: dict[str, str | int | float | bool] = {}
    columns: dict[str, str] = {}
    numbers: list[str] = []
    values: dict[str, dict[str, str]] = {}
    required: list[str] = []
    only: dict[str, list[str]] = {}

    @model_validator(mode="after")
    def _templates_are_known(self) -> "CloudEvent":
        for template in (self.id, self.source):
            names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
            if names - {"pilot", "file", "row", *(["key"] if self.key else []), *(["person"] if self.person else [])}:
                raise ValueError("templates know {pilot}, {file} and {row}, {key} with `key`, {person} with `person`")
        if self.person is not None and self.person in self.columns.values():
            raise ValueError(f'the person column "{self.person}" must not be passed on as it is')
        if self.person in self.key:
            raise ValueError(f'the person column "{self.person}" must not be part of an id; write {{person}} there')
        if self.revised and "{key}" not in self.id:
            raise ValueError("revised needs a `key`, and an `id` that is made of {key}")
        if strangers := [name for name in (*self.values, *self.numbers, *self.required) if name not in self.columns]:
            raise ValueError(f'"{strangers[0]}" is no field under columns')
        return self


class FlatJson(_Strict):
    """How a row becomes flat JSON: payload field = column; `numbers` are columns that hold numbers."""

    columns: dict[str, str] = Field(min_length=1)
    numbers: list[str] = []


class ImportMapping(_Strict):
    """One mapping file. Exactly one of `cloudevent` and `flat_json` says what a row becomes."""

    format: Literal["csv", "jsonl"] = "csv"
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    feed: str
    topic: str | None = Field(None, pattern=r"^[^+#]+$", description="Only where the feed's own is a filter.")
    cloudevent: CloudEvent | None = None
    flat_json: FlatJson | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "ImportMapping":
        if (self.cloudevent is None) == (self.flat_json is None):
            raise ValueError("give either [cloudevent] or [flat_json]")
        return self

    @property
    def names_rows(self) -> bool:
        """Whether an event's id is made of its place in the file, so that another row there would look like it."""
        return self.cloudevent is not None and "{key}" not in self.cloudevent.id

    @property
    def names_persons(self) -> bool:
        """Whether a column holds persons' ids."""
        return self.cloudevent is not None and self.cloudevent.person is not None

    def columns(self) -> list[str]:
        """The columns that a file must have, in the mapping's order."""
        if self.flat_json is not None:
            return list(dict.fromkeys(self.flat_json.columns.values()))
        event = self.cloudevent
        assert event is not None
        person = [event.person] if event.person is not None else []
        return list(dict.fromkeys([event.time, *person, *event.key, *event.columns.values(), *event.only]))


def load_mapping(path: Path) -> ImportMapping:
    """Read and check a mapping file; raises ConfigError naming file, key and remedy."""
    try:
        return ImportMapping.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError([Problem(str(path), "", f"cannot be read: {error.strerror}", "correct --mapping")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(str(path), "", f"is not TOML: {error}", "mend the syntax at that place")]) from None
    except ValidationError as error:
        raise ConfigError(problems_of(error, str(path))) from None


def topic_of(catalogue: Catalogue, pilot: str, mapping: ImportMapping) -> str:
    """The topic of the mapping's feed in this pilot; raises WrongInput when either does not exist."""
    known = catalogue.pilots.get(pilot)
    if known is None:
        raise WrongInput(f'There is no pilot "{pilot}" in {catalogue.folder}; it has {", ".join(catalogue.pilots)}.')
    feed = known.feed(mapping.feed)
    if feed is None:
        feeds = ", ".join(feed.id for feed in known.feeds)
        raise WrongInput(f'Pilot {pilot} has no feed "{mapping.feed}"; it has {feeds}. Correct `feed` in the mapping.')
    if "+" in feed.topic or "#" in feed.topic:
        if mapping.topic is None:
            raise WrongInput(f"Feed {feed.id} listens to {feed.topic}, which is no topic; set `topic` in the mapping.")
        return mapping.topic
    return mapping.topic or feed.topic


class Mapper:
    """Turns the rows of one file into messages. `revision` is that of this import, `file` what ids call the file."""

    def __init__(self, mapping: ImportMapping, pilot: str, file: str, pseudonym: Pseudonym, revision: int = 0) -> None:
        self._encoding = mapping.encoding
        self._encode = msgspec.json.Encoder().encode
        self._flat, self._revision = mapping.flat_json, revision
        if mapping.cloudevent is None:
            return
        self._event = mapping.cloudevent
        fixed = {"pilot": pilot, "file": file}
        self._id, self._source = _Template(self._event.id, fixed), _Template(self._event.source, fixed)
        # People come again and again, and a digest costs more than all else of a row.
        self._pseudonym = lru_cache(maxsize=_PEOPLE)(pseudonym)
        self._words = {
            field: {word.casefold(): code for word, code in codes.items()}
            for field, codes in self._event.values.items()
        }

    def __call__(self, row: Row, number: int) -> bytes:
        """The message of the row with this number; raises Unmapped."""
        try:
            body = _flat(self._flat, row) if self._flat is not None else self._cloudevent(row, number)
            return self._encode(body)
        except UnicodeEncodeError:
            raise Unmapped("bad_encoding", f"the row is not {self._encoding} text") from None

    def _cloudevent(self, row: Row, number: int) -> dict[str, Any]:
        mapping = self._event
        for column, wanted in mapping.only.items():
            if str(row.get(column, "")).strip() not in wanted:
                raise Unmapped("left_out", f"column {column} says something else than the mapping asks for")
        names: dict[str, Any] = {"row": number, "key": _key(mapping, row) if mapping.key else ""}
        data: dict[str, Any] = dict(mapping.constants)
        if mapping.person is not None:
            person = row.get(mapping.person)
            if person is None or person == "":
                raise Unmapped("no_person", f"column {mapping.person} is empty")
            names["person"] = data["actor_key"] = self._pseudonym(str(person))
        for field, column in mapping.columns.items():
            value = row.get(column)
            if value is not None and value != "":
                data[field] = self._field(field, column, value)
            elif field in mapping.required:
                raise Unmapped("empty", f"column {column} is empty")
        if mapping.revised:
            data["revision"] = self._revision
        return {
            "specversion": "1.0",
            "id": self._id(names),
            "source": self._source(names),
            "type": mapping.type,
            "time": _time(row.get(mapping.time), mapping),
            "data": data,
        }

    def _field(self, field: str, column: str, value: Any) -> Any:
        """A value as the event has it: a code for a word, a number for a text."""
        if field in self._words:
            code = self._words[field].get(str(value).strip().casefold())
            if code is None:
                raise Unmapped("unknown_word", f"column {column} holds a word that the mapping has no code for")
            return code
        if field not in self._event.numbers:
            return value
        number = _number(value)
        if not isinstance(number, float) or not isfinite(number):
            raise Unmapped("no_number", f"column {column} holds no number")
        return int(number) if number.is_integer() else number


class _Template:
    """A template whose `fixed` names are filled in once."""

    def __init__(self, template: str, fixed: Mapping[str, str]) -> None:
        self._pieces: list[tuple[str, str, str]] = []
        text = ""
        for literal, name, form, _ in string.Formatter().parse(template):
            text += literal
            if name is not None and name in fixed:
                text += format(fixed[name], form or "")
            elif name is not None:
                self._pieces.append((text, name, form or ""))
                text = ""
        self._end = text

    def __call__(self, names: Mapping[str, Any]) -> str:
        return "".join([text + format(names[name], form) for text, name, form in self._pieces]) + self._end


def _flat(mapping: FlatJson, row: Row) -> dict[str, Any]:
    """An empty cell becomes null; what is no number stays text, for the collector to judge and count."""
    numbers = mapping.numbers
    return {
        field: _number(row.get(column)) if column in numbers else row.get(column)
        for field, column in mapping.columns.items()
    }


def _key(mapping: CloudEvent, row: Row) -> str:
    parts = [str(row.get(column) or "").strip() for column in mapping.key]
    if not all(parts):
        raise Unmapped("no_key", f"one of the columns {', '.join(mapping.key)} is empty")
    return "/".join(parts)


def _time(value: Any, mapping: CloudEvent) -> str:
    """The event time as RFC 3339; epochs by whole numbers, so that no millisecond is lost."""
    if value is None or value == "":
        raise Unmapped("no_time", f"column {mapping.time} is empty")
    if mapping.time_format == "iso":
        return str(value)
    if mapping.time_format == "ruby":
        return _ruby_time(str(value).strip(), mapping.time)
    try:
        step = timedelta(milliseconds=1) if mapping.time_format == "epoch_ms" else timedelta(seconds=1)
        return (_EPOCH + int(value) * step).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise Unmapped("bad_time", f"column {mapping.time} holds no {mapping.time_format} time") from None


def _ruby_time(text: str, column: str) -> str:
    """2024-05-01 10:00:00 UTC, or +0200 at its end; without a zone it is UTC, as Ruby on Rails keeps its times."""
    found = _RUBY.fullmatch(text)
    if found is None:
        raise Unmapped("bad_time", f"column {column} holds no time as Ruby writes it")
    zone = found[3] or "UTC"
    return f"{found[1]}T{found[2]}{'Z' if zone in ('UTC', 'Z') else zone}"


def _number(value: Any) -> Any:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
