"""What of an indicator may be told: the rule of each count of people that others can be subtracted from.

Counts that add up over days are told between readable days only (`pipeline.release_book`). Counts of people of a
window are hidden when they, or what is left of a declared whole without them, tell of 1 to k-1 people. Each decision
depends on the set that is counted alone, so the same set is hidden under every name and in every grid.
An indicator that has no rule here is judged by `Measure.people` alone (`pipeline.release`).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.periods import iso, ordinal, previous
from pipeline.release_book import FOLLOWED, Book, Family

SHOWN: Final = None


class Withheld(msgspec.Struct, frozen=True):
    """Why a figure is not told. `waiting`: not decided yet, because its week is not over. `upto` is the last day up
    to which it may be told, where its period only ends too late."""

    waiting: bool = False
    upto: int | None = None


Verdict = Withheld | None
Rule = Callable[[Book, Window, Measure], Verdict]


def judge(indicator: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """What is to be withheld of a total, None where nothing is."""
    rule = RULES.get(indicator)
    if rule is None or book.k < 2 or not measure.people or measure.dim:
        return SHOWN
    return rule(book, window, measure)


def _small(book: Book, counts: Iterable[int]) -> bool:
    return any(0 < count < book.k for count in counts)


def _hide(yes: bool) -> Verdict:
    return Withheld() if yes else SHOWN


def _between(book: Book, family: Family, after: int, upto: int) -> Verdict:
    said = book.verdict(family, after, upto)
    if said == "shown":
        return SHOWN
    last = book.last(family, upto) if book.readable(family, after) else None
    return Withheld(waiting=said == "waiting", upto=last if last is not None and after < last < upto else None)


def _new(book: Book, window: Window, _: Measure) -> Verdict:
    return _between(book, "use", window.first - 1, window.last)


def _adopted(book: Book, window: Window, _: Measure) -> Verdict:
    return _between(book, "use", book.first - 1, window.last)


def _active(days: int | None, book: Book, window: Window, _: Measure) -> Verdict:
    """People of the period (of its last `days`): from the first day on they are the running total itself; of other
    windows those who are not new are left over."""
    return active(book, window.first if days is None else window.last - days + 1, window.last)


def active(book: Book, first: int, last: int) -> Verdict:
    """Whether the number of people who did a core action on days `first` to `last` may be told."""
    if first <= book.began:
        return _between(book, "use", book.first - 1, last)
    count = book.history.union("active", first, last).count
    if book.verdict("use", first - 1, last) == "shown":
        return _hide(_small(book, (count, count - book.grew("use", first - 1, last))))
    return _hide(_small(book, (count,)))


def _several(book: Book, window: Window, measure: Measure) -> Verdict:
    return _hide(_small(book, (measure.people[0], window.active.count - measure.people[0])))


def _returning(book: Book, window: Window, measure: Measure) -> Verdict:
    """Left over: of this period those who were not active in the one before (new ones apart, where these are told),
    and of that one those who are not active now."""
    before = previous(window.period)
    earlier = book.history.union("active", ordinal(before.start), ordinal(before.end)).count
    count, now = measure.people[0], window.active.count
    left = [count, now - count, earlier - count]
    if book.verdict("use", window.first - 1, window.last) == "shown":
        left.append(now - count - book.grew("use", window.first - 1, window.last))
    return _hide(_small(book, left))


def _back(within: int, book: Book, window: Window, _: Measure) -> Verdict:
    family: Family = "back-1" if within == 1 else "back-7"
    last = min(window.last, window.span[1])
    while last >= window.first and not window.closed_on(last + within, ("usage",)):
        last -= 1
    return _between(book, family, window.first - 1, last)


def _visits(book: Book, window: Window, measure: Measure) -> Verdict:
    return _hide(_small(book, measure.people)) or _between(book, "visits", window.first - 1, window.last)


def _using_participants(book: Book, window: Window, measure: Measure) -> Verdict:
    both = measure.people[0]
    return _hide(_small(book, (both, window.active.count - both, window.taking_part.count - both)))


def _contributors(book: Book, window: Window, measure: Measure) -> Verdict:
    return _hide(_small(book, (measure.people[0], window.taking_part.count - measure.people[0])))


RULES: Final[dict[str, Rule]] = {
    "people": partial(_active, None),
    "people-multi-day": _several,
    "active-1": partial(_active, 1),
    "active-7": partial(_active, 7),
    "active-28": partial(_active, 28),
    "core-actions-per-person": partial(_active, None),
    "new-people": _new,
    "adoption-per-1000": _adopted,
    "returning-people": _returning,
    "returned-day-1": partial(_back, 1),
    "retention-day-1": partial(_back, 1),
    "returned-days-1-7": partial(_back, FOLLOWED),
    "retention-days-1-7": partial(_back, FOLLOWED),
    "attendance": _visits,
    "contributors": _contributors,
    "participants-who-use": _using_participants,
}


def because(verdict: Withheld, k: int) -> str:
    """The sentence beside a figure that is withheld, or that is told up to an earlier day."""
    if verdict.upto is not None:
        return f"told up to {iso(verdict.upto)}: what came after would tell of fewer than {k} people, or is not over"
    if verdict.waiting:
        return "told once its week and the time allowed to late events are over"
    return f"hidden because it, or what it leaves over, would tell of fewer than {k} people"
