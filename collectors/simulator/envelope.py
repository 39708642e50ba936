"""From what happened to bytes on a topic: CloudEvents 1.0 for people, flat JSON by a feed's own mapping for devices."""

from typing import Any, NamedTuple

import msgspec

from collectors.simulator.chance import NS_PER_MS, iso
from config.catalogue import Feed, Mapping, Pilot

_ENCODER = msgspec.json.Encoder()


class Happening(NamedTuple):
    """One event before it has an id. `personal` acts are those that a planted drop-off thins out."""

    time_ns: int
    stream: str
    type: str
    data: dict[str, Any]
    personal: bool = True


class Simulated(NamedTuple):
    """One message as a broker would get it; `time_ns` is its event time, in whole ms."""

    topic: str
    payload: bytes
    time_ns: int


def topic_of(feed: Feed, device: str | None = None) -> str:
    """The feed's topic; wildcards of a filter become the device (or the feed's id).

    >>> topic_of(Feed(id="air", topic="pilots/x/sensor/+", stream="sensor"), "d1")
    'pilots/x/sensor/d1'
    """
    fill = device or feed.id
    return "/".join(fill if level in ("+", "#") else level for level in feed.topic.split("/"))


def source_of(pilot: Pilot, feed: Feed) -> str:
    """CloudEvents source: `/pilots/{pilot}/{source}`, with the source that the topic names."""
    return f"/pilots/{pilot.slug}/{topic_of(feed).rsplit('/', 1)[-1]}"


def cloud_event(event_id: str, source: str, type_: str, time_ns: int, data: dict[str, Any]) -> bytes:
    """A CloudEvents 1.0 JSON payload whose data always says `synthetic`."""
    return _ENCODER.encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": source,
            "type": type_,
            "time": iso(time_ns),
            "data": {**data, "synthetic": True},
        }
    )


def reading(mapping: Mapping, event_id: str, device: str, time_ns: int, values: dict[str, float]) -> bytes:
    """A flat JSON payload that a decoder with this mapping reads back; `values` by the mapping's field names."""
    body: dict[str, Any] = {"synthetic": True}
    if mapping.id:
        _put(body, mapping.id, event_id)
    if mapping.device:
        _put(body, mapping.device, device)
    if mapping.time:
        _put(body, mapping.time, _time(mapping, time_ns))
    if mapping.items:
        _put(body, mapping.items, [{mapping.item_name: k, mapping.item_value: v} for k, v in values.items()])
    else:
        for field, value in values.items():
            _put(body, field, value)
    return _ENCODER.encode(body)


def _time(mapping: Mapping, time_ns: int) -> str | int:
    match mapping.time_format:
        case "epoch_s":
            return time_ns // 1_000_000_000
        case "epoch_ms":
            return time_ns // NS_PER_MS
        case _:
            return iso(time_ns)


def _put(body: dict[str, Any], path: str, value: object) -> None:
    *outer, last = path.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value
