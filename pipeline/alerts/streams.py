"""From a pilot's history to what the detector judges: daily counts by series, and which days may be judged.

Two sets of streams exist, each judged by its own feeds: contributions (attendances come in bursts with each activity
and are no series) and use. A day is judged when it and its feeds' lateness are over, the feeds that bring the stream
can be trusted (`gate`), and nothing masks it: a closure (of the pilot's calendar or recorded in the Log), a public
holiday, or an activity that day or up to three days before. Which series there are, and by which rule each is watched,
is `series`. Source: alerts.md 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from config.catalogue import Feed
from pipeline.alerts import gate
from pipeline.alerts.calendar import closed
from pipeline.alerts.detector import Rule
from pipeline.alerts.expectation import BoolArray, FloatArray, IntArray
from pipeline.alerts.gate import Run
from pipeline.alerts.series import OF_STREAM, OF_TOTAL, TOTAL, VERSION, rows_of, tally
from pipeline.history import LIVE_DAYS, History
from pipeline.model import NS_PER_S
from pipeline.periods import day_bounds, day_of, iso, ordinal
from pipeline.segments import USE

__all__ = [
    "DOMAINS", "ENGAGEMENT", "OF_STREAM", "OF_TOTAL", "TOTAL", "VERSION", "FeedCourse", "Streams", "domain_of",
    "streams_of",
]  # fmt: skip

ENGAGEMENT: Final = "engagement"
DOMAINS: Final = (ENGAGEMENT, USE)
AFTER_ACTIVITY: Final = 3  # days that an activity still brings people
OK_SHARE: Final = 0.9
NO_LEVELS: Final[Mapping[str, str]] = {}
# What a day is left out for, if it is.
JUDGED, HELD, HOLIDAY, CLOSURE, ACTIVITY = "", "held", "holiday", "closure", "activity"
TRUSTED: Final = ("ok", "partial", "no rhythm", "by hand")


@dataclass(frozen=True)
class FeedCourse:
    """A feed's verdict on each day, the completeness of it, and the runs in which it was suspect."""

    feed: str
    verdicts: tuple[str, ...]
    completeness: FloatArray
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Streams:
    """A pilot's contributions or use as streams, the total first. A kind has a row as a common and one as a rare
    stream, and on each day `watched` says which of them may open an incident. `dims` says what each row is (`series`).

    Arrays are (rows, days) or (days,). `masks` says what the calendar leaves a day out for, "" where nothing;
    `held` where the feeds that bring the stream cannot be trusted. `over_ns` is when each day was due. `feeds` and
    `brought` (feeds, rows, days) tell who brought what.
    """

    domain: str
    first: int
    names: tuple[str, ...]
    dims: tuple[str, ...]
    rules: tuple[Rule, ...]
    notifies: tuple[bool, ...]
    counts: FloatArray
    completeness: FloatArray
    weekday: IntArray
    masks: tuple[str, ...]
    held: BoolArray
    watched: BoolArray
    over_ns: tuple[int, ...]
    restart: IntArray
    feeds: tuple[FeedCourse, ...]
    brought: FloatArray

    @property
    def judged(self) -> BoolArray:
        """(rows, days)."""
        free = np.array([mask == JUDGED for mask in self.masks])
        return np.asarray(free & ~self.held)

    def why(self, row: int, index: int) -> str:
        """Why a day of a row is left out, "" of a judged one."""
        return self.masks[index] or (HELD if self.held[row, index] else JUDGED)

    def day(self, index: int) -> str:
        """ISO date of a day of the arrays."""
        return iso(self.first + index)


def domain_of(series: str) -> str:
    """Whose stream a series is.

    >>> domain_of("usage/session.started"), domain_of("group/citizen")
    ('usage', 'engagement')
    """
    return USE if series.partition("/")[0] == USE else ENGAGEMENT


def streams_of(
    history: History, as_of_ns: int, levels: Mapping[str, str] = NO_LEVELS, domain: str = ENGAGEMENT
) -> Streams | None:
    """What is known of a pilot's engagement, or use, up to its last day that is over; None before any.

    `levels` are the days from which people said that a series has a new level. What a feed brought that is out of use
    is in no series, so that its end is no fall.
    """
    today = day_of(as_of_ns, history.pilot.zone)
    used = [feed for feed in history.pilot.feeds if feed.stream == domain]
    feeds, over_with = [one for one in used if not one.over(today)], [one.id for one in used if one.over(today)]
    first, last = history.first_of_stream(domain), _last(history, as_of_ns)
    gated = [feed for feed in feeds if not feed.by_hand]
    if first is None or last is None or not gated:
        return None
    late_ns = int(max(feed.lateness.total_seconds() for feed in gated)) * NS_PER_S
    over = [day_bounds(iso(number), history.pilot.zone)[1] + late_ns for number in range(first, last + 1)]
    over = over[: next((place for place, over_ns in enumerate(over) if over_ns > as_of_ns), len(over))]
    if not over:
        return None
    busy = _busy_days(history)
    masks = tuple(_masked(history, number, busy) for number in range(first, first + len(over)))
    return _as_streams(history, domain, feeds, over_with, first, masks, tuple(over), levels, as_of_ns)


def _last(history: History, as_of_ns: int) -> int | None:
    """The last day of the series; a feed without rhythm may be silent for weeks before that is its end."""
    span = history.span(as_of_ns)
    if span is None:
        return None
    today = ordinal(day_of(as_of_ns, history.pilot.zone))
    return max(span[1], min(today, history.last_heard() + LIVE_DAYS))


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
    history: History,
    domain: str,
    feeds: list[Feed],
    over_with: list[str],
    first: int,
    masks: tuple[str, ...],
    over: tuple[int, ...],
    levels: Mapping[str, str],
    as_of_ns: int,
) -> Streams:
    days = range(first, first + len(over))
    found = tally(history, domain, days, [feed.id for feed in feeds], over_with)
    weekday = (np.arange(len(over)) + first - 1) % 7  # day 1 of the calendar is a Monday
    idle = np.array([mask != JUDGED for mask in masks])
    courses = [
        _course_of(history, feed, days, found.brought[at, 0], idle, int(weekday[0]), as_of_ns)
        for at, feed in enumerate(feeds)
    ]
    trusted = np.array([[verdict in TRUSTED for verdict in one.verdicts] for one in courses] + [[True] * len(over)])
    known = np.array([[verdict != "new" for verdict in one.verdicts] for one in courses] + [[True] * len(over)])
    known[-1] = np.maximum.accumulate(found.brought[-1, 0] > 0)
    complete = np.array([one.completeness for one in courses] + [np.ones(len(over))])
    share = gate.shares(found.brought, known, trusted, complete)
    held = share <= 0
    share[held | (share >= OK_SHARE)] = 1.0
    rows = rows_of(found, ~held & ~idle)
    at = list(rows.series)
    names = tuple(found.names[one] for one in at)
    return Streams(
        domain=domain,
        first=first,
        names=names,
        dims=tuple(found.dims[one] for one in at),
        rules=rows.rules,
        notifies=rows.notifies,
        counts=found.counts[at],
        completeness=share[at],
        weekday=weekday,
        masks=masks,
        held=held[at],
        watched=rows.watched,
        over_ns=over,
        restart=np.array([max(0, ordinal(levels[name]) - first) if name in levels else 0 for name in names]),
        feeds=tuple(courses),
        brought=found.brought[:-1, at],
    )


def _course_of(
    history: History,
    feed: Feed,
    days: range,
    counts: FloatArray,
    idle: BoolArray,
    weekday: int,
    as_of_ns: int,
) -> FeedCourse:
    """Verdicts "new" before the feed was first heard, ok, partial, poor, silent, "no rhythm", suspect or "by hand"."""
    begun = history.first_of_feed(feed.id)
    if begun is None:
        return FeedCourse(feed.id, ("new",) * len(days), np.zeros(len(days)), ())
    runs: tuple[Run, ...] = ()
    complete, verdicts = np.ones(len(days)), ["new" if day < begun else "ok" for day in days]
    known = [place for place, day in enumerate(days) if day >= begun]
    if feed.by_hand or feed.heartbeat_every is None:
        heard = np.array(
            [(day := history.feed_day(feed.id, number)) is not None and day.messages > 0 for number in days]
        )
        for place in known:
            verdicts[place] = "by hand" if feed.by_hand else "no rhythm"
        if not feed.by_hand and known:
            start = known[0]
            found = gate.suspect_runs(
                np.ascontiguousarray(counts[start:]).tobytes(),
                heard[start:].tobytes(),
                idle[start:].tobytes(),
                (weekday + start) % 7,
            )
            runs = tuple(
                Run(one.begin + start, one.found + start, None if one.end is None else one.end + start, one.expected)
                for one in found
            )
        for one in runs:
            for place in range(one.begin, len(days) if one.end is None else one.end):
                verdicts[place], complete[place] = "suspect", 0.0
    else:
        for place in known:
            said = history.verdict(feed, days[place], as_of_ns)
            share = 0.0 if said.completeness is None else said.completeness
            verdicts[place], complete[place] = said.verdict, 1.0 if said.verdict == "ok" else share
    return FeedCourse(feed.id, tuple(verdicts), complete, runs)
