"""The whole past of a pilot's engagement as transitions: every drop-off that opened and closed, from its first day on.

A replay is a function of the days alone; the wall clock only says what is too long ago to tell anybody. While the total
has fallen, its streams are recorded and tell nobody: the total's alert names them. A rare stream never tells anybody.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from pipeline.alerts.detector import FIRING, Course, Rule, watch
from pipeline.alerts.explanation import Explanation, explain, name_of, sentence, severity_on
from pipeline.alerts.streams import Streams
from pipeline.alerts.transition import BACKFILL_NS, SEVERITIES, Transition
from pipeline.history import History

KIND: Final = "drop_off"
RECORDED: Final = {"sentence": "", "reason": ""}


def replay(
    history: History, streams: Streams, now_ns: int, k: int = 0, known: Collection[tuple[str, str]] = ()
) -> list[Transition]:
    """Every transition of a pilot's engagement, by stream and day; groups of fewer than k people are not named.

    Openings that are `known`, by series and day, are not explained once more: what they were told with is on record.
    """
    course = course_of(streams)
    return [
        transition
        for one in episodes(streams, course)
        for transition in _told(history, streams, course, one, now_ns, k, known)
    ]


@dataclass(frozen=True)
class Episode:
    """A fall from the index of the day on which its evidence began; `closed` is None while it is open."""

    row: int
    began: int
    opened: int
    closed: int | None


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


def _told(
    history: History,
    streams: Streams,
    course: Course,
    one: Episode,
    now_ns: int,
    k: int,
    known: Collection[tuple[str, str]],
) -> list[Transition]:
    if (streams.names[one.row], streams.day(one.opened)) in known:
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
        name for at, name in enumerate(streams.names[1:], 1)
        if not row and course.state[at, index] >= FIRING and streams.watched[at, index]
    )  # fmt: skip
    also = f" Fallen with it: {', '.join(name.replace('_', ' ') for name in fallen)}." if fallen else ""
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
    week = [day for day in range(max(0, index - 6), index + 1) if not streams.why(row, day)]
    seen, due = float(streams.counts[row, week].sum()), float(course.expected[row, week].sum())
    return _transition(
        history, streams, one, index, now_ns,
        what="closed",
        sentence=f"{name_of(streams.names[row])}: {seen:.0f} again in {len(week)} judged days, of {due:.0f} expected.",
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
        **said,  # type: ignore[arg-type]
    )


def explanation_of(inputs: dict[str, object]) -> Explanation:
    """The explanation that a recorded opening rests on."""
    return msgspec.convert(inputs, Explanation)
