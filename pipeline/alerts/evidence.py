"""How strongly counts speak for a fall: a lower-sided negative-binomial likelihood-ratio CUSUM, and bands.

Each judged day adds the log-likelihood ratio of "k times what is expected" against "as expected"; the sum never
falls below 0 (Page 1954; Höhle and Paul 2008, for rises). The unit is the nat.
"""

from typing import Final

import numpy as np
from scipy import stats

from pipeline.alerts.expectation import FloatArray

NEARLY_POISSON: Final = 1.0001


def dispersion(expected: FloatArray, se: FloatArray, phi: FloatArray) -> FloatArray:
    """Variance over mean, the expectation's own error included."""
    return np.asarray(np.maximum(phi + expected * se**2, NEARLY_POISSON))


def of_partial_day(expected: FloatArray, phi: FloatArray, completeness: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and dispersion of what arrives when each event does so with probability `completeness`.

    >>> of_partial_day(np.array(10.0), np.array(3.0), np.array(0.5))
    (np.float64(5.0), np.float64(2.0))
    """
    return completeness * expected, 1 + (phi - 1) * completeness


def gain(
    counts: FloatArray, expected: FloatArray, se: FloatArray, phi: FloatArray, k: FloatArray | float
) -> FloatArray:
    """ln of the likelihood of k·expected over that of expected, in nats; any shape.

    >>> round(float(gain(np.array(0.0), np.array(10.0), np.array(0.0), np.array(1.0), 0.5)), 2)  # Poisson: (1 − k)·μ
    5.0
    """
    size = expected / (dispersion(expected, se, phi) - 1)
    ratio = np.log1p((1 - k) * expected / (size + k * expected))  # ln (r + μ) − ln (r + kμ)
    return np.asarray(counts * (np.log(k) + ratio) + size * ratio)


def step(before: FloatArray, gained: FloatArray, ceiling: FloatArray | float = np.inf) -> FloatArray:
    """The evidence after a judged day."""
    return np.asarray(np.minimum(np.maximum(before + gained, 0.0), ceiling))


def band(expected: FloatArray, se: FloatArray, phi: FloatArray, level: float = 0.90) -> tuple[FloatArray, FloatArray]:
    """The interval that holds a day's count with probability `level`; any shape, NaN where `expected` is."""
    return _interval(np.asarray(expected), np.asarray(phi * expected + (expected * se) ** 2), level)


def band_of_window(expected: FloatArray, se: FloatArray, phi: FloatArray, level: float = 0.90) -> tuple[float, float]:
    """The same of the sum of some judged days, (days,) each: days vary apart, errors of the expectation together."""
    variance = np.sum(phi * expected) + np.sum(expected * se) ** 2
    low, high = _interval(np.asarray(np.sum(expected)), np.asarray(variance), level)
    return float(low), float(high)


def _interval(mean: FloatArray, variance: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    spread = np.maximum(variance, mean * NEARLY_POISSON)
    size, chance = mean**2 / (spread - mean), mean / spread
    tail = (1 - level) / 2
    return np.asarray(stats.nbinom.ppf(tail, size, chance)), np.asarray(stats.nbinom.ppf(1 - tail, size, chance))
