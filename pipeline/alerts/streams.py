"""From a pilot's history to what the detector judges: daily counts by stream, and which days may be judged.

The total is the pilot's contributions; beside it each kind of contribution is a stream of its own (attendances come in
bursts with each activity and are no series). A day is judged when it and its feeds' lateness are over, every engagement
feed was ok or partial that day, and nothing masks it: a closure (of the pilot's calendar or recorded in the Log), a
public holiday, or an activity that day or up to three days before. What people enter by hand has no rhythm and is not
waited for. Source: alerts.md 3.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.alerts.calendar import closed
from pipeline.alerts.detector import Rule
from pipeline.alerts.expectation import BoolArray, FloatArray, IntArray
from pipeline.history import History
from pipeline.model import NS_PER_S
from pipeline.periods import day_bounds, iso, ordinal

TOTAL: Final = "contributions"
VERSION: Final = 2
AFTER_ACTIVITY: Final = 3  # days that an activity still brings people
OK_SHARE: Final = 0.9
LEAST_MEAN: Final = 2.0  # events a day below which a stream is rare
MOST: Final = 12  # streams of a pilot, the largest first
OF_TOTAL: Final = Rule(version=VERSION, h=6.1)
OF_STREAM: Final = Rule(version=VERSION, h=8.1)
OF_RARE: Final = Rule(version=VERSION, h=6.5, k=0.25)
NO_LEVELS: Final[Mapping[str, str]] = {}
# What a day is left out for, if it is.
JUDGED, HELD, HOLIDAY, CLOSURE, ACTIVITY = "", "held", "holiday", "closure", "activity"


@dataclass(frozen=True)
class Streams:
    """A pilot's streams, the total first. Arrays are (series, days) or (days,); `why` says why a day is left out, "" of
    a judged one; `over_ns` is when each day was due."""

    first: int
    names: tuple[str, ...]
    rules: tuple[Rule, ...]
    notifies: tuple[bool, ...]
    counts: FloatArray
    completeness: FloatArray
    weekday: IntArray
    why: tuple[str, ...]
    over_ns: tuple[int, ...]
    restart: IntArray

    @property
    def judged(self) -> BoolArray:
        """(series, days): all streams of a pilot stand on the same feeds."""
        one = np.array([reason == JUDGED for reason in self.why])
        return np.broadcast_to(one, self.counts.shape)

    def day(self, index: int) -> str:
        """ISO date of a day of the arrays."""
        return iso(self.first + index)


def streams_of(history: History, as_of_ns: int, levels: Mapping[str, str] = NO_LEVELS) -> Streams | None:
    """What is known of a pilot's engagement up to its last day that is over; None before any.

    `levels` are the days from which people said that a series has a new level.
    """
    pilot = history.pilot
    feeds = [feed for feed in pilot.feeds if feed.stream == "engagement" and not feed.by_hand]
    first, span = history.first_of_stream("engagement"), history.span(as_of_ns)
    if first is None or span is None or not feeds:
        return None
    late_ns = int(max(feed.lateness.total_seconds() for feed in feeds)) * NS_PER_S
    found: list[Counter[str]] = []
    why: list[str] = []
    shares: list[float] = []
    over: list[int] = []
    busy = _busy_days(history)
    for number in range(first, span[1] + 1):
        over_ns = day_bounds(iso(number), pilot.zone)[1] + late_ns
        if over_ns > as_of_ns:
            break
        verdicts = [history.verdict(feed, number, as_of_ns) for feed in feeds]
        share = min(verdict.completeness or 1.0 for verdict in verdicts)
        healthy = all(verdict.verdict in ("ok", "partial") for verdict in verdicts)
        partial = history.day(number)
        found.append(Counter(partial.contributions if partial is not None else {}))
        why.append(_masked(history, number, busy) or (JUDGED if healthy else HELD))
        shares.append(1.0 if share >= OK_SHARE or not healthy else share)
        over.append(over_ns)
    return _as_streams(first, found, why, shares, over, levels)


def _masked(history: History, number: int, busy: set[int]) -> str:
    day = iso(number)
    if history.closed(day):
        return CLOSURE
    if closed(history.pilot, day):
        return HOLIDAY
    return ACTIVITY if number in busy else JUDGED


def _busy_days(history: History) -> set[int]:
    """Days of activities and those after them, unless they are so many that nothing would be left to judge by."""
    held = set(history.days_with(["engagement/activity.held"], 0, 1 << 30))
    busy = {day + after for day in held for after in range(AFTER_ACTIVITY + 1)}
    span = (max(held) - min(held) + 1) if held else 0
    return busy if len(busy) <= span / 2 or len(held) < 2 else set()


def _as_streams(
    first: int,
    found: list[Counter[str]],
    why: list[str],
    shares: list[float],
    over: list[int],
    levels: Mapping[str, str],
) -> Streams | None:
    if not found:
        return None
    sums = sum(found, Counter[str]())
    kinds = [kind for kind, _ in sorted(sums.items(), key=lambda one: (-one[1], one[0]))][:MOST]
    kinds = kinds if len(sums) > 1 else []
    judged = np.array([reason == JUDGED for reason in why])
    counts = np.array([[sum(day.values()) for day in found], *([day[kind] for day in found] for kind in kinds)], float)
    means = [float(row[judged].mean()) if judged.any() else 0.0 for row in counts]
    rare = [place > 0 and mean < LEAST_MEAN for place, mean in enumerate(means)]
    names = (TOTAL, *kinds)
    return Streams(
        first=first,
        names=names,
        rules=(OF_TOTAL, *(OF_RARE if one else OF_STREAM for one in rare[1:])),
        notifies=tuple(not one for one in rare),
        counts=counts,
        completeness=np.broadcast_to(np.array(shares), counts.shape),
        weekday=(np.arange(len(found)) + first - 1) % 7,  # day 1 of the calendar is a Monday
        why=tuple(why),
        over_ns=tuple(over),
        restart=np.array([max(0, ordinal(levels[name]) - first) if name in levels else 0 for name in names]),
    )
