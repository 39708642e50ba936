"""What can still be read of a damaged day file, and what SQLite will pass over in a damaged write-ahead log.

Promises: the damaged file is only read; every record that can be reached by its number is in the new file under the
same number, so that the event index still knows its owner; the new ledger is what the new records say. A file without
damage gives a copy without loss. Source: SQLite's "WAL-mode File Format" for headers, salts and checksums.
"""

import sqlite3
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from collectors import ledger
from collectors.ledger import DEAD
from collectors.message import SpoolFailed
from collectors.spool_file import Corrupt, connect, disk_errors
from pipeline.sqlite_writing import transaction

_WINDOW = 200
_EMPTY_WINDOWS = 50  # where nothing tells the highest number, so many windows without a record end the search
_WAL_HEADER, _FRAME_HEADER = struct.Struct(">8I"), struct.Struct(">6I")


class Salvaged(NamedTuple):
    """How many records were kept, and how many are known to be lost; None where the damage hides their number."""

    kept: int
    lost: int | None


def salvage(damaged: Path, target: sqlite3.Connection) -> Salvaged:
    """Copy what can be read of `damaged` into the empty day file behind `target`, in one transaction."""
    try:
        with disk_errors(damaged):
            source = connect(damaged, create=False)
    except (Corrupt, SpoolFailed):
        return Salvaged(0, None)
    source.text_factory = lambda text: text.decode(errors="replace")
    try:
        known = [row[1] for row in target.execute("PRAGMA table_info(message)")]
        names = _columns(source, known)
        received = _number(source, "SELECT sum(n) FROM ledger WHERE fate = 'received'")
        highest = _number(source, "SELECT max(seq) FROM message")
        top = max((n for n in (received, highest) if n is not None), default=None)
        kept = 0
        with transaction(target):
            for row in _rows(source, names, top):
                kept += _put(target, names, row)
            for row in _letters(source, target):
                target.execute(f"INSERT OR IGNORE INTO dead_letter VALUES ({', '.join('?' * len(row))})", row)
            for row in _all(source, "restored"):  # what letters that came back from the archive count for there
                target.execute(f"INSERT OR IGNORE INTO restored VALUES ({', '.join('?' * len(row))})", row)
            for table in ("timing", "heard"):
                for row in _all(source, table):
                    target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)
            ledger.rebuild(target)
        return Salvaged(kept, None if top is None else max(0, (received or top) - kept))
    finally:
        source.close()


def _columns(source: sqlite3.Connection, known: list[str]) -> list[str]:
    try:
        there = {row[1] for row in source.execute("PRAGMA table_info(message)")}
    except sqlite3.DatabaseError:
        return []
    return [name for name in known if name in there]


def _rows(source: sqlite3.Connection, names: list[str], top: int | None) -> Iterator[tuple[object, ...]]:
    at, empty = 0, 0
    select = f"SELECT {', '.join(names)} FROM message NOT INDEXED WHERE seq"
    while names and (top is None or at < top) and empty < _EMPTY_WINDOWS:
        try:
            rows = source.execute(f"{select} > ? AND seq <= ? ORDER BY seq", (at, at + _WINDOW)).fetchall()
        except sqlite3.DatabaseError:
            rows = [row for seq in range(at + 1, at + _WINDOW + 1) if (row := _one(source, select, seq)) is not None]
        yield from rows
        empty = 0 if rows or top is not None else empty + 1
        at += _WINDOW


def _one(source: sqlite3.Connection, select: str, seq: int) -> tuple[object, ...] | None:
    try:
        row: tuple[object, ...] | None = source.execute(f"{select} = ?", (seq,)).fetchone()
    except sqlite3.DatabaseError:
        return None
    return row


def _put(target: sqlite3.Connection, names: list[str], row: tuple[object, ...]) -> int:
    try:
        marks = ", ".join("?" * len(names))
        return target.execute(f"INSERT OR IGNORE INTO message({', '.join(names)}) VALUES ({marks})", row).rowcount
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError):
        return 0  # a NULL where there must be a value: this is no record any more


def _letters(source: sqlite3.Connection, target: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    for (seq,) in target.execute("SELECT seq FROM message WHERE state = ?", (DEAD,)).fetchall():
        try:
            yield from source.execute("SELECT * FROM dead_letter WHERE seq = ?", (seq,)).fetchall()
        except sqlite3.DatabaseError:
            continue


def _all(source: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    """The rows of a small table, none where it is damaged."""
    try:
        return source.execute(f"SELECT * FROM {table}").fetchall()
    except sqlite3.DatabaseError:  # files of earlier software have none
        return []


def _number(source: sqlite3.Connection, query: str) -> int | None:
    try:
        found = source.execute(query).fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    return found if isinstance(found, int) and 0 < found < 2**40 else None


def passed_over(wal: Path) -> int:
    """Commits in a write-ahead log that lie behind a damaged frame, which SQLite passes over without a word.

    The torn end that a power failure leaves holds at most the commit under way, which was never acknowledged.
    """
    try:
        data = wal.read_bytes()
    except OSError:
        return 0
    if len(data) < _WAL_HEADER.size:
        return 0
    magic, _, page, _, *salts = _WAL_HEADER.unpack_from(data)[:6]
    order = ">" if magic & 1 else "<"
    sums, bad, lost = _sums(data[:24], (0, 0), order), False, 0
    bad = sums != _WAL_HEADER.unpack_from(data)[6:]
    step = _FRAME_HEADER.size + page
    for begin, end in pairwise(range(_WAL_HEADER.size, len(data) + 1, step)):
        _, size, *rest = _FRAME_HEADER.unpack_from(data, begin)
        if not bad:
            if rest[:2] != salts:
                break  # frames of an earlier round of the log
            sums = _sums(data[begin + _FRAME_HEADER.size : end], _sums(data[begin : begin + 8], sums, order), order)
            bad = list(sums) != rest[2:]
        if bad and size and rest[:2] == salts:
            lost += 1
    return lost


def _sums(data: bytes, sums: tuple[int, ...], order: str) -> tuple[int, ...]:
    a, b = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        a = (a + words[at] + b) & 0xFFFFFFFF
        b = (b + words[at + 1] + a) & 0xFFFFFFFF
    return a, b
