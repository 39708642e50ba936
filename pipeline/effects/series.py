"""The outcome of a pilot, week by week: recognised people who used its service, or their core actions.

Promises: only ISO weeks that lie whole in the pilot's series and are closed; attendees' use on the day, and that of
field testers during their test, is in no week; a week whose feeds were not complete has no value, never 0.
People without a pseudonym are in no outcome, since nobody can tell whether they attended. Source: indicators.md 7 f, g.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from config.catalogue import EffectPlan
from pipeline.effects.recorded import Recorded
from pipeline.history import History
from pipeline.indicators.window import Window
from pipeline.periods import Period, iso
from pipeline.quality import OK
from pipeline.rows import Row
from pipeline.sketches import OtherKeyEpoch, People, union

WEEK: Final = 7
Floats = npt.NDArray[np.float64]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One number per ISO week. `first` is the Monday of the first (an ordinal); `values[i]` and `control[i]` are None
    where a week is not complete; `complete[i]` is the share of the week that the usage feeds were heard, None where
    no feed states a rhythm."""

    first: int
    values: list[float | None]
    complete: list[float | None]
    control: list[float | None] | None = None

    def place(self, day: int) -> int:
        """The place of the week that holds a day; it may lie outside of the series."""
        return (day - self.first) // WEEK

    def between(self, first: int, last: int) -> "Series":
        """The weeks from one place to another, both included."""
        first = max(first, 0)
        return Series(
            first=self.first + WEEK * first,
            values=self.values[first : last + 1],
            complete=self.complete[first : last + 1],
            control=None if self.control is None else self.control[first : last + 1],
        )

    @property
    def log(self) -> Floats:
        """log(x + 1/2), less that of the control series where there is one; NaN where a week is not complete."""
        found = _log(self.values)
        return found if self.control is None else found - _log(self.control)


def _log(values: list[float | None]) -> Floats:
    known = np.array([np.nan if value is None else value for value in values], dtype=float)
    return np.log(known + 0.5)


def weekly(history: History, record: Recorded, plan: EffectPlan, as_of_ns: int) -> Series:
    """The series of a plan's outcome as of an instant; an empty one before a whole week is closed."""
    first, mondays = _weeks(history, as_of_ns)
    services = (None, None) if plan.control is None else (history.pilot.service, plan.control)
    complete = [history.completeness("usage", monday, monday + 6, as_of_ns) for monday in mondays]

    def values(service: str | None) -> list[float | None]:
        return [
            _value(history, record, plan.outcome, service, monday) if share is None or share >= OK else None
            for monday, share in zip(mondays, complete, strict=True)
        ]

    control = None if plan.control is None else values(services[1])
    return Series(first=first, values=values(services[0]), complete=complete, control=control)


def _weeks(history: History, as_of_ns: int) -> tuple[int, list[int]]:
    began, span = history.first_of_stream("usage"), history.span(as_of_ns)
    if began is None or span is None:
        return 0, []
    first = began + (1 - began) % WEEK  # ordinal 1 is a Monday
    found = []
    for monday in range(first, span[1] - 5, WEEK):
        window = Window(history, Period("week", iso(monday), iso(monday + 6)), as_of_ns)
        if window.closed_on(monday + 6, ("usage",)):
            found.append(monday)
    return first, found


def _value(history: History, record: Recorded, outcome: str, service: str | None, monday: int) -> float | None:
    days = range(monday, monday + WEEK)
    if outcome == "core_actions":
        return float(sum(_actions(history, record, service, day) for day in days))
    try:
        return float(union([_people(history, record, service, day) for day in days]).count)
    except OtherKeyEpoch:
        return None


def _people(history: History, record: Recorded, service: str | None, day: int) -> People:
    left_out = record.left_out.get(day, frozenset())
    if service is not None:
        return People.of(row.actor for row in _core(history, service, day) if row.actor and row.actor not in left_out)
    found = history.people("active", day)
    return found - People.of(left_out) if left_out and not found.nobody else found


def _actions(history: History, record: Recorded, service: str | None, day: int) -> int:
    left_out, partial = record.left_out.get(day, frozenset()), history.day(day)
    if partial is None:
        return 0
    if service is None and not left_out:
        return partial.core_by_people
    rows = _core(history, service, day)
    return sum(row.count for row in rows if row.actor is not None and row.actor not in left_out)


def _core(history: History, service: str | None, day: int) -> list[Row]:
    """The rows of a day's core actions, of one service or of all."""
    found = history.rows(day, day)
    return [row for row in found if row.data.get("core") is True and service in (None, row.service)]


def monday_of(day: int) -> int:
    """The Monday of the ISO week that holds a day (ordinals, of which 1 is a Monday).

    >>> [monday_of(day) for day in (1, 7, 8)]
    [1, 1, 8]
    """
    return day - (day - 1) % WEEK
