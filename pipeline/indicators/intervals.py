"""95 % intervals in closed form: shares, shares of clustered trials, counts of people, survival."""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv, stdtrit

Z: Final = 1.959963984540054


@lru_cache(maxsize=65_536)
def wilson(hits: float, n: float) -> tuple[float, float]:
    """Interval of a share `hits / n`. Source: Wilson 1927, without continuity correction.

    >>> [round(bound, 4) for bound in wilson(0, 10)]
    [0.0, 0.2775]
    """
    share, square = hits / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@lru_cache(maxsize=65_536)
def poisson(count: int) -> tuple[float, float]:
    """Exact interval of the expectation of a count. Source: Garwood 1936.

    >>> [round(bound, 3) for bound in poisson(0)]
    [0.0, 3.689]
    """
    lower = 0.0 if count == 0 else float(gammaincinv(count, 0.025))
    return lower, float(gammaincinv(count + 1, 0.975))


def clustered_wilson(hits: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[float, float] | None:
    """Interval of the share `sum(hits) / sum(trials)` where each place holds the trials of one actor.

    Wilson's interval at the effective number of trials: trials / design effect, which is the linearised variance
    of the ratio over that of independent trials, at least 1, times (z / t)² for the few actors it rests on. With
    all hits or none the design effect cannot be seen: the number of actors stands for it. None for one actor.
    Source: Kish 1965; Korn and Graubard 1998 for the degrees of freedom.

    >>> [round(bound, 3) for bound in clustered_wilson([1, 0] * 10, [1] * 20)]
    [0.284, 0.716]
    """
    x, m = np.asarray(hits, float), np.asarray(trials, float)
    actors, total = len(m), float(m.sum())
    if actors < 2:
        return None
    share = float(x.sum()) / total
    if share in (0.0, 1.0):
        effective = float(actors)
    else:
        variance = actors / (actors - 1) * float(((x - share * m) ** 2).sum()) / total**2
        effect = max(1.0, variance / (share * (1 - share) / total))
        effective = total / effect
    effective *= float(Z / stdtrit(actors - 1, 0.975)) ** 2
    return wilson(share * effective, effective)


class Survival(NamedTuple):
    """Share that lasted beyond a time, with its band; None where the band cannot be said."""

    time: float
    share: float
    lower: float | None
    upper: float | None


def kaplan_meier(times: Sequence[float], ended: Sequence[bool]) -> list[Survival]:
    """The share still lasting after each time at which something ended; what is not `ended` is censored then.

    Source: Kaplan and Meier 1958; variance of Greenwood 1926; band of Rothman 1978: Wilson's interval at the number of
    independent trials that would have that variance.

    >>> [(one.time, round(one.share, 3)) for one in kaplan_meier([1, 2, 2, 3], [True, True, False, True])]
    [(1.0, 0.75), (2.0, 0.5), (3.0, 0.0)]
    """
    time, over = np.asarray(times, float), np.asarray(ended, bool)
    ends = np.unique(time[over])
    return _steps(
        [float(at) for at in ends],
        [int((time >= at).sum()) for at in ends],
        [int((over & (time == at)).sum()) for at in ends],
    )


def life_table(at_risk: Sequence[int], lost: Sequence[int]) -> list[Survival]:
    """The same where it is known how many were at risk in step 1, 2, ... and how many of them were lost in it.

    >>> [round(one.share, 3) for one in life_table([10, 8], [2, 0])]
    [0.8, 0.8]
    """
    return _steps([float(step) for step in range(1, len(at_risk) + 1)], at_risk, lost)


def _steps(times: Sequence[float], at_risk: Sequence[int], lost: Sequence[int]) -> list[Survival]:
    found, share, greenwood = [], 1.0, 0.0
    effective = float(at_risk[0]) if at_risk else 0.0  # where nobody or everybody is left, that of the step before
    for time, n, d in zip(times, at_risk, lost, strict=True):
        if n == 0:
            break
        d = min(max(d, 0), n)  # both may be estimates
        share *= 1 - d / n
        greenwood += d / (n * (n - d)) if d < n else 0.0
        if 0 < share < 1:
            effective = (1 - share) / (share * greenwood)
        found.append(Survival(time, share, *wilson(share * effective, effective)))
    return found


def survival_quantile(steps: Sequence[Survival], share: float) -> float | None:
    """The first time by which that share has ended; None where so many never did."""
    return next((one.time for one in steps if one.share <= 1 - share + 1e-12), None)
