"""What a collector tells about one feed: the schema of `collector.ledger` events (docs/ledger.md).

Promises: `read` gives None for any event that is not such a report, and raises nothing. Times are RFC 3339 in UTC, days
are UTC days of receipt, durations are seconds; None is "not known", a missing count is 0.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from pipeline.model import NS_PER_S, Event

TYPE: Final = "collector.ledger"
SCHEMA: Final = 1
Counts = dict[str, int]


class Quantiles(msgspec.Struct, frozen=True):
    """Seconds from receipt to being queryable, over `n` written messages; right to 13 %."""

    p50: float
    p95: float
    n: int


class Skew(msgspec.Struct, frozen=True):
    """Receipt − event time in seconds over `n` messages; `older` more are beyond a day and in no other figure."""

    median: float | None
    min: float | None
    max: float | None
    n: int
    older: int


class Gap(msgspec.Struct, frozen=True):
    """A silence that has ended."""

    seconds: float
    since: str


class DayReport(msgspec.Struct, frozen=True):
    """One UTC day of receipt."""

    fates: Counts
    latency_s: Quantiles | None = None
    skew_s: Skew | None = None
    longest_gap: Gap | None = None
    last_received: str | None = None


class Sample(msgspec.Struct, frozen=True):
    """The newest of one rejected kind; `body` is None where persons may be named or nothing was kept."""

    letter: str
    stage: str
    code: str
    text: str
    topic: str
    first: str
    last: str
    count: int
    body: str | None
    body_size: int


class FeedReport(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one feed, as its collector knows it."""

    schema: int = SCHEMA
    collector: str
    feed: str
    synthetic: bool = False
    total: Counts
    dead: Counts
    days: dict[str, DayReport]
    latency_s: Quantiles | None = None
    skew_s: Skew | None = None
    last_received: str | None = None
    longest_gap: Gap | None = None
    samples: list[Sample] = []
    cut: bool = False


def iso_utc(time_ns: int) -> str:
    """A time in UTC to the microsecond.

    >>> iso_utc(1_500_000_000)
    '1970-01-01T00:00:01.500000Z'
    """
    moment = datetime.fromtimestamp(time_ns // NS_PER_S, UTC).replace(microsecond=time_ns // 1000 % 10**6)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(event: Event) -> FeedReport | None:
    """The report in a stored event."""
    if event.type != TYPE or event.data.get("schema") != SCHEMA:
        return None
    try:
        return msgspec.convert(event.data, FeedReport)
    except msgspec.ValidationError:
        return None
