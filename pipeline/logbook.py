"""What operators recorded, and the events of it that wait for the broker, in one SQLite file of its own.

Promises: a record and its letters are committed together before `keep` returns; a letter leaves only when it was
acknowledged; letters go out in the order in which they were written. What was sent is forgotten but for its digest, so
that no pseudonym stays here. Every method may be called from any thread. Times are ns UTC and come from the caller.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec

from pipeline.state_file import StateFile

MIGRATIONS: Final = (
    """
CREATE TABLE secret (key BLOB NOT NULL);
CREATE TABLE record (
    id TEXT PRIMARY KEY, pilot TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, day TEXT NOT NULL,
    body TEXT NOT NULL, revision INTEGER NOT NULL, made_ns INTEGER NOT NULL, saved_ns INTEGER NOT NULL,
    arrived_ns INTEGER);
CREATE INDEX record_newest ON record (pilot, saved_ns);
CREATE TABLE letter (
    id INTEGER PRIMARY KEY, record TEXT NOT NULL REFERENCES record, event_id TEXT NOT NULL, revision INTEGER NOT NULL,
    type TEXT NOT NULL, place TEXT NOT NULL, day TEXT NOT NULL, code_of TEXT NOT NULL, digest TEXT NOT NULL,
    topic TEXT NOT NULL, payload BLOB, made_ns INTEGER NOT NULL, sent_ns INTEGER, UNIQUE (event_id, revision));
CREATE INDEX letter_waiting ON letter (id) WHERE sent_ns IS NULL;
CREATE INDEX letter_of ON letter (record, event_id, revision);
""",
)
_LATEST: Final = """SELECT event_id, revision, type, place, day, code_of, digest, topic, made_ns, sent_ns FROM letter
    WHERE record = ? AND revision = (SELECT max(other.revision) FROM letter AS other
                                     WHERE other.event_id = letter.event_id) ORDER BY id"""
_RECORD: Final = "id, pilot, kind, state, day, body, revision, made_ns, saved_ns, arrived_ns"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `state`: "open" (people may check in, nothing else is known), "saved" or "withdrawn".

    `body` is what the operator entered, as JSON; `day` the pilot-local day. `arrived_ns` is when it was first seen
    to be in the store as it is now.
    """

    id: str
    pilot: str
    kind: str
    state: str
    day: str
    body: str
    revision: int
    made_ns: int
    saved_ns: int
    arrived_ns: int | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a record in one revision.

    `place` is its time and precision as they were published, `code_of` the group of somebody who checked in and ""
    otherwise, `digest` that of its content.
    """

    event_id: str
    revision: int
    type: str
    place: str
    day: str
    code_of: str
    digest: str
    topic: str
    made_ns: int
    sent_ns: int | None = None


class Waiting(msgspec.Struct, frozen=True):
    """A letter to send."""

    id: int
    topic: str
    payload: bytes


def code_part(record: str, actor_key: str) -> str:
    """What tells one person's attendance from others' within a record, without the pseudonym."""
    return f"code-{sha256(f'{record}|{actor_key}'.encode()).hexdigest()[:20]}"


class Logbook(StateFile):
    """The log book at `path`, created and brought to the current version when opened."""

    def __init__(self, path: Path | Literal[":memory:"]) -> None:
        super().__init__(path, MIGRATIONS, "records", mode=0o600, pragmas=["secure_delete=ON"])
        with self.transaction() as db:
            if db.execute("SELECT count(*) FROM secret").fetchone()[0] == 0:
                db.execute("INSERT INTO secret VALUES (?)", (secrets.token_bytes(32),))

    @property
    def secret(self) -> bytes:
        """Signs the addresses at which people check in; it outlives a restart, as printed codes do."""
        with self._lock:
            found: bytes = self._db.execute("SELECT key FROM secret").fetchone()[0]
        return found

    # Records

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Everything within is one transaction, which nobody else writes into: read, decide, `keep`."""
        with self.transaction():
            yield

    def keep(self, record: Record, letters: Sequence[tuple[Letter, bytes]]) -> None:
        """Write a record in its new form, and its letters with their payloads. Call it within `writing`."""
        self._db.execute(
            f"INSERT OR REPLACE INTO record ({_RECORD}) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                record.id,
                record.pilot,
                record.kind,
                record.state,
                record.day,
                record.body,
                record.revision,
                record.made_ns,
                record.saved_ns,
                record.arrived_ns,
            ),
        )
        self._db.executemany(
            "INSERT INTO letter (record, event_id, revision, type, place, day, code_of, digest, topic, payload, "
            "made_ns) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    record.id,
                    one.event_id,
                    one.revision,
                    one.type,
                    one.place,
                    one.day,
                    one.code_of,
                    one.digest,
                    one.topic,
                    payload,
                    one.made_ns,
                )
                for one, payload in letters
            ],
        )

    def arrived(self, record: str, revision: int, now_ns: int) -> None:
        """A record was seen to be in the store whole, as it was in that revision."""
        with self.transaction():
            self._db.execute(
                "UPDATE record SET arrived_ns = ? WHERE id = ? AND revision = ? AND arrived_ns IS NULL",
                (now_ns, record, revision),
            )

    def record(self, record: str) -> Record | None:
        """One record by id."""
        found = self._records("id = ?", (record,), 1)
        return found[0] if found else None

    def records(self, pilots: Sequence[str], limit: int) -> list[Record]:
        """The records of these pilots, newest first."""
        return self._records(f"pilot IN ({','.join('?' * len(pilots))})", tuple(pilots), limit)

    def _records(self, where: str, parameters: tuple[object, ...], limit: int) -> list[Record]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_RECORD} FROM record WHERE {where} ORDER BY saved_ns DESC, id LIMIT ?", (*parameters, limit)
            ).fetchall()
        return [Record(**dict(zip(Record.__struct_fields__, row, strict=True))) for row in rows]

    # Erasure

    def payloads(self, pilot: str) -> list[bytes]:
        """What the letters of a pilot say, sent or not."""
        with self._lock:
            rows = self._db.execute(
                "SELECT payload FROM letter JOIN record ON record.id = letter.record WHERE record.pilot = ?", (pilot,)
            )
            return [bytes(payload) for (payload,) in rows if payload]

    def told_of(self, pilot: str, actor_key: str) -> int:
        """How many letters there are of one person who checked in."""
        return len(self._letters_of(pilot, actor_key))

    def forget(self, pilot: str, actor_key: str) -> int:
        """Remove the letters of one person, sent or not, from the journal of changes too."""
        with self.transaction() as db:
            found = self._letters_of(pilot, actor_key)
            db.executemany("DELETE FROM letter WHERE id = ?", [(letter,) for letter in found])
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return len(found)

    def _letters_of(self, pilot: str, actor_key: str) -> list[int]:
        with self._lock:
            rows = self._db.execute(
                "SELECT letter.id, record, event_id, payload FROM letter JOIN record ON record.id = letter.record "
                "WHERE record.pilot = ?",
                (pilot,),
            )
            return [
                number
                for number, record, event_id, payload in rows
                if event_id == f"{record}/{code_part(record, actor_key)}" or actor_key.encode() in (payload or b"")
            ]

    # Letters

    def letters(self, record: str) -> list[Letter]:
        """The newest letter of each event of a record, in the order of writing."""
        with self._lock:
            rows = self._db.execute(_LATEST, (record,)).fetchall()
        return [Letter(**dict(zip(Letter.__struct_fields__, row, strict=True))) for row in rows]

    def codes(self, record: str) -> Counter[str]:
        """How many people checked in, by group."""
        return Counter(one.code_of for one in self.letters(record) if one.code_of and one.type == "attendance")

    def waiting(self, limit: int = 200) -> list[Waiting]:
        """Letters that the broker has not acknowledged, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT id, topic, payload FROM letter WHERE sent_ns IS NULL ORDER BY id LIMIT ?", (limit,)
            ).fetchall()
        return [Waiting(*row) for row in rows]

    def sent(self, letters: Sequence[int], now_ns: int) -> None:
        """The broker acknowledged these; their payloads are forgotten."""
        with self.transaction():
            self._db.executemany(
                "UPDATE letter SET sent_ns = ?, payload = NULL WHERE id = ?", [(now_ns, letter) for letter in letters]
            )
