"""Makers of activities with all that belongs to them, for the tests of method fit."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

from pipeline.fit.activities import Gathered, gather
from pipeline.model import Event
from pipeline.periods import iso, ordinal
from pipeline.rows import Row, rows_of
from tests.unit.pipeline.making import event, pilot

FIRST = date(2026, 1, 5)
METHODS = ("survey", "open_meeting", "site_walk")
STAGES = ("co_design", "co_decide", "co_produce", "co_evaluate")
GROUPS = ("citizen", "civil_society", "business", "government", "academia")


def day_of(at_ns: int) -> int:
    """Day number of an instant, in UTC."""
    return ordinal("1970-01-01") + at_ns // (86_400 * 10**9)


def rows(events: Sequence[Event]) -> list[Row]:
    """The rows of events of any days."""
    by_day: dict[int, list[Event]] = {}
    for one in {one.event_id: one for one in events}.values():
        by_day.setdefault(day_of(one.time_ns), []).append(one)
    city = pilot()  # which looks through every time zone
    return [row for day in sorted(by_day) for row in rows_of(city, by_day[day])]


def seen(events: Sequence[Event], last: str = "2027-12-31", of: str = "test") -> Gathered:
    """What a pilot's events say of its activities."""
    kept = [one for one in rows(events) if day_of(one.at_ns) <= ordinal(last)]
    return gather(of, kept, day_of, ordinal(last), lambda _: False)


def activity(key: str, day: date, come: int | None = None, **more: object) -> list[Event]:
    """One activity that `come` nameless people attended."""
    found = [event("activity.held", f"{day}T18:00", data={"activity_id": key, **more})]
    if come is not None:
        found.append(event("attendance", f"{day}T18:05", count=come, actor_kind="citizen", data={"activity_id": key}))
    return found


def history(seed: int, activities: int = 60) -> list[Event]:
    """A random history: everything that an activity can bring, and often does not."""
    rng = random.Random(seed)
    found: list[Event] = []
    for n in range(activities):
        found += _one(rng, f"a{n}", FIRST + timedelta(days=rng.randrange(300)))
    return found


def _one(rng: random.Random, key: str, day: date) -> list[Event]:
    own = {"activity_id": key}
    about = {"stage": rng.choice(STAGES), "method": rng.choice(METHODS), "tools": rng.sample(["map", "kit"], 1), **own}
    if rng.random() < 0.8:
        about["duration_min"] = rng.choice([60, 90, 120])
        about["skills_needed"] = rng.sample(["law", "maths", "maps"], rng.randrange(1, 4))
        about["skills_present"] = rng.sample(["law", "maths", "maps"], rng.randrange(0, 3))
    if rng.random() < 0.2:
        about["attendance"] = rng.randrange(40)
    found = [event("activity.held", f"{day}T18:00", data=about)]
    people = [f"p{rng.randrange(200)}" for _ in range(rng.randrange(12))]
    for n, who in enumerate(sorted(set(people))):
        group, minute = rng.choice(GROUPS), f"T18:{n:02}"
        if rng.random() < 0.6:
            found.append(event("registration", f"{day - timedelta(days=3)}{minute}", who, data=own))
        if rng.random() < 0.8:
            found.append(event("attendance", f"{day}{minute}", who, actor_kind=group, data=own))
        if rng.random() < 0.5:
            given = {**own, "kind": "idea", "contribution_id": f"{key}-{who}"}
            found.append(event("contribution.made", f"{day}{minute}", who, data=given))
            found += _fate(rng, f"{key}-{who}", day)
        if rng.random() < 0.3:
            scores = [rng.choice([1, 2, 3, 4, 5, None]) for _ in range(3)]
            answer = {**own, "instrument": rng.choice(["participation-2"] * 3 + ["service-5"]), "scores": scores}
            answer["respondent"] = rng.choice(["participant"] * 4 + ["project_manager"])
            found.append(event("survey.response", f"{day + timedelta(days=2)}{minute}", who, data=answer))
    if rng.random() < 0.3:
        counted = {"count": rng.randrange(1, 9), "actor_kind": "citizen"}
        found.append(event("attendance", f"{day}T19:00", data=own, **counted))
    if rng.random() < 0.3:
        considered = rng.randrange(1, 9)
        closing = {"inputs_considered": considered, "inputs_adopted": rng.randrange(considered + 1)}
        found.append(event("decision.closed", f"{day}T20:00", data={**own, "decision_id": f"d{key}", **closing}))
    return found


def _fate(rng: random.Random, key: str, day: date) -> list[Event]:
    found = []
    for hour in range(rng.randrange(3)):
        fate = {"contribution_id": key, "disposition": rng.choice(["adopted", "adapted", "rejected", "none"])}
        at = f"{day + timedelta(days=5)}T{hour:02}:00"
        found.append(event("contribution.disposition", at, data=fate))
    if rng.random() < 0.6:
        at = day + timedelta(days=rng.randrange(0, 60))
        found.append(event("response.published", f"{at}T21:00", data={"contribution_ids": [key]}))
    return found


def later(day: str, days: int) -> str:
    """The date so many days later."""
    return iso(ordinal(day) + days)
