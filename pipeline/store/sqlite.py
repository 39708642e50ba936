"""The embedded store: two SQLite files, `raw.db` for events and touches, `derived.db` for records.

Promises: a call that writes has committed with `synchronous=FULL` when it returns (asserted when a file is
opened); one lock guards each writing connection; readers have their own connections and never wait for a
writer; a file that this process only reads may be missing and is then simply empty; a file of a newer schema
is refused. Events are keyed on (pilot, stream, feed, event_id). What SQLite says becomes one sentence.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.model import NS_PER_S, Event, Record, Refusal, Touch
from pipeline.store import limits
from pipeline.store.port import StoreAway, StoreRefused
from pipeline.store.schema import DERIVED_MIGRATIONS, RAW_MIGRATIONS

Mode = Literal["raw", "derived", "read", "all"]
Clock = Callable[[], int]
Migrations = tuple[tuple[str, ...], ...]
BUSY_MS: Final = 5000

_WRITE: Final = """INSERT INTO event (pilot, stream, feed, event_id, time_ns, actor_key, body) VALUES (?,?,?,?,?,?,?)
    ON CONFLICT (pilot, stream, feed, event_id) DO UPDATE
    SET time_ns = excluded.time_ns, actor_key = excluded.actor_key, body = excluded.body
    WHERE body IS NOT excluded.body"""
_READ: Final = "SELECT body FROM event WHERE pilot = ? AND stream = ? AND time_ns >= ? AND time_ns < ?"
_COUNT: Final = "SELECT count(*) FROM event WHERE pilot = ? AND stream = ? AND time_ns >= ? AND time_ns < ?"
_DELETE: Final = "DELETE FROM event WHERE pilot = ? AND stream = ? AND feed = ? AND event_id = ? AND time_ns = ?"
_ERASE: Final = "DELETE FROM event WHERE pilot = ? AND actor_key = ? RETURNING body"
_TOUCH: Final = """INSERT INTO touch (pilot, day, seq) VALUES (?,?,?)
    ON CONFLICT (pilot, day) DO UPDATE SET seq = excluded.seq"""
_TOUCHES: Final = "SELECT pilot, day, seq FROM touch ORDER BY pilot, day"
_PUT: Final = """INSERT INTO record (kind, pilot, key, time_ns, body) VALUES (?,?,?,?,?)
    ON CONFLICT (kind, pilot, key, time_ns) DO UPDATE SET body = excluded.body WHERE body IS NOT excluded.body"""
_GET: Final = """SELECT kind, pilot, key, time_ns, body FROM record
    WHERE kind = :kind AND time_ns >= :start AND time_ns < :end"""
_GET_BY: Final = {  # (pilot given, key given)
    (False, False): _GET + " ORDER BY pilot, key, time_ns",
    (True, False): _GET + " AND pilot = :pilot ORDER BY pilot, key, time_ns",
    (False, True): _GET + " AND key = :key ORDER BY pilot, key, time_ns",
    (True, True): _GET + " AND pilot = :pilot AND key = :key ORDER BY pilot, key, time_ns",
}


class SQLiteStore:
    """The Store port on SQLite; `folder` ":memory:" keeps everything in this process.

    `retention_s` refuses events older than that, as a bucket with retention does; it needs a `clock`.
    """

    def __init__(
        self, folder: Path | Literal[":memory:"], retention_s: float | None = None, *, mode: Mode = "all",
        clock: Clock | None = None, busy_ms: int = BUSY_MS,
    ) -> None:
        if retention_s is not None and clock is None:
            raise ValueError("retention needs a clock")
        self._retention_ns = None if retention_s is None else int(retention_s * NS_PER_S)
        self._clock = clock
        raw, derived = (None, None) if folder == ":memory:" else (folder / "raw.db", folder / "derived.db")
        self._raw = _Database(raw, RAW_MIGRATIONS, mode in ("raw", "all"), busy_ms)
        self._derived = _Database(derived, DERIVED_MIGRATIONS, mode in ("derived", "all"), busy_ms)

    def write(self, events: Sequence[Event]) -> list[Refusal]:
        admitted, refused = limits.admit(events)
        if self._retention_ns is not None and self._clock is not None:
            oldest = self._clock() - self._retention_ns
            reason = f"is older than the store's retention of {self._retention_ns // NS_PER_S} s"
            old = [event for event, _ in admitted if event.time_ns < oldest]
            refused += [Refusal(event_id=event.event_id, code="beyond_retention", reason=reason) for event in old]
            admitted = [pair for pair in admitted if pair[0].time_ns >= oldest]
        rows = [(e.pilot, e.stream, e.feed, e.event_id, e.time_ns, e.actor_key, body) for e, body in admitted]
        if rows:
            with self._raw.writing() as connection:
                connection.executemany(_WRITE, rows)
        return refused

    def read(self, pilot: str, streams: Sequence[str], start_ns: int, end_ns: int) -> list[Event]:
        bodies: list[str] = []
        start_ns, end_ns = limits.within(start_ns, end_ns)
        for stream in dict.fromkeys(streams):
            bodies += [row[0] for row in self._raw.rows(_READ, (pilot, stream, start_ns, end_ns))]
        return limits.events_of(bodies)

    def delete(self, events: Iterable[Event]) -> None:
        points = [(e.pilot, e.stream, e.feed, e.event_id, e.time_ns) for e in events]
        points = [p for p in points if limits.MIN_NS <= p[4] <= limits.MAX_NS and limits.sayable(*p[:4])]
        if points:
            with self._raw.writing() as connection:
                connection.executemany(_DELETE, points)
            self._raw.forget()

    def erase(self, pilot: str, actor_key: str) -> list[Event]:
        if not limits.sayable(pilot, actor_key):
            return []
        with self._raw.writing() as connection:
            bodies = [row[0] for row in connection.execute(_ERASE, (pilot, actor_key)).fetchall()]
        self._raw.forget()
        return limits.events_of(bodies)

    def count(self, pilot: str, stream: str, start_ns: int, end_ns: int) -> int:
        rows = self._raw.rows(_COUNT, (pilot, stream, *limits.within(start_ns, end_ns)))
        return int(rows[0][0]) if rows else 0

    def touch(self, touches: Sequence[Touch]) -> None:
        rows = [(pilot, day, seq) for (pilot, day), seq in limits.latest(touches).items()]
        if rows:
            with self._raw.writing() as connection:
                connection.executemany(_TOUCH, rows)

    def touches(self) -> list[Touch]:
        return [Touch(pilot=pilot, day=day, seq=seq) for pilot, day, seq in self._raw.rows(_TOUCHES, ())]

    def put(self, records: Sequence[Record]) -> None:
        limits.check_records(records)
        if records:
            with self._derived.writing() as connection:
                connection.executemany(
                    _PUT, [(r.kind, r.pilot, r.key, r.time_ns, r.body.decode()) for r in records]
                )

    def get(self, kind: str, pilot: str | None, start_ns: int, end_ns: int, key: str | None = None) -> list[Record]:
        start_ns, end_ns = limits.within(start_ns, end_ns)
        asked = {"kind": kind, "pilot": pilot, "key": key, "start": start_ns, "end": end_ns}
        rows = self._derived.rows(_GET_BY[pilot is not None, key is not None], asked)
        return [Record(kind=k, pilot=p, key=name, time_ns=ns, body=body.encode()) for k, p, name, ns, body in rows]

    def ping(self) -> None:
        for database in (self._raw, self._derived):
            database.rows("SELECT 1", ())

    def close(self) -> None:
        self._raw.close()
        self._derived.close()


class _Database:
    """One file: a writing connection behind a lock, and reading connections that are handed round."""

    def __init__(self, path: Path | None, migrations: Migrations, writable: bool, busy_ms: int) -> None:
        self._path, self._migrations, self._busy_ms = path, migrations, busy_ms
        self._writable = writable or path is None
        self._lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        with self._sentences():
            if self._writable:
                self._writer = self._open_writer()
            else:
                with self._reading():
                    pass

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on disk when the block ends, or not there at all."""
        with self._lock, self._sentences():
            if not self._writable:
                raise StoreRefused(f"{self._name} was opened for reading only by this process")
            if self._closed:
                raise StoreAway(f"{self._name} is closed")
            connection = self._writer = self._writer or self._open_writer()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def rows(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of one constant statement; none while the file is missing."""
        asked = parameters.values() if isinstance(parameters, Mapping) else parameters
        if not limits.sayable(*(text for text in asked if isinstance(text, str))):
            return []
        with self._sentences(), self._reading() as connection:
            return [] if connection is None else connection.execute(statement, parameters).fetchall()

    def forget(self) -> None:
        """Move deleted content out of the write-ahead log; a reader in the way delays it to the next checkpoint."""
        with self._lock, self._sentences():
            if self._writer is not None:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for connection in [*self._readers, *([self._writer] if self._writer else [])]:
                connection.close()
            self._readers.clear()
            self._writer = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        if self._path is None:  # in memory there is one connection, so readers share it with the writer
            with self._lock:
                yield self._writer
            return
        with self._lock:
            if self._closed:
                raise StoreAway(f"{self._name} is closed")
            connection = self._readers.pop() if self._readers else None
        connection = connection or self._open_reader()
        if connection is None:
            yield None
            return
        try:
            yield connection
        except sqlite3.Error:
            connection.close()
            raise
        with self._lock:
            if self._closed:
                connection.close()
            else:
                self._readers.append(connection)

    def _open_reader(self) -> sqlite3.Connection | None:
        if self._path is None or not self._path.is_file():
            return None
        connection = sqlite3.connect(
            self._path.absolute().as_uri() + "?mode=ro", uri=True, timeout=self._busy_ms / 1000,
            isolation_level=None, check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = ON")
        if self._check_version(connection) == 0:  # another process is just making it
            connection.close()
            return None
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                folder, why = self._path.parent, error.strerror
                raise StoreRefused(f"{folder} cannot be made ({why}); set another with PERISCOPE_STATE") from None
        connection = sqlite3.connect(
            self._path or ":memory:", timeout=self._busy_ms / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA secure_delete = ON")
            self._be_durable(connection)
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _be_durable(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA synchronous = FULL")
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if self._path is not None and mode != "wal":
            raise StoreRefused(f"{self._name} cannot keep a write-ahead log; choose a local disk with PERISCOPE_STATE")
        if connection.execute("PRAGMA synchronous").fetchone()[0] != 2:
            raise StoreRefused(f"{self._name} cannot be opened with synchronous=FULL, so nothing would be sure")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if self._check_version(connection) == len(self._migrations):
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for number in range(self._check_version(connection), len(self._migrations)):
                for statement in self._migrations[number]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(self._migrations):d}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _check_version(self, connection: sqlite3.Connection) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(self._migrations):
            known = len(self._migrations)
            raise StoreRefused(f"{self._name} has schema {version}, we know {known}; install a newer Periscope")
        return version

    @property
    def _name(self) -> str:
        return "the store in memory" if self._path is None else str(self._path)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if code == sqlite3.SQLITE_IOERR:  # a failed fsync must not be tried again on the same handle
                self._drop_writer()
            if code in _AWAY:
                raise StoreAway(f"{self._name} {_AWAY[code]}") from error
            raise StoreRefused(f"{self._name} {_REFUSED.get(code, f'answered: {error}')}") from error

    def _drop_writer(self) -> None:
        if self._writer is not None and self._path is not None:
            with closing(self._writer):
                self._writer = None


_AWAY: Final = {
    sqlite3.SQLITE_BUSY: "is locked by another process",
    sqlite3.SQLITE_LOCKED: "is locked",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "met a disk error; it is opened again at the next try",
    sqlite3.SQLITE_PROTOCOL: "is locked by another process",
}
_REFUSED: Final = {
    sqlite3.SQLITE_READONLY: "is not writable; give this user the right to write it",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; let this user write its folder, or choose another with PERISCOPE_STATE",
    sqlite3.SQLITE_PERM: "may not be opened by this user",
    sqlite3.SQLITE_NOTADB: "is not a store of Periscope; move it away",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from the backup",
}
