"""Bootstrap by actor: intervals of figures that have no formula for theirs.

Promises: an actor is drawn with all that belongs to it, never an event; the seed comes from the data, so the same
data give the same interval on every machine and in every order of arrival; equal actors are drawn together, which
keeps the cost to that of the different ones.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats, Floats], Floats]
Studentised = Callable[[Floats, Floats], tuple[Floats, Floats]]
Interval = tuple[float, float] | None
RESAMPLES: Final = 1000
_AT_ONCE: Final = 2_000_000  # numbers held at once
_KEPT: Final = 65_536  # bytes of data beyond which an interval is not remembered


def bootstrap(units: npt.ArrayLike, statistic: Statistic, bca: bool = False) -> Interval:
    """95 % interval of a figure over actors; `units` has one line per actor.

    `statistic(weights, lines)` gives the figure for each line of `weights` (resamples × different lines), NaN where
    it has no sense. Percentiles of 1,000 resamples, or with `bca` bias-corrected and accelerated. None where all actors
    are alike, fewer than two, or the figure has no sense in a tenth of the resamples.
    Source: Efron and Tibshirani 1993, chapters 13 and 14.
    """
    array = np.atleast_2d(np.asarray(units, np.float64))
    if len(array) < 2:
        return None
    lines, times = np.unique(array, axis=0, return_counts=True)
    return _remembered(lines.tobytes(), times.astype(np.int64).tobytes(), lines.shape[1], statistic, bca)


def bootstrap_t(units: npt.ArrayLike, statistic: Studentised) -> Interval:
    """The same by the studentised bootstrap, for skewed figures: it asks of each resample how many of its own
    standard errors it lies away, and keeps its level with fewer actors than percentiles do.

    `statistic` gives the figure and its standard error. Source: Efron and Tibshirani 1993, chapter 12.5.
    """
    array = np.atleast_2d(np.asarray(units, np.float64))
    lines, times = np.unique(array, axis=0, return_counts=True)
    if len(lines) < 2:
        return None
    compute = _known_t if lines.nbytes <= _KEPT else _known_t.__wrapped__
    return compute(lines.tobytes(), times.astype(np.int64).tobytes(), lines.shape[1], statistic)


@lru_cache(maxsize=4096)
def _known_t(lines: bytes, times: bytes, width: int, statistic: Studentised) -> Interval:
    units = np.frombuffer(lines, np.float64).reshape(-1, width)
    many = np.frombuffer(times, np.int64)
    value, error = (float(one[0]) for one in statistic(many[np.newaxis].astype(np.float64), units))

    def away(weights: Floats) -> Floats:
        values, errors = statistic(weights, units)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(errors > 0, (values - value) / errors, np.nan))

    ends = _percentiles(_draws(_seed(lines, times), many, away), 0.025, 0.975)
    return None if ends is None else (value - ends[1] * error, value - ends[0] * error)


def _remembered(lines: bytes, times: bytes, width: int, statistic: Statistic, bca: bool) -> Interval:
    compute = _known if len(lines) <= _KEPT else _known.__wrapped__
    return compute(lines, times, width, statistic, bca)


@lru_cache(maxsize=4096)
def _known(lines: bytes, times: bytes, width: int, statistic: Statistic, bca: bool) -> Interval:
    units = np.frombuffer(lines, np.float64).reshape(-1, width)
    many = np.frombuffer(times, np.int64)
    if len(units) < 2:
        return None
    draws = _draws(_seed(lines, times), many, lambda weights: statistic(weights, units))
    return _accelerated(draws, many, units, statistic) if bca else _percentiles(draws, 0.025, 0.975)


def _draws(seed: int, many: npt.NDArray[np.int64], figure: Callable[[Floats], Floats]) -> Floats:
    """The figure of resamples of actors, of which `many[i]` are alike."""
    rng, n = np.random.default_rng(seed), int(many.sum())
    portion = max(1, min(RESAMPLES, _AT_ONCE // len(many)))
    found = []
    for begin in range(0, RESAMPLES, portion):
        size = min(portion, RESAMPLES - begin)
        found.append(figure(rng.multinomial(n, many / n, size=size).astype(np.float64)))
    return np.concatenate(found)


def _seed(*parts: bytes) -> int:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part + b"|")
    return int.from_bytes(digest.digest()[:8], "big")


def _percentiles(draws: Floats, low: float, high: float) -> Interval:
    known = draws[~np.isnan(draws)]
    if len(known) < 0.9 * len(draws):
        return None
    lower, upper = np.quantile(known, [low, high], method="inverted_cdf")
    return float(lower), float(upper)


def _accelerated(draws: Floats, many: npt.NDArray[np.int64], units: Floats, statistic: Statistic) -> Interval:
    value = float(statistic(many[np.newaxis].astype(np.float64), units)[0])
    known = draws[~np.isnan(draws)]
    below = float((known < value).mean() + (known == value).mean() / 2) if len(known) else 0.0
    if not 0 < below < 1:
        return _percentiles(draws, 0.025, 0.975)
    shift, rate = float(ndtri(below)), _acceleration(many, units, statistic)
    ends = [
        float(ndtr(shift + (shift + z) / (1 - rate * (shift + z)))) for z in (-1.959963984540054, 1.959963984540054)
    ]
    return _percentiles(draws, *ends)


def _acceleration(many: npt.NDArray[np.int64], units: Floats, statistic: Statistic) -> float:
    """From leaving out one actor of each kind; with very many kinds there is nothing left to correct."""
    if len(units) > 2000:
        return 0.0
    without = many[np.newaxis].astype(np.float64) - np.eye(len(many))
    each = statistic(without, units)
    away = np.average(each, weights=many) - each
    spread = float((many * away**2).sum())
    return float((many * away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


# Figures


def mean(weights: Floats, lines: Floats) -> Floats:
    """Mean of the first column."""
    return np.asarray(weights @ lines[:, 0] / weights.sum(axis=1))


def ratio(weights: Floats, lines: Floats) -> Floats:
    """Sum of the first column over that of the second; infinite where only the second is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ lines[:, 0]) / (weights @ lines[:, 1]))


def mean_with_error(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """Mean of the first column and its standard error."""
    n, values = weights.sum(axis=1), lines[:, 0]
    found = weights @ values / n
    spread = np.maximum(weights @ values**2 / n - found**2, 0)
    return found, np.sqrt(spread / np.maximum(n - 1, 1))


def gini_with_error(weights: Floats, lines: Floats) -> tuple[Floats, Floats]:
    """Gini coefficient of the first column, which must ascend, and its standard error. Source: Davidson 2009."""
    values, n = lines[:, 0], weights.sum(axis=1, keepdims=True)
    before = np.cumsum(weights, axis=1) - weights
    sums = np.cumsum(weights * values, axis=1)
    mean_value = sums[:, -1:] / n
    plain = gini(weights, lines)[:, np.newaxis] * (n - 1) / n
    partial = sums - weights * values + values * (weights + 1) / 2  # of equal ones, the middle one's
    pull = values * ((2 * before + weights) / n - plain - 1) - 2 / n * partial
    centre = (weights * pull).sum(axis=1, keepdims=True) / n
    variance = (weights * (pull - centre) ** 2).sum(axis=1, keepdims=True) / (n - 1) ** 2 / mean_value**2
    return gini(weights, lines), np.sqrt(variance[:, 0])


def gini(weights: Floats, lines: Floats) -> Floats:
    """Gini coefficient of the first column, which must ascend: 0 all alike, near 1 one has all.

    With the factor n / (n - 1), which removes most of the bias of few actors.
    """
    values = lines[:, 0]
    n = weights.sum(axis=1)
    before = np.cumsum(weights, axis=1) - weights
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights @ values
        rank = (weights * values * (2 * before + weights)).sum(axis=1)
        return np.asarray((rank / total - n) / (n - 1))


# Actors with several values each


def bootstrap_quantile(groups: Iterable[Sequence[tuple[float, bool]]], share: float) -> Interval:
    """95 % interval of the time by which that share has ended; each group holds one actor's (time, ended).

    Resamples of actors give the standard error of the share that has ended by then; the times at which the ends of
    that share's interval (on the scale of its logarithmic odds) are reached are the interval of the time. The upper
    end is infinite where so many never end. Source: Woodruff 1952; Kaplan and Meier 1958.
    """
    kinds = Counter(tuple(sorted(group)) for group in groups)
    if sum(kinds.values()) < 2:
        return None
    return _known_quantile(tuple(sorted(kinds.items())), share)


@lru_cache(maxsize=512)
def _known_quantile(kinds: tuple[tuple[tuple[tuple[float, bool], ...], int], ...], share: float) -> Interval:
    many = np.array([times for _, times in kinds], np.int64)
    single = [(time, not ended, place) for place, (group, _) in enumerate(kinds) for time, ended in group]
    single.sort()  # of equal times, ends before what is censored
    whose = np.array([place for _, _, place in single])
    times = np.array([time for time, _, _ in single])
    ended = np.array([not censored for _, censored, _ in single])
    whole = lasting(many[np.newaxis].astype(np.float64)[:, whose], ended)[0]
    value = _first(times, whole, share)
    if value == np.inf:
        return None
    until = int(np.searchsorted(times, value, side="right"))
    n = int(many.sum())
    draws = _draws(
        _seed(repr(kinds).encode()),
        many,
        lambda weights: lasting(weights[:, whose[:until]], ended[:until], weights[:, whose].sum(axis=1))[:, -1],
    )
    spread = float(draws.std()) * (n / (n - 1)) ** 0.5 / (share * (1 - share)) * float(stdtrit(n - 1, 0.975))
    odds = np.log(share / (1 - share))
    low, high = (float(1 / (1 + np.exp(-(odds + side * spread)))) for side in (-1, 1))
    return _first(times, whole, low), _first(times, whole, high)


def _first(times: Floats, left: Floats, share: float) -> float:
    """The first time by which that share has ended, infinite where it never has."""
    reached = left <= 1 - share + 1e-9
    return float(times[reached.argmax()]) if reached.any() else np.inf


def lasting(weights: Floats, ended: npt.NDArray[np.bool_], at_risk: Floats | None = None) -> Floats:
    """For each line of weights the share that lasts beyond each time; times ascend, of equal ones the ended first.

    `at_risk` are all that each line begins with, its own sum where nothing lies beyond the last time.
    """
    begin = weights.sum(axis=1) if at_risk is None else at_risk
    still = begin[:, np.newaxis] - np.cumsum(weights, axis=1) + weights
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(ended & (still > 0), weights / still, 0.0)
    return np.cumprod(1 - lost, axis=1)
