"""Values and release decisions depend on the events alone, in whatever order they came, until they are published."""

import random
from datetime import date, timedelta

import msgspec
import pytest

from pipeline.answers import Answers
from pipeline.frozen import Frozen
from pipeline.model import Event
from pipeline.values import PeriodValues
from tests.unit.pipeline.making import City, Clock, act, event, ns, pilot

K = 4
FIRST = date(2026, 3, 2)
Said = dict[tuple[str, str, str], tuple[object, ...]]


def town(order: random.Random) -> list[Event]:
    """Four weeks of people who come, come again and take part."""
    found = []
    for number in range(60):
        begun = order.randint(0, 20)
        for day in {begun, *(begun + order.randint(1, 9) for _ in range(order.randint(0, 3)))}:
            on = FIRST + timedelta(days=day)
            found.append(act(f"{on}T10:00:{number:02}", f"p{number}"))
            if number % 5 == 0:
                found.append(
                    event("attendance", f"{on}T18:00:{number:02}", f"p{number}", data={"activity_id": f"a{day}"})
                )
    return found


def city() -> City:
    return City(pilot(), Clock("2026-06-01T00:00:00"), k=K)


def decisions(one: City) -> object:
    return Frozen(one.operations).kept("test", K)


def said(one: City) -> Said:
    """What is told of closed periods."""
    found: Said = {}
    for record in one.store.get("values", "test", -(1 << 62), 1 << 62):
        document = msgspec.json.decode(record.body, type=PeriodValues)
        for value in document.values:
            if value.value is not None and value.status != "incomplete" and document.period != "all":
                key = (document.period, document.start, f"{value.indicator}/{value.dim}/{value.segment}")
                found[key] = (value.value, value.n, value.status)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_arrival_changes_neither_values_nor_decisions(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    order = random.Random(seed)
    events = town(order)
    once = city()
    once.add(events)
    once.work()
    monkeypatch.setattr("pipeline.run.DAYS_A_STEP", 2)
    slowly = city()
    twice = [*events, *events]
    order.shuffle(twice)
    running = slowly.pipeline()
    for part in range(3):
        slowly.add(twice[part::3])
        running.step(hurry=True)  # two of about thirty days: nothing is complete, so nothing is published
        if order.random() < 0.5:
            running = slowly.pipeline()
    assert Frozen(slowly.operations).published_ns("test") == 0
    slowly.work(running)
    assert slowly.documents() == once.documents()
    assert decisions(slowly) == decisions(once) != {}
    assert Answers(slowly.store, slowly.catalogue, slowly.operations).revisions(["test"]) == []


@pytest.mark.parametrize("seed", range(4))
def test_what_comes_after_a_publication_makes_revisions_and_tells_nothing_else(seed: int) -> None:
    order = random.Random(seed)
    events = town(order)
    late = order.sample(events, 12)
    one = city()
    one.add([found for found in events if found not in late])
    one.work()
    before, kept = said(one), Frozen(one.operations).kept("test", K)
    hidden = {
        (document.period, document.start, f"{value.indicator}/{value.dim}/{value.segment}")
        for record in one.store.get("values", "test", -(1 << 62), 1 << 62)
        if (document := msgspec.json.decode(record.body, type=PeriodValues)).period != "all"
        for value in document.values
        if value.status == "suppressed"
    }
    one.add(late)
    one.work()
    after = said(one)
    assert not hidden & set(after)  # what was hidden stays so
    for family, decided in Frozen(one.operations).kept("test", K).items():
        assert set(decided.points) & set(range(kept[family].until + 1)) <= set(kept[family].points)
    fresh = city()
    fresh.add(events)
    fresh.work()
    truth = said(fresh)
    assert {key for key in after.keys() & truth.keys() if after[key] != truth[key]} == set()
    revised = {
        (row.period, row.start, f"{row.indicator}/{row.dim}/{row.segment}")
        for row in Answers(one.store, one.catalogue, one.operations).revisions(["test"])
    }
    assert {key for key, value in before.items() if after.get(key) != value} <= revised


def test_days_are_told_once_their_week_is_over_without_any_new_event() -> None:
    one = City(pilot(), Clock("2026-03-07T12:00:00"), k=K)
    one.add([act(f"2026-03-04T10:00:{number:02}", f"p{number}") for number in range(8)])
    running = one.pipeline()
    one.work(running)
    answers = Answers(one.store, one.catalogue, one.operations)
    [found] = answers.values(["test"], ["new-people"], "day", "2026-03-04", "2026-03-04")
    assert (found.status, found.value) == ("incomplete", None)
    for at in ("2026-03-10T12:00:00", "2026-03-11T01:00:00"):  # Sunday and its two days of lateness end in between
        one.clock.ns = ns(at)
        one.work(running)
    [found] = answers.values(["test"], ["new-people"], "day", "2026-03-04", "2026-03-04")
    assert (found.status, found.value) == ("ok", 8)
    assert answers.revisions(["test"]) == []
