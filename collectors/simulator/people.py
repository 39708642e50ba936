"""The people of one simulated city: who they are, when they arrive, how often they come, when they leave.

A person's pseudonym is stable for the whole simulation; the simulated id behind it is never published.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from collectors.pseudonym import pseudonym
from collectors.simulator.chance import rng_of
from collectors.simulator.habits import Habit

KEY_ID = "s1"  # the key of simulated people: of fixed length, and told apart from any real one
_AGE_BANDS = ("16-24", "25-44", "45-64", "65+")
_TALKERS_WHO_USE, _TALKERS_ONLY = 0.3, 0.12  # share of users who also take part; extra people who only take part
_COHORT = 0.9  # share of people who consent to be recognised on another day

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """Arrays with one entry per person. Days are ordinals; `leave` is the first day without visits.

    `rate` is the mean number of visits per day while present (0 for those who never use the service),
    `voice` the weight in taking part (0 for those who never do), `who` the fields of each person's events.
    """

    arrival: Ints
    leave: Ints
    silent: Ints
    rate: Floats
    voice: Floats
    channel: list[str]
    who: list[dict[str, Any]]
    age_band: list[str]

    def present(self, day: int) -> npt.NDArray[np.bool_]:
        return (self.arrival <= day) & (day < self.leave) & (self.rate > 0)

    def talkers(self, day: int) -> tuple[Ints, Floats]:
        """Those who may take part on a day, and their weights (sum 1)."""
        index = np.flatnonzero((self.voice > 0) & (self.arrival <= day) & (day < self.silent))
        weight = self.voice[index]
        return index, weight / weight.sum() if len(index) else weight


def actor_key(seed: int, pilot: str, person_id: str) -> str:
    """A person's pseudonym, made as for real people but with a key that anyone can derive from the seed.

    >>> actor_key(1, "malmo", "p-1") == actor_key(1, "malmo", "p-1") != actor_key(1, "milan", "p-1")
    True
    """
    key = hashlib.sha256(f"periscope simulator|{seed}|{pilot}".encode()).digest()
    return pseudonym(key, pilot, person_id, KEY_ID)


def person(seed: int, pilot: str, person_id: str, kind: str, cohort: bool) -> dict[str, Any]:
    """The fields that say who acted: a pseudonym only with consent to be recognised again."""
    if not cohort:
        return {"consent": "count_only", "actor_kind": kind}
    return {"consent": "cohort", "actor_key": actor_key(seed, pilot, person_id), "actor_kind": kind}


def populate(seed: int, pilot: str, habit: Habit, days: Ints, arrivals: Floats) -> People:
    """Draw everyone who ever comes. `arrivals` weighs on which of `days` newcomers arrive."""
    rng = rng_of(seed, pilot, "people")
    users, talkers_only = habit.people, round(habit.people * _TALKERS_ONLY)
    n = users + talkers_only
    arrival = rng.choice(days, size=n, p=arrivals / arrivals.sum())
    stay = np.maximum(2, rng.exponential(habit.stay_days, n)).astype(np.int64)
    once = rng.random(n) < habit.one_time
    rate = habit.visits_per_day * rng.gamma(1.5, 1 / 1.5, n)
    rate[users:] = 0
    voice = rng.lognormal(0, 0.9, n)
    voice[:users][rng.random(users) >= _TALKERS_WHO_USE] = 0
    kinds = _draw(rng, habit.actor_kinds, n)
    cohort = rng.random(n) < _COHORT
    return People(
        arrival=arrival,
        leave=arrival + np.where(once, 1, stay),
        silent=arrival + 30 + rng.exponential(400, n).astype(np.int64),
        rate=rate,
        voice=voice,
        channel=_draw(rng, habit.channels, n),
        who=[person(seed, pilot, f"person-{i}", kinds[i], bool(cohort[i])) for i in range(n)],
        age_band=[_AGE_BANDS[i] for i in rng.choice(4, n, p=(0.22, 0.4, 0.26, 0.12))],
    )


def _draw(rng: np.random.Generator, shares: Any, n: int) -> list[str]:
    names, weights = list(shares), np.array(list(shares.values()), dtype=float)
    return [names[i] for i in rng.choice(len(names), n, p=weights / weights.sum())]
