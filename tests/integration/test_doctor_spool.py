"""Each finding of doctor about disk, spool, ledger, feeds, clocks and the collector, with the fault made for real."""

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.collector import Collector, spool_folder
from collectors.doctor import feeds, health, session
from collectors.doctor import spool as spool_checks
from collectors.doctor.examine import Examination
from collectors.doctor.finding import Finding
from collectors.doctor.spool_look import SpoolLook, look
from collectors.mqtt import MqttPublisher
from collectors.receiver import MqttReceiver
from collectors.scratch import Scratch, forget
from collectors.spool import Spool
from collectors.spool_day import Entry
from config.catalogue import Catalogue
from config.settings import Settings
from config.settings import Spool as SpoolSettings
from pipeline.model import Event, Refusal
from pipeline.store.port import StoreAway
from pipeline.store.sqlite import SQLiteStore
from tests.command import ROOT, environment
from tests.integration.doctor_site import mqtt, only, told
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until
from tests.unit.collectors.places import AIR, action, air, app, catalogue, pilot, reading

MINUTE_NS = 60 * 10**9


def entry(n: int = 0, received_ns: int | None = None, payload: bytes = b"{}") -> Entry:
    return Entry(received_ns or time.time_ns(), "bremen", "app", f"pilots/bremen/usage/app{n}", payload)


def filled(folder: Path, *entries: Entry) -> Path:
    """A spool of a collector that has stopped."""
    spool = Spool(folder, SpoolSettings(), lease=True)
    spool.append(entries)
    spool.close()
    return folder


def seen(folder: Path) -> SpoolLook:
    found = look(folder)
    assert found is not None
    return found


def judged(folder: Path, code: str, max_bytes: int = 10**9, now_ns: int | None = None) -> Finding:
    return only(spool_checks.spool(seen(folder), max_bytes, now_ns or time.time_ns()), code)


class Site:
    """A broker, a store and a collector that runs in this process."""

    def __init__(self, folder: Path, broker: Mosquitto, places: Catalogue) -> None:
        self.catalogue, self.store = places, SQLiteStore(folder / "var/store")
        self.settings = Settings(_env_file=None, state=folder / "var", mqtt=mqtt(broker), health_port=free_port())
        self.running: list[Collector] = []

    def start(self) -> Collector:
        collector = Collector(self.settings, self.catalogue, self.store, time.time_ns)
        self.running.append(collector)
        collector.start()
        wait_until(collector.receiver.ready.is_set, 10, "readiness")
        noted = spool_folder(self.settings) / "filters.json"
        wait_until(noted.exists, 10, "the session being noted")
        return collector

    def publish(self, topic: str, *payloads: bytes) -> None:
        with MqttPublisher(self.settings.mqtt) as publisher:
            for payload in payloads:
                publisher.publish(topic, payload)

    def stop(self) -> None:
        for collector in self.running:
            collector.stop()
        self.running.clear()

    def look(self) -> SpoolLook:
        return seen(spool_folder(self.settings))

    def silent(self, later_s: float = 0) -> list[Finding]:
        return list(feeds.silent(self.catalogue, self.look(), time.time_ns() + int(later_s * 1e9)))


@pytest.fixture
def site(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Site]:
    places = catalogue(pilot(app(heartbeat_every="1m"), air(expect_every="15m")))
    site = Site(tmp_path, mosquitto, places)
    yield site
    site.stop()
    site.store.close()


def iso(offset_s: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=offset_s)).isoformat()


# Disk and spool


def test_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    """In a mount namespace of its own, a file system of 2 MB with 200 kB left."""
    script = (
        f"mount -t tmpfs -o size=2m none {tmp_path} && head -c 1900000 /dev/zero >{tmp_path}/filling && "
        f"exec {sys.executable} -m periscope doctor --json --set mqtt.port={free_port()}"
    )
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("needs `unshare -rm`, a mount namespace of one's own")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=ROOT, env=environment(state=tmp_path), capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (found,) = told(done.stdout, "disk")
    assert found["level"] == "problem"
    assert "PERISCOPE_STATE" in found["remedy"]


def test_a_disk_with_room(tmp_path: Path) -> None:
    found = spool_checks.disk(tmp_path / "not/yet/there")
    assert found.code == "disk"
    assert (found.level == "ok") == (shutil.disk_usage(tmp_path).free / shutil.disk_usage(tmp_path).total >= 0.15)


def test_a_spool_near_its_limit(tmp_path: Path) -> None:
    folder = filled(tmp_path / "main", *[entry(n, payload=b"x" * 10_000) for n in range(80)])
    size = seen(folder).size
    for max_bytes, level in ((size * 2, "ok"), (int(size / 0.8), "warn"), (int(size / 0.95), "problem")):
        found = judged(folder, "quota", max_bytes)
        assert found.level == level
    assert "PERISCOPE_SPOOL__MAX_BYTES" in found.remedy


def test_a_file_of_the_spool_that_cannot_be_read(tmp_path: Path) -> None:
    folder = filled(tmp_path / "main", entry())
    assert judged(folder, "spool-damage").level == "ok"
    (file,) = folder.glob("spool-*.db")
    file.write_bytes(b"not a database, " * 1000)
    found = judged(folder, "spool-damage")
    assert found.level == "problem"
    assert file.name in found.what
    assert "check the disk" in found.remedy
    assert file.read_bytes().startswith(b"not a database")  # nothing was mended, moved or made


def test_a_file_of_the_spool_that_cannot_be_opened(tmp_path: Path) -> None:
    folder = filled(tmp_path / "main", entry())
    (file,) = folder.glob("spool-*.db")
    file.unlink()
    file.mkdir()  # whoever asks: a test that runs as root is denied nothing
    found = judged(folder, "spool-damage")
    assert found.level == "unknown"
    assert "the user that the collector runs as" in found.remedy


def test_a_file_that_a_collector_set_aside(tmp_path: Path) -> None:
    folder = filled(tmp_path / "main", entry())
    (file,) = folder.glob("spool-*.db")
    file.write_bytes(b"not a database, " * 1000)
    filled(folder, entry())
    found = judged(folder, "spool-damage")
    assert found.level == "problem"
    assert f"{file.name}.damaged-0" in found.what


def test_messages_that_wait_for_long(tmp_path: Path) -> None:
    folder = filled(tmp_path / "main", entry(), entry(1))
    assert judged(folder, "backlog").level == "ok"
    found = judged(folder, "backlog", now_ns=time.time_ns() + 20 * MINUTE_NS)
    assert found.level == "problem"
    assert "20 minutes" in found.what


@pytest.mark.parametrize(
    "fault",
    ["UPDATE ledger SET n = n + 1 WHERE fate = 'pending'", "UPDATE ledger SET n = 7", "DELETE FROM message"],
)
def test_a_ledger_that_does_not_add_up(tmp_path: Path, fault: str) -> None:
    folder = filled(tmp_path / "main", entry(), entry(1))
    assert judged(folder, "ledger").level == "ok"
    (file,) = folder.glob("spool-*.db")
    connection = sqlite3.connect(file)
    connection.execute(fault)
    connection.commit()
    connection.close()
    found = judged(folder, "ledger")
    assert found.level == "problem"
    assert "report it" in found.remedy


def test_looking_changes_no_file(tmp_path: Path) -> None:
    folder = filled(tmp_path / "main", entry())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    seen(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_machine_without_a_spool(tmp_path: Path) -> None:
    assert look(tmp_path / "main") is None
    assert not (tmp_path / "main").exists()


# Feeds


def test_messages_that_became_no_event(site: Site) -> None:
    collector = site.start()
    site.publish(AIR, *[reading(time=iso(), pm10=n) for n in range(50)], b"nonsense")
    assert collector.wait_idle(20)
    found = only(spool_checks.spool(site.look(), 10**9, time.time_ns()), "dead-letters")
    assert found.level == "problem"
    assert "bremen/air 2% (decode/not_json)" in found.what
    assert "periscope dead-letters list" in found.remedy


def test_a_feed_that_is_silent(site: Site) -> None:
    collector = site.start()
    site.publish(AIR, reading(time=iso(), pm10=1))
    assert collector.wait_idle(20)
    assert [one.level for one in site.silent()] == ["ok"]
    (found,) = site.silent(later_s=300)
    assert found.code == "silent-feed"
    assert found.level == "problem"
    assert "bremen/app has sent nothing since the collector started" in found.what
    assert "periscope try --listen --pilot bremen --feed app" in found.remedy
    late = site.silent(later_s=3600)
    assert any("bremen/air has sent nothing for 60 minutes, and should every 15 minutes" in one.what for one in late)


def test_silence_is_not_told_while_no_collector_runs(site: Site) -> None:
    site.start()
    site.stop()
    (found,) = site.silent(later_s=3600)
    assert found.level == "unknown"
    assert "periscope collect" in found.remedy


def test_feeds_of_which_no_rhythm_is_known(site: Site) -> None:
    (found,) = feeds.silent(catalogue(), SpoolLook(Path()), 0)
    assert found.level == "unknown"
    assert "expect_every" in found.remedy


@pytest.mark.parametrize(
    ("offset_s", "level", "said"),
    [(0, "ok", "go with"), (300, "problem", "ahead of this machine's"), (-3 * 3600, "warn", "come 3 hours after"),
     (3600, "problem", "times that cannot be")],
)  # fmt: skip
def test_a_sender_whose_clock_is_wrong(site: Site, offset_s: int, level: str, said: str) -> None:
    collector = site.start()
    site.publish(AIR, *[reading(time=iso(offset_s), device=f"d{n}", pm10=n) for n in range(3)])
    assert collector.wait_idle(20)
    found = only(feeds.clocks(site.catalogue, site.look()), "clock")
    assert found.level == level
    assert said in found.what
    assert level == "ok" or "clock" in found.remedy


def test_times_that_are_known_to_the_day_only_say_nothing_of_a_clock(site: Site) -> None:
    collector = site.start()
    days = [action(f"e-{n}", iso(), time_precision="day") for n in range(40)]
    site.publish("pilots/bremen/usage/app", *days)
    assert collector.wait_idle(20)
    assert only(feeds.clocks(site.catalogue, site.look()), "clock").level == "ok"


# The collector and its session


def asked(site: Site) -> health.Word | None:
    return health.ask(site.settings.health_port, site.look().running)


def test_a_collector_that_runs_and_holds_its_session(site: Site) -> None:
    site.start()
    word = asked(site)
    assert word is not None
    assert word.finding.level == "ok"
    assert only(session.running(word, asked(site)), "session").level == "ok"


def test_a_collector_that_is_not_ready(site: Site, mosquitto: Mosquitto) -> None:
    collector = site.start()
    mosquitto.stop()
    wait_until(lambda: not collector.receiver.ready.is_set(), 20, "the loss of the broker")
    word = asked(site)
    assert word is not None
    assert word.finding.level == "problem"
    assert "connection to the broker lost" in word.finding.what


class _Away(SQLiteStore):
    def write(self, events: Sequence[Event]) -> list[Refusal]:
        raise StoreAway("the store is away")


def test_a_collector_whose_store_is_away(site: Site, tmp_path: Path) -> None:
    site.store.close()
    site.store = _Away(tmp_path / "var/store")
    collector = site.start()
    site.publish(AIR, reading(time=iso(), pm10=1))
    wait_until(lambda: collector.health().degraded, 20, "the collector's own word")
    word = asked(site)
    assert word is not None
    assert (word.finding.level, word.finding.code) == ("warn", "collector")
    assert "degraded: the store is away" in word.finding.what


def test_a_collector_that_does_not_answer(site: Site) -> None:
    site.start()
    word = health.ask(free_port(), running=True)
    assert word is not None
    assert word.finding.level == "problem"
    assert "see its log" in word.finding.remedy


def test_no_collector_and_one_without_a_port() -> None:
    assert health.absent(0, running=False).level == "warn"
    assert "PERISCOPE_HEALTH_PORT" in health.absent(0, running=True).remedy
    assert only(session.running(None, None), "session").level == "unknown"


def test_a_running_collector_whose_session_another_client_takes(site: Site) -> None:
    collector = site.start()
    before = asked(site)
    failures: list[Exception] = []
    other = MqttReceiver(site.settings.mqtt, "periscope-main", ["elsewhere"], [], time.time_ns, failures.append)
    other.start()
    try:
        wait_until(lambda: collector.receiver.connects > 2, 30, "taking over from each other")
        found = only(session.running(before, asked(site)), "session")
    finally:
        other.stop()
    assert found.level == "problem"
    assert "another client uses its session" in found.what
    assert "PERISCOPE_COLLECTOR" in found.remedy


def test_a_running_collector_whose_session_the_broker_lost(site: Site, mosquitto: Mosquitto) -> None:
    collector = site.start()
    mosquitto.stop()
    for file in (mosquitto.folder / "data").iterdir():
        file.unlink()
    mosquitto.start()
    wait_until(lambda: collector.receiver.session_lost == 1, 30, "the collector's own word")
    word = asked(site)
    found = only(session.running(word, word), "session")
    assert found.level == "problem"
    assert "lost the collector's session 1 times" in found.what
    assert "persistence true" in found.remedy


def idle(site: Site, reports: int = 0, broker_started_ns: int | None = None) -> list[Finding]:
    return list(session.idle(site.settings, site.look(), reports, broker_started_ns))


def test_the_session_of_a_collector_that_stopped_is_seen_and_kept(site: Site) -> None:
    site.start()
    site.stop()
    site.publish(AIR, reading(time=iso(), pm10=1))
    found = idle(site)
    assert [(one.code, one.level) for one in found] == [("session", "ok"), ("persistence", "unknown")]
    collector = site.start()
    assert collector.wait_idle(20)
    assert collector.receiver.session_lost == 0
    assert len(site.store.read("bremen", ["sensor"], 0, 2**62)) == 1


def test_a_session_that_outlived_a_restart_of_the_broker(site: Site, mosquitto: Mosquitto) -> None:
    site.start()
    site.stop()
    mosquitto.stop()
    mosquitto.start()
    found = idle(site, broker_started_ns=time.time_ns())
    assert only(found, "persistence").level == "ok"


def test_a_session_that_is_gone_with_a_restart_of_the_broker(site: Site, mosquitto: Mosquitto) -> None:
    site.start()
    site.stop()
    mosquitto.stop()
    for file in (mosquitto.folder / "data").iterdir():
        file.unlink()
    mosquitto.start()
    found = idle(site, broker_started_ns=time.time_ns())
    assert [(one.code, one.level) for one in found] == [("session", "problem"), ("persistence", "problem")]
    assert "start the collector at once" in found[0].remedy
    assert "persistence true" in found[1].remedy
    with Scratch(site.settings.mqtt, "periscope-main", keep=True) as scratch:
        assert not scratch.session_present  # looking made none
    forget(site.settings.mqtt, "periscope-main")


def test_a_session_that_another_client_uses_elsewhere(site: Site) -> None:
    site.start()
    site.stop()
    failures: list[Exception] = []
    other = MqttReceiver(site.settings.mqtt, "periscope-main", ["elsewhere"], [], time.time_ns, failures.append)
    other.start()
    wait_until(other.ready.is_set, 20, "the other client")
    try:
        found = only(idle(site), "session")
    finally:
        other.stop()
    assert found.level == "problem"
    assert 'another client connects as "periscope-main"' in found.what
    assert "PERISCOPE_COLLECTOR" in found.remedy


def test_a_collector_of_the_same_name_that_reports_from_elsewhere(site: Site) -> None:
    site.start()
    site.stop()
    examination = Examination(site.settings, site.catalogue, [], time.time_ns)
    found: list[Finding] = []
    for one in examination.run():
        if one.code == "broker":
            site.publish("periscope/ops/main/bremen", b"{}")
        found.append(one)
    assert "works elsewhere under the same name" in only(found, "session").what


def test_a_machine_where_no_collector_ever_ran(tmp_path: Path, mosquitto: Mosquitto) -> None:
    settings = Settings(_env_file=None, state=tmp_path, mqtt=mqtt(mosquitto))
    found = list(Examination(settings, catalogue(), [], time.time_ns).run())
    assert only(found, "session").level == "unknown"
    assert "PERISCOPE_STATE" in only(found, "session").remedy
    assert list(tmp_path.glob("spool*")) == []
    (fresh,) = session.idle(settings, SpoolLook(tmp_path), 0, None)
    assert fresh.level == "unknown"


def test_a_whole_run_beside_a_working_collector_has_no_problem_and_takes_nothing_from_it(site: Site) -> None:
    collector = site.start()
    site.publish(AIR, *[reading(time=iso(), device=f"d{n}", pm10=n) for n in range(5)])
    site.publish("pilots/bremen/usage/app", action("e-1", iso()))
    assert collector.wait_idle(20)
    found = list(Examination(site.settings, site.catalogue, [], time.time_ns).run())
    assert [str(one) for one in found if one.level in ("problem", "warn")] == []
    assert collector.receiver.connects == 1
    assert collector.receiver.received == 6 + _reports(site)


def _reports(site: Site) -> int:
    """What the collector told of itself meanwhile."""
    return site.running[0].ledger()["bremen", "collector", "received"]


def test_a_feed_whose_map_names_what_nobody_sends(site: Site) -> None:
    collector = site.start()
    site.publish(AIR, *[reading(time=iso(), PM10=n) for n in range(5)], reading(time=iso(), pm10=1))
    assert collector.wait_idle(20)
    found = only(spool_checks.spool(site.look(), 10**9, time.time_ns()), "no-reading")
    assert (found.level, "bremen/air (5)" in found.what) == ("warn", True)
    assert "periscope replay --dropped" in found.remedy
