"""Closed periods are frozen: what was published changes as a revision with its reason, never silently."""

import msgspec
import pytest

from pipeline.answers import Answers
from pipeline.findings import Revision
from pipeline.frozen import Frozen
from pipeline.model import Event, Touch
from pipeline.values import IndicatorValue, PeriodValues
from tests.unit.pipeline.making import City, Clock, act, catalogue, event, pilot

EVER = (-(1 << 62), 1 << 62)


def city(k: int = 0, people: int = 9) -> City:
    """Some people who all come on a Monday, and one core action on the Sunday after the next, all long ago."""
    found = City(pilot(), Clock("2026-06-01T00:00:00"), k=k)
    found.add([act(f"2026-03-02T10:00:{number:02}", f"p{number}") for number in range(people)])
    found.add([act("2026-03-15T10:00:00", "p0")])
    found.add([event("contribution.made", "2026-03-10T10:00:00", f"q{number}") for number in range(8)])
    found.work()
    return found


def answers(one: City) -> Answers:
    return Answers(one.store, one.catalogue, one.operations)


def value(one: City, indicator: str, period: str, start: str) -> IndicatorValue:
    return next(
        found for found in answers(one).values(["test"], [indicator], period, start, start) if found.start == start
    )


def revisions(one: City, indicator: str, period: str = "day") -> list[Revision]:
    return [
        found for found in answers(one).revisions(["test"]) if (found.indicator, found.period) == (indicator, period)
    ]


def test_what_is_published_for_the_first_time_is_no_revision() -> None:
    one = city()
    assert answers(one).revisions(["test"]) == []
    assert value(one, "people", "day", "2026-03-02").revision == 0


def test_a_late_event_makes_a_revision_with_its_reason() -> None:
    one = city()
    one.add([act("2026-03-02T12:00:00", "late")])
    one.work()
    now = value(one, "people", "day", "2026-03-02")
    assert (now.value, now.revision) == (10, 1)
    [found] = revisions(one, "people")
    assert (found.before, found.after, found.revision, found.start) == (9, 10, 1, "2026-03-02")
    assert found.reason == "events of 2026-03-02 came late"
    assert found.at_ns == one.clock.ns


def test_what_did_not_change_keeps_its_revision() -> None:
    one = city()
    one.add([act("2026-03-15T12:00:00", "late")])
    one.work()
    assert revisions(one, "new-people", "week") != []
    assert value(one, "people", "day", "2026-03-02").revision == 0
    assert value(one, "contributions", "day", "2026-03-15").revision == 0
    assert value(one, "people", "day", "2026-03-15").revision == 1


def test_two_late_events_make_two_revisions_and_each_says_what_came_before() -> None:
    one = city()
    for number in (1, 2):
        one.add([act("2026-03-02T12:00:00", f"late{number}")])
        one.work()
    assert [(found.revision, found.before, found.after) for found in revisions(one, "people")] == [
        (1, 9, 10),
        (2, 10, 11),
    ]


def test_computing_again_without_a_change_makes_no_revision() -> None:
    one = city()
    one.seq += 1
    one.store.touch([Touch(pilot="test", day="2026-03-02", seq=one.seq)])
    one.work()
    assert answers(one).revisions(["test"]) == []


def test_a_period_that_was_open_is_no_revision_when_it_closes() -> None:
    one = City(pilot(), Clock("2026-03-04T00:00:00"))
    one.add([act("2026-03-02T10:00:00", "a")])
    one.work()
    one.add([act("2026-03-04T10:00:00", "b")])
    one.clock.ns += 20 * 86_400 * 10**9
    one.work()
    assert revisions(one, "people", "week") == []
    assert value(one, "people", "week", "2026-03-02").value == 2


def test_another_catalogue_is_named_as_the_reason() -> None:
    one = city()
    one.catalogue = catalogue(one.pilot.model_copy(update={"excluded": ("p1",)}), k=0).model_copy(
        update={"config_hash": "other"}
    )
    days = {record.time_ns for record in one.store.get("values", "test", *EVER, key="day")}
    one.seq += 1
    one.store.touch([Touch(pilot="test", day=day, seq=one.seq) for day in ("2026-03-02", "2026-03-15")])
    one.work()
    assert days == {record.time_ns for record in one.store.get("values", "test", *EVER, key="day")}
    [found] = revisions(one, "people")
    assert (found.before, found.after) == (9, 8)
    assert found.reason.startswith("the catalogue or a definition changed")


def test_a_value_before_is_withheld_where_the_difference_tells_of_few() -> None:
    one = city(k=5)
    one.add([act("2026-03-02T12:00:00", "late")])
    one.work()
    [found] = revisions(one, "people")
    assert (found.before, found.after) == (None, 10)
    one.add([act("2026-03-02T13:00:00", f"more{number}") for number in range(6)])
    one.work()
    assert [(found.before, found.after) for found in revisions(one, "people")] == [(None, 10), (10, 16)]
    [actions] = [found for found in revisions(one, "core-actions") if found.revision == 1]
    assert (actions.before, actions.after) == (9, 10)


def test_what_was_hidden_is_never_told_by_a_revision() -> None:
    one = city(k=5)
    assert value(one, "people", "day", "2026-03-15").status == "suppressed"
    one.add([act("2026-03-15T12:00:00", f"p{number}") for number in range(9)])
    one.work()
    hidden = value(one, "people", "day", "2026-03-15")
    assert (hidden.status, hidden.value, hidden.n, hidden.lower) == ("suppressed", None, None, None)
    [chosen] = answers(one).chosen(["test"], ["people"], "2026-03-15", "2026-03-15")
    assert (chosen.status, chosen.value) == ("suppressed", None)
    again = city(k=5)  # the same events at once
    again.add([act("2026-03-15T12:00:00", f"p{number}") for number in range(9)])
    fresh = City(again.pilot, again.clock, k=5, store=again.store)
    fresh.work()
    assert value(fresh, "people", "day", "2026-03-15").value == 9


def erase(one: City, who: str) -> list[Event]:
    """What an erasure does: the store's own, a note of the days, and a touch of each."""
    gone = one.store.erase("test", who)
    days = sorted({"2026-03-02", "2026-03-15"} if who == "p0" else {"2026-03-02"})
    Frozen(one.operations).erased("test", days)
    one.seq += 1
    one.store.touch([Touch(pilot="test", day=day, seq=one.seq) for day in days])
    one.work()
    return gone


def test_somebody_who_is_erased_changes_only_what_must_change() -> None:
    one = city()
    before = one.documents()
    assert len(erase(one, "p3")) == 1
    left = City(one.pilot, one.clock)
    left.add(one.store.read("test", ("usage", "engagement"), *EVER))
    left.work()
    assert one.documents() == left.documents()
    changed = {key for key, body in one.documents().items() if body != before[key]}
    told = answers(one).revisions(["test"])
    assert {found.reason for found in told} == {"a person's events of 2026-03-02 were erased"}
    assert {(found.period, found.start) for found in told if found.indicator == "people"} == {
        ("day", "2026-03-02"),
        ("week", "2026-03-02"),
        ("month", "2026-03-01"),
        ("all", "2026-03-02"),
    }
    assert not {found.indicator for found in told} & {"contributors", "contributions", "participation-per-1000"}
    assert len(changed) == len({(found.period, found.start) for found in told})


@pytest.mark.parametrize("steps", range(4))
def test_a_kill_while_a_revision_is_made_loses_none(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.run.PERIODS_A_STEP", 6)
    one = city()
    one.add([act("2026-03-02T12:00:00", "late")])
    killed = one.pipeline()
    for _ in range(steps):
        killed.step(hurry=True)
    one.work()
    [found] = revisions(one, "people")
    assert (found.before, found.after, found.revision) == (9, 10, 1)
    assert value(one, "people", "day", "2026-03-02").revision == 1


def test_a_stored_period_of_an_earlier_version_is_read() -> None:
    old = {"pilot": "test", "period": "day", "start": "a", "end": "a", "run": "1", "computed_ns": 1, "values": []}
    assert msgspec.json.decode(msgspec.json.encode(old), type=PeriodValues).revision == 0


def test_an_open_period_that_began_small_is_told_when_it_has_grown() -> None:
    one = City(pilot(), Clock("2026-03-02T12:00:00"), k=5)
    one.add([act(f"2026-03-01T10:00:{number:02}", f"p{number}") for number in range(9)])
    one.add([act("2026-03-02T10:00:00", "p0")])
    running = one.pipeline()
    one.work(running)
    assert value(one, "people", "day", "2026-03-02").status == "suppressed"
    one.add([act(f"2026-03-02T11:00:{number:02}", f"p{number}") for number in range(9)])
    one.work(running)
    now = value(one, "people", "day", "2026-03-02")
    assert (now.value, now.status, now.revision) == (9, "incomplete", 0)
    assert answers(one).revisions(["test"]) == []
