"""Diversity of groups and concentration of contributions: figures over resamples of people, and an interval for shares.

A figure takes `weights` (resamples × different lines) and `lines` (one per kind of person), as in `resampling`; of
concentration the lines' first column ascends. Sources stand with each.
"""

from functools import lru_cache
from math import exp, log
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln

from pipeline.indicators.resampling import Floats, Interval, Statistic, Studentised, bootstrap_t, gini

RAREFIED: Final = 20
_LARGEST: Final = 700.0  # the logarithm of what a float can hold
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
    return np.asarray(np.exp(_log_hypergeometric(x[None, :], n, groups[:, None], m)) @ terms)


def _log_hypergeometric(x: npt.ArrayLike, n: int, group: npt.ArrayLike, m: int) -> Floats:
    """ln of the chance of x of a group among m drawn of n; -inf where that cannot be. scipy's own checks too much."""

    def choose(of: npt.ArrayLike, k: npt.ArrayLike) -> Floats:
        of, k = np.asarray(of, np.float64), np.asarray(k, np.float64)
        possible = (k >= 0) & (k <= of)
        k = np.where(possible, k, 0)
        return np.where(possible, gammaln(of + 1) - gammaln(k + 1) - gammaln(of - k + 1), -np.inf)

    return choose(group, x) + choose(n - np.asarray(group), m - np.asarray(x)) - choose(n, m)


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


def gini_logit(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """The logit of the Gini coefficient, with its error."""
    return _logit(*_with_error(weights, lines, gini))


def top_tenth_logit(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """The logit of the share of the highest tenth, with its error."""
    return _logit(*_with_error(weights, lines, top_tenth))


def gini_simpson_logit(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """The logit of the chance that two are of different groups, with its error."""
    return _logit(*_with_error(weights, lines, gini_simpson))


def effective_number_log(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """The logarithm of the effective number of groups, with its error."""
    return _log(*_with_error(weights, lines, effective_number))


def effective_number_of_20_log(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """The same of 20 people."""
    return _log(*_with_error(weights, lines, effective_number_of_20))


def interval_of_share(units: npt.ArrayLike, logit: Studentised) -> Interval:
    """Studentised bootstrap of a figure between 0 and 1 on the logit scale, on which it keeps within them.

    For shares of a skewed total and for diversity, which percentiles cover too seldom.
    """
    found = bootstrap_t(units, logit)
    return None if found is None else (float(expit(found[0])), float(expit(found[1])))


def interval_of_number(units: npt.ArrayLike, logarithm: Studentised) -> Interval:
    """The same of a positive figure, on the scale of its logarithm."""
    found = bootstrap_t(units, logarithm)
    return None if found is None or max(found) > _LARGEST else (exp(found[0]), exp(found[1]))


def _logit(share: Floats, error: Floats) -> tuple[Floats, Floats]:
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    return np.where(inside, np.log(safe / (1 - safe)), np.nan), np.where(inside, error / (safe * (1 - safe)), np.nan)


def _log(number: Floats, error: Floats) -> tuple[Floats, Floats]:
    safe = np.where(number > 0, number, 1)
    return np.where(number > 0, np.log(safe), np.nan), np.where(number > 0, error / safe, np.nan)


def _with_error(weights: Floats, lines: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    """The figure of each line of weights and its jackknife error."""
    kinds = weights.shape[1]
    portion = max(1, _AT_ONCE // kinds**2)
    parts = [_portion(weights[begin : begin + portion], lines, statistic) for begin in range(0, len(weights), portion)]
    return np.concatenate([share for share, _ in parts]), np.concatenate([error for _, error in parts])


def _portion(weights: Floats, lines: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    kinds = weights.shape[1]
    without = weights[:, np.newaxis, :] - np.eye(kinds)[np.newaxis, :, :]
    taken = weights > 0  # of a kind that nobody is of, nobody can be left out
    left = np.zeros(weights.shape)
    left[taken] = statistic(without[taken], lines)
    n, share = weights.sum(axis=1), statistic(weights, lines)
    away = left - ((weights * left).sum(axis=1) / n)[:, np.newaxis]
    return share, np.sqrt((n - 1) / n * (weights * away**2).sum(axis=1))


def _kinds(units: npt.ArrayLike) -> tuple[Floats, Floats]:
    array = np.asarray(units, np.float64)
    lines, times = np.unique(array.reshape(len(array), -1), axis=0, return_counts=True)
    return lines, times.astype(np.float64)
