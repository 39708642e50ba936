"""A broker with users and topics of its own: who is refused is told in one sentence."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.collector import Collector
from collectors.message import BrokerRefused
from collectors.mqtt import MqttPublisher
from config.settings import Mqtt, Settings
from pipeline.store.sqlite import SQLiteStore
from tests.services.mosquitto import Mosquitto
from tests.services.process import wait_until
from tests.unit.collectors.places import catalogue

DEPLOY = Path(__file__).parents[2] / "deploy/mosquitto"
USERS = ("bremen", "collector", "importer", "dashboard")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    subprocess.run([str(DEPLOY / "passwords.sh"), str(tmp_path / "secrets"), str(tmp_path / "passwords"), *USERS],
                   check=True, capture_output=True)  # fmt: skip
    acl = shutil.copy(DEPLOY / "acl", tmp_path)
    service = Mosquitto(tmp_path, "crash-safe", ("--passwords", str(tmp_path / "passwords"), "--acl", str(acl)))
    service.start()
    yield service
    service.stop()


def as_user(broker: Mosquitto, name: str, password: str | None = None, protocol: str = "5") -> Mqtt:
    secret = password or (broker.folder / f"secrets/mqtt_{name}").read_text()
    return Mqtt.model_validate(
        {"host": broker.host, "port": broker.port, "username": name, "password": secret, "protocol": protocol}
    )


def collector(folder: Path, mqtt: Mqtt) -> Collector:
    settings = Settings(_env_file=None, state=folder / "var", mqtt=mqtt)
    return Collector(settings, catalogue(), SQLiteStore(":memory:"), time.time_ns)


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_ends_the_start_with_one_sentence(broker: Mosquitto, tmp_path: Path, protocol: str) -> None:
    mqtt = as_user(broker, "collector", "wrong", protocol)
    with pytest.raises(BrokerRefused) as refused:
        collector(tmp_path, mqtt).start()
    sentence = str(refused.value)
    assert f'broker 127.0.0.1:{broker.port} refuses user "collector"' in sentence
    assert "PERISCOPE_MQTT__PASSWORD" in sentence
    assert "wrong" not in sentence
    with pytest.raises(BrokerRefused, match="refuses user"):
        MqttPublisher(mqtt).__enter__()


def test_the_collectors_own_user_gets_everything_it_needs(broker: Mosquitto, tmp_path: Path) -> None:
    working = collector(tmp_path, as_user(broker, "collector"))
    working.start()
    wait_until(working.receiver.ready.is_set, 20, "readiness")
    working.receiver.publish("periscope/ops/main/bremen", b"{}")
    wait_until(lambda: working.receiver.received == 1, 20, "its own ops message")
    working.stop()
