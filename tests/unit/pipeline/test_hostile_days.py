"""Days made of what a source should never send: one feed's mistake must not stop the pipeline, nor hide silence."""

from typing import Any

import pytest

from pipeline.answers import Answers
from pipeline.model import Event
from tests.unit.pipeline.making import City, Clock, act, event, ns, pilot

FEEDS = [
    {"id": "app", "topic": "u", "stream": "usage", "heartbeat_every": "1h"},
    {"id": "talk", "topic": "e", "stream": "engagement"},
    {"id": "air", "topic": "s", "stream": "sensor", "expect_every": "5m"},
]
AT = "2026-02-18T10:00:00"
MS = 1_000_000


def beat(**data: Any) -> list[Event]:
    return [event("feed.heartbeat", AT, feed="app", data=data)]


def many(type_: str, number: int, **data: Any) -> list[Event]:
    return [
        event(type_, ns(AT) + place * MS, data={key: f"{place} {text}" for key, text in data.items()})
        for place in range(number)
    ]


@pytest.mark.parametrize(
    "events",
    [
        beat(until=1e300),
        beat(until="9999-12-31T23:59:59-14:00"),
        beat(since="0001-01-01T00:00:00+14:00"),
        beat(counts={"a": 1e300}),
        [event("reading", ns(AT) + n * MS, device="d", quantity="pm10", value=1.7e308) for n in range(2)],
        many("contribution.made", 300, kind="x" * 4000),
        many("contribution.made", 4000, kind="about the park"),
        many("activity.held", 20, **{f"text{number}": "x" * 4000 for number in range(15)}),
        many("activity.held", 1500, method="m"),
        [event("reading", ns(AT) + n * MS, device=f"d{n}", quantity="pm10", value=1.0) for n in range(5000)],
    ],
    ids=["until", "until-9999", "since-0001", "announced", "values", "long-kinds", "kinds", "details", "methods",
         "devices"],
)  # fmt: skip
def test_a_day_of_nonsense_stops_nothing(events: list[Event]) -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"))
    city.add(events)
    city.add([act("2026-02-17T10:00:00", "a"), act("2026-02-17T11:00:00", "b")])
    city.work()
    city.work()  # started anew on what it wrote
    found = Answers(city.store, city.catalogue, city.operations).values(["test"], ["people"], "day", "2026-02-17")
    assert found[0].value == 2


def test_an_attendance_that_cannot_be_is_not_stated() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"))
    city.add(
        [
            event("activity.held", ns(AT) + place, data={"activity_id": name, "attendance": stated})
            for place, (name, stated) in enumerate((("a", -5), ("b", 1e300), ("c", 12)))
        ]
    )
    city.work()
    found = Answers(city.store, city.catalogue, city.operations).activities("test")
    assert [(one.activity_id, one.attendance) for one in found] == [("a", None), ("b", None), ("c", 12)]


def test_a_heartbeat_that_speaks_of_the_future_does_not_hide_silence() -> None:
    clock = Clock("2026-02-18T10:30:00")
    city = City(pilot(feeds=FEEDS), clock)
    city.add(beat(since="2026-02-18T09:00:00Z", until="2027-02-18T10:00:00Z"))
    running = city.pipeline()
    city.work(running)
    clock.ns = ns("2026-02-18T16:00:00")
    city.work(running)
    assert [one.series for one in city.operations.incidents(["test"], open_only=True)] == ["app"]


def test_a_feed_that_always_sends_late_does_not_keep_silence_from_being_told() -> None:
    clock = Clock("2026-02-18T10:30:00")
    city = City(pilot(feeds=FEEDS), clock)
    city.add(beat())
    running = city.pipeline()
    city.work(running)
    for minute in range(5):
        clock.ns = ns(f"2026-02-18T16:0{minute}:00")
        city.add([event("contribution.made", f"2026-02-17T12:0{minute}:00")])
        running.step()
    assert [one.series for one in city.operations.incidents(["test"], open_only=True)] == ["app"]


def test_events_known_to_the_month_do_not_make_a_feed_seem_alive_ahead_of_time() -> None:
    clock = Clock("2026-02-03T10:30:00")
    feeds = [FEEDS[0], {"id": "talk", "topic": "e", "stream": "engagement", "expect_every": "1h"}]
    city = City(pilot(feeds=feeds), clock)
    late = ns("2026-02-25T12:00:00")  # where the hash of an id placed it in its month
    city.add([event("contribution.made", late, time_precision="month", received_ns=clock.ns)])
    running = city.pipeline()
    city.work(running)
    clock.ns = ns("2026-02-03T16:00:00")
    city.work(running)
    assert [one.series for one in city.operations.incidents(["test"], open_only=True)] == ["talk"]
