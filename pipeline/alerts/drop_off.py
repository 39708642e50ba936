"""The whole past of a pilot's engagement as transitions: every drop-off that opened and closed, from its first day on.

A replay is a function of the days alone; the wall clock only says what is too long ago to tell anybody. While the total
has fallen, its streams are recorded and tell nobody: the total's alert names them. A rare stream never tells anybody.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

import msgspec
import numpy as np

from pipeline.alerts.detector import FIRING, Course, Rule, watch
from pipeline.alerts.explanation import Explanation, explain, name_of, sentence, severity_on
from pipeline.alerts.streams import NO_LEVELS, Streams, streams_of
from pipeline.alerts.transition import BACKFILL_NS, SEVERITIES, Transition
from pipeline.history import History

KIND: Final = "drop_off"
RECORDED: Final = {"sentence": "", "reason": ""}


def replay(
    history: History,
    as_of_ns: int,
    now_ns: int,
    k: int = 0,
    levels: Mapping[str, str] = NO_LEVELS,
    known: Collection[tuple[str, str]] = (),
) -> list[Transition]:
    """Every transition of a pilot's engagement, by stream and day; groups of fewer than k people are not named.

    Openings that are `known`, by series and day, are not explained once more: what they were told with is on record.
    """
    streams = streams_of(history, as_of_ns, levels)
    if streams is None:
        return []
    course = course_of(streams)
    found: list[Transition] = []
    for row in range(len(streams.names)):
        firing = course.state[row] >= FIRING
        opened = -1
        for day in np.flatnonzero(np.diff(firing, prepend=False)):
            index = int(day)
            if firing[index]:
                opened = index
                if (streams.names[row], streams.day(index)) in known:
                    found.append(_transition(history, streams, row, index, index, now_ns, what="opened", **RECORDED))
                else:
                    found.append(_opened(history, streams, course, row, index, now_ns, k))
            else:
                found += _worsened(history, streams, course, row, opened, index, now_ns, k)
                found.append(_closed(history, streams, course, row, opened, index, now_ns))
        if firing[-1]:
            found += _worsened(history, streams, course, row, opened, len(firing), now_ns, k)
    return found


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


def _opened(
    history: History, streams: Streams, course: Course, row: int, index: int, now_ns: int, k: int
) -> Transition:
    found = explain(history, streams, course, row, index, k)
    with_total = row > 0 and bool(course.state[0, index] >= FIRING)
    fallen = [name for at, name in enumerate(streams.names[1:], 1) if not row and course.state[at, index] >= FIRING]
    also = f" Fallen with it: {', '.join(name.replace('_', ' ') for name in fallen)}." if fallen else ""
    return _transition(
        history, streams, row, index, index, now_ns,
        what="opened",
        sentence=sentence(found) + also,
        reason=f"evidence of {found.evidence:.1f} reached {found.threshold:.1f}",
        severity=found.severity,
        quiet=with_total or not streams.notifies[row],
        inputs=msgspec.to_builtins(found),
    )  # fmt: skip


def _worsened(
    history: History, streams: Streams, course: Course, row: int, opened: int, end: int, now_ns: int, k: int
) -> list[Transition]:
    """Each day of an incident on which it became graver than on any day before."""
    found: list[Transition] = []
    worst = severity_on(streams, course, row, opened)
    for index in range(opened + 1, end):
        if worst == SEVERITIES[-1]:
            break
        if streams.why[index] or course.state[row, index] != FIRING:
            continue
        now = severity_on(streams, course, row, index)
        if SEVERITIES.index(now) <= SEVERITIES.index(worst):
            continue
        worst = now
        said = explain(history, streams, course, row, index, k)
        worse = _transition(
            history, streams, row, index, opened, now_ns,
            what="worsened",
            sentence=sentence(said),
            reason=f"{now}: {said.observed} of {said.expected:.0f} expected",
            severity=now,
            quiet=bool(row and course.state[0, index] >= FIRING) or not streams.notifies[row],
            inputs=msgspec.to_builtins(said),
        )  # fmt: skip
        found.append(worse)
    return found


def _closed(
    history: History, streams: Streams, course: Course, row: int, opened: int, index: int, now_ns: int
) -> Transition:
    if index == streams.restart[row]:
        return _transition(
            history, streams, row, index, opened, now_ns,
            what="closed",
            sentence=f"{name_of(streams.names[row])}: the level since {streams.day(opened)} is the new normal.",
            reason="new normal",
            quiet=not streams.notifies[row],
            inputs={"rule": streams.rules[row].version},
        )  # fmt: skip
    week = [day for day in range(max(0, index - 6), index + 1) if not streams.why[day]]
    seen, due = float(streams.counts[row, week].sum()), float(course.expected[row, week].sum())
    return _transition(
        history, streams, row, index, opened, now_ns,
        what="closed",
        sentence=f"{name_of(streams.names[row])}: {seen:.0f} again in {len(week)} judged days, of {due:.0f} expected.",
        reason=f"recovered on {streams.rules[row].recover_days} judged days in a row",
        quiet=not streams.notifies[row],
        inputs={"observed": seen, "expected": due, "rule": streams.rules[row].version},
    )  # fmt: skip


def _transition(
    history: History, streams: Streams, row: int, index: int, opened: int, now_ns: int, **said: object
) -> Transition:
    due_ns = streams.over_ns[index]
    return Transition(
        pilot=history.pilot.slug,
        kind=KIND,
        series=streams.names[row],
        day=streams.day(index),
        since=streams.day(opened),
        at_ns=due_ns,
        backfill=now_ns - due_ns > BACKFILL_NS,
        **said,  # type: ignore[arg-type]
    )


def explanation_of(inputs: dict[str, object]) -> Explanation:
    """The explanation that a recorded opening rests on."""
    return msgspec.convert(inputs, Explanation)
