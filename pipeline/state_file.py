"""A SQLite file for small state that needs transactions: opened durable, brought to its schema, changed whole.

Promises: a commit is on disk when it returns; a file of a newer schema is refused and left as it is; every method
may be called from any thread.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Literal

from pipeline.migrations import statements
from pipeline.sqlite_writing import transaction

Database = sqlite3.Connection  # what a transaction works on


class OperationsRefused(Exception):
    """The operational database or the log book cannot be used; the sentence says why and what to do."""


class StateFile:
    """The file at `path`, created and brought to the last of `migrations`; `what` names its content in sentences."""

    def __init__(
        self,
        path: Path | Literal[":memory:"],
        migrations: Sequence[str],
        what: str,
        *,
        mode: int = 0o666,
        pragmas: Sequence[str] = (),
    ) -> None:
        self._lock = RLock()
        try:
            if isinstance(path, Path):
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    path.touch(mode=mode)
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", *pragmas):
                self._db.execute(f"PRAGMA {pragma}")
            self._migrate(migrations, what)
        except (OSError, sqlite3.Error) as error:
            raise OperationsRefused(
                f"{path}: {what} cannot be kept there ({error}); make the folder of "
                "PERISCOPE_STATE writable for this user, or choose another"
            ) from error

    def _migrate(self, migrations: Sequence[str], what: str) -> None:
        with self.transaction():
            version = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if version > len(migrations):
                raise OperationsRefused(
                    f"{what} were written by a newer Periscope (schema {version}, this one "
                    f"knows {len(migrations)}); update Periscope"
                )
            for number in range(version, len(migrations)):
                for statement in statements(migrations[number]):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {number + 1}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything done with the connection inside the block, or nothing; one block at a time."""
        with self._lock, transaction(self._db):
            yield self._db

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._db.close()
