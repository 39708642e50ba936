"""The states of streams: written down when they change, kept day by day, never changed afterwards."""

import json
import sqlite3

import msgspec
import pytest

from pipeline.alerts.states import Point
from tests.unit.pipeline.making import City, Clock, event, pilot
from tests.unit.pipeline.watching import FIRST, Watched, day, said


@pytest.fixture(scope="module")
def month() -> Watched:
    """People stay away for two weeks, and the feed breaks for three days of them."""
    town = Watched()
    for number in range(90):
        away, broken = 60 <= number < 74, 66 <= number < 69
        town.pass_day(number, [] if broken else said(number, 5 if away else 12), silent=["talk"] if broken else [])
        if number >= 58:
            town.look(number)
    return town


def test_every_change_of_state_is_on_record_in_its_order(month: Watched) -> None:
    states = month.states()
    assert [state for _, state in states] == ["ok", "pending", "firing", "held", "firing", "recovering", "ok"]
    began = {state: number for number, state in states[:4]}
    assert (began["ok"], began["held"]) == (27, 66)
    assert 60 <= began["pending"] < began["firing"] < 64
    assert states[4] == (69, "firing")


def test_a_change_of_state_says_what_it_rests_on(month: Watched) -> None:
    rows = month.operations.read("SELECT inputs FROM state_change WHERE state = 'firing' ORDER BY id")
    said_with = json.loads(rows[0][0])
    assert said_with["config"] == "test"
    assert (said_with["observed"], said_with["threshold"]) == (5, 6.1)
    assert said_with["evidence"] >= 6.1
    assert said_with["expected"] == pytest.approx(12, rel=0.02)


@pytest.mark.parametrize("table", ["state_change", "transition"])
@pytest.mark.parametrize("change", ["UPDATE {} SET day = '2000-01-01'", "DELETE FROM {}"])
def test_no_record_is_changed_or_removed(month: Watched, table: str, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="only added to"), month.operations.transaction() as database:
        database.execute(change.format(table))


def test_looking_again_writes_nothing(month: Watched) -> None:
    before = month.operations.read("SELECT count(*) FROM state_change")
    assert not month.look(89)
    assert month.operations.read("SELECT count(*) FROM state_change") == before


def test_late_events_that_undo_a_change_say_so_and_remove_nothing() -> None:
    town = Watched()
    for number in range(66):
        town.pass_day(number, said(number, 12 if number < 60 else 2))
    town.look(65)
    first = town.states()
    assert [state for _, state in first][:2] == ["ok", "pending"]
    for number in range(60, 66):
        town.pass_day(number, said(number, 12))
    town.look(65)
    later = town.states()
    assert later[: len(first)] == first
    assert {number for number, state in later[len(first) :] if state == "withdrawn"} == {n for n, _ in first[1:]}


def test_the_series_in_the_store_has_every_day(month: Watched) -> None:
    records = month.store.get("alert", "test", 0, 1 << 62, key="engagement")
    assert len(records) == 90
    found = {one.time_ns: msgspec.json.decode(one.body, type=dict[str, Point]) for one in records}
    points = [found[time_ns]["contributions"] for time_ns in sorted(found)]
    assert [one.observed for one in points[58:62]] == [12, 12, 5, 5]
    assert {one.state for one in points[66:69]} == {"held"}
    assert points[0].expected is None


def test_a_fault_in_one_evaluation_is_an_incident_of_its_own_and_ends_nothing() -> None:
    clock = Clock("2026-03-01T10:00:00")
    one = pilot(feeds=[{"id": "talk", "topic": "talk", "stream": "engagement", "heartbeat_every": "1h"}])
    city = City(one, clock)
    city.add([event("contribution.made", "2026-03-01T09:30:00", "k1-one")])
    running = city.pipeline()
    city.work(running)
    clock.ns += 4 * 3600 * 10**9
    city.work(running)
    assert [(one.kind, one.closed_ns) for one in city.operations.incidents(["test"])] == [("feed_silent", None)]
    kept = city.operations.state("test", "talk", "feed_silent")
    assert kept is not None
    city.operations.keep_state("test", "talk", "feed_silent", b"{broken")
    city.work(running)
    city.work(running)
    opened = {one.kind: one.closed_ns for one in city.operations.incidents(["test"])}
    assert opened == {"feed_silent": None, "evaluation_failed": None}
    city.operations.keep_state("test", "talk", "feed_silent", kept)
    clock.ns += 120 * 10**9
    city.work(running)
    closed = {one.kind: one.closed_ns for one in city.operations.incidents(["test"])}
    assert closed == {"feed_silent": None, "evaluation_failed": clock.ns}
    told = [f"{letter['what']} {letter['incident']['kind']}" for letter in city.told()]
    assert told == ["opened feed_silent", "opened evaluation_failed", "closed evaluation_failed"]


def test_days_are_dates_of_the_story() -> None:
    assert (day(0), FIRST) == ("2025-09-01", 739495)
