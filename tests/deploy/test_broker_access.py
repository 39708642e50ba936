"""The broker's access list, proven on a real Mosquitto that runs from deploy's own files.

Mosquitto 2.0 acknowledges a publish that it denies, so what counts is what the collector's user receives.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.users import User, refused
from tests.services.mosquitto import Mosquitto

DEPLOY = Path(__file__).parents[2] / "deploy/mosquitto"
PILOTS = sorted(p.stem for p in (DEPLOY.parents[1] / "config/pilots").glob("*.toml") if p.stem != "catalogue")
PARTS = ["collector", "importer", "dashboard", "doctor"]


def passwords(secrets: Path, file: Path, users: list[str]) -> subprocess.CompletedProcess[str]:
    command = [str(DEPLOY / "passwords.sh"), str(secrets), str(file), *users]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    folder = tmp_path_factory.mktemp("broker")
    made = passwords(folder / "secrets", folder / "passwords", [*PILOTS, *PARTS])
    assert made.returncode == 0, made.stderr
    service = Mosquitto(
        folder, "crash-safe", ("--passwords", str(folder / "passwords"), "--acl", shutil.copy(DEPLOY / "acl", folder))
    )
    service.start()
    try:
        yield service
    finally:
        service.stop()


def as_user(broker: Mosquitto, name: str) -> User:
    return User(broker.port, name, (broker.folder / f"secrets/mqtt_{name}").read_text())


def test_there_are_six_pilots() -> None:
    assert len(PILOTS) == 6


@pytest.mark.parametrize("writer", PILOTS)
def test_a_pilot_publishes_as_itself_and_as_no_other(broker: Mosquitto, writer: str) -> None:
    with (
        as_user(broker, "collector") as collector,
        as_user(broker, writer) as pilot,
        as_user(broker, "importer") as importer,
    ):
        collector.subscribe("pilots/#")
        for topic_owner in PILOTS:
            pilot.publish(f"pilots/{topic_owner}/usage/app", writer)
        pilot.publish("periscope/control/main", writer)
        pilot.publish(f"pilots/{writer}", writer)
        importer.publish("pilots/bremen/usage/end", "end")
        got = collector.received_until("end")
    assert set(got) == {
        (f"pilots/{writer}/usage/app", writer),
        (f"pilots/{writer}", writer),
        ("pilots/bremen/usage/end", "end"),
    }


@pytest.mark.parametrize("reader", PILOTS)
def test_a_pilot_reads_no_pilot_and_no_control_topic(broker: Mosquitto, reader: str) -> None:
    filters = [*(f"pilots/{pilot}/#" for pilot in PILOTS), "pilots/#", "#", "periscope/#", "$SYS/broker/#"]
    with (
        as_user(broker, reader) as pilot,
        as_user(broker, "importer") as importer,
        as_user(broker, "collector") as collector,
    ):
        collector.subscribe("pilots/#")
        for topic_filter in filters:
            pilot.subscribe(topic_filter)
        for topic_owner in PILOTS:
            importer.publish(f"pilots/{topic_owner}/usage/app", "secret")
        importer.publish("pilots/bremen/usage/end", "end")
        collector.received_until("end")
        pilot.ping()
        assert pilot.received == []


def test_nobody_connects_without_the_right_password(broker: Mosquitto) -> None:
    assert refused(User(broker.port, None, None))
    assert refused(User(broker.port, "bremen", None))
    assert refused(User(broker.port, "bremen", "bremen"))
    assert refused(User(broker.port, "nobody", "nobody"))
    malmo = (broker.folder / "secrets/mqtt_malmo").read_text()
    assert refused(User(broker.port, "bremen", malmo))
    assert not refused(User(broker.port, "malmo", malmo))


@pytest.mark.parametrize(
    ("part", "topic", "arrives"),
    [
        ("collector", "periscope/ops/main/bremen", True),
        ("collector", "periscope/control/main", False),
        ("collector", "pilots/bremen/usage/app", False),
        ("importer", "pilots/bremen/usage/app", True),
        ("importer", "periscope/control/main", False),
        ("dashboard", "periscope/control/main", True),
        ("dashboard", "periscope/ops/main/bremen", False),
        ("dashboard", "pilots/bremen/usage/app", False),
        ("dashboard", "pilots/bremen/engagement/log", True),
        ("dashboard", "pilots/bremen/engagement/participation", False),
        ("doctor", "periscope/control/main", False),
        ("doctor", "periscope/ops/main/bremen", False),
        ("doctor", "periscope/doctor/probe", True),
        ("collector", "periscope/doctor/probe", True),
        ("importer", "periscope/doctor/probe", False),
        ("dashboard", "periscope/doctor/probe", False),
        ("doctor", "pilots/bremen/usage/app", False),
    ],
)
def test_each_part_writes_its_own_topics_only(broker: Mosquitto, part: str, topic: str, arrives: bool) -> None:
    with (
        as_user(broker, "collector") as collector,
        as_user(broker, "importer") as importer,
        as_user(broker, part) as writer,
    ):
        collector.subscribe("pilots/#")
        collector.subscribe("periscope/#")
        writer.publish(topic, part)
        importer.publish("pilots/bremen/usage/end", "end")
        assert ((topic, part) in collector.received_until("end")) is arrives


@pytest.mark.parametrize(
    ("part", "hears"),
    [
        ("collector", ["periscope/ops/main/bremen", "periscope/control/main"]),
        ("dashboard", ["periscope/answers/main"]),
        ("doctor", ["periscope/ops/main/bremen"]),
        ("importer", []),
    ],
)
def test_each_part_hears_what_it_needs_of_the_collectors(broker: Mosquitto, part: str, hears: list[str]) -> None:
    with (
        as_user(broker, "collector") as collector,
        as_user(broker, "dashboard") as dashboard,
        as_user(broker, part) as reader,
    ):
        reader.subscribe("periscope/#")
        collector.publish("periscope/ops/main/bremen", "ledger")
        collector.publish("periscope/answers/main", "answer")
        dashboard.publish("periscope/control/main", "request")
        dashboard.publish("periscope/answers/main", "forged")
        reader.ping()
        assert [topic for topic, _ in reader.received] == hears


def test_passwords_are_hashed_private_and_kept(tmp_path: Path) -> None:
    secrets, file = tmp_path / "secrets", tmp_path / "passwords"
    assert passwords(secrets, file, ["bremen"]).returncode == 0
    secret = (secrets / "mqtt_bremen").read_text()
    assert len(secret) == 48
    assert secret not in file.read_text()
    assert {p.stat().st_mode & 0o077 for p in (file, secrets / "mqtt_bremen")} == {0}
    assert passwords(secrets, file, ["bremen", "milan"]).returncode == 0
    assert (secrets / "mqtt_bremen").read_text() == secret


def test_a_short_password_and_an_odd_user_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mqtt_bremen").write_text("bremen")
    short = passwords(tmp_path, tmp_path / "passwords", ["bremen"])
    assert (short.returncode, "fewer than 16 characters" in short.stderr) == (1, True)
    assert passwords(tmp_path, tmp_path / "passwords", ["+/#"]).returncode == 2
    assert not (tmp_path / "passwords").exists()
