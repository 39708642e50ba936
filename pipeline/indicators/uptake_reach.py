"""Uptake: how many of those whom the service is for have met it, and have used it."""

from pipeline.indicators.measure import Measure, not_defined, of_share
from pipeline.indicators.registry import indicator
from pipeline.indicators.usage import NO_CONSENT, NO_USAGE, THETA, anonymous
from pipeline.indicators.window import Window


def _population(window: Window) -> int | None:
    denominator = window.pilot.denominator()
    if denominator is None or not isinstance(denominator.value, int) or denominator.value < 1:
        return None
    return denominator.value


@indicator(
    id="reach",
    version=1,
    family="uptake",
    title="Reach",
    unit="%",
    direction="up",
    formula="100 · distinct people who were shown the service in the period / the pilot's denominator",
    window="the period",
    min_n=100,
    interval_method="wilson",
    comparable="yes",
    needs=("service.exposed", "population.snapshot"),
    streams=("usage",),
    caveat="Compare only pilots with the same kind of denominator. Being shown a service is not using it.",
    source=f"U1 reach; {THETA}",
)
def reach(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if not window.history.heard_of("usage/service.exposed", window.last):
        return [not_defined("nobody has recorded to whom the service is shown")]
    population = _population(window)
    if population is None:
        return [not_defined("the pilot's file names no denominator with a value")]
    exposed = window.history.union("exposed", window.first, window.last)
    if exposed.nobody and any(day.counts.get("usage/service.exposed") for day in window.days):
        return [not_defined("it is counted without pseudonyms to whom the service was shown")]
    return [of_share(exposed, population, show_n=False)]


@indicator(
    id="adoption-per-1000",
    version=1,
    family="uptake",
    title="Adoption per 1,000",
    unit="per 1,000",
    direction="up",
    formula="1000 · people with a core action on any day up to the period's end / the pilot's denominator",
    window="all history to the period's end",
    min_n=100,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed", "population.snapshot"),
    streams=("usage",),
    look_back=None,
    caveat="Compare only pilots with the same kind of denominator.",
    source=f"U2 adoption; {THETA}",
)
def adoption_per_1000(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    population = _population(window)
    if population is None:
        return [not_defined("the pilot's file names no denominator with a value")]
    adopted = window.history.before("active", window.last + 1)
    if adopted.nobody and anonymous(window):
        return [not_defined(NO_CONSENT)]
    return [of_share(adopted, population, scale=1000.0, show_n=False)]
