"""A look at a collector's spool that changes nothing, beside a running collector or without one.

Promises: files are opened read-only and none is made; at most the newest ROWS rows of each of the two newest days are
read one by one, and nothing is counted again from more than MOST_COUNTED rows.
"""

import fcntl
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from collectors import ledger
from collectors.ledger import Counts
from collectors.spool_archive import file_id
from collectors.topics import LEDGER_FEED

ROWS = 50_000
MOST_COUNTED = 2_000_000
_DIRECT = 1
# A retained message may be old when it comes.
_RECENT = """SELECT pilot, feed, received_ns, CASE retained WHEN 0 THEN ts_ns END, priority FROM message
             ORDER BY seq DESC LIMIT ?"""
_DEAD = """SELECT m.pilot, m.feed, d.stage || '/' || d.code, count(*) FROM dead_letter d JOIN message m USING (seq)
           WHERE m.state = ? GROUP BY 1, 2, 3"""


class Arrival(NamedTuple):
    """One message that came by the broker; `time_ns` is its event's time where that says something of clocks."""

    received_ns: int
    time_ns: int | None


@dataclass
class SpoolLook:
    """What the files say. `since_ns` is the start of what was read row by row, `started_ns` that of the collector.

    `here` and `derived` are the ledgers of the day files alone, `ledgers` those of all days.
    """

    folder: Path
    running: bool = False
    started_ns: int | None = None
    had_session: bool = False
    changed_ns: int = 0
    size: int = 0
    damaged: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    ledgers: dict[str, Counts] = field(default_factory=dict)
    here: dict[str, tuple[int, Counts]] = field(default_factory=dict)
    derived: dict[str, Counts] = field(default_factory=dict)
    merged: set[tuple[str, int]] = field(default_factory=set)
    counted: bool = True
    oldest_pending_ns: int | None = None
    dead: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    arrivals: dict[tuple[str, str], list[Arrival]] = field(default_factory=dict)
    since_ns: int | None = None


def look(folder: Path) -> SpoolLook | None:
    """Everything the checks need, None where no collector ever kept a spool."""
    if not folder.is_dir():
        return None
    found = SpoolLook(folder, running=_held(folder / "lease"))
    try:
        names = list(folder.iterdir())
    except OSError as error:
        found.unread.append(f"the folder ({error.strerror})")
        return found
    found.damaged = sorted(p.name for p in folder.glob("*.damaged-*") if not p.name.endswith(("-wal", "-shm")))
    found.size = sum(path.stat().st_size for path in folder.glob("*.db*"))
    found.changed_ns = max((p.stat().st_mtime_ns for p in [folder, *names]), default=0)
    if found.running:
        found.started_ns = (folder / "lease").stat().st_mtime_ns
    found.had_session = (folder / "filters.json").exists()
    days = sorted(folder.glob("spool-????-??-??.db"))
    # The archive after the days, so that a day archived meanwhile is not counted twice.
    for path in [*days, folder / "archive.db"]:
        try:
            with _open(path) as connection:
                if path.name == "archive.db":
                    _archived(connection, found)
                else:
                    _day(connection, path.stem.removeprefix("spool-"), path in days[-2:], found)
        except FileNotFoundError:
            continue
        except sqlite3.DatabaseError as error:
            damaged = (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
            (found.damaged if damaged else found.unread).append(f"{path.name} ({error})")
    for day, (number, counts) in found.here.items():
        if (day, number) not in found.merged:
            found.ledgers.setdefault(day, Counter()).update(counts)
    return found


def _archived(connection: sqlite3.Connection, found: SpoolLook) -> None:
    connection.execute("BEGIN")
    for day, pilot, feed, fate, n in connection.execute("SELECT day, pilot, feed, fate, n FROM ledger"):
        found.ledgers.setdefault(day, Counter())[pilot, feed, fate] = n
    if _has(connection, "merged"):
        found.merged = {(day, number) for day, number in connection.execute("SELECT day, file FROM merged")}


def _has(connection: sqlite3.Connection, table: str) -> bool:
    """Whether a file has a table that earlier software did not make."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _day(connection: sqlite3.Connection, day: str, recent: bool, found: SpoolLook) -> None:
    connection.execute("BEGIN")  # one moment for all that is compared
    found.here[day] = file_id(connection), ledger.read(connection)
    rows = connection.execute("SELECT max(seq) FROM message").fetchone()[0] or 0
    if rows <= MOST_COUNTED and _has(connection, "restored"):
        found.derived[day] = ledger.derive(connection)
    else:
        found.counted = False
    oldest = connection.execute("SELECT min(received_ns) FROM message WHERE state = 0").fetchone()[0]
    if oldest is not None:
        found.oldest_pending_ns = min(oldest, found.oldest_pending_ns or oldest)
    for pilot, feed, code, n in connection.execute(_DEAD, (ledger.DEAD,)):
        found.dead[pilot, feed, code] += n
    if recent:
        for pilot, feed, received_ns, time_ns, priority in connection.execute(_RECENT, (ROWS,)):
            found.since_ns = min(received_ns, found.since_ns or received_ns)
            if priority != _DIRECT and feed != LEDGER_FEED:
                found.arrivals.setdefault((pilot, feed), []).append(Arrival(received_ns, time_ns))


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise FileNotFoundError(path)
    # Whoever has a file open has a log beside it. Without one nobody writes, and even a reader would make one.
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    address = f"{path.absolute().as_uri()}?{how}"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=5)) as connection:
        yield connection


def _held(lease: Path) -> bool:
    """Whether a collector delivers from this spool now."""
    try:
        handle = os.open(lease, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
