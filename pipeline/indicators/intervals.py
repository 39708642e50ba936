"""95 % intervals for shares and for counts of people."""

from functools import lru_cache
from math import sqrt
from typing import Final

from scipy.special import gammaincinv

Z: Final = 1.959963984540054


@lru_cache(maxsize=65_536)
def wilson(hits: float, n: int) -> tuple[float, float]:
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
