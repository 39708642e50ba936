"""`periscope import` as a process, with a real broker: what it sent is there once, whatever interrupted it."""

import csv
import json
import signal
from pathlib import Path

import pytest

from tests.command import Running, periscope
from tests.journey import DELIBERATIONS, Journey, embedded
from tests.services.mosquitto import Mosquitto

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
