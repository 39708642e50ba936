"""Tests by shifting: is the change at the true dates larger than at all other dates the series offers?

One activity: every other week of the series is a placebo date. Several: their whole pattern is shifted round the
weeks, so that its spacing and the series' persistence stay as they are. All shifts enter, near ones too: leaving out
those that overlap the true windows would reject too often, as neighbours of a peak share it (docs/coverage.md).
Source: indicators.md 7.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

LEAST_DATES: Final = 20
_SAME: Final = 1e-12
Floats = npt.NDArray[np.float64]


def contrasts(log: Floats, weeks: int) -> Floats:
    """Per week: mean of the `weeks` after it less mean of those before it; NaN where one of them is missing.

    `log` has weeks as its last axis, and so has the result. The week itself is in neither mean.

    >>> contrasts(np.array([0.0, 0.0, 9.0, 2.0, 2.0]), 2).tolist()
    [nan, nan, 2.0, nan, nan]
    """
    found = np.full(log.shape, np.nan)
    length = log.shape[-1]
    if length > 2 * weeks:
        means = sliding_window_view(log, weeks, axis=-1).mean(axis=-1)
        found[..., weeks : length - weeks] = means[..., weeks + 1 :] - means[..., : length - 2 * weeks]
    return found


class Ranked(NamedTuple):
    """`change` is the mean contrast at the true dates; it is larger than at `below` of `dates` others.

    `p_value` is one-sided and exact: the share of all shifts, the true one included, that reach it.
    """

    change: float
    below: int
    dates: int
    p_value: float


def shifts(changes: Floats, places: Sequence[int]) -> Floats:
    """The mean contrast of the pattern `places` at every shift round the weeks that have one, the true one first.

    `changes` has one row per series or is one series; which weeks are missing has to be the same in all rows.
    Raises ValueError where a place has no contrast.
    """
    known = np.flatnonzero(~np.isnan(changes.reshape(-1, changes.shape[-1])[0]))
    at = np.searchsorted(known, places)
    if not len(known) or any(place not in set(known.tolist()) for place in places):
        raise ValueError("an activity lies where no contrast can be formed")
    turned = (at[:, None] + np.arange(len(known))) % len(known)
    found: Floats = changes[..., known[turned]].mean(axis=-2)
    return found


def rank(changes: Floats, places: Sequence[int], direction: str = "up") -> Ranked | None:
    """The test of one series; None where fewer than 20 other dates exist or a place has no contrast."""
    try:
        every = shifts(changes, places)
    except ValueError:
        return None
    signed = every if direction == "up" else -every
    dates = len(every) - 1
    if dates < LEAST_DATES:
        return None
    below = int(np.sum(signed < signed[0] - _SAME))
    return Ranked(float(every[0]), below, dates, (dates + 1 - below) / (dates + 1))
