import json

import pytest

from pipeline.answers import Answers
from pipeline.model import Event
from pipeline.values import IndicatorValue
from tests.unit.pipeline.making import City, Clock, act, event, ns, pilot

SENSOR = [{"id": "air", "topic": "t", "stream": "sensor", "expect_every": "15m"}]
BEATING = [
    {"id": "app", "topic": "u", "stream": "usage", "heartbeat_every": "1h", "lateness": "1d"},
    {"id": "talk", "topic": "e", "stream": "engagement", "heartbeat_every": "1h", "lateness": "1d"},
]
LIMIT = [{"quantity": "pm10", "unit": "ug/m3", "above": 50, "source": "test"}]
HOUR = 3600 * 10**9


def reading(at: int, value: float, device: str = "d1", quantity: str = "pm10", unit: str = "ug/m3") -> Event:
    return event("reading", at, device=device, quantity=quantity, value=value, unit=unit)


def beats(day: str, hours: range, feed: str, counts: dict[str, int] | None = None) -> list[Event]:
    start = ns(f"{day}T00:00:00")
    return [
        event(
            "feed.heartbeat",
            start + (hour + 1) * HOUR - 1_000_000,
            feed=feed,
            data={
                "seq": hour,
                "since": (start + hour * HOUR) // 1_000_000,
                "until": (start + (hour + 1) * HOUR) // 1_000_000,
                "counts": counts or {},
            },
        )
        for hour in hours
    ]


def chosen(city: City, start: str | None = None, end: str | None = None) -> dict[tuple[str, str], IndicatorValue]:
    city.work()
    answers = Answers(city.store, city.catalogue, city.operations)
    return {(one.indicator, one.segment): one for one in answers.chosen(["test"], None, start, end)}


def test_completeness_and_longest_gap_count_the_edges_of_the_period() -> None:
    city = City(pilot(feeds=SENSOR), Clock("2027-01-01T00:00:00"))
    start = ns("2026-03-01T00:00:00")
    # Two devices from 06:00 and from 12:00 on, every 15 minutes; the second also measures another quantity.
    city.add([reading(start + 6 * HOUR + number * HOUR // 4, 10.0) for number in range(72)])
    for quantity in ("pm10", "pm25"):
        city.add([reading(start + 12 * HOUR + number * HOUR // 4, 10.0, "d2", quantity) for number in range(48)])
    found = chosen(city)
    assert (found["completeness", "d1"].value, found["completeness", "d1"].n) == (75.0, 72)
    assert (found["completeness", "d2"].value, found["completeness", "d2"].n) == (50.0, 48)
    assert found["completeness", "air"].value == 62.5
    assert found["longest-gap", "d1"].value == 6 * 3600
    assert found["longest-gap", "d2"].value == 12 * 3600
    assert found["sensor-level", "pm10"].status == "feed_poor"


def test_a_gap_over_several_days_is_one_gap_and_holds_no_value() -> None:
    city = City(pilot(feeds=SENSOR), Clock("2027-01-01T00:00:00"))
    city.add([reading(ns("2026-03-01T12:00:00"), 0.0), reading(ns("2026-03-05T12:00:00"), 0.0)])
    found = chosen(city)
    assert found["longest-gap", "air"].value == 4 * 86_400
    third = chosen(city, "2026-03-03", "2026-03-03")
    assert (third["sensor-level", "pm10"].value, third["sensor-level", "pm10"].status) == (None, "feed_poor")
    assert third["completeness", "air"].value == 0


def test_an_hour_counts_as_above_the_limit_only_when_enough_of_it_is_known() -> None:
    city = City(pilot(feeds=SENSOR, limits=LIMIT), Clock("2027-01-01T00:00:00"))
    start = ns("2026-03-01T00:00:00")
    at = [
        (0, 60),
        (1, 60),
        (2, 60),
        (3, 60),  # 60 all through: above
        (4, 90),
        (5, 90),  # half of the samples: not known
        (8, 90),
        (9, 50),
        (10, 50),
        (12, 50),
        (13, 50),
        (14, 50),
        (15, 50),
    ]  # 3 of 4: above; exactly 50: not above
    city.add([reading(start + quarter * HOUR // 4, float(value)) for quarter, value in at])
    found = chosen(city)["hours-over-limit", "pm10"]
    assert (found.value, found.n) == (2, 3)


def test_footfall_is_summed_and_levels_are_averaged() -> None:
    city = City(pilot(feeds=SENSOR), Clock("2027-01-01T00:00:00"))
    start = ns("2026-03-01T00:00:00")
    city.add([reading(start + number * HOUR // 4, 2.0, "gate", "footfall", "people") for number in range(96)])
    found = chosen(city)
    assert (found["footfall", "footfall"].value, found["footfall", "footfall"].status) == (192, "ok")
    assert ("sensor-level", "footfall") not in found


def test_a_healthy_day_on_which_nothing_happened_is_0_and_a_silent_one_is_not() -> None:
    city = City(pilot(feeds=BEATING), Clock("2026-03-20T00:00:00"))
    for day in ("2026-03-01", "2026-03-02", "2026-03-04"):
        city.add([*beats(day, range(24), "app"), *beats(day, range(24), "talk")])
    city.add([act("2026-03-01T10:00:00", "a")])
    days = {day: chosen(city, f"2026-03-0{day}", f"2026-03-0{day}")["people", ""] for day in (1, 2, 3, 4)}
    assert [(days[day].value, days[day].status) for day in (1, 2, 3, 4)] == [
        (1, "ok"),
        (0, "ok"),
        (None, "feed_poor"),
        (0, "ok"),
    ]
    before = chosen(city, "2026-02-20", "2026-02-25")["people", ""]
    assert (before.value, before.status) == (None, "not_defined")


def test_a_feed_that_stored_less_than_it_announced_is_poor() -> None:
    city = City(pilot(feeds=BEATING), Clock("2026-03-20T00:00:00"))
    city.add([*beats("2026-03-01", range(24), "app", {"action.performed": 1}), *beats("2026-03-01", range(24), "talk")])
    city.add([act(ns("2026-03-01T00:30:00") + hour * HOUR, f"p{hour}") for hour in range(12)])
    found = chosen(city, "2026-03-01", "2026-03-01")
    assert found["completeness", "app"].value == 50
    assert (found["people", ""].value, found["people", ""].status) == (12, "feed_poor")
    assert found["contributors", ""].status == "ok"


def test_one_heartbeat_may_speak_for_a_whole_day() -> None:
    city = City(pilot("Europe/Stockholm", feeds=BEATING), Clock("2026-04-20T00:00:00"))
    spans = [("2026-03-28T23:00:00", "2026-03-29T22:00:00"), ("2026-03-29T22:00:00", "2026-03-30T22:00:00")]
    for feed in ("app", "talk"):
        city.add(
            [
                event(
                    "feed.heartbeat",
                    ns(until) - 1_000_000,
                    feed=feed,
                    data={"since": f"{since}Z", "until": f"{until}Z", "counts": {}},
                )
                for since, until in spans
            ]
        )
    found = chosen(city, "2026-03-29", "2026-03-30")  # the first of them has 23 hours
    assert found["completeness", "app"].value == 100
    assert found["longest-gap", "app"].value == 0


def test_an_open_period_is_incomplete_and_closes_after_the_lateness() -> None:
    clock = Clock("2026-03-02T12:00:00")
    city = City(pilot(feeds=BEATING), clock)
    city.add([*beats("2026-03-01", range(24), "app"), act("2026-03-01T10:00:00", "a")])
    assert chosen(city, "2026-03-01", "2026-03-01")["people", ""].status == "incomplete"
    clock.ns = ns("2026-03-03T00:00:00")
    assert chosen(city, "2026-03-01", "2026-03-01")["people", ""].status == "ok"


def test_counts_without_pseudonyms_are_events_and_nobody() -> None:
    city = City(pilot(), Clock("2027-01-01T00:00:00"))
    city.add([act("2026-03-01T10:00:00", count=7), event("contribution.made", "2026-03-01T10:00:00", count=3)])
    found = chosen(city)
    assert found["core-actions", ""].value == 7
    assert found["contributions", ""].value == 3
    for key in ("people", "contributors", "active-28", "participants-who-use", "retention-day-1"):
        assert (found[key, ""].value, found[key, ""].status) == (None, "not_defined"), key


def test_a_change_of_the_pseudonym_key_makes_history_not_defined_and_days_stay() -> None:
    city = City(pilot(), Clock("2027-01-01T00:00:00"))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    city.add([act("2026-03-01T10:00:00", "k1" + letters), act("2026-03-02T10:00:00", "k2" + letters)])
    whole, second = chosen(city), chosen(city, "2026-03-02", "2026-03-02")
    assert whole["people", ""].status == "not_defined"
    assert "k1" in whole["people", ""].reason
    assert second["people", ""].value == 1
    assert second["new-people", ""].status == "not_defined"


def test_a_synthetic_event_marks_what_rests_on_it() -> None:
    city = City(pilot(), Clock("2027-01-01T00:00:00"))
    city.add([act("2026-03-01T10:00:00", "a"), act("2026-03-02T10:00:00", "a", synthetic=True)])
    assert not chosen(city, "2026-03-01", "2026-03-01")["people", ""].synthetic
    assert chosen(city)["people", ""].synthetic


@pytest.mark.parametrize("counts", [None, [], "many", {"a": "b", "c": None}])
def test_a_strange_heartbeat_announces_nothing(counts: object) -> None:
    city = City(pilot(feeds=BEATING), Clock("2026-03-20T00:00:00"))
    city.add(
        [
            event(
                "feed.heartbeat",
                "2026-03-01T10:00:00",
                feed="app",
                data={"since": "yesterday", "until": json.loads("1e400"), "counts": counts},
            )
        ]
    )
    found = chosen(city, "2026-03-01", "2026-03-01")
    assert found["completeness", "app"].value == pytest.approx(100 / 24)


def test_staff_and_bots_are_left_out_of_every_figure_but_their_feed_was_heard() -> None:
    city = City(pilot(excluded=["staff-key"]), Clock("2027-01-01T00:00:00"))
    city.add([act("2026-03-01T10:00:00", "staff-key"), act("2026-03-01T10:00:00", "anna-key")])
    city.add([event("contribution.made", "2026-03-01T11:00:00", "staff-key", data={"kind": "idea"})])
    found = chosen(city)
    assert found["people", ""].value == found["core-actions", ""].value == 1
    assert found["contributions", ""].value == found["contributors", ""].value == 0
