"""Uptake: who is new, who comes back, who stays away, and what that adds up to."""

import numpy as np

from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import indicator
from pipeline.indicators.resampling import bootstrap, ratio
from pipeline.indicators.usage import NO_CONSENT, RESAMPLED, THETA, absent, anonymous, counted, estimated
from pipeline.indicators.window import Window
from pipeline.periods import ordinal, previous
from pipeline.sketches import People

NOT_WITHIN = "the period before is not wholly within the pilot's data"


def _before(window: Window) -> People | None:
    """Who was active in the period before; None where that is not wholly within the pilot's data."""
    before = previous(window.period)
    first, last = ordinal(before.start), ordinal(before.end)
    began = window.history.first_of_stream("usage")
    if window.period.name == "all" or began is None or first < began:
        return None
    return window.history.union("active", first, last)


def _resurrected(window: Window, before: People) -> People:
    earlier = window.history.before("active", ordinal(previous(window.period).start))
    return (window.active - before) & earlier


@indicator(
    id="new-people",
    version=1,
    family="uptake",
    title="New people",
    unit="people",
    direction="up",
    formula="distinct people whose first core action ever lies in the period",
    window="the period, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    caveat="A change of the pseudonym key makes everybody new; it is then not defined.",
    source=f"section 5: window minus everything before; {THETA}",
)
def new_people(window: Window) -> list[Measure]:
    return counted(window, window.newcomers)


@indicator(
    id="returning-people",
    version=1,
    family="uptake",
    title="Returning people",
    unit="people",
    direction="up",
    formula="distinct people active in the period and in the period before",
    window="the period and the one before",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=31,
    caveat="Not defined where the pilot's data began after the period before had begun.",
    source=f"section 5: window and previous window; {THETA}",
)
def returning_people(window: Window) -> list[Measure]:
    before = _before(window)
    if before is None:
        return [not_defined(NOT_WITHIN)]
    return counted(window, window.active & before)


@indicator(
    id="resurrected-people",
    version=1,
    family="uptake",
    title="People back after an absence",
    unit="people",
    direction="up",
    formula="distinct people active in the period, not in the period before, but on any day before that",
    window="the period and the one before, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    caveat="In a pilot's early periods few can have been absent; not defined where the period before is not "
    "wholly within the pilot's data.",
    source=f"section 5: (window - previous window) and earlier days; {THETA}",
)
def resurrected_people(window: Window) -> list[Measure]:
    before = _before(window)
    if before is None:
        return [not_defined(NOT_WITHIN)]
    return counted(window, _resurrected(window, before))


@indicator(
    id="dormant-people",
    version=1,
    family="uptake",
    title="People who stayed away",
    unit="people",
    direction="down",
    formula="distinct people active in the period before and not in the period",
    window="the period and the one before",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=31,
    caveat="Staying away for one period is not leaving: a service used once a year has many dormant people.",
    source=f"section 5: previous window - window; {THETA}",
)
def dormant_people(window: Window) -> list[Measure]:
    before = _before(window)
    if before is None:
        return [not_defined(NOT_WITHIN)]
    if anonymous(window) and window.active.nobody:
        return [not_defined(NO_CONSENT)]
    return counted(window, before - window.active)


@indicator(
    id="net-growth",
    version=1,
    family="uptake",
    title="Gained for each one lost",
    unit="ratio",
    direction="up",
    formula="(new people + people back after an absence) / people who stayed away",
    window="a week or month and the one before, against all history; not defined for other periods",
    min_n=5,
    interval_method="bootstrap",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    caveat="1 is standing still. Where nobody stayed away there is no ratio: see the three counts. n is the number "
    "of people who stayed away.",
    source=f"U10 net growth; {RESAMPLED}; {THETA}",
)
def net_growth(window: Window) -> list[Measure]:
    if window.period.name not in ("week", "month"):
        return [not_defined("said of a week or a month against the one before")]
    before = _before(window)
    if before is None:
        return [not_defined(NOT_WITHIN)]
    if window.active.nobody and (before.nobody or anonymous(window)):
        return absent(window) or []
    lost = (before - window.active).count
    new, back = window.newcomers.count, _resurrected(window, before).count
    if lost == 0:
        return [not_defined("nobody stayed away, so there is no ratio; see the counts of new people and those back")]
    stayed = (before & window.active).count
    units = np.repeat([[1, 0], [0, 1], [0, 0]], [new + back, lost, stayed], axis=0)
    interval = bootstrap(units, ratio)
    return [estimated((new + back) / lost, lost, interval, "bootstrap", (new, back, new + back, lost))]
