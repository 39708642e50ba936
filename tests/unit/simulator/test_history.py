"""What the told past promises: the same bytes, a bound, newest first, only known words, nothing after now."""

from itertools import pairwise

import msgspec
import pandas as pd
import pytest

from collectors.simulator import history
from config.catalogue import Catalogue
from tests.unit.simulator.telling import DAY, NOW, counted, told

# indicators.md 3.3 to 3.5, written down by hand.
VOCABULARY = {
    "usage": {
        "service.exposed",
        "service.registered",
        "session.started",
        "session.ended",
        "action.performed",
        "task.started",
        "task.completed",
        "task.failed",
        "task.abandoned",
        "service.released",
        "service.outage",
        "survey.response",
        "feed.heartbeat",
    },
    "engagement": {
        "activity.scheduled",
        "activity.held",
        "activity.cancelled",
        "invitation.sent",
        "registration",
        "attendance",
        "contribution.made",
        "contribution.disposition",
        "response.published",
        "decision.opened",
        "decision.participated",
        "decision.closed",
        "fieldtest.signup",
        "fieldtest.task_assigned",
        "fieldtest.task_done",
        "fieldtest.withdrawn",
        "resource.spent",
        "skill.assessed",
        "population.snapshot",
        "feed.heartbeat",
    },
}
CODES = {
    "consent": {"none", "count_only", "cohort"},
    "actor_kind": {"citizen", "civil_society", "business", "government", "academia", "unknown"},
    "evidence": {"device_log", "system_log", "facilitator_record", "self_report", "estimate"},
    "represents": {"self", "organisation"},
    "channel": {"app", "web", "sms", "kiosk", "van", "desk", "phone", "qr", "api"},
    "stage": {"co_design", "co_decide", "co_produce", "co_evaluate"},
    "level_declared": {"inform", "consult", "involve", "collaborate", "empower"},
    "mode": {"in_person", "online", "hybrid"},
    "open": {"open", "invited"},
    "timing_basis": {"calendar", "funding", "reactive_to_low_use", "opportunistic"},
    "disposition": {"adopted", "adapted", "rejected", "deferred", "none"},
    "role": {"informed", "consulted", "deliberated", "co_decider", "decider"},
}
KINDS = {"idea", "report", "comment", "vote", "test", "prototype", "data", "care"}


def test_the_same_seed_and_now_give_the_same_bytes(catalogue: Catalogue) -> None:
    assert list(history(catalogue, 7, NOW, 2)) == told(7, 2)


def test_another_seed_gives_another_world(catalogue: Catalogue) -> None:
    assert {m.payload for m in told(7, 2)}.isdisjoint(m.payload for m in told(8, 2) if b"specversion" in m.payload)


def test_a_shorter_history_is_the_newest_part_of_a_longer_one() -> None:
    assert told(7, 8)[: len(told(7, 2))] == told(7, 2)


@pytest.mark.parametrize("most", [0, 1, 500, 20_000])
def test_there_are_never_more_messages_than_allowed_and_only_whole_days(catalogue: Catalogue, most: int) -> None:
    found = list(history(catalogue, 7, NOW, 104, most))
    assert len(found) <= most
    if most == 20_000:
        assert len(found) > 19_000


def test_two_years_of_six_cities_fit_the_bound_and_reach_the_first_day() -> None:
    found = told(7, 104)
    assert 200_000 < len(found) <= 400_000
    assert NOW - found[-1].time_ns > 727 * DAY


def test_days_come_newest_first_and_each_in_order_of_time() -> None:
    table = counted(7)
    for _, part in table.groupby("pilot"):
        days = part.day.tolist()
        assert days == sorted(days, reverse=True)
        assert all(times.is_monotonic_increasing for _, times in part.groupby("day").time_ns)


def test_nothing_happens_at_or_after_now_and_today_is_told() -> None:
    found = told(7, 2)
    assert max(m.time_ns for m in found) < NOW
    assert set(counted(7, 2).groupby("pilot").day.max()) == {"2026-11-25", "2026-11-26"}


def test_every_event_speaks_the_vocabulary(two_years: pd.DataFrame) -> None:
    for stream, part in two_years.groupby("stream"):
        assert set(part.type) <= VOCABULARY[str(stream)]
    for data in two_years.data:
        for key, allowed in CODES.items():
            assert key not in data or data[key] in allowed, (key, data[key])
    made = two_years[two_years.type == "contribution.made"]
    assert {data["kind"] for data in made.data} <= KINDS
    scheduled = two_years[two_years.type == "activity.scheduled"]
    assert all("timing_basis" in data and "method" in data for data in scheduled.data)


def test_everything_says_that_it_is_synthetic() -> None:
    assert all(
        msgspec.json.decode(m.payload).get("data", {}).get("synthetic") is True
        or msgspec.json.decode(m.payload).get("synthetic") is True
        for m in told(7, 8)
    )


def test_a_person_is_named_only_with_consent_and_only_in_one_pilot(two_years: pd.DataFrame) -> None:
    named = two_years[two_years.actor.notna()]
    assert {data["consent"] for data in named.data} == {"cohort"}
    assert named.groupby("actor").pilot.nunique().max() == 1
    unnamed = two_years[two_years.actor.isna() & (two_years.type == "action.performed")]
    assert {data["consent"] for data in unnamed.data} == {"count_only"}
    assert 0.03 < len(unnamed) / (two_years.type == "action.performed").sum() < 0.2
    assert named.actor.str.fullmatch(r"[A-Za-z0-9_-]{16,64}").all()


def test_no_id_is_used_twice(two_years: pd.DataFrame) -> None:
    assert two_years.id.is_unique


def test_heartbeats_tile_each_day_and_announce_exactly_what_was_sent(two_years: pd.DataFrame) -> None:
    beats = two_years[two_years.type == "feed.heartbeat"]
    events = two_years[two_years.type != "feed.heartbeat"]
    sent = events.groupby(["pilot", "stream", "day", "type"]).size()
    announced = {
        (beat.pilot, beat.stream, beat.day, kind): n
        for beat in beats.itertuples()
        for kind, n in beat.data["counts"].items()
    }
    assert announced == sent.to_dict()
    for _, part in beats.sort_values("time_ns").groupby(["pilot", "stream"]):
        spans = [(data["since"], data["until"]) for data in part.data]
        assert all(earlier[1] == later[0] for earlier, later in pairwise(spans))
        assert part.data.map(lambda data: data["seq"]).diff().dropna().eq(1).all()
