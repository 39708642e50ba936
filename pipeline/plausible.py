"""Signs that a device's readings of a day are not what it measures: stuck values and single outliers.

Source: Hampel 1974 for outliers (distance from the median of neighbours in scaled median absolute deviations); the
limits are this project's own. indicators.md Q6.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import numpy as np

RUN: Final = 6  # equal readings in a row from which on they count as flat
SIDE: Final = 3  # neighbours on each side
LIMIT: Final = 6.0  # scaled median absolute deviations
_SCALE: Final = 1.4826  # of a normal distribution: sd over median absolute deviation


def flat(values: Sequence[float]) -> int:
    """How many readings, in order of time, lie in runs of at least 6 equal ones.

    >>> flat([1, 2, 2, 2, 2, 2, 2, 3])
    6
    """
    runs = (sum(1 for _ in run) for _, run in groupby(values))
    return sum(length for length in runs if length >= RUN)


def spikes(values: Sequence[float]) -> int:
    """How many readings lie more than 6 scaled deviations from the median of themselves and 3 on each side.

    The first and last three are not judged, nor are those whose neighbours do not differ.

    >>> spikes([1.0, 1.2, 0.9, 9.0, 1.1, 0.8, 1.0])
    1
    """
    if len(values) <= 2 * SIDE:
        return 0
    near = np.lib.stride_tricks.sliding_window_view(np.asarray(values, float), 2 * SIDE + 1)
    middle = np.median(near, axis=1)
    spread = _SCALE * np.median(np.abs(near - middle[:, np.newaxis]), axis=1)
    away = np.abs(near[:, SIDE] - middle)
    return int(((spread > 0) & (away > LIMIT * spread)).sum())
