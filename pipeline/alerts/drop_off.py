"""The whole past of a pilot's engagement as transitions: every drop-off that opened and closed, from its first day on.

A replay is a function of the days alone; the wall clock only says what is too long ago to tell anybody. While the total
has fallen, its kinds are recorded and tell nobody: the total's alert names them. A rare stream never tells anybody. A
segment, or a type of use, is no incident of its own while the total has fallen, or while what it misses belongs to
kinds and segments of other dimensions that had fallen before it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from pipeline.alerts.detector import FIRING, Course, Rule, watch
from pipeline.alerts.explanation import Explanation, explain, name_of, sentence, severity_on
from pipeline.alerts.parts import accounted_for, nameable
from pipeline.alerts.series import KIND as OF_KIND
from pipeline.alerts.series import WHOLE
from pipeline.alerts.streams import Streams
from pipeline.alerts.transition import BACKFILL_NS, SEVERITIES, Transition
from pipeline.history import History

KIND: Final = "drop_off"
RECORDED: Final = {"sentence": "", "reason": ""}


def replay(
    history: History, streams: Streams, now_ns: int, k: int = 0, known: Collection[tuple[str, str]] = ()
) -> list[Transition]:
    """Every transition of a pilot's streams, by stream and day; groups of fewer than k people are not named.

    Openings that are `known`, by series and day, are not explained once more: what they were told with is on record.
    """
    course, found = course_of(streams), list[Transition]()
    for one in episodes(streams, course):
        placed = _placed(history, streams, course, one)
        is_known = (streams.names[one.row], streams.day(placed.opened)) in known
        if is_known or nameable(history, streams, placed.row, placed.began, k):
            found += _told(history, streams, course, placed, now_ns, k, is_known)
    return found


@dataclass(frozen=True)
class Episode:
    """A fall from the index of the day on which its evidence began; `closed` is None while it is open. `beneath`: wider
    falls account for it all the time."""

    row: int
    began: int
    opened: int
    closed: int | None
    beneath: bool = False


def episodes(streams: Streams, course: Course) -> list[Episode]:
    """Every fall, by series in their order: never two of a series at a time, each under the row it opened with."""
    found: list[Episode] = []
    for name in dict.fromkeys(streams.names):
        rows = [row for row, one in enumerate(streams.names) if one == name]
        firing = course.state[rows] >= FIRING
        day, length = 0, firing.shape[1]
        while day < length:
            opens = firing[:, day:] & streams.watched[rows, day:]
            if not opens.any():
                break
            opened = day + int(np.argmax(opens.any(axis=0)))
            at = int(np.argmax(opens[:, opened - day]))
            after = np.flatnonzero(~firing[at, opened:])
            closed = opened + int(after[0]) if len(after) else None
            found.append(Episode(rows[at], int(course.change_day[rows[at], opened]), opened, closed))
            day = length if closed is None else closed + 1
    return found


def _placed(history: History, streams: Streams, course: Course, one: Episode) -> Episode:
    """A segment's fall from the first day on which no wider fall accounts for it."""
    if streams.dims[one.row] in (WHOLE, OF_KIND):
        return one
    asked: frozenset[int] | None = None
    end = course.state.shape[1] if one.closed is None else one.closed
    for day in range(one.opened, end):
        if course.state[0, day] >= FIRING or not _lasts(streams, course, one.row, day):
            continue
        wider = _wider(streams, course, one, day)
        if wider != asked and not accounted_for(history, streams, course, one.row, day, wider):
            return replace(one, opened=day)
        asked = wider
    return replace(one, beneath=True)


def _lasts(streams: Streams, course: Course, row: int, day: int) -> bool:
    """Whether a row still is as low as an opening takes; when the total comes back, its segments come with it."""
    rule = streams.rules[row]
    if course.state[row, day] != FIRING or course.evidence[row, day] < rule.h or streams.why(row, day):
        return False
    seen, due, _ = _week(streams, course, row, day)
    return seen <= rule.ratio * due


def _week(streams: Streams, course: Course, row: int, day: int) -> tuple[float, float, int]:
    """Observed and expected of the judged days among the last seven, and how many these are."""
    week = [one for one in range(max(0, day - 6), day + 1) if not streams.why(row, one)]
    share = streams.completeness[row, week]
    return float(streams.counts[row, week].sum()), float((course.expected[row, week] * share).sum()), len(week)


def _wider(streams: Streams, course: Course, one: Episode, day: int) -> frozenset[int]:
    """Rows of other dimensions that have fallen by a day and fell before, or on the same day and stand before."""
    return frozenset(
        row
        for row in np.flatnonzero(course.state[:, day] >= FIRING).tolist()
        if row and streams.dims[row] != streams.dims[one.row] and streams.notifies[row]
        and (_fell(course, row, day), row) < (one.opened, one.row)
    )  # fmt: skip


def _fell(course: Course, row: int, day: int) -> int:
    """The first day of the fall that holds a day."""
    before = np.flatnonzero(course.state[row, :day] < FIRING)
    return int(before[-1]) + 1 if len(before) else 0


def _told(
    history: History, streams: Streams, course: Course, one: Episode, now_ns: int, k: int, known: bool
) -> list[Transition]:
    if known or one.beneath:
        opened = _transition(history, streams, one, one.opened, now_ns, what="opened", **RECORDED)
    else:
        opened = _opened(history, streams, course, one, now_ns, k)
    worse = _worsened(history, streams, course, one, now_ns, k)
    end = [] if one.closed is None else [_closed(history, streams, course, one, one.closed, now_ns)]
    return [opened, *worse, *end]


def course_of(streams: Streams) -> Course:
    """The detector's course over a pilot's streams."""
    shape = streams.counts.shape
    return _course(
        streams.counts.tobytes(),
        np.ascontiguousarray(streams.judged).tobytes(),
        np.ascontiguousarray(streams.completeness).tobytes(),
        shape,
        int(streams.weekday[0]),
        streams.rules,
        tuple(streams.restart.tolist()),
    )


@lru_cache(maxsize=16)
def _course(
    counts: bytes,
    judged: bytes,
    completeness: bytes,
    shape: tuple[int, int],
    weekday: int,
    rules: tuple[Rule, ...],
    restart: tuple[int, ...],
) -> Course:
    """Remembered by what goes in: a live pilot is asked every few seconds, and its past days hardly ever change."""
    return watch(
        np.frombuffer(counts).reshape(shape),
        np.frombuffer(judged, np.bool_).reshape(shape),
        np.frombuffer(completeness).reshape(shape),
        (np.arange(shape[1]) + weekday) % 7,
        rules,
        np.array(restart),
    )


def _opened(history: History, streams: Streams, course: Course, one: Episode, now_ns: int, k: int) -> Transition:
    row, index = one.row, one.opened
    found = explain(history, streams, course, row, index, k)
    with_total = row > 0 and bool(course.state[0, index] >= FIRING)
    fallen = dict.fromkeys(
        name.replace("/", " ").replace("_", " ") for at, name in enumerate(streams.names[1:], 1)
        if not row and course.state[at, index] >= FIRING and streams.watched[at, index]
        and nameable(history, streams, at, one.began, k)
    )  # fmt: skip
    also = f" Fallen with it: {', '.join(fallen)}." if fallen else ""
    return _transition(
        history, streams, one, index, now_ns,
        what="opened",
        sentence=sentence(found) + also,
        reason=f"evidence of {found.evidence:.1f} reached {found.threshold:.1f}",
        severity=found.severity,
        quiet=with_total or not streams.notifies[row],
        inputs=msgspec.to_builtins(found),
    )  # fmt: skip


def _worsened(
    history: History, streams: Streams, course: Course, one: Episode, now_ns: int, k: int
) -> list[Transition]:
    """Each day of an incident on which it became graver than on any day before."""
    found: list[Transition] = []
    row, opened = one.row, one.opened
    end = course.state.shape[1] if one.closed is None else one.closed
    worst = severity_on(streams, course, row, opened)
    for index in range(opened + 1, end):
        if worst == SEVERITIES[-1]:
            break
        if streams.why(row, index) or course.state[row, index] != FIRING:
            continue
        now = severity_on(streams, course, row, index)
        if SEVERITIES.index(now) <= SEVERITIES.index(worst):
            continue
        worst = now
        said = explain(history, streams, course, row, index, k)
        worse = _transition(
            history, streams, one, index, now_ns,
            what="worsened",
            sentence=sentence(said),
            reason=f"{now}: {said.observed} of {said.expected:.0f} expected",
            severity=now,
            quiet=bool(row and course.state[0, index] >= FIRING) or not streams.notifies[row],
            inputs=msgspec.to_builtins(said),
        )  # fmt: skip
        found.append(worse)
    return found


def _closed(history: History, streams: Streams, course: Course, one: Episode, index: int, now_ns: int) -> Transition:
    row, opened = one.row, one.opened
    if index == streams.restart[row]:
        return _transition(
            history, streams, one, index, now_ns,
            what="closed",
            sentence=f"{name_of(streams.names[row])}: the level since {streams.day(opened)} is the new normal.",
            reason="new normal",
            quiet=not streams.notifies[row],
            inputs={"rule": streams.rules[row].version},
        )  # fmt: skip
    seen, due, days = _week(streams, course, row, index)
    return _transition(
        history, streams, one, index, now_ns,
        what="closed",
        sentence=f"{name_of(streams.names[row])}: {seen:.0f} again in {days} judged days, of {due:.0f} expected.",
        reason=f"recovered on {streams.rules[row].recover_days} judged days in a row",
        quiet=not streams.notifies[row],
        inputs={"observed": seen, "expected": due, "rule": streams.rules[row].version},
    )  # fmt: skip


def _transition(
    history: History, streams: Streams, one: Episode, index: int, now_ns: int, **said: object
) -> Transition:
    due_ns = streams.over_ns[index]
    return Transition(
        pilot=history.pilot.slug,
        kind=KIND,
        series=streams.names[one.row],
        day=streams.day(index),
        since=streams.day(one.opened),
        began=streams.day(one.began),
        at_ns=due_ns,
        backfill=now_ns - due_ns > BACKFILL_NS,
        beneath=one.beneath,
        **said,  # type: ignore[arg-type]
    )


def explanation_of(inputs: dict[str, object]) -> Explanation:
    """The explanation that a recorded opening rests on."""
    return msgspec.convert(inputs, Explanation)
