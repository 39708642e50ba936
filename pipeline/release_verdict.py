"""What the rules of the release share: why a figure is not told, and what a number of people leaves of others told.

Rules: `release_use` of the people of the service, `release_engagement` of those who take part, `release_rules` by
indicator. Each decision depends on the set that is counted alone, so the same set is hidden under every name and in
every grid.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.periods import iso, ordinal, period_of
from pipeline.release_book import Book, Family

USE: Final[tuple[Family, ...]] = ("use",)
SHOWN: Final = None


class Withheld(msgspec.Struct, frozen=True):
    """Why a figure is not told. `waiting`: not decided yet, because its week is not over. `told` are the first and the
    last day of the widest window within its period for which it may be told; `by_week`: it is not told of less.
    `instead` is a count that is told in its place: what the list of activities tells too, or as of the day `until`."""

    waiting: bool = False
    told: tuple[int, int] | None = None
    by_week: bool = False
    instead: int | None = None
    until: int | None = None


Verdict = Withheld | None
Rule = Callable[[Book, Window, Measure], Verdict]


def small(book: Book, counts: Iterable[int]) -> bool:
    return any(0 < count < book.k for count in counts)


def hide(yes: bool) -> Verdict:
    return Withheld() if yes else SHOWN


def between(book: Book, families: tuple[Family, ...], after: int, upto: int) -> Verdict:
    """Told where every family may be read at both ends."""
    said = {book.verdict(family, after, upto) for family in families}
    if said == {"shown"}:
        return SHOWN
    days = sorted({after, *book.readable_days(families[0])})
    within = [day for day in days if after <= day <= upto and all(book.readable(one, day) for one in families)]
    return Withheld(waiting="hidden" not in said, told=(within[0] + 1, within[-1]) if len(within) > 1 else None)


Number = Callable[[int, int], int]  # of people, from one day to another


def left_over(book: Book, family: Family, total: str, number: Number, first: int, last: int) -> list[int]:
    """What a number of people leaves of what is told beside it: those who were not new, and those of all before who
    stayed away, where running totals are told at its ends; and of the two windows that make it up."""
    count = number(first, last)
    left = _in_both_halves(book, number, first, last)
    if book.verdict(family, first - 1, last) == "shown":
        left.append(count - book.grew(total, first - 1, last))
    if book.readable(family, last):
        left.append(book.total(total, last) - count)
    return left


def _in_both_halves(book: Book, number: Number, first: int, last: int) -> list[int]:
    """Where two days, weeks or months that are told one by one make up the window: the people of both, and those of
    one alone, which their union would tell."""
    first, last = max(first, book.first), min(last, book.last)
    found: list[int] = []
    for end in _ends(book, first):
        if end < last and last in _ends(book, end + 1):
            count, early, late = number(first, last), number(first, end), number(end + 1, last)
            found += [early + late - count, count - early, count - late]
    return found


def _ends(book: Book, first: int) -> set[int]:
    """The last days of the day, week and month that begin on a day, as far as the series reaches."""
    grid = [period_of(name, iso(first)) for name in ("day", "week", "month")]
    return {min(ordinal(one.end), book.last) for one in grid if ordinal(one.start) == first or first == book.first}


def because(verdict: Withheld, k: int) -> str:
    """The sentence beside a figure that is withheld, or that is told up to an earlier day."""
    if verdict.told is not None:
        first, last = (iso(day) for day in verdict.told)
        return f"told of {first} to {last}: the days around it are not over, or would tell of fewer than {k} people"
    if verdict.instead is not None and verdict.until is not None:
        return f"as of {iso(verdict.until)}, the last end of a month since which every part can be told to have grown"
    if verdict.instead is not None:
        return f"without activities of fewer than {k} attendances, which are told in totals only"
    if verdict.by_week:
        return "told only of a week or more, since parts of the people of a few days tell of too few"
    if verdict.waiting:
        return "told once its week, or month, and the time allowed to late events are over"
    return f"hidden because it, or what it leaves over, would tell of fewer than {k} people"
