"""Attempts at tasks, put together from `task.*` events.

Promises: an attempt counts once, in the period of its start; what an attempt came to is judged by what its source
said within 24 hours of its start, so that it never changes afterwards; one that nothing ended by then was abandoned.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.model import NS_PER_MS, NS_PER_S
from pipeline.rows import Row

TIMEOUT_NS: Final = 24 * 3600 * NS_PER_S
LOOK_BACK: Final = 7  # days in which the start of what ended is looked for
LOOK_AHEAD: Final = 1
_ENDS: Final = ("task.completed", "task.failed", "task.abandoned")


@dataclass(frozen=True, slots=True)
class Attempt:
    """`outcome`: completed, failed, abandoned, or open where it may yet be completed. `seconds` until it ended, or
    until it was given up; None where the source does not tell. `count` is above 1 only without pseudonyms. `day` is
    that of its start."""

    family: str
    actor: str | None
    outcome: str
    seconds: float | None
    count: int
    day: int


def attempts(rows: Iterable[tuple[int, Row]], first: int, last: int, over: Callable[[int], bool]) -> list[Attempt]:
    """The attempts that began on the days `first` to `last`, from all task events around them.

    Events with the same service, person, task_id and attempt_id are one attempt; an event without either id that
    ends something is one by itself. `over(day)` tells whether a day and the time allowed to its late events are over.
    """
    groups: dict[tuple[object, ...], list[tuple[int, Row]]] = defaultdict(list)
    for day, row in rows:
        ids = (row.data.get("task_id"), row.data.get("attempt_id"))
        if ids != (None, None):
            groups[row.service, row.actor, *map(str, ids)].append((day, row))
        elif row.type in _ENDS:
            groups[row.id, day].append((day, row))
    found = []
    for group in groups.values():
        group.sort(key=lambda one: (one[1].at_ns, one[1].type, one[1].id))
        starts = [one for one in group if one[1].type == "task.started"]
        day, begun = starts[0] if starts else group[0]
        if first <= day <= last:
            found.append(_attempt(day, begun, [row for _, row in group if row.type in _ENDS], over(day + LOOK_AHEAD)))
    return found


def _attempt(day: int, begun: Row, ends: list[Row], over: bool) -> Attempt:
    in_time = [row for row in ends if _in_time(begun, row)]
    for kind in _ENDS:
        if end := next((row for row in in_time if row.type == kind), None):
            break
    outcome = end.type.removeprefix("task.") if end else "abandoned" if over or ends else "open"
    family = str(begun.data.get("task_family") or (end.data.get("task_family") if end else "") or "unknown")
    seconds = TIMEOUT_NS / NS_PER_S if end is None else _seconds(begun, end)
    return Attempt(family, begun.actor, outcome, seconds, begun.count if begun in ends else 1, day)


def _in_time(begun: Row, end: Row) -> bool:
    took = _duration_ns(end)
    return end.at_ns - begun.at_ns <= TIMEOUT_NS and (took is None or took <= TIMEOUT_NS)


def _duration_ns(row: Row) -> float | None:
    took = row.data.get("duration_ms")
    return took * NS_PER_MS if isinstance(took, int | float) and not isinstance(took, bool) and took >= 0 else None


def _seconds(begun: Row, end: Row) -> float | None:
    took = _duration_ns(end)
    if took is None and begun.type == "task.started":
        took = max(0, end.at_ns - begun.at_ns)
    return None if took is None else took / NS_PER_S
