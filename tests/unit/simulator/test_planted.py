"""The planted effects can be found again by counting messages, with nothing but pandas."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from collectors.simulator.chance import day_of
from collectors.simulator.history import of_day
from collectors.simulator.truth import TRUTH, DropOff
from collectors.simulator.world import build
from tests.unit.simulator.telling import DAY, MAIN_SEED, NOW, counted, packaged

HOUR = 3_600_000_000_000
# None was used while habits and effects were chosen.
SEEDS = (MAIN_SEED, 20_260)
TWO_YEARS = (MAIN_SEED, pytest.param(20_260, marks=pytest.mark.long), pytest.param(991, marks=pytest.mark.long))
CITIES = sorted(TRUTH.lifts)


def per_day(table: pd.DataFrame, pilot: str, stream: str = "engagement") -> pd.Series:
    """Events per local day of one stream, quiet days as 0, without the open day."""
    part = table[(table.pilot == pilot) & (table.stream == stream) & (table.type != "feed.heartbeat")]
    days = part.groupby("day").size()
    whole = pd.date_range(table[table.pilot == pilot].day.min(), table[table.pilot == pilot].day.max())[1:-1]
    return days.reindex(whole.strftime("%Y-%m-%d"), fill_value=0)


def week_against_its_four_before(days: pd.Series) -> pd.Series:
    week = days.rolling(7).sum()
    return week / pd.concat([week.shift(7 * k) for k in (1, 2, 3, 4)], axis=1).median(axis=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_people_of_one_city_stop_taking_part_and_only_there(seed: int) -> None:
    planted, table = TRUTH.drop_off, counted(seed, 20)
    days = per_day(table, planted.pilot, planted.stream)
    onset = pd.Timestamp(NOW, tz="UTC").tz_convert(packaged().pilots[planted.pilot].time_zone)
    since = (onset - pd.Timedelta(days=planted.days_before_now)).strftime("%Y-%m-%d")
    before, after = days[days.index < since][-28:], days[days.index >= since]
    assert len(after) == planted.days_before_now
    assert after.mean() / before.mean() == pytest.approx(planted.keep, abs=0.12)
    assert week_against_its_four_before(days)[-5:].min() < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_no_other_city_halves_its_engagement_in_any_week(seed: int) -> None:
    table = counted(seed, 26)
    for pilot in set(CITIES) - {TRUTH.drop_off.pilot}:
        days = per_day(table, pilot)
        if pilot == TRUTH.outage.pilot:
            days = days[:-2]
        assert week_against_its_four_before(days).min() > 0.5, pilot


@pytest.mark.parametrize("seed", SEEDS)
def test_the_drop_off_leaves_its_feeds_and_its_use_healthy(seed: int) -> None:
    table, pilot = counted(seed, 20), TRUTH.drop_off.pilot
    beats = table[(table.pilot == pilot) & (table.type == "feed.heartbeat")]
    assert beats.groupby("stream").time_ns.max().min() >= NOW - 1_000_000
    use = per_day(table, pilot, "usage")
    assert use[-12:].mean() > 0.6 * use[-40:-12].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_one_feed_falls_silent_with_its_heartbeats_and_all_others_speak(seed: int) -> None:
    planted, table = TRUTH.outage, counted(seed, 4)
    last = table.groupby(["pilot", "stream"]).time_ns.max()
    silent = last[last < NOW - 1_000_000]
    assert list(silent.index) == [(planted.pilot, planted.stream)]
    age = NOW - silent.iloc[0]
    assert planted.hours_before_now * HOUR <= age < (planted.hours_before_now + 1) * HOUR + DAY // 1000


@pytest.mark.parametrize("seed", SEEDS)
def test_weeks_have_each_city_s_own_rhythm(seed: int) -> None:
    table = counted(seed, 26)
    share = {}
    for pilot in CITIES:
        days = per_day(table, pilot, "usage")
        weekday = pd.to_datetime(days.index).day_of_week
        share[pilot] = days.groupby(weekday).mean() / days.mean()
    assert share["milan"][[5, 6]].max() < 0.6 < 1.2 < share["genoa"][[5, 6]].min()
    assert share["palmela"][[1, 3, 5]].min() > 3 * share["palmela"][[0, 2, 4, 6]].max()
    assert share["bremen"][[0, 1, 2, 3]].min() > 1.5 * share["bremen"][[5, 6]].max()
    assert share["malmo"].max() < 1.5 * share["malmo"].min()


def median_change(table: pd.DataFrame, pilot: str, method: str) -> float:
    """Median over activities of log(visits in the days after / visits in as many days before)."""
    days, window = per_day(table[table.type != "survey.response"], pilot, "usage"), TRUTH.effect_days
    held = table[(table.pilot == pilot) & (table.type == "activity.held")]
    changes = []
    for row in held.itertuples():
        if row.data["method"] == method and row.day in days.index:
            at = int(days.index.get_loc(row.day))
            after, before = days.iloc[at + 1 : at + 1 + window], days.iloc[at - window : at]
            if at >= 182 and len(after) == window:
                changes.append(np.log(after.sum() / before.sum()))
    return float(np.median(changes))


@pytest.mark.parametrize("seed", TWO_YEARS)
@pytest.mark.parametrize("pilot", CITIES)
def test_the_method_that_works_in_a_city_shows_against_those_that_do_not(seed: int, pilot: str) -> None:
    lifts = TRUTH.lifts[pilot]
    best, weakest = max(lifts, key=lambda m: lifts[m]), min(lifts, key=lambda m: lifts[m])
    table = counted(seed)
    assert median_change(table, pilot, best) > median_change(table, pilot, weakest) + 0.1


def test_no_method_is_planted_as_the_best_everywhere() -> None:
    assert len({max(lifts, key=lambda m: lifts[m]) for lifts in TRUTH.lifts.values()}) > 3
    meeting = [lifts["open_meeting"] for lifts in TRUTH.lifts.values()]
    assert min(meeting) < 1 < max(meeting)


@pytest.mark.parametrize("seed", TWO_YEARS)
def test_people_stay_longer_where_the_habit_says_so(seed: int) -> None:
    table = counted(seed)
    acts = table[(table.type == "action.performed") & table.actor.notna()]
    more = acts.groupby(["pilot", "actor"]).day.nunique().gt(1).groupby("pilot").mean()
    assert more["palmela"] > more["athens"] + 0.15


def test_one_group_can_lose_interest_for_a_while_and_the_others_go_on() -> None:
    pilot, (away, back) = TRUTH.drop_off.pilot, (40, 20)
    fall = DropOff(pilot, "engagement", away, 0.0, away - back, "citizen")
    [town] = [
        one for one in build(packaged(), MAIN_SEED, NOW, replace(TRUTH, drop_off=fall)) if one.pilot.slug == pilot
    ]
    today = day_of(NOW, town.pilot.zone)

    def voices(first: int, last: int) -> Counter[str]:
        told = [message for back in range(first, last) for message in of_day(town, today - back, NOW)]
        bodies = [json.loads(message.payload) for message in told if "/engagement/" in message.topic]
        return Counter(one["data"]["actor_kind"] for one in bodies if one["type"] == "contribution.made")

    before, during, after = voices(away + 1, away + 21), voices(back + 1, away + 1), voices(1, back + 1)
    assert during["citizen"] == 0
    assert min(before["citizen"], after["citizen"]) > 100
    assert during["civil_society"] > before["civil_society"] / 2
