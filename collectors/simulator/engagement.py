"""How people take part on one day: contributions by themselves, what activities bring, and the city's answers."""

from typing import Any, NamedTuple

import numpy as np

from collectors.simulator import office, script
from collectors.simulator.chance import rng_of
from collectors.simulator.envelope import Happening
from collectors.simulator.world import City, season

_DISPERSION = 1.1  # variance of daily contributions over their mean
_RAMP_DAYS = 42
_TAKEN_UP, _NOT_TAKEN_UP = ("adopted", "adapted"), ("deferred", "rejected")
_NO_WORD = 0.1  # share of treated contributions of which it is recorded that nothing was decided


class Contribution(NamedTuple):
    time_ns: int
    who: int
    kind: str
    id: str


def of_day(city: City, day: int) -> list[Happening]:
    """All engagement of one local day, unsorted, as if no drop-off were planted (see `kept`)."""
    found = [contributed(city, item) for item in contributions(city, day)]
    found += script.engagement_of(city, day)
    return found + _answers(city, day) + office.of_day(city, day)


def kept(city: City, day: int, n: int, stream: str = "engagement") -> list[bool]:
    """Which of a day's n acts happen under the planted drop-off; all of them on other days and streams."""
    share = city.keeps(day)
    if share >= 1 or stream != city.truth.drop_off.stream:
        return [True] * n
    return list(rng_of(city.seed, city.pilot.slug, "drop-off", day).random(n) < share)


def loses_interest(city: City, event: Happening) -> bool:
    """Whether an act is one of those that the planted drop-off thins out."""
    group = city.truth.drop_off.group
    return event.personal and group in ("", event.data.get("actor_kind"))


def contributions(city: City, day: int) -> list[Contribution]:
    """What people hand in outside activities, in time order."""
    rng = rng_of(city.seed, city.pilot.slug, "contributions", day)
    index, weight = city.people.talkers(day)
    if not len(index) or day < city.launch:
        return []
    mean = daily_mean(city, day)
    n = int(rng.poisson(rng.gamma(mean / (_DISPERSION - 1), _DISPERSION - 1)))
    kinds = list(city.habit.contribution_kinds)
    shares = np.array(list(city.habit.contribution_kinds.values()))
    who = rng.choice(index, size=n, p=weight)
    kind = rng.choice(len(kinds), size=n, p=shares / shares.sum())
    times = sorted(city.times(day, n, rng))
    return [Contribution(times[k], int(who[k]), kinds[kind[k]], f"{city.pilot.slug}-{day}-{k}") for k in range(n)]


def daily_mean(city: City, day: int) -> float:
    """Expected contributions outside activities on a day, no drop-off considered."""
    ramp = min(1.0, 0.3 + 0.7 * (day - city.launch) / _RAMP_DAYS)
    swing = min(max(season(city.habit, day), 0.85), 1.1)  # people talk more evenly than they use
    return city.habit.contributions_per_day * city.habit.engagement_weekday[city.weekday(day)] * ramp * swing


def contributed(city: City, item: Contribution) -> Happening:
    return act(city, item.who, item.time_ns, "contribution.made", {"kind": item.kind, "contribution_id": item.id})


def act(city: City, who: int, time_ns: int, type_: str, own: dict[str, Any]) -> Happening:
    """One person's act of taking part."""
    data = {"schema": "pe.engagement.v1", **city.people.who[who], "represents": "self", "evidence": "system_log", **own}
    return Happening(time_ns, "engagement", type_, data)


def _answers(city: City, day: int) -> list[Happening]:
    """Once a week the city publishes answers to what came in some days before, and what became of a few."""
    if city.weekday(day) != (city.habit.workshop_weekday + 1) % 5:
        return []
    rng = rng_of(city.seed, city.pilot.slug, "answers", day)
    asked = [item for back in range(7) for item in _happened(city, day - city.habit.answer_lag_days - back)]
    if not asked:
        return []
    voice = city.truth.voice(city.pilot.slug)
    chosen = [item.id for item in asked if rng.random() < voice.answered]
    if not chosen:
        return []
    by_city = {"schema": "pe.engagement.v1", "consent": "none", "actor_kind": "government", "evidence": "system_log"}
    at = city.at(day, np.sort(rng.uniform(0.4, 0.65, 4)))
    words = [_word(rng, voice.taken_up) for _ in range(3)]
    found = [Happening(at[0], "engagement", "response.published", {**by_city, "contribution_ids": chosen}, False)]
    for n, contribution in enumerate(chosen[:3]):
        found.append(
            Happening(
                at[n + 1],
                "engagement",
                "contribution.disposition",
                {
                    **by_city,
                    "contribution_id": contribution,
                    "disposition": words[n],
                    "reason": "fits-plan" if words[n] in _TAKEN_UP else "budget",
                    "recorded_by": "city",
                },
                False,
            )
        )
    return found


def _word(rng: np.random.Generator, taken_up: float) -> str:
    """What became of one contribution."""
    if rng.random() < _NO_WORD:
        return "none"
    return str(rng.choice(_TAKEN_UP if rng.random() < taken_up else _NOT_TAKEN_UP))


def _happened(city: City, day: int) -> list[Contribution]:
    items = contributions(city, day)
    return [item for item, keep in zip(items, kept(city, day, len(items)), strict=True) if keep]
