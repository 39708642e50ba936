"""What outlives a day file: its ledger and its dead letters, in `archive.db` beside it.

Promises: a day is archived, durably, before its file is unlinked; archiving the same file again changes nothing, and
another file of the same day, made when dead letters came back, adds to what is here.
"""

import logging
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from collectors import ledger
from collectors.ledger import DEAD, Counts
from collectors.message import SpoolFailed
from collectors.spool_day import DayFile
from collectors.spool_file import Corrupt, connect, disk_errors, set_aside
from pipeline.sqlite_writing import transaction

log = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger(
  day TEXT NOT NULL, pilot TEXT NOT NULL, feed TEXT NOT NULL, fate TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (day, pilot, feed, fate)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter(
  day TEXT NOT NULL, seq INTEGER NOT NULL, point TEXT NOT NULL, pilot TEXT NOT NULL, feed TEXT NOT NULL,
  topic TEXT NOT NULL, payload BLOB NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, size INTEGER NOT NULL,
  sha256 TEXT NOT NULL, PRIMARY KEY (day, seq, point)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS merged(day TEXT NOT NULL, file INTEGER NOT NULL, PRIMARY KEY (day, file)) WITHOUT ROWID;
"""
# Added since the first archives; a row without them was archived by earlier software and cannot be requeued.
_LATER = {
    "received_ns": "INTEGER NOT NULL DEFAULT 0",
    "content_type": "TEXT NOT NULL DEFAULT ''",
    "retained": "INTEGER NOT NULL DEFAULT 0",
    "requeues": "INTEGER NOT NULL DEFAULT 0",
    "points": "INTEGER NOT NULL DEFAULT 0",
    "points_dead": "INTEGER NOT NULL DEFAULT 0",
    "replaced": "INTEGER NOT NULL DEFAULT 0",
    "empty": "INTEGER NOT NULL DEFAULT 0",
    "software": "TEXT NOT NULL DEFAULT ''",
    "actor_key": "TEXT",
}
_DEAD = """SELECT d.seq, d.point, m.pilot, m.feed, m.topic, m.payload, d.stage, d.code, d.text, d.attempts, d.first_ns,
           d.last_ns, d.size, d.sha256, m.received_ns, m.content_type, m.retained, m.attempts, m.points, m.points_dead,
           m.replaced, m.empty, d.software, m.actor_key
           FROM dead_letter d CROSS JOIN message m USING (seq) WHERE m.state = ?"""
_KEEP = """INSERT OR REPLACE INTO dead_letter(day, seq, point, pilot, feed, topic, payload, stage, code, text, attempts,
           first_ns, last_ns, size, sha256, received_ns, content_type, retained, requeues, points, points_dead,
           replaced, empty, software, actor_key)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_KEYS = {
    "ledger": ("day", "pilot", "feed", "fate"),
    "merged": ("day", "file"),
    "dead_letter": ("day", "seq", "point"),
}
_HAS_ERASURES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'erasure'"
_COUNT = """INSERT INTO ledger(day, pilot, feed, fate, n) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT(day, pilot, feed, fate) DO UPDATE SET n = n + excluded.n"""


class Archived(Exception):
    """The file of that day is gone; what is left of it is in the archive."""


def archive(folder: Path, file: DayFile) -> None:
    """Copy the ledger and the dead letters of a day; returns when they are on disk."""
    with file.reading() as day:
        counts, number = ledger.read(day), file_id(day)
        dead = day.execute(_DEAD, (DEAD,)).fetchall()
        restored = day.execute("SELECT seq FROM restored").fetchall()
    with changing(folder) as target:
        known = target.execute("SELECT 1 FROM ledger WHERE day = ? LIMIT 1", (file.day,)).fetchone()
        fresh = target.execute("INSERT OR IGNORE INTO merged VALUES (?, ?)", (file.day, number)).rowcount
        if not fresh or (known and number == 0):  # 0: a file of earlier software, archived by it already
            return
        target.executemany(_COUNT, [(file.day, *key, n) for key, n in counts.items()])
        target.executemany(
            "DELETE FROM dead_letter WHERE day = ? AND seq = ?", [(file.day, seq) for (seq,) in restored]
        )
        target.executemany(_KEEP, [(file.day, *row) for row in dead])


def count_erased(folder: Path, job: str, day: str, pilot: str, points: Counter[str]) -> None:
    """Count the points by feed that an erasure takes out of the store; a job that is told twice counts once."""
    with changing(folder) as target:
        target.execute("CREATE TABLE IF NOT EXISTS erasure(job TEXT PRIMARY KEY) WITHOUT ROWID")
        if target.execute("INSERT OR IGNORE INTO erasure VALUES (?)", (job,)).rowcount:
            target.executemany(_COUNT, [(day, pilot, feed, "points_erased", n) for feed, n in points.items()])


def counted_erasures(folder: Path, jobs: Iterable[str]) -> bool:
    """Whether the points of any of these erasures are counted; not so where the archive came back from a backup."""
    with reading(folder) as connection:
        if connection is None or not connection.execute(_HAS_ERASURES).fetchone():
            return False
        known = {job for (job,) in connection.execute("SELECT job FROM erasure")}
        return not known.isdisjoint(jobs)


def file_id(connection: sqlite3.Connection) -> int:
    """What tells a day file from another of the same day; 0 for those of earlier software."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def merged(folder: Path) -> set[tuple[str, int]]:
    """(day, file id) of the files whose content is in the archive."""
    with reading(folder) as connection:
        return {(d, n) for d, n in connection.execute("SELECT day, file FROM merged")} if connection else set()


def archived_ledger(folder: Path) -> dict[str, Counts]:
    """The ledgers of days whose files are gone."""
    found: dict[str, Counts] = {}
    with reading(folder) as connection:
        if connection is not None:
            for day, pilot, feed, fate, n in connection.execute("SELECT day, pilot, feed, fate, n FROM ledger"):
                found.setdefault(day, Counter())[pilot, feed, fate] = n
    return found


def archived_bodies(folder: Path) -> int:
    """Bytes that the bodies of archived dead letters take."""
    with reading(folder) as connection:
        if connection is None:
            return 0
        return int(connection.execute("SELECT coalesce(sum(length(payload)), 0) FROM dead_letter").fetchone()[0])


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """The archive, or None while there is none."""
    path = folder / "archive.db"
    if not path.exists():
        yield None
        return
    with _open(path) as connection:
        yield connection


@contextmanager
def changing(folder: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on the archive, which is made when there is none."""
    with _open(folder / "archive.db") as connection, transaction(connection):
        yield connection


class ArchiveLost(SpoolFailed):
    """The archive was damaged and is set aside; the next one begins with what could be read of it."""


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    opened = None
    try:
        with disk_errors(path):
            connection = connect(path)
            try:
                opened = path.stat().st_ino
                _prepare(connection)
                yield connection
            finally:
                connection.close()
    except Corrupt:
        if opened is None or path.stat().st_ino == opened:  # else another process was first
            _set_aside(path)
        raise ArchiveLost(
            f"{path} was damaged and is kept under another name; ledger and dead letters of earlier days are known as "
            "far as they could be read, start again"
        ) from None


def _set_aside(path: Path) -> None:
    """Give the damaged archive another name; what can be read of it is in a new one."""
    rescued = path.with_suffix(".salvage")
    for suffix in ("", "-wal", "-shm"):
        rescued.with_name(rescued.name + suffix).unlink(missing_ok=True)
    with disk_errors(rescued), closing(connect(rescued)) as target:
        _prepare(target)
        kept = _salvage(path, target)
    name = set_aside(path).name
    with suppress(FileExistsError):  # never over one that another process has begun
        os.link(rescued, path)
    rescued.unlink()
    log.error("%s is damaged and was set aside as %s; %d of its rows go on", path.name, name, kept)


def _salvage(damaged: Path, target: sqlite3.Connection) -> int:
    """Copy the rows that can be read: from the first until a damaged page, and from the last until one."""
    kept = 0
    try:
        with disk_errors(damaged), closing(connect(damaged, create=False)) as source:
            source.text_factory = lambda text: text.decode(errors="replace")
            with transaction(target):
                for table, keys in _KEYS.items():
                    kept += _copy(source, target, table, keys)
    except (Corrupt, SpoolFailed):  # no database at all
        return 0
    return kept


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str, keys: tuple[str, ...]) -> int:
    kept = 0
    for order in ("", " DESC"):
        try:
            there = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
            names = [row[1] for row in target.execute(f"PRAGMA table_info({table})") if row[1] in there]
            if not names:
                return 0
            rows = source.execute(
                f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(k + order for k in keys)}"
            )
            put = f"INSERT OR IGNORE INTO {table}({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for row in rows:
                kept += target.execute(put, row).rowcount
            return kept
        except sqlite3.DatabaseError as error:
            if (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_FULL:
                raise
    return kept


def _prepare(connection: sqlite3.Connection) -> None:
    columns = {row[1] for row in connection.execute("PRAGMA table_info(dead_letter)")}
    if columns.issuperset(_LATER) and connection.execute("PRAGMA table_info(merged)").fetchone():
        return
    connection.executescript(_SCHEMA)
    with transaction(connection):
        columns = {row[1] for row in connection.execute("PRAGMA table_info(dead_letter)")}
        for name, kind in _LATER.items():
            if name not in columns:
                connection.execute(f"ALTER TABLE dead_letter ADD COLUMN {name} {kind}")
