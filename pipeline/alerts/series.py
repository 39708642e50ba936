"""What is counted of a pilot, day by day: a total, its kinds, and the segments of people that make it up.

Promise: what a series is, rare or not and among those that are watched, is said per day from the days before it alone,
so that later data never change under which rule something was told. Source: alerts.md 3.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.alerts.detector import Rule
from pipeline.alerts.expectation import BoolArray, FloatArray, IntArray
from pipeline.history import History
from pipeline.partials import Partial
from pipeline.segments import ACTIVITY, DIMENSIONS, UNKNOWN, USE, named

TOTAL: Final = "contributions"
VERSION: Final = 5
LEAST_MEAN: Final = 2.0  # events a day below which a series is rare
MOST: Final = 12  # kinds of a pilot, and segments of each dimension, the largest first
WINDOW: Final = 182  # days that tell a series' volume
GUARD: Final = 14
OF_TOTAL: Final = Rule(version=VERSION, h=6.1)
OF_STREAM: Final = Rule(version=VERSION, h=8.1)
OF_RARE: Final = Rule(version=VERSION, h=6.5, k=0.25, milder_h=np.inf)
# Twelve segments of a pilot's 25 contributions a day, beside its total, raised 0.56 false alarms a year at 8.1, 0.03 at
# 11 (docs/alerts.md): the pilot's budget is one.
OF_SEGMENT: Final = Rule(version=VERSION, h=11.0, milder_h=np.inf)
# What a row is: of contributions the total, a kind or a segment's dimension; of use the total or a type.
WHOLE, KIND, TYPE = "total", "kind", "type"
UNSAID: Final = (UNKNOWN, "other")


@dataclass(frozen=True)
class Tally:
    """Counts (series, days), the total first, and (feeds, series, days) of what each brought; the last feed stands for
    those that the pilot no longer names. `dims` says what each series is."""

    names: tuple[str, ...]
    dims: tuple[str, ...]
    counts: FloatArray
    brought: FloatArray


@dataclass(frozen=True)
class Rows:
    """Which series are watched by which rule, and on which days (rows, days)."""

    series: tuple[int, ...]
    rules: tuple[Rule, ...]
    notifies: tuple[bool, ...]
    watched: BoolArray


def tally(history: History, domain: str, days: range, feeds: Sequence[str], without: Sequence[str] = ()) -> Tally:
    """What a pilot's days hold of contributions ("engagement") or of use ("usage"), `without` that of some feeds."""
    partials = [history.day(number) for number in days]
    carried = _use(partials) if domain == USE else _contributions(history, partials)
    keys = sorted({key for day in carried for given in day.values() for key in given}, key=_order)
    place = {key: at + 1 for at, key in enumerate(keys)}
    brought = np.zeros((len(feeds) + 1, len(keys) + 1, len(days)))
    at_feed = {feed: at for at, feed in enumerate(feeds)}
    for day, by_feed in enumerate(carried):
        for feed, given in by_feed.items():
            if feed in without:
                continue
            for key, number in given.items():
                brought[at_feed.get(feed, len(feeds)), place[key], day] += number
    parts = [place[key] for key in keys if key[0] in (WHOLE, KIND)]
    brought[:, 0] = brought[:, parts].sum(axis=1)
    whole = [
        place[key] for key in keys if key[0] == WHOLE
    ]  # use states its total, as events of any type are part of it
    brought, keys = np.delete(brought, whole, axis=1), [key for key in keys if key[0] != WHOLE]
    return Tally(
        names=(USE if domain == USE else TOTAL, *(name for _, name in keys)),
        dims=(WHOLE, *(dim for dim, _ in keys)),
        counts=brought.sum(axis=0),
        brought=brought,
    )


Key = tuple[str, str]
Carried = Sequence[Mapping[str, Mapping[Key, int]]]


def _order(key: Key) -> tuple[int, str]:
    return (WHOLE, KIND, TYPE, *DIMENSIONS).index(key[0]), key[1]


def _contributions(history: History, partials: Sequence[Partial | None]) -> Carried:
    methods, found = methods_of(history), list[dict[str, Counter[Key]]]()
    for partial in partials:
        day: dict[str, Counter[Key]] = {}
        for feed, kinds in (partial.carried if partial is not None else {}).items():
            day.setdefault(feed, Counter()).update({(KIND, kind): number for kind, number in kinds.items()})
        for feed, segments in (partial.segments if partial is not None else {}).items():
            for name, number in segments.items():
                dim, _, word = name.partition("/")
                if dim == ACTIVITY:
                    dim, word = "method", methods.get(word, UNKNOWN)
                if dim in DIMENSIONS:
                    day.setdefault(feed, Counter())[dim, named(dim, word)] += number
        found.append(day)
    return found


def _use(partials: Sequence[Partial | None]) -> Carried:
    return [
        {
            feed: {
                (WHOLE if name == USE else TYPE, name): number
                for name, number in segments.items()
                if name.partition("/")[0] == USE
            }
            for feed, segments in (partial.segments if partial is not None else {}).items()
        }
        for partial in partials
    ]


def methods_of(history: History) -> dict[str, str]:
    """The method of each activity that was held."""
    days = history.days_with(["engagement/activity.held"], 0, 1 << 30)
    return {
        one.activity_id: one.method for day in days if (known := history.day(day)) is not None for one in known.held
    }


def rows_of(found: Tally, judged: BoolArray) -> Rows:
    """The total, and every series with enough events on some day; kinds once more as rare ones.

    `judged` (series, days). A dimension is watched where it has two words, and no row where nothing is said of it.
    """
    days = found.counts.shape[1]
    common = _common(found.counts, judged)
    series, rules, notifies, watched = (
        [0],
        [OF_STREAM if found.names[0] == USE else OF_TOTAL],
        [True],
        [np.full(days, True)],
    )
    for dim in (KIND, TYPE, *DIMENSIONS):
        group = np.array([at for at, one in enumerate(found.dims) if one == dim], int)
        if not len(group):
            continue
        largest = _largest(found.counts[group])
        for place in np.argsort(-found.counts[group].sum(axis=1), kind="stable"):
            at = int(group[place])
            often, seldom = common[at] & largest[place], ~common[at] & largest[place]
            if dim == KIND:
                offered = [(OF_STREAM, often), (OF_RARE, seldom)]
            else:
                said = found.names[at].partition("/")[2] not in UNSAID
                offered = [(OF_SEGMENT, often)] if said else []
            for rule, when in offered:
                if when.any():
                    series, rules = [*series, at], [*rules, rule]
                    notifies, watched = [*notifies, rule is not OF_RARE], [*watched, when]
    return Rows(tuple(series), tuple(rules), tuple(notifies), np.array(watched))


def _common(counts: FloatArray, judged: BoolArray) -> BoolArray:
    """Where the mean of the judged days of the half year before, without the last two weeks, is no rare stream's."""
    total = np.pad(np.cumsum(np.where(judged, counts, 0.0), axis=1), ((0, 0), (1, 0)))
    number = np.pad(np.cumsum(judged, axis=1), ((0, 0), (1, 0)))
    days: IntArray = np.arange(counts.shape[1])
    end, begin = np.maximum(days - GUARD, 0), np.maximum(days - GUARD - WINDOW, 0)
    number_judged = np.maximum(number[:, end] - number[:, begin], 1)
    return np.asarray(total[:, end] - total[:, begin] >= LEAST_MEAN * number_judged)


def _largest(counts: FloatArray) -> BoolArray:
    """(series, days): those with the most events up to each day, where there is more than one."""
    total = np.cumsum(counts, axis=1)
    place = np.argsort(np.argsort(-total, axis=0, kind="stable"), axis=0)
    return np.asarray((place < MOST) & (total > 0) & ((total > 0).sum(axis=0) > 1))
