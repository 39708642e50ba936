"""InfluxDB line protocol, so that whatever Telegraf can read can feed us.

Promises: a map's keys are `measurement.field` or `field`; times are ns unless the map's `time_format` says otherwise;
the pilot is the topic's and a tag `pilot` may not contradict it; only tags that the map lists are kept. A point's own
line is its identity, so that a batch put together anew is known again; one bad line condemns the message.
"""

from collectors.decoders import Decoded
from collectors.decoders.limits import MAX_ITEMS, MAX_STRING, check_size
from collectors.decoders.line_protocol_points import Point, points
from collectors.decoders.readings import RECEIPT, Moment, Readings, derived_id
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of every point, one per mapped field."""
    check_size(message.payload)
    readings = Readings(message, place)
    seen, items = set(), 0
    for point in points(message.payload):
        items += len(point.fields) + len(point.tags)
        if items > MAX_ITEMS:
            raise Undecodable("decode", "too_many_items", f"more than {MAX_ITEMS} fields and tags in one payload")
        if point.raw not in seen:  # the same point twice is one point
            seen.add(point.raw)
            _point(point, readings, message)
    return readings.decoded()


def _point(point: Point, readings: Readings, message: RawMessage) -> None:
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
    when = readings.receipt()
    if point.time is not None and readings.map.time_format == "iso":
        when = Moment(point.time, "payload")
    elif point.time is not None:
        when = readings.moment(point.time)
    line = RawMessage(topic=message.topic, payload=point.raw, received_ns=message.received_ns)
    base = derived_id(line, when.rule != RECEIPT)
    device = readings.device(point.tags)
    kept = {tag: point.tags[tag] for tag in readings.map.tags if tag in point.tags}
    for name, value in known:
        readings.add(values.get(f"{point.name}.{name}") or values[name], value, device, base, when, data=kept)
