"""How soon messages were stored, how their clocks stood, and how long a feed was silent: small tables of a day file.

Promises: what is counted changes in the transaction of the messages it is about, so it survives a crash and several
processes see the same; memory and disk are bounded, as durations fall into classes, ten to a decade from 1 ms on.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.feed_report import Quantiles, Skew
from pipeline.model import NS_PER_MS, NS_PER_S, Event

if TYPE_CHECKING:
    import sqlite3

LATENCY, SKEW, OLDER = "latency", "skew", "older"
SCHEMA = """
CREATE TABLE IF NOT EXISTS timing(
  pilot TEXT NOT NULL, feed TEXT NOT NULL, kind TEXT NOT NULL, class INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (pilot, feed, kind, class)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard(
  pilot TEXT NOT NULL, feed TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  gap_ns INTEGER NOT NULL, gap_from_ns INTEGER NOT NULL, PRIMARY KEY (pilot, feed)) WITHOUT ROWID;
"""
_ADD = """INSERT INTO timing(pilot, feed, kind, class, n) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT(pilot, feed, kind, class) DO UPDATE SET n = n + excluded.n"""
_HEAR = """INSERT INTO heard(pilot, feed, first_ns, last_ns, gap_ns, gap_from_ns) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT(pilot, feed) DO UPDATE SET
           gap_from_ns = CASE WHEN excluded.first_ns - last_ns > max(gap_ns, excluded.gap_ns) THEN last_ns
                              WHEN excluded.gap_ns > gap_ns THEN excluded.gap_from_ns ELSE gap_from_ns END,
           gap_ns = max(gap_ns, excluded.gap_ns, excluded.first_ns - last_ns),
           last_ns = max(last_ns, excluded.last_ns)"""
_CLASSES = 80
_EDGES: Final = [round(NS_PER_MS * 10 ** (k / 10)) for k in range(_CLASSES + 1)]
_DAY_NS = 86_400 * NS_PER_S
_OWN_SPAN = {"ms": NS_PER_MS, "s": NS_PER_S}

Classes = Counter[int]
Measured = Counter[tuple[str, str, str, int]]  # (pilot, feed, kind, class) → number


class Heard(NamedTuple):
    """When a feed was first and last heard on a day, and its longest silence between; times in ns."""

    first_ns: int
    last_ns: int
    gap_ns: int
    gap_from_ns: int


def class_of(duration_ns: int) -> int:
    """The class of a duration; 0 is below 1 ms either way, negative ones are negative durations.

    >>> class_of(500_000), class_of(1_000_000), class_of(10_000_000), class_of(-10_000_000)
    (0, 1, 11, -11)
    """
    return bisect_right(_EDGES, duration_ns) if duration_ns >= 0 else -bisect_right(_EDGES, -duration_ns)


def seconds_of(number: int) -> float:
    """The middle of a class in seconds.

    >>> seconds_of(class_of(1_000_000_000))
    1.122
    """
    if number == 0:
        return 0.0
    size = float(f"{10 ** ((abs(number) - 0.5) / 10) / 1000:.4g}")
    return size if number > 0 else -size


def measured(written: Iterable[tuple[str, str, int, Event]], now_ns: int) -> Measured:
    """Classes of (pilot, feed, received_ns, event) that became queryable at `now_ns`.

    An event without a time of its own, or known to the minute at best, says nothing of a clock.
    """
    counts: Measured = Counter()
    for pilot, feed, received_ns, event in written:
        counts[pilot, feed, LATENCY, bisect_right(_EDGES, now_ns - received_ns)] += 1
        span = _OWN_SPAN.get(event.time_precision)
        if span is None or event.time_rule == "receipt":
            continue
        skew_ns = received_ns - event.time_ns + event.time_ns % span
        if skew_ns > _DAY_NS:
            counts[pilot, feed, OLDER, 0] += 1
        else:
            counts[pilot, feed, SKEW, class_of(skew_ns)] += 1
    return counts


def add(connection: "sqlite3.Connection", counts: Mapping[tuple[str, str, str, int], int]) -> None:
    """Count inside the caller's transaction."""
    connection.executemany(_ADD, [(*key, n) for key, n in counts.items()])


def hear(connection: "sqlite3.Connection", received: Iterable[tuple[str, str, int]]) -> None:
    """Note that (pilot, feed) was heard at each time, inside the caller's transaction."""
    feeds: dict[tuple[str, str], list[int]] = {}
    for pilot, feed, at_ns in received:
        found = feeds.get((pilot, feed))
        if found is None:
            feeds[pilot, feed] = [at_ns, at_ns, 0, at_ns]
            continue
        if at_ns - found[1] > found[2]:
            found[2], found[3] = at_ns - found[1], found[1]
        if at_ns > found[1]:
            found[1] = at_ns
    connection.executemany(_HEAR, [(*key, *found) for key, found in feeds.items()])


def read(connection: "sqlite3.Connection") -> dict[tuple[str, str], dict[str, Classes]]:
    """Classes by (pilot, feed) and kind of one day file."""
    found: dict[tuple[str, str], dict[str, Classes]] = {}
    for pilot, feed, kind, number, n in connection.execute("SELECT pilot, feed, kind, class, n FROM timing"):
        found.setdefault((pilot, feed), {}).setdefault(kind, Counter())[number] += n
    return found


def heard(connection: "sqlite3.Connection") -> dict[tuple[str, str], Heard]:
    """When each feed was heard on the day of this file."""
    rows = connection.execute("SELECT pilot, feed, first_ns, last_ns, gap_ns, gap_from_ns FROM heard")
    return {(pilot, feed): Heard(*times) for pilot, feed, *times in rows}


def quantiles(classes: Classes) -> Quantiles | None:
    """p50 and p95 of latencies; None of none."""
    n = classes.total()
    if not n:
        return None
    return Quantiles(max(0.001, _at(classes, 0.5)), max(0.001, _at(classes, 0.95)), n)


def skew(classes: Classes, older: int) -> Skew | None:
    """Median and ends of receipt − event time; None when nothing is known of the source's clock."""
    if not classes:
        return Skew(None, None, None, 0, older) if older else None
    return Skew(_at(classes, 0.5), seconds_of(min(classes)), seconds_of(max(classes)), classes.total(), older)


def _at(classes: Classes, share: float) -> float:
    left = share * classes.total()
    for number in sorted(classes):
        left -= classes[number]
        if left <= 0:
            return seconds_of(number)
    return seconds_of(max(classes))
