"""What living on promises: it moves, it keeps intervals, it never repeats history, and it ends when told."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from threading import Event

import msgspec
import pandas as pd
import pytest

from collectors.simulator import Simulated, live
from collectors.simulator.truth import TRUTH, Truth
from config.catalogue import Catalogue
from tests.unit.simulator.telling import NOW, rows, told

HOUR = 3_600_000_000_000


class Time(Event):
    """A clock that a wait moves on at once, and that sets the stop at its end. It shows whole steps of `tick_ns`."""

    def __init__(self, hours: float, tick_ns: int = 1) -> None:
        super().__init__()
        self.tick_ns = tick_ns
        self.now, self.end = NOW, NOW + round(hours * HOUR)

    def clock(self) -> int:
        return self.now - (self.now - NOW) % self.tick_ns

    def wait(self, timeout: float | None = None) -> bool:
        self.now += max(1_000, round((timeout or 0) * 1e9))
        if self.now >= self.end:
            self.set()
        return self.is_set()


def lived(
    catalogue: Catalogue,
    hours: float,
    seed: int = 7,
    speed: float = 1.0,
    since_ns: int | None = None,
    tick_ns: int = 1,
    truth: Truth = TRUTH,
) -> list[tuple[Simulated, bool]]:
    time, found = Time(hours, tick_ns), list[tuple[Simulated, bool]]()
    live(
        catalogue,
        seed,
        lambda topic, payload, retain: found.append((Simulated(topic, payload, time.now), retain)),
        time.clock,
        time,
        speed,
        since_ns,
        truth,
    )
    return found


@pytest.fixture(scope="module")
def two_hours(catalogue: Catalogue) -> list[tuple[Simulated, bool]]:
    return lived(catalogue, 2.0)


def table(found: list[tuple[Simulated, bool]]) -> pd.DataFrame:
    return rows(message for message, _ in found)


def test_every_city_visibly_moves(two_hours: list[tuple[Simulated, bool]]) -> None:
    events = table(two_hours)
    per_minute = events[events.type != "feed.heartbeat"].groupby("pilot").size() / 120
    assert set(per_minute.index) == set(TRUTH.lifts)
    assert per_minute.between(0.8, 8).all()


def test_speed_multiplies_what_people_do(catalogue: Catalogue, two_hours: list[tuple[Simulated, bool]]) -> None:
    fast, usual = table(lived(catalogue, 2.0, speed=5.0)), table(two_hours)
    count = [(found.type == "action.performed").sum() for found in (fast, usual)]
    assert 3.5 < count[0] / count[1] < 7


def test_the_planted_drop_off_goes_on_at_its_true_pace(two_hours: list[tuple[Simulated, bool]]) -> None:
    events = table(two_hours)
    part = events[(events.pilot == TRUTH.drop_off.pilot) & (events.type == "contribution.made")]
    assert len(part) <= 6


def test_a_group_that_lost_interest_stays_away_and_the_others_go_on(catalogue: Catalogue) -> None:
    def spoken(keep: float) -> "pd.Series[int]":
        fall = replace(TRUTH.drop_off, keep=keep, group="citizen")
        one = catalogue.model_copy(update={"pilots": {fall.pilot: catalogue.pilots[fall.pilot]}})
        events = table(lived(one, 24.0 * 7, truth=replace(TRUTH, drop_off=fall)))
        said = events[events.type == "contribution.made"]
        return said.data.map(lambda data: data["actor_kind"]).value_counts()

    usual, fallen = spoken(1.0), spoken(0.0)
    assert usual["citizen"] > 10
    assert fallen.get("citizen", 0) == 0
    assert fallen.sum() > 0.5 * (usual.sum() - usual["citizen"])


def test_the_planted_outage_stays_silent(catalogue: Catalogue) -> None:
    events = table(lived(catalogue, 2.0))
    assert len(events[(events.pilot == TRUTH.outage.pilot) & (events.stream == TRUTH.outage.stream)]) == 0
    assert len(events[(events.pilot == TRUTH.outage.pilot) & (events.stream == "usage")]) > 50


def test_heartbeats_are_retained_keep_their_interval_and_tile_the_time(catalogue: Catalogue) -> None:
    found = lived(catalogue, 0.5, since_ns=NOW - HOUR)
    assert {retain for message, retain in found if b"feed.heartbeat" in message.payload} == {True}
    assert {retain for message, retain in found if b"feed.heartbeat" not in message.payload} == {False}
    events = table(found)
    for (_, _), part in events[events.type == "feed.heartbeat"].groupby(["pilot", "stream"]):
        spans = [(data["since"], data["until"]) for data in part.data]
        assert len(spans) == 30
        assert all(a[1] == b[0] for a, b in pairwise(spans))
        assert spans[0] == ("2026-11-25T22:07:42.037Z", "2026-11-25T23:07:42.037Z")
        assert part.data.map(lambda data: data["seq"]).diff().dropna().eq(1).all()


@pytest.mark.parametrize("tick_ns", [1, 20_000_000_000])
def test_heartbeats_announce_exactly_the_events_of_their_interval(catalogue: Catalogue, tick_ns: int) -> None:
    assert_announced(lived(catalogue, 1.0, tick_ns=tick_ns))


def assert_announced(found: list[tuple[Simulated, bool]]) -> None:
    events = rows(
        Simulated(m.topic, m.payload, pd.Timestamp(msgspec.json.decode(m.payload)["time"]).value) for m, _ in found
    )
    beats, rest = events[events.type == "feed.heartbeat"], events[events.type != "feed.heartbeat"]
    for (pilot, stream), part in beats.groupby(["pilot", "stream"]):
        mine = rest[(rest.pilot == pilot) & (rest.stream == stream)]
        for data in part.data:
            since, until = (pd.Timestamp(data[key]).value for key in ("since", "until"))
            inside = mine[(mine.time_ns >= since) & (mine.time_ns < until)]
            assert inside.type.value_counts().to_dict() == data["counts"]


def test_events_in_the_very_millisecond_of_a_heartbeat_are_announced_once(catalogue: Catalogue) -> None:
    pilot = catalogue.pilots["malmo"]
    feed = pilot.feeds[0].model_copy(update={"heartbeat_every": timedelta(seconds=1)})
    crowded = catalogue.model_copy(update={"pilots": {"malmo": pilot.model_copy(update={"feeds": [feed]})}})
    assert_announced(lived(crowded, 15 / 3600, speed=30_000.0))


def test_readings_continue_on_the_grid_of_history(two_hours: list[tuple[Simulated, bool]]) -> None:
    readings = [msgspec.json.decode(m.payload) for m, _ in two_hours if "/sensor/" in m.topic]
    assert {body["time"] for body in readings} == {"2026-11-26T00:00:00.000Z", "2026-11-26T01:00:00.000Z"}
    assert all(body["synthetic"] is True for body in readings)


def test_nothing_live_repeats_history(two_hours: list[tuple[Simulated, bool]]) -> None:
    past, now = rows(told(7, 2)), table(two_hours)
    assert set(past.id).isdisjoint(now.id)
    assert now.id.is_unique
    assert min(m.time_ns for m, _ in two_hours) >= NOW


def test_it_ends_when_told_before_anything_is_due(catalogue: Catalogue) -> None:
    stop = Time(1.0)
    stop.set()
    live(catalogue, 7, lambda *_: pytest.fail("published after the stop"), stop.clock, stop)


def test_what_publishing_raises_ends_it(catalogue: Catalogue) -> None:
    def away(topic: str, payload: bytes, retain: bool) -> None:
        raise ConnectionError(topic)

    with pytest.raises(ConnectionError):
        live(catalogue, 7, away, Time(1.0).clock, Time(1.0))


def test_after_a_suspended_machine_nothing_is_caught_up(catalogue: Catalogue) -> None:
    time, found = Time(30.0), list[int]()
    moved = False

    def clock() -> int:
        nonlocal moved
        if len(found) > 50 and not moved:
            time.now, moved = time.now + 24 * HOUR, True
        return time.now

    def publish(topic: str, payload: bytes, retain: bool) -> None:
        found.append(time.now)
        if moved and len(found) > 400:
            time.set()

    live(catalogue, 7, publish, clock, time)
    after = [at - NOW - 24 * HOUR for at in found if at >= NOW + 24 * HOUR]
    assert len([at for at in after if at < 60_000_000_000]) < 100
    assert len({at // 60_000_000_000 for at in after}) > 5
