"""Simulated daily counts with weeks, years, holidays, workshops, outages and falls; seeded, so the same everywhere.

491 days: 126 to learn, 365 monitored. Counts are negative-binomial with variance φ·mean, independent given the mean.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

DAYS: Final = 491
WARM: Final = 126
FAMILY: Final = 20240607
T: Final = np.arange(DAYS)
WEEKDAY: Final = T % 7
DOY: Final = (T + 60) % 365
DOW: Final = np.array([1.15, 1.20, 1.15, 1.10, 1.00, 0.75, 0.65])
HOLIDAYS: Final = (0, 5, 90, 93, 120, 121, 145, 227, 304, 341, 358, 359)
CLOSURE: Final = (DOY >= 213) & (DOY < 236)
BURST: Final = (1.0, 0.35, 0.2, 0.1)
ONSETS: Final = (166, 445)

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def generator(seed: int, cell: int) -> np.random.Generator:
    """The stream of chance of one cell of one seed."""
    return np.random.default_rng([FAMILY, seed, cell])


@dataclass(frozen=True)
class Series:
    """`counts`, `mean`, `masked` (what a perfect calendar knows): (series, days)."""

    counts: Floats
    mean: Floats
    masked: Bools

    @property
    def judged(self) -> Bools:
        """Days that a perfect calendar leaves."""
        return ~self.masked


def counted(rng: np.random.Generator, mean: Floats, phi: float) -> Floats:
    """Counts with this mean and variance φ·mean."""
    if phi <= 1:
        return rng.poisson(mean).astype(float)
    return rng.poisson(rng.gamma(mean / (phi - 1), phi - 1)).astype(float)


def holidays() -> tuple[Floats, list[Bools]]:
    """The factor of public holidays and of the turn of the year, and one mask per entry of a calendar."""
    factor = np.ones(DAYS)
    turn = (DOY >= 355) | (DOY <= 5)
    factor[turn] = 0.6
    factor[np.isin(DOY, HOLIDAYS)] = 0.35
    entries = [(day == T) for day in T[np.isin(DOY, HOLIDAYS) & ~turn]]
    edges = np.flatnonzero(np.diff(turn.astype(int), prepend=0, append=0))
    entries += [(start <= T) & (end > T) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return factor, entries


def workshops(rng: np.random.Generator) -> tuple[Floats, list[Bools]]:
    """The factor of a series' workshops, and one mask of four days for each."""
    factor, entries = np.ones(DAYS), []
    day = int(rng.integers(5, 35))
    while day < DAYS:
        strength = rng.lognormal(np.log(3), 0.35)
        days = np.arange(day, min(day + len(BURST), DAYS))
        factor[days] *= 1 + (strength - 1) * np.array(BURST[: len(days)])
        entries.append((day <= T) & (day + len(BURST) > T))
        day += int(rng.integers(28, 49))
    return factor, entries


@dataclass(frozen=True)
class Surroundings:
    """What all streams of a pilot share: `factor` (series, days) and the calendar's entries of each."""

    factor: Floats
    entries: list[list[Bools]]

    def masked(self, rng: np.random.Generator | None = None, missed: float = 0.0) -> Bools:
        """What the calendar masks, when each entry is missing with chance `missed`."""
        rows = np.zeros((len(self.entries), DAYS), dtype=bool)
        for row, entries in enumerate(self.entries):
            for entry in entries:
                if rng is None or rng.random() >= missed:
                    rows[row] |= entry
        return rows


def surroundings(
    rng: np.random.Generator, series: int, *, amplitude: float = 0.2, with_workshops: bool = True, closed: bool = False
) -> Surroundings:
    """Weeks, a year of random phase, holidays, workshops and, where asked, the closure of August."""
    year = np.exp(amplitude * np.cos(2 * np.pi * T / 365.25 + rng.uniform(0, 2 * np.pi, (series, 1))))
    rest, shared = holidays()
    factor = year * DOW[WEEKDAY] * rest
    entries = [list(shared) for _ in range(series)]
    for row in range(series):
        if with_workshops:
            burst, days = workshops(rng)
            factor[row] *= burst
            entries[row] += days
        if closed:
            edges = np.flatnonzero(np.diff(CLOSURE.astype(int), prepend=0, append=0))
            entries[row] += [(start <= T) & (end > T) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    if closed:
        factor = factor * np.where(CLOSURE, 0.5, 1.0)
    return Surroundings(factor, entries)


def cell(rng: np.random.Generator, level: float, phi: float, series: int) -> Series:
    """Ordinary series of one level and dispersion."""
    around = surroundings(rng, series)
    mean = level * around.factor
    return Series(counted(rng, mean, phi), mean, around.masked())


def onsets(rng: np.random.Generator, series: int) -> Ints:
    """The first day of a fall, one per series."""
    return rng.integers(ONSETS[0], ONSETS[1] + 1, series)


def fallen(
    rng: np.random.Generator, series: Series, onset: Ints, drop: float, *, days: int = DAYS, ramp: int = 0
) -> Series:
    """The same series with a share `drop` of events lost from each onset on, for `days`; linearly over `ramp` days."""
    age = T[None, :] - onset[:, None]
    share = np.minimum((age + 1) / ramp, 1.0) if ramp else np.ones(age.shape)
    keep = np.where((age >= 0) & (age < days), 1 - drop * share, 1.0)
    return replace(series, counts=rng.binomial(series.counts.astype(int), keep).astype(float))
