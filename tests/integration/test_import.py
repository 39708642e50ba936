"""`periscope import` as a process, with a real broker: what it sent is there once, whatever interrupted it."""

import csv
import json
import signal
import socket
import subprocess
import sys
import threading
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from collectors.batch_publisher import BatchPublisher
from collectors.collector import spool_folder
from collectors.import_mapping import load_mapping
from collectors.importer import Importer
from collectors.spool import Spool
from collectors.spool_day import Entry
from collectors.ways_in import at_the_spool
from config.catalogue import load_catalogue
from config.settings import Mqtt, load_settings
from config.settings import Spool as SpoolSettings
from tests.command import ROOT, Running, environment, periscope
from tests.journey import DELIBERATIONS, Journey, embedded
from tests.services.mosquitto import Mosquitto
from tests.workbooks import fill

ROWS = 8_000
MAPPING = DELIBERATIONS / "mappings/votes.toml"
PERSON = "person-number-17"


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """Votes of 200 people, one every 20 s."""
    path = tmp_path / "votes.csv"
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["timestamp", "datetime", "comment-id", "voter-id", "vote"])
        table.writerows(
            [1_523_855_288_464 + n * 20_000, "", n % 50, f"person-number-{n % 200}", 1] for n in range(ROWS)
        )
    return path


@pytest.fixture
def journey(tmp_path: Path, mosquitto: Mosquitto) -> Journey:
    return Journey(tmp_path, mosquitto, DELIBERATIONS, embedded())


def rows_done(journey: Journey) -> int:
    states = list((journey.state / "imports").glob("*.json"))
    return int(json.loads(states[0].read_bytes())["rows"]) if states else 0


def direct(journey: Journey, *words: object, fails: bool = False, **settings: object) -> dict[str, Any]:
    """`periscope import --direct --json`; returns what it reports."""
    done = periscope(
        "import", "--mapping", MAPPING, "--pilot", "ubi", "--direct", "--json", *words,
        cwd=journey.folder, **(journey.settings | settings),
    )  # fmt: skip
    assert done.returncode == fails, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def stored(journey: Journey) -> tuple[str, str]:
    """Core actions and people over the whole time, from the export."""
    journey.pipeline()
    rows = [row for row in journey.export() if row["pilot"] == "ubi" and not row["subgroup_dim"]]
    largest = {
        name: max((row["value"] or "0" for row in rows if row["indicator_id"] == name), key=float)
        for name in ("core-actions", "people")
    }
    return largest["core-actions"], largest["people"]


def test_an_import_killed_on_the_way_loses_nothing_and_doubles_nothing(journey: Journey, votes: Path) -> None:
    words = ["import", votes, "--mapping", MAPPING, "--pilot", "ubi"]
    with journey.collecting() as collector:
        with Running(*words, cwd=journey.folder, **journey.settings) as first:
            first.until(lambda: rows_done(journey) > 0)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
        cut = rows_done(journey)
        assert 0 < cut < ROWS
        report = journey.import_("ubi", MAPPING, votes)
        assert report["files"][0]["sent"] == ROWS
        journey.settled(collector, ROWS)
    assert stored(journey) == (str(ROWS), "200")


def test_an_import_that_is_asked_to_stop_says_how_to_go_on(journey: Journey, votes: Path) -> None:
    words = ["import", votes, "--mapping", MAPPING, "--pilot", "ubi"]
    with Running(*words, cwd=journey.folder, **journey.settings) as first:
        first.until(lambda: rows_done(journey) > 0)
        assert first.stop() == 1
        assert "run the same command again to continue" in first.text


def test_a_direct_import_that_is_asked_to_stop_says_how_to_go_on(journey: Journey, votes: Path) -> None:
    words = ["import", votes, "--mapping", MAPPING, "--pilot", "ubi", "--direct"]
    with Running(*words, cwd=journey.folder, **journey.settings) as first:
        first.until(lambda: rows_done(journey) > 0)
        assert first.stop(signal.SIGINT) == 1
        assert "run the same command again to continue" in first.text
        assert "Traceback" not in first.text
    assert direct(journey, votes)["fates"]["written"] == ROWS


def test_the_direct_way_meets_the_same_checks_while_the_collector_runs(journey: Journey, votes: Path) -> None:
    with journey.collecting() as collector:
        done = periscope(
            "import", votes, "--mapping", MAPPING, "--pilot", "ubi", "--direct", cwd=journey.folder, **journey.settings
        )
        assert done.returncode == 0, done.stderr
        ledger = journey.settled(collector, ROWS)
    assert ledger["written"] == ROWS
    assert stored(journey) == (str(ROWS), "200")


def test_no_persons_id_reaches_the_disk(journey: Journey, votes: Path) -> None:
    with journey.collecting() as collector:
        journey.import_("ubi", MAPPING, votes)
        journey.settled(collector, ROWS)
        files = [path for path in journey.state.rglob("*") if path.is_file()]
        assert len(files) > 5
        assert [path for path in files if PERSON.encode() in path.read_bytes()] == []
    (key,) = (journey.state / "keys").glob("*.key")
    assert key.stat().st_mode & 0o777 == 0o600


def test_the_direct_way_finishes_the_job_where_no_collector_runs(journey: Journey, votes: Path) -> None:
    report = direct(journey, votes)
    assert report["complete"]
    fates = report["fates"]
    assert (fates["received"], fates["written"], fates["pending"], fates["dead_letters"]) == (ROWS, ROWS, 0, {})
    assert stored(journey) == (str(ROWS), "200")


def test_a_direct_import_killed_on_the_way_loses_nothing_and_doubles_nothing(journey: Journey, votes: Path) -> None:
    words = ["import", votes, "--mapping", MAPPING, "--pilot", "ubi", "--direct"]
    with Running(*words, cwd=journey.folder, **journey.settings) as first:
        first.until(lambda: 0 < rows_done(journey) < ROWS)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    assert 0 < rows_done(journey) < ROWS
    report = direct(journey, votes)
    assert report["files"][0]["sent"] == ROWS
    fates = report["fates"]
    assert fates["written"] == ROWS
    assert fates["received"] == fates["written"] + fates["duplicate"]
    assert stored(journey) == (str(ROWS), "200")


def test_what_was_read_but_not_delivered_before_a_kill_is_delivered_by_the_next(journey: Journey, votes: Path) -> None:
    with Running(
        "import", votes, "--mapping", MAPPING, "--pilot", "ubi", "--direct", cwd=journey.folder, **journey.settings
    ) as first:
        first.until(lambda: rows_done(journey) == ROWS)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    report = direct(journey, votes)
    assert report["files"][0]["skipped"]
    assert (report["fates"]["written"], report["fates"]["pending"]) == (ROWS, 0)


def test_the_report_counts_what_the_collector_set_aside(journey: Journey, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    rows = ["1523855288464,,0,ada,1", "9999999999999,,0,ada,1", "1523855288464,,0,,1", "1523855288465,,1,ada,1"]
    path.write_text("\n".join(["timestamp,datetime,comment-id,voter-id,vote", *rows]) + "\n")
    report = direct(journey, path)
    assert report["files"][0]["rejected"] == {"no_person": 1}
    assert (report["fates"]["written"], report["fates"]["dead_letters"]) == (2, {"clock/clock_skew": 1})
    again = direct(journey, path, "--restart")
    assert (again["fates"]["written"], again["fates"]["duplicate"]) == (0, 2)


def test_a_full_spool_ends_an_import_that_goes_on_when_there_is_room(journey: Journey, votes: Path) -> None:
    settings = load_settings(state=journey.state, spool={"max_bytes": 1_000_000})
    full = Spool(spool_folder(settings), SpoolSettings(), lease=False)
    full.append([Entry(1_523_855_288_464_000_000, "ubi", "votes", "pilots/ubi/usage/votes", b"{}" * 600_000)])
    full.close()
    mapping = load_mapping(MAPPING)
    importer = Importer(mapping, "ubi", "pilots/ubi/usage/votes", journey.state / "imports", str.upper, lambda: 1)
    way = partial(at_the_spool, settings, load_catalogue(DELIBERATIONS), lambda: 1, patience_s=0)
    report = importer.run([votes], way, threading.Event())
    assert "the spool has reached its limit" in report.sentence()
    assert "what was sent is safe, run the same command again to continue" in report.sentence()
    report = direct(journey, votes)
    assert (report["files"][0]["sent"], report["fates"]["written"]) == (ROWS, ROWS)


def test_standard_input_is_read_and_known_again(journey: Journey, votes: Path) -> None:
    def piped(content: bytes) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "periscope", "import", "-", "--mapping", str(MAPPING), "--pilot", "ubi", "--direct",
             "--json"],
            cwd=journey.folder, env=environment(**journey.settings), input=content, capture_output=True, timeout=120,
            check=True,
        )  # fmt: skip
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    content = votes.read_bytes()
    assert piped(content)["fates"]["written"] == ROWS
    assert piped(content)["files"][0]["skipped"]
    grown = piped(content + b"1523855288464,,0,person-number-1,1\n")
    assert (grown["files"][0]["sent"], grown["fates"]["written"]) == (ROWS + 1, ROWS + 1)


def test_through_the_broker_the_report_waits_for_the_ledger(journey: Journey, votes: Path) -> None:
    with journey.collecting():
        done = periscope(
            "import", votes, "--mapping", MAPPING, "--pilot", "ubi", "--wait", "60", cwd=journey.folder,
            **journey.settings,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Of ubi/votes since then: 8,000 written, 0 duplicates, 0 dead-lettered" in done.stdout


def test_where_no_collector_is_the_report_says_where_to_look(journey: Journey, votes: Path) -> None:
    done = periscope("import", votes, "--mapping", MAPPING, "--pilot", "ubi", cwd=journey.folder, **journey.settings)
    assert "8,000 of 8,000 rows sent" in done.stdout
    assert "stands in the ledger of the collector" in done.stdout


def test_a_broker_that_comes_back_gets_what_it_did_not_acknowledge(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    broker.start()
    messages = [("pilots/ubi/usage/votes", b"%d" % number) for number in range(30_000)]
    try:
        with BatchPublisher(Mqtt(host=broker.host, port=broker.port), patience_s=30) as publisher:
            restarted = threading.Event()

            def restart() -> None:
                broker.kill()
                broker.start()
                restarted.set()

            publisher.send(messages[:1000])
            thread = threading.Thread(target=restart)
            thread.start()
            while not restarted.is_set():
                publisher.send(messages)
            thread.join()
            publisher.send(messages)
    finally:
        broker.stop()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_batch_arrives_whole_and_in_order(mosquitto: Mosquitto, protocol: Any) -> None:
    topic = f"batch/{protocol}"
    messages = [(topic, b"%d " % number * (number % 90)) for number in range(3000)]
    heard, ready, done = list[bytes](), threading.Event(), threading.Event()

    def hear(_client: Any, _data: Any, message: Any) -> None:
        heard.append(message.payload)
        if len(heard) == len(messages):
            done.set()

    listener = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    listener.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
    listener.on_subscribe, listener.on_message = lambda *_: ready.set(), hear
    listener.connect(mosquitto.host, mosquitto.port)
    listener.loop_start()
    try:
        assert ready.wait(20)
        with BatchPublisher(Mqtt(host=mosquitto.host, port=mosquitto.port, protocol=protocol)) as publisher:
            publisher.send(messages)
        assert done.wait(20)
    finally:
        listener.disconnect()
        listener.loop_stop()
    assert heard == [payload for _, payload in messages]


def test_nobody_there_is_told_with_a_remedy() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with (
            pytest.raises(Exception, match="nothing listens there; start the broker"),
            BatchPublisher(Mqtt(port=free.getsockname()[1])),
        ):
            pass


def test_a_workbook_goes_straight_in_where_no_collector_runs(tmp_path: Path, mosquitto: Mosquitto) -> None:
    journey = Journey(tmp_path, mosquitto, ROOT / "config/examples/participation", embedded())
    book = tmp_path / "town.xlsx"
    for words in (["workbook", book, "--pilot", "town"], ["import", "--workbook", book, "--pilot", "town", "--direct"]):
        done = periscope(*words, cwd=tmp_path, **journey.settings)
        assert done.returncode == 0, done.stderr
        if words[0] == "workbook":
            row = {"Contribution id": "C1", "Date": date(2026, 1, 7), "Kind": "comment", "Count": 2,
                   "Stakeholder group": "Residents"}  # fmt: skip
            fill(book, {"Contributions": [row]})
    assert (journey.ledger()["written"], journey.ledger()["pending"]) == (1, 0)
