"""The command that erases one person: a real import, killed, repeated, computed anew, and imported again."""

import json
import signal
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import ledger
from collectors.pseudonym import PseudonymKeys
from collectors.spool import Spool
from config.settings import Spool as SpoolSettings
from pipeline.frozen import Frozen
from pipeline.operations import Operations
from pipeline.store.sqlite import SQLiteStore
from tests.command import Running, periscope

PILOT = """
slug = "bremen"
name = "Bremen"
country = "DE"
time_zone = "Europe/Berlin"
[[feeds]]
id = "app"
topic = "pilots/bremen/usage/app"
stream = "usage"
consent = "cohort"
accept_since = "2020-01-01"
"""
MAPPING = """
feed = "app"
format = "jsonl"
[cloudevent]
id = "{pilot}/{file}/{row}"
source = "/pilots/{pilot}/app"
type = "action.performed"
time = "at"
person = "who"
[cloudevent.constants]
core = true
consent = "cohort"
synthetic = false
[cloudevent.columns]
task_id = "task"
"""
DAY = (datetime.now(UTC) - timedelta(days=9)).date()


class Place:
    """A state folder that is filled by the command line alone."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "var"
        (folder / "pilots").mkdir()
        (folder / "pilots/bremen.toml").write_text(PILOT)
        (folder / "uses.toml").write_text(MAPPING)
        rows = [{"at": f"{DAY}T10:00:{n:02}Z", "who": f"person {n % 8}", "task": "vote"} for n in range(24)]
        (folder / "uses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.where = {"catalogue": folder / "pilots", "state": self.state}
        self.run("import", folder / "uses.jsonl", "--mapping", folder / "uses.toml", "--pilot", "bremen", "--direct")
        self.run("pipeline", "--once")

    def run(self, *words: object, code: int = 0) -> str:
        done = periscope(*words, cwd=self.folder, **self.where)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def events(self) -> list[Any]:
        with closing(SQLiteStore(self.state / "store", mode="read")) as store:
            return store.read("bremen", ["usage"], 0, 2**62)

    def adds_up(self) -> dict[str, int]:
        with (
            closing(Spool(self.state / "spool/main", SpoolSettings(), lease=False)) as spool,
            closing(SQLiteStore(self.state / "store", mode="read")) as store,
        ):
            counts = ledger.total(spool.ledger().values())
            assert ledger.broken(counts) == []
            assert ledger.audit(counts, store, ["bremen"]) == []
            return {fate: n for (_, feed, fate), n in counts.items() if feed == "app"}

    def everything(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.state.rglob("*") if path.is_file() and path.suffix != ".key")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


HER = ("erase", "--pilot", "bremen", "--code", "Person 3", "--reason", "asked by letter")


def test_she_is_gone_and_stays_away(place: Place) -> None:
    key = PseudonymKeys(place.state / "keys").actor_key("bremen", "person 3")
    assert key.encode() in place.everything()
    assert "Would erase 3 events of the store, 3 message bodies" in place.run(*HER, "--dry-run")
    assert len(place.events()) == 24
    with Running(*HER, "--yes", cwd=place.folder, **place.where) as command:
        command.until(lambda: (place.state / "erasures.db").exists() or command.process.poll() is not None)
        command.process.send_signal(signal.SIGKILL)
        command.process.wait(20)
    place.run(*HER, "--yes")
    assert len(place.events()) == 21
    assert key not in {event.actor_key for event in place.events()}
    assert key.encode() not in place.everything()
    assert place.adds_up()["points_erased"] == 3
    place.run("pipeline", "--once")
    with closing(Operations(place.state / "operations.db")) as operations:
        revisions = Frozen(operations).superseded(["bremen"])
        assert revisions
        assert {one.reason for one in revisions} == {f"a person's events of {DAY} were erased"}
        said = [line for _, _, line, _ in operations.audited()]
        assert "erase one person of bremen: asked by letter" in said
        assert not [line for line in said if key in line or "erson 3" in line]
    uses = place.folder / "uses.jsonl"
    place.run("import", uses, "--mapping", place.folder / "uses.toml", "--pilot", "bremen", "--direct", "--restart")
    assert len(place.events()) == 21
    fates = place.adds_up()
    assert (fates["received"], fates["dropped:erased"], fates["duplicate"]) == (48, 3, 21)


def test_wrong_use_and_a_running_collector_change_nothing(place: Place) -> None:
    assert "give --yes, or --dry-run" in place.run(*HER, code=2)
    assert "is no pseudonym" in place.run(*HER[:3], "--actor-key", "short", "--reason", "x", code=2)
    assert "there is no pilot nowhere" in place.run(*HER[:1], "--pilot", "nowhere", *HER[3:], code=2)
    with closing(Spool(place.state / "spool/main", SpoolSettings(), lease=True)):
        assert "stop it" in place.run(*HER, "--yes", code=1)
    assert len(place.events()) == 24
    assert not (place.state / "erasures.db").exists()
