"""What the real broker and a real socket refuse is told in one sentence."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.command import ROOT, periscope
from tests.services.mosquitto import Mosquitto, program

MAPPING = ROOT / "config/examples/deliberations/mappings/votes.toml"
PILOTS = ROOT / "config/examples/deliberations"


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text("timestamp,datetime,comment-id,voter-id,vote\n1523855288464,x,0,2,-1\n")
    return path


def test_a_wrong_broker_password_is_told_with_the_settings_to_check(tmp_path: Path, votes: Path) -> None:
    program()
    folder = tmp_path / "broker"
    folder.mkdir()
    passwords, acl = folder / "passwords", folder / "acl"
    tool = shutil.which("mosquitto_passwd")
    assert tool is not None
    subprocess.run([tool, "-b", "-c", str(passwords), "city", "right"], check=True, capture_output=True)
    acl.write_text("user city\ntopic readwrite #\n")
    broker = Mosquitto(folder, extra=("--passwords", str(passwords), "--acl", str(acl)))
    broker.start()
    try:
        known = {"mqtt__port": broker.port, "mqtt__username": "city", "mqtt__password": "wrong-hunter2"}
        for words in (["collect"], ["import", votes, "--mapping", MAPPING, "--pilot", "ubi"]):
            done = periscope(*words, cwd=tmp_path, catalogue=PILOTS, log_level="ERROR", **known)
            assert done.returncode == 2, done.stderr
            assert "PERISCOPE_MQTT__PASSWORD" in done.stderr
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr
            assert "hunter2" not in done.stderr
    finally:
        broker.stop()


def test_an_absent_broker_is_told_with_its_address(tmp_path: Path, votes: Path, free_port: int) -> None:
    done = periscope(
        "import", votes, "--mapping", MAPPING, "--pilot", "ubi", cwd=tmp_path, catalogue=PILOTS, mqtt__port=free_port
    )
    assert done.returncode == 1
    assert f"127.0.0.1:{free_port}: nothing listens there" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("verb", ["dashboard", "demo"])
def test_a_port_in_use_is_told_with_its_number_and_the_remedy(tmp_path: Path, verb: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = periscope(verb, cwd=tmp_path, dashboard__port=port)
    assert done.returncode == 1, done.stderr
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "PERISCOPE_DASHBOARD__PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_dashboard_refuses_an_address_that_others_reach(tmp_path: Path) -> None:
    done = periscope("dashboard", cwd=tmp_path, dashboard__host="0.0.0.0")
    assert done.returncode == 2
    assert "dashboard.host" in done.stderr
