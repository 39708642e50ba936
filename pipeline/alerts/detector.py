"""From daily counts to states: the day loop over expectation, evidence and the state machine.

    LEARNING ──28 judged days──▶ OK ◀──S < 0.6h──▶ PENDING (S ≥ 0.6h) ──fire──▶ FIRING ◀──▶ RECOVERING
        ▲                        ▲                                                              │
        └── new baseline (an input)  └──────────── recovers on 3 judged days in a row ──────────┘

Promises: states depend on the arrays alone, never on a clock, so a replay is the explanation; days that are appended
never change an earlier one; a day that is not judged leaves evidence, counters and state as they are; while an
incident is open its expectation is held, and its days, from the change day on, are never learned from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.alerts import evidence
from pipeline.alerts.baseline import Learner
from pipeline.alerts.evidence import band, band_of_window
from pipeline.alerts.expectation import WEEK, Baseline, BoolArray, FloatArray, IntArray
from pipeline.alerts.power import days_to_see

__all__ = ["STATES", "Course", "Rule", "band", "band_of_window", "days_to_see", "watch"]

STATES: Final = ("learning", "ok", "pending", "firing", "recovering")
LEARNING, OK, PENDING, FIRING, RECOVERING = range(5)
BASELINE: Final = Baseline()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """When a series fires and recovers. `h` in nats, `k` the tested share of the expected level.

    It fires where evidence ≥ h, observed ≤ `ratio` × expected and `least_fall` events are missing since the change
    day. Beside it a milder fall is tested, with `milder_k`, `milder_ratio` and a threshold of `milder_h` × h (infinite:
    it is not). It recovers where evidence < `recover_below` × threshold and the judged days among the last
    `recover_window` hold `recover_ratio` of what is expected, on `recover_days` judged days in a row; the evidence of
    the milder fall counts in that only where the other has never reached its threshold.
    """

    version: int
    h: float
    k: float = 0.5
    learn_days: int = 28
    provisional_days: int = 42
    ratio: float = 0.75
    milder_h: float = 1.2
    milder_k: float = 0.7
    milder_ratio: float = 0.8
    least_fall: float = 5.0
    pending: float = 0.6
    ceiling: float = 1.5
    recover_below: float = 0.25
    recover_ratio: float = 0.8
    recover_days: int = 3
    recover_window: int = 7


@dataclass(frozen=True)
class Course:
    """What `watch` found; every array is (series, days).

    `expected` (events of a whole day), `se` (of its logarithm) and `phi` are NaN before the first fit, `fit_day` (index
    of the day whose fit is in force) is then −1. `evidence` in nats, that of a milder fall divided by `milder_h`, so
    that one threshold serves both: of the test that leads (`milder` says which), and of the one that opened it while an
    incident is open. `state` indexes `STATES`. `change_day` is the index of the first day of its present run of
    evidence, −1 where there is none. `ratio` (observed over expected) and `deficit` (expected − observed, events) are
    of the judged days since then; NaN and 0 without a run. `recovering` counts days toward the end. `provisional` marks
    the first judged days; `learned` counts judged days.
    """

    expected: FloatArray
    se: FloatArray
    phi: FloatArray
    evidence: FloatArray
    milder: BoolArray
    state: npt.NDArray[np.int8]
    change_day: IntArray
    ratio: FloatArray
    deficit: FloatArray
    recovering: IntArray
    provisional: BoolArray
    fit_day: IntArray
    learned: IntArray


def watch(
    counts: FloatArray,
    judged: BoolArray,
    completeness: FloatArray,
    weekday: IntArray,
    rules: Sequence[Rule],
    restart: IntArray | None = None,
    *,
    baseline: Baseline = BASELINE,
) -> Course:
    """The course of many series of daily counts, from the first day to the last.

    `counts` (series, days): events per local day, ignored where not judged. `judged` (series, days): settled, feed ok
    or partial, not masked by the calendar. `completeness` (series, days): share of the day's events that arrived, 1
    where ok. `weekday` (days,): 0 = Monday, consecutive. `rules`: one per series. `restart` (series,): index of the
    first day of a new baseline, 0 for none. ValueError where shapes or weekdays do not fit.
    """
    _check(counts, judged, completeness, weekday, rules)
    run = _Run(counts, judged, completeness, weekday, rules, restart, baseline)
    for day in range(counts.shape[1]):
        run.advance(day)
    return run.course


def _check(
    counts: FloatArray, judged: BoolArray, completeness: FloatArray, weekday: IntArray, rules: Sequence[Rule]
) -> None:
    if not counts.shape == judged.shape == completeness.shape or counts.shape != (len(rules), len(weekday)):
        raise ValueError(
            f"counts {counts.shape}, judged {judged.shape} and completeness {completeness.shape} must all be "
            f"({len(rules)} rules, {len(weekday)} weekdays)"
        )
    if len(weekday) and not np.array_equal(weekday, (np.arange(len(weekday)) + weekday[0]) % WEEK):
        raise ValueError("weekday must count 0 to 6 and on from 0, one day after the other")
    if not np.isfinite(counts[judged]).all() or (counts[judged] < 0).any():
        raise ValueError("a judged day needs a count of 0 or more")
    if ((completeness[judged] <= 0) | (completeness[judged] > 1)).any():
        raise ValueError("a judged day needs a completeness above 0 and at most 1")


def _blank(series: int, days: int) -> Course:
    floats: list[FloatArray] = [np.full((series, days), np.nan) for _ in range(6)]
    whole: list[IntArray] = [np.zeros((series, days), dtype=np.int64) for _ in range(4)]
    expected, se, phi, nats, ratio, deficit = floats
    change_day, recovering, fit_day, learned = whole
    state = np.zeros((series, days), dtype=np.int8)
    milder, provisional = (np.zeros((series, days), dtype=np.bool_) for _ in range(2))
    return Course(
        expected, se, phi, nats, milder, state, change_day, ratio, deficit, recovering, provisional, fit_day, learned
    )


class _Run:
    """The state of all series between two days. Arrays (2, series): of the test of a fall, and of a milder one."""

    def __init__(
        self,
        counts: FloatArray,
        judged: BoolArray,
        completeness: FloatArray,
        weekday: IntArray,
        rules: Sequence[Rule],
        restart: IntArray | None,
        baseline: Baseline,
    ) -> None:
        series, days = counts.shape
        rule = {name: np.array([getattr(rule, name) for rule in rules]) for name in Rule.__struct_fields__}
        self.rule = rule
        self.k, self.most = np.stack([rule["k"], rule["milder_k"]]), np.stack([rule["ratio"], rule["milder_ratio"]])
        self.scale = np.stack([np.ones(series), rule["milder_h"]])
        self.h = self.scale * rule["h"]
        self.judged = judged
        self.restart = np.zeros(series, dtype=np.int64) if restart is None else restart
        self.counts = np.where(judged, counts, 0.0)
        self.completeness = np.where(judged, completeness, 1.0)
        self.learner = Learner(self.counts, judged, self.completeness, weekday, baseline)
        self.due = np.zeros((series, days))  # what was expected to arrive on judged days
        self.first = np.full(series, days)  # of the history that is learned from
        self.s = np.zeros((2, series))
        self.since = np.full((2, series), -1)
        self.seen = np.zeros((2, series))  # since the change day
        self.wanted = np.zeros((2, series))
        self.lead = np.zeros(series, dtype=np.int64)  # which test speaks
        self.grave = np.zeros(series, dtype=np.bool_)  # whether the first test has fired in the open incident
        self.state = np.full(series, LEARNING, dtype=np.int8)
        self.learned = np.zeros(series, dtype=np.int64)
        self.recovering = np.zeros(series, dtype=np.int64)
        self.course = _blank(series, days)

    def advance(self, day: int) -> None:
        """One day on, for all series."""
        self._begin_anew(np.flatnonzero((self.restart == day) & (day > 0)), day)
        judged = self.judged[:, day]
        self.learned[judged] += 1
        self.first = np.where(judged & (self.first > day), day, self.first)
        self.learner.refit(day, np.flatnonzero(self.state < FIRING), self.first)
        found = self.learner.expect(day)
        mean, phi = evidence.of_partial_day(found.mean, found.phi, self.completeness[:, day])
        live = judged & (self.learned >= self.rule["learn_days"]) & np.isfinite(found.mean)
        self.due[:, day] = np.where(live, mean, 0.0)
        gained = evidence.gain(self.counts[:, day], mean, found.se, phi, self.k)
        after = evidence.step(self.s, gained, self.rule["ceiling"] * self.h)
        self.s = np.where(live, after, self.s)
        self._follow_the_runs(day, live)
        self._move(day, live)
        self._keep(day, found.mean, found.se, found.phi)

    def _begin_anew(self, rows: IntArray, day: int) -> None:
        if len(rows) == 0:
            return
        self.learner.forget(rows, day)
        self.first[rows] = day
        self.state[rows] = LEARNING
        self.learned[rows] = 0
        self._end(rows)

    def _end(self, rows: IntArray) -> None:
        """Evidence is spent, and counters begin anew."""
        self.recovering[rows] = 0
        self.grave[rows] = False
        self.since[:, rows] = -1
        for sums in (self.s, self.seen, self.wanted):
            sums[:, rows] = 0.0

    def _follow_the_runs(self, day: int, live: BoolArray) -> None:
        """Sums since the change day; an open incident keeps its change day even when the evidence is spent."""
        spent = live & (self.s <= 0) & (self.state < FIRING)
        self.since[spent] = -1
        self.seen[spent] = 0.0
        self.wanted[spent] = 0.0
        self.since[live & (self.s > 0) & (self.since < 0)] = day
        runs = live & (self.since >= 0)
        self.seen += np.where(runs, self.counts[:, day], 0.0)
        self.wanted += np.where(runs, self.due[:, day], 0.0)

    def _move(self, day: int, live: BoolArray) -> None:
        """Transitions of the judged days; the tests see the state that the day began with."""
        rule, before, nats = self.rule, self.state.copy(), self.s / self.scale
        closed = live & (before < FIRING)
        holds = (self.wanted - self.seen >= rule["least_fall"]) & (self.seen <= self.most * self.wanted)
        leads = np.argmax(np.where(holds, nats, nats - rule["ceiling"] * rule["h"]), axis=0)
        self.lead = np.where(before < FIRING, leads, self.lead)
        fires = closed & holds & (self.s >= self.h)
        fire = fires.any(axis=0)
        self.state[closed] = np.where(nats.max(axis=0) >= rule["pending"] * rule["h"], PENDING, OK)[closed]
        self.state[fire] = FIRING
        self.grave |= fires[0] | (live & (before >= FIRING) & (self.s[0] >= self.h[0]))
        for row in np.flatnonzero(fire):
            self.learner.leave_out(int(row), int(self.since[self.lead[row], row]), day + 1)
        open_ = live & (before >= FIRING)
        left = np.where(self.grave, nats[0], nats.max(axis=0))
        recovers = open_ & (left < rule["recover_below"] * rule["h"]) & (self._lately(day) >= rule["recover_ratio"])
        self.recovering = np.where(open_, np.where(recovers, self.recovering + 1, 0), self.recovering)
        ends = recovers & (self.recovering >= rule["recover_days"])
        self.state[open_] = np.where(recovers, RECOVERING, FIRING)[open_]
        self.state[ends] = OK
        self._end(np.flatnonzero(ends))
        for row in np.flatnonzero((before >= FIRING) & ~ends):
            self.learner.leave_out(int(row), day, day + 1)

    def _lately(self, day: int) -> FloatArray:
        """Observed over expected of the judged days among the last few."""
        seen, due = np.zeros(len(self.state)), np.zeros(len(self.state))
        for length in np.unique(self.rule["recover_window"]):
            days, rows = slice(max(0, day + 1 - int(length)), day + 1), self.rule["recover_window"] == length
            counted = np.where(self.due[rows, days] > 0, self.counts[rows, days], 0.0)
            seen[rows], due[rows] = counted.sum(axis=1), self.due[rows, days].sum(axis=1)
        return np.asarray(seen / np.maximum(due, 0.5))

    def _keep(self, day: int, mean: FloatArray, se: FloatArray, phi: FloatArray) -> None:
        course, lead = self.course, self.lead[None]
        nats, since, seen, wanted = (
            np.take_along_axis(each, lead, axis=0)[0]
            for each in (self.s / self.scale, self.since, self.seen, self.wanted)
        )
        course.expected[:, day], course.se[:, day], course.phi[:, day] = mean, se, phi
        course.evidence[:, day], course.state[:, day], course.change_day[:, day] = nats, self.state, since
        course.milder[:, day] = self.lead == 1
        course.ratio[:, day] = np.where(since >= 0, seen / np.maximum(wanted, 1e-12), np.nan)
        course.deficit[:, day] = np.where(since >= 0, wanted - seen, 0.0)
        course.recovering[:, day], course.learned[:, day] = self.recovering, self.learned
        course.provisional[:, day] = self.learned < self.rule["provisional_days"]
        course.fit_day[:, day] = self.learner.fit_day
