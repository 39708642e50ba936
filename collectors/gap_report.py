"""A lost session as an event: the broker forgot what it held for us, so between two moments messages may be missing.

One `collector.session_lost` event per pilot on `periscope/ops/{collector}/{pilot}`. Its time is when the loss was
found; `since` is when the last session was known to be whole, "unknown" if that was never noted.
"""

from collections.abc import Sequence

from collectors.own_event import own_event
from pipeline.feed_report import iso_utc

TYPE = "collector.session_lost"


def session_lost(collector: str, pilots: Sequence[str], since_ns: int, now_ns: int) -> list[tuple[str, bytes]]:
    """(topic, payload) for each pilot; times in nanoseconds since 1970, `since_ns` 0 for unknown."""
    since = iso_utc(since_ns) if since_ns else "unknown"
    data = {"collector": collector, "since": since, "synthetic": False}
    return [own_event(collector, pilot, TYPE, str(now_ns), now_ns, data) for pilot in pilots]
