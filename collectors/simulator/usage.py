"""What people do with the service on one day: visits, core actions, sessions, tasks, registrations."""

from typing import Any

import numpy as np

from collectors.simulator.chance import NS_PER_MS, iso, rng_of
from collectors.simulator.envelope import Happening
from collectors.simulator.world import City

_NOVELTY_DAYS, _NOVELTY = 7, 2.2  # people come more often in their first week
_RELEASE_DAYS = 182
_MINUTE_NS = 60_000_000_000


def of_day(city: City, day: int) -> list[Happening]:
    """All usage of one local day, unsorted; the same whenever and in whatever order it is asked for."""
    people, habit = city.people, city.habit
    rng = rng_of(city.seed, city.pilot.slug, "usage", day)
    mean = people.rate * city.use_factor(day)
    mean[(day - people.arrival) <= _NOVELTY_DAYS] *= _NOVELTY
    new = (people.arrival == day) & (people.rate > 0)
    visits = np.flatnonzero(new | (people.present(day) & (rng.random(len(mean)) < -np.expm1(-mean))))
    times = city.times(day, len(visits), rng)
    actions = 1 + rng.poisson(habit.extra_actions, len(visits))
    extras = rng.random((len(visits), 2))
    seconds = rng.integers(20, 1500, len(visits))
    found: list[Happening] = []
    for n, who in enumerate(visits):
        at = times[n]
        if new[who]:
            found.append(act(city, int(who), at - 30_000 * NS_PER_MS, "service.registered", {}))
        for k in range(actions[n]):
            found.append(core_action(city, int(who), at + k * 4 * _MINUTE_NS))
        if extras[n, 0] < habit.session_share:
            found += _session(city, int(who), at, int(seconds[n]), f"{day}-{n}")
        if extras[n, 1] < habit.task_share:
            found.append(_task(city, int(who), at + 2 * _MINUTE_NS, int(seconds[n]), f"{day}-{n}"))
    first, after = city.bounds(day)
    found = [event._replace(time_ns=min(max(event.time_ns, first), after - NS_PER_MS)) for event in found]
    return found + _releases(city, day)


def core_action(city: City, who: int, time_ns: int) -> Happening:
    """One use of the service that counts."""
    rhythm = {"natural_cadence": city.habit.cadence} if city.habit.cadence else {}
    return act(city, who, time_ns, "action.performed", {"core": True, **rhythm})


def act(city: City, who: int, time_ns: int, type_: str, own: dict[str, Any]) -> Happening:
    """One event of a person at the service."""
    data = {
        "schema": "pe.usage.v1",
        **city.people.who[who],
        "service_id": city.pilot.service,
        "channel": city.people.channel[who],
        "evidence": "system_log",
        **own,
    }
    if city.habit.assisted and who % 100 < 100 * city.habit.assisted:
        data["assisted"] = True
    return Happening(time_ns, "usage", type_, data)


def _session(city: City, who: int, at: int, seconds: int, number: str) -> list[Happening]:
    session = {"session_id": f"{city.pilot.slug}-{number}"}
    return [
        act(city, who, at - 5_000 * NS_PER_MS, "session.started", session),
        act(city, who, at + seconds * 1_000 * NS_PER_MS, "session.ended", {**session, "duration_ms": seconds * 1000}),
    ]


def _task(city: City, who: int, at: int, seconds: int, number: str) -> Happening:
    outcome = "completed" if seconds < 1250 else "failed" if seconds < 1400 else "abandoned"
    return act(
        city,
        who,
        at,
        f"task.{outcome}",
        {
            "task_id": f"{city.pilot.slug}-{number}",
            "task_family": city.habit.task_family,
            "attempt_id": "1",
            "outcome": outcome,
            "duration_ms": seconds * 400,
        },
    )


def _releases(city: City, day: int) -> list[Happening]:
    """A new version of the service every half year."""
    age = day - city.launch
    if age % _RELEASE_DAYS:
        return []
    at = city.at(day, np.array([0.3]))[0]
    return [
        Happening(
            at,
            "usage",
            "service.released",
            {
                "schema": "pe.usage.v1",
                "consent": "none",
                "service_id": city.pilot.service,
                "service_version": f"1.{age // _RELEASE_DAYS}",
                "evidence": "system_log",
                "released": iso(at),
            },
            personal=False,
        )
    ]
