"""`periscope collect` in its two processes: whichever ends, however, nothing is lost and nothing is left running."""

import json
import os
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import psutil
import pytest

from collectors import ledger
from collectors.collector import Collector
from collectors.delivery_process import DeliveryProcess
from collectors.mqtt import MqttPublisher
from collectors.spool import Spool
from config.catalogue import load_catalogue
from config.settings import Mqtt, Settings
from config.settings import Spool as SpoolSettings
from pipeline.store import open_store
from pipeline.store.sqlite import SQLiteStore
from tests.command import Running
from tests.integration.oracle import CATALOGUE, payload
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until


class Site:
    """One installation on the embedded store."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        (folder / "pilots").mkdir()
        (folder / "pilots/bremen.toml").write_text(CATALOGUE)
        self.folder, self.broker, self.port = folder, broker, free_port()
        self.settings = {
            "catalogue": folder / "pilots", "state": folder / "var", "mqtt__host": broker.host,
            "mqtt__port": broker.port, "health_port": self.port,
        }  # fmt: skip
        self.published = 0

    def collecting(self) -> Running:
        running = Running("collect", cwd=self.folder, **self.settings)
        running.until(lambda: self.health("/readyz")[0] == 200)
        return running

    def health(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def publish(self, number: int) -> None:
        with MqttPublisher(Mqtt(host=self.broker.host, port=self.broker.port)) as publisher:
            for n in range(self.published, self.published + number):
                publisher.publish("pilots/bremen/usage/app", payload(n))
        self.published += number

    def totals(self) -> dict[str, int]:
        spool = Spool(self.folder / "var/spool/main", SpoolSettings(), lease=False)
        try:
            assert ledger.broken(ledger.total(spool.ledger().values())) == []
            return dict(spool.totals())
        finally:
            spool.close()

    def all_is_written(self) -> bool:
        return self.totals().get("points_written", 0) == self.published

    def stored(self) -> int:
        store = SQLiteStore(self.folder / "var/store", mode="read")
        try:
            return store.count("bremen", "usage", 0, 2**62)
        finally:
            store.close()


@pytest.fixture
def site(tmp_path: Path, mosquitto: Mosquitto) -> Site:
    return Site(tmp_path, mosquitto)


def command_of(process: psutil.Process) -> str:
    """The command line of a process; of one that has just ended that of the accounts, which nobody looks for."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie too
        return "resource_tracker"


def delivering(collector: Running) -> psutil.Process:
    """The child that delivers; the other one keeps the interpreter's own accounts."""
    found: list[psutil.Process] = []

    def seen() -> bool:
        found[:] = [
            child
            for child in psutil.Process(collector.process.pid).children()
            if "resource_tracker" not in command_of(child)
        ]
        return len(found) == 1

    wait_until(seen, 20, "the delivering process")
    return found[0]


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_delivering_process_that_is_killed_is_started_again_and_nothing_is_lost(site: Site) -> None:
    with site.collecting() as collector:
        for _ in range(2):
            child = delivering(collector)
            site.publish(400)
            child.kill()
            wait_until(lambda c=child: gone(c), 10, "its end")  # type: ignore[misc]
            site.publish(400)
            wait_until(site.all_is_written, 30, "all messages")
        assert collector.stop() == 0
        assert "the delivering process was ended by signal 9; it is started again, nothing is lost" in collector.text
    assert site.stored() == 1600


def test_one_that_ends_again_and_again_ends_the_collector_with_a_sentence(site: Site) -> None:
    with site.collecting() as collector:
        for _ in range(4):
            child = delivering(collector)
            child.kill()
            wait_until(lambda c=child: gone(c), 10, "its end")  # type: ignore[misc]
        collector.process.wait(20)
        assert collector.process.returncode == 1
        assert "again and again; nothing that was acknowledged is lost" in collector.text
        assert "Traceback" not in collector.text


@pytest.mark.parametrize("how", ["killed", "told twice"])
def test_the_delivering_process_ends_with_its_collector(site: Site, how: str) -> None:
    with site.collecting() as collector:
        child = delivering(collector)
        site.publish(300)
        if how == "killed":
            collector.process.kill()
        else:
            child.suspend()  # so that the first word cannot be enough
            collector.process.send_signal(signal.SIGTERM)
            wait_until(lambda: site.health("/readyz")[0] != 200, 10, "the first word to be heard")
            collector.process.send_signal(signal.SIGTERM)
        collector.process.wait(10)
        if how == "told twice":
            child.resume()
        wait_until(lambda: gone(child), 10, "its end")
    with site.collecting():
        wait_until(site.all_is_written, 30, "what was left")
    assert site.stored() == 300


def test_one_that_judges_without_end_is_ended_and_started_again(site: Site) -> None:
    """That it is noticed is the collector's business; here it is told."""
    state = site.settings["state"]
    settings = Settings(
        _env_file=None, state=state, mqtt=Mqtt(host=site.broker.host, port=site.broker.port), health_port=site.port
    )
    opener = partial(open_store, settings, "raw")
    collector = Collector(settings, load_catalogue(site.folder / "pilots"), opener, time.time_ns)
    collector.start()
    try:
        process = collector._delivery
        assert isinstance(process, DeliveryProcess)
        wait_until(lambda: process.status().beat_ns > 0, 20, "the first report")
        first = process._process
        process.give_up()
        wait_until(lambda: process._process is not first, 20, "the next process")
        site.publish(5)
        wait_until(site.all_is_written, 30, "all messages")
        assert collector.failure is None
        assert process.status().judging_s < 5
    finally:
        collector.stop()


def test_both_stop_in_order_and_quickly_when_the_whole_group_is_told(site: Site) -> None:
    with site.collecting() as collector:
        child = delivering(collector)
        site.publish(300)
        began = time.monotonic()
        os.killpg(collector.process.pid, signal.SIGTERM)
        assert collector.process.wait(20) == 0
        assert time.monotonic() - began < 10
        assert gone(child)
    totals = site.totals()
    assert totals["received"] == 300
    with site.collecting():
        wait_until(site.all_is_written, 30, "what was left")
    assert site.stored() == 300


def test_one_that_does_not_stop_is_ended(site: Site) -> None:
    with site.collecting() as collector:
        child = delivering(collector)
        site.publish(50)
        wait_until(site.all_is_written, 30, "all messages")
        child.suspend()
        assert collector.stop() == 0
        assert gone(child)


def test_a_store_that_can_never_work_is_told_in_one_sentence(site: Site) -> None:
    store = site.folder / "var/store"
    store.mkdir(parents=True)
    with sqlite3.connect(store / "raw.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with Running("collect", cwd=site.folder, **site.settings) as collector:
        assert collector.process.wait(30) == 1
        assert "has schema 99" in collector.text
        assert "Traceback" not in collector.text


def test_health_tells_how_the_store_is_that_the_other_process_writes_to(site: Site) -> None:
    site.settings |= {"store": "influx", "influx__url": f"http://127.0.0.1:{free_port()}", "influx__token": "t"}
    with site.collecting():
        site.publish(3)
        wait_until(lambda: "store_away 1.0" in site.health("/metrics")[1], 20, "the absence")
        code, body = site.health("/readyz")
        assert code == 200, "an absent store is no reason to stop receiving"
        assert json.loads(body)["status"] == "degraded"
        assert "cannot be reached" in json.loads(body)["sentence"]
