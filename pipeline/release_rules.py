"""What of an indicator may be told: the rule of each count of people that others can be subtracted from.

Counts that add up over days are told between readable days only (`pipeline.release_book`), and so are sums of what
people did or said. Counts of people of a window are hidden when they, or what is left of a declared whole without them,
tell of 1 to k-1 people. Each decision depends on the set that is counted alone, so the same set is hidden under every
name and in every grid. An indicator that has no rule here is judged by `Measure.people` alone (`pipeline.release`).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import msgspec

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.periods import WEEK, iso, monday, ordinal, period_of, previous
from pipeline.release_book import FOLLOWED, Book, Family
from pipeline.sketches import OtherKeyEpoch

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


def judge(indicator: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """What is to be withheld of a figure, None where nothing is; of segments, of attendances only."""
    rule = RULES.get(indicator)
    if rule is None or book.k < 2 or not measure.people:
        return SHOWN
    try:
        return _judged(rule, indicator, book, window, measure)
    except OtherKeyEpoch:  # of those whom it would be compared with, by pseudonyms that cannot be told apart
        return Withheld()


def _judged(rule: Rule, indicator: str, book: Book, window: Window, measure: Measure) -> Verdict:
    if measure.dim:
        of_parts = PARTS.get(indicator)
        return SHOWN if of_parts is None else of_parts(book, window, measure)
    if indicator in BY_WEEK and _length(window) < WEEK:
        return Withheld(by_week=True)
    if window.period.name == "chosen" and (families := OF_WINDOW.get(indicator)):
        ends = _between(book, families, window.first - 1, window.last)
        if ends is not SHOWN:
            return ends
    return rule(book, window, measure)


def _length(window: Window) -> int:
    """Days of the pilot's series that lie in the window."""
    return min(window.last, window.span[1]) - max(window.first, window.span[0]) + 1


def _small(book: Book, counts: Iterable[int]) -> bool:
    return any(0 < count < book.k for count in counts)


def _hide(yes: bool) -> Verdict:
    return Withheld() if yes else SHOWN


def _between(book: Book, families: tuple[Family, ...], after: int, upto: int) -> Verdict:
    """Told where every family may be read at both ends."""
    said = {book.verdict(family, after, upto) for family in families}
    if said == {"shown"}:
        return SHOWN
    days = sorted({after, *book.readable_days(families[0])})
    within = [day for day in days if after <= day <= upto and all(book.readable(one, day) for one in families)]
    return Withheld(waiting="hidden" not in said, told=(within[0] + 1, within[-1]) if len(within) > 1 else None)


def _new(book: Book, window: Window, _: Measure) -> Verdict:
    return _between(book, USE, window.first - 1, window.last)


def _adopted(book: Book, window: Window, _: Measure) -> Verdict:
    verdict = _between(book, USE, book.first - 1, window.last)
    if verdict is None or verdict.told is None:
        return verdict
    last = verdict.told[1]
    return Withheld(verdict.waiting, (window.first, last) if last >= window.first else None)


def _active(book: Book, window: Window, _: Measure) -> Verdict:
    return active(book, window.first, window.last)


def _trailing(days: int, book: Book, window: Window, _: Measure) -> Verdict:
    """People of the last `days` of the period: where they may not be told, those of an earlier last day may be."""
    verdict = _rolling(book, window.last - days + 1, window.last)
    if verdict is SHOWN:
        return SHOWN
    earlier = (day for day in reversed(book.decided("use").points) if window.first <= day < window.last)
    last = next((day for day in earlier if _rolling(book, day - days + 1, day) is SHOWN), None)
    return Withheld(waiting=verdict.waiting, told=None if last is None else (window.first, last))


def _rolling(book: Book, first: int, last: int) -> Verdict:
    """Neighbouring rolling windows tell of the people of a day, as two chosen ranges do; days, weeks and months do not
    overlap."""
    grid = [period_of(name, iso(last)) for name in ("day", "week", "month")]
    if any((ordinal(one.start), ordinal(one.end)) == (first, last) for one in grid):
        return active(book, first, last)
    return _between(book, USE, first - 1, last) or active(book, first, last)


def active(book: Book, first: int, last: int) -> Verdict:
    """Whether the number of people who did a core action on days `first` to `last` may be told."""
    if first <= book.began:
        return _between(book, USE, first - 1, last)

    def number(begin: int, end: int) -> int:
        return book.history.union("active", begin, end).count

    return _hide(_small(book, [number(first, last), *_left_over(book, "use", "use", number, first, last)]))


Number = Callable[[int, int], int]  # of people, from one day to another


def _left_over(book: Book, family: Family, total: str, number: Number, first: int, last: int) -> list[int]:
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


def _several(book: Book, window: Window, measure: Measure) -> Verdict:
    """A part of the people of a window is told only beside them: they could be worked out from it and single days."""
    left = (measure.people[0], window.active.count - measure.people[0])
    return _whole(book, window) or _hide(_small(book, left))


def _whole(book: Book, window: Window) -> Verdict:
    verdict = active(book, window.first, window.last)
    return verdict and Withheld(waiting=verdict.waiting)


def _flow(book: Book, window: Window, _: Measure) -> Verdict:
    """Who came again, came back after an absence, or stayed away: each is what the others leave of the people of this
    period and of the one before, so they are told together or not at all."""
    before = previous(window.period)
    first, last = ordinal(before.start), ordinal(before.end)
    earlier, now = book.history.union("active", first, last), window.active
    again = (earlier & now).count
    known_before = (now & book.history.before("active", window.first)).count
    left = (again, earlier.count - again, now.count - again, known_before - again)
    return _whole(book, window) or _hide(_small(book, left))


def _growth(book: Book, window: Window, measure: Measure) -> Verdict:
    """New people could be worked out from it and from who came back or stayed away."""
    ends = _between(book, USE, window.first - 1, window.last)
    return (ends and Withheld(waiting=ends.waiting)) or _flow(book, window, measure)


def _whole_weeks(book: Book, window: Window, _: Measure) -> Verdict:
    first, last = monday(window.first + WEEK - 1), monday(window.last + 1) - 1
    verdict = active(book, first, last) if first <= last else SHOWN
    return verdict and Withheld(waiting=verdict.waiting)


def _of_newcomers(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share of the newcomers of a window: told where their number is."""
    ends = _between(book, USE, window.first - 1, window.last)
    return (ends and Withheld(waiting=ends.waiting)) or _hide(_small(book, measure.people))


def _back(within: int, book: Book, window: Window, _: Measure) -> Verdict:
    family: Family = "back-1" if within == 1 else "back-7"
    last = min(window.last, window.span[1])
    while last >= window.first and not window.closed_on(last + within, ("usage",)):
        last -= 1
    return _between(book, (family,), window.first - 1, last)


def _visits(book: Book, window: Window, measure: Measure) -> Verdict:
    return _hide(_small(book, measure.people)) or _between(book, ("visits",), window.first - 1, window.last)


def _part_of_visits(book: Book, window: Window, measure: Measure) -> Verdict:
    """Stages and methods of several periods have no running totals of their own: they tell what the list tells."""
    whole, other = book.visits.listed(window, measure.dim, measure.segment)
    return Withheld(instead=whole or None) if other else SHOWN


def _part_of_people(book: Book, window: Window, measure: Measure) -> Verdict:
    told = book.parts(measure.dim)
    if window.period.name == "month":
        waiting = not window.closed_on(window.last, ("usage",))
        return SHOWN if window.last in told else Withheld(waiting=waiting)
    until = max((end for end in told if end <= window.last), default=None)
    count = 0 if until is None else told[until].get(measure.segment, 0)
    return Withheld(instead=count or None, until=until)


def _nothing_left(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share: its numerator, its denominator where that counts people, and what the one leaves of the other."""
    return _hide(_small(book, measure.people))


def _using_participants(book: Book, window: Window, measure: Measure) -> Verdict:
    both = measure.people[0]
    left = (both, window.active.count - both, window.taking_part.count - both)
    return _whole(book, window) or _growing(book, ("both",), window) or _hide(_small(book, left))


def _growing(book: Book, families: tuple[Family, ...], window: Window) -> Verdict:
    """The whole series grows from look to look, a chosen range may be any part of it, and what begins with those who
    took part first differs from them by who is new."""
    if window.period.name not in ("chosen", "all") and window.first > book.part_began:
        return SHOWN
    return _between(book, families, window.first - 1, window.last)


def _taking_part(tells: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """What tells how many people of a window took part, or how many contributed: hidden where those, those of them who
    never did so before, those who had, or those who did not do so in it, are few."""
    if (ends := _growing(book, ("taking-part",), window)) is not SHOWN:
        return ends
    history, first, last = book.history, window.first, window.last

    def number(begin: int, end: int) -> int:
        givers = history.union("contributors", begin, end)
        return (givers if tells == "contributors" else givers | history.union("attendees", begin, end)).count

    count = number(first, last)
    left = [count, window.taking_part.count - count, *_left_over(book, "taking-part", tells, number, first, last)]
    return _hide(_small(book, [*left, *measure.people]))


def _both_told(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share of those who took part tells their number, and its numerator."""
    whole = _taking_part("taking-part", book, window, measure)
    return whole or _taking_part("contributors", book, window, measure)


def _coming_back(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share of some of those who took part."""
    return _growing(book, ("taking-part",), window) or _hide(_small(book, measure.people))


def _groups(tells: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """Parts of those who took part have no readable days of their own, so they are told of no chosen range."""
    return Withheld() if window.period.name == "chosen" else _taking_part(tells, book, window, measure)


def _summed(*families: Family) -> Rule:
    """A sum over days of what people did or said."""

    def rule(book: Book, window: Window, _: Measure) -> Verdict:
        return _between(book, families, window.first - 1, window.last)

    return rule


def _item(book: Book, window: Window, measure: Measure) -> Verdict:
    family: Family = "trust" if measure.segment == "trust" else "influence"
    return _between(book, (family,), window.first - 1, window.last)


_TAKING_PART: Final[Rule] = partial(_taking_part, "taking-part")
_CONTRIBUTORS: Final[Rule] = partial(_taking_part, "contributors")
USE: Final[tuple[Family, ...]] = ("use",)
PARTS: Final[dict[str, Rule]] = {
    "attendance": _part_of_visits,
    "people": _part_of_people,
    "representation": partial(_groups, "taking-part"),
    "representation-gap": partial(_groups, "taking-part"),
    "undeclared": partial(_groups, "taking-part"),
    "hours-per-contributor": partial(_groups, "contributors"),
    "eur-per-contributor": partial(_groups, "contributors"),
    "task-success": _summed("task-parts"),
    "time-to-complete": _summed("task-parts"),
    "time-to-complete-p90": _summed("task-parts"),
    "channel-mix": _summed("channel-parts"),
    "field-test-drop-out": _summed("sign-up-parts"),
    "perceived-influence": _item,
}
RULES: Final[dict[str, Rule]] = {
    "people": _active,
    "people-multi-day": _several,
    "active-1": partial(_trailing, 1),
    "active-7": partial(_trailing, 7),
    "active-28": partial(_trailing, 28),
    "core-actions-per-person": _active,
    "new-people": _new,
    "adoption-per-1000": _adopted,
    "concentration": _active,
    "intensity": _whole_weeks,
    "stickiness": partial(_trailing, 28),
    "returning-people": _flow,
    "resurrected-people": _flow,
    "dormant-people": _flow,
    "net-growth": _growth,
    "retention-week-1": _of_newcomers,
    "retention-week-4": _of_newcomers,
    "retention-week-4-or-later": _of_newcomers,
    "participation-per-1000": _TAKING_PART,
    "return-participation": _coming_back,
    "contribution-rate": _both_told,
    "contributions-each": _CONTRIBUTORS,
    "contribution-gini": _CONTRIBUTORS,
    "contribution-top-tenth": _CONTRIBUTORS,
    "hours-per-contributor": _CONTRIBUTORS,
    "eur-per-contributor": _CONTRIBUTORS,
    "effective-groups": _TAKING_PART,
    "effective-groups-of-20": _TAKING_PART,
    "gini-simpson": _TAKING_PART,
    "group-coverage": _TAKING_PART,
    "representation": _TAKING_PART,
    "representation-gap": _TAKING_PART,
    "undeclared": _TAKING_PART,
    "returned-day-1": partial(_back, 1),
    "retention-day-1": partial(_back, 1),
    "returned-days-1-7": partial(_back, FOLLOWED),
    "retention-days-1-7": partial(_back, FOLLOWED),
    "attendance": _visits,
    "contributors": _CONTRIBUTORS,
    "participants-who-use": _using_participants,
    "task-success": _summed("tasks"),
    "time-to-complete": _summed("tasks"),
    "time-to-complete-p90": _summed("tasks"),
    "channel-mix": _summed("channels"),
    "assisted-share": _summed("assisted"),
    "satisfaction-sus": _summed("sus"),
    "satisfaction-top-2": _summed("content"),
    "survey-response-rate": _summed("sus", "content", "answered"),
    "perceived-influence": _item,
    "influence-gap": _summed("influence"),
    "participation-survey-response": _summed("asked"),
    "field-test-drop-out": _summed("sign-ups"),
}

# Parts of the people of a window: told where at least a week of the pilot's series lies in it.
BY_WEEK: Final = frozenset(
    {
        "people-multi-day",
        "returning-people",
        "resurrected-people",
        "dormant-people",
        "net-growth",
        "returned-day-1",
        "returned-days-1-7",
        "retention-day-1",
        "retention-days-1-7",
        "contributors",
        "participants-who-use",
    }
)
# What is not a difference of running totals: two chosen ranges a day apart would tell of the people of that day.
OF_WINDOW: Final = dict.fromkeys(
    (
        "people",
        "people-multi-day",
        "core-actions-per-person",
        "concentration",
        "intensity",
        "returning-people",
        "resurrected-people",
        "dormant-people",
        "participants-who-use",
    ),
    USE,
)


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
        return "told once its week and the time allowed to late events are over"
    return f"hidden because it, or what it leaves over, would tell of fewer than {k} people"
