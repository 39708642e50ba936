"""CloudEvents 1.0 in structured JSON: the native form of usage, engagement and ops events.

Promises: the pilot and stream come from the topic, and a payload that claims others is refused; `source` and
`id` together are the event's identity; without an id the topic and payload are, if the payload has its own time.
Fields with an attribute in Event go there, all others are kept in `data`, those that the event's type knows only when
they hold what it allows (config/events). The same fields given flat, without `data`, are read alike.
Source: CloudEvents 1.0.2, JSON format; indicators.md 3.1.
"""

import re
from functools import lru_cache
from typing import Any

from collectors.clock_rules import PRECISIONS, floor_and_span, read_time
from collectors.decoders import Decoded
from collectors.decoders.limits import MAX_VALUE, parse
from collectors.decoders.measures import in_its_unit
from collectors.decoders.readings import derived_id
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed
from config.events import OPS_TYPES, check
from config.events.codes import ACTOR_KINDS
from pipeline.model import Event, place_in_time

_IDENTITY = tuple(
    f'"{key}"'.encode()
    for key in (
        "id",
        "source",
        "type",
        "time",
        "data",
        "pilot",
        "stream",
        "actor_key",
        "revision",
        "time_precision",
        "consent",
    )
)
_ENVELOPE = frozenset(
    {"specversion", "id", "source", "type", "time", "data", "datacontenttype", "dataschema", "subject"}
)
_TYPE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_VERSION = re.compile(r"\.v\d+$")
_ACTOR_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_CONSENTS = ("none", "count_only", "cohort")


def decode(message: RawMessage, place: Place) -> Decoded:
    """The one event of a message."""
    body = parse(message.payload, _IDENTITY)
    if "data_base64" in body:
        raise Undecodable("decode", "binary_data", "data_base64 is not read; send the fields as JSON in data")
    data = _fields_of(body)
    source = _source_of(body, data, place)
    kind = _type_of(body.get("type"))
    if refused := check(kind, data, place.extra_types):
        raise Undecodable("validate", *refused)
    time_ns, precision, rule = _time_of(body.get("time"), data.pop("time_precision", "ms"), message, place)
    event_id = _id_of(body.get("id"), source, rule, message)
    floor_ns, span_ns = floor_and_span(time_ns, precision, place.zone)
    quantity, value = _text(data.pop("quantity", None), "quantity") or "", _number(data.pop("value", None))
    unit = _text(data.pop("unit", None), "unit") or ""
    if value is not None and quantity:
        value, unit = in_its_unit(quantity, value, unit)
    if kind == "population.snapshot":
        data["value"], value = value, None  # it is read with its year and source, and is no reading
    feed = place.feed
    assert feed is not None
    stream = "ops" if kind in OPS_TYPES else feed.stream
    event = Event(
        event_id=event_id,
        pilot=place.pilot,
        feed=place.feed_id,
        stream=stream,
        type=kind,
        time_ns=place_in_time(floor_ns, span_ns, event_id),
        time_precision=precision,
        time_rule=rule,
        received_ns=message.received_ns,
        synthetic=_synthetic(data.pop("synthetic", None), feed),
        revision=_whole(data.pop("revision", 0), "revision", 0),
        count=_whole(data.pop("count", 1), "count", 0),
        consent=_consent(data.pop("consent", None) or feed.consent),
        actor_key=_actor(data.pop("actor_key", None)),
        actor_kind=_actor_kind(data.pop("actor_kind", None)),
        service_id=_text(data.pop("service_id", None), "service_id"),
        device=_text(data.pop("device", None), "device") or "",
        quantity=quantity,
        value=value,
        unit=unit,
        data=data,
    )
    if stream == "sensor" and (event.value is None or not event.device or not event.quantity):
        raise Undecodable("validate", "no_reading", "a reading needs device, quantity and value")
    return Decoded([event])


def _fields_of(body: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    if data is None:
        return {key: value for key, value in body.items() if key not in _ENVELOPE}
    if not isinstance(data, dict):
        raise Undecodable("validate", "bad_data", "data is not an object")
    return data


def _source_of(body: dict[str, Any], data: dict[str, Any], place: Place) -> str:
    """The source, shortened to what follows the pilot; refuses a payload that claims another pilot or stream."""
    source = body.get("source", place.feed_id)
    if not isinstance(source, str):
        raise _bad_source()
    source, claim = _levels_of(source, place.pilot, place.feed_id)
    if not claim == data.pop("pilot", place.pilot) == body.get("pilot", place.pilot) == place.pilot:
        raise Undecodable("identity", "identity_mismatch", "the payload claims another pilot than its topic")
    assert place.feed is not None
    streams = (place.feed.stream, "ops")
    if data.pop("stream", streams[0]) not in streams or body.get("stream", streams[0]) not in streams:
        raise Undecodable("identity", "identity_mismatch", "the payload claims another stream than its topic")
    return source


@lru_cache(maxsize=1024)  # a feed has few sources; only good ones are remembered, as a refusal is raised
def _levels_of(source: str, pilot: str, feed_id: str) -> tuple[str, str]:
    """What follows the pilot in a source, else the feed; and the pilot that it claims, `pilot` where it claims none."""
    if not _NAME.fullmatch(source):
        raise _bad_source()
    levels = source.strip("/").split("/")
    if levels[0] != "pilots":
        return source, pilot
    return "/".join(levels[2:]) or feed_id, levels[1] if len(levels) > 1 else ""


def _bad_source() -> Undecodable:
    return Undecodable("validate", "bad_source", "source is not a text of 1 to 128 characters")


def _type_of(kind: Any) -> str:
    if not isinstance(kind, str):
        raise Undecodable("validate", "no_type", "the event has no type")
    return _bare_type(kind)


@lru_cache(maxsize=1024)  # a feed has few types; only good ones are remembered, as a refusal is raised
def _bare_type(kind: str) -> str:
    name = _VERSION.sub("", kind.removeprefix("eu.periscope."))
    if len(name) > 64 or not _TYPE.fullmatch(name):
        raise Undecodable("validate", "bad_type", "type is not lower-case words joined by dots")
    return name


def _time_of(time: Any, precision: Any, message: RawMessage, place: Place) -> tuple[int, str, str]:
    if precision not in PRECISIONS:
        raise Undecodable("validate", "bad_precision", f"time_precision is none of {', '.join(PRECISIONS)}")
    if time is None:
        return message.received_ns, precision, "receipt"
    if not isinstance(time, str):
        raise Undecodable("validate", "bad_time", "time is not a text")
    if precision == "month" and len(time) == 7:
        time += "-01"
    time_ns, rule = read_time(time, place.zone)
    return time_ns, precision, rule


def _id_of(given: Any, source: str, rule: str, message: RawMessage) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if given is None or given == "":
        return derived_id(message, has_time=rule != "receipt")
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise Undecodable("validate", "bad_id", "id is not a text of 1 to 128 characters")
    return f"{source}/{given}"


def _whole(value: Any, name: str, least: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**53:
        raise Undecodable("validate", f"bad_{name}", f"{name} is not a whole number of at least {least}")
    return value


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Undecodable("validate", "bad_value", "value is not a number")
    if abs(value) > MAX_VALUE:
        raise Undecodable("validate", "bad_value", "value is too large for a reading")
    return float(value)


def _synthetic(value: Any, feed: Feed) -> bool:
    if value is None:
        if "synthetic" not in feed.model_fields_set:
            raise Undecodable(
                "validate", "missing_synthetic", "synthetic is missing: give true or false, or set it on the feed"
            )
        return feed.synthetic
    if not isinstance(value, bool):
        raise Undecodable("validate", "bad_synthetic", "synthetic is neither true nor false")
    return value or feed.synthetic


def _consent(value: Any) -> str:
    if value not in _CONSENTS:
        raise Undecodable("validate", "bad_consent", f"consent is none of {', '.join(_CONSENTS)}")
    return str(value)


def _actor_kind(value: Any) -> str:
    if value is None or value == "":
        return "unknown"
    if not isinstance(value, str) or value not in ACTOR_KINDS:
        raise Undecodable("validate", "bad_actor_kind", f"actor_kind has to be one of {', '.join(sorted(ACTOR_KINDS))}")
    return value


def _actor(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _ACTOR_KEY.fullmatch(value):
        raise Undecodable(
            "validate", "bad_actor_key", "actor_key is not a pseudonym of 16 to 64 letters, digits, - or _"
        )
    return value


def _text(value: Any, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise Undecodable("validate", f"bad_{name}", f"{name} is not a text of 1 to 128 characters")
    return value
