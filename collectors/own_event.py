"""What a collector tells of itself: a CloudEvent on `periscope/ops/{collector}/{pilot}`, like any other message."""

from typing import Any

import msgspec

from pipeline.feed_report import iso_utc


def own_event(collector: str, pilot: str, kind: str, name: str, now_ns: int, data: Any) -> tuple[str, bytes]:
    """(topic, payload) of one event about a pilot; `name` is unique among those of this collector and pilot."""
    event = {
        "specversion": "1.0",
        "id": name,
        "source": f"/pilots/{pilot}/collector-{collector}",
        "type": kind,
        "time": iso_utc(now_ns),
        "data": data,
    }
    return f"periscope/ops/{collector}/{pilot}", msgspec.json.encode(event)
