"""Intervals by resampling people or activities, and Kaplan-Meier medians.

Promises: the same data give the same interval, whatever the order in which they came (the seed is made of them);
people are drawn with all that is theirs, never event by event. Statistics take the numbers of units at each distinct
value, one row per draw, so that a draw of a thousand people costs as much as one of ten.
Sources: Efron 1987 (BCa); Kaplan and Meier 1958; Brookmeyer and Crowley 1982 with the log-log transformation.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri
from scipy.stats import hypergeom

from pipeline.indicators.intervals import Z

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
DRAWS: Final = 1000
_LEVELS: Final = (0.025, 0.975)


def tally(values: Iterable[float]) -> tuple[Floats, Floats]:
    """Distinct values in order, and how often each occurs.

    >>> [part.tolist() for part in tally([2, 1, 2])]
    [[1.0, 2.0], [1.0, 2.0]]
    """
    found = sorted(Counter(values).items())
    return np.array([value for value, _ in found], dtype=float), np.array([n for _, n in found], dtype=float)


def draws_of(counts: Floats) -> Floats:
    """DRAWS resamples of as many units, as counts at each distinct value; shape (DRAWS, values)."""
    seed = int.from_bytes(hashlib.sha256(counts.tobytes()).digest()[:8], "big")
    n = int(counts.sum())
    return np.random.default_rng(seed).multinomial(n, counts / n, DRAWS).astype(float)


def bca(counts: Floats, statistic: Statistic) -> tuple[float, float]:
    """Bias-corrected and accelerated interval of a statistic of units counted at distinct values. Source: Efron 1987.

    `statistic` takes an array (rows, values) and gives one number for each row.
    """
    estimate = float(statistic(counts[None, :])[0])
    drawn = statistic(draws_of(counts))
    drawn = np.sort(drawn[np.isfinite(drawn)])
    if not len(drawn) or drawn[0] == drawn[-1]:
        return estimate, estimate
    below = (np.searchsorted(drawn, estimate, "left") + np.searchsorted(drawn, estimate, "right")) / 2 / len(drawn)
    bias = ndtri(min(max(below, 1 / len(drawn)), 1 - 1 / len(drawn)))
    lean = _acceleration(counts, statistic)
    found = []
    for level in _LEVELS:
        shifted = bias + ndtri(level)
        found.append(float(np.quantile(drawn, ndtr(bias + shifted / (1 - lean * shifted)))))
    return min(found[0], estimate), max(found[1], estimate)


def studentised(counts: Floats, statistic: Statistic) -> tuple[float, float]:
    """Bootstrap-t interval, on the logit scale, of a statistic between 0 and 1. Source: Efron and Tibshirani 1993, 12.5.

    For shares of a skewed total, which `bca` covers too seldom: each draw is set against its own jackknife error.
    """
    estimate, error = (float(one[0]) for one in _logit_with_error(counts[None, :], statistic))
    drawn, errors = _logit_with_error(draws_of(counts)[: max(200, int(4e6 / len(counts) ** 2))], statistic)
    sound = np.isfinite(drawn) & np.isfinite(errors) & (errors > 0)
    if not sound.any() or not np.isfinite(estimate) or not error > 0:
        whole = float(statistic(counts[None, :])[0])
        return whole, whole
    away = (drawn[sound] - estimate) / errors[sound]
    low, high = (estimate - float(np.quantile(away, level)) * error for level in _LEVELS[::-1])
    return 1 / (1 + float(np.exp(-low))), 1 / (1 + float(np.exp(-high)))


def _logit_with_error(counts: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    """The logit of the statistic of each row, and its jackknife standard error; NaN where it is 0 or 1."""
    rows, values = counts.shape
    without = counts[:, None, :] - np.eye(values)[None, :, :]
    taken = counts > 0  # of a value that no unit has, none can be left out
    left = np.zeros((rows, values))
    left[taken] = statistic(without[taken])
    n = counts.sum(axis=1)
    mean = (counts * left).sum(axis=1) / n
    error = np.sqrt((n - 1) / n * (counts * (left - mean[:, None]) ** 2).sum(axis=1))
    share = statistic(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(share / (1 - share)), error / (share * (1 - share))


def _acceleration(counts: Floats, statistic: Statistic) -> float:
    """From the jackknife: each unit left out once; units at one value give the same."""
    if counts.sum() < 3:
        return 0.0
    place = np.flatnonzero(counts)
    without = np.repeat(counts[None, :], len(place), axis=0)
    without[np.arange(len(place)), place] -= 1
    left, weight = statistic(without), counts[place]
    deviation = np.average(left, weights=weight) - left
    square = float((weight * deviation**2).sum())
    return float((weight * deviation**3).sum()) / (6 * square**1.5) if square > 0 else 0.0


def median_of(values: Floats) -> Statistic:
    """The median unit's value; the mean of the two in the middle of an even number."""

    def statistic(counts: Floats) -> Floats:
        reach, n = np.cumsum(counts, axis=1), counts.sum(axis=1)
        lower = np.argmax(reach >= np.floor((n + 1) / 2)[:, None], axis=1)
        upper = np.argmax(reach >= np.ceil((n + 1) / 2)[:, None], axis=1)
        return np.asarray((values[lower] + values[upper]) / 2)

    return statistic


def gini_of(values: Floats) -> Statistic:
    """Gini coefficient of values in rising order: mean absolute difference over twice the mean."""

    def statistic(counts: Floats) -> Floats:
        reach, n = np.cumsum(counts, axis=1), counts.sum(axis=1)
        ranks = counts * (reach - counts + (counts + 1) / 2)
        total = counts @ values
        return np.asarray(2 * (ranks @ values) / (n * total) - (n + 1) / n)

    return statistic


def top_share_of(values: Floats, share: float = 0.1) -> Statistic:
    """What part of the total belongs to the highest `share` of units, rounded up to whole units."""

    def statistic(counts: Floats) -> Floats:
        high, falling = counts[:, ::-1], values[::-1]
        top = np.ceil(counts.sum(axis=1) * share - 1e-9)[:, None]
        before = np.cumsum(high, axis=1) - high
        taken = np.clip(top - before, 0, high)
        return np.asarray((taken @ falling) / (counts @ values))

    return statistic


def effective_number(counts: Floats) -> Floats:
    """e to the Shannon entropy of groups: how many equally large groups would be as diverse. Source: Hill 1973."""
    share = counts / counts.sum(axis=1, keepdims=True)
    return np.exp(-np.where(share > 0, share * np.log(np.where(share > 0, share, 1)), 0).sum(axis=1))


def rarefied_number(m: int) -> Statistic:
    """The same for a subsample of `m` drawn without replacement: e to its exact mean entropy. Needs n >= m."""

    def statistic(counts: Floats) -> Floats:
        found = np.empty(len(counts))
        sizes = counts.sum(axis=1).astype(int)
        for n in np.unique(sizes):
            rows = sizes == n
            found[rows] = np.exp(_mean_terms(int(n), m)[counts[rows].astype(int)].sum(axis=1))
        return found

    return statistic


@lru_cache(maxsize=256)
def _mean_terms(n: int, m: int) -> Floats:
    """For a group of 0 to n people among n: the mean of -(x/m) ln(x/m), x of its people being among m drawn.

    Below m people the whole sample is taken, so that a jackknife at n = m - 1 has a value.
    """
    m = min(m, n)
    x = np.arange(1, m + 1)
    terms = np.array([-(k / m) * log(k / m) for k in x])
    groups = np.arange(n + 1)
    return np.asarray(hypergeom.pmf(x[None, :], n, groups[:, None], m) @ terms)


def gini_simpson(counts: Floats) -> Floats:
    """1 - sum of n_i(n_i - 1) / (n(n - 1)): the chance that two different people are of different groups."""
    n = counts.sum(axis=1)
    return np.asarray(1 - (counts * (counts - 1)).sum(axis=1) / (n * (n - 1)))


def median_wait(waits: Sequence[tuple[int, bool]]) -> tuple[float | None, float | None, float | None]:
    """Kaplan-Meier median of (time, ended) pairs with its 95 % interval; None where the curve does not come so low.

    >>> median_wait([(1, True), (2, True), (3, True), (9, False)])[0]
    2.0
    """
    ended = Counter(time for time, end in waits if end)
    leaving = Counter(time for time, _ in waits)
    at_risk, alive, variance = len(waits), 1.0, 0.0
    median = lower = upper = None
    for time in sorted(leaving):
        if deaths := ended[time]:
            alive *= 1 - deaths / at_risk
            variance += deaths / (at_risk * (at_risk - deaths)) if at_risk > deaths else float("inf")
            low, high = _band(alive, variance)
            median = time if median is None and alive <= 0.5 + 1e-12 else median
            lower = time if lower is None and low <= 0.5 else lower
            upper = time if upper is None and high <= 0.5 else upper
        at_risk -= leaving[time]
    return _float(median), _float(lower), _float(upper)


def _band(alive: float, variance: float) -> tuple[float, float]:
    """The curve's pointwise interval on the log-log scale."""
    if alive <= 0 or alive >= 1:
        return alive, alive
    half = Z * variance**0.5 / abs(log(alive))
    return alive ** float(np.exp(half)), alive ** float(np.exp(-half))


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)
