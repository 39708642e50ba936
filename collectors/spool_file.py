"""Opening a SQLite file of the spool, and what its errors mean to us.

Promises: commits on a connection from `connect` are on disk when they return (WAL, synchronous=FULL, asserted), and
what is deleted is overwritten; a full disk, a damaged file and a failing disk are told apart.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collectors.message import SpoolFailed, SpoolFull

_FULL = 2


class Corrupt(Exception):
    """A file of the spool cannot be read any more."""


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: no room, damaged file, or a failing disk."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise SpoolFull(f"{path}: no space is left on this disk; free some, receiving resumes by itself") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "Could not decode to UTF-8" in str(error):
            raise Corrupt(str(path)) from error
        if code == sqlite3.SQLITE_IOERR and _no_room(path.parent):  # SQLite says so of ENOSPC alone
            raise SpoolFull(f"{path}: the quota of this disk is used up; receiving resumes by itself") from error
        raise SpoolFailed(f"{path}: the disk answered with an error ({error}); check it, then start again") from error


def _no_room(folder: Path) -> bool:
    """Whether writing a little in this folder fails for want of room: a quota gives EDQUOT, which SQLite calls I/O."""
    probe = folder / f"room-{os.getpid()}"
    try:
        with probe.open("wb") as file:
            file.write(bytes(65_536))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in (errno.EDQUOT, errno.ENOSPC)
    finally:
        with suppress(OSError):
            probe.unlink()
    return False


def connect(path: Path, create: bool = True) -> sqlite3.Connection:
    """A connection whose commits reach the disk before they return."""
    connection = sqlite3.connect(
        _uri(path, create), uri=True, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=64
    )
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "wal_autocheckpoint=4000",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if connection.execute("PRAGMA synchronous").fetchone()[0] != _FULL:
        raise SpoolFailed(f"{path}: SQLite does not keep synchronous=FULL here; use another disk for the spool")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
        raise SpoolFailed(f"{path}: this disk cannot hold a WAL database; use a local disk for the spool")
    return connection


def set_aside(path: Path) -> Path:
    """Give a damaged file and its log another name; returns the name."""
    number = len(list(path.parent.glob(f"{path.name}.damaged-*[0-9]")))
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(f"{path.name}.damaged-{number}{suffix}"))
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return path.with_name(f"{path.name}.damaged-{number}")


def _uri(path: Path, create: bool) -> str:
    return f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
