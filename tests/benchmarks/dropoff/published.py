"""The 16 daily syndromic signals of Noufaily, Morbey et al. (2019), regenerated from their formula, settings untouched.

log μ = α + β(t+s) + annual and weekly harmonics; negative-binomial with variance φμ. Signals of five days a week have
no weekends here: those days are masked. Bank holidays and the day after are masked.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.alerts.detector import watch
from tests.benchmarks.dropoff.figures import LONE
from tests.benchmarks.dropoff.generator import Bools, Floats, counted, generator
from tests.benchmarks.dropoff.samples import Sample, Samples
from tests.benchmarks.dropoff.scoring import QUIET, begun, delays, firing, within

YEARS: Final = 7
BANK: Final = (1, 95, 98, 125, 146, 237, 359, 360)  # of the year, roughly England's


@dataclass(frozen=True)
class Signal:
    """`d` days a week, `k` annual and `k2` weekly harmonics, and the formula's coefficients."""

    d: int
    k: int
    k2: int
    alpha: float
    g: tuple[float, float]
    weekly: tuple[float, float]
    phi: float
    s: int
    beta: float = 0.0
    over: float = 1.0
    outbreaks: bool = False


SIGNALS: Final[dict[int, Signal]] = {
    1: Signal(7, 1, 2, 6, (0.2, 0.2), (0.5, 0.4), 2, 29),
    2: Signal(7, 1, 2, 0.5, (1.5, 1.4), (0.5, 0.4), 1, -167),
    3: Signal(7, 0, 2, 5.5, (0, 0), (0.3, 0.25), 1, 1),
    4: Signal(7, 0, 2, 2, (0, 0), (0.3, 0.25), 1, 1),
    5: Signal(5, 1, 1, 6, (0.3, 2), (0.3, 0.5), 1.5, -50, over=10, outbreaks=True),
    6: Signal(5, 1, 1, 1, (0.1, 2), (0.05, 0.05), 1, -50, outbreaks=True),
    7: Signal(5, 0, 1, 6, (0, 0), (0.6, 0.9), 1.5, 0, beta=1e-4, over=10),
    8: Signal(5, 1, 1, 3, (1.5, 0.1), (0.2, 0.3), 1, -150),
    9: Signal(5, 1, 1, 3, (0.2, 0.1), (0.05, 0.15), 1, -200),
    10: Signal(5, 1, 1, 5, (0.2, 0.1), (0.05, 0.1), 1, 0),
    11: Signal(5, 2, 1, 0.5, (0.4, 0), (0.05, 0.15), 1, 0),
    12: Signal(5, 1, 1, 9, (0.5, 0.2), (0.2, 0.5), 1, 0, over=100),
    13: Signal(7, 1, 2, 2, (0.8, 0.8), (0.8, 0.4), 4, 57, beta=5e-4),
    14: Signal(7, 4, 1, 0.05, (0.01, 0.01), (1.8, 0.1), 1, -85),
    15: Signal(7, 1, 2, 3, (0.8, 0.6), (0.8, 0.4), 4, 29, outbreaks=True),
    16: Signal(7, 0, 2, 6, (0, 0), (0.8, 0.4), 4, 1),
}


def drawn(rng: np.random.Generator, signal: Signal, series: int) -> tuple[Floats, Bools]:
    """Counts over seven years of 52 weeks on a seven-day calendar, and the days that a calendar masks."""
    working = YEARS * 52 * signal.d
    t = np.arange(working) + signal.s
    log_mean = signal.alpha + signal.beta * t
    for j in range(1, signal.k + 1):
        angle = 2 * np.pi * j * t / (52 * signal.d)
        log_mean = log_mean + signal.g[0] * np.cos(angle) + signal.g[1] * np.sin(angle)
    for l2 in range(1, signal.k2 + 1):
        angle = 2 * np.pi * l2 * t / signal.d
        log_mean = log_mean + signal.weekly[0] * np.cos(angle) + signal.weekly[1] * np.sin(angle)
    mean = np.tile(np.exp(log_mean), (series, 1))
    day_of_year = np.arange(working) % (52 * signal.d) * 7 // signal.d
    bank = np.isin(day_of_year, BANK) | np.isin(day_of_year - 7 // signal.d, BANK)
    mean[:, bank] *= 1.5 if signal.d == 5 else 2.0
    if signal.outbreaks:  # a yearly rise of eight weeks about the seasonal peak, of random size
        peak = np.cumsum(signal.d * np.resize([52], YEARS)) - signal.d * rng.integers(4, 12, (series, YEARS))
        for row, days in enumerate(peak):
            for day in days:
                bump = np.exp(-0.5 * ((np.arange(working) - day) / (2 * signal.d)) ** 2)
                mean[row] *= 1 + rng.uniform(0.3, 1.0) * bump
    counts = np.round(counted(rng, mean, signal.phi) / signal.over)
    if signal.d == 7:
        return counts, np.tile(bank, (series, 1))
    slots = np.arange(YEARS * 52 * 7)
    works = slots % 7 < 5
    whole, masked = np.zeros((series, len(slots))), np.tile(~works, (series, 1))
    whole[:, works] = counts
    masked[:, works] |= bank
    return whole, masked


def measure(seed: int, series: int, number: int) -> Samples:
    """False alarms per year and falls by half found in 14 days: from 126 days of history on, and from three years on.

    The first is days 365−126 … 365+546, as the prototype was measured; the second adds the annual harmonic.
    """
    rng = generator(seed, 2000 + number)
    counts, masked = drawn(rng, SIGNALS[number], series)
    found: Samples = {}
    for name, start, begin, days in (("short", 239, 126, 546), ("long", 0, 3 * 364, 546)):
        rows, left = counts[:, start : start + begin + days], ~masked[:, start : start + begin + days]
        over = _over(rows, left)
        found[f"published FA {name}|{number}"] = Sample("rate", begun(over)[:, begin:].sum(axis=1) / (days / 365))
        onset = rng.integers(begin + QUIET, begin + days - 28, series)
        keep = np.where(np.arange(rows.shape[1]) >= onset[:, None], 0.5, 1.0)
        lower = rng.binomial(rows.astype(int), keep).astype(float)
        found[f"published P14 {name}|{number}"] = Sample("share", within(delays(_over(lower, left), onset), 14))
    return found


def _over(rows: Floats, judged: Bools) -> Bools:
    return firing(watch(rows, judged, np.ones_like(rows), np.arange(rows.shape[1]) % 7, [LONE] * len(rows)))
