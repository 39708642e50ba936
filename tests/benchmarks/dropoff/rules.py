"""The rules compared. Each gives one score per series and day, higher is more alarming, and alarms above a threshold.

All but "week half", as people write it, know the calendar: masked days never alarm, and windows leave them out. To add
a detector, write a function of the same form and enter it in RULES and AS_WRITTEN; then `make tune-alerts` finds the
threshold at which it errs once a year.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from pipeline.alerts.detector import Course, Rule, watch
from tests.benchmarks.dropoff.generator import Bools, Floats

SILENT: Final = -np.inf
NEVER: Final = 1e9
TIE: Final = 1e-4
SHIPPED: Final = Rule(version=1, h=NEVER)  # but for its threshold


def undisturbed(counts: Floats, judged: Bools, **settings: float) -> Course:
    """Expectation and evidence when nothing ever fires, so that one run serves every threshold."""
    rule = Rule(version=1, h=NEVER, **settings)
    weekday = np.arange(counts.shape[1]) % 7
    return watch(counts, judged, np.ones_like(counts), weekday, [rule] * len(counts))


@dataclass(frozen=True)
class Given:
    """What a rule may look at."""

    counts: Floats
    judged: Bools
    course: Course


def _lagged(rows: Floats, days: int, lag: int) -> Floats:
    """(series, days, window): the `days` days that end `lag` days before each day; NaN before the first."""
    padded = np.pad(rows, ((0, 0), (days + lag, 0)), constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, days, axis=1)[:, 1 : rows.shape[1] + 1]


def _quiet() -> warnings.catch_warnings:
    return warnings.catch_warnings(action="ignore", category=RuntimeWarning)  # a window without a judged day


def daily_half(given: Given) -> Floats:
    """1 − today over the median of the previous 28 days (at least 0.5).

    Zero days of small streams all score 1, more often than once a year: chance breaks such ties, or no threshold
    would err once a year.
    """
    rows = np.where(given.judged, given.counts, np.nan)
    with _quiet():
        usual = np.maximum(np.nanmedian(_lagged(rows, 28, 1), axis=2), 0.5)
    ties = TIE * np.random.default_rng(0).random(rows.shape)
    return np.where(given.judged & np.isfinite(usual), 1 - given.counts / usual - ties, SILENT)


def week_half_as_written(given: Given) -> Floats:
    """1 − the 7-day sum over the median of the four sums before (at least 0.5): knows no calendar."""
    return week_half(Given(given.counts, np.ones_like(given.judged), given.course))


def _week_means(given: Given) -> Floats:
    rows = np.where(given.judged, given.counts, np.nan)
    window = _lagged(rows, 7, 0)
    with _quiet():
        return np.where(np.isfinite(window).sum(axis=2) >= 4, 7 * np.nanmean(window, axis=2), np.nan)


def week_half(given: Given) -> Floats:
    """1 − the 7-day sum over the median of the four sums before (at least 0.5)."""
    sums = _week_means(given)
    earlier = [
        np.pad(sums, ((0, 0), (7 * weeks, 0)), constant_values=np.nan)[:, : sums.shape[1]] for weeks in range(1, 5)
    ]
    with _quiet():
        usual = np.maximum(np.nanmedian(np.stack(earlier), axis=0), 0.5)
    score = 1 - sums / usual
    return np.where(given.judged & np.isfinite(score), score, SILENT)


def ears_c2(given: Given) -> Floats:
    """(mean − today) over the standard deviation (at least 0.5) of days t−9 … t−3: C2 turned downward."""
    rows = np.where(given.judged, given.counts, np.nan)
    window = _lagged(rows, 7, 3)
    with _quiet():
        score = (np.nanmean(window, axis=2) - rows) / np.maximum(np.nanstd(window, axis=2, ddof=1), 0.5)
    return np.where(given.judged & np.isfinite(score), score, SILENT)


def farrington_week(given: Given) -> Floats:
    """−log10 of the lower tail of the 7-day sum (at least 4 judged days) under the production expectation."""
    course = given.course
    use = given.judged & np.isfinite(course.expected)
    counts, mean = (np.where(use, rows, 0.0) for rows in (given.counts, course.expected))
    sums = [np.nansum(_lagged(rows, 7, 0), axis=2) for rows in (counts, mean, use.astype(float))]
    variance = course.phi * sums[1] + (sums[1] * course.se) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.maximum(variance, sums[1] * 1.0001)
        tail = stats.nbinom.logcdf(sums[0], sums[1] ** 2 / (spread - sums[1]), sums[1] / spread) / np.log(10)
    return np.where(use & (sums[2] >= 4), -tail, SILENT)


def cusum(given: Given) -> Floats:
    """The production evidence, where its other conditions hold too."""
    course = given.course
    most = np.where(course.milder, SHIPPED.milder_ratio, SHIPPED.ratio)
    holds = given.judged & (course.ratio <= most) & (course.deficit >= SHIPPED.least_fall)
    return np.where(holds, course.evidence, SILENT)


RULES: Final[dict[str, Callable[[Given], Floats]]] = {
    "NB-CUSUM": cusum,
    "week half": week_half_as_written,
    "week half, with calendar": week_half,
    "daily half": daily_half,
    "EARS-C2 mirrored": ears_c2,
    "Farrington-down 7-day": farrington_week,
}
AS_WRITTEN: Final = {
    "NB-CUSUM": 4.4,
    "week half": 0.5,
    "week half, with calendar": 0.5,
    "daily half": 0.5,
    "EARS-C2 mirrored": 3.0,
    "Farrington-down 7-day": -np.log10(0.005),
}


def scores(counts: Floats, judged: Bools) -> dict[str, Floats]:
    """Every rule's score of the same series."""
    given = Given(counts, judged, undisturbed(counts, judged))
    return {name: rule(given) for name, rule in RULES.items()}
