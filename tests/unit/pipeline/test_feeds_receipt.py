"""Timeliness, validity, uniqueness, time available and plausibility against counting by hand, in any order."""

from random import Random
from statistics import median, quantiles

import pytest

from pipeline.answers import Answers
from pipeline.delays import class_of, quantile
from pipeline.model import Event
from pipeline.values import IndicatorValue
from tests.unit.pipeline.making import City, Clock, event, ns, pilot

DAY_NS = 86_400 * 10**9
FEEDS = [
    {"id": "app", "topic": "u", "stream": "usage", "heartbeat_every": "1h"},
    {"id": "talk", "topic": "e", "stream": "engagement"},
    {"id": "air", "topic": "s", "stream": "sensor", "expect_every": "1h"},
]


def values(city: City, start: str, end: str) -> dict[tuple[str, str], IndicatorValue]:
    city.work()
    answers = Answers(city.store, city.catalogue, city.operations)
    return {(one.indicator, one.segment): one for one in answers.chosen(["test"], None, start, end)}


def city_of(events: list[Event], seed: int = 0, now: str = "2027-06-01T00:00:00") -> City:
    """A city that got these events in a random order, every one twice."""
    city = City(pilot(feeds=FEEDS), Clock(now))
    rng = Random(seed)
    for _ in range(2):
        rng.shuffle(events)
        city.add(list(events))
    return city


@pytest.mark.parametrize("seed", [1, 2])
def test_delays_are_those_of_plain_sorting_to_six_percent(seed: int) -> None:
    rng = Random(seed)
    delays = [rng.lognormvariate(1, 2) for _ in range(400)] + [-rng.uniform(1, 60) for _ in range(40)]
    late = [8 * 86_400.0] * 60
    start = ns("2026-03-01T10:00:00")
    events = [
        event("action.performed", start + n * 1_000_000, f"p{n}", received_ns=start + n * 1_000_000 + int(delay * 1e9))
        for n, delay in enumerate(delays + late)
    ]
    coarse = event("action.performed", start, "q", received_ns=start + DAY_NS, time_precision="hour")
    found = values(city_of([*events, coarse], seed), "2026-03-01", "2026-03-01")
    cuts = quantiles(delays, n=20, method="inclusive")
    assert found["delay-median", "app"].value == pytest.approx(median(delays), rel=0.08)
    assert found["delay-p95", "app"].value == pytest.approx(cuts[18], rel=0.12)
    assert found["delay-median", "app"].n == 440
    assert found["dated-ahead", "app"].value == pytest.approx(100 * 40 / 440)
    assert found["back-filled", "app"].value == pytest.approx(100 * 60 / 500)
    assert found["delay-median", "talk"].status == "not_defined"


def test_a_class_holds_what_is_at_most_twelve_percent_apart_and_gives_its_middle() -> None:
    for delay in (0.001, 0.5, 1.0, 59.0, 3600.0, 604_800.0):
        assert quantile({class_of(delay): 3}, 0.5) == pytest.approx(delay, rel=0.06)


def report(at: str, collector: str, days: dict[str, dict[str, int]]) -> Event:
    told = {
        "schema": 1, "collector": collector, "feed": "app", "total": {}, "dead": {},
        "days": {day: {"fates": fates} for day, fates in days.items()},
    }  # fmt: skip
    return event("collector.ledger", at, feed="collector", data=told)


def test_the_newest_word_of_each_collector_counts_and_collectors_add_up() -> None:
    told = [
        report("2026-03-01T10:00:00", "one", {"2026-03-01": {"received": 50, "dead_lettered": 9}}),
        report("2026-03-01T23:59:00", "one", {"2026-03-01": {"received": 100, "dead_lettered": 10, "duplicate": 5}}),
        report("2026-03-02T08:00:00", "one", {
            "2026-03-01": {"received": 110, "dead_lettered": 11, "duplicate": 5}, "2026-03-02": {"received": 7},
        }),
        report("2026-03-01T20:00:00", "two", {"2026-02-28": {"received": 999}, "2026-03-01": {"received": 90}}),
        event("action.performed", "2026-03-01T10:00:00", "a"), event("action.performed", "2026-03-02T10:00:00", "a"),
    ]  # fmt: skip
    city = city_of([one if one.type != "collector.ledger" else _ops(one) for one in told])
    found = values(city, "2026-03-01", "2026-03-01")
    assert (found["validity", "app"].value, found["validity", "app"].n) == (100 * 189 / 200, 200)
    assert found["uniqueness", "app"].value == 100 * 195 / 200
    assert found["validity", "talk"].status == "not_defined"
    both = values(city, "2026-03-01", "2026-03-02")
    assert both["validity", "app"].n == 207


def _ops(one: Event) -> Event:
    import msgspec

    return msgspec.structs.replace(one, stream="ops")


def beat(day: str, hour: int) -> Event:
    start = ns(f"{day}T00:00:00") + hour * 3600 * 10**9
    span = {"since": start // 1_000_000, "until": (start + 3600 * 10**9) // 1_000_000, "counts": {}}
    return event("feed.heartbeat", start + 3600 * 10**9 - 1_000_000, feed="app", data=span)


def test_time_available_is_what_heartbeats_speak_for() -> None:
    beats = [beat("2026-03-01", hour) for hour in range(24)] + [beat("2026-03-02", hour) for hour in range(6)]
    found = values(city_of(beats), "2026-03-01", "2026-03-02")
    assert found["time-available", "app"].value == pytest.approx(62.5)
    assert found["time-available", "talk"].status == "not_defined"


def hourly(day: int, shapes: list[float]) -> list[Event]:
    start = ns("2025-03-01T00:00:00") + day * DAY_NS
    return [
        event("reading", start + hour * 3600 * 10**9, device="d", quantity="pm10", value=value, unit="ug/m3")
        for hour, value in enumerate(shapes)
    ]


def test_flat_lines_spikes_and_drift_are_found_and_a_young_device_has_no_season() -> None:
    rng = Random(4)
    usual = [[10 + rng.uniform(-1, 1) for _ in range(24)] for _ in range(40)]
    readings = [one for day, shape in enumerate(usual) for one in hourly(day, shape)]
    shape = [20 + rng.uniform(-1, 1) for _ in range(24)]
    shape[4] = 500.0
    shape[10:16] = [20.0] * 6
    shape[18:23] = [21.0] * 5
    readings += hourly(365 + 20, shape)
    city = city_of(readings)
    found = values(city, "2026-03-21", "2026-03-21")
    assert found["flat-line-share", "d · pm10"].value == 25.0
    assert found["spike-rate", "d · pm10"].value == pytest.approx(100 / 24)
    before = median(median(usual[day]) for day in range(6, 35))
    drift = found["seasonal-drift", "d · pm10"]
    assert drift.value == pytest.approx(100 * (median(shape) - before) / before)
    assert drift.n == 29
    young = values(city, "2025-03-30", "2025-03-30")["seasonal-drift", "d · pm10"]
    assert (young.value, young.status) == (None, "not_defined")
