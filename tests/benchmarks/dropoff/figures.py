"""A1 to A11: the production detector on simulated pilots, at the thresholds that ship."""

from collections.abc import Callable
from typing import Final

import numpy as np

from pipeline.alerts import evidence
from pipeline.alerts.detector import Course, Rule, watch
from pipeline.alerts.streams import OF_STREAM, OF_TOTAL
from tests.benchmarks.dropoff.gate import Outages
from tests.benchmarks.dropoff.generator import (
    CLOSURE,
    DAYS,
    WARM,
    WEEKDAY,
    Bools,
    Floats,
    Ints,
    Series,
    T,
    cell,
    counted,
    fallen,
    generator,
    onsets,
    surroundings,
)
from tests.benchmarks.dropoff.rules import Given, cusum, undisturbed
from tests.benchmarks.dropoff.samples import Sample, Samples
from tests.benchmarks.dropoff.scoring import alarms, begun, delays, firing, opened, within

TOTAL: Final = OF_TOTAL
STREAM: Final = OF_STREAM
LONE: Final = Rule(version=1, h=4.4, recover_days=7)  # a stream with its own budget: docs/decisions/0009
STREAMS: Final = (12.0, 6.0, 4.0, 2.0, 1.0, 0.5)
NOTIFY: Final = 4  # the first four streams; rarer ones never notify
CELLS: Final = [(level, phi) for level in (2, 5, 10, 20, 50, 100) for phi in (1.5, 3.0)]
MISSED: Final = 0.1


def run(counts: Floats, judged: Bools, rule: Rule, completeness: Floats | None = None) -> Course:
    """The production detector with one rule for all."""
    whole = np.ones_like(counts) if completeness is None else completeness
    return watch(counts, judged, whole, WEEKDAY, [rule] * len(counts))


class Pilots:
    """Pilots of six streams and their total, which share a year's phase and workshops."""

    def __init__(self, rng: np.random.Generator, pilots: int) -> None:
        self.rng = rng
        self.around = surroundings(rng, pilots)
        self.masked = self.around.masked()
        self.counts = np.stack([counted(rng, level * self.around.factor, 2.0) for level in STREAMS])

    def alarms(self, counts: Floats, judged: Bools, completeness: Floats | None = None) -> tuple[Bools, Floats]:
        """Days with an open incident of a pilot (pilots, days), and openings per pilot, grouped or not."""
        total = run(counts.sum(axis=0), judged, TOTAL, completeness)
        found, openings = firing(total), opened(total)[:, WARM:].sum(axis=1).astype(float)
        for stream in range(NOTIFY):
            course = run(counts[stream], judged, STREAM, completeness)
            found |= firing(course)
            openings += opened(course)[:, WARM:].sum(axis=1)
        return found, openings

    def without(self, share: Floats, onset: Ints) -> Floats:
        """Counts when each stream loses a share of its events from the onset on. `share`: (six,)."""
        keep = np.where(onset[:, None] <= T, 1 - share[:, None, None], 1.0)
        return self.rng.binomial(self.counts.astype(int), keep).astype(float)


def a1(seed: int, size: int) -> Samples:
    """False firings per pilot-year: calendar known, a tenth of it missing, outages behind the gate."""
    pilots = Pilots(generator(seed, 1), size)
    known, plain = pilots.alarms(pilots.counts, ~pilots.masked)
    partly, _ = pilots.alarms(pilots.counts, ~pilots.around.masked(pilots.rng, MISSED))
    outages = Outages(pilots.rng, size)
    stored = np.stack([outages.thinned(pilots.rng, one) for one in pilots.counts])
    may, share = outages.verdicts(pilots.counts.sum(axis=0), stored.sum(axis=0))
    gated, _ = pilots.alarms(stored, ~pilots.masked & may, share)
    return {
        "A1": Sample("rate", alarms(known)),
        "A1 every opening counted": Sample("rate", plain),
        "A1 calendar misses a tenth": Sample("rate", alarms(partly)),
        "A1 with outages behind the gate": Sample("rate", alarms(gated)),
    }


def a2_a3(seed: int, size: int) -> Samples:
    """One threshold for all volumes: false alarms of a year, and falls by half."""
    found: Samples = {}
    more = [(20, 1.0), (20, 5.0), (6, 2.0)]
    for at, (level, phi) in enumerate(CELLS + more):
        rng = generator(seed, 100 + at)
        ordinary = cell(rng, level, phi, size)
        where = f"{level:g}/day φ {phi:g}"
        found[f"A2 {where}"] = Sample("rate", alarms(firing(run(ordinary.counts, ordinary.judged, LONE))))
        onset = onsets(rng, size)
        lower = fallen(rng, ordinary, onset, 0.5)
        delay = delays(firing(run(lower.counts, lower.judged, LONE)), onset)
        band = _band(level / phi)
        found[f"A3 {band} P14 {where}"] = Sample("share", within(delay, 14))
        found[f"A3 {band} P28 {where}"] = Sample("share", within(delay, 28))
        found[f"A3 {band} median {where}"] = Sample("median", delay.astype(float))
    return found


def _band(ratio: float) -> str:
    if ratio >= 12:
        return "≥12"
    if ratio >= 6.5:
        return "≥6.5"
    return "3–3.5" if 3 <= ratio <= 3.5 else "below"


def a4_a5(seed: int, size: int) -> Samples:
    """A whole pilot loses half; one stream vanishes."""
    pilots = Pilots(generator(seed, 4), size)
    onset = onsets(pilots.rng, size)
    half, _ = pilots.alarms(pilots.without(np.full(6, 0.5), onset), ~pilots.masked)
    delay = delays(half, onset)
    found = {"A4 P14": Sample("share", within(delay, 14)), "A4 median": Sample("median", delay.astype(float))}
    for stream, level in ((0, 12), (1, 6), (2, 4)):
        gone, _ = pilots.alarms(pilots.without(np.eye(6)[stream], onset), ~pilots.masked)
        found[f"A5 {level}/day"] = Sample("share", within(delays(gone, onset), 14))
    return found


def a6(seed: int, size: int) -> Samples:
    """Outages that are called a drop-off, with and without the gate."""
    rng = generator(seed, 6)
    series = cell(rng, 20, 2.0, size)
    outages = Outages(rng, size)
    stored = outages.thinned(rng, series.counts)
    may, share = outages.verdicts(series.counts, stored)
    found: Samples = {}
    for rule in (TOTAL, STREAM, LONE):
        gated = firing(run(stored, series.judged & may, rule, share))
        usual = firing(run(series.counts, series.judged, rule))
        found[f"A6 h {rule.h}"] = Sample("share", _called(gated, outages))
        found[f"A6 same days without outage h {rule.h}"] = Sample("share", _called(usual, outages))
    found["A6 without gate"] = Sample("share", _called(firing(run(stored, series.judged, LONE)), outages))
    return found


def _called(over: Bools, outages: Outages) -> Floats:
    found = []
    for row, each in enumerate(zip(outages.first, outages.last, strict=True)):
        for first, last in zip(*each, strict=True):
            if not over[row, first - 7 : first].any():
                found.append(float(over[row, first : last + 8].any()))
    return np.array(found)


def a7(seed: int, size: int) -> Samples:
    """The closure of August, and a fall by half 21 days after it."""
    rng = generator(seed, 7)
    around = surroundings(rng, size, closed=True)
    mean = 20 * around.factor
    counts = counted(rng, mean, 2.0)
    first, last = np.flatnonzero(CLOSURE)[[0, -1]]
    onset = np.full(size, last + 21)
    found: Samples = {}
    for name, masked in (("", around.masked()), (" calendar misses a tenth", around.masked(rng, MISSED))):
        over = firing(run(counts, ~masked, LONE))
        found[f"A7 false{name}"] = Sample("share", begun(over)[:, first : last + 5].any(axis=1).astype(float))
        lower = fallen(rng, Series(counts, mean, masked), onset, 0.5)
        found[f"A7 later{name}"] = Sample("share", within(delays(firing(run(lower.counts, ~masked, LONE)), onset), 14))
    return found


def a8(seed: int, size: int) -> Samples:
    """Growth fourfold at the launch, then a plateau."""
    rng = generator(seed, 8)
    around = surroundings(rng, size)
    counts = counted(rng, 20 * around.factor * (1 + 3 / (1 + np.exp(-(T - 75) / 12))), 2.0)
    over = firing(run(counts, ~around.masked(), LONE))
    return {"A8": Sample("rate", begun(over)[:, 56:196].sum(axis=1).astype(float))}


def a9(seed: int, size: int) -> Samples:
    """Late data: settled days only (as shipped), the newest two corrected by completeness, and taken as they are."""
    rng = generator(seed, 9)
    series = cell(rng, 20, 2.0, size)
    evening = rng.binomial(series.counts.astype(int), 0.75)
    next_day = evening + rng.binomial(series.counts.astype(int) - evening, (0.92 - 0.75) / 0.25)
    settled = cusum(Given(series.counts, series.judged, undisturbed(series.counts, series.judged)))
    found = {"A9 reference": Sample("rate", alarms(settled > LONE.h))}
    tests = [
        (undisturbed(series.counts, series.judged, k=k, milder_h=np.inf), k, most, scale)
        for k, most, scale in ((LONE.k, LONE.ratio, 1.0), (LONE.milder_k, LONE.milder_ratio, LONE.milder_h))
    ]
    for name, shares in (("A9 corrected", (0.92, 0.75)), ("A9 naive", (1.0, 1.0))):
        over = np.zeros(series.counts.shape, dtype=bool)
        for course, k, most, scale in tests:
            s = np.pad(np.nan_to_num(course.evidence), ((0, 0), (2, 0)))[:, :DAYS]
            seen, wanted = (np.pad(rows, ((0, 0), (2, 0)))[:, :DAYS] for rows in _since(course))
            for lag, (rows, part) in enumerate(zip((next_day, evening), shares, strict=True)):
                ago = 1 - lag
                y, mean, se, phi, live = (
                    np.pad(v.astype(float), ((0, 0), (ago, 0)), mode="edge")[:, :DAYS]
                    for v in (rows, course.expected, course.se, course.phi, series.judged)
                )
                use = (live > 0) & (np.arange(DAYS) >= WARM)
                due, spread = evidence.of_partial_day(mean, phi, np.array(part))
                s = np.where(use, evidence.step(s, evidence.gain(y, due, se, spread, k)), s)
                begins = s <= 0
                seen = np.where(begins, 0, seen + np.where(use, y, 0))
                wanted = np.where(begins, 0, wanted + np.where(use, due, 0))
            over |= (s > LONE.h * scale) & (seen <= most * wanted) & (wanted - seen >= LONE.least_fall)
        found[name] = Sample("rate", alarms(over))
    found["A9 corrected − 1.2 × reference"] = Sample(
        "difference", found["A9 corrected"].values - 1.2 * found["A9 reference"].values
    )
    return found


def _since(course: Course) -> tuple[Floats, Floats]:
    """Observed and expected since the change day."""
    ratio, deficit = np.nan_to_num(course.ratio, nan=1.0), course.deficit
    wanted = np.where(ratio < 1, deficit / np.maximum(1 - ratio, 1e-9), 0.0)
    return wanted - np.nan_to_num(deficit), wanted


def a10(seed: int, size: int) -> Samples:
    """A fall by half of 30 days: how often it fires within 90 days, and whether it resolves while it lasts."""
    found: Samples = {}
    for at, rule in enumerate((LONE, TOTAL, STREAM)):
        rng = generator(seed, 1000 + at)
        series = cell(rng, 20, 2.0, size)
        onset = rng.integers(166, 401, size)
        course = run((lower := fallen(rng, series, onset, 0.5, days=30)).counts, lower.judged, rule)
        over, opens = firing(course), opened(course)
        free = delays(over, onset) >= 0
        times = np.array([opens[row, day : day + 90].sum() for row, day in enumerate(onset)], dtype=float)
        early = np.array([_resolves(over[row, day : day + 30]) for row, day in enumerate(onset)], dtype=float)
        ordinary = opened(run(series.counts, series.judged, rule))
        usual = np.array([ordinary[row, day : day + 90].sum() for row, day in enumerate(onset)], dtype=float)
        found[f"A10 firings h {rule.h}"] = Sample("rate", times[free])
        found[f"A10 resolved early h {rule.h}"] = Sample("share", early[free])
        found[f"A10 ordinary alarms in 90 days h {rule.h}"] = Sample("rate", usual[free])
    return found


def _resolves(over: Bools) -> bool:
    return bool((over[:-1] & ~over[1:]).any())


SHARES: Final = (0.40, 0.25, 0.15, 0.12, 0.08)


def a11(seed: int, size: int) -> Samples:
    """One of five groups loses 85 %: whether the largest part of the deficit is laid to it when the alarm comes."""
    rng = generator(seed, 11)
    around = surroundings(rng, size, amplitude=0.15, with_workshops=False)
    lost = rng.choice(5, size, p=[0.30, 0.25, 0.20, 0.15, 0.10])
    onset = onsets(rng, size)
    keep = np.where((onset[:, None] <= T)[None] & (np.arange(5)[:, None] == lost)[:, :, None], 0.15, 1.0)
    counts = np.stack([counted(rng, 20 * part * around.factor, 2.0) for part in SHARES])
    counts = rng.binomial(counts.astype(int), keep).astype(float)
    judged = ~around.masked()
    total = run(counts.sum(axis=0), judged, TOTAL)
    groups = [run(one, judged, STREAM) for one in counts]
    right: dict[int, list[float]] = {group: [] for group in range(5)}
    for row, day in enumerate(onset):
        courses = [total, *groups]
        opens = [opened(course)[row] for course in courses]
        if any(firing(course)[row, day - 14 : day].any() for course in courses):
            continue
        first = [int(np.argmax(one[day : day + 28])) if one[day : day + 28].any() else 99 for one in opens]
        if min(first) == 99:
            continue
        which = int(np.argmin(first))
        at = int(day) + first[which]
        days = np.arange(courses[which].change_day[row, at], at + 1)
        days = days[judged[row, days]]
        usual = np.arange(max(0, days[0] - 105), days[0])
        part = counts[:, row, usual].sum(axis=1) / max(counts[:, row, usual].sum(), 1)
        missing = [
            (group.expected[row, days] if SHARES[at_] * 20 >= 2 else part[at_] * total.expected[row, days]).sum()
            - counts[at_, row, days].sum()
            for at_, group in enumerate(groups)
        ]
        right[int(lost[row])].append(float(np.argmax(missing) == lost[row]))
    found = {"A11": Sample("share", np.concatenate([np.array(hits) for hits in right.values()]))}
    return found | {f"A11 of {SHARES[group]:.0%}": Sample("share", np.array(hits)) for group, hits in right.items()}


PARTS: Final[dict[str, Callable[[int, int], Samples]]] = {
    "A1": a1, "A2 A3": a2_a3, "A4 A5": a4_a5, "A6": a6, "A7": a7, "A8": a8, "A9": a9, "A10": a10, "A11": a11,
}  # fmt: skip

__all__ = ["PARTS"]
