"""What uptake indicators say where a rule decides: rhythm, timeout, counting without pseudonyms, nobody lost."""

from typing import Any

import pytest

from pipeline.indicators import INDICATORS
from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.model import Event
from pipeline.periods import Period
from tests.unit.pipeline.making import City, Clock, act, event, pilot

WEEK = Period("week", "2026-05-11", "2026-05-17")
MONTH = Period("month", "2026-05-01", "2026-05-31")
KEY = "A" * 25


def window(events: list[Event], period: Period = WEEK, now: str = "2026-09-01T00:00:00", **more: Any) -> Window:
    city = City(pilot(**more), Clock(now))
    city.add(events)
    running = city.pipeline()
    city.work(running)
    return Window(running._histories["test"], period, city.clock.ns)


def said(indicator: str, seen: Window, segment: str = "") -> Measure:
    return next(one for one in INDICATORS[indicator].compute(seen) if one.segment == segment)


def visits(rhythm: str) -> list[Event]:
    """Four people, each on two days of each of four weeks, and one single visit of a fifth."""
    data = {"natural_cadence": rhythm} if rhythm else {}
    found = [act("2026-04-01T10:00", "early", data=data), act("2026-05-17T10:00", "e", data=data)]
    found.append(act("2026-04-19T23:59", "too early", data=data))
    days = ("04-20", "04-21", "04-27", "04-28", "05-04", "05-05", "05-11", "05-12")
    return found + [act(f"2026-{day}T10:00", who, data=data) for who in "abcd" for day in days]


@pytest.mark.parametrize(("rhythm", "value"), [("", 33 / 28 / 5), ("daily", 33 / 28 / 5), ("weekly", 17 / 4 / 5)])
def test_stickiness_follows_the_rhythm_that_the_service_is_made_for(rhythm: str, value: float) -> None:
    found = said("stickiness", window(visits(rhythm)))
    assert (found.value, found.n, found.people) == (pytest.approx(value), 5, (5,))


def test_28_days_say_nothing_of_a_yearly_service_or_of_a_pilot_younger_than_that() -> None:
    assert said("stickiness", window(visits("yearly"))).status == "not_defined"
    young = Period("week", "2026-04-20", "2026-04-26")
    assert said("stickiness", window(visits(""), young)).status == "not_defined"
    assert said("stickiness", window(visits(""), Period("week", "2026-04-27", "2026-05-03"))).status == "ok"


def task(kind: str, at: str, attempt: str = "1", who: str | None = "a", **data: Any) -> Event:
    own = {"task_id": "t", "attempt_id": attempt, "task_family": "find", **data}
    return event(f"task.{kind}", at, who, data=own)


@pytest.mark.parametrize(
    ("ends", "value"),
    [
        ([], 0.0),
        ([task("completed", "2026-05-12T09:59:59")], 100.0),
        ([task("completed", "2026-05-12T10:00:00")], 100.0),
        ([task("completed", "2026-05-12T10:00:01")], 0.0),
        ([task("failed", "2026-05-11T11:00"), task("completed", "2026-05-11T12:00")], 100.0),
        ([task("abandoned", "2026-05-11T11:00")], 0.0),
        ([task("completed", "2026-05-11T12:00", duration_ms=86_400_001)], 0.0),
    ],
)
def test_an_attempt_is_judged_by_its_first_24_hours(ends: list[Event], value: float) -> None:
    seen = window([task("started", "2026-05-11T10:00"), *ends])
    found = said("task-success", seen)
    assert (found.value, found.n, found.status) == (value, 1, "ok")
    assert (
        said("task-success", Window(seen.history, Period("week", "2026-05-18", "2026-05-24"), seen.as_of_ns)).n is None
    )


def test_an_attempt_belongs_to_the_period_of_its_start() -> None:
    seen = window([task("started", "2026-05-10T23:50"), task("completed", "2026-05-11T00:10")])
    assert said("task-success", seen).status == "not_defined"
    before = Window(seen.history, Period("week", "2026-05-04", "2026-05-10"), seen.as_of_ns)
    assert said("task-success", before).value == 100
    assert said("time-to-complete", before).value == 1200


def test_an_open_attempt_is_left_out_and_said() -> None:
    events = [task("started", "2026-05-17T10:00", "2"), task("completed", "2026-05-12T10:00")]
    found = said("task-success", window(events, now="2026-05-20T01:00:00"))
    assert (found.value, found.n, found.status) == (100.0, 1, "incomplete")
    later = said("task-success", window(events, now="2026-05-21T01:00:00"))
    assert (later.value, later.n, later.status) == (50.0, 2, "ok")


def test_times_of_those_who_never_finish_are_censored() -> None:
    done = [task("completed", f"2026-05-11T1{n}:00", str(n), f"p{n}", duration_ms=n * 10_000) for n in (1, 2, 3)]
    lost = [task("failed", "2026-05-11T10:00", str(n), f"p{n}", duration_ms=15_000) for n in (4, 5)]
    seen = window([*done, *lost])
    assert said("time-to-complete", seen).value == 20  # 1 of 5 by 10 s, then 1 of 2 by 20 s: 4/5 · 1/2 = 0.4 left
    assert said("time-to-complete-p90", seen).value == 30


def test_the_median_of_censored_times_by_hand() -> None:
    done = [task("completed", f"2026-05-11T1{n}:00", str(n), f"p{n}", duration_ms=n * 10_000) for n in (1, 2)]
    lost = [task("failed", "2026-05-11T10:00", str(n), f"p{n}", duration_ms=25_000) for n in (4, 5, 6)]
    assert said("time-to-complete", window([*done, *lost])).status == "not_defined"  # 3/5 are left at the end


def test_what_is_counted_without_pseudonyms_cannot_be_clustered_and_says_so() -> None:
    events = [task("completed", f"2026-05-11T{n:02d}:00", str(n), None, duration_ms=9) for n in range(20)]
    events += [act(f"2026-05-12T{n:02d}:00", None, data={"channel": "app", "assisted": n < 5}) for n in range(20)]
    seen = window(events)
    assert said("task-success", seen).interval == "wilson, unclustered"
    assert said("channel-mix", seen).interval == "wilson, unclustered"
    assert said("assisted-share", seen).value == 25
    for other in ("stickiness", "intensity", "concentration", "retention-week-1", "time-to-complete", "people"):
        found = said(other, seen)
        assert (found.status, found.value) == ("not_defined", None), other
        assert "pseudonym" in found.reason or "28 days" in found.reason, (other, found.reason)
    known = [task("completed", "2026-05-11T10:00", str(n), f"p{n}") for n in range(20)]
    assert said("task-success", window(known)).interval == "clustered wilson"
    assert said("task-success", window([*events, *known])).interval == "clustered wilson, in part"


def test_where_nobody_stayed_away_there_is_no_ratio() -> None:
    kept = [act(f"2026-05-{day:02d}T10:00", who) for day in (4, 12) for who in "abcde"]
    start = act("2026-04-01T10:00", "z")
    found = said("net-growth", window([start, *kept, act("2026-05-13T10:00", "z")]))
    assert (found.status, found.value) == ("not_defined", None)
    assert "counts" in found.reason
    lost = said("net-growth", window([start, *kept, *(act("2026-05-05T10:00", f"l{n}") for n in range(6))]))
    assert (lost.value, lost.n, lost.people) == (0.0, 6, (0, 0, 0, 6))
    back = said("net-growth", window([start, *kept[:5], act("2026-05-13T10:00", "z"), act("2026-05-13T10:00", "new")]))
    assert (back.value, back.n, back.people) == (2 / 5, 5, (1, 1, 2, 5))


def test_people_no_longer_told_apart_have_not_all_stayed_away() -> None:
    events = [act("2026-04-01T10:00", "z"), act("2026-05-05T10:00", "a"), act("2026-05-12T10:00", None)]
    for indicator in ("dormant-people", "net-growth"):
        assert said(indicator, window(events)).status == "not_defined"


def test_parts_of_the_people_are_shown_of_months_and_the_whole_and_never_folded() -> None:
    events = [act("2026-05-12T10:00", f"p{n}", data={"area": f"a{n}", "gender": "f"}) for n in range(13)]
    events.append(act("2026-05-12T10:00", "q", data={"gender": "m"}))
    week = window(events)
    seen = Window(week.history, Period("month", "2026-05-01", "2026-05-31"), week.as_of_ns)
    found = {(one.dim, one.segment): one for one in INDICATORS["people"].compute(seen)}
    assert found["gender", "f"].value == 13
    assert found["gender", "m"].people == (1,)
    assert found["area", "too many"].status == "not_defined"
    assert {dim for dim, _ in found} == {"", "gender", "area"}  # one service, one channel: no parts
    assert len(INDICATORS["people"].compute(week)) == 1
    for name in ("day", "chosen"):
        other = Window(seen.history, Period(name, "2026-05-12", "2026-05-12"), seen.as_of_ns)
        assert len(INDICATORS["people"].compute(other)) == 1


def test_only_the_latest_answer_of_users_counts() -> None:
    def answer(at: str, who: str | None, **data: Any) -> Event:
        return event("survey.response", at, who, data=data)

    seen = window(
        [
            answer("2026-05-11T10:00", "a", instrument="sus", scores=[1, 5] * 5),
            answer("2026-05-12T10:00", "a", instrument="sus", scores=[5, 1] * 5, invited=40),
            answer("2026-05-12T11:00", "b", instrument="sus", scores=[3] * 10),
            answer("2026-05-12T12:00", "c", instrument="sus", scores=[3] * 9),
            answer("2026-05-12T13:00", "d", instrument="sus", scores=[1, 5] * 5, respondent="project_manager"),
            answer("2026-05-12T14:00", "a", instrument="service-5", scores=[4, 5, 3, 4, None]),
            answer("2026-05-12T15:00", None, instrument="csat", scores=[2]),
        ]
    )
    assert (said("satisfaction-sus", seen).value, said("satisfaction-sus", seen).n) == (75.0, 2)
    assert (said("satisfaction-top-2", seen).value, said("satisfaction-top-2", seen).n) == (60.0, 2)
    assert said("survey-response-rate", seen).value == pytest.approx(100 * 3 / 40)


def test_keys_of_two_epochs_leave_what_needs_single_people_undefined() -> None:
    from pipeline.indicators.evaluate import evaluate

    events = [act("2026-05-04T10:00", "k1" + KEY + "A"), act("2026-05-20T10:00", "k2" + KEY + "A")]
    seen = window([*events, act("2026-03-01T10:00", None)])
    for one in evaluate(seen.history, MONTH, seen.as_of_ns, 0, ["intensity", "concentration", "stickiness", "people"]):
        assert (one.status, one.value) == ("not_defined", None), one
        assert "keys" in one.reason, one
