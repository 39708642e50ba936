"""Diversity of groups and concentration of contributions: figures over resamples of people, and an interval for shares.

A figure takes `weights` (resamples × different lines) and `lines` (one per kind of person), as in `resampling`; of
concentration the lines' first column ascends. Sources stand with each.
"""

import hashlib
from functools import lru_cache
from math import log
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import hypergeom

from pipeline.indicators.resampling import RESAMPLES, Floats, Interval, Statistic

RAREFIED: Final = 20
_LEVELS: Final = (0.025, 0.975)
_AT_ONCE: Final = 4_000_000  # numbers held at once


def effective_number(weights: Floats, _lines: Floats) -> Floats:
    """e to the Shannon entropy of groups: how many equally large groups would be as diverse. Source: Hill 1973."""
    share = weights / weights.sum(axis=1, keepdims=True)
    terms = np.where(share > 0, share * np.log(np.where(share > 0, share, 1)), 0)
    return np.exp(-terms.sum(axis=1))  # type: ignore[no-any-return]


def effective_number_of_20(weights: Floats, _lines: Floats) -> Floats:
    """The same for 20 people drawn without replacement: e to their exact mean entropy. Source: Hurlbert 1971."""
    found = np.empty(len(weights))
    sizes = weights.sum(axis=1).astype(int)
    for n in np.unique(sizes):
        rows = sizes == n
        found[rows] = np.exp(_mean_terms(int(n), RAREFIED)[weights[rows].astype(int)].sum(axis=1))
    return found


@lru_cache(maxsize=32)
def _mean_terms(n: int, m: int) -> Floats:
    """For a group of 0 to n people among n: the mean of -(x/m) ln(x/m), x of its people being among m drawn.

    Of fewer than m people all are taken, so that leaving out one of m has a value.
    """
    m = min(m, n)
    x = np.arange(1, m + 1)
    terms = np.array([-(k / m) * log(k / m) for k in x])
    groups = np.arange(n + 1)
    return np.asarray(hypergeom.pmf(x[None, :], n, groups[:, None], m) @ terms)


def gini_simpson(weights: Floats, _lines: Floats) -> Floats:
    """The chance that two different people are of different groups. Source: Simpson 1949."""
    n = weights.sum(axis=1)
    return np.asarray(1 - (weights * (weights - 1)).sum(axis=1) / (n * (n - 1)))


def median(weights: Floats, lines: Floats) -> Floats:
    """The median of the first column; the mean of the two in the middle of an even number."""
    values, reach, n = lines[:, 0], np.cumsum(weights, axis=1), weights.sum(axis=1)
    lower = np.argmax(reach >= np.floor((n + 1) / 2)[:, None], axis=1)
    upper = np.argmax(reach >= np.ceil((n + 1) / 2)[:, None], axis=1)
    return np.asarray((values[lower] + values[upper]) / 2)


def top_tenth(weights: Floats, lines: Floats) -> Floats:
    """What part of the total of the first column the highest tenth of people has, rounded up to whole people."""
    values, high = lines[:, 0], weights[:, ::-1]
    top = np.ceil(weights.sum(axis=1) / 10 - 1e-9)[:, None]
    taken = np.clip(top - (np.cumsum(high, axis=1) - high), 0, high)
    return np.asarray((taken @ values[::-1]) / (weights @ values))


def value_of(units: npt.ArrayLike, statistic: Statistic) -> float:
    """The figure of these people themselves; `units` has one line per person."""
    lines, times = _kinds(units)
    return float(statistic(times[np.newaxis], lines)[0])


def studentised(units: npt.ArrayLike, statistic: Statistic) -> Interval:
    """Bootstrap-t interval, on the logit scale, of a figure between 0 and 1; None where it cannot be said.

    For shares of a skewed total, which percentiles cover too seldom: each draw is set against its own jackknife
    error. Source: Efron and Tibshirani 1993, 12.5.
    """
    lines, times = _kinds(units)
    return _remembered(lines.tobytes(), times.tobytes(), lines.shape[1], statistic)


@lru_cache(maxsize=4096)
def _remembered(kinds: bytes, many: bytes, width: int, statistic: Statistic) -> Interval:
    lines, times = np.frombuffer(kinds, np.float64).reshape(-1, width), np.frombuffer(many, np.float64)
    middle, error = (float(one[0]) for one in _logit_with_error(times[np.newaxis], lines, statistic))
    if len(times) < 2 or not np.isfinite(middle) or not error > 0:
        return None
    seed = int.from_bytes(hashlib.sha256(lines.tobytes() + times.tobytes()).digest()[:8], "big")
    n, size = int(times.sum()), max(200, min(RESAMPLES, _AT_ONCE // len(times) ** 2))
    drawn = np.random.default_rng(seed).multinomial(n, times / n, size=size).astype(np.float64)
    logits, errors = _logit_with_error(drawn, lines, statistic)
    sound = np.isfinite(logits) & np.isfinite(errors) & (errors > 0)
    if sound.mean() < 0.9:
        return None
    away = (logits[sound] - middle) / errors[sound]
    low, high = (middle - float(np.quantile(away, level)) * error for level in _LEVELS[::-1])
    return 1 / (1 + float(np.exp(-low))), 1 / (1 + float(np.exp(-high)))


def _kinds(units: npt.ArrayLike) -> tuple[Floats, Floats]:
    array = np.asarray(units, np.float64)
    lines, times = np.unique(array.reshape(len(array), -1), axis=0, return_counts=True)
    return lines, times.astype(np.float64)


def _logit_with_error(weights: Floats, lines: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    """The logit of the figure of each line of weights, and its jackknife standard error."""
    rows, kinds = weights.shape
    without = weights[:, np.newaxis, :] - np.eye(kinds)[np.newaxis, :, :]
    taken = weights > 0  # of a kind that nobody is of, nobody can be left out
    left = np.zeros((rows, kinds))
    left[taken] = statistic(without[taken], lines)
    n = weights.sum(axis=1)
    away = left - ((weights * left).sum(axis=1) / n)[:, np.newaxis]
    error = np.sqrt((n - 1) / n * (weights * away**2).sum(axis=1))
    share = statistic(weights, lines)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(share / (1 - share)), error / (share * (1 - share))
