"""On which days a running total of people may be read: the decision behind every additive count.

New people, adoption and sizes of cohorts are all differences of running totals. Promise: between any two chosen days
each total grows by 0 or by at least k, so no sum or difference of what is told, over any grids and chosen ranges,
gives a count of 1 to k-1 people. Days are numbers (`periods.ordinal`); a total is non-decreasing and 0 before its first
day. Source: indicators.md 9 (closed, non-overlapping windows); what is chosen is the project's own rule.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from pipeline.periods import iso, ordinal, period_of

Totals = Callable[[int], tuple[int, ...]]


class Decided(msgspec.Struct, frozen=True):
    """The days chosen among those from `since` up to and with `until`; None is unknown, from a choice kept before
    `since` was. Days before the first total need no choice."""

    until: int
    points: tuple[int, ...] = ()
    since: int | None = None


NOTHING_DECIDED = Decided(-1)


def apart(before: Sequence[int], after: Sequence[int], k: int) -> bool:
    """True where no total grew by 1 to k-1.

    >>> apart((3, 0), (8, 0), 5), apart((3, 0), (8, 4), 5)
    (True, False)
    """
    return all(new == old or new - old >= k for old, new in zip(before, after, strict=True))


def choose(days: Iterable[int], totals: Totals, k: int, taken: Sequence[int] = ()) -> list[int]:
    """The `taken` days and those of `days`, first come first served, that stay apart from their neighbours.

    >>> choose([4, 1, 2, 3], lambda day: ((0, 2, 6, 8, 11)[day],), 5)
    [2, 4]
    """
    found = sorted(taken)
    for day in days:
        place = bisect_left(found, day)
        if place < len(found) and found[place] == day:
            continue
        now = totals(day)
        before = totals(found[place - 1]) if place else (0,) * len(now)
        if apart(before, now, k) and (place == len(found) or apart(now, totals(found[place]), k)):
            insort(found, day)
    return found


def by_rank(days: Iterable[int]) -> Iterator[int]:
    """Days in the order in which they are offered: the last one, ends of weeks, ends of months, all others.

    >>> from pipeline.periods import ordinal
    >>> [iso(day)[8:] for day in by_rank(range(ordinal("2026-01-24"), ordinal("2026-02-03")))]
    ['02', '25', '01', '31', '24', '26', '27', '28', '29', '30']
    """
    ordered = sorted(days)
    if not ordered:
        return
    yield ordered[-1]
    yield from sorted(ordered[:-1], key=lambda day: (_rank(day), day))


def _rank(day: int) -> int:
    if day % 7 == 0:  # day 1 of the calendar is a Monday
        return 0
    return 1 if ordinal(period_of("month", iso(day)).end) == day else 2


def decide(
    kept: Decided, first: int, until: int, totals: Totals, k: int, among: Iterable[int] | None = None
) -> Decided:
    """What was decided before, as far as it still holds, and the days that were not yet offered, up to `until`.

    Those are the days after it and, where the history of a pilot arrives newest days first, those before it. A day
    once passed over is never offered again; one that late data brought too near to another is withdrawn.
    `among` narrows the days to those on which another family of totals may be read.
    """
    allowed = None if among is None else set(among)
    still = choose(by_rank(day for day in kept.points if allowed is None or day in allowed), totals, k)
    if until < 0:
        return kept  # no day is known yet
    since = first if kept.since is None else kept.since
    fresh = [*range(first, min(since, until + 1)), *range(max(first, kept.until + 1), until + 1)]
    found = choose(by_rank(day for day in fresh if allowed is None or day in allowed), totals, k, still)
    return Decided(max(until, kept.until), tuple(found), min(first, since))
