"""Compose file, image and systemd units, checked without running them."""

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PARTS = {"collect", "pipeline", "dashboard"}


def made_secrets() -> set[str]:
    """Names of the secret files that prepare.sh and init.py make."""
    users = re.search(r"^users=\((.*)\)", (DEPLOY / "prepare.sh").read_text(), re.MULTILINE)
    tree = ast.parse((DEPLOY / "influxdb/init.py").read_text())
    tokens = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "TOKENS"
    )
    assert users is not None
    return {f"mqtt_{user}" for user in users[1].split()} | {f"influx_{part}" for part in ast.literal_eval(tokens)}


def assert_known_settings(values: dict[str, str]) -> None:
    """Each PERISCOPE_ variable is a setting, and all of them together are valid."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        if name == "PERISCOPE_SECRETS_DIR":
            continue
        *groups, key = name.removeprefix("PERISCOPE_").lower().split("__")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[key] = value
    Settings(_env_file=None, **nested)  # type: ignore[call-arg]


def test_every_image_is_pinned_to_a_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    assert images["mosquitto"].startswith("eclipse-mosquitto:2.1.")
    assert images["influxdb"].startswith("influxdb:2.7.")
    assert {images[part] for part in PARTS} == {"periscope:local"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_stops_in_time_restarts_and_is_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["stop_grace_period"] == "15s"
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["logging"]["options"]["max-size"]


def test_ports_are_published_on_loopback_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    on_host = [name for name, service in SERVICES.items() if service.get("network_mode") == "host"]
    assert on_host == ["dashboard"]
    assert SERVICES["dashboard"]["environment"]["PERISCOPE_DASHBOARD__HOST"] == "127.0.0.1"


def test_secrets_are_files_that_our_scripts_make() -> None:
    files = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert files <= made_secrets()
    used = {secret["source"] for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        assert not [k for k in service.get("environment", {}) if re.search("TOKEN|PASSWORD|SECRET_KEY", k)]


@pytest.mark.parametrize("part", sorted(PARTS))
def test_each_part_has_its_own_token_and_known_settings(part: str) -> None:
    service = SERVICES[part]
    sources = {secret["source"] for secret in service["secrets"]}
    assert {"collect": "influx_collector"}.get(part, f"influx_{part}") in sources
    assert len([source for source in sources if source.startswith("influx_")]) == 1
    assert service["command"] == [part]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert_known_settings(service["environment"])


def test_every_volume_and_mounted_file_exists() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith("."):
                assert source in COMPOSE["volumes"]
            elif not source.startswith(("./rendered/", "./secrets/")):
                assert (DEPLOY / source).exists()


def test_the_image_installs_only_what_the_lock_names_and_is_not_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in text
    assert "--no-index" in text
    assert "latest" not in text
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]


def directives(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found


def test_there_is_one_unit_per_part() -> None:
    assert {unit.stem.removeprefix("periscope-") for unit in UNITS} == PARTS


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_unit_runs_its_verb_with_its_own_secrets(unit: Path) -> None:
    part, found = unit.stem.removeprefix("periscope-"), directives(unit)
    assert found["ExecStart"] == [f"/opt/periscope/bin/periscope {part}"]
    assert found["Type"] == ["simple"]
    assert found["TimeoutStopSec"] == ["15"]
    assert found["User"] == ["periscope"]
    assert_known_settings(dict(value.split("=", 1) for value in found["Environment"]))
    loaded = dict(value.split(":", 1) for value in found["LoadCredential"])
    assert {Path(path).name for path in loaded.values()} <= made_secrets()
    assert "periscope_influx__token" in loaded


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_no_fault_and_little_exposure(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: it comes with systemd")
    # The program is not installed on a machine that only tests, so another one stands in its place.
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/periscope/bin/periscope", "/bin/true"))
    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert exposure.returncode == 0, exposure.stdout[-400:]
