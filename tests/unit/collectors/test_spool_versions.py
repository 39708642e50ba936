"""A spool that an earlier version wrote goes on; one of a later version is refused and left as it is.

tests/data/spool holds what version 1 wrote: four messages written, one dead, one duplicate, three pending.
"""

import sqlite3
from pathlib import Path

import pytest

from collectors import dead_letters
from collectors.message import SpoolFailed
from collectors.spool import Spool
from collectors.spool_day import VERSION
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import NOW_NS, action, air, app, catalogue, pilot
from tests.unit.collectors.test_delivery import Bench
from tests.unit.collectors.test_spool import entry

FIXTURE = Path(__file__).parents[2] / "data/spool"
DAY = "2019-03-02"


def lay_version_1(folder: Path) -> None:
    """The files of version 1, as they were."""
    for path in FIXTURE.glob("version_1.*.sql"):
        connection = sqlite3.connect(folder / path.name.removeprefix("version_1.").removesuffix(".sql"))
        connection.executescript(path.read_text())
        connection.close()


def test_a_spool_of_version_1_is_read_whole_and_goes_on(tmp_path: Path) -> None:
    lay_version_1(tmp_path)
    bench = Bench(tmp_path, catalogue(pilot(app(synthetic=False), air())))
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    assert bench.fates() == {
        "received": 9, "written": 4, "dead_lettered": 1, "duplicate": 1, "pending": 3, "points_in": 5,
        "points_written": 5,
    }  # fmt: skip
    assert [(x.code, x.payload) for x in dead_letters.listed(bench.spool)] == [("not_json", b"not json")]
    bench.send(action("v1-1"), action("new"))
    bench.deliver()
    assert sorted(event.event_id for event in bench.stored()) == ["app/new", "app/v1-3", "app/v1-4", "app/v1-5"]
    assert bench.fates()["duplicate"] == 2, "what version 1 saw is remembered"
    with bench.spool.day(DAY).reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert connection.execute("SELECT count(*), count(crc) FROM message").fetchone() == (11, 2)
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    bench.end()


def test_a_migrated_file_is_like_a_new_one(tmp_path: Path) -> None:
    lay_version_1(tmp_path)
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    spool.append([entry(received_ns=NOW_NS + 86_400_000_000_000)])
    shapes = []
    for day in (DAY, "2019-03-03"):
        with spool.day(day).reading() as connection:
            shapes.append(connection.execute("SELECT name, type FROM pragma_table_info('message')").fetchall())
    assert shapes[0] == shapes[1]
    spool.close()


def test_a_spool_of_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    lay_version_1(tmp_path)
    path = tmp_path / f"spool-{DAY}.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.execute("ALTER TABLE message ADD COLUMN what_nobody_knows_yet TEXT")
    connection.commit()
    before = list(connection.iterdump())
    connection.close()
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    with pytest.raises(SpoolFailed, match="newer version"):
        spool.pending(10)
    spool.close()
    connection = sqlite3.connect(path)
    assert list(connection.iterdump()) == before
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
    connection.close()
