"""The truths from which samples are drawn: finite populations of realistic shape, so that the true figure is exact.

A population is a table of lines (one kind of actor each) with a probability per line; its figure is that of infinitely
many actors drawn from it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import lognorm, nbinom, norm

from pipeline.indicators.resampling import Statistic

Floats = npt.NDArray[np.float64]
MANY = 1e12


@dataclass(frozen=True)
class Population:
    """`lines` in ascending order of the first column, `chance` how often each is drawn."""

    lines: Floats
    chance: Floats

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        return self.lines[np.sort(rng.choice(len(self.lines), size=n, p=self.chance))]

    def figure(self, statistic: Statistic, many: float = MANY) -> float:
        return float(statistic(np.round(self.chance[np.newaxis] * many), self.lines)[0])

    def quantile(self, share: float) -> float:
        return float(self.lines[np.searchsorted(np.cumsum(self.chance), share - 1e-12), 0])


def of(values: npt.ArrayLike, chance: npt.ArrayLike) -> Population:
    lines, weights = np.asarray(values, np.float64), np.asarray(chance, np.float64)
    return Population(lines.reshape(len(lines), -1), weights / weights.sum())


def days_active(often: float) -> Population:
    """Days of 28 on which somebody who came at all was active, as a share: a gamma of rates, cut at 28."""
    days = np.arange(1, 29)
    return of(days / 28, nbinom.pmf(days, 1.2, 1.2 / (1.2 + often)))


def actions(mean: float, shape: float) -> Population:
    """Core actions of a person who did any: a negative binomial without zero, up to 200."""
    values = np.arange(1, 201)
    return of(values, nbinom.pmf(values, shape, shape / (shape + mean)))


def contributions(spread: float) -> Population:
    """Contributions per contributor: most give one, few give very much (a lognormal in whole numbers, up to 300)."""
    values = np.arange(1, 301)
    edges = np.arange(0.5, 301)
    return of(values, np.diff(lognorm.cdf(edges, spread, scale=1.5)))


def sus(mean: float, spread: float) -> Population:
    """Usability scores in steps of 2.5 from 0 to 100; what lies beyond an end is at it."""
    values = np.arange(0, 101, 2.5)
    edges = np.concatenate([[-np.inf], values[:-1] + 1.25, [np.inf]])
    return of(values, np.diff(norm.cdf(edges, mean, spread)))


def growth(gained: float, lost: float) -> Population:
    """Who came new or back, who stayed away, who stayed: (1, 0), (0, 1), (0, 0)."""
    return of([[0, 0], [0, 1], [1, 0]], [1 - gained - lost, lost, gained])


def groups(*shares: float) -> Population:
    """Stakeholder groups 0, 1, ... with their shares."""
    return of(np.arange(len(shares)), shares)
