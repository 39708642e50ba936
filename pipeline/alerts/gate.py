"""What each engagement feed's days can be trusted for, and how much of each stream that leaves.

A stream is judged by the feeds that bring it: each weighs as much as it brought of the stream on its good days so far.
A feed that states a rhythm has a verdict per day; one that states none is ok, until its zero days are too many to
be chance: where Σμ/φ over a run of them exceeds 6.9, they would be seen about once in 1000, and the whole run is
`suspect`. What people enter by hand has no rhythm and is always trusted. Source: alerts.md 3.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from pipeline.alerts.baseline import Learner
from pipeline.alerts.detector import BASELINE
from pipeline.alerts.expectation import BoolArray, FloatArray

NOT_CHANCE: Final = 6.9  # Σμ/φ of zero days: exp(−6.9) is about 0.001
LEARN_DAYS: Final = 28
HALF_LIFE: Final = 28  # good days after which what a feed brought weighs half
MOST_LOST: Final = 0.1  # share of a stream that untrusted feeds may bring while it is judged
LEAST: Final = 0.5  # share of a day below which it says nothing


@dataclass(frozen=True)
class Run:
    """Days without any sign of a feed, from index `begin` on. `found` is the day on which they were too many for
    chance, `end` the first day on which it was heard again, None while it is not. `expected` events by `found`."""

    begin: int
    found: int
    end: int | None
    expected: float


@lru_cache(maxsize=32)
def suspect_runs(counts: bytes, heard: bytes, idle: bytes, weekday: int) -> tuple[Run, ...]:
    """Runs of zero days that are too many for chance, of a feed that states no rhythm; arrays (days,) as bytes.

    `counts` (float64) are its contributions, `heard` (bool) days with any event of it, `idle` (bool) days on which
    nothing is expected. Remembered by what goes in, as past days hardly ever change.
    """
    found: list[Run] = []
    sign, free = np.frombuffer(heard, np.bool_), ~np.frombuffer(idle, np.bool_)
    given, days = np.frombuffer(counts)[None, :], np.arange(len(sign))
    learner = Learner(given, free[None, :], np.ones(given.shape), (days + weekday) % 7, BASELINE)
    alone, first = np.array([0]), np.array([int(np.argmax(free)) if free.any() else 0])
    run: Run | None = None
    begin, total, expected, learned = -1, 0.0, 0.0, 0
    for day in range(len(sign)):
        if sign[day]:
            if run is not None:
                found.append(Run(run.begin, run.found, day, run.expected))
            run, begin, total, expected = None, -1, 0.0, 0.0
            learner.refit(day, alone, first)
        elif begin < 0:
            learner.refit(day, alone, first)
            begin = day
        learned += bool(free[day])
        if begin < 0 or not free[day] or learned < LEARN_DAYS:
            continue
        due = learner.expect(day)
        if np.isfinite(due.mean[0]):
            total, expected = total + float(due.mean[0] / due.phi[0]), expected + float(due.mean[0])
        if run is None and total > NOT_CHANCE:
            run = Run(begin, day, None, expected)
        if run is not None:
            learner.leave_out(0, begin, day + 1)
    return (*found, run) if run is not None else tuple(found)


def shares(brought: FloatArray, known: BoolArray, trusted: BoolArray, completeness: FloatArray) -> FloatArray:
    """How complete each stream's days are, (streams, days); 0 where too much is lost to judge.

    `brought` (feeds, streams, days): events. `known` (feeds, days): from the first sign of a feed on. `trusted`:
    verdict ok or partial, with its `completeness`. A day depends on the days before it alone.
    """
    feeds, streams, days = brought.shape
    rate, past = np.zeros((feeds, streams)), np.zeros(feeds)
    fade, found = 0.5 ** (1 / HALF_LIFE), np.zeros((streams, days))
    for day in range(days):
        here = known[:, day]
        mean = np.where(here[:, None], rate / np.maximum(past, 1e-12)[:, None], 0.0)
        mean[:, mean.sum(axis=0) <= 0] = here[:, None]  # nothing is known of who brings it: every feed does
        weight = mean / np.maximum(mean.sum(axis=0), 1e-12)
        good = trusted[:, day] & here
        lost = weight[here & ~good].sum(axis=0)
        left = (weight * np.where(good, completeness[:, day], 0.0)[:, None]).sum(axis=0)
        found[:, day] = np.where((lost > MOST_LOST + 1e-9) | (left < LEAST - 1e-9), 0.0, left)
        rate[good] = rate[good] * fade + brought[good, :, day] / np.maximum(completeness[good, day], LEAST)[:, None]
        past[good] = past[good] * fade + 1
    return found
