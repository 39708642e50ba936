"""The collector as its real process, killed while messages flow: none lost, none doubled, whichever store.

An id counts from its PUBACK on. Every fifth end is between commit and acknowledgement, where a redelivery must follow.
A build that acknowledges before its commit has to fail the same judgement.
"""

import contextlib
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import ledger
from collectors.spool import Spool
from config.settings import Mqtt
from config.settings import Spool as SpoolSettings
from pipeline.store.port import Store
from tests.integration.oracle import CATALOGUE, Oracle, same
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until

ROOT = Path(__file__).parents[2]
KILLED, ENDED_ITSELF = -9, 137
# How long InfluxDB is away, in seconds.
AWAY_S = 60


class Drill:
    """One collector's life with its ends; what it leaves is judged by `verdict`."""

    def __init__(self, folder: Path, broker: Mosquitto, store: dict[str, str]) -> None:
        self.folder, self.broker = folder, broker
        (folder / "pilots").mkdir()
        (folder / "pilots/bremen.toml").write_text(CATALOGUE)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PERISCOPE_")},
            "PERISCOPE_CATALOGUE": str(folder / "pilots"), "PERISCOPE_STATE": str(folder / "var"),
            "PERISCOPE_MQTT__HOST": broker.host, "PERISCOPE_MQTT__PORT": str(broker.port),
            "PERISCOPE_LOG_LEVEL": "WARNING", **store,
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.influx: Influx | None = None
        self.back_at = 0.0

    def start(self, *helper: str) -> subprocess.Popen[bytes]:
        """The real command, or with arguments the helper that ends at a named point."""
        command = ["-m", "tests.integration.collector_process", *helper] if helper else ["-m", "periscope", "collect"]
        with (self.folder / "collector.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        return self.process

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def begin_session(self) -> None:
        """Let the collector be there once, so that the broker keeps a session for it."""
        port = free_port()
        self.environment["PERISCOPE_HEALTH_PORT"] = str(port)
        process = self.start()
        wait_until(lambda: _ready(port), 60, "the first readiness")
        process.terminate()
        assert process.wait(20) == 0
        del self.environment["PERISCOPE_HEALTH_PORT"]

    def store_comes_and_goes(self, number: int, ends: int) -> None:
        """InfluxDB is away for the third fifth of the ends, a minute at least; the embedded store is never away."""
        if self.influx is not None and number == ends * 2 // 5:
            self.influx.stop()
            self.back_at = time.monotonic() + AWAY_S
        if self.influx is not None and number == ends * 3 // 5:
            wait_until(lambda: time.monotonic() >= self.back_at, AWAY_S + 10, "the end of the outage")
            self.influx.start()

    def received(self) -> int:
        return self._totals()["received"]

    def pending(self) -> int:
        return self._totals()["pending"]

    def _totals(self) -> dict[str, int]:
        spool = self.spool()
        try:
            return spool.totals()
        finally:
            spool.close()

    def spool(self) -> Spool:
        return Spool(self.folder / "var/spool/main", SpoolSettings(), lease=False)

    def has_received_more_than(self, number: int) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "collector.log").read_text()
        return self.received() > number

    def log(self) -> str:
        return (self.folder / "collector.log").read_text()


def _ready(port: int) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture(params=["sqlite", "influx"])
def drill(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Drill]:
    store = {"PERISCOPE_STORE": "sqlite"}
    influx: Influx | None = None
    if request.param == "influx":
        influx = request.getfixturevalue("influx")
        assert influx is not None
        raw, derived = influx.fresh_buckets()
        store = {
            "PERISCOPE_STORE": "influx", "PERISCOPE_INFLUX__URL": influx.url, "PERISCOPE_INFLUX__ORG": influx.org,
            "PERISCOPE_INFLUX__TOKEN": influx.token, "PERISCOPE_INFLUX__RAW_BUCKET": raw,
            "PERISCOPE_INFLUX__DERIVED_BUCKET": derived, "PERISCOPE_INFLUX__TIMEOUT_S": "5",
        }  # fmt: skip
    drill = Drill(tmp_path, mosquitto, store)
    drill.influx = influx
    yield drill
    drill.end()
    if influx is not None and not influx.running:
        influx.start()


def opened(drill: Drill) -> Store:
    """The drill's store, for reading."""
    env = drill.environment
    if env["PERISCOPE_STORE"] == "influx":
        from pipeline.store.influx import InfluxStore

        return InfluxStore(
            env["PERISCOPE_INFLUX__URL"], env["PERISCOPE_INFLUX__ORG"], env["PERISCOPE_INFLUX__TOKEN"],
            env["PERISCOPE_INFLUX__RAW_BUCKET"], env["PERISCOPE_INFLUX__DERIVED_BUCKET"], mode="read", timeout_s=60,
        )  # fmt: skip
    from pipeline.store.sqlite import SQLiteStore

    return SQLiteStore(drill.folder / "var/store", mode="read")


def kill_and_flow(
    drill: Drill, oracle: Oracle, ends: int, total: int, chance: random.Random, early: bool = False
) -> dict[int, int]:
    """End the collector `ends` times while messages flow; returns how it ended, by number."""
    codes = {}
    oracle.start()
    for number in range(ends):
        drill.store_comes_and_goes(number, ends)
        before, gate = drill.received() if drill.process else 0, total * (number + 1) // (ends + 1)
        oracle.open_to(oracle.published + 100)  # something to be seen alive by
        if early or number % 5 == 4:
            point = ("before_commit", "early") if early else ("after_commit", "")
            process = drill.start(point[0], str(chance.randrange(1, 3)), point[1])
            oracle.open_to(gate)
            process.wait(60)
        else:
            process = drill.start()
            wait_until(lambda b=before: drill.has_received_more_than(b), 60, "receiving again")  # type: ignore[misc]
            oracle.open_to(gate)
            oracle.wait_for(min(oracle.published + chance.randrange(1, 1500), gate), 60)
            process.kill()
            process.wait(10)
        codes[number] = process.returncode
    return codes


def verdict(drill: Drill, oracle: Oracle) -> dict[str, list[str]]:
    """What is wrong between the obligations and the store; empty lists mean nothing."""
    store = opened(drill)
    try:
        events = store.read("bremen", ["usage"], 0, 2**62)
    finally:
        store.close()
    ids = [event.event_id for event in events]
    numbers = {int(id_.rpartition("-")[2]): event for id_, event in zip(ids, events, strict=True)}
    spool = drill.spool()
    counts = spool.ledger()
    derived = spool.derived_ledger()
    spool.close()
    return {
        "lost": [str(n) for n in sorted(oracle.acked - numbers.keys())],
        "spurious": [str(n) for n in sorted(numbers.keys() - set(range(oracle.published)))],
        "doubled": sorted({id_ for id_ in ids if ids.count(id_) > 1}) if len(set(ids)) != len(ids) else [],
        "corrupted": [str(n) for n, event in numbers.items() if not same(event, n)],
        "ledger": [] if counts == derived else ["the ledger is not what the records say"],
        "identity": ledger.broken(ledger.total(counts.values())),
    }


def drained(drill: Drill, oracle: Oracle) -> bool:
    totals = drill._totals()
    return totals["pending"] == 0 and totals["written"] >= len(oracle.acked)


def test_twenty_kills_lose_and_double_nothing(drill: Drill, request: pytest.FixtureRequest) -> None:
    total, ends = 50_000, 20
    oracle = Oracle(Mqtt(host=drill.broker.host, port=drill.broker.port), total, rate=1500)
    drill.begin_session()
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    codes = kill_and_flow(drill, oracle, ends, total, random.Random(seed))
    drill.start()
    oracle.finish(120)
    wait_until(lambda: drained(drill, oracle), 120, "draining", look_s=0.2)
    drill.end()
    assert verdict(drill, oracle) == {
        key: [] for key in ("lost", "spurious", "doubled", "corrupted", "ledger", "identity")
    }
    assert len(oracle.acked) == total
    assert sorted(set(codes.values())) == [KILLED, ENDED_ITSELF]
    assert drill._totals()["duplicate"] >= 1, "no redelivery was seen, so the way of repeats was not tried"


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_build_that_acknowledges_before_its_commit_is_caught(drill: Drill) -> None:
    total = 6000
    oracle = Oracle(Mqtt(host=drill.broker.host, port=drill.broker.port), total, rate=1500)
    drill.begin_session()
    codes = kill_and_flow(drill, oracle, 3, total, random.Random(1), early=True)
    drill.start()
    oracle.finish(60)
    wait_until(lambda: drill.has_received_more_than(0) and drill.pending() == 0, 60, "draining")
    drill.end()
    assert set(codes.values()) == {ENDED_ITSELF}
    assert verdict(drill, oracle)["lost"], "the judgement must see what an early acknowledgement loses"
