"""A wrong mapping, its dead letters, the mended file and the requeue: the real command line beside a real collector."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from collectors import ledger
from collectors.collector import spool_folder
from collectors.mqtt import MqttPublisher
from collectors.spool import Spool
from config.settings import Mqtt, Settings
from pipeline.model import Event
from pipeline.store import open_store
from tests.command import ROOT, Running, periscope
from tests.integration.test_collector import now_iso
from tests.services.mosquitto import Mosquitto

TOPIC = "pilots/aberdeen/sensor/air"


class City:
    """One pilot's folder, its broker and its state; the feed's file starts with a wrong path to the device."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.catalogue = folder, folder / "pilots"
        shutil.copytree(ROOT / "config/examples/air-quality", self.catalogue)
        self.file = self.catalogue / "aberdeen.toml"
        self.map("sensor.id")
        self.where = {"mqtt__port": broker.port, "catalogue": self.catalogue, "state": folder / "var"}
        self.settings = Settings(_env_file=None, state=folder / "var", mqtt=Mqtt(port=broker.port))  # type: ignore[call-arg]

    def map(self, device: str) -> None:
        lines = self.file.read_text().splitlines()
        self.file.write_text(
            "\n".join(f'device = "{device}"' if line.startswith("device =") else line for line in lines)
        )

    def collecting(self) -> Running:
        return Running("collect", cwd=self.folder, **self.where)

    def run(self, *words: object, code: int = 0) -> Any:
        done = periscope(*words, "--json", cwd=self.folder, **self.where)
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def publish(self, n: int) -> None:
        with MqttPublisher(self.settings.mqtt) as publisher:
            for number in range(n):
                publisher.publish(
                    TOPIC, json.dumps({"sensor_id": "15092", "timestamp": now_iso(), "P1": number}).encode()
                )

    def fates(self) -> dict[str, int]:
        """Of the one feed; checked to add up, and against the records themselves."""
        spool = Spool(spool_folder(self.settings), self.settings.spool, lease=False)
        told, derived = spool.ledger(), spool.derived_ledger()
        while spool.ledger() != told:  # a collector judged in between
            told, derived = spool.ledger(), spool.derived_ledger()
        spool.close()
        assert told == derived
        counts = ledger.total(told.values())
        assert ledger.broken(counts) == []
        return {fate: n for (_, feed, fate), n in counts.items() if feed == "air" and n}

    def stored(self) -> list[Event]:
        store = open_store(self.settings, "read")
        try:
            return store.read("aberdeen", ["sensor"], 0, 2**62)
        finally:
            store.close()


@pytest.fixture
def city(tmp_path: Path, mosquitto: Mosquitto) -> City:
    return City(tmp_path, mosquitto)


def test_a_requeue_after_the_mend_of_a_mapping_repairs(city: City) -> None:
    with city.collecting() as collector:
        collector.says("connected to broker")
        city.publish(5)
        collector.until(lambda: city.fates().get("dead_lettered") == 5)
        (row,) = city.run("dead-letters", "count")
        assert (row["pilot"], row["reason"], row["count"]) == ("aberdeen", "no_device", 5)
        assert city.run("dead-letters", "requeue", "--code", "no_device")["done"] == 5
        collector.until(lambda: city.fates().get("dead_lettered") == 5)
        letters = city.run("dead-letters", "list")
        assert {letter["requeued"] for letter in letters} == {1}, "attempts are kept, and nothing was mended"
        collector.stop()
    city.map("sensor_id")
    assert city.run("dead-letters", "requeue", letters[0]["id"])["done"] == 1, "no collector is needed to ask"
    assert city.fates() == {"received": 5, "dead_lettered": 4, "pending": 1}
    with city.collecting() as collector:
        collector.until(lambda: len(city.stored()) == 1)
        assert city.run("dead-letters", "requeue", "--pilot", "aberdeen", "--feed", "air")["done"] == 4
        collector.until(lambda: city.fates().get("written") == 5)
        collector.stop()
    assert sorted(event.value or 0 for event in city.stored()) == [0, 1, 2, 3, 4]
    fates = city.fates()
    assert {name: fates[name] for name in fates if name != "points_no_reading"} == {
        "received": 5, "written": 5, "points_in": 5, "points_written": 5,
    }  # fmt: skip
    assert city.run("dead-letters", "list") == []


def test_a_letter_is_shown_with_its_headers_and_body_and_exported_and_purged(city: City) -> None:
    with city.collecting() as collector:
        collector.says("connected to broker")
        city.publish(3)
        collector.until(lambda: city.fates().get("dead_lettered") == 3)
        ids = [row["id"] for row in city.run("dead-letters", "list")]
        (shown,) = city.run("dead-letters", "show", ids[0])
        assert json.loads(shown["body"])["sensor_id"] == "15092"
        assert (shown["topic"], shown["stage"], shown["code"]) == (TOPIC, "validate", "no_device")
        told = periscope("dead-letters", "show", ids[0], cwd=city.folder, **city.where).stdout
        assert all(word in told for word in (ids[0], "no_device", '"P1"', "sha256", "last_seen"))
        file = city.folder / "letters.jsonl"
        assert city.run("dead-letters", "export", "--file", file)["letters"] == 3
        assert {json.loads(line)["id"] for line in file.read_text().splitlines()} == set(ids)
        assert city.run("dead-letters", "purge", ids[0]) == {"done": 1, "skipped": {}}
        assert city.run("dead-letters", "purge", "--older-than", "1d")["done"] == 0
        assert city.run("dead-letters", "show", ids[0], code=1) == []
        assert city.fates()["dead_lettered"] == 3
        collector.stop()
    assert city.run("dead-letters", "purge", "--all")["done"] == 2
    assert city.fates() == {"received": 3, "dead_lettered": 3}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["requeue"], "says nothing about which"),
        (["purge"], "says nothing about which"),
        (["show", "17"], "is no dead letter"),
        (["purge", "--older-than", "long"], "is no duration"),
        (["purge", "--actor-key", "Ada Lovelace"], "is no pseudonym"),
        (["export", "--file", "/nowhere/letters.jsonl"], "cannot be written"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(city: City, words: list[str], said: str) -> None:
    spool_folder(city.settings).mkdir(parents=True)
    done = periscope("dead-letters", *words, cwd=city.folder, **city.where)
    assert (done.returncode, said in done.stderr, len(done.stderr.splitlines())) == (2, True, 1), done.stderr
