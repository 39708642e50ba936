"""What a series of counts lets one see: how long a fall by half takes to be noticed."""

from typing import Final

import numpy as np

from pipeline.alerts.evidence import gain

LEAST: Final = 2.0  # mean over dispersion below which two weeks hold too little to judge
WAIT: Final = 1.0  # days that a run of ordinary days costs before evidence builds


def days_to_see(mean: float, phi: float, *, h: float = 4.9, k: float = 0.5, left: float = 0.5) -> float | None:
    """About how many judged days pass until a fall to `left` of the mean fires; None where too few events come.

    `mean` in events per day, `phi` its variance over mean, `h` the threshold in nats. The threshold over what a day
    gains on average: a rough formula that has not been set beside simulated medians. Never below 2.

    >>> [round(days_to_see(ratio * 2.0, 2.0)) for ratio in (3.1, 6.7, 12, 20)]
    [10, 5, 3, 2]
    >>> days_to_see(3.0, 2.0) is None
    True
    """
    if mean / phi < LEAST:
        return None
    gained = float(gain(np.array(left * mean), np.array(mean), np.array(0.0), np.array(phi), k))
    if gained <= 0:
        return None
    return max(2.0, h / gained + WAIT)
