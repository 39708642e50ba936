"""The state of each stream on each day: what is kept of it, and when it changed.

Promises: a change of state is written down once, with what it rests on, and never changed; where late events move one,
the day says so in a further record ("withdrawn" where there is no change any more). The series, a record a day, holds
what is known now. A day whose feeds cannot be trusted is "held"; one that the calendar leaves out keeps its state.
Source: alerts.md 6.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import numpy as np

from pipeline.alerts.detector import STATES, Course
from pipeline.alerts.streams import HELD, Streams, domain_of
from pipeline.model import Record
from pipeline.operations import Operations
from pipeline.periods import date_ns
from pipeline.store.port import Store

WITHDRAWN: Final = "withdrawn"
_EVER: Final = (-(1 << 62), 1 << 62)


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stream's day. `expected` events of a whole day, `se` of their logarithm and `phi` are None before the first
    fit; `why` says why the day is left out, `complete` which share of it arrived. `rule` is the version, `threshold`
    in nats."""

    state: str
    observed: int
    evidence: float
    threshold: float
    rule: int
    expected: float | None = None
    se: float | None = None
    phi: float | None = None
    complete: float = 1.0
    why: str = ""


class Change(msgspec.Struct, frozen=True):
    """A stream's state from a day on."""

    series: str
    day: str
    state: str
    inputs: dict[str, Any]


def points(streams: Streams, course: Course, index: int) -> dict[str, Point]:
    """Every stream on one day; of a kind the row that is watched that day."""
    return {name: _point(streams, course, int(rows[index]), index) for name, rows in _rows(streams).items()}


def changes(streams: Streams, course: Course) -> list[Change]:
    """Every change of state, by stream and day; all begin by learning."""
    found = []
    for name, rows in _rows(streams).items():
        held = streams.held[rows, np.arange(len(rows))]
        codes = np.where(held, len(STATES), course.state[rows, np.arange(len(rows))])
        for index in np.flatnonzero(np.diff(codes, prepend=0)).tolist():
            one = _point(streams, course, int(rows[index]), index)
            found.append(Change(name, streams.day(index), one.state, msgspec.to_builtins(one)))
    return found


def _rows(streams: Streams) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """By stream, the row that stands for it on each day."""
    found = {}
    for name in dict.fromkeys(streams.names):
        rows = np.array([row for row, one in enumerate(streams.names) if one == name])
        found[name] = rows[np.argmax(streams.watched[rows], axis=0)]
    return found


def _point(streams: Streams, course: Course, row: int, index: int) -> Point:
    why = streams.why(row, index)
    rule = streams.rules[row]
    return Point(
        state=HELD if why == HELD else STATES[int(course.state[row, index])],
        observed=int(streams.counts[row, index]),
        evidence=round(float(course.evidence[row, index]), 6),
        threshold=rule.h,
        rule=rule.version,
        expected=_known(course.expected[row, index]),
        se=_known(course.se[row, index]),
        phi=_known(course.phi[row, index]),
        complete=round(float(streams.completeness[row, index]), 6),
        why=why,
    )


def _known(number: float) -> float | None:
    return None if np.isnan(number) else round(float(number), 6)


def write_down(
    operations: Operations, pilot: str, streams: Streams, found: Iterable[Change], now_ns: int, config: str
) -> bool:
    """Add what is not on record yet; True where there was any. `config` is the catalogue's hash."""
    rows = operations.read(
        "SELECT series, day, state FROM state_change WHERE id IN "
        "(SELECT max(id) FROM state_change WHERE pilot = ? GROUP BY series, day)",
        (pilot,),
    )
    known = {(series, day): state for series, day, state in rows if domain_of(series) == streams.domain}
    there = {(one.series, one.day): one for one in found}
    new = [one for key, one in there.items() if known.get(key) != one.state]
    new += [
        Change(series, day, WITHDRAWN, {})
        for (series, day), state in known.items()
        if state != WITHDRAWN and (series, day) not in there
    ]
    if not new:
        return False
    with operations.transaction() as database:
        database.executemany(
            "INSERT INTO state_change (at_ns, pilot, series, day, state, inputs) VALUES (?,?,?,?,?,?)",
            [
                (now_ns, pilot, one.series, one.day, one.state,
                 msgspec.json.encode({**one.inputs, "config": config}).decode())
                for one in sorted(new, key=lambda one: (one.day, one.series))
            ],
        )  # fmt: skip
    return True


class StateSeries:
    """The series in a store, written where it differs from what is there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._there: dict[tuple[str, str], dict[int, bytes]] = {}

    def keep(self, pilot: str, streams: Streams, course: Course) -> None:
        """Write the days that changed; raises StoreAway, and then writes them the next time."""
        key = (pilot, streams.domain)
        if key not in self._there:
            stored = self._store.get("alert", pilot, *_EVER, key=streams.domain)
            self._there[key] = {one.time_ns: one.body for one in stored}
        there, fresh = self._there[key], list(self._records(pilot, streams, course))
        new = [one for one in fresh if there.get(one.time_ns) != one.body]
        if new:
            self._store.put(new)
            there.update({one.time_ns: one.body for one in new})

    def _records(self, pilot: str, streams: Streams, course: Course) -> Iterator[Record]:
        for index in range(streams.counts.shape[1]):
            yield Record(
                kind="alert",
                pilot=pilot,
                key=streams.domain,
                time_ns=date_ns(streams.day(index)),
                body=msgspec.json.encode(points(streams, course, index)),
            )
