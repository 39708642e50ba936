"""On which days a running total may be read: the decision behind every count that adds up over days.

New people, adoption and sizes of cohorts are all differences of running totals. Promise: between any two chosen days
each total grows by 0 or by at least k people, so no sum or difference of what is told, over any grids and chosen
ranges, gives a count of 1 to k-1 people. Days are numbers (`periods.ordinal`). Source: indicators.md 9 (closed,
non-overlapping windows); what is chosen is the project's own rule.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from pipeline.periods import iso, ordinal, period_of

BEFORE_ALL: Final = 0  # the day before every day
Grew = Callable[[int, int], Iterable[int]]  # by how many people each total grew after one day, up to another


class Decided(msgspec.Struct, frozen=True):
    """The days chosen among those from `since` up to and with `until`; None is unknown, from a choice kept before
    `since` was. Days before the first total need no choice. `seen` are signs of what was known, by block of days, for
    totals that are too dear to be counted again (`pipeline.release_crowds`)."""

    until: int
    points: tuple[int, ...] = ()
    since: int | None = None
    seen: dict[int, str] = {}


NOTHING_DECIDED = Decided(-1)


def apart(grown: Iterable[int], k: int) -> bool:
    """True where no total grew by 1 to k-1, or shrank.

    >>> apart((5, 0), 5), apart((5, 4), 5)
    (True, False)
    """
    return all(count == 0 or count >= k for count in grown)


def growth(totals: Callable[[int], tuple[int, ...]]) -> Grew:
    """By how much running totals, 0 before their first day, grew."""

    def grew(after: int, upto: int) -> tuple[int, ...]:
        now = totals(upto)
        return now if after == BEFORE_ALL else tuple(b - a for a, b in zip(totals(after), now, strict=True))

    return grew


def choose(days: Iterable[int], grew: Grew, k: int, taken: Sequence[int] = ()) -> list[int]:
    """The `taken` days and those of `days`, first come first served, that stay apart from their neighbours.

    >>> choose([4, 1, 2, 3], growth(lambda day: ((0, 2, 6, 8, 11)[day],)), 5)
    [2, 4]
    """
    found = sorted(taken)
    for day in days:
        place = bisect_left(found, day)
        if place < len(found) and found[place] == day:
            continue
        before = found[place - 1] if place else BEFORE_ALL
        if apart(grew(before, day), k) and (place == len(found) or apart(grew(day, found[place]), k)):
            insort(found, day)
    return found


def by_rank(days: Iterable[int], monthly: bool = False) -> Iterator[int]:
    """Days in the order in which they are offered: the last one, ends of weeks, ends of months, all others; `monthly`
    those of months before those of weeks.

    >>> from pipeline.periods import ordinal
    >>> [iso(day)[8:] for day in by_rank(range(ordinal("2026-01-24"), ordinal("2026-02-03")))]
    ['02', '25', '01', '31', '24', '26', '27', '28', '29', '30']
    """
    ordered = sorted(days)
    if not ordered:
        return
    yield ordered[-1]
    yield from sorted(ordered[:-1], key=lambda day: (_rank(day, monthly), day))


def _rank(day: int, monthly: bool) -> int:
    if monthly and month_end(day) == day:
        return 0
    if day % 7 == 0:  # day 1 of the calendar is a Monday
        return 1
    return 2 if month_end(day) == day else 3


def month_end(day: int) -> int:
    """The last day of a day's month."""
    return ordinal(period_of("month", iso(day)).end)


def decide(
    kept: Decided,
    first: int,
    until: int,
    grew: Grew,
    k: int,
    among: Iterable[int] | None = None,
    unchanged: int = BEFORE_ALL,
    monthly: bool = False,
) -> Decided:
    """What was decided before, as far as it still holds, and the days that were not yet offered, up to `until`.

    Those are the days after it and, where the history of a pilot arrives newest days first, those before it. A day
    once passed over is never offered again; one that late data brought too near to another is withdrawn.
    `among` narrows the days to those on which another family of totals may be read. Up to the day `unchanged` nothing
    changed since, so that what was chosen still holds. `monthly` is as for `by_rank`.
    """
    allowed = None if among is None else set(among)
    points = [day for day in kept.points if allowed is None or day in allowed]
    sure = [day for day in points if day <= unchanged]
    still = choose(by_rank((day for day in points if day > unchanged), monthly), grew, k, sure)
    if until < 0:
        return kept  # no day is known yet
    since = first if kept.since is None else kept.since
    fresh = [*range(first, min(since, until + 1)), *range(max(first, kept.until + 1), until + 1)]
    found = choose(by_rank((day for day in fresh if allowed is None or day in allowed), monthly), grew, k, still)
    return Decided(max(until, kept.until), tuple(found), min(first, since))
