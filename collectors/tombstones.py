"""Who was erased, without saying who: keyed hashes of pseudonyms, and how far each erasure has come.

Promises: a tombstone is on disk before anything is removed, and is never taken back; neither it nor a job tells a
pseudonym to whoever has not the key, which is a file beside the keys of pseudonyms; counts and days of a job are kept
before the events go, so that an erasure that was cut off ends with the same figures. Source: security.md 6.
"""

import hmac
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

import msgspec

from collectors.pseudonym import read_or_make_key
from collectors.spool_file import connect, disk_errors
from pipeline.sqlite_writing import transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tombstone(
  pilot TEXT NOT NULL, hash BLOB NOT NULL, at_ns INTEGER NOT NULL, PRIMARY KEY (pilot, hash)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job(
  id TEXT PRIMARY KEY, pilot TEXT NOT NULL, hash BLOB NOT NULL, at_ns INTEGER NOT NULL, done_ns INTEGER,
  body TEXT NOT NULL);
"""


class Found(msgspec.Struct, frozen=True):
    """What an erasure found in the store: local days, and points by feed that the ledger calls written.

    `announced` are by day and feed those that heartbeats speak for, so that their feed does not seem to lose events.
    """

    days: list[str] = []
    points: dict[str, int] = {}
    events: int = 0
    announced: dict[str, dict[str, int]] = {}


class Job(msgspec.Struct, frozen=True):
    """An erasure that has begun."""

    id: str
    found: Found


class Tombstones:
    """The file `erasures.db` of a state folder; without one nobody was erased."""

    def __init__(self, state: Path) -> None:
        self._path, self._key_path = state / "erasures.db", state / "keys" / "tombstones.key"
        self._key = b""
        self._known: set[tuple[str, bytes]] = set()
        self.read()

    def read(self) -> None:
        """Take in what the file says now."""
        if self._path.exists():
            with self._open() as database:
                self._known = {(pilot, bytes(sign)) for pilot, sign in database.execute(
                    "SELECT pilot, hash FROM tombstone")}  # fmt: skip

    def covers(self, pilot: str, actor_key: str | None) -> bool:
        """Whether somebody was erased in a pilot."""
        return bool(self._known) and actor_key is not None and (pilot, self._sign(pilot, actor_key)) in self._known

    def begin(self, pilot: str, actor_key: str, now_ns: int) -> None:
        """From now on nothing of this person is stored."""
        sign = self._sign(pilot, actor_key)
        with self._open() as database, transaction(database):
            database.execute("INSERT OR IGNORE INTO tombstone VALUES (?, ?, ?)", (pilot, sign, now_ns))
        self._known.add((pilot, sign))

    def unfinished(self, pilot: str, actor_key: str) -> Job | None:
        """The job that was cut off, if there is one."""
        with self._open() as database:
            row = database.execute(
                "SELECT id, body FROM job WHERE pilot = ? AND hash = ? AND done_ns IS NULL",
                (pilot, self._sign(pilot, actor_key)),
            ).fetchone()
        return None if row is None else Job(row[0], msgspec.json.decode(row[1], type=Found))

    def finished(self, pilot: str, actor_key: str) -> list[Job]:
        """Earlier erasures of this person: what is there of them now came back with a backup."""
        with self._open() as database:
            rows = database.execute(
                "SELECT id, body FROM job WHERE pilot = ? AND hash = ? AND done_ns IS NOT NULL ORDER BY at_ns",
                (pilot, self._sign(pilot, actor_key)),
            ).fetchall()
        return [Job(id, msgspec.json.decode(body, type=Found)) for id, body in rows]

    @property
    def anybody(self) -> bool:
        """Whether somebody was ever erased, as far as the file says."""
        return bool(self._known)

    def keep(self, pilot: str, actor_key: str, found: Found, now_ns: int) -> Job:
        """A job with what it found, on disk when this returns."""
        job = Job(token_hex(8), found)
        with self._open() as database, transaction(database):
            database.execute(
                "INSERT INTO job VALUES (?, ?, ?, ?, NULL, ?)",
                (job.id, pilot, self._sign(pilot, actor_key), now_ns, msgspec.json.encode(found).decode()),
            )
        return job

    def finish(self, job: Job, now_ns: int) -> None:
        """All of a job is done."""
        with self._open() as database, transaction(database):
            database.execute("UPDATE job SET done_ns = ? WHERE id = ?", (now_ns, job.id))

    def _sign(self, pilot: str, actor_key: str) -> bytes:
        if not self._key:
            self._key = read_or_make_key(self._key_path)
        return hmac.new(self._key, f"v1|{pilot}|{actor_key}".encode(), sha256).digest()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with disk_errors(self._path), closing(connect(self._path)) as database:
            database.executescript(_SCHEMA)
            yield database
