"""The real monthly series of civic reports: the detector's evidence over months, with a yearly season.

    python -m tests.benchmarks.dropoff.reports      # needs PERISCOPE_DATA; prints what docs/benchmarks-alerts.md tells

Fit and evidence are the production ones, the rule is that of a lone stream, as for the published signals. What days
cannot say for months is set here: the guard is the three months within which a fall is to be found, a month weighs half
after three, the season (two harmonics, beside a line that is dropped) and the dispersion are of up to four years, and
an alarm that lasts half a year is taken as the new normal, from which is learned anew.
"""

import csv
import gzip
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from pipeline.alerts.evidence import gain, step
from pipeline.alerts.expectation import Baseline, decay, fit, fit_week
from tests.benchmarks.dropoff.figures import LONE
from tests.benchmarks.dropoff.generator import Floats, Ints

FILE: Final = "participation/civic_reports/monthly_by_council_2007_2016.csv.gz"
NAMED: Final = {"E08000001": "2014-04", "E06000049": "2013-05"}  # by the data's own README
LEAST: Final = 20  # reports a month
GUARD: Final = 3
SEASON: Final = 48
LEARN: Final = 24
HARMONICS: Final = 2
LEVEL: Final = Baseline(window=24, guard=GUARD, half_life=3.0)
RECOVER: Final = 2  # months in a row
ACCEPT: Final = 6
TESTS: Final = ((LONE.k, LONE.ratio, 1.0), (LONE.milder_k, LONE.milder_ratio, LONE.milder_h))


@dataclass(frozen=True)
class Reports:
    """`counts` and `people` (councils, months); people are not additive over months."""

    councils: list[str]
    months: list[str]
    counts: Floats
    people: Floats


@dataclass(frozen=True)
class Alarm:
    """Indices of the council, of the months in which its evidence began and it fired; reports seen and expected."""

    council: int
    since: int
    fired: int
    seen: float
    expected: float

    @property
    def missing(self) -> float:
        """Reports."""
        return self.expected - self.seen


def read(folder: Path) -> Reports:
    """Councils with at least `LEAST` reports a month over the whole span; a month without a row has none."""
    with gzip.open(folder / FILE, "rt") as file:
        rows = list(csv.DictReader(file))
    months, councils = sorted({row["month"] for row in rows}), sorted({row["lad"] for row in rows})
    counts, people = np.zeros((len(councils), len(months))), np.zeros((len(councils), len(months)))
    for row in rows:
        at = councils.index(row["lad"]), months.index(row["month"])
        counts[at], people[at] = float(row["reports"]), float(row["unique_users"])
    large = np.flatnonzero(counts.mean(axis=1) >= LEAST)
    return Reports([councils[at] for at in large], months, counts[large], people[large])


class Watch:
    """The month loop. `live` counts council-months that were judged while no alarm was open."""

    def __init__(self, counts: Floats) -> None:
        series, months = counts.shape
        self.counts, self.use = counts, np.cumsum(counts, axis=1) > 0
        angle = 2 * np.pi * np.arange(months) / 12
        waves = [wave(order * angle) for order in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
        self.waves = np.stack(waves, axis=1)
        self.season, self.known = np.zeros((series, 2 * HARMONICS)), np.zeros(series, dtype=bool)
        self.level, self.se, self.phi = np.zeros(series), np.zeros(series), np.ones(series)
        self.s, self.seen, self.due = (np.zeros((2, series)) for _ in range(3))
        self.since = np.full((2, series), -1)
        self.opened, self.began, self.better = (np.full(series, value) for value in (-1, -1, 0))
        self.expected = np.zeros(counts.shape)
        self.alarms: list[Alarm] = []
        self.live = 0
        for month in range(months):
            self._learn(month, np.flatnonzero(self.opened < 0))
            self._judge(month)

    def _learn(self, month: int, rows: Ints) -> None:
        end = max(0, month - GUARD)
        window = slice(max(0, end - SEASON), end)
        rows = rows[self.use[rows, window].sum(axis=1) >= LEARN]
        if not len(rows):
            return
        line = (np.arange(window.start, window.stop) - (window.start + window.stop) / 2) / 12
        design = np.column_stack([np.ones(len(line)), self.waves[window], line])
        ridge = np.array([1e-8] + [1e-3] * (design.shape[1] - 1))
        year = fit(self.counts[rows, window], self.use[rows, window].astype(float), design, ridge)
        self.season[rows], self.phi[rows] = year.coefficients[:, 1:-1], year.phi
        window = slice(end - LEVEL.window, end)
        shape = np.exp(self.season[rows] @ self.waves[window].T)
        same = np.zeros(LEVEL.window, dtype=int)  # months have no weekday
        late = fit_week(self.counts[rows, window], self.use[rows, window] * decay(LEVEL), shape, same, LEVEL)
        self.level[rows], self.se[rows] = late.log_mean[:, 0], late.se[:, 0] * np.sqrt(year.phi / late.phi)
        self.known[rows] = True

    def _judge(self, month: int) -> None:
        mean = np.exp(self.level + self.season @ self.waves[month])
        self.expected[:, month] = np.where(self.known, mean, 0)
        self.live += int((self.known & (self.opened < 0)).sum())
        fires = np.zeros((2, len(mean)), dtype=bool)
        for at, (k, most, scale) in enumerate(TESTS):
            gained = gain(self.counts[:, month], mean, self.se, self.phi, k)
            h = LONE.h * scale
            self.s[at] = np.where(self.known, step(self.s[at], gained, LONE.ceiling * h), 0.0)
            begins = (self.s[at] > 0) & (self.since[at] < 0)
            self.since[at] = np.where(begins, month, np.where(self.s[at] > 0, self.since[at], -1))
            runs = self.since[at] >= 0
            self.seen[at] = np.where(runs, self.seen[at] + self.counts[:, month], 0.0)
            self.due[at] = np.where(runs, self.due[at] + mean, 0.0)
            enough = self.due[at] - self.seen[at] >= LONE.least_fall
            fires[at] = (self.s[at] >= h) & (self.seen[at] <= most * self.due[at]) & enough
        was_open = self.opened >= 0
        for row in np.flatnonzero(fires.any(axis=0) & ~was_open):
            at = int(np.argmax(fires[:, row]))
            self.alarms.append(Alarm(int(row), int(self.since[at, row]), month, self.seen[at, row], self.due[at, row]))
            self.opened[row], self.began[row] = month, self.since[at, row]
        for row in np.flatnonzero(was_open):
            self._follow(int(row), month)

    def _follow(self, row: int, month: int) -> None:
        last = slice(max(self.opened[row], month - 2), month + 1)
        enough = self.counts[row, last].sum() >= LONE.recover_ratio * self.expected[row, last].sum()
        spent = self.s[0, row] < LONE.recover_below * LONE.h
        self.better[row] = self.better[row] + 1 if enough and spent else 0
        over, lasting = self.better[row] >= RECOVER, month - self.opened[row] >= ACCEPT
        if not over and not lasting:
            return
        if over:
            self.use[row, self.began[row] : month + 1] = False
        else:
            self.use[row, : self.began[row]], self.known[row] = False, False
        self.opened[row], self.better[row], self.s[:, row], self.since[:, row] = -1, 0, 0.0, -1
        self.seen[:, row], self.due[:, row] = 0.0, 0.0


def found_after(reports: Reports, alarms: list[Alarm]) -> dict[str, int | None]:
    """For each named collapse the month, its first being 1, in which an alarm came; None without one in half a year."""
    found: dict[str, int | None] = {}
    for council, month in NAMED.items():
        onset = reports.months.index(month)
        when = [one.fired - onset + 1 for one in alarms if reports.councils[one.council] == council]
        found[council] = min((after for after in when if -1 <= after <= ACCEPT), default=None)
    return found


def told(reports: Reports, one: Alarm) -> list[str]:
    """What one looks at: council, months, seen of expected, the halves of a year around, a year earlier, people."""

    def total(rows: Floats, begin: int, end: int) -> str:
        return f"{rows[one.council, max(0, begin) : end].sum():.0f}"

    after = one.since + 6
    return [
        reports.councils[one.council], reports.months[one.since], reports.months[one.fired],
        f"{one.seen:.0f} of {one.expected:.0f}",
        total(reports.counts, one.since - 6, one.since), total(reports.counts, one.since, after),
        total(reports.counts, one.since - 12, after - 12), total(reports.counts, one.since + 6, after + 6),
        f"{reports.people[one.council, one.since - 1]:.0f} → {reports.people[one.council, one.fired]:.0f}",
    ]  # fmt: skip


def others(reports: Reports, alarms: list[Alarm]) -> list[Alarm]:
    """All but those of the named collapses, the largest first."""
    named = {(reports.councils.index(council), reports.months.index(month)) for council, month in NAMED.items()}
    rest = [
        one for one in alarms
        if not any(one.council == row and -1 <= one.fired - at + 1 <= ACCEPT for row, at in named)
    ]  # fmt: skip
    return sorted(rest, key=lambda one: -one.missing)


def main() -> int:
    """Print the figures and the twenty largest alarms."""
    folder = Path(os.environ.get("PERISCOPE_DATA") or Path(__file__).parents[4] / "shared/data")
    if not (folder / FILE).is_file():
        print(f"no {FILE} in {folder}: set PERISCOPE_DATA to the folder of real data", file=sys.stderr)
        return 2
    reports = read(folder)
    watch = Watch(reports.counts)
    rest, years = others(reports, watch.alarms), watch.live / 12
    print(f"named collapses found in month: {found_after(reports, watch.alarms)}")
    print(f"{len(reports.councils)} councils, {years:.0f} council-years judged, {len(rest)} other alarms:", end=" ")
    print(f"{len(rest) / years:.2f} per council-year")
    for one in rest[:20]:
        print("| " + " | ".join(told(reports, one)) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
