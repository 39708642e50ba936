"""The rules of those who take part: attendances, contributors, participants, and their groups."""

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.release_book import Book, Family
from pipeline.release_use import whole
from pipeline.release_verdict import SHOWN, Verdict, Withheld, between, hide, left_over, small


def visits(book: Book, window: Window, measure: Measure) -> Verdict:
    return hide(small(book, measure.people)) or between(book, ("visits",), window.first - 1, window.last)


def part_of_visits(book: Book, window: Window, measure: Measure) -> Verdict:
    """Stages and methods of several periods have no running totals of their own: they tell what the list tells."""
    listed, other = book.visits.listed(window, measure.dim, measure.segment)
    return Withheld(instead=listed or None) if other else SHOWN


def using_participants(book: Book, window: Window, measure: Measure) -> Verdict:
    both = measure.people[0]
    left = (both, window.active.count - both, window.taking_part.count - both)
    return whole(book, window) or _growing(book, ("both",), window) or hide(small(book, left))


def _growing(book: Book, families: tuple[Family, ...], window: Window) -> Verdict:
    """The whole series grows from look to look, a chosen range may be any part of it, and what begins with those who
    took part first differs from them by who is new."""
    if window.period.name not in ("chosen", "all") and window.first > book.part_began:
        return SHOWN
    return between(book, families, window.first - 1, window.last)


def taking_part(tells: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """What tells how many people of a window took part, or how many contributed: hidden where those, those of them who
    never did so before, those who had, or those who did not do so in it, are few."""
    if (ends := _growing(book, ("taking-part",), window)) is not SHOWN:
        return ends
    history, first, last = book.history, window.first, window.last

    def number(begin: int, end: int) -> int:
        givers = history.union("contributors", begin, end)
        return (givers if tells == "contributors" else givers | history.union("attendees", begin, end)).count

    count = number(first, last)
    left = [count, window.taking_part.count - count, *measure.people]
    if first > book.part_began:  # all others are new people between two readable days
        left += left_over(book, "taking-part", tells, number, first, last)
    return hide(small(book, left))


def both_told(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share of those who took part tells their number, and its numerator."""
    everybody = taking_part("taking-part", book, window, measure)
    return everybody or taking_part("contributors", book, window, measure)


def coming_back(book: Book, window: Window, measure: Measure) -> Verdict:
    """A share of some of those who took part."""
    return _growing(book, ("taking-part",), window) or hide(small(book, measure.people))


def groups(tells: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """Parts of those who took part have no readable days of their own, so they are told of no chosen range."""
    return Withheld() if window.period.name == "chosen" else taking_part(tells, book, window, measure)
