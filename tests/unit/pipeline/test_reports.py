"""What collectors told, from their events to what a page asks for."""

import itertools

import msgspec

from pipeline.answers import Answers
from pipeline.model import Event
from pipeline.reports import Reports, ToldReport
from tests.unit.pipeline.making import City, Clock, act, event, pilot


def told(at: str, feed: str, written: int, collector: str = "main", **more: object) -> Event:
    data = {
        "schema": 1,
        "collector": collector,
        "feed": feed,
        "total": {"received": written, "written": written},
        "dead": {},
        "days": {},
    }
    made = event("collector.ledger", at, feed="collector", data={**data, **more})
    return msgspec.structs.replace(made, stream="ops")


def newest(events: list[Event]) -> dict[str, int]:
    reports = Reports()
    found: dict[str, int] = {}
    for one in events:
        reports.take([one])
        for record in reports.news():
            found[record.key] = msgspec.json.decode(record.body, type=ToldReport).report.total["written"]
    return found


def test_the_newest_report_wins_in_whatever_order_they_come() -> None:
    at = "2026-05-12T{}:00"
    events = [told(at.format(10), "app", 3), told(at.format(11), "app", 5), told(at.format("09"), "app", 1)]
    for order in itertools.permutations(events):
        assert newest(list(order)) == {"main/app": 5}


def test_each_collector_and_feed_is_kept_apart() -> None:
    at = "2026-05-12T10:00"
    events = [told(at, "app", 3), told(at, "talk", 4), told(at, "app", 7, collector="second")]
    assert newest(events) == {"main/app": 3, "main/talk": 4, "second/app": 7}


def test_nothing_is_news_twice_and_foreign_schemas_are_passed_over() -> None:
    reports = Reports()
    reports.take([told("2026-05-12T10:00", "app", 3), told("2026-05-12T10:00", "app", 3)])
    assert len(reports.news()) == 1
    reports.take([told("2026-05-12T10:00", "app", 3), told("2026-05-12T11:00", "app", 3, schema=2)])
    reports.take([told("2026-05-12T11:00", "app", 3, total="many")])
    assert reports.news() == []


def test_a_report_reaches_whoever_asks_and_a_newer_one_takes_its_place() -> None:
    city = City(pilot(), Clock("2026-05-12T10:05:00"))
    running = city.pipeline()
    city.add([told("2026-05-12T10:00", "app", 3), act("2026-05-12T10:00", "p")])
    city.work(running)
    answers = Answers(city.store, city.catalogue, city.operations)
    assert [(one.report.feed, one.report.total["written"]) for one in answers.reports("test")] == [("app", 3)]
    city.clock.ns += 60 * 10**9
    city.add([told("2026-05-12T10:05:30", "app", 8)])
    city.work(running)
    assert [(one.report.feed, one.report.total["written"]) for one in answers.reports("test")] == [("app", 8)]
    assert answers.reports("nowhere") == []


def lost(at: str, since: object = "2026-05-12T09:00:00.000000Z", collector: object = "main") -> Event:
    made = event("collector.session_lost", at, feed="collector", data={"collector": collector, "since": since})
    return msgspec.structs.replace(made, stream="ops")


def test_every_lost_session_reaches_whoever_asks_once_and_in_order() -> None:
    city = City(pilot(), Clock("2026-05-12T10:05:00"))
    running = city.pipeline()
    city.add([lost("2026-05-12T10:00"), lost("2026-05-12T09:30", "unknown", None)])
    city.work(running)
    city.clock.ns += 60 * 10**9
    city.add([act("2026-05-12T10:00", "p")])
    city.work(running)
    answers = Answers(city.store, city.catalogue, city.operations)
    assert [(one.collector, one.since) for one in answers.session_losses("test")] == [
        ("unknown", ""), ("main", "2026-05-12T09:00:00.000000Z"),
    ]  # fmt: skip
    assert answers.session_losses("nowhere") == []


def test_a_loss_of_days_ago_is_told_although_the_pipeline_stood_still() -> None:
    city = City(pilot(), Clock("2026-05-12T10:05:00"))
    city.add([lost("2026-05-02T10:00")])
    city.work()
    [found] = Answers(city.store, city.catalogue, city.operations).session_losses("test")
    assert found.found_ns == lost("2026-05-02T10:00").floor_ns
