"""What is said of effects: the ladder's words, corrections, campaigns, small numbers, and the table of the export."""

import csv
import io
from datetime import date, timedelta

import msgspec
import pytest

from pipeline.effects import effects
from pipeline.effects.estimate import Interval
from pipeline.effects.export import COLUMNS, effects_table
from pipeline.effects.ladder import wording
from pipeline.effects.tests import Ranked
from pipeline.findings import Effect
from pipeline.model import Event
from tests.unit.pipeline.making import act, catalogue, ns, pilot
from tests.unit.pipeline.plain_town import (
    FEEDS,
    NOW,
    PLAN,
    WEEK_HELD,
    WEEKS,
    activity,
    at,
    beats,
    day,
    person,
    town,
    use,
)
from tests.unit.pipeline.towns import history_of

RANKED = Ranked(0.3, 55, 56, 0.035)


@pytest.mark.parametrize("level", ["L0", "L1", "L2", "L3"])
def test_nothing_below_the_third_rung_speaks_of_a_cause(level: str) -> None:
    said = wording(level, 20, 27, RANKED, 0.035, 1, Interval(0.3, 0.1, 0.5), 0.2, "up")
    assert "Uptake was 20.0 a week before and 27.0 after." in said
    assert "55 of 56 placebo dates" in said
    assert "over 1 test)" in said
    assert ("caused" in said) is (level == "L3")
    assert ("level changed" in said) is (level in ("L2", "L3"))
    assert ("ordinary weeks" in said) is (level == "L0")
    assert ("control" in said) is (level == "L3")


def test_without_an_effect_the_sentence_says_so_and_how_small_a_change_would_show() -> None:
    (effect,) = town(lift=1.0)
    assert effect.level == "L0"
    assert "does not tell it apart" in effect.sentence
    assert effect.least is not None
    assert effect.least > 5
    assert f"below {effect.least:.0f} %" in effect.sentence
    assert effect.estimate.lower is not None
    assert effect.estimate.upper is not None
    assert effect.estimate.lower < 0 < effect.estimate.upper


def test_all_tests_of_a_pilot_are_corrected_together_and_their_number_is_told() -> None:
    plans = [PLAN, {**PLAN, "outcome": "core_actions"}, {**PLAN, "window_weeks": 3}]
    found = town(plans=plans)
    assert [one.tests for one in found] == [3, 3, 3]
    worst = sorted(one.p_value or 0 for one in found)
    assert min(one.p_adjusted or 0 for one in found) == pytest.approx(3 * worst[0])
    assert all("over 3 tests" in one.sentence for one in found)
    # A plan whose conditions fail is no test.
    assert [one.tests for one in town(plans=[PLAN, {**PLAN, "declared": NOW.isoformat()}])] == [1, 0]


def test_a_fall_is_told_apart_only_where_a_fall_was_declared() -> None:
    down = town(lift=0.4, plans=[{**PLAN, "direction": "down"}])[0]
    assert down.level == "L2"
    assert down.estimate.upper is not None
    assert down.estimate.upper < 0
    assert down.least is not None
    assert down.least < 0
    up = town(lift=0.4)[0]
    assert (up.level, up.p_value) == ("L0", pytest.approx(1.0, abs=0.05))


def test_few_people_show_nothing() -> None:
    (effect,) = town(k=60)
    assert effect.estimate.status == effect.before.status == "suppressed"
    assert effect.estimate.value is effect.before.value is effect.p_value is effect.placebo is None
    assert effect.tests == 0
    assert "fewer than 60 people" in effect.sentence


def test_a_campaign_enters_with_the_activities_that_meet_the_conditions() -> None:
    plan = {**PLAN, "method": "open_meeting", "seasonal": False}
    more = [
        *activity(day(40, 2), activity_id="w0"),
        *activity(day(50, 2), activity_id="w3", timing_basis="opportunistic"),
        *activity(day(30, 2), activity_id="other", method="open_innovation"),
    ]
    (effect,) = town(plans=[plan], more=more)
    assert effect.activity_id == "method:open_meeting"
    assert effect.estimate.n == 2
    assert effect.day == day(40, 2).isoformat()
    assert all(one.holds for one in effect.conditions)
    b = next(one.sentence for one in effect.conditions if one.letter == "b")
    assert "1 of 3 activities left out, the first w3" in b


def test_a_campaign_of_which_nothing_enters_names_every_condition_that_failed() -> None:
    plan = {**PLAN, "method": "open_meeting", "declared": "2026-06-01"}
    more = activity(day(50, 2), activity_id="w3", timing_basis="opportunistic")
    (effect,) = town(plans=[plan], more=more)
    assert [one.letter for one in effect.conditions if not one.holds] == ["b", "c", "h"]
    assert effect.estimate.value is effect.p_value is None
    assert town(plans=[{**PLAN, "method": "nowhere_used"}]) == []


def test_with_a_control_service_only_what_it_does_not_share_counts() -> None:
    """Another service rises with the first: nothing is left. One that stays as it was: the highest rung."""
    plan = {**PLAN, "control": "library"}

    def beside(lift: float) -> list[Event]:
        return [msgspec.structs.replace(one, event_id="c" + one.event_id, time_ns=one.time_ns + 10**9,
                                        service_id="library") for one in use(lift, seed=9)]  # fmt: skip

    steady, shared = town(plans=[plan], more=beside(1.0))[0], town(plans=[plan], more=beside(2.0))[0]
    assert steady.level == "L3"
    assert "caused" in steady.sentence
    assert steady.estimate.value == pytest.approx(100, abs=50)
    assert shared.level == "L0"
    assert shared.estimate.lower is not None
    assert shared.estimate.lower < 0


def test_the_use_of_those_who_came_on_the_day_is_in_no_week() -> None:
    held = activity()
    guests = {one.actor_key for one in held if one.type == "attendance"}
    noon = [act(at(day(WEEK_HELD, 2), "20:00"), guest) for guest in sorted(guests, key=str) if guest]
    one = pilot(feeds=FEEDS, effects=[PLAN])
    plain = effects([history_of(one, [*use(), *beats(), *held])], catalogue(one), ns(at(NOW)))
    crowded = effects([history_of(one, [*use(), *beats(), *held, *noon])], catalogue(one), ns(at(NOW)))
    assert plain == crowded
    other_day = [act(at(day(WEEK_HELD + 1), "20:00"), guest) for guest in sorted(guests, key=str) if guest]
    changed = effects([history_of(one, [*use(), *beats(), *held, *other_day])], catalogue(one), ns(at(NOW)))
    assert (changed[0].after.value or 0) - (plain[0].after.value or 0) == pytest.approx(len(guests) / 2)


def test_the_order_of_events_and_what_lies_outside_the_stretch_change_nothing() -> None:
    one = pilot(feeds=FEEDS, effects=[PLAN])
    events = [*use(), *beats(), *activity()]
    expected = effects([history_of(one, events)], catalogue(one), ns(at(NOW)))
    assert effects([history_of(one, events[::-1])], catalogue(one), ns(at(NOW))) == expected
    # 52 weeks before and 8 after are looked at, whatever else is known.
    early = [act(at(day(3, 1)), person(n)) for n in range(200)]
    late = [act(at(day(WEEKS - 6, 1)), person(n)) for n in range(200)]
    assert effects([history_of(one, [*events, *early, *late])], catalogue(one), ns(at(NOW))) == expected


def test_the_table_of_the_export_says_the_same_and_leaves_cells_empty() -> None:
    rows = [*town(), *town(plans=[])]
    columns, table = effects_table(rows)
    assert columns is COLUMNS
    names = [name for name, _, _ in columns]
    assert len(set(names)) == len(names)
    shown, failed = (dict(zip(names, row, strict=True)) for row in table)
    assert shown["estimate"] == rows[0].estimate.value
    assert (shown["placebo_below"], shown["placebo_dates"], shown["test"]) == (56, 56, "placebo_date")
    assert {shown[f"condition_{letter}"] for letter in "abcdefgh"} == {"passed"}
    assert failed["condition_h"] == "failed"
    assert failed["status"] == "not_defined"
    written = io.StringIO()
    csv.writer(written).writerows(table)
    assert [name for name in names if failed[name] is None] == [
        "activities", "before", "after", "estimate", "lower", "upper", "placebo_below", "placebo_dates", "p_value",
        "p_adjusted", "tests", "least_seen",
    ]  # fmt: skip


def test_an_effect_travels_as_json() -> None:
    (effect,) = town()
    assert msgspec.json.decode(msgspec.json.encode(effect), type=Effect) == effect


def test_a_town_without_data_or_activities_has_no_effects() -> None:
    one = pilot(feeds=FEEDS, effects=[PLAN])
    assert effects([history_of(one, [])], catalogue(one), ns(at(NOW))) == []
    assert effects([history_of(one, use())], catalogue(one), ns(at(NOW))) == []
    lone = effects([history_of(one, activity())], catalogue(one), ns(at(NOW)))
    assert {letter.letter for letter in lone[0].conditions if not letter.holds} >= {"c", "g"}
    assert date.fromisoformat(lone[0].day) + timedelta(days=1) > day(WEEK_HELD)
