"""How often the intervals of a change between two windows of weeks and of a difference of two pilots hold the truth.

Each function draws one sample of n (weeks in a window, people of a pilot) and says whether the interval held.
Run it alone: `python -m tests.coverage.comparing [draws]`.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt
from typing import Any, Final

import numpy as np

from pipeline.compare import pairs
from pipeline.impact import LEAST, WEEKS, Span, change_of
from pipeline.indicators import INDICATORS
from pipeline.indicators.intervals import wilson
from pipeline.values import IndicatorValue

DRAWS: Final = 5_000
SEED: Final = 20180601
GAP: Final = 6  # weeks between the two windows
RATE: Final = INDICATORS["adoption-per-1000"]
Once = Callable[[int, np.random.Generator], bool]


def change(rho: float, n: int, rng: np.random.Generator) -> bool:
    """A rise by 30 % in weeks that vary by a tenth, as a first-order autoregression."""
    noise = rng.standard_normal(2 * n + GAP)
    for week in range(1, len(noise)):
        noise[week] = rho * noise[week - 1] + sqrt(1 - rho**2) * noise[week]
    level = np.repeat([100.0, 130.0], n + GAP // 2) * (1 + 0.1 * noise)
    found = change_of(_span(level[:n]), _span(level[-n:]))
    assert found.lower is not None
    assert found.upper is not None
    return found.lower <= 1.3 <= found.upper


def difference(low: float, high: float, n: int, rng: np.random.Generator) -> bool:
    """Two pilots' shares, each drawn from a range, of n and 2 n people."""
    truths = rng.uniform(low, high, 2)
    values = [
        _value(slug, int(rng.binomial(many, p)), many) for slug, many, p in zip("ab", (n, 2 * n), truths, strict=True)
    ]
    [found] = pairs(values, RATE, {"a": "target", "b": "target"})
    assert found.difference.lower is not None
    assert found.difference.upper is not None
    return bool(found.difference.lower <= 1000 * (truths[0] - truths[1]) <= found.difference.upper)


def studies() -> Iterator[tuple[str, str, str, int, Once]]:
    """Method, figure, truth, n, and one draw of it."""
    for rho in (0.0, 0.3, 0.6):
        for n in (LEAST, WEEKS):
            yield "t, weeks autocorrelated", "change of weekly means", f"AR(1) {rho}", n, partial(change, rho)
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.7)):
        for n in (100, 200):
            truth = f"{low:.0%} to {high:.0%}"
            yield "from both intervals", "difference of two pilots' shares", truth, n, partial(difference, low, high)


def rows(draws: int = DRAWS) -> list[dict[str, Any]]:
    """How often each interval held the truth."""
    found = []
    for method, figure, truth, n, once in studies():
        rng = np.random.default_rng([SEED, *f"{figure}; {truth}; {n}".encode()])
        rate = float(np.mean([once(n, rng) for _ in range(draws)]))
        found.append(
            {"method": method, "figure": figure, "truth": truth, "n": n, "draws": draws, "rate": round(rate, 4)}
        )
    return found


def _span(values: Any) -> Span:
    return Span("", "", tuple((7 * place, float(value)) for place, value in enumerate(values)))


def _value(pilot: str, hits: int, n: int) -> IndicatorValue:
    lower, upper = wilson(hits, n)
    return IndicatorValue(
        pilot=pilot,
        indicator=RATE.id,
        version=1,
        period="all",
        start="2026-01-01",
        end="2026-06-30",
        value=1000 * hits / n,
        lower=1000 * lower,
        upper=1000 * upper,
        n=n,
    )


def main() -> None:
    """Print the table."""
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS):
        print("{rate:.4f} of {draws}: {method}; {figure}; {truth}; n = {n}".format(**row))


if __name__ == "__main__":
    main()
