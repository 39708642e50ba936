"""The words that every part shares: an event, a record, a touched day.

Times are integer nanoseconds since 1970-01-01 UTC everywhere; a day is a pilot-local calendar date.
"""

import hashlib
import struct
from typing import Any, Final

import msgspec

STREAMS: Final = ("sensor", "usage", "engagement", "ops")
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened; a sensor reading is an event of type `reading`.

    `time_ns` is unique per stream and pilot: the time floored to its declared precision plus an offset
    that comes from the id (`place_in_time`), so a redelivery lands on itself and one person's events can
    be deleted exactly. Durations, order and latency use the floored time, never the offset.
    `data` holds every field that has no attribute here; unknown fields are kept in it.
    Source: CloudEvents 1.0 for the envelope, `docs/store.md` for the columns.
    """

    event_id: str
    pilot: str
    feed: str
    stream: str
    type: str
    time_ns: int
    time_precision: str = "ms"
    time_rule: str = "payload"
    received_ns: int = 0
    synthetic: bool = False
    revision: int = 0
    count: int = 1
    consent: str = "none"
    actor_key: str | None = None
    actor_kind: str = "unknown"
    service_id: str | None = None
    device: str = ""
    quantity: str = ""
    value: float | None = None
    unit: str = ""
    data: dict[str, Any] = {}

    @property
    def floor_ns(self) -> int:
        """The time that the source named, without the offset that makes it unique, in ns (UTC)."""
        span = _SPANS.get(self.time_precision)
        return self.time_ns if span is None else self.time_ns - self.time_ns % span


_FIRST_64_BITS: Final = struct.Struct(">Q").unpack_from

# "day" and "month" depend on the pilot's zone, so their floor is computed where the zone is known.
_SPANS: Final = {"ms": NS_PER_MS, "s": NS_PER_S, "minute": 60 * NS_PER_S, "hour": 3600 * NS_PER_S}


def place_in_time(floor_ns: int, span_ns: int, event_id: str, attempt: int = 0) -> int:
    """The unique nanosecond of an event: `floor + sha256(id) mod span`.

    `attempt` above 0 takes the next free hash (id + "#1", ...) when another event holds that nanosecond.

    >>> place_in_time(0, 1, "any")
    0
    >>> place_in_time(5_000_000, 1_000_000, "e-1") == place_in_time(5_000_000, 1_000_000, "e-1")
    True
    """
    name = event_id if attempt == 0 else f"{event_id}#{attempt}"
    number: int = _FIRST_64_BITS(hashlib.sha256(name.encode()).digest())[0]
    return floor_ns + number % span_ns


def span_of(precision: str) -> int | None:
    """Length in ns of one step of `precision`; None for `day` and `month`, whose length the zone decides."""
    return _SPANS.get(precision)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One derived document: what the pipeline writes and the dashboard and exports read.

    Identity is (kind, pilot, key, time_ns); writing the same identity again replaces the whole body, so
    that a recomputed period can leave no stale part behind. `body` is UTF-8 JSON of at most 1,000,000
    bytes. Kinds and their bodies are listed in `docs/store.md`.
    """

    kind: str
    pilot: str
    key: str
    time_ns: int
    body: bytes


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """A pilot-local day (ISO date) into which events were written; a higher `seq` is a later write."""

    pilot: str
    day: str
    seq: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A point that the store can never take, and why."""

    event_id: str
    code: str
    reason: str
