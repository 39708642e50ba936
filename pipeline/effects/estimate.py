"""How large a change is: block-bootstrap interval, interrupted time series, smallest effect that would be seen.

Changes are of logarithms: 0.1 is about +10 %. Sources: indicators.md 7; Kunsch 1989 (blocks of consecutive weeks);
Prais and Winsten 1954 (regression with first-order autoregressive errors); rho by restricted maximum likelihood.
"""

from collections.abc import Sequence
from math import cos, pi, sin
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.stats import t as student

from pipeline.effects.tests import contrasts

DRAWS: Final = 4000
POWER: Final = 0.8
LEAST_BLOCKS: Final = 3
YEAR_WEEKS: Final = 365.25 / 7
RHO_BOUNDS: Final = (-0.9, 0.98)
Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """A value between its 95 % bounds."""

    value: float
    lower: float
    upper: float


def design(length: int, places: Sequence[int], weeks: int, seasonal: bool) -> Floats:
    """Columns: level, trend, [a yearly wave of two columns], and last the weeks after the activities."""
    at = np.arange(length)
    columns = [np.ones(length), (at - at.mean()) / max(length, 1)]
    if seasonal and length >= YEAR_WEEKS:
        columns += [np.array([wave(2 * pi * week / YEAR_WEEKS) for week in at]) for wave in (sin, cos)]
    after = np.zeros(length)
    for place in places:
        after[place + 1 : place + 1 + weeks] = 1
    return np.column_stack([*columns, after])


def residuals(log: Floats, matrix: Floats) -> Floats:
    """What the columns leave unexplained, NaN where the series has no value; scaled for the columns fitted."""
    known = ~np.isnan(log)
    found = np.full(len(log), np.nan)
    x, y = matrix[known], log[known]
    free = len(y) - x.shape[1]
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    found[known] = (y - fitted) * np.sqrt(len(y) / free) if free > 0 else np.nan
    return found


def noise(
    log: Floats, matrix: Floats, weeks: int, events: int, rng: np.random.Generator, until: int | None = None
) -> tuple[Floats, float]:
    """Draws of a mean contrast of `events` activities that do nothing, and the degrees of freedom behind them.

    A block is one window, 2 * weeks + 1 consecutive weeks, so that persistence within it is kept; with `until` only
    windows before that week are drawn from. The draws are empty where fewer than three windows' worth exist.
    """
    found = contrasts(residuals(log, matrix), weeks)
    found = found if until is None else found[: max(until - weeks, 0)]
    blocks = found[~np.isnan(found)]
    if len(blocks) < LEAST_BLOCKS * (2 * weeks + 1):
        return np.array([]), 0.0
    free = len(blocks) / _overlap(weeks)
    return rng.choice(blocks, size=(DRAWS, events)).mean(axis=1), free


def _overlap(weeks: int) -> float:
    """How many neighbouring windows tell of the spread no more than one does: the sum of their squared correlations.

    Source: Bartlett 1946, for the contrast's own weights and weeks that are independent of each other.
    """
    weights = np.concatenate([np.full(weeks, -1.0), [0.0], np.ones(weeks)])
    shared = np.correlate(weights, weights, "full")
    return float(np.sum((shared / shared.max()) ** 2))


def bootstrap(change: float, draws: Floats, free: float) -> Interval | None:
    """The change with its block-bootstrap interval; None without draws.

    The spread of the draws is widened by Student's t, since few separate windows lie behind them.
    """
    if not len(draws):
        return None
    half = float(student.ppf(0.975, free) * np.sqrt(np.mean(draws**2)))
    return Interval(change, change - half, change + half)


def least_seen(draws: Floats, level: float) -> float | None:
    """The smallest change that a one-sided test at this level would see four times in five; None without draws."""
    if not len(draws):
        return None
    return float(np.quantile(draws, 1 - level) - np.quantile(draws, 1 - POWER))


def interrupted(log: Floats, matrix: Floats) -> Interval | None:
    """The last column's coefficient under AR(1) errors, with its interval; None where it cannot be estimated.

    After a missing week the error begins anew, as at the first one.
    """
    known = np.flatnonzero(~np.isnan(log))
    x, y = matrix[known], log[known]
    free = len(y) - x.shape[1]
    if free < 2 or np.linalg.matrix_rank(x) < x.shape[1]:
        return None
    follows = np.diff(known) == 1
    rho = float(minimize_scalar(lambda at: restricted(x, y, follows, at), bounds=RHO_BOUNDS, method="bounded").x)
    beta, spread = whitened(x, y, follows, rho)
    half = float(student.ppf(0.975, free)) * spread
    return Interval(float(beta[-1]), float(beta[-1]) - half, float(beta[-1]) + half)


def whitened(x: Floats, y: Floats, follows: npt.NDArray[np.bool_], rho: float) -> tuple[Floats, float]:
    """Coefficients, and the standard error of the last one, of a regression whose errors have a known rho.

    `follows[i]` says whether row i + 1 is the week after row i.
    """
    xs, ys = _whiten(x, y, follows, rho)
    beta: Floats = np.linalg.lstsq(xs, ys, rcond=None)[0].astype(np.float64)
    variance = float(np.sum((ys - xs @ beta) ** 2)) / (len(ys) - xs.shape[1])
    return beta, float(np.sqrt(variance * np.linalg.inv(xs.T @ xs)[-1, -1]))


def _whiten(x: Floats, y: Floats, follows: npt.NDArray[np.bool_], rho: float) -> tuple[Floats, Floats]:
    first = np.concatenate([[True], ~follows])
    scale = np.sqrt(1 - rho * rho)
    xs, ys = x * scale, y * scale
    xs[~first], ys[~first] = x[1:][follows] - rho * x[:-1][follows], y[1:][follows] - rho * y[:-1][follows]
    return xs, ys


def restricted(x: Floats, y: Floats, follows: npt.NDArray[np.bool_], rho: float) -> float:
    """Twice the negative restricted log-likelihood of rho, up to a constant.

    The correlation of residuals understates rho in series of a year or less, and intervals then come out too narrow.
    Source: Turner et al. 2021; Cheang and Reinsel 2000.
    """
    xs, ys = _whiten(x, y, follows, rho)
    left = ys - xs @ np.linalg.lstsq(xs, ys, rcond=None)[0]
    blocks = 1 + int(np.sum(~follows))
    free = len(ys) - xs.shape[1]
    found = np.linalg.slogdet(xs.T @ xs)[1] - blocks * np.log(1 - rho * rho) + free * np.log(np.sum(left**2))
    return float(found)
