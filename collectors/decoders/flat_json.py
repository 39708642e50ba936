"""Readings in any flat JSON object, read by the feed's own map; the sensor.community payload is one.

Promises: each mapped field with a number becomes one reading; a field that is absent, empty or holds the
device's sign for "missing" becomes none and is counted, never 0; a bad one costs itself alone. Numbers may be texts.
"""

from collections.abc import Iterator
from typing import Any

from collectors.decoders import Decoded
from collectors.decoders.limits import parse
from collectors.decoders.readings import ABSENT, Moment, Readings, at, name_at
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Mapping, Quantity

_IDENTITY = (b'"id"', b'"time"', b'"timestamp"', b'"pilot"', b'"device"')


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of a message, one per mapped field that holds a number."""
    readings = Readings(message, place)
    mapping = readings.map
    body = parse(message.payload, _IDENTITY)
    readings.refuse_other_pilot(body.get("pilot"))
    when = _time_of(body, mapping, readings)
    device = readings.device(body)
    base = f"{device}/{name_at(body, mapping.id, 'id')}" if mapping.id else readings.base(when)
    synthetic = body.get("synthetic") is True or body.get("simulated") is True
    for quantity, given in _fields(body, mapping):
        if given is None and mapping.sparse:
            continue
        try:
            readings.add(quantity, given, device, base, when, synthetic)
        except Undecodable as error:
            readings.set_aside(error, quantity.quantity)
    return readings.decoded()


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


def _time_of(body: dict[str, Any], mapping: Mapping, readings: Readings) -> Moment:
    if mapping.time is None:
        return readings.receipt()
    given = at(body, mapping.time)
    if given in ABSENT:
        raise Undecodable("validate", "no_time", f"there is no time at {mapping.time}")
    return readings.moment(given)
