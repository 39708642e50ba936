"""One collector in this process, a real Mosquitto and a real embedded store."""

import contextlib
import json
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from collectors import dead_letters, ledger
from collectors.collector import Collector, spool_folder
from collectors.delivery import Hooks
from collectors.intake import Intake
from collectors.message import BrokerAway, BrokerRefused, CollectorError, SpoolHeld
from collectors.mqtt import MqttPublisher
from collectors.pseudonym import PseudonymKeys
from collectors.publish import Received
from collectors.receiver import MqttReceiver
from collectors.spool import DIRECT, Spool
from collectors.topics import Roster
from config.catalogue import Catalogue
from config.settings import Mqtt, Settings
from pipeline import feed_report
from pipeline.model import Event
from pipeline.store.sqlite import SQLiteStore
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until
from tests.unit.collectors.places import AIR, APP, action, air, app, catalogue, pilot, reading

FAR = 2**62


def now_iso() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Site:
    """Settings, catalogue and store of one installation; `collector` starts one on them."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.broker, self.folder = broker, folder
        self.settings = self.with_mqtt()
        self.catalogue: Catalogue = catalogue(pilot(app(consent="cohort"), air()))
        self.store = SQLiteStore(folder / "store")
        self.running: list[Collector] = []

    def with_mqtt(self, **mqtt: Any) -> Settings:
        address = {"host": self.broker.host, "port": self.broker.port, **mqtt}
        return Settings(_env_file=None, state=self.folder / "var", mqtt=Mqtt.model_validate(address))

    def collector(self, settings: Settings | None = None, hooks: Hooks | None = None) -> Collector:
        collector = Collector(settings or self.settings, self.catalogue, self.store, time.time_ns, hooks)
        self.running.append(collector)
        return collector

    def started(self, **more: Any) -> Collector:
        collector = self.collector(**more)
        collector.start()
        wait_until(collector.receiver.ready.is_set, 10, "readiness")
        return collector

    def stop(self) -> None:
        for collector in self.running:
            collector.stop()
        self.running.clear()

    def publish(self, *payloads: bytes, topic: str = APP, retain: bool = False) -> None:
        with MqttPublisher(self.settings.mqtt) as publisher:
            for payload in payloads:
                publisher.publish(topic, payload, retain=retain)

    def stored(self, stream: str = "usage") -> list[Event]:
        return self.store.read("bremen", [stream], 0, FAR)


@pytest.fixture
def site(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Site]:
    site = Site(tmp_path, mosquitto)
    yield site
    site.stop()
    site.store.close()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_messages_published_while_the_collector_was_away_arrive(site: Site, protocol: str) -> None:
    settings = site.with_mqtt(protocol=protocol)
    site.started(settings=settings)
    site.stop()
    site.publish(*[action(f"e-{n}", now_iso()) for n in range(300)])
    collector = site.started(settings=settings)
    assert collector.wait_idle(20)
    assert len(site.stored()) == 300
    assert ledger.broken(collector.ledger()) == []
    assert ledger.audit(collector.ledger(), site.store, ["bremen"]) == []


def test_bad_messages_become_dead_letters_and_the_rest_flows_on(site: Site) -> None:
    collector = site.started()
    good = action("before", now_iso())
    site.publish(good)
    site.publish(b"[" * 100_000, b"x" * 10_000_000, b'{"id":"\xff"}', b"", b"[" * 60_000)
    site.publish(action("foreign", now_iso()).replace(b"/bremen/", b"/malmo/"))
    site.publish(action("x", now_iso()), topic="pilots/atlantis/usage/app")
    site.publish(action("x", now_iso()), topic="pilots/bremen/usage/nowhere")
    site.publish(action("after", now_iso()))
    assert collector.wait_idle(20)
    assert [e.event_id for e in site.stored()] == ["app/before", "app/after"]
    assert dead_letters.counted(collector.spool) == {
        ("bremen", "decode", "too_large"): 2, ("bremen", "decode", "not_utf8"): 1, ("bremen", "decode", "not_json"): 1,
        ("bremen", "decode", "too_deep"): 1, ("bremen", "identity", "identity_mismatch"): 1,
        ("unknown", "identity", "unknown_pilot"): 1, ("bremen", "identity", "unknown_feed"): 1,
    }  # fmt: skip
    (large,) = [x for x in dead_letters.listed(collector.spool) if x.size == 10_000_000]
    assert len(large.payload) == 65_536
    assert collector.receiver.alive()


def test_a_full_queue_is_answered_by_not_reading(site: Site) -> None:
    """Mosquitto 2.0.11 sends more than Receive Maximum, so memory is bounded here."""

    def receiver() -> MqttReceiver:
        receiver = MqttReceiver(site.settings.mqtt, "small", ["pilots/#"], [], time.time_ns, lambda error: None)
        receiver._bound = 50
        receiver.start()
        return receiver

    first = receiver()
    wait_until(first.ready.is_set, 10, "the session")
    first.stop()
    site.publish(*[b"%d" % n for n in range(400)])
    small = receiver()
    got: list[bytes] = []
    while len(got) < 400:
        wanted = min(50, 400 - len(got))
        wait_until(lambda w=wanted: small.queue.qsize() >= w, 10, f"{wanted} more in the queue")  # type: ignore[misc]
        assert small.queue.qsize() <= 50
        batch = [small.queue.get() for _ in range(small.queue.qsize())]
        small.ack(batch)
        got += [message.payload for message in batch]
    small.stop()
    assert got == [b"%d" % n for n in range(400)]


def test_no_acknowledgement_leaves_before_its_commit_returned(site: Site, tmp_path: Path) -> None:
    """Beside it, a power failure: what was not synced when a batch was acknowledged is cut off at random."""
    steps: list[str] = []
    snapshots: list[tuple[Path, int]] = []

    def note(step: str) -> Callable[[], None]:
        return lambda: steps.append(step)

    def cut_off() -> None:
        steps.append("commit returned")
        copy = tmp_path / f"cut-{len(snapshots)}"
        shutil.copytree(spool_folder(site.settings), copy)
        snapshots.append((copy, len(acknowledged)))

    acknowledged: list[Received] = []
    collector = site.collector(hooks=Hooks(before_commit=note("commit asked"), after_commit=cut_off))
    honest_ack = collector.receiver.ack

    def ack(messages: list[Received]) -> int:
        steps.append("acknowledged")
        acknowledged.extend(messages)
        return honest_ack(messages)

    collector.receiver.ack = ack  # type: ignore[method-assign,assignment]  # to watch it, not to change it
    collector.start()
    wait_until(collector.receiver.ready.is_set, 10, "readiness")
    site.publish(*[action(f"e-{n}", now_iso()) for n in range(400)])
    assert collector.wait_idle(20)
    order = ["commit asked", "commit returned", "acknowledged"]
    assert steps == order * (len(steps) // 3)
    assert len(acknowledged) >= 400
    site.stop()
    for copy, before in snapshots:
        # The copy is what had been synced when the commit returned; its batch was acknowledged only afterwards.
        for leftover in copy.glob("*-shm"):
            leftover.unlink()
        survivor = Spool(copy, site.settings.spool, lease=True)
        kept = survivor.totals()["received"]
        survivor.close()
        assert kept > before, "every message acknowledged so far, and the batch about to be"


def test_a_second_collector_on_the_same_spool_is_refused(site: Site) -> None:
    site.started()
    with pytest.raises(SpoolHeld, match="another collector already delivers from this spool"):
        site.collector()


def test_a_collector_whose_session_is_taken_over_ends_with_a_sentence(site: Site) -> None:
    with taking_over() as port:
        collector = site.collector(site.with_mqtt(port=port))
        with pytest.raises(BrokerRefused, match="another client took over the session"):
            collector.run(threading.Event())
    site.running.clear()


def test_two_clients_of_one_session_are_suspected_where_the_broker_says_nothing(site: Site) -> None:
    collector = site.started()
    other = MqttReceiver(site.settings.mqtt, "periscope-main", ["pilots/#"], [], time.time_ns, lambda error: None)
    other.start()
    wait_until(lambda: "is another client using" in collector.receiver.sentence, 60, "the suspicion")
    other.stop()
    wait_until(collector.receiver.ready.is_set, 30, "peace")


def test_a_live_message_overtakes_a_long_back_fill_entered_at_the_spool(site: Site) -> None:
    collector = site.started()
    other = Spool(spool_folder(site.settings), site.settings.spool, lease=False)
    intake = Intake(Roster(site.catalogue, "main"), PseudonymKeys(site.folder / "keys"))
    for start in range(0, 20_000, 1000):
        other.append([intake.entry(APP, action(f"old-{n}", now_iso()), time.time_ns(), priority=DIRECT)
                      for n in range(start, start + 1000)])  # fmt: skip
    other.close()
    site.publish(action("live", now_iso()))
    wait_until(lambda: any(e.event_id == "app/live" for e in site.stored()), 10, "the live message")
    assert collector.spool.has_pending(), "the back-fill was not over yet"
    assert collector.wait_idle(60)
    assert len(site.stored()) == 20_001


def test_a_broker_that_is_away_at_the_start_is_waited_for(site: Site) -> None:
    site.broker.stop()
    collector = site.collector()
    collector.start()
    assert "nothing listens there" in collector.receiver.sentence
    assert collector.failure is None
    site.broker.start()
    wait_until(collector.receiver.ready.is_set, 30, "readiness after the broker came")


def test_a_broker_that_restarts_loses_nothing_and_late_acknowledgements_are_held_back(site: Site) -> None:
    collector = site.started()
    site.publish(*[action(f"a-{n}", now_iso()) for n in range(50)])
    site.broker.stop()
    wait_until(lambda: not collector.receiver.ready.is_set(), 10, "the disconnect")
    stale = Received(1, 7, APP.encode(), b"{}", "", False, time.time_ns())
    assert collector.receiver.ack([stale]) == 0
    site.broker.start()
    wait_until(collector.receiver.ready.is_set, 30, "reconnecting")
    assert collector.receiver.ack([stale]) == 0, "an acknowledgement of an older connection never leaves"
    site.publish(*[action(f"b-{n}", now_iso()) for n in range(50)])
    assert collector.wait_idle(20)
    assert len(site.stored()) == 100


@pytest.mark.parametrize("meanwhile", ["connected", "stopped"])
def test_a_lost_session_is_counted_and_told(site: Site, meanwhile: str) -> None:
    collector = site.started()
    assert collector.receiver.session_lost == 0, "the first session of all is no loss"
    noted = spool_folder(site.settings) / "filters.json"
    wait_until(noted.exists, 10, "the session being noted")
    if meanwhile == "stopped":
        site.stop()
    site.broker.kill()
    for path in (site.broker.folder / "data").iterdir():
        path.unlink()
    site.broker.start()
    if meanwhile == "stopped":
        collector = site.collector()
        collector.start()
    wait_until(lambda: collector.receiver.session_lost == 1, 30, "the loss")
    wait_until(collector.receiver.ready.is_set, 30, "subscribing anew")
    site.publish(action("after", now_iso()))
    assert collector.wait_idle(20)
    assert len(site.stored()) == 1
    wait_until(lambda: "collector.session_lost" in [e.type for e in site.stored("ops")], 20, "the gap being told")
    (told,) = (event for event in site.stored("ops") if event.type == "collector.session_lost")
    assert told.data["since"] <= now_iso()
    assert (told.feed, told.data["collector"]) == ("collector", "main")


class _Leak(SimpleQueue[Received]):
    """Forgets the first messages, as a mistake of ours might: they are neither committed nor acknowledged."""

    def __init__(self, leaks: int) -> None:
        self.leaks = leaks

    def put(self, item: Received, block: bool = True, timeout: float | None = None) -> None:
        if self.leaks:
            self.leaks -= 1
        else:
            super().put(item)


@pytest.mark.parametrize("leaks", [3, 10])
def test_forgotten_messages_do_not_stall_the_window(site: Site, leaks: int) -> None:
    """Ten of ten fill the window: without a new connection the broker would send nothing more."""
    collector = site.collector(site.with_mqtt(receive_maximum=10))
    collector.receiver.queue, collector.receiver.forgotten_s = _Leak(leaks), 0.5
    collector.start()
    site.publish(*[action(f"n-{n}", now_iso()) for n in range(50)])
    wait_until(lambda: len(site.stored()) == 50, 20, "all of them")
    assert collector.receiver.errors == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_network_thread_is_replaced(site: Site) -> None:
    collector = site.started()
    client = collector.receiver._client
    client.on_messages = lambda messages: 1 / 0  # what no callback of ours does: the thread ends, all seems connected
    site.publish(action("lost on the way", now_iso()))
    wait_until(lambda: collector.receiver._client is not client, 20, "the replacement")
    wait_until(lambda: len(site.stored()) == 1, 20, "the redelivery")


def test_retained_messages_come_once_and_are_no_events_but_heartbeats_are(site: Site) -> None:
    site.publish(action("state", now_iso()), retain=True)
    data = {"seq": 1, "synthetic": False}
    beat = json.dumps({"id": "h", "type": "feed.heartbeat", "time": now_iso(), "data": data}).encode()
    site.publish(reading(time=now_iso(), pm10=1), topic=AIR, retain=True)
    collector = site.started()
    assert collector.wait_idle(20)
    assert dict(collector.ledger())["bremen", "app", "dropped:retained_replay"] == 1
    site.publish(beat, retain=True)
    wait_until(lambda: len(site.stored("ops")) >= 1, 10, "the heartbeat")
    assert site.stored("ops")[0].feed == "app"
    assert site.stored() == site.stored("sensor") == []


def test_the_ledger_comes_back_as_an_event_that_pages_can_read(site: Site) -> None:
    collector = site.started()
    site.publish(action("e", now_iso()), b"bad")
    wait_until(lambda: any(e.type == "collector.ledger" for e in site.stored("ops")), 30, "the ledger's event")
    (event,) = site.stored("ops")
    assert event.feed == "collector"
    report = feed_report.read(event)
    assert report is not None
    assert (report.feed, report.dead) == ("app", {"decode:not_json": 1})
    assert report.total == {"dead_lettered": 1, "points_in": 1, "points_written": 1, "received": 2, "written": 1}
    assert report.latency_s is not None
    assert report.latency_s.n == 1
    assert collector.failure is None


def test_health_and_metrics_are_told_on_loopback(site: Site) -> None:
    port = free_port()
    settings = site.settings.model_copy(update={"health_port": port})
    collector = site.started(settings=settings)
    site.publish(action("e", now_iso()))
    assert collector.wait_idle(20)
    assert _get(port, "/healthz")[0] == _get(port, "/readyz")[0] == 200
    code, text = _get(port, "/metrics")
    assert code == 200
    (line,) = [line for line in text.splitlines() if line.startswith("ledger_total") and '"written"' in line]
    assert 'pilot="bremen"' in line
    assert line.endswith(" 1.0")
    assert "collector_mqtt_connected 1.0" in text
    site.broker.stop()
    wait_until(lambda: _get(port, "/readyz")[0] == 503, 10, "not ready")
    assert "trying again" not in json.loads(_get(port, "/readyz")[1])["sentence"]
    with pytest.raises(CollectorError, match=f"port {port} cannot be used"):
        Collector(settings.model_copy(update={"collector": "other"}), site.catalogue, site.store, time.time_ns)


def test_without_a_broker_a_publisher_says_where_it_looked(free_port: int) -> None:
    with pytest.raises(BrokerAway, match=rf"127\.0\.0\.1:{free_port}: nothing listens there"):
        MqttPublisher(Mqtt(port=free_port)).__enter__()
    with pytest.raises(BrokerAway, match="no such host is known"):
        MqttPublisher(Mqtt(host="nowhere.invalid")).__enter__()


def test_a_publisher_is_told_of_a_message_that_the_broker_never_takes(tmp_path: Path) -> None:
    """Mosquitto 2.0 answers one beyond its limit in a way that makes paho send it again and again."""
    broker = Mosquitto(tmp_path / "small", extra=("--anonymous", "--max-payload", "1000"))
    broker.start()
    try:
        with pytest.raises(BrokerRefused, match="larger than"):
            with MqttPublisher(Mqtt(host=broker.host, port=broker.port), patience_s=30) as publisher:
                publisher.publish(APP, b"x" * 1001)
    finally:
        broker.stop()


def test_a_collector_stops_in_order_under_load(site: Site) -> None:
    collector = site.started()
    sending = threading.Thread(target=site.publish, args=[action(f"e-{n}", now_iso()) for n in range(3000)])
    sending.start()
    wait_until(lambda: collector.receiver.received > 200, 20, "the load")
    site.stop()
    sending.join(60)
    again = site.started()
    assert again.wait_idle(30)
    assert len(site.stored()) == 3000
    assert ledger.broken(again.ledger()) == []


@contextlib.contextmanager
def taking_over() -> Iterator[int]:
    """A broker that speaks as much MQTT 5 as it takes to tell its client that another one took over."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b"\x20\x03\x00\x00\x00")  # CONNACK
                identifier = client.recv(4096)[2:4]
                client.sendall(b"\x90\x05" + identifier + b"\x00\x01\x01")  # SUBACK, QoS 1 twice
                client.sendall(b"\xe0\x01\x8e")  # DISCONNECT, session taken over
                client.recv(4096)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
