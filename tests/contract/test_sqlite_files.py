"""What only the embedded store has: files that must be durable, guarded, and free of what was erased."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipeline.model import Record, Touch
from pipeline.store.port import Mode, StoreAway, StoreRefused
from pipeline.store.schema import DERIVED_MIGRATIONS, RAW_MIGRATIONS
from pipeline.store.sqlite import SQLiteStore
from pipeline.store.sqlite_file import StoreFile
from tests.contract.samples import EVER, T0, action


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "raw.db", RAW_MIGRATIONS, writable=True, busy_ms=100)
    with file.writing() as connection:
        asked = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("synchronous", "journal_mode", "secure_delete")
        }
    assert asked == {"synchronous": 2, "journal_mode": "wal", "secure_delete": 1}
    file.close()


def test_a_block_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "raw.db", RAW_MIGRATIONS, writable=True, busy_ms=100)
    rows = [("milan", "2026-01-01", 1), ("milan", "2026-01-02", None)]
    with pytest.raises(StoreRefused, match="NOT NULL"), file.writing() as connection:
        connection.executemany("INSERT INTO touch VALUES (?,?,?)", rows)
    assert file.rows("SELECT * FROM touch", ()) == []
    file.close()


@pytest.mark.parametrize(("name", "migrations"), [("raw.db", RAW_MIGRATIONS), ("derived.db", DERIVED_MIGRATIONS)])
def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path, name: str, migrations: tuple[object, ...]) -> None:
    SQLiteStore(tmp_path).close()
    with sqlite3.connect(tmp_path / name) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrations) + 1}")
    connection.close()
    modes: tuple[Mode, ...] = ("all", "read")
    for mode in modes:
        with pytest.raises(StoreRefused, match=rf"{name} has schema 2, we know 1; install a newer Periscope"):
            SQLiteStore(tmp_path, mode=mode)


def test_an_erased_person_is_in_no_file_any_more(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    store.write([action(f"e{i}", T0 + i, actor_key="SECRETKEY", data={"pad": "x" * 500}) for i in range(50)])
    store.write([action("other", T0 + 99)])
    assert any(b"SECRETKEY" in path.read_bytes() for path in tmp_path.iterdir())
    assert len(store.erase("milan", "SECRETKEY")) == 50
    assert not any(b"SECRETKEY" in path.read_bytes() for path in tmp_path.iterdir())
    store.close()


def test_a_store_that_is_only_read_creates_nothing_and_refuses_to_write(tmp_path: Path) -> None:
    reader = SQLiteStore(tmp_path / "store", mode="read")
    assert reader.read("milan", ["usage"], *EVER) == []
    for write in (
        lambda: reader.write([action("e")]),
        lambda: reader.erase("milan", "k"),
        lambda: reader.put([Record(kind="now", pilot="m", key="now", time_ns=0, body=b"")]),
    ):
        with pytest.raises(StoreRefused, match="reading only"):
            write()
    assert not (tmp_path / "store").exists()


def test_a_reader_sees_the_files_once_they_are_made_and_each_later_write(tmp_path: Path) -> None:
    reader = SQLiteStore(tmp_path, mode="read")
    assert reader.touches() == []
    collector, pipeline = SQLiteStore(tmp_path, mode="raw"), SQLiteStore(tmp_path, mode="derived")
    for seq in (1, 2):
        collector.touch([Touch(pilot="milan", day="2026-01-01", seq=seq)])
        assert reader.touches() == pipeline.touches() == [Touch(pilot="milan", day="2026-01-01", seq=seq)]
    pipeline.put([Record(kind="now", pilot="milan", key="now", time_ns=0, body=b"{}")])
    assert len(reader.get("now", None, *EVER)) == 1
    with pytest.raises(StoreRefused, match="reading only"):
        collector.put([Record(kind="now", pilot="milan", key="now", time_ns=0, body=b"{}")])
    for store in (reader, collector, pipeline):
        store.close()


def test_readers_do_not_wait_for_a_writing_process(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path, busy_ms=100)
    store.write([action("e")])
    code = (
        "import sqlite3,sys; c=sqlite3.connect(sys.argv[1],isolation_level=None); c.execute('BEGIN IMMEDIATE'); "
        "c.execute('DELETE FROM event'); print('held',flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "raw.db")], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert store.count("milan", "usage", *EVER) == 1
        with pytest.raises(StoreAway, match="locked by another process"):
            store.write([action("f")])
    store.close()


def test_two_processes_may_open_an_empty_folder_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline.store.sqlite import SQLiteStore\n"
        "SQLiteStore(Path(sys.argv[1])).ping()"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(3)]
    assert [(one.wait(60), one.stderr and one.stderr.read()) for one in running] == [(0, b"")] * 3
    for one in running:
        assert one.stderr is not None
        one.stderr.close()


def test_a_full_disk_is_told_and_passes_when_space_returns(tmp_path: Path) -> None:
    file = StoreFile(tmp_path / "raw.db", RAW_MIGRATIONS, writable=True, busy_ms=100)
    with file.writing() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    rows = [(f"pilot {i}", "2026-01-01" * 100, i) for i in range(200)]
    with pytest.raises(StoreAway, match="disk is full"), file.writing() as connection:
        connection.executemany("INSERT INTO touch VALUES (?,?,?)", rows)
    assert file.rows("SELECT * FROM touch", ()) == []
    with file.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    with file.writing() as connection:
        connection.executemany("INSERT INTO touch VALUES (?,?,?)", rows)
    assert len(file.rows("SELECT * FROM touch", ())) == 200
    file.close()


def test_a_place_that_cannot_hold_a_store_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreRefused, match=r"cannot be reached \(.+\); set another folder with PERISCOPE_STATE"):
        SQLiteStore(tmp_path / "file" / "store")
    (tmp_path / "raw.db").mkdir()
    with pytest.raises(StoreRefused, match=r"raw\.db cannot be opened; .* PERISCOPE_STATE"):
        SQLiteStore(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "raw.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(StoreRefused, match="is not a store of Periscope"):
        SQLiteStore(tmp_path / "other")


def test_the_store_in_memory_keeps_its_promises_across_threads() -> None:
    store = SQLiteStore(":memory:")
    threads = [
        threading.Thread(target=lambda name=name: store.write([action(f"e{name}", T0 + name)])) for name in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.read("milan", ["usage"], *EVER)) == 8
    store.touch([Touch(pilot="milan", day="2026-01-01", seq=1)])
    assert len(store.touches()) == 1
    store.close()


def test_a_retention_needs_a_clock() -> None:
    with pytest.raises(ValueError, match="clock"):
        SQLiteStore(":memory:", retention_s=60)
