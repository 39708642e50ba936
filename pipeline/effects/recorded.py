"""What is on record around a pilot's activities: when they were announced and held, and what else happened then."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, Final

import holidays
import msgspec

from config.catalogue import Pilot
from pipeline.feed_days import instant
from pipeline.history import History
from pipeline.periods import day_of, ordinal
from pipeline.rows import Row

TESTING: Final = ("fieldtest.signup", "fieldtest.task_assigned", "fieldtest.task_done", "fieldtest.withdrawn")
TEST_ENDS: Final = ("fieldtest.task_done", "fieldtest.withdrawn")
CHANGES: Final = {
    "service.released": "a release",
    "service.outage": "an outage",
    "service.price_changed": "a change of price",
    "definition.changed": "a change of definition",
}
READ: Final = ("activity.", "attendance", "fieldtest.", *CHANGES)
LATEST_NS: Final = 1 << 62
LONGEST_TEST: Final = 28  # days that a field test lasts where no end of it is recorded


class Announced(msgspec.Struct, frozen=True):
    """One `activity.scheduled`: the day it was recorded, the day it named ("" if none)."""

    on: int
    for_day: str


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One activity that was held, with all that the conditions ask of it; days are ordinals.

    `people` are attendances of single persons, `heads` what is known only as a number.
    """

    id: str
    day: int
    last_day: int
    method: str
    bases: frozenset[str]
    announced: tuple[Announced, ...]
    people: int
    heads: int
    synthetic: bool


class Disturbance(msgspec.Struct, frozen=True, order=True):
    """Something else that moves use, from day to day (ordinals, both included)."""

    first: int
    last: int
    what: str


class Recorded(msgspec.Struct, frozen=True):
    """`left_out` are, by day, the pseudonyms whose use of that day an activity brought about itself."""

    activities: list[Activity]
    disturbances: list[Disturbance]
    left_out: dict[int, frozenset[str]]


def recorded(history: History) -> Recorded:
    """Everything on record in a pilot's rows, in order of day; holidays and closures among the disturbances."""
    rows = list(_rows(history))
    days = [ordinal(partial.day) for partial in history.all_days()]
    disturbances = list(_changes(history.pilot, rows))
    if days:
        disturbances += _closed(history, min(days), max(days))
    return Recorded(_activities(rows), sorted(disturbances), _left_out(rows, max(days, default=0)))


def _rows(history: History) -> Iterator[tuple[int, Row]]:
    """Day and row, of the days on which anything of interest was counted."""
    for partial in history.all_days():
        if any(_read(name.partition("/")[2]) for name in partial.counts):
            day = ordinal(partial.day)
            for row in history.rows(day, day):
                if _read(row.type):
                    yield day, row


def _read(type_: str) -> bool:
    return type_.startswith(READ)


def _activities(rows: list[tuple[int, Row]]) -> list[Activity]:
    of: dict[str, list[tuple[int, Row]]] = defaultdict(list)
    for day, row in rows:
        if activity := _text(row.data.get("activity_id")):
            of[activity].append((day, row))
    cancelled = {key for key, mine in of.items() if any(row.type == "activity.cancelled" for _, row in mine)}
    found = [_activity(key, mine) for key, mine in of.items() if key not in cancelled]
    return sorted((one for one in found if one), key=lambda one: (one.day, one.id))


def _activity(key: str, rows: list[tuple[int, Row]]) -> Activity | None:
    held = [(day, row) for day, row in rows if row.type == "activity.held"]
    if not held:
        return None
    scheduled = [(day, row) for day, row in rows if row.type == "activity.scheduled"]
    attended = [row for _, row in rows if row.type == "attendance"]
    people = sum(row.count for row in attended if row.count == 1)
    counted = sum(row.count for row in attended if row.count > 1)
    stated = max((_number(row.data.get("attendance")) for _, row in held), default=0)
    return Activity(
        id=key,
        day=held[0][0],
        last_day=held[-1][0],
        method=_text(held[-1][1].data.get("method")),
        bases=frozenset(_text(row.data.get("timing_basis")) or "unknown" for _, row in scheduled or held)
        | {basis for _, row in held if (basis := _text(row.data.get("timing_basis")))},
        announced=tuple(Announced(day, _starts(row.data)) for day, row in scheduled),
        people=people,
        heads=max(counted, stated - people, 0),
        synthetic=held[-1][1].synthetic,
    )


def _starts(data: dict[str, Any]) -> str:
    return (_text(data.get("starts_on")) or _text(data.get("starts_at")))[:10]


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _number(given: object) -> int:
    return int(given) if isinstance(given, int | float) and not isinstance(given, bool) and given > 0 else 0


def _changes(pilot: Pilot, rows: Iterable[tuple[int, Row]]) -> Iterator[Disturbance]:
    for day, row in rows:
        if row.type in CHANGES:
            first = _day(pilot, row.data.get("start") or row.data.get("since")) or day
            last = _day(pilot, row.data.get("end") or row.data.get("until")) or day
            yield Disturbance(min(first, day), max(last, day, first), CHANGES[row.type])


def _day(pilot: Pilot, given: object) -> int | None:
    """The local day of an ISO date, or of a time as sources write it; None where there is none."""
    if isinstance(given, str) and len(given) <= 10:
        try:
            return date.fromisoformat(given).toordinal()
        except ValueError:
            return None
    at = instant(given, 0)
    return ordinal(day_of(at, pilot.zone)) if 0 < at < LATEST_NS else None


def _closed(history: History, first: int, last: int) -> Iterator[Disturbance]:
    """Public holidays, and closures of the file and of those that somebody recorded."""
    calendar = history.pilot.calendar
    for one in calendar.closures:
        yield Disturbance(one.first.toordinal(), one.last.toordinal(), f"a closure ({one.reason})")
    for partial in history.all_days():
        for start, end in partial.closures:
            yield Disturbance(ordinal(start), ordinal(end), "a closure")
    if calendar.holidays:
        for year in range(date.fromordinal(first).year, date.fromordinal(last).year + 1):
            for day, name in _public(calendar.holidays, year):
                yield Disturbance(day, day, f"a holiday ({name})")


@lru_cache(maxsize=512)
def _public(code: str, year: int) -> tuple[tuple[int, str], ...]:
    country, _, part = code.partition("-")
    found = holidays.country_holidays(country, subdiv=part or None, years=year)
    return tuple(sorted((day.toordinal(), str(name)) for day, name in found.items()))


def own_use(history: History, activity: Activity, first: int, last: int) -> int:
    """Core actions between two days that name the activity they belong to."""
    return sum(
        row.count
        for row in history.rows(first, last)
        if row.data.get("core") is True and row.data.get("activity_id") == activity.id
    )


def _left_out(rows: list[tuple[int, Row]], newest: int) -> dict[int, frozenset[str]]:
    """Attendees on the day itself, and testers from their sign-up to the end of their test."""
    found: dict[int, set[str]] = defaultdict(set)
    tests: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for day, row in rows:
        if row.actor is None:
            continue
        if row.type == "attendance":
            found[day].add(row.actor)
        elif row.type in TESTING:
            test = _text(row.data.get("fieldtest_id")) or _text(row.data.get("activity_id"))
            tests[row.actor, test].append((day, row.type))
    for (actor, _), steps in tests.items():
        first = min(day for day, _ in steps)
        ends = [day for day, type_ in steps if type_ in TEST_ENDS]
        last = max(ends) if ends else min(newest, max(day for day, _ in steps) + LONGEST_TEST)
        for day in range(first, last + 1):
            found[day].add(actor)
    return {day: frozenset(actors) for day, actors in sorted(found.items())}
