"""A lost session as an event: the broker forgot what it held for us, so between two moments messages may be missing.

One `collector.session_lost` event per pilot on `periscope/ops/{collector}/{pilot}`. Its time is when the loss was
found; `since` is when the last session was known to be whole, "unknown" if that was never noted.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime


def session_lost(collector: str, pilots: Sequence[str], since_ns: int, now_ns: int) -> list[tuple[str, bytes]]:
    """(topic, payload) for each pilot; times in nanoseconds since 1970, `since_ns` 0 for unknown."""
    since = _text(since_ns) if since_ns else "unknown"
    return [
        (
            f"periscope/ops/{collector}/{pilot}",
            json.dumps(
                {
                    "specversion": "1.0", "id": str(now_ns), "source": f"/pilots/{pilot}/collector-{collector}",
                    "type": "collector.session_lost", "time": _text(now_ns),
                    "data": {"collector": collector, "since": since, "synthetic": False},
                }
            ).encode(),
        )
        for pilot in pilots
    ]  # fmt: skip


def _text(moment_ns: int) -> str:
    moment = datetime.fromtimestamp(moment_ns // 10**9, UTC).replace(microsecond=moment_ns // 1000 % 10**6)
    return moment.isoformat().replace("+00:00", "Z")
