"""Who accounts for a fall: the groups, methods, channels and services of a stream, and what each used to give.

Named are only those with at least k people behind what was expected of them; the others are one part.
"""

from typing import Final

import msgspec

from pipeline.alerts.cells import Behind, may_be_named, told
from pipeline.alerts.detector import Course
from pipeline.alerts.series import WHOLE
from pipeline.alerts.streams import Streams
from pipeline.history import History
from pipeline.segments import DIMENSIONS

BACK: Final = 182  # days before the change that tell what each part used to give
GUARD: Final = 1
OTHER: Final = "other"


class Part(msgspec.Struct, frozen=True):
    """What a group gave since the change day, what its share of the expectation was, and its part of the deficit."""

    dim: str
    name: str
    observed: int
    expected: float
    share: float


def parts_of(
    history: History, streams: Streams, row: int, days: list[int], expected: float, observed: int, k: int
) -> list[Part]:
    """The parts of a fall over its judged `days`, by dimension, the one that misses most first."""
    before, missing = days_before(streams, row, days[0]), expected - observed
    if not before or missing <= 0:
        return []
    behind, within = Behind(history, streams.domain), (streams.dims[row], streams.names[row])
    found: list[Part] = []
    for dim in DIMENSIONS:
        then, people = behind.counted(_numbers(streams, before), dim, within)
        now, _ = behind.counted(_numbers(streams, days), dim, within)
        total = sum(then.values())
        shown, small = told(then, people, list(dict.fromkeys([*then, *now])), k)
        if not shown or not total:
            continue
        for name, members in [*((name, [name]) for name in shown), (OTHER, small)]:
            due = expected * sum(then[one] for one in members) / total
            seen = sum(now[one] for one in members)
            if members:
                found.append(Part(dim, name, seen, due, (due - seen) / missing))
    return sorted(found, key=lambda part: (DIMENSIONS.index(part.dim), -part.share, part.name))


def days_before(streams: Streams, row: int, begin: int) -> list[int]:
    """The judged days of a row that tell what was usual before a change."""
    past = range(max(0, begin - GUARD - BACK), begin - GUARD)
    return [day for day in past if not streams.why(row, day)]


def _numbers(streams: Streams, days: list[int]) -> list[int]:
    return [streams.first + day for day in days]


def nameable(history: History, streams: Streams, row: int, begin: int, k: int) -> bool:
    """Whether a row's numbers may be told at all."""
    before = _numbers(streams, days_before(streams, row, begin))
    return may_be_named(Behind(history, streams.domain), before, streams.dims[row], streams.names[row], k)


def accounted_for(
    history: History, streams: Streams, course: Course, row: int, index: int, wider: frozenset[int]
) -> bool:
    """Whether what fell of a row belongs to the `wider` rows: what is beside them holds up.

    What is beside them has fallen where the detector's rule would say so of the whole row.
    """
    if streams.dims[row] == WHOLE or not wider:
        return False
    behind, within = Behind(history, streams.domain), (streams.dims[row], streams.names[row])
    others = [(streams.dims[one], streams.names[one]) for one in sorted(wider)]
    begin = int(course.change_day[row, index])
    days = [day for day in range(begin, index + 1) if not streams.why(row, day)]
    before = _numbers(streams, days_before(streams, row, begin))
    all_of_it = sum(behind.counted(before, streams.dims[row], within)[0].values())
    if not all_of_it:
        return True
    expected = float((course.expected[row, days] * streams.completeness[row, days]).sum())
    due = expected * behind.beside(before, within, others) / all_of_it
    seen = behind.beside(_numbers(streams, days), within, others)
    rule = streams.rules[row]
    return due - seen < rule.least_fall or seen > rule.ratio * due
