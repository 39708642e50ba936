"""How often the test for one size rejects where nothing differs between pilots, and where something does.

Nulls: no method differs, or methods differ by the same factor in every pilot; balanced tables, tables with few and many
activities, and gaps; attendance that varies more than by chance, by pilot and by method, so too where the method used
least varies most. Power: methods whose order turns from pilot to pilot.

Run it alone: `python -m tests.coverage.one_size [runs]`.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Final

import numpy as np

from pipeline.fit.interaction import comparable, interaction

RUNS: Final = 2_000
PERMUTATIONS: Final = 199
LEVEL: Final = 0.05
SEED: Final = 20180601
# Which methods each pilot uses, as in the simulated cities.
GAPS: Final = {0: (0, 1, 2), 1: (0, 3, 4), 2: (0, 1), 3: (0, 2, 3), 4: (0, 3, 4)}
FULL: Final = dict.fromkeys(range(6), (0, 1, 2))
MEANS: Final = (20, 14, 22, 18, 16, 24)
COMMON: Final = (1.0, 1.8, 0.5, 1.4, 0.7)
Sizes = Callable[[np.random.Generator, int], int]


@dataclass(frozen=True)
class Scenario:
    """One kind of table. `factor` is a method's share of its pilot's mean; `by_pilot` and `by_method` are shapes of the
    gamma that spreads attendance beyond a Poisson count, () for none."""

    name: str
    uses: dict[int, tuple[int, ...]]
    sizes: Sizes
    factor: Callable[[int, int], float] = lambda pilot, method: 1.0
    by_pilot: tuple[float, ...] = ()
    by_method: tuple[float, ...] = ()
    null: bool = True


def _few(rng: np.random.Generator, method: int) -> int:
    return int(rng.integers(3, 7))


def _uneven(rng: np.random.Generator, method: int) -> int:
    return int(rng.choice((3, 3, 4, 5, 8, 15, 25)))


def _by_method(rng: np.random.Generator, method: int) -> int:
    return (25, 3, 8)[method]


def _same(pilot: int, method: int) -> float:
    return COMMON[method]


def _turning(pilot: int, method: int) -> float:
    return COMMON[method] * (1.5 if (pilot + method) % 2 else 1.0)


_PILOTS: Final = (3, 10, 4, 30, 5, 8)
SCENARIOS: Final = (
    Scenario("no method differs; 3 to 6 activities, gaps", GAPS, _few),
    Scenario("no method differs; 3 to 25 activities", FULL, _uneven),
    Scenario("methods differ alike; 3 to 6 activities, gaps", GAPS, _few, _same),
    Scenario("methods differ alike; 3 to 25 activities", FULL, _uneven, _same),
    Scenario("alike, spread by pilot; 3 to 6, gaps", GAPS, _few, _same, by_pilot=_PILOTS),
    Scenario("alike, spread by method; 3 to 6, gaps", GAPS, _few, _same, by_method=(4, 20, 6, 10, 30)),
    Scenario("alike, spread by pilot; 3 to 25", FULL, _uneven, _same, by_pilot=_PILOTS),
    Scenario("alike, spread by method; 3 to 25", FULL, _uneven, _same, by_method=(20, 4, 30)),
    Scenario("alike, the method used least varies most; 25, 3 and 8", FULL, _by_method, _same, by_method=(20, 4, 30)),
    Scenario("alike, the method used most varies most; 25, 3 and 8", FULL, _by_method, _same, by_method=(4, 20, 6)),
    Scenario("order turns (× 1.5); 3 to 6, gaps", GAPS, _few, _turning, null=False),
    Scenario("order turns (× 1.5), spread 10; 3 to 6, gaps", GAPS, _few, _turning, (10,) * 6, null=False),
    Scenario("order turns (× 1.5), spread 10; 3 to 25", FULL, _uneven, _turning, (10,) * 6, null=False),
)


def rows(runs: int = RUNS, permutations: int = PERMUTATIONS) -> list[dict[str, Any]]:
    """One row per scenario: how often it was rejected at 5 %, what the level allows, and whether it keeps to that.

    `by_labels` and `by_signs` are the two references alone, `rejected` the test as it is.
    """
    return [_row(scenario, runs, permutations) for scenario in SCENARIOS]


def allowed(runs: int) -> float:
    """The level and two standard errors of a rate at that level."""
    return LEVEL + 2 * sqrt(LEVEL * (1 - LEVEL) / runs)


def _row(scenario: Scenario, runs: int, permutations: int) -> dict[str, Any]:
    rng = np.random.default_rng([SEED, *scenario.name.encode()])
    hits = np.zeros(3)
    for run in range(runs):
        found = interaction(comparable(_table(scenario, rng)), permutations, run)
        assert found is not None
        hits += [p <= LEVEL for p in (found.p_value, found.by_labels, found.by_signs)]
    rejected, labels, signs = (round(float(rate), 4) for rate in hits / runs)
    return {
        "test": "one size",
        "scenario": scenario.name,
        "null": scenario.null,
        "runs": runs,
        "level": LEVEL,
        "rejected": rejected,
        "by_labels": labels,
        "by_signs": signs,
        "allowed": round(allowed(runs), 4) if scenario.null else None,
        "ok": rejected <= allowed(runs) if scenario.null else True,
    }


def _table(scenario: Scenario, rng: np.random.Generator) -> dict[tuple[str, str], list[float]]:
    cells = {}
    for pilot, methods in scenario.uses.items():
        for method in methods:
            n = scenario.sizes(rng, method)
            mean = MEANS[pilot] * scenario.factor(pilot, method)
            shape = (scenario.by_pilot[pilot : pilot + 1] or scenario.by_method[method : method + 1] or (None,))[0]
            expected = np.full(n, mean) if shape is None else rng.gamma(shape, mean / shape, n)
            cells[str(pilot), str(method)] = [log(count + 0.5) for count in rng.poisson(expected)]
    return cells


def main() -> None:
    """Print the table."""
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS):
        print("{rejected:.4f} of {runs} (labels {by_labels:.4f}, signs {by_signs:.4f}) {scenario}".format(**row))


if __name__ == "__main__":
    main()
