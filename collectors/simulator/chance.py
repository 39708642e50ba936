"""Randomness and local days that depend on names and dates alone, never on the order of calls."""

import hashlib
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import numpy as np

NS_PER_MS = 1_000_000
NS_PER_DAY = 86_400_000_000_000


@cache
def number_of(name: str) -> int:
    """A stable number of a name, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def rng_of(seed: int, *names: str | int) -> np.random.Generator:
    """A generator that belongs to (seed, names): any day can be drawn alone, in any order."""
    parts = [name if isinstance(name, int) else number_of(name) for name in names]
    return np.random.default_rng([abs(seed), int(seed < 0), *parts])


def day_of(time_ns: int, zone: ZoneInfo) -> int:
    """The local date of an instant, as its ordinal."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, zone).toordinal()


@lru_cache(maxsize=8192)
def bounds(day: int, zone: ZoneInfo) -> tuple[int, int]:
    """First nanosecond of a local day and of the next one; a day has 23, 24 or 25 hours."""
    first = date.fromordinal(day)
    return _midnight(first, zone), _midnight(first + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1_000_000_000


def iso(time_ns: int) -> str:
    """An instant in UTC with milliseconds.

    >>> iso(1_700_000_000_123_456_789)
    '2023-11-14T22:13:20.123Z'
    """
    days, rest = divmod(time_ns // NS_PER_MS, 86_400_000)
    seconds, ms = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date_text(days)}T{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}Z"


@lru_cache(maxsize=8192)
def _date_text(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
