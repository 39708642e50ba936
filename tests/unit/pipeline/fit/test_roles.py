"""Who decides, which skills were there, what stood in the way: against plain counts."""

import random
from datetime import timedelta

import pytest

from pipeline.fit.coded import counted
from pipeline.fit.decisions import ROLES, closed_decisions, role_shares
from pipeline.fit.skills import skill_needs
from pipeline.indicators.intervals import wilson
from pipeline.model import Event
from tests.unit.pipeline.fit.making import FIRST, GROUPS, STAGES, activity, rows, seen
from tests.unit.pipeline.making import event


def decided(seed: int, n: int = 30) -> tuple[list[Event], list[dict]]:
    """Random decisions as events, and as what they say."""
    rng = random.Random(seed)
    events, truth = [], []
    for number in range(n):
        day, own = FIRST + timedelta(days=rng.randrange(200)), {"decision_id": f"d{number}"}
        stage, by_activity = rng.choice(STAGES), rng.random() < 0.5
        if by_activity:
            events += activity(f"a{number}", day, stage=stage)
        where = {"activity_id": f"a{number}"} if by_activity else {"stage": stage}
        roles = {(rng.choice(GROUPS), rng.choice(ROLES[:5])) for _ in range(rng.randrange(5))}
        for group, role in roles:
            for who in range(rng.randrange(1, 4)):
                taken = {**own, "role": role}
                events.append(
                    event("decision.participated", f"{day}T10:00", f"{group}{who}", actor_kind=group, data=taken)
                )
        closed = rng.random() < 0.8
        if closed:
            events.append(event("decision.closed", f"{day}T12:00", data={**own, **where}))
            truth.append({"stage": stage, "roles": roles})
    return events, truth


@pytest.mark.parametrize("seed", range(4))
def test_shares_of_decisions_by_group_and_role_are_those_of_a_plain_count(seed: int) -> None:
    events, truth = decided(seed)
    shuffled = random.Random(seed).sample(events, len(events))
    found = role_shares("test", closed_decisions(rows(shuffled)))
    assert {(one.stage, one.group) for one in found} >= {("", group) for group in GROUPS}
    for one in found:
        within = [d for d in truth if one.stage in ("", d["stage"])]
        wanted = {"decider", "co_decider"} if one.role == "decides" else {one.role}
        hits = sum(any((one.group, role) in d["roles"] for role in wanted) for d in within)
        assert one.decisions == len(within)
        if len(within) < 5:
            assert (one.share.status, one.share.value) == ("insufficient_n", None)
        else:
            lower, upper = wilson(hits, len(within))
            assert one.share.value == pytest.approx(100 * hits / len(within))
            assert (one.share.lower, one.share.upper) == (pytest.approx(100 * lower), pytest.approx(100 * upper))


def test_a_decision_that_is_closed_twice_counts_once_and_five_are_enough() -> None:
    events = [
        event("decision.closed", f"2026-02-0{n}T12:00", data={"decision_id": f"d{n}", "stage": "co_decide"})
        for n in range(1, 6)
    ]
    events.append(event("decision.closed", "2026-02-09T12:00", data={"decision_id": "d1", "stage": "co_design"}))
    events.append(
        event(
            "decision.participated",
            "2026-02-01T10:00",
            actor_kind="citizen",
            data={"decision_id": "d2", "role": "decider"},
        )
    )
    found = {(one.stage, one.group, one.role): one for one in role_shares("test", closed_decisions(rows(events)))}
    share = found["", "citizen", "decides"]
    assert (share.decisions, share.share.value) == (5, 20)
    assert share.share.reason == "4 of them have no role recorded, and count as without"
    assert found["co_decide", "citizen", "decides"].share.status == "insufficient_n"


def test_where_no_role_was_ever_recorded_nobody_is_said_to_have_had_none() -> None:
    events = [event("decision.closed", f"2026-02-0{n}T12:00", data={"decision_id": f"d{n}"}) for n in range(1, 9)]
    found = role_shares("test", closed_decisions(rows(events)))
    assert {one.share.status for one in found} == {"not_defined"}
    assert role_shares("test", []) == []


def skilled(n: int, present: int, **more: object) -> list[Event]:
    found = []
    for number in range(n):
        there = ["law"] if number < present else []
        day = FIRST + timedelta(days=number)
        found += activity(f"s{number}", day, skills_needed=["law"], skills_present=there, **more)
    return found


def test_skills_are_needed_and_present_by_stage_and_method() -> None:
    events = skilled(8, 6, stage="co_design", method="survey")
    found = {(one.stage, one.method, one.skill): one for one in skill_needs(seen(events), rows(events), 0)}
    assert set(found) == {
        ("", "", "law"),
        ("co_design", "", "law"),
        ("", "survey", "law"),
        ("co_design", "survey", "law"),
    }
    need = found["co_design", "survey", "law"]
    assert (need.needed, need.present, need.met.value, need.met.n) == (8, 6, 75, 8)
    [few] = [one for one in skill_needs(seen(skilled(4, 4)), [], 0) if (one.stage, one.method) == ("", "")]
    assert (few.needed, few.present, few.met.status) == (4, 4, "insufficient_n")
    silent = [e for n in range(6) for e in activity(f"x{n}", FIRST, skills_needed=["law"])]
    assert {one.met.status for one in skill_needs(seen(silent), [], 0)} == {"not_defined"}


def test_assessed_levels_are_told_from_k_on_as_a_median() -> None:
    events = skilled(6, 6)
    levels = [2, 3, 5, 4, 3]
    for n, level in enumerate(levels):
        about = {"activity_id": f"s{n}", "skill": "law", "level": level}
        events.append(event("skill.assessed", f"{FIRST}T20:0{n}", data=about))
    for upto, status, value in ((5, "ok", 3), (4, "suppressed", None)):
        kept = [one for one in events if one.type != "skill.assessed" or int(one.data["activity_id"][1:]) < upto]
        [need] = [one for one in skill_needs(seen(kept), rows(kept), 5) if (one.stage, one.method) == ("", "")]
        assert (need.level.status, need.level.value) == (status, value)


def test_obstacles_count_by_activity_and_those_of_few_questionnaires_do_not() -> None:
    events = []
    for n in range(3):
        events += activity(
            f"o{n}",
            FIRST,
            stage="co_design",
            method="survey",
            obstacles=["low_turnout", "low_turnout"],
            lessons=["go_to_people"] if n else [],
        )
    events += [event("survey.response", f"2026-02-01T10:0{n}", data={"obstacles": ["silos"]}) for n in range(4)]
    events += [event("survey.response", f"2026-02-02T10:0{n}", data={"obstacles": ["language"]}) for n in range(5)]
    found = {(one.dim, one.stage, one.method, one.code): one.n for one in counted(seen(events), rows(events), 5)}
    assert found["obstacle", "", "", "low_turnout"] == 3
    assert found["obstacle", "co_design", "survey", "low_turnout"] == 3
    assert found["lesson", "", "survey", "go_to_people"] == 2
    assert found["obstacle", "", "", "language"] == 5
    assert ("obstacle", "", "", "silos") not in found
    assert all(code != "language" or not stage for _, stage, _, code in found)
