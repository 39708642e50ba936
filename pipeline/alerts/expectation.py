"""What is to be expected of a series of daily counts: a small quasi-Poisson regression, refitted each day.

log μ = level + weekday (+ one annual harmonic, once enough history exists). Recent days weigh more, the newest 14
are left out so that a slow fall does not become its own expectation, and there is no trend: growth is never
extrapolated. All functions take arrays of many series at once; none reads a clock.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

WEEK: Final = 7
YEAR_DAYS: Final = 365.25
ITERATIONS: Final = 12
LARGEST_STEP: Final = 2.0
LOWEST, HIGHEST = -8.0, 12.0  # of the linear predictor
SMALLEST_MEAN: Final = 0.05  # events per day, where iteration starts at least
FIRM: Final = 1e-10  # a step below this is no step


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Which days an expectation learns from, and how much.

    The fit for day s reads days s−guard−window … s−guard−1; a day's weight halves every `half_life` days.
    From `season_after` days of history on, an annual harmonic is fitted to up to `season_days` days, anew every
    `season_every` days. Fewer than `least_days` usable days in the window give no new fit.

    A fit lags behind a year that rises and falls. So its level is moved to that of days s−level_guard−level_days …
    s−level_guard−1, as far as their number of events bears it: `level_spread` is how far, of itself, a level is
    believed to have strayed from its fit before those days are seen (a gamma prior of that standard deviation).
    """

    window: int = 182
    guard: int = 14
    half_life: float = 28.0
    least_days: int = 10
    season_after: int = 400
    season_days: int = 1461
    season_every: int = 28
    ridge: float = 1e-3
    ridge_level: float = 1e-8
    level_days: int = 28
    level_guard: int = 7
    level_spread: float = 0.12


@dataclass(frozen=True)
class WeekFit:
    """Fits of many series. `log_mean` and `se`: (series, 7), of ln μ per weekday; `phi`, `days`: (series,)."""

    log_mean: FloatArray
    se: FloatArray
    phi: FloatArray
    days: IntArray


@dataclass(frozen=True)
class Fit:
    """A fit on any design. `coefficients`: (series, p); `covariance`: (series, p, p), φ included; `phi`: (series,)."""

    coefficients: FloatArray
    covariance: FloatArray
    phi: FloatArray


def decay(baseline: Baseline) -> FloatArray:
    """Weights of the window's days, oldest first; the newest weighs 1."""
    age = np.arange(baseline.window - 1, -1, -1)
    return np.asarray(0.5 ** (age / baseline.half_life), dtype=np.float64)


def fit_week(
    counts: FloatArray, weights: FloatArray, season: FloatArray, weekday: IntArray, baseline: Baseline
) -> WeekFit:
    """The weekly-seasonal fit of `counts` (series, days).

    `weights` (series, days): 0 leaves a day out. `season` (series, days): a known factor of the mean, 1 where none.
    `weekday` (days,): 0 to 6. As each weekday has a mean of its own, sums per weekday hold all that the iteration
    needs; the result equals `fit` on the full design (McCullagh and Nelder, Generalized Linear Models, 1989).
    """
    of_day = np.eye(WEEK)[weekday]
    weighted = weights * counts
    seen = weighted @ of_day
    exposed = (weights * season) @ of_day
    squared = (weighted * counts / season) @ of_day
    total = weights.sum(axis=1)
    days = (weights > 0).sum(axis=1)
    levels = _iterate(seen, exposed, baseline)
    mean = np.exp(np.clip(levels, LOWEST, HIGHEST))
    spread = (squared / mean - 2 * seen + mean * exposed).sum(axis=1)
    phi = _phi(spread, total, days, WEEK)
    information = mean * exposed
    loose = information[:, 1:] + baseline.ridge
    schur = _schur(information, loose, baseline)
    variance = np.empty_like(mean)
    variance[:, 0] = 1 / schur
    variance[:, 1:] = 1 / loose + (baseline.ridge / loose) ** 2 / schur[:, None]
    return WeekFit(np.log(mean), np.sqrt(phi[:, None] * variance), phi, days)


def _iterate(seen: FloatArray, exposed: FloatArray, baseline: Baseline) -> FloatArray:
    """ln μ per weekday by Newton's steps on (level, six differences), whose matrix is an arrow and needs no solver."""
    level = np.log(np.maximum(seen.sum(axis=1) / np.maximum(exposed.sum(axis=1), 1e-12), SMALLEST_MEAN))
    more = np.zeros((len(seen), WEEK - 1))
    moving = np.ones(len(seen), dtype=bool)
    for _ in range(ITERATIONS):
        predictor = np.concatenate([level[:, None], level[:, None] + more], axis=1)
        information = np.exp(np.clip(predictor, LOWEST, HIGHEST)) * exposed
        residual = seen - information
        slope = residual[:, 1:] - baseline.ridge * more
        loose = information[:, 1:] + baseline.ridge
        pull = residual.sum(axis=1) - baseline.ridge_level * level
        step = (pull - (information[:, 1:] * slope / loose).sum(axis=1)) / _schur(information, loose, baseline)
        steps = (slope - information[:, 1:] * step[:, None]) / loose
        step = np.where(moving, np.clip(step, -LARGEST_STEP, LARGEST_STEP), 0.0)
        steps = np.where(moving[:, None], np.clip(steps, -LARGEST_STEP, LARGEST_STEP), 0.0)
        level, more = level + step, more + steps
        moving = moving & (np.maximum(np.abs(step), np.abs(steps).max(axis=1)) > FIRM)
        if not moving.any():
            break
    return np.concatenate([level[:, None], level[:, None] + more], axis=1)


def _schur(information: FloatArray, loose: FloatArray, baseline: Baseline) -> FloatArray:
    left: FloatArray = information[:, 0] + baseline.ridge_level
    left = left + (information[:, 1:] * baseline.ridge / loose).sum(axis=1)
    return left


def _phi(spread: FloatArray, total: FloatArray, days: Any, terms: int) -> FloatArray:
    """Pearson's dispersion, at least 1: the weights are importances, so their sum stands for the days."""
    free = np.maximum(days - terms, 5) / np.maximum(days, 1)
    return np.asarray(np.maximum(1.0, spread / np.maximum(free * total, 3.0)))


def fit(
    counts: FloatArray, weights: FloatArray, design: FloatArray, ridge: FloatArray, iterations: int = ITERATIONS
) -> Fit:
    """The quasi-Poisson fit of `counts` (series, days) on `design` (days, p), by iterated weighted least squares.

    Column 0 of `design` is the constant; `ridge` (p,) is added to the information's diagonal.
    """
    series, terms = len(counts), design.shape[1]
    total = weights.sum(axis=1)
    mean = (weights * counts).sum(axis=1) / np.maximum(total, 1e-12)
    found = np.zeros((series, terms))
    found[:, 0] = np.log(np.maximum(mean, SMALLEST_MEAN))
    pairs = (design[:, :, None] * design[:, None, :]).reshape(len(design), terms * terms)
    for _ in range(iterations):
        expected = np.exp(np.clip(found @ design.T, LOWEST, HIGHEST))
        information = ((weights * expected) @ pairs).reshape(series, terms, terms) + np.diag(ridge)
        pull = (weights * (counts - expected)) @ design - ridge * found
        step = np.clip(np.linalg.solve(information, pull[:, :, None])[:, :, 0], -LARGEST_STEP, LARGEST_STEP)
        found = found + step
        if np.abs(step).max(initial=0.0) < FIRM:
            break
    expected = np.exp(np.clip(found @ design.T, LOWEST, HIGHEST))
    information = ((weights * expected) @ pairs).reshape(series, terms, terms) + np.diag(ridge)
    phi = _phi((weights * (counts - expected) ** 2 / expected).sum(axis=1), total, (weights > 0).sum(axis=1), terms)
    return Fit(found, phi[:, None, None] * np.linalg.inv(information), phi)


def harmonic(days: IntArray) -> FloatArray:
    """(days, 2): cosine and sine of the year."""
    angle = 2 * np.pi * days / YEAR_DAYS
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def fit_season(counts: FloatArray, weights: FloatArray, days: IntArray, weekday: IntArray) -> Fit:
    """The annual harmonic of `counts` (series, days): `coefficients` (series, 2) of `harmonic`, with covariance.

    Weekdays and a straight line stand beside it in the fit, so that growth is not taken for a season; both are
    then dropped.
    """
    line = (days - days.mean()) / YEAR_DAYS
    design = np.concatenate([np.ones((len(days), 1)), harmonic(days), line[:, None], np.eye(WEEK)[weekday][:, 1:]], 1)
    whole = fit(counts, weights, design, np.array([1e-8, 1e-3, 1e-3, 1e-3] + [1e-3] * (WEEK - 1)))
    return Fit(whole.coefficients[:, 1:3], whole.covariance[:, 1:3, 1:3], whole.phi)
