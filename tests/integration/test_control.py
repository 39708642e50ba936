"""Requests over a real broker with deploy's own access list: who may ask, what is answered, what is not counted."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from collectors import ledger
from collectors.collector import Collector
from collectors.control import _WAITING, Control, ControlClient, NoAnswer, control_topic
from collectors.message import BrokerAway, BrokerRefused
from collectors.mqtt import MqttPublisher
from collectors.topics import Roster
from config.settings import Mqtt, Settings
from pipeline.store.sqlite import SQLiteStore
from tests.integration.test_collector import now_iso
from tests.integration.test_collector_access import as_user, broker
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until
from tests.unit.collectors.places import APP, action, app, catalogue, pilot

__all__ = ["broker"]


@pytest.fixture(params=["5", "3.1.1"])
def running(request: pytest.FixtureRequest, tmp_path: Path, broker: Mosquitto) -> Iterator[Collector]:
    mqtt = as_user(broker, "collector", protocol=request.param)
    settings = Settings(_env_file=None, state=tmp_path / "var", mqtt=mqtt)  # type: ignore[call-arg]
    with ExitStack() as ends:
        store = SQLiteStore(":memory:")
        ends.callback(store.close)
        collector = Collector(settings, catalogue(pilot(app())), store, time.time_ns)
        ends.callback(collector.stop)
        collector.start()
        wait_until(lambda: collector.receiver.ready.is_set() and collector.control.ready.is_set(), 10, "readiness")
        yield collector


def publish(broker: Mosquitto, *payloads: bytes) -> None:
    with MqttPublisher(as_user(broker, "bremen")) as publisher:
        for payload in payloads:
            publisher.publish(APP, payload)


def ask(broker: Mosquitto, user: str = "dashboard", timeout: float = 10, **request: Any) -> dict[str, Any]:
    return ControlClient(as_user(broker, user)).ask("main", {"by": "Ada", **request}, timeout)


def test_pages_see_requeue_and_purge_dead_letters_and_the_ledger_counts_no_request(
    broker: Mosquitto,
    running: Collector,
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish(broker, b"bad", b"worse", action("e", now_iso()))
    assert running.wait_idle(20)
    before = running.ledger()
    shown = ask(broker, do="show", pilot="bremen")
    assert [letter["body"] for letter in shown["letters"]] == ["worse", "bad"]
    assert [s["count"] for s in ask(broker, do="sample", pilot="bremen")["samples"]] == [2]
    (first, second) = [letter["id"] for letter in shown["letters"]]
    requeued = ask(broker, do="requeue", ids=[first])
    assert (requeued["ok"], requeued["done"]) == (True, 1)
    wait_until(lambda: ask(broker, do="show", ids=[first])["letters"][:1] != [], 10, "being set aside again")
    assert ask(broker, do="show", ids=[first])["letters"][0]["attempts"] == 1
    twice = {"id": "the-same", "do": "purge", "ids": [second]}
    assert [ask(broker, **twice)["done"] for _ in range(2)] == [1, 1]
    assert len(ask(broker, do="show", pilot="bremen")["letters"]) == 1
    assert running.wait_idle(20)
    after = running.ledger()
    assert {k: n for k, n in after.items() if k[1] != "collector"} == {k: n for k, n in before.items() if n}
    assert ledger.broken(after) == []
    assert any("Ada asked to purge" in record.message for record in caplog.records)


def test_what_is_no_request_is_counted_and_the_next_one_is_answered(
    broker: Mosquitto,
    running: Collector,
) -> None:
    with MqttPublisher(as_user(broker, "dashboard")) as publisher:
        for payload in (b"", b"{", b"[" * 60_000, b"\xff", b'{"id": "x"}'):
            publisher.publish(control_topic("main"), payload)
    assert ask(broker, do="sample")["ok"]
    assert running.control.desk.counts["malformed"] == 5
    assert running.failure is None


def test_a_request_that_the_broker_kept_is_not_done(broker: Mosquitto, running: Collector) -> None:
    publish(broker, b"bad")
    assert running.wait_idle(20)
    running.control.stop()
    with MqttPublisher(as_user(broker, "dashboard")) as publisher:
        publisher.publish(
            control_topic("main"), b'{"id": "k", "do": "purge", "by": "Ada", "pilot": "bremen", "feed": "app"}', True
        )
    fresh = Control(running._settings.mqtt, "main", running.spool, Roster(catalogue(pilot(app())), "main"))
    fresh.start()
    wait_until(fresh.ready.is_set, 10, "hearing")
    assert len(ask(broker, do="show", pilot="bremen")["letters"]) == 1
    fresh.stop()


def test_requests_that_came_while_too_many_waited_are_counted_and_told(broker: Mosquitto, running: Collector) -> None:
    running.control.stop()
    busy = Control(running._settings.mqtt, "main", running.spool, Roster(catalogue(pilot(app())), "main"))
    busy._client.loop_start()  # hears, and works none off yet
    wait_until(busy.ready.is_set, 10, "hearing")
    with MqttPublisher(as_user(broker, "dashboard")) as publisher:
        for number in range(_WAITING + 3):
            publisher.publish(control_topic("main"), f'{{"id": "{number}", "do": "sample", "by": "Ada"}}'.encode())
    wait_until(lambda: busy.desk.counts["overrun"] == 3, 10, "the overrun")
    busy._thread.start()
    answer = ask(broker, do="sample")
    assert (answer["ok"], answer["overrun"]) == (True, 3)
    busy.stop()


@pytest.mark.parametrize("user", ["bremen", "importer", "collector"])
def test_nobody_but_the_dashboard_may_ask(broker: Mosquitto, running: Collector, user: str) -> None:
    publish(broker, b"bad")
    assert running.wait_idle(20)
    request = b'{"id": "k", "do": "purge", "by": "Eve", "pilot": "bremen", "feed": "app"}'
    with suppress(BrokerRefused), MqttPublisher(as_user(broker, user)) as publisher:  # whether it is told or not
        publisher.publish(control_topic("main"), request)
    assert len(ask(broker, do="show", pilot="bremen")["letters"]) == 1
    assert sum(running.control.desk.counts.values()) == 1


def test_without_a_collector_the_asker_is_told_in_a_sentence(broker: Mosquitto) -> None:
    with pytest.raises(NoAnswer, match='collector "main" did not answer in time'):
        ask(broker, timeout=1, do="sample")
    with pytest.raises(BrokerAway, match="nothing listens there"):
        ControlClient(Mqtt(port=free_port())).ask("main", {"do": "sample", "by": "Ada"}, 5)
    with pytest.raises(ValueError, match="do"):
        ask(broker, do="format the disk")
