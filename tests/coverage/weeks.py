"""Weekly series with a planted step or none: coverage of the intervals of effects, false positives of their tests.

Series are logarithms of weekly counts whose noise is AR(1); rho 0 is white, 0.3 and 0.6 are what weekly use shows.
"""

from typing import Final

import numpy as np

from pipeline.effects.estimate import Floats, bootstrap, design, interrupted, noise
from pipeline.effects.tests import contrasts, rank

RHOS: Final = (0.0, 0.3, 0.6)
LEVEL: Final = 0.05
STEP: Final = 0.3
SIGMA: Final = 0.15
WIDTH: Final = 2
AFTER: Final = 8


def ar1(length: int, rho: float, rng: np.random.Generator, rows: int | None = None) -> Floats:
    """Stationary AR(1) noise of standard deviation SIGMA, in the shape (length,) or (rows, length)."""
    shock = rng.normal(0, 1, (rows or 1, length)) * np.sqrt(1 - rho * rho)
    found = np.empty_like(shock)
    found[:, 0] = shock[:, 0] / np.sqrt(1 - rho * rho)
    for week in range(1, length):
        found[:, week] = rho * found[:, week - 1] + shock[:, week]
    return SIGMA * (found if rows else found[0])


def lifted(length: int, places: list[int], rho: float, rng: np.random.Generator) -> Floats:
    """A series with the step in the WIDTH weeks after each activity."""
    log = ar1(length, rho, rng)
    for place in places:
        log[place + 1 : place + 1 + WIDTH] += STEP
    return log


def block_bootstrap(rho: float, events: int, n: int, rng: np.random.Generator) -> bool | None:
    """n is the number of weeks; the last activity has 8 weeks after it, the others lie 6 weeks before each other."""
    places = [n - 1 - AFTER - 6 * k for k in range(events)][::-1]
    log = lifted(n, places, rho, rng)
    draws, free = noise(log, design(n, places, WIDTH, False), WIDTH, events, rng)
    found = bootstrap(float(np.mean(contrasts(log, WIDTH)[places])), draws, free)
    return None if found is None else found.lower <= STEP <= found.upper


def time_series(rho: float, n: int, rng: np.random.Generator) -> bool | None:
    """The level of the interrupted time series, with a trend beside it."""
    place = n - 1 - AFTER
    log = lifted(n, [place], rho, rng) + np.linspace(0, 0.3, n)
    matrix = design(n, [place], WIDTH, False)
    log[place] = np.nan
    found = interrupted(log, matrix)
    return None if found is None else found.lower <= STEP <= found.upper


def placebo_rejects(length: int, rho: float, rng: np.random.Generator) -> bool | None:
    """One activity at random among the weeks that have a contrast, and nothing planted."""
    found = rank(contrasts(ar1(length, rho, rng), WIDTH), [int(rng.integers(WIDTH, length - WIDTH))])
    return None if found is None else found.p_value <= LEVEL


def campaign_rejects(length: int, rho: float, events: int, rng: np.random.Generator) -> bool | None:
    """Several activities, 5 to 9 weeks apart, and nothing planted."""
    gaps = rng.integers(5, 10, events - 1)
    first = int(rng.integers(WIDTH, max(WIDTH + 1, length - WIDTH - int(gaps.sum()))))
    places = [first, *(first + np.cumsum(gaps)).tolist()]
    if places[-1] >= length - WIDTH:
        return None
    found = rank(contrasts(ar1(length, rho, rng), WIDTH), places)
    return None if found is None else found.p_value <= LEVEL
