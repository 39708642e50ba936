"""Figures over activities, each with a 95 % interval that takes an activity, not a person, as the unit.

People at one activity are alike in what they do there, so intervals that count people as independent are too narrow.
Promises: deterministic; fewer than `LEAST` activities give no value.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log, sqrt
from typing import Final

from scipy import stats

from pipeline.findings import Figure
from pipeline.indicators.intervals import clustered_wilson, poisson

LEAST: Final = 5
ORDER: Final = "order statistics"
CLUSTERED: Final = "wilson, clustered by activity"
RATIO: Final = "ratio, clustered by activity"


def few(activities: int) -> Figure | None:
    """The empty figure of too few activities."""
    if activities >= LEAST:
        return None
    return Figure(
        n=activities,
        status="insufficient_n",
        reason=f"rests on {activities} activit{'y' if activities == 1 else 'ies'}; at least {LEAST} are needed",
    )


def median(values: Sequence[float], unit: str = "") -> Figure:
    """The median with the interval between two of the values themselves.

    It holds for any distribution: 93.75 % at 5 values, at least 95 % from 6 on. The percentile bootstrap of a median
    comes near these bounds, at the cost of chance. Source: Thompson 1936.

    >>> found = median([3, 1, 9, 4, 5])
    >>> found.value, found.lower, found.upper
    (4.0, 1.0, 9.0)
    """
    if (too_few := few(len(values))) is not None:
        return too_few
    ordered, n = sorted(float(value) for value in values), len(values)
    beyond = rank(n)
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return Figure(value=middle, n=n, lower=ordered[beyond], upper=ordered[n - 1 - beyond], interval=ORDER, unit=unit)


@lru_cache(maxsize=1024)
def rank(n: int) -> int:
    """How many values lie beyond either bound."""
    return max(0, int(stats.binom.ppf(0.025, n, 0.5)) - 1)


def share(pairs: Sequence[tuple[float, float]], scale: float = 100.0, unit: str = "%") -> Figure:
    """The share Σ hits / Σ whole over activities, with Wilson's interval clustered by them.

    An activity with nothing to count counts for nothing.
    """
    known = [(hits, whole) for hits, whole in pairs if whole > 0]
    if (too_few := few(len(known))) is not None:
        return too_few
    total = sum(whole for _, whole in known)
    p = sum(hits for hits, _ in known) / total
    bounds = clustered_wilson([hits for hits, _ in known], [whole for _, whole in known])
    assert bounds is not None  # of two clusters or more it is known
    lower, upper = bounds
    return Figure(
        value=scale * p, n=round(total), lower=scale * lower, upper=scale * upper, interval=CLUSTERED, unit=unit
    )


def rate(pairs: Sequence[tuple[float, float]], unit: str = "") -> Figure:
    """The ratio Σ counts / Σ of what they are per (hours), with an interval on the scale of logarithms.

    The variance is that of a ratio over activities, at least that of a Poisson count, with the t distribution.
    """
    known = [(count, per) for count, per in pairs if per > 0]
    if (too_few := few(len(known))) is not None:
        return too_few
    m, total, count = len(known), sum(per for _, per in known), sum(count for count, _ in known)
    if not count:
        return Figure(value=0.0, n=m, lower=0.0, upper=poisson(0)[1] / total, interval=RATIO, unit=unit)
    found = count / total
    spread = m / (m - 1) * sum((one - found * per) ** 2 for one, per in known) / total**2
    half = _t(m - 1) * sqrt(max(spread, count / total**2)) / found
    return Figure(
        value=found, n=m, lower=exp(log(found) - half), upper=exp(log(found) + half), interval=RATIO, unit=unit
    )


@lru_cache(maxsize=1024)
def _t(freedom: int) -> float:
    return float(stats.t.ppf(0.975, freedom))
