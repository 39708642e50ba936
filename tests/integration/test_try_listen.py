"""`periscope try --listen` as a process, on a real broker: it shows what comes and takes nothing from the collector."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.mqtt import MqttPublisher
from collectors.scratch import Scratch
from tests.command import Running, periscope
from tests.integration.doctor_site import broker, mqtt, users
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until
from tests.unit.collectors.places import AIR, APP, action, reading

BREMEN = """
slug = "bremen"
name = "Bremen"
country = "DE"
time_zone = "Europe/Berlin"

[[feeds]]
id = "app"
topic = "pilots/bremen/usage/app"
stream = "usage"
heartbeat_every = "1m"

[[feeds]]
id = "clinic"
topic = "pilots/bremen/usage/clinic"
stream = "usage"
heartbeat_every = "1m"
consent = "cohort"
person_id = "data.member"

[[feeds]]
id = "air"
topic = "pilots/bremen/sensor/air"
stream = "sensor"
decoder = "flat_json"
expect_every = "15m"
map = { device = "device", time = "at", values = { pm10 = { quantity = "pm10", unit = "ug/m3" } } }
"""
CLINIC = "pilots/bremen/usage/clinic"


class Stand:
    def __init__(self, folder: Path, service: Mosquitto, **settings: object) -> None:
        (folder / "pilots").mkdir()
        (folder / "pilots/bremen.toml").write_text(BREMEN)
        self.folder, self.service = folder, service
        self.settings: dict[str, object] = {
            "catalogue": folder / "pilots", "state": folder / "state", "mqtt__host": service.host,
            "mqtt__port": service.port, **settings,
        }  # fmt: skip

    @contextmanager
    def listening(self, *words: object) -> Iterator[Running]:
        """The verb, once the broker has granted it its topics."""
        before = self.service.log.count("periscope-try-")
        with Running("try", "--listen", *words, cwd=self.folder, **self.settings) as verb:
            wait_until(lambda: self.service.log.count("periscope-try-") > before, 30, "the subscription")
            yield verb

    def publish(self, *messages: tuple[str, bytes], retain: bool = False) -> None:
        with MqttPublisher(mqtt(self.service)) as publisher:
            for topic, payload in messages:
                publisher.publish(topic, payload, retain=retain)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with broker(tmp_path, add="log_type subscribe") as service:
        yield Stand(tmp_path, service)


def iso() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_messages_are_shown_as_they_come_and_the_number_asked_for_ends_it(stand: Stand) -> None:
    with stand.listening("--pilot", "bremen", "--count", 3) as verb:
        stand.publish((APP, action("e-1", iso())))
        verb.says(f"{APP}, ")
        stand.publish((AIR, reading(time=iso(), pm10=7)), (AIR, b"nonsense"))
        verb.until(lambda: verb.process.poll() is not None or "would be written" in verb.text)
        assert verb.process.wait(10) == 1  # a message would be lost
    assert "written" in verb.text
    assert "d1 pm10 = 7 ug/m3" in verb.text
    assert "dead-lettered: decode/not_json" in verb.text
    assert 'set decoder = "line_protocol"' in verb.text or "why: the payload is not JSON" in verb.text
    assert "2 of 3 messages would be written, as 2 events; 1 dead-lettered" in verb.text
    assert not (stand.folder / "state").exists()


def test_one_feed_alone_as_json_lines(stand: Stand) -> None:
    with stand.listening("--pilot", "bremen", "--feed", "air", "--count", 2, "--json") as verb:
        stand.publish(
            (APP, action("e-1", iso())), (AIR, reading(time=iso(), pm10=1)), (AIR, reading("d2", iso(), pm10=2))
        )
        assert verb.process.wait(30) == 0
    lines = [json.loads(line) for line in verb.text.splitlines() if line.startswith("{")]
    assert [(one["message"], one["fate"]) for one in lines] == [(AIR, "written"), (AIR, "written")]
    assert lines[0]["events"][0]["value"] == 1


def test_what_a_feed_that_names_persons_sends_is_not_shown(stand: Stand) -> None:
    with stand.listening("--count", 3) as verb:
        stand.publish(
            (CLINIC, action("visit-of-mona", iso(), member="mona@example.org", room="secret-room")),
            (CLINIC, b'{"type": "action.performed", "data": {"mona": "secret"}}'),
            ("pilots/bremen/usage/clinik", b'{"member": "mona"}'),
        )
        assert verb.process.wait(30) == 1
    assert "1 events, not shown because this feed names persons" in verb.text
    assert "mona" not in verb.text
    assert "secret" not in verb.text
    assert "pilots/bremen/usage/clinik, 18 bytes: dead-lettered: identity/unknown_feed" in verb.text
    assert "mend the topic, or add it to the pilot's file" in verb.text
    with stand.listening("--count", 1, "--json") as verb:
        stand.publish((CLINIC, action("visit-of-mona", iso(), member="mona@example.org", room="secret-room")))
        assert verb.process.wait(30) == 0
    assert "mona" not in verb.text
    assert json.loads(next(x for x in verb.text.splitlines() if x.startswith("{")))["hidden"] == 1


def test_a_retained_message_is_told_as_one(stand: Stand) -> None:
    stand.publish((AIR, reading(time=iso(), pm10=1)), retain=True)
    with stand.listening("--pilot", "bremen", "--feed", "air", "--count", 1) as verb:
        assert verb.process.wait(30) == 0
    assert "dropped (retained_replay)" in verb.text


def test_nothing_comes(stand: Stand) -> None:
    with stand.listening("--pilot", "bremen", "--feed", "app", "--seconds", 1) as verb:
        assert verb.process.wait(30) == 1
    assert f"Nothing came on {APP} within 1 s: see that the sender runs" in verb.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped(stand: Stand, number: signal.Signals) -> None:
    with stand.listening() as verb:
        stand.publish((APP, action("e-1", iso())))
        verb.says(f"{APP}, ")
        assert verb.stop(number) == 0
    assert "1 of 1 messages would be written" in verb.text
    assert "Traceback" not in verb.text


def test_the_collector_misses_nothing(stand: Stand) -> None:
    address = mqtt(stand.service)
    with Scratch(address, "periscope-main", keep=True) as collector:
        collector.subscribe(["pilots/#"])
    with stand.listening("--count", 1) as verb:
        stand.publish((APP, action("e-1", iso())))
        assert verb.process.wait(30) == 0
    got: list[bytes] = []
    with Scratch(address, "periscope-main", keep=True, on_message=lambda heard: got.append(heard.topic)) as collector:
        assert collector.session_present
        assert collector.wait(lambda: bool(got), 10)


def test_a_broker_that_is_away_or_refuses(tmp_path: Path) -> None:
    with broker(tmp_path, users(tmp_path / "access", "topic read #\n", somebody="right")) as service:
        stand = Stand(tmp_path, service, mqtt__username="somebody", mqtt__password="wrong")
        done = periscope("try", "--listen", cwd=tmp_path, **stand.settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert "PERISCOPE_MQTT__PASSWORD" in done.stderr
    done = periscope("try", "--listen", cwd=tmp_path, **stand.settings | {"mqtt__port": free_port()})
    assert done.returncode == 1
    assert "nothing listens there" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "--feed", "app"], "needs the pilot of the feed"),
        (["--listen", "--pilot", "genoa"], "there is no pilot genoa"),
        (["--listen", "--pilot", "bremen", "--feed", "x"], "bremen has no feed x"),
        (["--listen", "file.json"], "stands alone"),
        (["--listen", "--count", "0"], "no whole number of at least 1"),
        ([], "has nothing to try"),
        (["file.json", "--pilot", "bremen"], "has nothing to try"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "pilots").mkdir()
    (tmp_path / "pilots/bremen.toml").write_text(BREMEN)
    done: subprocess.CompletedProcess[str] = periscope("try", *words, cwd=tmp_path, catalogue=tmp_path / "pilots")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
