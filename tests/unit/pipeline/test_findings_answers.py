"""Findings over a store: the figures of the events alone, whatever the order of arrival, and only of days over."""

import random
from datetime import date
from threading import Thread

import pytest

from pipeline.answers import Answers
from pipeline.findings_answers import Findings
from pipeline.fit.cells import fit_cells
from tests.unit.pipeline.fit.brute_fit import BruteFit
from tests.unit.pipeline.fit.making import activity, history, seen
from tests.unit.pipeline.making import City, Clock, act, catalogue, event, ns, pilot

LAST = "2026-12-28"  # two days of lateness before the clock below
FEEDS = [
    {"id": "app", "topic": "pilots/test/usage/app", "stream": "usage"},
    {"id": "talk", "topic": "pilots/test/engagement/talk", "stream": "engagement"},
]


def findings(city: City) -> Findings:
    return Findings(Answers(city.store, city.catalogue, city.operations), city.catalogue)


@pytest.mark.parametrize("seed", [1])
def test_a_store_gives_what_brute_force_gives_with_repeats_disorder_and_late_events(seed: int) -> None:
    events = history(seed, 40)
    rng = random.Random(seed)
    city = City(pilot(feeds=FEEDS), Clock("2026-12-31T12:00"))
    late = [one for one in events if one.type == "attendance"][:5]
    early = [one for one in events if one not in late] * 2
    rng.shuffle(early)
    city.add(early)
    running = city.pipeline()
    city.work(running)
    ask = findings(city)
    before = ask.fit(["test"])
    city.add(late)  # weeks after everything else was computed and asked for
    city.work(running)
    found = ask.fit(["test"])
    assert found != before
    assert found == fit_cells(seen(events, LAST), 0)
    oracle = BruteFit(events, date.fromisoformat(LAST))
    told = 0
    for cell in found:
        for name, value in oracle.figures(cell.stage, cell.dim, cell.code).items():
            assert cell.figures[name].value == (None if value is None else pytest.approx(value)), (cell, name)
            told += value is not None
    assert told > 30


def test_days_that_are_not_over_do_not_speak() -> None:
    clock = Clock("2026-03-10T12:00")
    city = City(pilot(feeds=FEEDS), clock)
    city.add([*activity("one", date(2026, 3, 2), 10), *activity("two", date(2026, 3, 8), 10)])
    running = city.pipeline()
    city.work(running)
    ask = findings(city)
    assert [cell.activities for cell in ask.fit(["test"]) if cell.stage == ""] == [1]
    assert ask.days("test") == ("2026-03-02", "2026-03-07")
    clock.ns += 86_400 * 10**9
    city.work(running)
    assert [cell.activities for cell in ask.fit(["test"]) if cell.stage == ""] == [2]


def test_activities_on_days_of_poor_feeds_are_left_out_and_counted() -> None:
    feeds = [{**FEEDS[1], "heartbeat_every": "1h", "lateness": "1h"}]
    city = City(pilot(feeds=feeds), Clock("2026-03-20T12:00"))
    events = []
    for n in range(1, 13):
        day = date(2026, 3, n)
        end = f"{day}T12:00:00" if n == 7 else f"2026-03-{n + 1:02}T00:00:00"
        beat = {"since": f"{day}T00:00:00Z", "until": f"{end}Z", "counts": {}}
        events.append(event("feed.heartbeat", ns(end) - 1_000_000, feed="talk", data=beat))
        if n in (2, 3, 4, 5, 6, 7):
            events += activity(f"a{n}", day, 100 if n == 7 else 10, method="survey")
    city.add(events)
    city.work()
    [cell] = [cell for cell in findings(city).fit(["test"]) if cell.stage == "" and cell.dim == "method"]
    figure = cell.figures["attendance"]
    assert (cell.activities, figure.n, figure.value) == (6, 5, 10)
    assert figure.reason == "1 left out, as feeds were poor on their days"


def test_an_empty_store_and_unknown_pilots_give_nothing() -> None:
    ask = findings(City(pilot(feeds=FEEDS), Clock("2026-03-10T12:00")))
    asked = (ask.fit, ask.one_size, ask.roles, ask.stage_groups, ask.skills, ask.counted, ask.impact, ask.retention)
    for found in (*asked, ask.effects, ask.revisions):
        assert found(["test", "nowhere"]) == []
    assert ask.days("nowhere") is None
    assert ask.pairs(["test", "nowhere"], "adoption-per-1000") == []
    assert ask.pairs(["test"], "no-such-indicator") == []


def test_targets_are_judged_by_the_stored_weeks() -> None:
    targets = [
        {
            "indicator": "core-actions",
            "direction": "up",
            "declared": date(2026, 6, 1),
            "by": date(2026, 12, 31),
            "value": 20,
        }
    ]
    city = City(pilot(feeds=FEEDS, targets=targets), Clock("2026-12-01T12:00"))
    rng = random.Random(2)
    events = []
    for n in range(47 * 7):
        day = date.fromordinal(date(2026, 1, 5).toordinal() + n)
        for k in range(rng.choice((1, 2)) if day < date(2026, 6, 1) else rng.choice((4, 5))):
            events.append(act(f"{day}T10:0{k}", "a"))
    city.add(events)
    city.work()
    [found] = findings(city).impact(["test"])
    assert (found.verdict, found.achieved) == ("as_intended", True)
    assert found.baseline_days == ("2026-03-09", "2026-05-31")
    before = sum(one.count for one in events if "2026-03-09" <= day_text(one.time_ns) <= "2026-05-31")
    assert found.baseline.value == pytest.approx(before / 12)


def day_text(time_ns: int) -> str:
    return date.fromordinal(date(1970, 1, 1).toordinal() + time_ns // (86_400 * 10**9)).isoformat()


def test_a_period_asked_again_follows_days_that_changed_and_is_the_callers_own() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-06-01T12:00"))
    city.add([act(f"2026-03-{day:02}T10:00:00", f"p{day}") for day in range(1, 29)])
    running = city.pipeline()
    city.work(running)
    answers = Answers(city.store, city.catalogue, city.operations)

    def people() -> float | None:
        [found] = answers.chosen(["test"], ["people"], "2026-03-02", "2026-03-29")
        return found.value

    assert people() == 27
    answers.chosen(["test"], ["people"], "2026-03-02", "2026-03-29").clear()
    assert people() == 27
    city.add([act("2026-03-28T11:00:00", "late")])
    city.work(running)
    assert people() == 28


def test_a_long_question_about_one_pilot_holds_up_none_about_another() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-06-01T12:00"))
    two = catalogue(city.pilot, city.pilot.model_copy(update={"slug": "other"}))
    answers = Answers(city.store, two, city.operations)
    found: list[object] = []

    def long(history: object, as_of_ns: int) -> None:
        asking = Thread(target=lambda: found.append(answers.span("other")))
        asking.start()
        asking.join(30)
        assert not asking.is_alive()

    answers.read("test", long)
    assert found == [None]
