"""The whole study as cells, each measured from its own fixed seed in any order, and what is asked of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from math import sqrt
from typing import Any, Final

import numpy as np

from tests.coverage import weeks
from tests.coverage.intervals import subjects

DRAWS: Final = 5_000
RUNS: Final = 2_000
SEED: Final = 20180601
NOMINAL: Final = 0.95
NEAR: Final = 0.02
LEAST_AT_MINIMUM: Final = 0.9
LEAST_WEEKS: Final = 26 + 1 + weeks.AFTER


@dataclass(frozen=True)
class Cell:
    """One rate to be measured: how often an interval holds the truth, or a test rejects where nothing is planted.

    `once` draws one sample and says whether it did; None where the method declines.
    """

    kind: str
    method: str
    figure: str
    truth: str
    n: int
    least: int
    once: Callable[[np.random.Generator], bool | None]

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.method}; {self.figure}; {self.truth}; {self.n}"


@cache
def cells() -> dict[str, Cell]:
    """Every cell by name, in the order of the page."""
    return {cell.name: cell for cell in (*_intervals(), *_effects(), *_tests())}


def _intervals() -> Iterator[Cell]:
    for subject in subjects():
        for truth, once in subject.truths.items():
            for n in subject.every_n:
                yield Cell("coverage", subject.method, subject.figure, truth, n, subject.least, partial(once, n))


def _effects() -> Iterator[Cell]:
    for rho in weeks.RHOS:
        for n in (LEAST_WEEKS, 50, 200):
            for events in (1, 3):
                figure = f"change around {events} activit{'y' if events == 1 else 'ies'}, weeks"
                once = partial(weeks.block_bootstrap, rho, events, n)
                yield Cell("coverage", "block bootstrap", figure, f"AR(1) {rho}", n, LEAST_WEEKS, once)
            once = partial(weeks.time_series, rho, n)
            yield Cell("coverage", "AR(1) regression", "level, weeks", f"AR(1) {rho}", n, LEAST_WEEKS, once)


def _tests() -> Iterator[Cell]:
    for rho in weeks.RHOS:
        for n in (LEAST_WEEKS, 61, 104):
            once = partial(weeks.placebo_rejects, n, rho)
            yield Cell("level", "placebo date", "1 activity, weeks", f"AR(1) {rho}", n, LEAST_WEEKS, once)
            once = partial(weeks.campaign_rejects, n, rho, 3)
            yield Cell("level", "circular shift", "3 activities, weeks", f"AR(1) {rho}", n, LEAST_WEEKS, once)


def measure(name: str, draws: int) -> dict[str, Any]:
    """One cell's row: its rate over the draws in which the method answered, and what is asked of it."""
    cell = cells()[name]
    rng = np.random.default_rng([SEED, *name.encode()])
    found = [cell.once(rng) for _ in range(draws)]
    known = [one for one in found if one is not None]
    rate = float(np.mean(known)) if known else float("nan")
    return {
        "kind": cell.kind,
        "method": cell.method,
        "figure": cell.figure,
        "truth": cell.truth,
        "n": cell.n,
        "least": cell.least,
        "draws": draws,
        "answered": len(known),
        "rate": round(rate, 4),
        "verdict": verdict(cell.kind, rate, cell.n, len(known)),
    }


def error(rate: float, draws: int) -> float:
    """Twice the standard error of a measured rate."""
    return 2 * sqrt(rate * (1 - rate) / max(draws, 1))


def verdict(kind: str, rate: float, n: int, draws: int) -> str:
    """ok; wide (holds the truth more often than it says); narrow; below 90 %; rejects too often.

    An interval may miss by two points from n = 50 up and has to reach 90 % below; a test may exceed its level by the
    sampling error of the runs.
    """
    if kind == "level":
        return "ok" if rate <= weeks.LEVEL + error(weeks.LEVEL, draws) else "rejects too often"
    if rate < LEAST_AT_MINIMUM:
        return "below 90 %"
    if n >= 50 and rate < NOMINAL - NEAR:
        return "narrow"
    return "wide" if rate > NOMINAL + NEAR else "ok"
