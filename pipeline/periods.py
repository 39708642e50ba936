"""Days, ISO weeks and months in a pilot's own time zone.

Promises: local days tile time without gap or overlap, across clock changes too; weeks begin on Monday;
dates are ISO texts ("2026-01-31"), instants are integer nanoseconds UTC. A day may last 0 to 25 hours.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from pipeline.model import NS_PER_S

DAY_NS: Final = 86_400 * NS_PER_S
WEEK: Final = 7
_EPOCH: Final = date(1970, 1, 1).toordinal()


class Period(msgspec.Struct, frozen=True):
    """A span of local days, both ends included; `name` is one of `pipeline.values.PERIODS`."""

    name: str
    start: str
    end: str

    @property
    def length(self) -> int:
        """Number of days."""
        return ordinal(self.end) - ordinal(self.start) + 1


def ordinal(day: str) -> int:
    """The day's number in the calendar, for arithmetic.

    >>> ordinal("2026-03-01") - ordinal("2026-02-28")
    1
    """
    return date.fromisoformat(day).toordinal()


def monday(number: int) -> int:
    """The Monday of the ISO week that holds a day number; number 1 was a Monday.

    >>> iso(monday(ordinal("2026-01-01")))
    '2025-12-29'
    """
    return number - (number - 1) % WEEK


@lru_cache(maxsize=65_536)
def iso(number: int) -> str:
    """The ISO date of a day number."""
    return date.fromordinal(number).isoformat()


def shift(day: str, days: int) -> str:
    """The date so many days later (earlier when negative)."""
    return iso(ordinal(day) + days)


def date_ns(day: str) -> int:
    """UTC midnight of an ISO date, in ns: where a record about that date lies on the time axis.

    >>> date_ns("1970-01-02")
    86400000000000
    """
    return (ordinal(day) - _EPOCH) * DAY_NS


@lru_cache(maxsize=65_536)
def day_bounds(day: str, zone: ZoneInfo) -> tuple[int, int]:
    """First nanosecond of a local day and of the next one (UTC)."""
    first = date.fromisoformat(day)
    return _midnight(first, zone), _midnight(first + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """Where midnight is skipped the day begins at the clock change; where it comes twice, at the first."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS_PER_S


def day_of(time_ns: int, zone: ZoneInfo) -> str:
    """The local day that holds an instant.

    Judged by `day_bounds`, so that an hour repeated just after midnight is not given back to the day before.
    """
    day = datetime.fromtimestamp(time_ns // NS_PER_S, tz=zone).date().isoformat()
    start, end = day_bounds(day, zone)
    if time_ns < start:
        return shift(day, -1)
    return shift(day, 1) if time_ns >= end else day


def period_of(name: str, day: str) -> Period:
    """The day, ISO week or month that holds a local day.

    >>> period_of("week", "2026-01-01")
    Period(name='week', start='2025-12-29', end='2026-01-04')
    """
    held = date.fromisoformat(day)
    if name == "day":
        return Period("day", day, day)
    if name == "week":
        monday = held - timedelta(days=held.weekday())
        return Period("week", monday.isoformat(), (monday + timedelta(days=6)).isoformat())
    if name == "month":
        following = (held.replace(day=28) + timedelta(days=4)).replace(day=1)
        return Period("month", held.replace(day=1).isoformat(), (following - timedelta(days=1)).isoformat())
    raise ValueError(f'"{name}" is no calendar period: day, week or month')


def periods_between(name: str, first: str, last: str) -> Iterator[Period]:
    """Every calendar period that holds a day from `first` to `last`, in order."""
    day = first
    while day <= last:
        period = period_of(name, day)
        yield period
        day = shift(period.end, 1)


def previous(period: Period) -> Period:
    """The period before: the calendar month before a month, else the same number of days before."""
    before = shift(period.start, -1)
    if period.name == "month":
        return period_of("month", before)
    return Period(period.name, shift(before, 1 - period.length), before)
