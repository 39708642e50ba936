"""The demo as a user runs it: it shows the cities, tells the way in, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.command import Running
from tests.services.mosquitto import program
from tests.services.process import free_port, listens


def children(demo: Running) -> dict[str, psutil.Process]:
    """The demo's parts by name."""
    found = {}
    for child in psutil.Process(demo.process.pid).children(recursive=True):
        words = child.cmdline()
        found[words[words.index("periscope") + 1] if "periscope" in words else "broker"] = child
    return found


def ports(demo: Running) -> list[int]:
    return [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", demo.text)]


@pytest.fixture
def demo(tmp_path: Path) -> Running:
    program()
    return Running("demo", cwd=tmp_path, dashboard__port=free_port())


def assert_nothing_is_left(parts: dict[str, psutil.Process], used: list[int]) -> None:
    assert [name for name, part in parts.items() if part.is_running() and part.status() != psutil.STATUS_ZOMBIE] == []
    assert [port for port in used if listens(port)] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_shows_its_pages_and_leaves_no_process_and_no_port(demo: Running, number: signal.Signals) -> None:
    with demo:
        demo.says("Open http://127.0.0.1:")
        address = re.search(r"Open (http://\S+)", demo.text)
        assert address is not None
        assert urllib.request.urlopen(address[1], timeout=20).status == 200
        parts, used = children(demo), ports(demo)
        assert set(parts) == {"broker", "collect", "pipeline", "dashboard", "simulate"}
        assert demo.stop(number) == 0
    assert_nothing_is_left(parts, used)


def test_the_printed_command_publishes_to_the_printed_broker(demo: Running, tmp_path: Path) -> None:
    with demo:
        demo.says("Open http://127.0.0.1:")
        command = re.search(r"for example: (mosquitto_pub .*)", demo.text)
        if command is None:
            pytest.skip("mosquitto_pub is not installed, so the other command was printed")
        subprocess.run(["bash", "-c", command[1]], check=True, timeout=20)


def test_a_part_that_dies_is_named_and_everything_stops(demo: Running) -> None:
    with demo:
        demo.says("Open http://127.0.0.1:")
        parts, used = children(demo), ports(demo)
        os.kill(parts["pipeline"].pid, signal.SIGKILL)
        assert demo.process.wait(30) == 1
        assert "pipeline was ended by signal 9, so everything was stopped" in demo.text
        assert "Traceback" not in demo.text
    assert_nothing_is_left(parts, used)


def test_a_second_demo_on_the_same_folder_is_refused(demo: Running, tmp_path: Path) -> None:
    with demo:
        demo.says("Open http://127.0.0.1:")
        with Running("demo", cwd=tmp_path, dashboard__port=free_port()) as second:
            assert second.process.wait(30) == 1
            assert "Another demo runs in" in second.text


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "var" / "demo" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    with Running("demo", cwd=tmp_path, dashboard__port=free_port()) as demo:
        assert demo.process.wait(30) == 1
        assert "holds files that no demo made" in demo.text
    assert mine.read_text() == "years of work"


def test_without_mosquitto_the_demo_says_that_nothing_is_redelivered(tmp_path: Path) -> None:
    pytest.importorskip("amqtt", reason="install the demo extra to run this")
    with Running("demo", "--broker", "amqtt", cwd=tmp_path, dashboard__port=free_port()) as demo:
        demo.says("Open http://127.0.0.1:", 120)
        assert "without redelivery guarantee" in demo.text
        parts, used = children(demo), ports(demo)
        assert demo.stop() == 0
    assert_nothing_is_left(parts, used)
