"""F10: the host's clock jumps by an hour or by days, devices live in 1970 or 2106, and the clocks of a zone change.

The collector runs in this process with a clock that the row moves; broker, spool and store are the real ones. Waiting
is never done by that clock: with the store away at a jump, delivery goes on as if nothing had happened to the time.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors import dead_letters
from collectors.collector import Collector
from collectors.mqtt import MqttPublisher
from config.catalogue import load_catalogue
from config.settings import Settings
from pipeline.model import Event, Refusal
from pipeline.store.port import StoreAway
from pipeline.store.sqlite import SQLiteStore
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import TOPIC, Oracle
from tests.services.process import wait_until

HOUR_S, DAY_S = 3600, 86_400
PATIENCE_S = 20  # far below the jumps: who waited for the clock would need an hour


class Clock:
    """The time of day, moved by `offset_s`."""

    def __init__(self) -> None:
        self.offset_s = 0

    def __call__(self) -> int:
        return time.time_ns() + self.offset_s * 10**9


class Moody(SQLiteStore):
    """The embedded store, away for its next `away` writes."""

    away = 0

    def write(self, events: Sequence[Event]) -> list[Refusal]:
        if self.away:
            self.away -= 1
            raise StoreAway("away")
        return super().write(events)


def run(place: Place, scale: Scale) -> Outcome:
    place.begin()
    oracle = place.oracle(scale.pick(1_200, 12_000), rate=2000)
    oracle.start()
    clock, store = Clock(), Moody(place.folder / "var/store")
    settings = Settings(_env_file=None, state=place.folder / "var", mqtt=place.mqtt)
    collector = Collector(settings, load_catalogue(place.folder / "pilots"), store, clock)
    problems: list[str] = []
    jumps = (0, HOUR_S, -HOUR_S, -3 * DAY_S, 2 * DAY_S, 0)
    try:
        collector.start()
        wait_until(collector.receiver.ready.is_set, 20, "readiness")
        for number, offset_s in enumerate(jumps, 1):
            store.away = 2
            oracle.open_to(oracle.total * number // (len(jumps) + 1))
            clock.offset_s = offset_s
            if not _caught_up(place, oracle, number, len(jumps)):
                problems.append(f"host clock {offset_s / HOUR_S:+.0f} h: not delivered within {PATIENCE_S} s")
        sent = _devices(place, clock)
        wait_until(lambda: place.totals()["pending"] == 0, PATIENCE_S, "the devices' messages", look_s=0.1)
        if collector.failure is not None:
            problems.append(f"it ended: {collector.failure}")
    finally:
        collector.stop()
        store.close()
    place.fault_ends()
    verdict = settle(place, oracle)
    with place.spool() as spool:
        letters = dead_letters.listed(spool)
    wrong = Counter(json.loads(letter.payload)["id"] for letter in letters if letter.code == "clock_skew")
    refused = Counter(id_ for id_, _, good in sent if not good)
    if wrong != refused:
        problems.append(f"set aside for their time: {sorted(wrong)}, expected {sorted(refused)}")
    kept = {id_.removeprefix("app/") for id_ in verdict.spurious}
    if kept != {id_ for id_, _, good in sent if good}:
        problems.append(f"stored of the devices' messages: {sorted(kept)}")
    verdict.spurious = []
    return outcome(
        "F10", "clocks of host and devices, DST", len(jumps) + len(sent), oracle, verdict,
        least_obligations=scale.pick(1_000, 10_000), problems=problems,
    )  # fmt: skip


def _caught_up(place: Place, oracle: Oracle, number: int, parts: int) -> bool:
    goal = oracle.total * number // (parts + 1)
    try:
        wait_until(lambda: len(oracle.acked) >= goal and place.totals()["written"] >= goal, PATIENCE_S, "", look_s=0.1)
    except TimeoutError:
        return False
    return True


def _devices(place: Place, clock: Clock) -> list[tuple[str, str, bool]]:
    """Events with the times of odd devices, sent while the host's clock is right; whether each is to be stored."""
    assert clock.offset_s == 0

    def after(**more: Any) -> str:
        return (datetime.now(UTC) + timedelta(**more)).isoformat()

    times = [
        ("device-1970", "1970-01-01T00:00:00Z", False), ("device-2036", "2036-02-07T06:28:16Z", False),
        ("device-2106", "2106-02-07T06:28:15Z", False), ("device-0001", "0001-01-01T00:00:00Z", False),
        ("device-9999", "9999-12-31T23:59:59Z", False), ("ahead-11-min", after(minutes=11), False),
        ("ahead-9-min", after(minutes=9), True), ("before-accept-since", "2018-12-31T22:59:59Z", False),
        ("autumn-first", "2025-10-26T02:30:00+02:00", True), ("autumn-second", "2025-10-26T02:30:00+01:00", True),
        ("autumn-no-zone", "2025-10-26T02:30:00", True), ("spring-gap", "2025-03-30T02:30:00", True),
    ]  # fmt: skip
    with MqttPublisher(place.mqtt) as publisher:
        for id_, text, _ in times:
            event = {
                "specversion": "1.0", "id": id_, "source": "/pilots/bremen/app", "type": "action.performed",
                "time": text, "data": {"synthetic": False},
            }  # fmt: skip
            publisher.publish(TOPIC, json.dumps(event).encode())
    return times
