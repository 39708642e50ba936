"""Points lost by a real store after it had taken them: named by the audit, replayed, and there again, each once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from collectors import ledger
from collectors.collector import Collector, spool_folder
from collectors.mqtt import MqttPublisher
from collectors.replay import replay
from collectors.spool import Spool
from config.settings import Influx as InfluxSettings
from config.settings import Mqtt, Settings
from pipeline.model import Event
from pipeline.store import open_store
from pipeline.store.port import Store
from tests.command import periscope
from tests.integration.test_collector import now_iso
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import wait_until
from tests.unit.collectors.places import AIR, APP, action, air, app, catalogue, pilot, reading


@pytest.fixture(params=["sqlite", "influx"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Settings:
    whole = {"state": tmp_path / "var", "mqtt": Mqtt(port=mosquitto.port), "store": request.param}
    if request.param == "influx":
        influx: Influx = request.getfixturevalue("influx")
        raw, derived = influx.fresh_buckets()
        whole["influx"] = InfluxSettings(
            url=influx.url, org=influx.org, token=SecretStr(influx.token), raw_bucket=raw, derived_bucket=derived
        )
    return Settings(_env_file=None, **whole)  # type: ignore[call-arg]


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings, "raw")
    yield store
    store.close()


@pytest.fixture
def start(settings: Settings, store: Store) -> Iterator[Callable[[], Collector]]:
    running = []

    def begin() -> Collector:
        cities = catalogue(pilot(app(consent="cohort"), air()))
        running.append(Collector(settings, cities, store, time.time_ns))
        running[-1].start()
        wait_until(running[-1].receiver.ready.is_set, 10, "readiness")
        return running[-1]

    yield begin
    for collector in running:
        collector.stop()


def everything(store: Store) -> list[Event]:
    return store.read("bremen", ["sensor", "usage"], 0, 2**62)


def audit(collector: Collector, store: Store) -> list[str]:
    counts = collector.ledger()
    assert ledger.broken(counts) == []
    here = ledger.Counts({key: n for key, n in counts.items() if key[1] != "collector"})
    return ledger.audit(here, _WithoutReports(store), ["bremen"])  # type: ignore[arg-type]


class _WithoutReports:
    """The store without the collector's own reports, which come while a test looks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def count(self, pilot: str, stream: str, start_ns: int, end_ns: int) -> int:
        return 0 if stream == "ops" else self._store.count(pilot, stream, start_ns, end_ns)


def publish(settings: Settings, n: int) -> None:
    with MqttPublisher(settings.mqtt) as publisher:
        for number in range(n):
            publisher.publish(APP, action(f"e-{number}", now_iso()))
        publisher.publish(APP, action("e-0", now_iso(), value=2, revision=1))
        publisher.publish(APP, action("e-1", now_iso(), value=7))
        publisher.publish(AIR, reading(time=now_iso(), pm10=1, pm25=2))


def test_lost_points_come_back_beside_a_running_collector(
    settings: Settings, store: Store, start: Callable[[], Collector]
) -> None:
    collector = start()
    publish(settings, 200)
    assert collector.wait_idle(30)
    before, points = fates(collector), everything(store)
    assert len(points) == 202
    store.delete([*points[:50], *points[-2:]])
    assert audit(collector, store) == [f"bremen: {len(points)} points were written but {len(points) - 52} are stored"]
    done = periscope("replay", "--since", "1h", "--state", settings.state, cwd=settings.state)
    assert done.returncode == 0, done.stderr
    assert "messages are to be written again" in done.stdout
    wait_until(lambda: audit(collector, store) == [], 30, "the replay")
    assert collector.wait_idle(30)
    assert everything(store) == points
    assert fates(collector) == before


def test_a_replay_asked_for_without_a_collector_is_done_at_its_start(
    settings: Settings, store: Store, start: Callable[[], Collector]
) -> None:
    collector = start()
    publish(settings, 50)
    assert collector.wait_idle(30)
    collector.stop()
    before, points = fates(collector), everything(store)
    store.delete(points)
    spool = Spool(spool_folder(settings), settings.spool, lease=False)
    assert replay(spool, time.time_ns() - 3_600 * 10**9, time.time_ns()).done >= 52
    spool.close()
    collector = start()
    assert collector.wait_idle(30)
    assert everything(store) == points
    assert audit(collector, store) == []
    assert fates(collector) == before


def fates(collector: Collector) -> dict[tuple[str, str, str], int]:
    return {key: n for key, n in collector.ledger().items() if n and key[1] != "collector"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "soon"], "is no time"),
        (["--since", "1h", "--until", "never"], "is no time"),
        (["--since", "1h", "--pilot", "atlantis"], "there is no pilot atlantis"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "spool/main").mkdir(parents=True)
    done = periscope("replay", *words, "--state", tmp_path, cwd=tmp_path)
    assert (done.returncode, said in done.stderr, len(done.stderr.splitlines())) == (2, True, 1), done.stderr
