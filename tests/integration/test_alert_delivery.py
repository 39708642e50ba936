"""Alerts leave a real pipeline process: killed between transition and delivery, it tells at least once, by one id."""

import email
import email.policy
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import paho.mqtt.client as paho
import pytest

from config.settings import Settings
from pipeline.model import Touch
from pipeline.periods import day_of
from pipeline.store import open_store
from tests.command import Running, periscope
from tests.receivers import MailServer, Webhook
from tests.services.mosquitto import Mosquitto
from tests.services.process import wait_until
from tests.unit.pipeline.making import event

PILOT = """
slug = "test"
name = "Test"
country = "SE"
time_zone = "UTC"

[[feeds]]
id = "talk"
topic = "pilots/test/engagement/talk"
stream = "engagement"
heartbeat_every = "10m"
"""
HOUR_NS = 3600 * 10**9


@pytest.fixture
def site(tmp_path: Path) -> dict[str, Any]:
    """A pilot whose one feed was last heard an hour ago, which is an incident at the first look."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "test.toml").write_text(PILOT)
    (folder / "alerts.toml").write_text("[delivery]\ngroup_wait_s = 2\n")
    heard_ns = time.time_ns() - HOUR_NS
    with closing(open_store(Settings(state=tmp_path / "state"), "raw")) as store:
        store.write([event("feed.heartbeat", heard_ns, feed="talk", data={"counts": {}})])
        store.touch([Touch(pilot="test", day=day_of(heard_ns, ZoneInfo("UTC")), seq=1)])
    return {"cwd": tmp_path, "catalogue": folder, "state": tmp_path / "state"}


def rows(site: dict[str, Any], query: str) -> list[tuple[Any, ...]]:
    path = site["state"] / "operations.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=10)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []  # it has just been made


def killed(running: Running) -> None:
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(20)


def test_a_kill_during_delivery_repeats_one_letter_by_its_one_id(site: dict[str, Any]) -> None:
    with Webhook(["hang", "hang"]) as receiver:
        for tries in (1, 2):
            with Running("pipeline", **site, notify__webhook_url=receiver.url) as running:
                running.until(lambda tries=tries: len(receiver.got) == tries)
                killed(running)
        with Running("pipeline", **site, notify__webhook_url=receiver.url) as running:
            running.until(lambda: rows(site, "SELECT 1 FROM letter WHERE sent_ns IS NOT NULL") != [])
        assert len(receiver.got) == 3
        assert len(set(receiver.keys)) == 1
        assert {body["incident"]["kind"] for _, body in receiver.got} == {"feed_silent"}
        assert rows(site, "SELECT count(*) FROM notification") == [(1,)]


def test_a_kill_before_the_letter_is_written_loses_nothing(site: dict[str, Any]) -> None:
    with Webhook() as receiver, MailServer() as server:
        both = {"notify__webhook_url": receiver.url, "notify__smtp_host": "127.0.0.1", "notify__smtp_port": server.port}
        both["notify__mail_to"] = '["ana@example.org"]'
        with Running("pipeline", **site, **both) as running:
            running.until(lambda: rows(site, "SELECT 1 FROM transition") != [])
            killed(running)
        assert rows(site, "SELECT channel FROM outbox ORDER BY channel") == [("mail",), ("webhook",)]
        with Running("pipeline", **site, **both) as running:
            running.until(lambda: len(rows(site, "SELECT 1 FROM letter WHERE sent_ns IS NOT NULL")) == 2)
        assert (len(receiver.got), len(server.got)) == (1, 1)
        mail = email.message_from_bytes(server.got[0], policy=email.policy.default)
        assert receiver.keys[0] in mail["Message-ID"]
        assert "/alerts?incident=1" in mail.get_content()


def test_once_delivers_before_it_ends(site: dict[str, Any]) -> None:
    with Webhook() as receiver:
        done = periscope("pipeline", "--once", **site, notify__urls__ops=receiver.url)
        assert (done.returncode, len(receiver.got)) == (0, 1)


def test_probes_say_whether_alerts_are_evaluated(site: dict[str, Any], free_port: int) -> None:
    def code(path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    with Running("pipeline", **site, pipeline__health_port=free_port) as running:
        running.until(lambda: code("/readyz") == 200)
        assert (code("/healthz"), code("/else")) == (200, 404)


def test_a_channel_is_tried_from_the_command_line(site: dict[str, Any]) -> None:
    with Webhook([404]) as receiver:
        url = f"{receiver.url}hook/s3cr3tpath"
        refused = periscope("alerts", "test", "ops", **site, notify__urls__ops=url)
        assert refused.returncode == 1
        assert "did not take it: it answered 404" in refused.stdout
        taken = periscope("alerts", "test", "ops", **site, notify__urls__ops=url)
        assert (taken.returncode, taken.stdout.startswith("Channel ops (http://127.0.0.1")) == (0, True)
        unnamed = periscope("alerts", "test", **site, notify__urls__ops=url)
        assert (unnamed.returncode, "choose from ops" in unnamed.stderr) == (2, True)
        unknown = periscope("alerts", "test", "nobody", **site)
        assert "no channel nobody; set one up" in unknown.stderr
        assert [body["what"] for _, body in receiver.got] == ["test", "test"]
        assert not any("s3cr3tpath" in one.stdout + one.stderr for one in (refused, taken, unnamed))


def test_apprise_reaches_a_broker(site: dict[str, Any], mosquitto: Mosquitto) -> None:
    heard: list[bytes] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.append(message.payload)
    client.connect("127.0.0.1", mosquitto.port)
    client.subscribe("alerts/ops", qos=1)
    client.loop_start()
    try:
        done = periscope(
            "alerts", "test", "ops", **site, notify__urls__ops=f"mqtt://127.0.0.1:{mosquitto.port}/alerts/ops"
        )
        assert (done.returncode, done.stdout) == (0, "Channel ops (mqtt://***) took the test.\n")
        wait_until(lambda: any(b"Periscope can reach the channel ops." in one for one in heard), 20, "the message")
    finally:
        client.loop_stop()
        client.disconnect()


def test_rules_that_name_nobody_are_told_before_anything_runs(site: dict[str, Any]) -> None:
    (site["catalogue"] / "alerts.toml").write_text('[channels.ops]\npilots = ["atlantis"]\n')
    done = periscope("pipeline", "--once", **site)
    assert (done.returncode, "alerts.toml: channels.ops.pilots: there is no pilot atlantis" in done.stderr) == (2, True)
    (site["catalogue"] / "alerts.toml").write_text("[channels.ops]\n")
    done = periscope("pipeline", "--once", **site)
    assert (done.returncode, "set PERISCOPE_NOTIFY__URLS__OPS" in done.stderr) == (2, True)
