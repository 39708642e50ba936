"""Pure: when something happened, as integer nanoseconds, and whether we believe it.

A time without zone takes the pilot's zone; the repeated autumn hour takes the earlier offset and says so.
Source: ingest.md 9 and indicators.md 3.2 for floors and spans; RFC 3339 for the text.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from collectors.message import Undecodable
from pipeline.model import NS_PER_S, span_of

PRECISIONS = ("ms", "s", "minute", "hour", "day", "month")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_FRACTION = re.compile(r"[.,](\d+)")
_HOUR_NS = 3600 * NS_PER_S
_AHEAD_NS = 600 * NS_PER_S
_DAY_NS = 24 * _HOUR_NS


@dataclass(frozen=True)
class Window:
    """Which event times are believed, relative to the time of receipt.

    `retention_ns` is what the store keeps, None where it keeps everything: then `history_ns` bounds the past.
    """

    retention_ns: int | None = None
    history_ns: int = 400 * _DAY_NS

    def check(self, floor_ns: int, received_ns: int, accept_since: date | None, zone: ZoneInfo) -> None:
        """Raise Undecodable (stage clock) when the time lies outside; `accept_since` widens, never beyond retention."""
        if floor_ns > received_ns + _AHEAD_NS:
            raise Undecodable("clock", "clock_skew", "the event time is more than 10 minutes ahead of its receipt")
        if self.retention_ns is not None and floor_ns < received_ns - self.retention_ns + _HOUR_NS:
            raise Undecodable("clock", "beyond_retention", "the event is older than what the store keeps")
        if floor_ns >= received_ns - self.history_ns:
            return
        if accept_since is None or floor_ns < _local_ns(datetime.combine(accept_since, time()), zone):
            raise Undecodable(
                "clock", "clock_skew", "the event is too old; set accept_since on the feed for a back-fill"
            )


def read_time(text: str, zone: ZoneInfo) -> tuple[int, str]:
    """An ISO 8601 time as (ns, rule); the rule is "payload", or "payload_local..." where the zone was added.

    >>> read_time("2018-04-05T03:56:24.123456789Z", ZoneInfo("UTC"))
    (1522900584123456789, 'payload')
    >>> read_time("2019-03-01 01:00", ZoneInfo("Europe/Berlin"))
    (1551398400000000000, 'payload_local')
    """
    try:
        moment = datetime.fromisoformat(text if len(text) <= 64 else "")
        nanos = 0
        if moment.microsecond and (found := _FRACTION.search(text)) and len(found[1]) > 6:
            nanos = int(found[1][6:9].ljust(3, "0"))
        elif not moment.microsecond and (found := _FRACTION.search(text)):
            nanos = int(found[1][6:9].ljust(3, "0")) if len(found[1]) > 6 else 0
        if moment.tzinfo is not None:
            return (moment - _EPOCH) // _MICROSECOND * 1000 + nanos, "payload"
        local = moment.replace(tzinfo=zone)
        offset, later = local.utcoffset(), local.replace(fold=1).utcoffset()
        assert offset is not None  # a ZoneInfo always has one
        time_ns = (moment - _NAIVE_EPOCH - offset) // _MICROSECOND * 1000 + nanos
        return time_ns, "payload_local_ambiguous" if offset != later else "payload_local"
    except (ValueError, OverflowError):
        raise Undecodable("validate", "bad_time", "the event time is no ISO 8601 date and time") from None


def floor_and_span(time_ns: int, precision: str, zone: ZoneInfo) -> tuple[int, int]:
    """The start and length in ns of the step of `precision` that holds `time_ns`; days and months are the zone's.

    >>> floor_and_span(1_500_000, "ms", ZoneInfo("UTC"))
    (1000000, 1000000)
    >>> floor_and_span(1_553_990_400_000_000_000, "day", ZoneInfo("Europe/Berlin"))[1] / 3.6e12  # a short day
    23.0
    """
    span = span_of(precision)
    if span is not None:
        return time_ns - time_ns % span, span
    local = (_EPOCH + timedelta(seconds=time_ns // NS_PER_S)).astimezone(zone).date()
    first = datetime.combine(local if precision == "day" else local.replace(day=1), time())
    after = first + timedelta(days=1) if precision == "day" else (first + timedelta(days=32)).replace(day=1)
    start = _local_ns(first, zone)
    return start, _local_ns(after, zone) - start


class LocalDays:
    """ISO dates of instants in one zone, remembered per quarter of an hour: no zone changes faster."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[int, str] = {}

    def of(self, time_ns: int) -> str:
        quarter = time_ns // (_HOUR_NS // 4)
        day = self._known.get(quarter)
        if day is None:
            local = (_EPOCH + timedelta(seconds=time_ns // NS_PER_S)).astimezone(self._zone)
            day = self._known[quarter] = local.date().isoformat()
            if len(self._known) > 50_000:
                self._known.clear()
        return day


def utc_day(time_ns: int) -> str:
    """The UTC date of an instant, as ISO text."""
    return (_EPOCH + timedelta(seconds=time_ns // NS_PER_S)).date().isoformat()


def _local_ns(moment: datetime, zone: ZoneInfo) -> int:
    return (moment.replace(tzinfo=zone).astimezone(UTC) - _EPOCH) // _MICROSECOND * 1000
