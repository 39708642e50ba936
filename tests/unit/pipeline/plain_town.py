"""A small made-up town whose one activity meets every condition, so that a test can break one alone."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np

from pipeline.effects import effects
from pipeline.findings import Effect
from pipeline.model import Event
from tests.unit.pipeline.making import act, catalogue, event, ns, pilot
from tests.unit.pipeline.towns import history_of

FIRST = date(2025, 1, 6)  # a Monday
WEEKS = 80
WEEK_HELD = 62
HELD = FIRST + timedelta(days=7 * WEEK_HELD + 2)
NOTICE = timedelta(days=30)
NOW = FIRST + timedelta(days=7 * WEEKS + 3)
FEEDS = [
    {"id": "app", "topic": "u", "stream": "usage", "heartbeat_every": "1h", "lateness": "1d"},
    {"id": "talk", "topic": "e", "stream": "engagement", "heartbeat_every": "1h", "lateness": "1d"},
]
PLAN: dict[str, Any] = {"outcome": "people", "window_weeks": 2, "declared": "2025-01-01"}
BASE: dict[str, Any] = {"activity_id": "w1", "method": "open_meeting", "timing_basis": "calendar"}
Change = Callable[[list[Event]], list[Event]]


def day(week: int, weekday: int = 0) -> date:
    return FIRST + timedelta(days=7 * week + weekday)


def at(on: date, hour: str = "12:00") -> str:
    return f"{on.isoformat()}T{hour}:00"


def person(number: int) -> str:
    return f"k1{number:026d}".translate(str.maketrans("0123456789", "ABCDEFGHIJ"))


@cache
def use(lift: float = 2.0, seed: int = 5) -> tuple[Event, ...]:
    """Some 30 people a week, each once; more of them in the two weeks after the activity."""
    rng = np.random.default_rng(seed)
    found = []
    for week in range(WEEKS + 1):
        n = rng.poisson(30 * (lift if week in (WEEK_HELD + 1, WEEK_HELD + 2) else 1))
        for number in rng.choice(400, size=n, replace=False):
            found.append(act(at(day(week, int(number) % 7)), person(int(number))))
    return tuple(one for one in found if one.time_ns < ns(at(NOW)))


@cache
def beats() -> tuple[Event, ...]:
    """One heartbeat per feed and day, for the whole day."""
    days = [FIRST + timedelta(days=n) for n in range((NOW - FIRST).days)]
    return tuple(
        event(
            "feed.heartbeat",
            at(one, "23:59"),
            feed=feed,
            data={"since": ns(at(one, "00:00")), "until": ns(at(one + timedelta(days=1), "00:00"))},
        )
        for one in days
        for feed in ("app", "talk")
    )


def activity(held: date = HELD, announced: date | None = None, **fields: Any) -> list[Event]:
    """An activity announced, held, and attended by six people of whom nobody used the service that day."""
    data = {**BASE, **fields}
    own = {"activity_id": data["activity_id"]}
    return [
        event("activity.scheduled", at(announced or held - NOTICE), data={**data, "starts_on": held.isoformat()}),
        event("activity.held", at(held, "18:00"), data=data),
        *(event("attendance", at(held, "18:00"), person(900 + n), data=own) for n in range(6)),
    ]


def town(
    change: Change = lambda events: events,
    plans: Iterable[dict[str, Any]] = (PLAN,),
    now: date = NOW,
    k: int = 5,
    lift: float = 2.0,
    more: Iterable[Event] = (),
    **fields: Any,
) -> list[Effect]:
    """The effects found in the town after `change` had its way with all events, and `more` were added."""
    fields = {"feeds": FEEDS, **fields}
    one = pilot(effects=list(plans), **fields)
    events = change([*use(lift), *beats(), *activity()]) + list(more)
    return effects([history_of(one, events)], catalogue(one, k=k), ns(at(now)))
