"""Who meets the service on one day, and what users say of it three weeks later.

Drawn apart from what people do, so that uses of the same seed stay as they were without it.
"""

from calendar import monthrange
from datetime import date
from typing import Final

import numpy as np

from collectors.simulator.chance import rng_of
from collectors.simulator.envelope import Happening
from collectors.simulator.usage import act
from collectors.simulator.world import City

ASKED_AFTER: Final = 21  # days
ANSWER: Final = 0.4  # share of those asked who answer
_ITEMS: Final = 10


def of_day(city: City, day: int) -> list[Happening]:
    """Exposures of those who arrive, whether they come to use it or not, and answers to the System Usability Scale."""
    rng = rng_of(city.seed, city.pilot.slug, "meeting", day)
    found = _seen(city, day, rng) + _answers(city, day, rng)
    first, after = city.bounds(day)
    return [event._replace(time_ns=min(max(event.time_ns, first), after - 1_000_000)) for event in found]


def _seen(city: City, day: int, rng: np.random.Generator) -> list[Happening]:
    arrived = np.flatnonzero(city.people.arrival == day)
    times = city.times(day, len(arrived), rng)
    return [act(city, int(who), at, "service.exposed", {}) for who, at in zip(arrived, times, strict=True)]


def _answers(city: City, day: int, rng: np.random.Generator) -> list[Happening]:
    """Each user is asked once; every second item is worded against the service."""
    people = city.people
    asked = np.flatnonzero((people.arrival + ASKED_AFTER == day) & people.present(day))
    answering = asked[rng.random(len(asked)) < ANSWER]
    times = city.times(day, len(answering), rng)
    found = []
    for who, at in zip(answering, times, strict=True):
        good = np.clip(rng.normal(1 + 4 * city.habit.ease, 0.9, _ITEMS).round(), 1, 5).astype(int)
        scores = [int(score if place % 2 == 0 else 6 - score) for place, score in enumerate(good)]
        said = {"instrument": "sus", "scores": scores, "invited": _of_month(city, day), "evidence": "self_report"}
        found.append(act(city, int(who), at, "survey.response", said))
    return found


def _of_month(city: City, day: int) -> int:
    """How many are asked in the month of a day."""
    month, people = date.fromordinal(day), city.people
    first, length = month.replace(day=1).toordinal(), monthrange(month.year, month.month)[1]
    on = people.arrival + ASKED_AFTER
    return int(((on >= first) & (on < first + length) & (on < people.leave) & (people.rate > 0)).sum())
