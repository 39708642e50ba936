"""The command that erases one person: a real import, killed, repeated, computed anew, and imported again."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors import ledger
from collectors.pseudonym import PseudonymKeys
from collectors.spool import Spool
from config.settings import Spool as SpoolSettings
from pipeline.frozen import Frozen
from pipeline.operations import Operations
from pipeline.rows import load
from pipeline.store.influx import InfluxStore
from pipeline.store.port import Store
from pipeline.store.sqlite import SQLiteStore
from tests.command import Running, periscope
from tests.services.influxdb import Influx

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
    """A state folder that is filled by the command line alone, with the embedded store or a real InfluxDB."""

    def __init__(self, folder: Path, influx: Influx | None = None) -> None:
        self.folder, self.state, self.influx = folder, folder / "var", influx
        (folder / "pilots").mkdir(parents=True)
        (folder / "pilots/bremen.toml").write_text(PILOT)
        (folder / "uses.toml").write_text(MAPPING)
        rows = [{"at": f"{DAY}T10:00:{n:02}Z", "who": f"person {n % 8}", "task": "vote"} for n in range(24)]
        (folder / "uses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.where: dict[str, object] = {"catalogue": folder / "pilots", "state": self.state}
        if influx is not None:
            self.buckets = influx.fresh_buckets()
            self.where |= {
                "store": "influx", "influx__url": influx.url, "influx__org": influx.org, "influx__token": influx.token,
                "influx__raw_bucket": self.buckets[0], "influx__derived_bucket": self.buckets[1],
            }  # fmt: skip
        self.bring()
        self.run("pipeline", "--once")

    def run(self, *words: object, code: int = 0) -> str:
        done = periscope(*words, cwd=self.folder, **self.where)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def bring(self, *words: str) -> None:
        uses = self.folder / "uses.jsonl"
        self.run("import", uses, "--mapping", self.folder / "uses.toml", "--pilot", "bremen", "--direct", *words)

    @contextmanager
    def store(self) -> Iterator[Store]:
        if self.influx is None:
            found: Store = SQLiteStore(self.state / "store", mode="read")
        else:
            found = InfluxStore(self.influx.url, self.influx.org, self.influx.token, *self.buckets, mode="read")
        with closing(found):
            yield found

    def people(self) -> list[str | None]:
        """Whose events are stored, one word for each event."""
        with self.store() as store:
            return [event.actor_key for event in store.read("bremen", ["usage"], 0, 2**62)]

    def kept_by_pipeline(self) -> set[str | None]:
        """The pseudonyms in what the pipeline keeps of single events."""
        with self.store() as store:
            return {row.actor for those in load(store, "bremen", f"{DAY}", f"{DAY}").values() for row in those}

    def adds_up(self) -> dict[str, int]:
        with closing(Spool(self.state / "spool/main", SpoolSettings(), lease=False)) as spool, self.store() as store:
            counts = ledger.total(spool.ledger().values())
            assert ledger.broken(counts) == []
            assert ledger.audit(counts, store, ["bremen"]) == []
            return {fate: n for (_, feed, fate), n in counts.items() if feed == "app"}

    def everything(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.state.rglob("*") if path.is_file() and path.suffix != ".key")

    @contextmanager
    def at_rest(self) -> Iterator[list[Path]]:
        """The store's files while nothing writes them: a cold backup, which needs no tool of the store's own."""
        if self.influx is None:
            yield [self.state / "store"]
            return
        self.influx.stop()
        yield [self.influx.folder]
        self.influx.start()

    def back_up(self, more: tuple[str, ...] = ()) -> None:
        with self.at_rest() as folders:
            for path in (*folders, *(self.state / name for name in more)):
                shutil.copytree(path, self.folder / "backup" / path.name)

    def put_back(self) -> None:
        """What was backed up takes the place of what is there; the rest stays as it is now."""
        with self.at_rest() as folders:
            for path in (*folders, self.state / "spool"):
                if (kept := self.folder / "backup" / path.name).exists():
                    shutil.rmtree(path)
                    shutil.copytree(kept, path)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(params=["sqlite", "influx"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place on each store; the InfluxDB is its own, as it is stopped and put back."""
    if request.param == "sqlite":
        yield Place(tmp_path / "place")
        return
    influx = Influx(tmp_path / "influx")
    influx.start()
    try:
        yield Place(tmp_path / "place", influx)
    finally:
        influx.stop()


HER = ("erase", "--pilot", "bremen", "--code", "Person 3", "--reason", "asked by letter")
AGAIN = ("erase", "--again", "--reason", "the backup was put back")


def test_she_is_gone_and_stays_away(either: Place) -> None:
    place = either
    key = PseudonymKeys(place.state / "keys").actor_key("bremen", "person 3")
    assert key.encode() in place.everything()
    assert key in place.kept_by_pipeline()
    assert "Would erase 3 events of the store, 3 message bodies" in place.run(*HER, "--dry-run")
    assert len(place.people()) == 24
    with Running(*HER, "--yes", cwd=place.folder, **place.where) as command:
        command.until(lambda: (place.state / "erasures.db").exists() or command.process.poll() is not None)
        command.process.send_signal(signal.SIGKILL)
        command.process.wait(20)
    place.run(*HER, "--yes")
    assert len(place.people()) == 21
    assert key not in place.people()
    assert key.encode() not in place.everything()
    assert place.adds_up()["points_erased"] == 3
    place.run("pipeline", "--once")
    assert len(place.kept_by_pipeline()) == 7
    with closing(Operations(place.state / "operations.db")) as operations:
        revisions = Frozen(operations).superseded(["bremen"])
        assert revisions
        assert {one.reason for one in revisions} == {f"a person's events of {DAY} were erased"}
        said = [line for _, _, line, _ in operations.audited()]
        assert "erase one person of bremen: asked by letter" in said
        assert not [line for line in said if key in line or "erson 3" in line]
    place.bring("--restart")
    assert len(place.people()) == 21
    fates = place.adds_up()
    assert (fates["received"], fates["dropped:erased"], fates["duplicate"]) == (48, 3, 21)


@pytest.mark.parametrize("more", [(), ("spool",)], ids=["store", "store and journal"])
def test_a_backup_from_before_does_not_bring_her_back(either: Place, more: tuple[str, ...]) -> None:
    place = either
    key = PseudonymKeys(place.state / "keys").actor_key("bremen", "person 3")
    place.back_up(more)
    place.run(*HER, "--yes")
    place.put_back()
    assert key in place.people()
    assert "Would erase 3 events of the store" in place.run(*AGAIN, "--dry-run")
    place.run(*AGAIN, "--yes")
    assert len(place.people()) == 21
    assert key not in place.people()
    assert key.encode() not in place.everything()
    assert place.adds_up()["points_erased"] == 3
    place.run("pipeline", "--once")
    assert key not in place.kept_by_pipeline()
    place.run("replay", "--since", "2000-01-01")
    place.bring("--restart")
    assert len(place.people()) == 21
    place.adds_up()
    assert "Would erase 0 events of the store, 0 message bodies" in place.run(*AGAIN, "--dry-run")


def test_wrong_use_and_a_running_collector_change_nothing(place: Place) -> None:
    assert "give --yes, or --dry-run" in place.run(*HER, code=2)
    assert "is no pseudonym" in place.run(*HER[:3], "--actor-key", "short", "--reason", "x", code=2)
    assert "there is no pilot nowhere" in place.run(*HER[:1], "--pilot", "nowhere", *HER[3:], code=2)
    with closing(Spool(place.state / "spool/main", SpoolSettings(), lease=True)):
        assert "stop it" in place.run(*HER, "--yes", code=1)
    assert "is missing" in place.run(*HER[:1], *HER[3:], "--yes", code=2)
    assert "knows of anybody" in place.run(*AGAIN, "--yes", code=1)
    assert len(place.people()) == 24
    assert not (place.state / "erasures.db").exists()
