"""The retention triangle: weekly cohorts of first-time users, and how many are active in or from each later week.

Promises: a share is never above 100 %, and "in or after" a week never below "in" it; a cell whose week is not over
says so and has no value; what would tell of 1 to k-1 people is hidden; nothing here writes.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from pipeline.findings import Figure, RetentionCell
from pipeline.history import History
from pipeline.indicators.intervals import Survival, life_table, wilson
from pipeline.indicators.window import Window
from pipeline.periods import WEEK, Period, iso, monday
from pipeline.quality import OK
from pipeline.release import reason
from pipeline.release_book import Book
from pipeline.release_cohorts import Stretch, told_weeks
from pipeline.sketches import NOBODY, OtherKeyEpoch, People

MIN_COHORT: Final = 20
VARIANTS: Final = ("in", "or_later")
_SINCE: Final = "who came since would tell of too few people"


def triangle(history: History, as_of_ns: int, weeks: int, k: int, book: Book | None = None) -> list[RetentionCell]:
    """Cells of the newest `weeks` cohorts, by cohort, week after it and variant; [] before any use.

    A cohort holds those whose first core action ever lies in an ISO week; "in" has Wilson's interval, "or_later" the
    band of Kaplan and Meier where it is of today. Figures are in percent, n is the size of the cohort. `k` hides 1 to
    k-1 people, also where they are what one cell leaves of another, of this look or an earlier one; "or later" is then
    told as of an earlier week. `book` holds the release decisions for that limit.
    """
    book = book or Book(history, as_of_ns, k)
    span, began = history.span(as_of_ns), history.first_of_stream("usage")
    if span is None or began is None or weeks < 1:
        return []
    newest, oldest = monday(span[1]), monday(began)
    end = _last_closed(history, as_of_ns, newest)
    found = []
    for cohort in range(max(oldest, newest - (weeks - 1) * WEEK), newest + 1, WEEK):
        afters = range(1, (newest - cohort) // WEEK + 1)
        try:
            found += _cohort(history, cohort, afters, end, book, as_of_ns)
        except OtherKeyEpoch as error:
            figure = Figure(status="not_defined", reason=f"{error}, so people cannot be told apart", unit="%")
            found += [_cell(history, cohort, after, variant, figure) for after in afters for variant in VARIANTS]
    return found


def _last_closed(history: History, as_of_ns: int, week: int) -> int:
    """The Monday of the last week that is over, late events included; an earlier one than any where none is."""
    window = Window(history, Period("week", iso(week), iso(week + WEEK - 1)), as_of_ns)
    while week >= window.span[0] - WEEK and not window.closed_on(week + WEEK - 1, ("usage",)):
        week -= WEEK
    return week


def _cohort(history: History, cohort: int, afters: range, end: int, book: Book, as_of_ns: int) -> list[RetentionCell]:
    fresh = history.union("active", cohort, cohort + WEEK - 1) - history.before("active", cohort)
    n = fresh.count
    later = [n]
    for after in afters:  # of estimates beyond 4,096 people a later one may come out higher
        later.append(min(later[-1], _active(history, fresh, cohort + after * WEEK, end).count))
    band = life_table(later[:-1], [before - now for before, now in pairwise(later)])
    size_told = book.verdict("use", cohort - 1, cohort + WEEK - 1) == "shown"
    over = min(len(afters), (end - cohort) // WEEK)  # weeks after its own that are over
    told = told_weeks(n, over, _counts(history, fresh, cohort, over), book.k) if size_told else {}
    found = []
    for after in afters:
        week = cohort + after * WEEK
        blank, poor = _blank(n, week, end), _poor(history, week, as_of_ns)
        inside = _figure(told.get((after, after)), n, book.k, None, poor)
        until = max((last for first, last in told if first == after), default=after)
        lasting = _figure(told.get((after, until)), n, book.k, _step(band, after) if until == over else None, poor)
        if until < over and lasting.value is not None:
            day = iso(cohort + (until + 1) * WEEK - 1)
            lasting = replace(lasting, status="incomplete", reason=f"as of {day}: {_SINCE}")
        found += [
            _cell(history, cohort, after, *one)
            for one in zip(VARIANTS, (blank or inside, blank or lasting), strict=True)
        ]
    return found


def _counts(history: History, fresh: People, cohort: int, weeks: int) -> Callable[[int, int], int]:
    """How many of a cohort were active in any of the weeks from one after it to another; more weeks never give less."""
    each = [_active(history, fresh, week, week) for week in range(cohort + WEEK, cohort + (weeks + 1) * WEEK, WEEK)]
    counts: dict[Stretch, int] = {}
    for first in range(1, weeks + 1):
        so_far = NOBODY
        for last in range(first, weeks + 1):
            so_far = so_far | each[last - 1]
            counts[first, last] = min(max(so_far.count, counts.get((first, last - 1), 0)), fresh.count)
    return lambda first, last: counts[first, last]


def _active(history: History, fresh: People, first_week: int, last_week: int) -> People:
    """Who of a cohort was active in the weeks from one Monday to another, both included."""
    return fresh & history.union("active", first_week, last_week + WEEK - 1)


def _step(band: list[Survival], after: int) -> Survival | None:
    return band[after - 1] if after <= len(band) else None


def _blank(n: int, week: int, end: int) -> Figure | None:
    """A cell that has no value whoever came."""
    if n == 0:
        return Figure(status="not_defined", reason="nobody used the service for the first time in that week", unit="%")
    if week > end:
        return Figure(
            status="incomplete", reason="that week and the time allowed to late events are not over", unit="%"
        )
    return None


def _poor(history: History, week: int, as_of_ns: int) -> float | None:
    """Completeness of the usage feeds in a week where it is too low to compare."""
    found = history.completeness("usage", week, week + WEEK - 1, as_of_ns)
    return found if found is not None and found < OK else None


def _few(k: int, *counts: int) -> bool:
    return any(0 < count < k for count in counts)


def _hidden(k: int) -> Figure:
    return Figure(status="suppressed", reason=reason(k), unit="%")


def _figure(hits: int | None, n: int, k: int, step: Survival | None, poor: float | None) -> Figure:
    if hits is None or _few(k, hits, n):
        return _hidden(k)
    if n < MIN_COHORT:
        return Figure(n=n, status="insufficient_n", reason=f"rests on {n}; at least {MIN_COHORT} are needed", unit="%")
    if poor is not None and hits == 0:
        return Figure(n=n, status="feed_poor", reason=_delivered(poor), unit="%")
    lower, upper = wilson(hits, n) if step is None else (step.lower, step.upper)
    return Figure(
        value=100 * hits / n,
        n=n,
        lower=None if lower is None else 100 * lower,
        upper=None if upper is None else 100 * upper,
        interval="wilson" if step is None else "kaplan-meier",
        status="ok" if poor is None else "feed_poor",
        reason="" if poor is None else _delivered(poor),
        unit="%",
    )


def _delivered(poor: float) -> str:
    return f"its feeds delivered {poor:.0%} of what they should"


def _cell(history: History, cohort: int, after: int, variant: str, figure: Figure) -> RetentionCell:
    synthetic = history.pilot.synthetic or any(
        day.synthetic for day in history.days(cohort, cohort + (after + 1) * WEEK - 1)
    )
    return RetentionCell(
        pilot=history.pilot.slug, cohort=iso(cohort), after=after, variant=variant, share=figure, synthetic=synthetic
    )
