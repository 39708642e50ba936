"""Children end when they are told to, and with them everything they started."""

import os
import sys
from pathlib import Path
from threading import Event as Signal

import psutil
import pytest

from collectors.broker import free_port, prepare
from collectors.children import ChildLost, Children

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).wait()"


def said(folder: Path, name: str) -> str:
    return (folder / f"{name}.log").read_text()


def test_a_child_that_ignores_the_request_is_ended_with_its_own_children(tmp_path: Path) -> None:
    # Other tests of this run may have children of their own, such as a browser.
    before = set(psutil.Process().children(recursive=True))
    with Children(tmp_path, os.environ, Signal(), grace_s=0.5) as children:
        children.start("parent", [sys.executable, "-c", PARENT], lambda: "up" in said(tmp_path, "parent"))
        mine = set(psutil.Process().children(recursive=True)) - before
        assert len(mine) == 2
    assert [one for one in mine if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []


def test_a_child_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path, os.environ, Signal()) as children:
        with pytest.raises(ChildLost, match=r"code 3, so everything was stopped: the disk is full\. Its log"):
            children.start("store", [sys.executable, "-c", "print('the disk is full.'); exit(3)"], lambda: False)


def test_a_child_that_does_not_get_ready_is_told(tmp_path: Path) -> None:
    with Children(tmp_path, os.environ, Signal(), grace_s=0.2) as children:
        with pytest.raises(ChildLost, match="slow did not get ready within 0 s"):
            children.start("slow", [sys.executable, "-c", STUBBORN], lambda: False, timeout_s=0.3)


def test_a_broker_of_the_demo_listens_on_loopback_and_saves_after_every_change(tmp_path: Path) -> None:
    broker = prepare(tmp_path, "amqtt")
    assert (broker.protocol, "without redelivery guarantee" in broker.sentence) == ("3.1.1", True)
    assert f"127.0.0.1:{broker.port}" in (tmp_path / "amqtt.yaml").read_text()
    assert free_port() != free_port()
