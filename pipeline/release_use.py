"""The rules of the people of the service: active, new, coming back, staying away, and their parts.

Counts of people of a window are hidden when they, or what is left of a declared whole without them, tell of 1 to k-1.
"""

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.periods import WEEK, iso, monday, ordinal, period_of, previous
from pipeline.release_book import Book, Family
from pipeline.release_verdict import SHOWN, USE, Verdict, Withheld, between, hide, left_over, small


def new_people(book: Book, window: Window, _: Measure) -> Verdict:
    return between(book, USE, window.first - 1, window.last)


def adopted(book: Book, window: Window, _: Measure) -> Verdict:
    verdict = between(book, USE, book.first - 1, window.last)
    if verdict is None or verdict.told is None:
        return verdict
    last = verdict.told[1]
    return Withheld(verdict.waiting, (window.first, last) if last >= window.first else None)


def active_in(book: Book, window: Window, _: Measure) -> Verdict:
    return active(book, window.first, window.last)


def trailing(days: int, book: Book, window: Window, _: Measure) -> Verdict:
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
    return between(book, USE, first - 1, last) or active(book, first, last)


def active(book: Book, first: int, last: int) -> Verdict:
    """Whether the number of people who did a core action on days `first` to `last` may be told."""
    if first <= book.began:
        return between(book, USE, first - 1, last)

    def number(begin: int, end: int) -> int:
        return book.history.union("active", begin, end).count

    return hide(small(book, [number(first, last), *left_over(book, "use", "use", number, first, last)]))


def on_several_days(book: Book, window: Window, measure: Measure) -> Verdict:
    """A part of the people of a window is told only beside them: they could be worked out from it and single days."""
    left = (measure.people[0], window.active.count - measure.people[0])
    return whole(book, window) or hide(small(book, left))


def whole(book: Book, window: Window) -> Verdict:
    verdict = active(book, window.first, window.last)
    return verdict and Withheld(waiting=verdict.waiting)


def flow(book: Book, window: Window, _: Measure) -> Verdict:
    """Who came again, came back after an absence, or stayed away: each is what the others leave of the people of this
    period and of the one before, so they are told together or not at all."""
    before = previous(window.period)
    first, last = ordinal(before.start), ordinal(before.end)
    earlier, now = book.history.union("active", first, last), window.active
    again = (earlier & now).count
    known_before = (now & book.history.before("active", window.first)).count
    left = (again, earlier.count - again, now.count - again, known_before - again)
    return whole(book, window) or hide(small(book, left))


def growth(book: Book, window: Window, measure: Measure) -> Verdict:
    """New people could be worked out from it and from who came back or stayed away."""
    ends = between(book, USE, window.first - 1, window.last)
    return (ends and Withheld(waiting=ends.waiting)) or flow(book, window, measure)


def whole_weeks(book: Book, window: Window, _: Measure) -> Verdict:
    first, last = monday(window.first + WEEK - 1), monday(window.last + 1) - 1
    verdict = active(book, first, last) if first <= last else SHOWN
    return verdict and Withheld(waiting=verdict.waiting)


def of_newcomers(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share of the newcomers of a window: told where their number is."""
    ends = between(book, USE, window.first - 1, window.last)
    return (ends and Withheld(waiting=ends.waiting)) or hide(small(book, measure.people))


def back(within: int, book: Book, window: Window, _: Measure) -> Verdict:
    family: Family = "back-1" if within == 1 else "back-7"
    last = min(window.last, window.span[1])
    while last >= window.first and not window.closed_on(last + within, ("usage",)):
        last -= 1
    return between(book, (family,), window.first - 1, last)


def part_of_people(book: Book, window: Window, measure: Measure) -> Verdict:
    told = book.parts(measure.dim)
    if window.period.name == "month":
        waiting = not window.closed_on(window.last, ("usage",))
        return SHOWN if window.last in told else Withheld(waiting=waiting)
    until = max((end for end in told if end <= window.last), default=None)
    count = 0 if until is None else told[until].get(measure.segment, 0)
    return Withheld(instead=count or None, until=until)


def nothing_left(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share: its numerator, its denominator where that counts people, and what the one leaves of the other."""
    return hide(small(book, measure.people))
