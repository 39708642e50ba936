"""The bounds A1 to A12 and how a pooled sample stands to them."""

from dataclasses import dataclass
from typing import Any, Final

from tests.benchmarks.dropoff.rivals import OURS
from tests.benchmarks.dropoff.samples import Samples
from tests.benchmarks.dropoff.scoring import Figure

NAIVE: Final = ("week half", "week half, with calendar", "daily half", "EARS-C2 mirrored")
MIDDLE: Final = tuple(f"{level}/day φ {phi}" for level in (5, 10, 20) for phi in ("1.5", "3"))


@dataclass(frozen=True)
class Criterion:
    """`sample` is a name, or a prefix of names of which the worst counts. `sign` is ≤ or ≥."""

    id: str
    says: str
    sample: str
    sign: str
    bound: float
    counts: bool = True  # False: set beside the criterion, which speaks of a perfect calendar

    def names(self, samples: Samples) -> list[str]:
        """Which samples it is about."""
        return [self.sample] if self.sample in samples else [name for name in samples if name.startswith(self.sample)]

    def verdict(self, figure: Figure) -> str:
        """holds; within (the bound lies in the interval); misses; beside."""
        if not self.counts:
            return "beside"
        if figure.value <= self.bound if self.sign == "≤" else figure.value >= self.bound:
            return "holds"
        return "within" if figure.low <= self.bound <= figure.high else "misses"

    def worst(self, samples: Samples) -> tuple[str, Figure]:
        """The name and figure farthest to the wrong side."""
        figures = {name: samples[name].figure() for name in self.names(samples)}
        least = min if self.sign == "≥" else max
        name = least(figures, key=lambda one: figures[one].value)
        return name, figures[name]


CRITERIA: Final = [
    Criterion("A1", "false firings per pilot-year, calendar known", "A1", "≤", 1.0),
    Criterion("A1", "the same, a tenth of the calendar missing", "A1 calendar misses a tenth", "≤", 1.0, counts=False),
    Criterion("A1", "the same, with outages behind the gate", "A1 with outages behind the gate", "≤", 1.0),
    Criterion("A2", "false alarms per stream-year, target 1, worst above", "A2 ", "≤", 1.5),
    Criterion("A2", "the same, worst below (fewer than asked for)", "A2 ", "≥", 0.5),
    Criterion("A3", "fall by half, mean/φ ≥ 6.5, in 14 days", "A3 ≥6.5 P14", "≥", 0.85),
    Criterion("A3", "the same in 28 days", "A3 ≥6.5 P28", "≥", 0.97),
    Criterion("A3", "fall by half, mean/φ ≥ 12, in 14 days", "A3 ≥12 P14", "≥", 0.94),
    Criterion("A3", "the same, median days", "A3 ≥12 median", "≤", 5.0),
    Criterion("A3", "fall by half, mean/φ 3–3.5, in 14 days", "A3 3–3.5 P14", "≥", 0.60),
    Criterion("A3", "the same in 28 days", "A3 3–3.5 P28", "≥", 0.85),
    Criterion("A4", "whole pilot loses half, in 14 days", "A4 P14", "≥", 0.90),
    Criterion("A4", "the same, median days", "A4 median", "≤", 6.0),
    Criterion("A5", "a stream of at least 4/day vanishes, in 14 days", "A5 ", "≥", 0.90),
    Criterion("A6", "outages called a drop-off behind the real gate, pilot total (h 6.1)", "A6 h 6.1", "≤", 0.02),
    Criterion("A6", "the same, stream (h 8.1)", "A6 h 8.1", "≤", 0.02),
    # A rule that errs once a year has an alarm of its own in 3 % of an outage's eleven days: see "same days without".
    Criterion("A6", "the same, lone stream (h 4.4)", "A6 h 4.4", "≤", 0.02, counts=False),
    Criterion("A7", "false alarm in a closure, calendar known", "A7 false", "≤", 0.05),
    Criterion("A7", "a later fall by half, in 14 days", "A7 later", "≥", 0.90),
    Criterion(
        "A7", "false alarm in a closure, a tenth missing", "A7 false calendar misses a tenth", "≤", 0.05, counts=False
    ),
    Criterion("A7", "a later fall, a tenth missing", "A7 later calendar misses a tenth", "≥", 0.90, counts=False),
    Criterion("A8", "false alarms of a launch", "A8", "≤", 0.05),
    Criterion("A9", "late data corrected: FA − 1.2 × reference", "A9 corrected − 1.2 × reference", "≤", 0.0),
    Criterion("A10", "firings per 30-day fall, pilot total (h 6.1)", "A10 firings h 6.1", "≤", 1.1),
    Criterion("A10", "the same, stream (h 8.1)", "A10 firings h 8.1", "≤", 1.1),
    Criterion("A10", "the same, lone stream (h 4.4)", "A10 firings h 4.4", "≤", 1.1),
    Criterion("A10", "resolved while the fall lasts", "A10 resolved early", "≤", 0.0),
    Criterion("A11", "the right group first, of all detected", "A11", "≥", 0.80),
    Criterion("A11", "the same, worst group", "A11 of ", "≥", 0.80),
]


def rows(samples: Samples, seeds: dict[int, Samples]) -> list[dict[str, Any]]:
    """One row per criterion: pooled figure, interval, verdict, and each seed's figure with whether it holds."""
    found = [_row(criterion, samples, seeds) for criterion in CRITERIA if criterion.names(samples)]
    for drop in ("50%", "30%"):
        names = [f"lead {drop}|week half|{where}" for where in MIDDLE]
        if all(name in samples for name in names):
            says = f"lead over week half at equal FA, {drop} falls, worst of 5–20/day"
            worst = min(names, key=lambda name: samples[name].figure().value)
            found.append(_row(Criterion("A12", says, worst, "≥", 0.0), samples, seeds))
    return found


def _row(criterion: Criterion, samples: Samples, seeds: dict[int, Samples]) -> dict[str, Any]:
    name, figure = criterion.worst(samples)
    each = {}
    for seed, own in seeds.items():
        of_seed = criterion.worst(own)[1]
        each[str(seed)] = {"figure": round(of_seed.value, 4), "holds": criterion.verdict(of_seed) == "holds"}
    return {
        "id": criterion.id, "says": criterion.says, "worst": name, "figure": round(figure.value, 4),
        "low": round(figure.low, 4), "high": round(figure.high, 4), "n": figure.n,
        "sign": criterion.sign, "bound": criterion.bound, "verdict": criterion.verdict(figure), "seeds": each,
    }  # fmt: skip


def better_naive(samples: Samples) -> list[str]:
    """Where a naive rule finds more at an equal rate of false alarms, and the interval of the difference says so."""
    names = [name for name in samples if name.startswith("lead") and name.split("|")[1] in NAIVE]
    return [name for name in names if samples[name].figure().high < 0]


__all__ = ["CRITERIA", "NAIVE", "OURS", "better_naive", "rows"]
