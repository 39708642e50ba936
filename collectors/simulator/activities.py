"""The engagement activities of one simulated city: when, with which method, at which stage.

Dates come from a calendar drawn before anything else, so they do not depend on use. Two activities of a
pilot lie six or seven weeks apart, so that windows of three weeks around them never overlap.
"""

from dataclasses import dataclass
from datetime import date

from collectors.simulator.chance import rng_of
from collectors.simulator.habits import Habit

STAGES = ("co_design", "co_decide", "co_produce", "co_evaluate")
ANNOUNCED_DAYS = 28
_TIMING = (("calendar", 0.8), ("funding", 0.12), ("opportunistic", 0.04), ("reactive_to_low_use", 0.04))
_CANCELLED = 0.06


@dataclass(frozen=True)
class Activity:
    """One planned activity; `day` is the ordinal of the local date it is (or would have been) held."""

    id: str
    day: int
    method: str
    stage: str
    timing_basis: str
    mode: str
    cancelled: bool = False


def plan(
    seed: int, pilot: str, habit: Habit, methods: list[str], today: int, launch: int, drop: int | None
) -> list[Activity]:
    """All activities from three weeks after `launch` to the next one to come, oldest first.

    `drop` is the day a planted drop-off begins: nothing is held from three days before it until today.
    """
    rng = rng_of(seed, pilot, "activities")
    days, day = [], _weekday_after(today + int(rng.integers(14, 40)), habit.workshop_weekday)
    while day >= launch + 21:
        days.append(day)
        day -= 7 * int(rng.integers(6, 8))
    days.reverse()
    order: list[str] = []
    while len(order) < len(days):
        order += [methods[i] for i in rng.permutation(len(methods))]
    timing, weights = [name for name, _ in _TIMING], [weight for _, weight in _TIMING]
    found = []
    for n, day in enumerate(days):
        activity = Activity(
            id=f"{pilot}-{date.fromordinal(day).isoformat()}",
            day=day,
            method=order[n],
            stage=STAGES[n % len(STAGES)],
            timing_basis=timing[int(rng.choice(len(timing), p=weights))],
            mode=("in_person", "hybrid", "online")[int(rng.choice(3, p=(0.6, 0.25, 0.15)))],
            cancelled=bool(rng.random() < _CANCELLED),
        )
        if drop is None or not drop - 3 <= day <= today:
            found.append(activity)
    return found


def _weekday_after(day: int, weekday: int) -> int:
    return day + (weekday - date.fromordinal(day).weekday()) % 7
