"""What one activity brings about, day by day: announcement, invitations, attendance, decisions, field tests.

The whole script of an activity is drawn from (seed, activity) alone, then read by day.
"""

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from collectors.simulator.activities import ANNOUNCED_DAYS, Activity
from collectors.simulator.afterwards import LATEST_DAYS, met, replies
from collectors.simulator.chance import rng_of
from collectors.simulator.envelope import Happening
from collectors.simulator.world import City

_TOOLS = {
    "open_meeting": (["moderation"], ["plenary", "small-groups"]),
    "public_consultation": (["questionnaire", "map"], ["survey"]),
    "open_innovation": (["prototyping-kit"], ["hackathon", "personas"]),
    "citizen_science": (["sensor-kit", "map"], ["measuring-walk"]),
    "civic_monitoring": (["checklist", "app"], ["observation"]),
    "information_and_data": (["open-data-portal", "van"], ["information-stand"]),
    "participatory_budgeting": (["ballot", "budget-sheet"], ["voting"]),
    "representative_deliberation": (["facilitation-guide"], ["lottery", "deliberation"]),
}
_LEVEL = {"co_design": "involve", "co_decide": "collaborate", "co_produce": "collaborate", "co_evaluate": "consult"}
_SHARED_DECISION = ("participatory_budgeting", "representative_deliberation")
_KIND = {"co_design": "idea", "co_decide": "vote", "co_produce": "prototype", "co_evaluate": "test"}
_ANSWERS = 0.6  # share of guests who answer the questionnaire
_SIGNS_UP = 0.6  # share of guests who register before
_SKILLS = ["facilitation", "service-design", "data-literacy"]


class Scene(NamedTuple):
    """One event of an activity: local day, part of that day (0 to 1), who acts (None: the organiser)."""

    day: int
    part: float
    stream: str
    type: str
    who: int | None
    data: dict[str, Any]


def engagement_of(city: City, day: int) -> list[Happening]:
    """What activities bring to the engagement stream on a day."""
    return _of_day(city, day, "engagement")


def usage_of(city: City, day: int) -> list[Happening]:
    """What activities bring to the usage stream on a day: answers to a questionnaire about the service."""
    return _of_day(city, day, "usage")


def _of_day(city: City, day: int, stream: str) -> list[Happening]:
    found = []
    for activity in city.activities:
        if activity.day - ANNOUNCED_DAYS <= day <= activity.day + LATEST_DAYS:
            for scene in _scenes(_Key(city), activity):
                if scene.day == day and scene.stream == stream:
                    found.append(_happening(city, scene))
    return found


def _happening(city: City, scene: Scene) -> Happening:
    who: dict[str, Any] = {"consent": "none", "actor_kind": "government"}
    if scene.who is not None:
        who = {**city.people.who[scene.who], "represents": "self", "age_band": city.people.age_band[scene.who]}
    data = {"schema": f"pe.{scene.stream}.v1", **who, "evidence": "facilitator_record", **scene.data}
    time_ns = city.at(scene.day, np.array([scene.part]))[0]
    return Happening(time_ns, scene.stream, scene.type, data, personal=scene.who is not None)


class _Key:
    """A city as a key of the cache: by identity, as its arrays cannot be hashed."""

    def __init__(self, city: City) -> None:
        self.city = city

    def __hash__(self) -> int:
        return id(self.city)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.city is self.city


@lru_cache(maxsize=64)
def _scenes(key: _Key, activity: Activity) -> tuple[Scene, ...]:
    city = key.city
    rng = rng_of(city.seed, city.pilot.slug, "activity", activity.id)
    day, fields = activity.day, _fields(city, activity, rng)
    own: dict[str, Any] = {"activity_id": activity.id}

    def organiser(at: int, part: float, type_: str, data: dict[str, Any]) -> Scene:
        return Scene(at, part, "engagement", type_, None, data)

    mailed, posted = (int(n) for n in rng.integers(60, 240, 2))
    invited: dict[str, Any] = {**own, "consent": "count_only"}
    found = [
        organiser(day - ANNOUNCED_DAYS, 0.42, "activity.scheduled", {**fields, "starts_on": _date(day)}),
        organiser(day - 14, 0.44, "invitation.sent", {**invited, "channel": "web", "count": mailed}),
        organiser(day - 13, 0.46, "invitation.sent", {**invited, "channel": "desk", "count": posted}),
    ]
    if activity.cancelled:
        few = {**own, "reason": "too-few-registrations"}
        return (*found, organiser(day - 3, 0.5, "activity.cancelled", few))
    index, weight = city.people.talkers(day)
    mean = city.habit.attendance * city.truth.draws(city.pilot.slug, activity.method)
    n = min(int(rng.poisson(mean)), len(index))
    guests = [int(i) for i in rng.choice(index, n, replace=False, p=weight)] if n else []
    start = 0.73 if city.weekday(day) < 5 else 0.45
    spent = {**own, "hours": round(float(rng.uniform(8, 40)), 1), "eur": fields["cost_eur"]}
    skill = {**own, "skill": "facilitation", "assessed_by": "self", "level": int(rng.integers(2, 6))}
    found += [
        organiser(day, start + 0.1, "activity.held", {**fields, **met(city, activity)}),
        organiser(day + 1, 0.45, "resource.spent", spent),
        organiser(day + 1, 0.5, "skill.assessed", skill),
    ]
    asked = [_asked(city, activity, who, len(guests), rng) for who in guests if rng.random() < _ANSWERS]
    came = _guests(activity, guests, start, rng)
    given = [str(scene.data["contribution_id"]) for scene in came if scene.type == "contribution.made"]
    found += [organiser(*reply) for reply in replies(city, activity, given)]
    return (*found, *came, *_absent(city, activity, guests), *_stage(city, activity, guests, start, rng), *asked)


def _absent(city: City, activity: Activity, guests: list[int]) -> list[Scene]:
    """Those who sign up and do not come."""
    rng = rng_of(city.seed, city.pilot.slug, "absent", activity.id)
    share, others = city.truth.absent(activity.method), set(city.people.talkers(activity.day)[0].tolist()) - set(guests)
    n = min(int(rng.poisson(_SIGNS_UP * len(guests) * share / (1 - share))), len(others))
    return [
        Scene(activity.day - int(rng.integers(1, 13)), float(rng.uniform(0.35, 0.9)), "engagement", "registration",
              int(who), {"activity_id": activity.id})
        for who in rng.choice(sorted(others), n, replace=False)
    ]  # fmt: skip


def _guests(activity: Activity, guests: list[int], start: float, rng: np.random.Generator) -> list[Scene]:
    """What each person who comes does: sign up before, attend, contribute there."""
    day, own, found = activity.day, {"activity_id": activity.id}, list[Scene]()

    def act(at: int, part: float, type_: str, who: int, **more: Any) -> None:
        found.append(Scene(at, part, "engagement", type_, who, {**own, **more}))

    for who in guests:
        if rng.random() < _SIGNS_UP:
            act(day - int(rng.integers(1, 13)), float(rng.uniform(0.35, 0.9)), "registration", who)
        act(day, start + float(rng.uniform(-0.01, 0.01)), "attendance", who)
        for k in range(int(rng.poisson(0.6))):
            act(
                day,
                start + float(rng.uniform(0.02, 0.1)),
                "contribution.made",
                who,
                kind=_KIND[activity.stage],
                contribution_id=f"{activity.id}-{who}-{k}",
            )
    return found


def _stage(city: City, activity: Activity, guests: list[int], start: float, rng: np.random.Generator) -> list[Scene]:
    """What belongs to one stage only: a decision, a field test or a questionnaire."""
    match activity.stage:
        case "co_decide":
            return _decision(activity, guests, start, rng)
        case "co_produce":
            leaves = city.truth.voice(city.pilot.slug).drops_out
            return [scene for who in guests[: len(guests) // 2] for scene in _field_test(activity, who, leaves, rng)]
        case "co_evaluate":
            return [_survey(activity, who, rng) for who in guests]
        case _:
            return []


def _decision(activity: Activity, guests: list[int], start: float, rng: np.random.Generator) -> list[Scene]:
    decision: dict[str, Any] = {
        "activity_id": activity.id, "decision_id": f"decision-{activity.id}", "stage": activity.stage,
    }  # fmt: skip
    shared, considered = activity.method in _SHARED_DECISION, int(rng.integers(5, 20))
    role = {**decision, "role": "co_decider" if shared else "consulted"}
    closed = {
        **decision,
        "level_delivered": "collaborate" if shared else "consult",
        "outcome": "approved",
        "inputs_considered": considered,
        "inputs_adopted": int(rng.integers(0, considered)),
    }
    return [
        Scene(activity.day - 7, 0.4, "engagement", "decision.opened", None, decision),
        *(
            Scene(activity.day, start + 0.06 + 0.002 * k, "engagement", "decision.participated", who, role)
            for k, who in enumerate(guests)
        ),
        Scene(activity.day + 7, 0.6, "engagement", "decision.closed", None, closed),
    ]


def _field_test(activity: Activity, who: int, leaves: float, rng: np.random.Generator) -> list[Scene]:
    test: dict[str, Any] = {
        "activity_id": activity.id, "fieldtest_id": f"test-{activity.id}", "fieldtest_stage": "prototype",
    }  # fmt: skip
    task = {**test, "task_id": f"task-{activity.id}"}
    ends_on, part = activity.day + int(rng.integers(2, 14)), float(rng.uniform(0.75, 0.9))
    end, last = "fieldtest.task_done", task
    if rng.random() < leaves:
        kind = ("participant", "innovation", "research")[int(rng.choice(3, p=(0.6, 0.3, 0.1)))]
        end, last = "fieldtest.withdrawn", {**test, "kind": kind, "reason": "no-time"}
    return [
        Scene(activity.day, 0.92, "engagement", "fieldtest.signup", who, test),
        Scene(activity.day + 1, part, "engagement", "fieldtest.task_assigned", who,
              {**task, "deadline": _date(activity.day + 14)}),
        Scene(ends_on, part, "engagement", end, who, last),
    ]  # fmt: skip


def _asked(city: City, activity: Activity, who: int, guests: int, rng: np.random.Generator) -> Scene:
    """One guest's answer on influence and trust, two items from 1 to 5."""
    voice = city.truth.voice(city.pilot.slug)
    scores = [
        int(rng.integers(4, 6)) if rng.random() < share else int(rng.integers(1, 4))
        for share in (voice.believes, voice.trusts)
    ]
    answer = {"activity_id": activity.id, "instrument": "participation-2", "respondent": "participant",
              "invited": guests, "scores": scores, "evidence": "self_report"}  # fmt: skip
    day, part = activity.day + int(rng.integers(1, 4)), float(rng.uniform(0.4, 0.9))
    return Scene(day, part, "usage", "survey.response", who, answer)


def _survey(activity: Activity, who: int, rng: np.random.Generator) -> Scene:
    scores = [int(x) for x in np.clip(rng.normal(3.6, 0.9, 5).round(), 1, 5)]
    answer = {"activity_id": activity.id, "instrument": "service-5", "scores": scores}
    day, part = activity.day + int(rng.integers(1, 4)), float(rng.uniform(0.4, 0.9))
    return Scene(day, part, "usage", "survey.response", who, answer)


def _fields(city: City, activity: Activity, rng: np.random.Generator) -> dict[str, Any]:
    tools, techniques = _TOOLS.get(activity.method, ([], []))
    return {
        "activity_id": activity.id,
        "challenge_id": f"{city.pilot.slug}-challenge",
        "stage": activity.stage,
        "level_declared": _LEVEL[activity.stage],
        "method": activity.method,
        "tools": tools,
        "techniques": techniques,
        "skills_needed": _SKILLS,
        "skills_present": _SKILLS[: int(rng.integers(1, 4))],
        "facilitators_n": int(rng.integers(1, 5)),
        "mode": activity.mode,
        "open": "open",
        "duration_min": int(rng.choice((60, 90, 120, 180))),
        "lang": [city.habit.language],
        "timing_basis": activity.timing_basis,
        "cost_eur": int(rng.integers(2, 25)) * 100,
    }


def _date(day: int) -> str:
    return date.fromordinal(day).isoformat()
