"""One SQLite file of the store; the only place of the store that imports sqlite3.

Promises: a `writing` block has committed with `synchronous=FULL` when it ends, or left no trace; one lock
guards the writing connection; readers have their own connections and never wait for a writer; a file that is
only read may be missing and is then empty; a file of a newer schema is refused. What SQLite says becomes one
sentence, StoreAway where trying again helps and StoreRefused where somebody must do something first.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from pipeline.sqlite_writing import transaction
from pipeline.store.limits import sayable
from pipeline.store.port import StoreAway, StoreRefused

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


class StoreFile:
    """A writing connection behind a lock, and reading connections that are handed round; no path is memory."""

    def __init__(self, path: Path | None, migrations: Sequence[Sequence[str]], writable: bool, busy_ms: int) -> None:
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
            with transaction(connection):
                yield connection

    def rows(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of one constant statement; none while the file is missing."""
        asked = parameters.values() if isinstance(parameters, Mapping) else parameters
        if not sayable(*(text for text in asked if isinstance(text, str))):
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
        except BaseException:
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
            self._path.absolute().as_uri() + "?mode=ro",
            uri=True,
            timeout=self._busy_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA query_only = ON")
        if self._check_version(connection) == 0:  # another process is just making it
            connection.close()
            return None
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # events may be about people
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
        with transaction(connection):
            for number in range(self._check_version(connection), len(self._migrations)):
                for statement in self._migrations[number]:
                    connection.execute(statement)

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
        except OSError as error:
            raise StoreRefused(
                f"{self._name} cannot be reached ({error.strerror}); set another folder with PERISCOPE_STATE"
            ) from error

    def _drop_writer(self) -> None:
        if self._writer is not None and self._path is not None:
            with closing(self._writer):
                self._writer = None
