"""One simulated city as a whole: its people, activities, seasons, and the planted effects on them."""

import hashlib
from dataclasses import dataclass
from datetime import date
from math import cos, pi

import numpy as np

from collectors.simulator.activities import Activity, plan
from collectors.simulator.chance import NS_PER_MS, bounds, day_of
from collectors.simulator.habits import Habit, habit_of
from collectors.simulator.people import Floats, People, populate
from collectors.simulator.truth import TRUTH, Truth
from config.catalogue import Catalogue, Feed, Pilot

WORLD_WEEKS = 104
_HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True)
class City:
    """One pilot of the simulated world. `world` names (seed, day of the start) in every event id."""

    pilot: Pilot
    habit: Habit
    people: People
    activities: list[Activity]
    seed: int
    world: str
    launch: int
    drop_from: int | None
    silent_from_ns: int | None
    truth: Truth
    factors: dict[int, float]

    def feeds(self, stream: str) -> list[Feed]:
        """The feeds that are simulated; what people enter by hand is theirs."""
        return [feed for feed in self.pilot.feeds if feed.stream == stream and not feed.by_hand]

    def bounds(self, day: int) -> tuple[int, int]:
        return bounds(day, self.pilot.zone)

    def weekday(self, day: int) -> int:
        return (day + 6) % 7

    def use_factor(self, day: int) -> float:
        """How much busier than a mean day the service is: weekday, season and planted effects."""
        known = self.factors.get(day)
        return _factor(self.habit, day) if known is None else known

    def keeps(self, day: int) -> float:
        """The share of acts on the drop-off's stream that happen on a day."""
        fall = self.truth.drop_off
        if self.drop_from is None or day < self.drop_from:
            return 1.0
        return fall.keep if fall.days is None or day < self.drop_from + fall.days else 1.0

    def silent_after(self, feed: Feed) -> int | None:
        """From when on a feed is broken, in ns; None for a healthy one."""
        return self.silent_from_ns if feed.stream == self.truth.outage.stream else None

    def times(self, day: int, n: int, rng: np.random.Generator) -> list[int]:
        """n instants of a local day after the city's rhythm, in whole ms, unsorted."""
        weights = np.array(self.habit.hours)
        hours = rng.choice(24, size=n, p=weights / weights.sum()) + rng.random(n)
        return self.at(day, hours / 24)

    def at(self, day: int, fraction: Floats) -> list[int]:
        first, after = self.bounds(day)
        span_ms = (after - first) // NS_PER_MS
        return [first + int(ms) * NS_PER_MS for ms in np.minimum(fraction * span_ms, span_ms - 1)]


def build(catalogue: Catalogue, seed: int, now_ns: int, truth: Truth = TRUTH) -> list[City]:
    """Every pilot of the catalogue that is simulated, as it is on the day of `now_ns`."""
    return [city(pilot, seed, now_ns, truth) for pilot in catalogue.pilots.values() if pilot.synthetic]


def city(pilot: Pilot, seed: int, now_ns: int, truth: Truth = TRUTH) -> City:
    """One simulated pilot; only feeds that say `synthetic` are ever used."""
    pilot = pilot.model_copy(update={"feeds": [feed for feed in pilot.feeds if feed.synthetic]})
    habit, today = habit_of(pilot.slug), day_of(now_ns, pilot.zone)
    launch = today - 7 * WORLD_WEEKS
    drop = today - truth.drop_off.days_before_now if pilot.slug == truth.drop_off.pilot else None
    lifts = truth.methods(pilot.slug)
    activities = plan(seed, pilot.slug, habit, list(lifts), today, launch, drop)
    days = np.arange(launch, today + 2, dtype=np.int64)
    factors = {int(day): _factor(habit, int(day)) for day in days}
    for activity in activities:
        if not activity.cancelled:
            for day in range(activity.day + 1, activity.day + 1 + truth.effect_days):
                factors[day] = factors.get(day, 1.0) * lifts.get(activity.method, 1.0)
    arrivals = np.array([factors[int(day)] for day in days]) * _growth(len(days))
    silent = None
    if pilot.slug == truth.outage.pilot:
        silent = (now_ns // _HOUR_NS - truth.outage.hours_before_now) * _HOUR_NS
    return City(
        pilot=pilot,
        habit=habit,
        people=populate(seed, pilot.slug, habit, days, arrivals),
        activities=activities,
        seed=seed,
        world=hashlib.sha256(f"{seed}|{today}".encode()).hexdigest()[:8],
        launch=launch,
        drop_from=drop,
        silent_from_ns=silent,
        truth=truth,
        factors=factors,
    )


def _factor(habit: Habit, day: int) -> float:
    return habit.weekday[date.fromordinal(day).weekday()] * season(habit, day)


def season(habit: Habit, day: int) -> float:
    """The yearly swing of use: a wave, an August of the city's own, and few people around Christmas."""
    local = date.fromordinal(day)
    yearly = 1 + habit.season * cos(2 * pi * (local.timetuple().tm_yday - habit.season_peak) / 365.25)
    if local.month == 8:
        yearly *= habit.august
    if (local.month, local.day) >= (12, 24) or (local.month, local.day) <= (1, 2):
        yearly *= 0.6
    return yearly


def _growth(n: int) -> Floats:
    """Newcomers per day: half of them evenly, half after an S-shaped spread that is steepest in the middle."""
    x = (np.arange(n) - 0.45 * n) / (0.13 * n)
    spread = np.exp(-x) / (1 + np.exp(-x)) ** 2
    mixed: Floats = 0.5 / n + 0.5 * spread / spread.sum()
    return mixed
