"""The rules side by side on the same series, each at the threshold where it errs once a year (A12)."""

import json
from pathlib import Path
from typing import Final

import numpy as np

from tests.benchmarks.dropoff.figures import CELLS
from tests.benchmarks.dropoff.generator import cell, fallen, generator, onsets
from tests.benchmarks.dropoff.rules import AS_WRITTEN, RULES, scores
from tests.benchmarks.dropoff.samples import Sample, Samples
from tests.benchmarks.dropoff.scoring import alarms, delays, tuned, within

THRESHOLDS: Final = Path(__file__).parent / "thresholds.json"
DROPS: Final = (0.3, 0.5)
OURS: Final = "NB-CUSUM"


def name_of(level: float, phi: float) -> str:
    """How a cell is called in the thresholds and figures."""
    return f"{level:g}/day φ {phi:g}"


def tune(seeds: list[int], size: int, at: int) -> dict[str, float]:
    """Each rule's threshold in one cell, over all these seeds together."""
    level, phi = CELLS[at]
    found: dict[str, list[np.ndarray]] = {name: [] for name in RULES}
    for seed in seeds:
        series = cell(generator(seed, 1200 + at), level, phi, size)
        for name, score in scores(series.counts, series.judged).items():
            found[name].append(score)
    return {name: round(tuned(np.concatenate(parts)), 9) for name, parts in found.items()}


def compare(seed: int, size: int, at: int) -> Samples:
    """One cell of one seed: false alarms as written and as tuned, falls found, and our lead over each rule."""
    level, phi = CELLS[at]
    where = name_of(level, phi)
    limits: dict[str, float] = json.loads(THRESHOLDS.read_text())["once a year"][where]
    rng = generator(seed, 1200 + at)
    series = cell(rng, level, phi, size)
    found: Samples = {}
    for name, score in scores(series.counts, series.judged).items():
        found[f"FA tuned|{name}|{where}"] = Sample("rate", alarms(score > limits[name]))
        found[f"FA as written|{name}|{where}"] = Sample("rate", alarms(score > AS_WRITTEN[name]))
    for drop in DROPS:
        onset = onsets(rng, size)
        lower = fallen(rng, series, onset, drop)
        given = scores(lower.counts, lower.judged)
        delay = {name: delays(score > limits[name], onset) for name, score in given.items()}
        for name, days in delay.items():
            found[f"P14 {drop:.0%}|{name}|{where}"] = Sample("share", within(days, 14))
            both = (days >= 0) & (delay[OURS] >= 0)
            lead = within(delay[OURS][both], 14) - within(days[both], 14)
            found[f"lead {drop:.0%}|{name}|{where}"] = Sample("difference", lead)
    return found
