"""A run of tests leaves no process and no port behind, also when a test fails or the run is ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.services.process import listens, wait_until

ROOT = Path(__file__).parents[2]
FAILING = """
import pathlib, signal

def test_that_ends_badly(mosquitto, influx):
    left = pathlib.Path("left")
    left.with_suffix(".new").write_text(f"{mosquitto.pid} {mosquitto.port} {influx.pid} {influx.port}")
    left.with_suffix(".new").rename(left)
    %s
"""


def run(folder: Path, ending: str) -> subprocess.Popen[bytes]:
    (folder / "test_failing.py").write_text(FAILING % ending)
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", "tests.conftest", "test_failing.py"]
    return subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_heed_ctrl_c)  # fmt: skip


def _heed_ctrl_c() -> None:
    """A run that a shell put into the background hands down an ignored SIGINT; these runs must not inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def assert_nothing_left(folder: Path) -> None:
    broker, broker_port, influx, influx_port = map(int, (folder / "left").read_text().split())
    assert not psutil.pid_exists(broker)
    assert not psutil.pid_exists(influx)
    assert not listens(broker_port)
    assert not listens(influx_port)


def test_a_failing_test_leaves_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "raise AssertionError").wait(90) == 1
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_ended_run_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process = run(tmp_path, "signal.pause()")
    wait_until(lambda: (tmp_path / "left").exists(), 60, "starting the services")
    process.send_signal(number)
    assert process.wait(90) == 2
    assert_nothing_left(tmp_path)
