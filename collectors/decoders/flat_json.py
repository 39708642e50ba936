"""Readings in any flat JSON object, read by the feed's own map; the sensor.community payload is one.

Promises: each mapped field with a number becomes one reading; a field that is absent, empty or holds the
device's sign for "missing" becomes none and is counted, never 0. Numbers may be given as texts.
"""

import math
from collections.abc import Iterator
from typing import Any

from collectors.clock_rules import floor_and_span, read_time
from collectors.decoders import Decoded
from collectors.decoders.cloudevents import derived_id
from collectors.decoders.limits import MAX_VALUE, parse
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed, Mapping, Quantity
from pipeline.model import Event, place_in_time

_IDENTITY = (b'"id"', b'"time"', b'"timestamp"', b'"pilot"', b'"device"')
_ABSENT = (None, "")


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of a message, one per mapped field that holds a number."""
    feed, mapping = _mapped(place)
    body = parse(message.payload, _IDENTITY)
    if body.get("pilot", place.pilot) != place.pilot:
        raise Undecodable("identity", "identity_mismatch", "the payload claims another pilot than its topic")
    time_ns, rule = _time_of(body, mapping, message, place)
    floor_ns, span_ns = floor_and_span(time_ns, "ms", place.zone)
    device = _name_at(body, mapping.device, "device") if mapping.device else feed.id
    base = f"{device}/{_name_at(body, mapping.id, 'id')}" if mapping.id else derived_id(message, rule != "receipt")
    synthetic = body.get("synthetic") is True or body.get("simulated") is True or feed.synthetic
    events, empty = [], 0
    for quantity, given in _fields(body, mapping):
        value = _reading(given, quantity)
        if value is None:
            empty += 1
            continue
        event_id = f"{base}/{quantity.quantity}"
        events.append(
            Event(
                event_id=event_id,
                pilot=place.pilot,
                feed=feed.id,
                stream=feed.stream,
                type="reading",
                time_ns=place_in_time(floor_ns, span_ns, event_id),
                time_rule=rule,
                received_ns=message.received_ns,
                synthetic=synthetic,
                device=device,
                quantity=quantity.quantity,
                value=value,
                unit=quantity.unit,
            )
        )
    return Decoded(events, empty)


def at(body: Any, path: str) -> Any:
    """The value at a dotted path, None when there is none; a key that itself holds dots is found too.

    >>> at({"sensor": {"id": 7}}, "sensor.id")
    7
    """
    if isinstance(body, dict) and path in body:
        return body[path]
    for part in path.split("."):
        if isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict):
            body = body.get(part)
        else:
            return None
    return body


def _mapped(place: Place) -> tuple[Feed, Mapping]:
    if place.feed is None or place.feed.map is None:
        raise Undecodable("decode", "no_map", "the feed has no map that names its fields")
    return place.feed, place.feed.map


def _fields(body: dict[str, Any], mapping: Mapping) -> Iterator[tuple[Quantity, Any]]:
    if mapping.items is None:
        yield from ((quantity, at(body, path)) for path, quantity in mapping.values.items())
        return
    items = at(body, mapping.items)
    if not isinstance(items, list):
        raise Undecodable("validate", "no_items", f"there is no list at {mapping.items}")
    pairs = [item for item in items if isinstance(item, dict)]
    named = {str(item.get(mapping.item_name)): item.get(mapping.item_value) for item in pairs}
    yield from ((quantity, named.get(name)) for name, quantity in mapping.values.items())


def _reading(given: Any, quantity: Quantity) -> float | None:
    if given in _ABSENT or given in quantity.missing:
        return None
    if isinstance(given, str):
        if not given.strip() or given.strip().lower() in ("nan", "null", "none", "unknown", "unavailable"):
            return None
        try:
            given = float(given) if len(given) <= 64 else math.nan
        except ValueError:
            given = math.nan
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise Undecodable("validate", "bad_value", f"the value of {quantity.quantity} is not a number")
    if abs(given) > MAX_VALUE:
        raise Undecodable("validate", "bad_value", f"the value of {quantity.quantity} is too large for a reading")
    return None if given in quantity.missing else float(given)


def _time_of(body: dict[str, Any], mapping: Mapping, message: RawMessage, place: Place) -> tuple[int, str]:
    if mapping.time is None:
        return message.received_ns, "receipt"
    given = at(body, mapping.time)
    if given in _ABSENT:
        raise Undecodable("validate", "no_time", f"there is no time at {mapping.time}")
    if mapping.time_format == "iso":
        if not isinstance(given, str):
            raise Undecodable("validate", "bad_time", "the time is not a text")
        return read_time(given, place.zone)
    scale = 1_000_000_000 if mapping.time_format == "epoch_s" else 1_000_000
    try:
        number = int(given) if isinstance(given, str) and given.lstrip("-").isdigit() else given
        if isinstance(number, str):
            number = float(number)
        if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > 4e12:
            raise ValueError
        return (number * scale if isinstance(number, int) else round(number * 1000) * (scale // 1000)), "payload"
    except (ValueError, OverflowError):
        raise Undecodable("validate", "bad_time", "the time is not a number of seconds or milliseconds") from None


def _name_at(body: dict[str, Any], path: str, what: str) -> str:
    given = at(body, path)
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if not isinstance(given, str) or not given or len(given) > 128 or not given.isprintable():
        raise Undecodable("validate", f"no_{what}", f"there is no {what} of 1 to 128 characters at {path}")
    return given
