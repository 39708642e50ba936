"""Uptake: whether first-time users come back within days of their first."""

from collections.abc import Callable
from dataclasses import replace

from pipeline.indicators.measure import Measure, not_defined, of_people, of_share
from pipeline.indicators.registry import indicator
from pipeline.indicators.usage import NO_CONSENT, NO_USAGE, THETA, anonymous
from pipeline.indicators.window import Window
from pipeline.sketches import People


def _followed(window: Window, within: int, told: Callable[[People, People], Measure]) -> list[Measure]:
    """What is `told` of the cohort and of those of it who came back; unfinished while some have not had their days."""
    cohort, back, young = window.cohorts(within)
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if cohort.nobody and young == 0:
        reason = NO_CONSENT if anonymous(window) else "nobody used the service for the first time in this period"
        return [not_defined(reason)]
    found = Measure() if cohort.nobody else told(cohort, back)
    if not young:
        return [found]
    reason = f"first-time users of {young} days have not had {within} days since"
    return [replace(found, status="incomplete", reason=reason)]


def _returned(window: Window, within: int) -> list[Measure]:
    return _followed(window, within, lambda _cohort, back: of_people(back))


def _retention(window: Window, within: int) -> list[Measure]:
    return _followed(window, within, lambda cohort, back: of_share(back, cohort.count))


@indicator(
    id="returned-day-1",
    version=1,
    family="uptake",
    title="First-time users back the next day",
    unit="people",
    direction="up",
    formula="of the people whose first core action ever lies on a day of the period, those active on the day after it",
    window="the period and 1 day after, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=1,
    caveat="First-time users of the last days are left out until their next day is over.",
    source=f"U6 a) retention; {THETA}",
)
def returned_day_1(window: Window) -> list[Measure]:
    return _returned(window, 1)


@indicator(
    id="returned-days-1-7",
    version=1,
    family="uptake",
    title="First-time users back within 7 days",
    unit="people",
    direction="up",
    formula="of the people whose first core action ever lies on a day of the period, those active on "
    "any of the 7 days after it",
    window="the period and 7 days after, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=7,
    caveat="First-time users of the last days are left out until their 7 days are over.",
    source=f"U6 a) retention; {THETA}",
)
def returned_days_1_7(window: Window) -> list[Measure]:
    return _returned(window, 7)


@indicator(
    id="retention-day-1",
    version=1,
    family="uptake",
    title="Retention on day 1",
    unit="%",
    direction="up",
    formula="100 · first-time users active on the day after their first / first-time users of the period",
    window="the period and 1 day after, against all history",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=1,
    caveat="Compare only services with the same natural cadence.",
    source=f"U6 a) retention; {THETA}",
)
def retention_day_1(window: Window) -> list[Measure]:
    return _retention(window, 1)


@indicator(
    id="retention-days-1-7",
    version=1,
    family="uptake",
    title="Retention on days 1 to 7",
    unit="%",
    direction="up",
    formula="100 · first-time users active on any of the 7 days after their first / first-time users of the period",
    window="the period and 7 days after, against all history",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=7,
    caveat="Compare only services with the same natural cadence.",
    source=f"U6 a) retention; {THETA}",
)
def retention_days_1_7(window: Window) -> list[Measure]:
    return _retention(window, 7)
