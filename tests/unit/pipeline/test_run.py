"""The pipeline over a store: alerts from feeds and falls, live boards, kills at any point."""

from datetime import date, timedelta

import pytest

from pipeline.answers import Answers
from pipeline.model import Event
from pipeline.state_file import OperationsRefused
from tests.unit.pipeline.making import City, Clock, act, catalogue, event, ns, pilot

FEEDS = [
    {"id": "app", "topic": "u", "stream": "usage", "heartbeat_every": "1h"},
    {"id": "talk", "topic": "e", "stream": "engagement", "heartbeat_every": "1h"},
]
START = date(2026, 1, 1)


def days(first: int, last: int, contributions: int, silent: bool = False) -> list[Event]:
    """Days of both feeds; a silent engagement feed sends neither events nor heartbeats."""
    found = []
    for number in range(first, last):
        day = (START + timedelta(days=number)).isoformat()
        following = (START + timedelta(days=number + 1)).isoformat()
        span = {"since": f"{day}T00:00:00Z", "until": f"{following}T00:00:00Z"}
        at = ns(f"{following}T00:00:00") - 1_000_000
        found.append(event("feed.heartbeat", at, feed="app", data={**span, "counts": {}}))
        if not silent:
            found.append(
                event("feed.heartbeat", at, feed="talk", data={**span, "counts": {"contribution.made": contributions}})
            )
            found += [
                event("contribution.made", ns(f"{day}T08:00:00") + number * 10**9, f"p{number}", data={"kind": "idea"})
                for number in range(contributions)
            ]
    return found


def incidents(city: City) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.series, one.closed_ns is None) for one in city.operations.incidents(["test"])]


def test_a_real_fall_behind_a_healthy_feed_opens_a_drop_off() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"))
    city.add([*days(0, 40, 10), *days(40, 50, 2)])
    city.work()
    assert incidents(city) == [("drop_off", "contributions", True)]
    assert len(city.told()) == 1


def test_a_silent_feed_opens_a_feed_incident_and_never_a_drop_off() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"))
    running = city.pipeline()
    city.add([*days(0, 45, 10), *days(45, 50, 0, silent=True)])
    city.work(running)
    assert incidents(city) == [("feed_silent", "talk", True)]
    city.add(days(45, 50, 10))  # what the source had kept arrives late
    city.work(running)
    assert incidents(city) == [("feed_silent", "talk", False)]


def test_a_fall_in_the_past_is_back_filled_and_not_notified() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-08-01T00:30:00"))
    city.add([*days(0, 40, 10), *days(40, 60, 2)])
    city.work()
    assert incidents(city) == [("drop_off", "contributions", True)]
    assert city.told() == []


def test_a_fall_that_late_events_explain_is_closed_as_revised() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"))
    running = city.pipeline()
    whole = days(0, 50, 10)
    late = [one for one in whole if one.type == "contribution.made" and one.time_ns > ns("2026-02-08T00:00:00")]
    beats = days(40, 50, 0)
    city.add([*(one for one in whole if one not in late and one.time_ns < ns("2026-02-10T00:00:00")), *beats])
    city.work(running)
    assert incidents(city) == [("drop_off", "contributions", True)]
    city.add(late)
    city.work(running)
    assert incidents(city) == [("drop_off", "contributions", False)]


def test_an_incident_of_simulated_data_says_so() -> None:
    city = City(pilot(feeds=FEEDS, synthetic=True), Clock("2026-02-20T00:30:00"))
    city.add([*days(0, 40, 10), *days(40, 50, 2)])
    city.work()
    assert all(one.synthetic for one in city.operations.incidents(["test"]))


@pytest.mark.parametrize("steps", range(5))
def test_a_pipeline_killed_after_any_step_leaves_nothing_undone(steps: int) -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-06-01T00:30:00"))
    city.add(days(0, 130, 1))
    city.work()
    city.add([act(f"2026-01-0{day}T10:00:00", "a") for day in range(1, 9)])
    killed = city.pipeline()
    for _ in range(steps):
        killed.step(hurry=True)
    city.work()
    fresh = City(city.pilot, city.clock)
    fresh.add(city.store.read("test", ("usage", "engagement", "ops"), 0, 1 << 62))
    fresh.work()
    assert city.documents() == fresh.documents()


def test_a_second_pipeline_on_the_same_state_is_refused() -> None:
    city = City(pilot(), Clock("2026-06-01T00:00:00"))
    city.operations.lease("pipeline", "elsewhere/1", city.clock.ns)
    with pytest.raises(OperationsRefused, match="another pipeline"):
        city.pipeline()


def test_another_catalogue_computes_everything_again() -> None:
    city = City(pilot(), Clock("2027-01-01T00:00:00"))
    city.add([act("2026-03-01T10:00:00", one) for one in "abc"])
    city.work()
    before = city.documents()
    city.catalogue = catalogue(city.pilot, k=5).model_copy(update={"config_hash": "other"})
    city.work()
    assert city.documents() != before
    [people] = Answers(city.store, city.catalogue, city.operations).values(["test"], ["people"], "day")
    assert (people.status, people.value) == ("suppressed", None)


def test_a_kill_while_another_catalogue_is_applied_leaves_no_value_of_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.run.PERIODS_A_STEP", 5)
    city = City(pilot(), Clock("2026-06-20T00:30:00"))
    city.add([act(f"2026-01-{day:02}T10:00:00", one) for day in range(1, 21) for one in "abc"])
    city.work()
    city.catalogue = catalogue(city.pilot, k=5).model_copy(update={"config_hash": "other"})
    city.pipeline().step(hurry=True)  # and killed
    city.work()
    values = Answers(city.store, city.catalogue, city.operations).values(["test"], ["people"], "day")
    assert {(value.status, value.value) for value in values} == {("suppressed", None)}


def test_an_event_of_now_is_on_the_board_after_one_step_and_today_is_exact_later() -> None:
    clock = Clock("2026-03-01T12:00:30")
    city = City(pilot(), clock)
    running = city.pipeline()
    city.work(running)
    answers = Answers(city.store, city.catalogue, city.operations)
    before = answers.version()
    city.add([act("2026-03-01T12:00:10", "a"), act("2026-03-01T11:02:10", "b"), act("2026-03-01T08:00:10", "b")])
    clock.ns += 10**9
    running.step()
    board = answers.now("test")
    assert board is not None
    assert (board.minutes["usage"][-1], board.minutes["usage"][1], sum(board.minutes["usage"])) == (1, 1, 2)
    assert board.today == {"usage": 2, "engagement": 0}
    assert answers.version() != before
    clock.ns += 40 * 10**9
    running.step()
    running.step()
    board = answers.now("test")
    assert board is not None
    assert board.today == {"usage": 3, "engagement": 0}
    [today] = answers.values(["test"], ["people"], "day")
    assert (today.value, today.status) == (2, "incomplete")


def test_the_usual_is_the_median_of_the_same_weekday_and_time_of_day() -> None:
    clock = Clock("2026-03-30T12:30:00")  # a Monday
    city = City(pilot(), clock)
    for weeks, count in ((1, 4), (2, 6), (3, 8)):
        day = (date(2026, 3, 30) - timedelta(weeks=weeks)).isoformat()
        city.add(
            [
                act(f"{day}T09:00:00", "a", count=count),
                act(f"{day}T12:10:00", "b", count=2),
                act(f"{day}T18:00:00", "c", count=50),
            ]
        )
    city.work()
    board = Answers(city.store, city.catalogue, city.operations).now("test")
    assert board is not None
    assert board.usual == {"usage": 7.0, "engagement": None}  # 6 before noon and half of the noon hour's 2


def test_the_first_answer_of_all_tells_a_workshop_in_all_and_by_stage_at_once() -> None:
    """What is told of a new day must not be judged by the list of activities as it stood before it."""
    city = City(pilot(), Clock("2026-03-04T20:00:00"), k=5)
    running = city.pipeline()
    city.work(running)
    city.clock.ns += 60 * 10**9
    city.add([event("activity.held", "2026-03-04T18:00:00", data={"activity_id": "w1", "attendance": 15})])
    running.step(hurry=True)
    values = Answers(city.store, city.catalogue, city.operations).values(["test"], ["attendance"], "day")
    assert [value.value for value in values] == [15] * len(values)
    assert {value.dim for value in values} == {"", "stage", "method"}


def test_an_empty_store_gives_empty_answers() -> None:
    city = City(pilot(), Clock("2026-03-01T00:00:00"))
    answers = Answers(city.store, city.catalogue, city.operations)
    for period in ("day", "week", "month", "all", "chosen"):
        assert answers.values(["test", "nobody"], None, period) == []
    assert (answers.span("test"), answers.span("nobody"), answers.now("test")) == (None, None, None)
    assert (answers.activities("test"), answers.incidents(["test"]), answers.alerts_evaluated_ns()) == ([], [], None)
    assert answers.version() == answers.version()
