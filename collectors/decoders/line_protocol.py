"""InfluxDB line protocol, so that whatever Telegraf can read can feed us.

Promises: a map's keys are `measurement.field` or `field`; times are ns unless the map's `time_format` says otherwise;
the pilot is the topic's and a tag `pilot` may not contradict it; only tags that the map lists are kept. A point's own
line is its identity, so that a batch put together anew is known again; a bad line costs itself alone.
"""

from collectors.decoders import Decoded
from collectors.decoders.limits import MAX_ITEMS, MAX_STRING, check_size
from collectors.decoders.line_protocol_points import Point, numbered
from collectors.decoders.readings import RECEIPT, Moment, Readings, derived_id
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of every point, one per mapped field."""
    check_size(message.payload)
    readings = Readings(message, place)
    seen, items = set(), 0
    for number, point in numbered(message.payload):
        items += 1 if isinstance(point, Undecodable) else len(point.fields) + len(point.tags)
        if items > MAX_ITEMS:
            raise Undecodable("decode", "too_many_items", f"more than {MAX_ITEMS} fields and tags in one payload")
        try:
            if isinstance(point, Undecodable):
                raise point
            if point.raw not in seen:  # the same point twice is one point
                seen.add(point.raw)
                _point(number, point, readings, message)
        except Undecodable as error:
            readings.set_aside(error, f"line {number}")
    return readings.decoded()


def _point(number: int, point: Point, readings: Readings, message: RawMessage) -> None:
    readings.refuse_other_pilot(point.tags.get("pilot"))
    if len(point.raw) > MAX_STRING and any(
        isinstance(value, str) and len(value) > MAX_STRING
        for value in [*point.tags.values(), *dict(point.fields).values()]
    ):
        raise Undecodable("decode", "long_string", f"a text of more than {MAX_STRING} characters")
    values = readings.map.values
    known = [(name, value) for name, value in point.fields if f"{point.name}.{name}" in values or name in values]
    if not known:
        return
    named = [(values.get(f"{point.name}.{name}") or values[name], value) for name, value in known]
    if len({quantity.quantity for quantity, _ in named}) < len(named):
        raise Undecodable("validate", "doubled_quantity", "two fields of the line are mapped to one quantity")
    when = readings.receipt()
    if point.time is not None and readings.map.time_format == "iso":
        when = Moment(point.time, "payload")
    elif point.time is not None:
        when = readings.moment(point.time)
    line = RawMessage(topic=message.topic, payload=point.raw, received_ns=message.received_ns)
    base = derived_id(line, when.rule != RECEIPT)
    device = readings.device(point.tags)
    kept = {tag: point.tags[tag] for tag in readings.map.tags if tag in point.tags}
    for quantity, value in named:
        try:
            readings.add(quantity, value, device, base, when, data=kept)
        except Undecodable as error:
            readings.set_aside(error, f"line {number}: {quantity.quantity}")
