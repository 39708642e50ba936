"""One day of the spool: a SQLite file that holds the messages received on one UTC day, and their ledger.

Promises: `append` and `mark` return after their commit is on disk (WAL, synchronous=FULL, asserted at open); a
record and its ledger row change in one transaction; a record leaves only with its whole file, and what is
deleted is overwritten. Several processes may append and change what is not pending; one delivers.
"""

import secrets
import sqlite3
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from collectors import ledger, timing
from collectors.ledger import DEAD, WRITTEN, Counts
from collectors.message import Fault, SpoolFailed
from collectors.spool_file import connect, disk_errors
from pipeline.sqlite_writing import Rows, transaction

_T = TypeVar("_T")
VERSION = 2
LIVE, DIRECT, REPLAY = 0, 1, 2  # what is delivered first
SOFTWARE = "periscope 1"
_SCHEMA = f"""
CREATE TABLE message(
  seq INTEGER PRIMARY KEY, received_ns INTEGER NOT NULL, monotonic_ns INTEGER NOT NULL, pilot TEXT NOT NULL,
  feed TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, content_type TEXT NOT NULL DEFAULT '',
  retained INTEGER NOT NULL DEFAULT 0, priority INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL DEFAULT 0,
  rule TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, event_id TEXT, ts_ns INTEGER, actor_key TEXT,
  points INTEGER NOT NULL DEFAULT 0, points_dead INTEGER NOT NULL DEFAULT 0, replaced INTEGER NOT NULL DEFAULT 0,
  empty INTEGER NOT NULL DEFAULT 0,  frame INTEGER NOT NULL DEFAULT 1, crc INTEGER);
CREATE INDEX pending ON message(priority, seq) WHERE state = 0;
CREATE INDEX person ON message(pilot, actor_key) WHERE actor_key IS NOT NULL;
CREATE TABLE dead_letter(
  seq INTEGER NOT NULL, point TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 1, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  size INTEGER NOT NULL, sha256 TEXT NOT NULL, software TEXT NOT NULL, PRIMARY KEY (seq, point));
{ledger.SCHEMA}
PRAGMA user_version = {VERSION};
"""
# Added since the first files; software that does not know them passes them over.
_LATER = f"""
CREATE TABLE IF NOT EXISTS restored(
  seq INTEGER PRIMARY KEY, points INTEGER NOT NULL, points_dead INTEGER NOT NULL, replaced INTEGER NOT NULL,
  empty INTEGER NOT NULL);
{timing.SCHEMA}
"""
# What is published is never edited, only added to: the step to each version from the one before.
_MIGRATIONS = {2: ["ALTER TABLE message ADD COLUMN crc INTEGER", "PRAGMA user_version = 2"]}
_COLUMNS = """INSERT INTO message(received_ns, pilot, feed, topic, payload, content_type, retained, priority,
              monotonic_ns, crc)"""
_APPEND = f"{_COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_APPENDS = Rows(_COLUMNS, "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
_PENDING = """SELECT seq, received_ns, pilot, feed, topic, payload, content_type, retained, attempts, priority,
              replaced, crc
              FROM message INDEXED BY pending WHERE state = 0 AND priority = ? AND seq NOT BETWEEN ? AND ?
              ORDER BY seq LIMIT ?"""
_FIRST = """SELECT received_ns FROM message INDEXED BY pending WHERE state = 0 AND priority = ? AND attempts = 0
            ORDER BY seq LIMIT 1"""
_MARK = """UPDATE message SET state = ?, rule = ?, event_id = ?, ts_ns = ?, actor_key = ?, points = ?, points_dead = ?,
           replaced = ?, empty = ? WHERE seq = ? AND state = 0"""
# Most messages become one written point of nobody: the other columns hold already what they shall hold.
_MARK_PLAIN = "UPDATE message SET state = 1, event_id = ?, ts_ns = ?, points = 1 WHERE seq = ? AND state = 0"
# What is left of a message that tells of an erased person: that it came, and what became of it.
FORGET = """UPDATE message SET payload = x'', content_type = '', event_id = NULL, ts_ns = NULL, actor_key = NULL,
            crc = NULL WHERE seq = ?"""
_PLAIN = (WRITTEN, "", None, 1, 0, 0, 0)
_SET_ASIDE = """INSERT INTO dead_letter(seq, point, stage, code, text, first_ns, last_ns, size, sha256, software)
                VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT min(first_ns) FROM dead_letter WHERE seq = ?1), ?6), ?7,
                ?8, ?9, ?10) ON CONFLICT(seq, point) DO UPDATE SET stage = excluded.stage,
                code = excluded.code, text = excluded.text, last_ns = excluded.last_ns, attempts = attempts + 1"""


_owner = itemgetter(1, 2)
_KINDS: tuple[type[int | str | bytes], ...] = (int, int, str, str, str, bytes, str, int, int, int, int)  # of _PENDING


class Entry(NamedTuple):
    """One message on its way to disk; with a `fault` it goes to the dead letters at once."""

    received_ns: int
    pilot: str
    feed: str
    topic: str
    payload: bytes
    content_type: str = ""
    retained: bool = False
    priority: int = 0
    fault: Fault | None = None
    size: int = 0
    digest: str = ""


class Record(NamedTuple):
    """One pending message as read from disk; not `sound` when it is not what was put there."""

    seq: int
    received_ns: int
    pilot: str
    feed: str
    topic: str
    payload: bytes
    content_type: str
    retained: int
    attempts: int
    priority: int = LIVE
    replaced: int = 0
    sound: bool = True


class Fate(NamedTuple):
    """What became of one pending message."""

    record: Record
    state: int
    rule: str = ""
    event_id: str | None = None
    ts_ns: int | None = None
    actor_key: str | None = None
    points: int = 0
    points_dead: int = 0
    replaced: int = 0
    empty: int = 0
    faults: tuple[Fault, ...] = ()


def _always(_size: int) -> bool:
    return True


class DayFile:
    """The messages of one UTC day. `append` and the delivering side have a connection each.

    `keeps` says whether there is room for the body of one more dead letter.
    """

    def __init__(self, path: Path, keeps: Callable[[int], bool] = _always, create: bool = True) -> None:
        self.path = path
        self._keeps = keeps
        self.day = path.stem.removeprefix("spool-")
        self._lock = threading.Lock()
        with disk_errors(path):
            self._append, self._deliver = self._open(create), connect(path, create=False)
            self._identity = _identity(path)

    def _open(self, create: bool) -> sqlite3.Connection:
        connection = connect(self.path, create)
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        steps = _SCHEMA.split(";\n") if version == 0 else []
        for number in range(version + 1 if version else VERSION + 1, VERSION + 1):
            steps += _MIGRATIONS[number]
        if version == 0:
            # Tells this file from an earlier one of the same day, whose ledger may be in the archive already.
            steps.append(f"PRAGMA application_id = {1 + secrets.randbelow(2**31 - 1)}")
        if version <= VERSION:
            steps += _LATER.split(";\n")
        for statement in steps:
            connection.execute(statement)
        connection.execute("COMMIT")
        if version > VERSION:
            raise SpoolFailed(f"{self.path}: was written by a newer version of Periscope; start that version instead")
        return connection

    def moved(self) -> bool:
        """Whether the file has gone from its name: removed, or set aside by another process."""
        return _identity(self.path) != self._identity

    @contextmanager
    def _writing(self, connection: sqlite3.Connection) -> Iterator[None]:
        with self._lock, disk_errors(self.path), transaction(connection):
            yield

    def append(self, entries: Sequence[Entry], monotonic_ns: int) -> None:
        """Commit messages; when this returns they are on disk."""
        sound = [e for e in entries if e.fault is None]
        changes: Counts = Counter()
        for group, fate in ((entries, "received"), (sound, "pending")):
            for (pilot, feed), n in Counter(map(_owner, group)).items():
                changes[pilot, feed, fate] += n
        with self._writing(self._append):
            _APPENDS.insert(self._append, [_row(e, monotonic_ns) for e in sound])
            timing.hear(self._append, ((e.pilot, e.feed, e.received_ns) for e in entries if e.priority == LIVE))
            for entry in entries:
                if entry.fault is not None:
                    self._append_dead(entry, entry.fault, monotonic_ns)
                    changes[entry.pilot, entry.feed, "dead_lettered"] += 1
            ledger.add(self._append, changes)

    def _append_dead(self, entry: Entry, fault: Fault, monotonic_ns: int) -> None:
        kept = entry if self._keeps(len(entry.payload)) else entry._replace(payload=b"")
        seq = self._append.execute(_APPEND, _row(kept, monotonic_ns)).lastrowid
        self._append.execute("UPDATE message SET state = ? WHERE seq = ?", (DEAD, seq))
        size = entry.size or len(entry.payload)
        digest = entry.digest or sha256(entry.payload).hexdigest()
        self._append.execute(
            _SET_ASIDE,
            (
                seq,
                fault.point,
                fault.stage,
                fault.code,
                fault.text,
                entry.received_ns,
                entry.received_ns,
                size,
                digest,
                SOFTWARE,
            ),
        )

    def pending(self, priority: int, limit: int, without: tuple[int, int] = (-1, -1)) -> list[Record]:
        """The oldest pending messages of a priority, but for a range of numbers."""
        with disk_errors(self.path):
            rows = self._deliver.execute(_PENDING, (priority, *without, limit)).fetchall()
        return [_record(row) for row in rows]

    def mark(
        self,
        fates: Sequence[Fate],
        now_ns: int,
        measured: Mapping[tuple[str, str, str, int], int] | None = None,
        erased: Collection[int] = (),
    ) -> None:
        """Record what became of pending messages, with their ledger rows and what was measured on the way."""
        with self._writing(self._deliver):
            before = self._deliver.total_changes
            plain = [f for f in fates if _is_plain(f)]
            self._deliver.executemany(_MARK_PLAIN, [(f[3], f[4], f[0].seq) for f in plain])
            if len(plain) < len(fates):
                others = [f for f in fates if not _is_plain(f)]
                self._deliver.executemany(_MARK, [(*f[1:-1], f[0].seq) for f in others])
            if self._deliver.total_changes - before != len(fates):
                raise SpoolFailed(f"{self.path}: messages were marked by another process; stop it, then start again")
            for fate in fates:
                if fate.faults:
                    self._set_aside_all(fate, now_ns)
            if all(fate.record.sound for fate in fates):
                ledger.add(self._deliver, _changes(fates))
            else:  # even the names in such a record may be damaged
                ledger.rebuild(self._deliver)
            if measured:
                timing.add(self._deliver, measured)
            self._deliver.executemany(FORGET, [(seq,) for seq in erased])

    def _set_aside_all(self, fate: Fate, now_ns: int) -> None:
        record = fate.record
        for fault in fate.faults:
            self._set_aside(record, fault, now_ns)
        if record.attempts or record.priority == REPLAY:  # what it was set aside for before is no reason any more
            points = {fault.point for fault in fate.faults}
            rows = self._deliver.execute("SELECT point FROM dead_letter WHERE seq = ?", (record.seq,)).fetchall()
            self._deliver.executemany(
                "DELETE FROM dead_letter WHERE seq = ? AND point = ?",
                [(record.seq, point) for (point,) in rows if point not in points],
            )
        # A body that was kept before is kept again: the room that it takes was counted then.
        again = record.attempts or record.priority == REPLAY
        if not again and not self._keeps(len(record.payload)):
            self._deliver.execute("UPDATE message SET payload = x'', crc = NULL WHERE seq = ?", (record.seq,))

    def _set_aside(self, record: Record, fault: Fault, now_ns: int) -> None:
        self._deliver.execute(
            _SET_ASIDE,
            (
                record.seq,
                fault.point,
                fault.stage,
                fault.code,
                fault.text,
                now_ns,
                now_ns,
                len(record.payload),
                sha256(record.payload).hexdigest(),
                SOFTWARE,
            ),
        )

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction on what is here already; no other process writes to this file meanwhile."""
        with self._writing(self._deliver):
            yield self._deliver

    def seqs(self) -> Iterator[int]:
        """The numbers of all records, in order."""
        with self.reading() as connection:
            for (seq,) in connection.execute("SELECT seq FROM message ORDER BY seq"):
                yield seq

    def has_pending(self) -> bool:
        with self.reading() as connection:
            return has_pending(connection)

    def last_received_ns(self) -> int:
        with self.reading() as connection:
            row = connection.execute("SELECT received_ns FROM message ORDER BY seq DESC LIMIT 1").fetchone()
        return int(row[0]) if row else 0

    def take_from(self, fill: Callable[[sqlite3.Connection], _T]) -> _T:
        """Let `fill` put what it has into this file, which is still empty."""
        with self._lock, disk_errors(self.path):
            return fill(self._append)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, for reports beside the running threads."""
        with disk_errors(self.path):
            connection = connect(self.path, create=False)
            try:
                yield connection
            finally:
                connection.close()

    def close(self) -> None:
        self._append.close()
        self._deliver.close()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def has_pending(connection: sqlite3.Connection) -> bool:
    """Whether a day file holds a message that is still to be delivered."""
    return connection.execute("SELECT 1 FROM message WHERE state = 0 LIMIT 1").fetchone() is not None


def oldest_pending_ns(connection: sqlite3.Connection) -> int | None:
    """When the first message of a day file that is still to be delivered was received.

    What is delivered again, requeued or replayed, is left aside: it says nothing about how long messages wait.
    """
    rows = [connection.execute(_FIRST, (priority,)).fetchone() for priority in (LIVE, DIRECT)]
    return min((int(row[0]) for row in rows if row), default=None)


def checksum(received_ns: int, pilot: str, feed: str, topic: str, payload: bytes) -> int:
    """CRC-32 of what a message is: SQLite does not notice a flipped bit inside a row."""
    return zlib.crc32(payload, zlib.crc32(f"{received_ns}\0{pilot}\0{feed}\0{topic}".encode(errors="surrogatepass")))


def _record(row: tuple[Any, ...]) -> Record:
    """A row as a record; rows of version 1 have no checksum. A flipped bit can make a text of a number, or of bytes."""
    *values, crc = row
    if all(map(isinstance, values, _KINDS)):
        return Record._make((*values, crc is None or crc == checksum(*values[1:6])))
    return Record._make(
        (*(value if isinstance(value, kind) else kind() for value, kind in zip(values, _KINDS, strict=True)), False)
    )


def _is_plain(fate: Fate) -> bool:
    """Whether the columns that `_MARK_PLAIN` leaves alone hold what they shall: they do in a row's first delivery."""
    record = fate.record
    return (*fate[1:3], *fate[5:10]) == _PLAIN and not record.attempts and record.priority != REPLAY


def _row(entry: Entry, monotonic_ns: int) -> tuple[object, ...]:
    return (*entry[:8], monotonic_ns, checksum(*entry[:5]))


def _changes(fates: Sequence[Fate]) -> Counts:
    """What the fates of pending messages change in the ledger."""
    alike = Counter(
        (
            f.record.pilot,
            f.record.feed,
            f.state,
            f.rule,
            f.points,
            f.points_dead,
            f.replaced - f.record.replaced,
            f.empty,
        )
        for f in fates
    )
    changes: Counts = Counter()
    for (pilot, feed, state, rule, *points), n in alike.items():
        changes[pilot, feed, "pending"] -= n
        changes[pilot, feed, ledger.fate_of(state, rule)] += n
        ledger.add_points(changes, pilot, feed, points, n)
    return changes
