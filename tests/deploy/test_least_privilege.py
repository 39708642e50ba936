"""The whole way with the users, tokens and secret files of deploy/: each part has its own and no more.

Mosquitto runs with the access list, InfluxDB is prepared by init.py, the three parts are real processes with the
environment, the secrets and the health checks of compose.yaml, with other ports and folders.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from config.settings import Influx as InfluxSettings
from config.settings import Settings
from pipeline.store import open_store
from tests.benchmarks.traffic import event
from tests.deploy.users import User
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import Server, free_port, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
PERISCOPE = str(Path(sys.executable).with_name("periscope"))


class Part:
    """One service of compose.yaml as a process of this machine."""

    def __init__(self, name: str, folder: Path, secrets: Path, changes: dict[str, str]) -> None:
        service = SERVICES[name]
        mine = folder / f"run-secrets-{name}"
        mine.mkdir()
        for secret in service["secrets"]:
            shutil.copy(secrets / secret["source"], mine / secret["target"])
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PERISCOPE_")}
        self.port = free_port()
        own = {
            "PERISCOPE_SECRETS_DIR": str(mine),
            "PERISCOPE_STATE": str(folder / ("collector" if name == "collect" else "state")),
            **({"PERISCOPE_HEALTH_PORT": str(self.port)} if "PERISCOPE_HEALTH_PORT" in service["environment"] else {}),
            **({"PERISCOPE_PIPELINE__HEALTH_PORT": str(self.port)} if name == "pipeline" else {}),
            **({"PERISCOPE_DASHBOARD__PORT": str(self.port)} if name == "dashboard" else {}),
        }
        self.environment = {**clean, **service["environment"], **changes, **own}
        work = folder / name
        work.mkdir()
        self._check = [sys.executable, *service["healthcheck"]["test"][2:]]
        self._check[-1] = re.sub(r":(9100|9101|8050)/", f":{self.port}/", self._check[-1])
        self.server = Server([PERISCOPE, *service["command"]], work, self.environment)

    def healthy(self) -> bool:
        """What the health check of compose.yaml says."""
        done = subprocess.run(self._check, env=self.environment, capture_output=True, timeout=30, check=False)
        return done.returncode == 0


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Mosquitto, Influx, Path, dict[str, Part]]]:
    secrets = tmp_path / "secrets"
    users = ["bremen", "collector", "dashboard"]
    subprocess.run([str(DEPLOY / "mosquitto/passwords.sh"), str(secrets), str(tmp_path / "passwords"), *users],
                   check=True, capture_output=True)  # fmt: skip
    access = ("--passwords", str(tmp_path / "passwords"), "--acl", str(DEPLOY / "mosquitto/acl"))
    broker, influx = Mosquitto(tmp_path / "broker", "crash-safe", access), Influx(tmp_path / "influx", setup=False)
    with ExitStack() as ends:
        broker.start()
        ends.callback(broker.stop)
        influx.start()
        ends.callback(influx.stop)
        init = [sys.executable, str(DEPLOY / "influxdb/init.py"), "--url", influx.url, "--secrets", str(secrets)]
        subprocess.run(init, check=True, capture_output=True)
        where = {
            "PERISCOPE_INFLUX__URL": influx.url,
            "PERISCOPE_MQTT__HOST": broker.host,
            "PERISCOPE_MQTT__PORT": str(broker.port),
        }
        parts = {name: Part(name, tmp_path, secrets, where) for name in ("collect", "pipeline", "dashboard")}
        for part in parts.values():
            part.server.start(part.healthy, 60)
            ends.callback(part.server.stop)
        yield broker, influx, secrets, parts


def test_a_message_of_a_pilot_becomes_a_value_with_least_privilege(
    deployed: tuple[Mosquitto, Influx, Path, dict[str, Part]],
) -> None:
    broker, influx, secrets, parts = deployed
    with User(broker.port, "bremen", (secrets / "mqtt_bremen").read_text()) as pilot:
        for number in range(3):
            pilot.publish("pilots/bremen/usage/app", event(number, time.time_ns()).decode())
    token = SecretStr((secrets / "influx_dashboard").read_text())
    settings = Settings(_env_file=None, store="influx", influx=InfluxSettings(url=influx.url, token=token))  # type: ignore[call-arg]
    store = open_store(settings, "read")
    try:
        wait_until(lambda: bool(store.get("partial", "bremen", 0, 1 << 62)), 60, "computing the open day", 0.2)
    finally:
        store.close()
    assert all(part.healthy() for part in parts.values())


def test_a_part_that_ended_is_not_healthy(deployed: tuple[Mosquitto, Influx, Path, dict[str, Part]]) -> None:
    for part in deployed[3].values():
        part.server.stop()
        assert not part.healthy()
        assert "Traceback" not in part.server.tail(200)
