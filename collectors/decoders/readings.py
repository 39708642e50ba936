"""What every decoder of measurements shares: from a named field and its place to a reading.

Promises: a field that is empty or holds the device's sign for "missing" becomes no reading and is counted, never 0;
two readings of one message never share an id; a unit that the feed's file contradicts is refused.
"""

import hashlib
import math
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec.structs import replace

from collectors.clock_rules import read_time
from collectors.decoders import Decoded
from collectors.decoders.limits import MAX_VALUE
from collectors.decoders.measures import measured, stands_for_none
from collectors.message import Fault, RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed, Mapping, Quantity
from pipeline.model import NS_PER_MS, Event, place_in_time

ABSENT = (None, "")
_NUMBERS = (float, int)  # the exact types: a flag is an int to isinstance
_NO_READING = ("nan", "null", "none", "unknown", "unavailable")
_NS_PER = {"epoch_s": 1_000_000_000, "epoch_ms": 1_000_000, "epoch_us": 1000, "epoch_ns": 1}
RECEIPT = "receipt"


class Moment(NamedTuple):
    """When something happened, and the rule by which that is known."""

    time_ns: int
    rule: str


class Readings:
    """Gathers the readings of one message."""

    def __init__(self, message: RawMessage, place: Place) -> None:
        if place.feed is None or place.feed.map is None:
            raise Undecodable("decode", "no_map", "the feed has no map that names its fields; add [feeds.map]")
        self.feed: Feed = place.feed
        self.map: Mapping = place.feed.map
        self._message, self._place = message, place
        self._events: list[Event] = []
        self._ids: set[str] = set()
        self._empty = 0
        self._faults: dict[str, Fault] = {}
        self._bases: dict[bool, str] = {}
        self._moments: dict[tuple[str, str], Moment] = {}

    def add(
        self, quantity: Quantity, given: Any, device: str, base: str, when: Moment, synthetic: bool = False,
        unit: Any = None, data: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """One measured field; `base` names it within the source, `unit` is the code that the payload names."""
        value = number(given, quantity)
        if value is not None:
            value = measured(value, quantity, unit)
        if value is None:
            self._empty += 1
            return
        event_id = f"{base}/{quantity.quantity}"
        if event_id in self._ids:
            raise Undecodable(
                "validate", "doubled_quantity", f"two fields of one device are mapped to {quantity.quantity}", True
            )
        self._ids.add(event_id)
        self._events.append(
            Event(
                event_id=event_id,
                pilot=self._place.pilot,
                feed=self.feed.id,
                stream=self.feed.stream,
                type="reading",
                time_ns=place_in_time(when.time_ns - when.time_ns % NS_PER_MS, NS_PER_MS, event_id),
                time_rule=when.rule,
                received_ns=self._message.received_ns,
                synthetic=synthetic or self.feed.synthetic,
                device=device,
                quantity=quantity.quantity,
                value=value,
                unit=quantity.unit,
                data=data or {},
            )
        )

    def base(self, when: Moment) -> str:
        """The derived id of this message, for payloads that have none; see `derived_id`."""
        has_time = when.rule != RECEIPT
        if has_time not in self._bases:
            self._bases[has_time] = derived_id(self._message, has_time)
        return self._bases[has_time]

    def set_aside(self, error: Undecodable, point: str) -> None:
        """Keep what is wrong with one point, named within its message; what condemns the whole is raised again."""
        if error.whole:
            raise error
        name, again = point, 1
        while name in self._faults:
            again += 1
            name = f"{point} ({again})"
        self._faults[name] = replace(error.fault, point=name)

    def decoded(self) -> Decoded:
        """What was gathered; raises Undecodable where no point is sound and all have the same fault."""
        if not self._faults:
            return Decoded(self._events, self._empty)
        faults = tuple(self._faults.values())
        if not self._events and len({(one.stage, one.code) for one in faults}) == 1:
            raise Undecodable(faults[0].stage, faults[0].code, faults[0].text)
        return Decoded(self._events, self._empty, faults)

    def receipt(self) -> Moment:
        return Moment(self._message.received_ns, RECEIPT)

    def moment(self, given: Any, rule: str = "payload") -> Moment:
        """The moment that a text or number names; of an interval "a/b" its start. `rule` says where it stood."""
        form = self.map.time_format
        if form != "iso":
            return Moment(_epoch_ns(given, _NS_PER[form]), rule)
        if not isinstance(given, str):
            raise Undecodable("validate", "bad_time", "the time is not a text; set time_format if it is a number")
        known = self._moments.get((given, rule))  # the readings of a message mostly share their time
        if known is None:
            time_ns, how = read_time(given.partition("/")[0], self._place.zone)
            known = self._moments[given, rule] = Moment(time_ns, rule + how.removeprefix("payload"))
        return known

    def device(self, body: Any, default: str | None = None) -> str:
        """The device as the feed's map names it, else `default`, else the feed itself."""
        if self.map.device is not None:
            return name_at(body, self.map.device, "device")
        if self.map.device_level is not None:
            levels = self._message.topic.split("/")
            return as_name(levels[self.map.device_level] if self.map.device_level < len(levels) else None, "device")
        return self.feed.id if default is None else as_name(default, "device")

    def refuse_other_pilot(self, claim: Any) -> None:
        if claim is not None and claim != self._place.pilot:
            raise Undecodable("identity", "identity_mismatch", "the payload claims another pilot than its topic")


def at(body: Any, path: str) -> Any:
    """The value at a dotted path, None when there is none; a key that itself holds dots is found too.

    >>> at({"sensor": {"id": 7}}, "sensor.id")
    7
    >>> at({"Datastream": {"@iot.id": 7}}, "Datastream.@iot.id")
    7
    """
    for key, rest, place in _steps(path):
        if isinstance(body, dict):
            if rest in body:
                return body[rest]
            if (body := body.get(key)) is None:
                return None
        elif isinstance(body, list) and place is not None and place < len(body):
            body = body[place]
        else:
            return None
    return body


@lru_cache(maxsize=4096)  # paths stand in the catalogue, so they are few
def _steps(path: str) -> list[tuple[str, str, int | None]]:
    """For each part of a path: itself, itself with all that follows, and its place where it is one in a list."""
    parts = path.split(".")
    return [
        (part, ".".join(parts[at:]), int(part) if part.isdecimal() and len(part) < 5 else None)
        for at, part in enumerate(parts)
    ]


def number(given: Any, quantity: Quantity) -> float | None:
    """What a field says in the unit of its quantity; None when it says that there is no reading."""
    if given in ABSENT or given in quantity.missing:
        return None
    if type(given) is bool:
        given = quantity.words.get("true" if given else "false", given)
    elif type(given) is str:
        given = quantity.words[given] if given in quantity.words else _number_in(given)
        if given is None:
            return None
    if type(given) not in _NUMBERS or not math.isfinite(given):
        raise Undecodable("validate", "bad_value", f"the value of {quantity.quantity} is not a number")
    if quantity.missing and stands_for_none(given, quantity.missing):
        return None
    value = float(given) * quantity.factor if quantity.factor != 1.0 else float(given)
    if not abs(value) <= MAX_VALUE:
        raise Undecodable("validate", "bad_value", f"the value of {quantity.quantity} is too large for a reading")
    return value


def name_at(body: Any, path: str, what: str) -> str:
    return as_name(at(body, path), what, f" at {path}")


def as_name(given: Any, what: str, where: str = "") -> str:
    """A device or id from a payload as text; raises Undecodable unless it has 1 to 128 printable characters."""
    if type(given) is int:
        given = str(given)
    if type(given) is not str or not given or len(given) > 128 or not given.isprintable():
        raise Undecodable("validate", f"no_{what}", f"there is no {what} of 1 to 128 characters{where}")
    return given


def derived_id(message: RawMessage, has_time: bool) -> str:
    """An id for a payload that has none; without a time of its own only this very delivery can be named."""
    digest = hashlib.sha256(message.topic.encode() + b"\0" + message.payload)
    if not has_time:
        digest.update(b"\0%d" % message.received_ns)
    return digest.hexdigest()[:32]


def _number_in(text: str) -> float | None:
    bare = text.strip().lower()
    if not bare or bare in _NO_READING:
        return None
    try:
        return float(text) if len(text) <= 64 else math.nan
    except ValueError:
        return math.nan


def _epoch_ns(given: Any, scale: int) -> int:
    try:
        if isinstance(given, str) and len(given) <= 32:
            given = int(given) if given.lstrip("-").isdecimal() else float(given)
        if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) * scale < 2**63:
            raise ValueError
        # A float of seconds holds microseconds at most, so no digit of it is lost here.
        return given * scale if isinstance(given, int) else round(given * (scale / 1000)) * 1000
    except (ValueError, OverflowError):
        raise Undecodable("validate", "bad_time", "the time is not a number of the unit in time_format") from None
