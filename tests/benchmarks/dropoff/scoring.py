"""False alarms, detections and their 95 % intervals."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from pipeline.alerts.detector import FIRING, Course
from tests.benchmarks.dropoff.generator import DAYS, WARM, Bools, Floats, Ints

QUIET: Final = 14  # days without alarm before an alarm is a new one
MISSED: Final = 10_000


@dataclass(frozen=True)
class Figure:
    """A measured number with its 95 % interval, and how many series it rests on."""

    value: float
    low: float
    high: float
    n: int


def begun(over: Bools) -> Bools:
    """Days on which an alarm begins after `QUIET` days without one; (series, days)."""
    sums = np.cumsum(np.pad(over.astype(int), ((0, 0), (QUIET + 1, 0))), axis=1)
    before = sums[:, QUIET:-1] - sums[:, : -QUIET - 1]
    return over & (before == 0)


def alarms(over: Bools, start: int = WARM) -> Floats:
    """Alarms of each series that begin from `start` on."""
    return begun(over)[:, start:].sum(axis=1).astype(float)


def firing(course: Course) -> Bools:
    """Days on which an incident is open."""
    return course.state >= FIRING


def opened(course: Course) -> Bools:
    """Days on which an incident opens."""
    is_open = firing(course)
    return is_open & ~np.pad(is_open, ((0, 0), (1, 0)))[:, :-1]


def delays(over: Bools, onset: Ints) -> Ints:
    """Days until the first alarm, the onset being day 1; `MISSED` where none; −1 where one was open just before."""
    found = np.full(len(over), MISSED)
    for row, day in enumerate(onset):
        if over[row, max(0, day - QUIET) : day].any():
            found[row] = -1
        elif over[row, day:].any():
            found[row] = int(np.argmax(over[row, day:])) + 1
    return found


def within(delay: Ints, days: int) -> Floats:
    """1 or 0 per series that can be scored: whether it was found within so many days."""
    scored = delay[delay >= 0]
    return (scored <= days).astype(float)


def share(hits: Floats) -> Figure:
    """A share with Wilson's interval."""
    n = len(hits)
    if n == 0:
        return Figure(np.nan, np.nan, np.nan, 0)
    interval = stats.binomtest(int(hits.sum()), n).proportion_ci(method="wilson")
    return Figure(float(hits.mean()), float(interval.low), float(interval.high), n)


def rate(per_series: Floats) -> Figure:
    """A mean per series, with a normal interval over series; Poisson's upper limit where nothing happened."""
    n, mean = len(per_series), float(per_series.mean())
    if per_series.max(initial=0.0) <= 0:
        return Figure(0.0, 0.0, 3.7 / n, n)
    half = 1.96 * float(per_series.std(ddof=1)) / np.sqrt(n)
    return Figure(mean, max(0.0, mean - half), mean + half, n)


def median(delay: Ints) -> Figure:
    """The median delay in days, with the order statistics that bracket it."""
    scored = np.sort(delay[delay >= 0]).astype(float)
    n = len(scored)
    low, high = stats.binom.ppf([0.025, 0.975], n, 0.5).astype(int)
    return Figure(float(np.median(scored)), float(scored[low]), float(scored[min(high, n - 1)]), n)


def paired(one: Floats, other: Floats) -> Figure:
    """The mean difference of two rules on the same series."""
    difference = one - other
    half = 1.96 * float(difference.std(ddof=1)) / np.sqrt(len(difference))
    return Figure(float(difference.mean()), float(difference.mean()) - half, float(difference.mean()) + half, len(one))


def tuned(score: Floats, target: float = 1.0) -> float:
    """The threshold above which a score alarms `target` times per monitored year, as near as may be."""
    years = (DAYS - WARM) / 365
    days = np.sort(score[:, WARM:][np.isfinite(score[:, WARM:])])[::-1]

    def rate_above(level: float) -> float:
        return float(alarms(score > level).mean()) / years

    ranks = np.unique(np.geomspace(1, len(days) // 4, 60).astype(int))
    few, many = 0, len(days) - 1
    for rank in ranks:  # from rare alarms on: where they are common, they merge and seem rare again
        if rate_above(days[rank]) >= target:
            many = int(rank)
            break
        few = int(rank)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if rate_above(days[middle]) < target else (few, middle)
    return float(min((days[few], days[many]), key=lambda level: abs(rate_above(level) - target)))
