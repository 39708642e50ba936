"""Which event ids were seen in the last ten days, at which nanosecond, and which message owns them.

Promises: a claim is on disk before the event reaches the store; a restart that finds its own claim goes on.
Same id and content is a duplicate; same id and other content needs a higher revision, else the id was reused;
two ids never share a nanosecond of one pilot and stream: the later one takes its next hash.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import suppress
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from collectors.clock_rules import floor_and_span
from collectors.spool_file import Corrupt, connect, disk_errors, set_aside
from pipeline.model import Event, place_in_time
from pipeline.sqlite_writing import Rows, transaction

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
log = logging.getLogger(__name__)
KEEP_DAYS = 10
FORGOTTEN_AT_ONCE = 5000
_ATTEMPTS = 1000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event(
  pilot TEXT NOT NULL, event_id TEXT NOT NULL, stream TEXT NOT NULL, time_ns INTEGER NOT NULL,
  revision INTEGER NOT NULL, hash BLOB NOT NULL, day TEXT NOT NULL, seq INTEGER NOT NULL, superseded TEXT,
  PRIMARY KEY (pilot, event_id)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS place ON event(pilot, stream, time_ns);
CREATE INDEX IF NOT EXISTS age ON event(day);
"""
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, NULL)"
_CLAIM = f"INSERT OR IGNORE INTO event VALUES {_ROW}"
_CLAIMS = Rows("INSERT OR IGNORE INTO event", _ROW)
_FIND = "SELECT stream, time_ns, revision, hash, day, seq, superseded FROM event WHERE pilot = ? AND event_id = ?"
_REVISE = """UPDATE OR IGNORE event SET stream = ?, time_ns = ?, revision = ?, hash = ?, day = ?, seq = ?,
             superseded = ? WHERE pilot = ? AND event_id = ?"""
_REFRESH = "UPDATE event SET hash = ?, superseded = ? WHERE pilot = ? AND event_id = ?"
_AGAIN = "again"
_KEPT_PLACES = 50  # of an event that was corrected over and over
_CONFIRM = "UPDATE event SET revision = ? WHERE pilot = ? AND event_id = ?"
_encode = msgspec.json.Encoder(order="sorted").encode


class Verdict(Enum):
    """What an event is to what was seen before."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REVISION = "revision"
    REUSED = "id_reused"
    CROWDED = "time_collision"
    LATER = "later"
    SUPERSEDED = "superseded"


class Claim(NamedTuple):
    """The verdict, the event at its final nanosecond, and (stream, time_ns) of the points that it replaces."""

    verdict: Verdict
    event: Event
    superseded: list[tuple[str, int]]


class Candidate(NamedTuple):
    """An event that asks for its place, the message (day, seq) it came in and its pilot's zone.

    With `replay` the message was written before, so that its own claim holds and a later correction of it does too.
    """

    event: Event
    day: str
    seq: int
    zone: ZoneInfo
    replay: bool = False


class EventIndex:
    """A SQLite file beside the spool, used by the delivering thread alone."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.db"
        self.corrupt_files = 0
        try:
            self._connection = self._open()
        except Corrupt:
            self._set_aside()

    def _set_aside(self) -> None:
        """Begin anew: what was seen before comes again as new, and the store overwrites it with itself."""
        set_aside(self._path)
        self.corrupt_files += 1
        log.error("index.db is damaged and was set aside; what was seen before today is known no more")
        self._connection = self._open()

    def _open(self) -> "sqlite3.Connection":
        with disk_errors(self._path):
            connection = connect(self._path)
            connection.execute("PRAGMA cache_size=-65536").fetchall()
            connection.executescript(_SCHEMA)
            return connection

    def claim(self, candidates: Sequence[Candidate], under_way: Set[tuple[str, int]] = frozenset()) -> list[Claim]:
        """Judge events in order; when this returns, what was claimed is on disk.

        `under_way` are messages (day, seq) that were claimed earlier and may not be written yet.
        """
        if not candidates:
            return []
        return self._twice(lambda: self._claim(candidates, under_way))

    def _twice(self, act: Callable[[], _T]) -> _T:
        """Act; where the file proves damaged, begin a new one and act again."""
        try:
            return act()
        except Corrupt:
            self._connection.close()
            self._set_aside()
            return act()

    def _claim(self, candidates: Sequence[Candidate], under_way: Set[tuple[str, int]]) -> list[Claim]:
        rows = [
            (e.pilot, e.event_id, e.stream, e.time_ns, e.revision, content_hash(e), day, seq)
            for e, day, seq, *_ in candidates
        ]
        with disk_errors(self._path), transaction(self._connection):
            before = self._connection.total_changes
            _CLAIMS.insert(self._connection, rows)
            if self._connection.total_changes - before == len(rows):
                claims = [Claim(Verdict.NEW, c.event, []) for c in candidates]
            else:
                batch = {(c.day, c.seq) for c in candidates} | under_way
                claims = [self._judge(c, row[5], batch) for c, row in zip(candidates, rows, strict=True)]
        return claims

    def _judge(self, candidate: Candidate, digest: bytes, batch: set[tuple[str, int]]) -> Claim:
        event, day, seq, *_ = candidate
        found = self._connection.execute(_FIND, (event.pilot, event.event_id)).fetchone()
        if found is None:
            return self._next_place(candidate, digest)
        stream, time_ns, revision, known, owner_day, owner_seq, superseded = found
        if known == digest:
            if (owner_day, owner_seq) != (day, seq):
                if event.revision > revision:  # confirmed: a correction older than this one comes too late
                    self._connection.execute(_CONFIRM, (event.revision, event.pilot, event.event_id))
                return Claim(Verdict.DUPLICATE, event, [])
            return _own(event, time_ns, superseded)
        if candidate.replay and (again := self._written_before(candidate, digest, found)):
            return again
        if again := self._read_anew(candidate, digest, found):
            return again
        if event.revision <= revision:
            return Claim(Verdict.REUSED, event, [])
        if (owner_day, owner_seq) in batch:
            return Claim(Verdict.LATER, event, [])  # what it replaces is not written yet
        return self._revise(candidate, digest, (stream, time_ns), _places(superseded))

    def _written_before(self, candidate: Candidate, digest: bytes, found: tuple[Any, ...]) -> Claim | None:
        """The claim of a replayed event whose content is not the one that is known; None when it never was stored."""
        event, day, seq, zone, _ = candidate
        stream, time_ns, revision, _, owner_day, owner_seq, superseded = found
        if (owner_day, owner_seq) > (day, seq) and revision > event.revision:
            return Claim(Verdict.SUPERSEDED, event, [])
        floor, span = floor_and_span(event.time_ns, event.time_precision, zone)
        is_own = (owner_day, owner_seq, stream, revision) == (day, seq, event.stream, event.revision)
        if is_own and floor <= time_ns < floor + span:  # read otherwise than then, since the feed's file was changed
            return self._as_read_now(event, digest, (stream, time_ns), superseded)
        return None

    def _read_anew(self, candidate: Candidate, digest: bytes, found: tuple[Any, ...]) -> Claim | None:
        """The claim of an event whose own message, tried again after a mend, says something else of the same moment.

        It takes the place of what the message said before, which is no correction: the message is counted anew.
        """
        event, day, seq, zone, _ = candidate
        stream, time_ns, revision, _, owner_day, owner_seq, superseded = found
        floor, span = floor_and_span(event.time_ns, event.time_precision, zone)
        if (owner_day, owner_seq, stream, revision) != (day, seq, event.stream, event.revision) or not (
            floor <= time_ns < floor + span
        ):
            return None
        return self._as_read_now(event, digest, (stream, time_ns), superseded)

    def _as_read_now(self, event: Event, digest: bytes, place: tuple[str, int], superseded: str | None) -> Claim:
        """The event takes its own place again. What was stored there goes first: of another device it is another point.

        The place is remembered with the others, marked as no correction, so that a repeat after a crash does the same.
        """
        if place not in _places(superseded):
            superseded = json.dumps([*json.loads(superseded or "[]"), [*place, _AGAIN]][-_KEPT_PLACES:])
        self._connection.execute(_REFRESH, (digest, superseded, event.pilot, event.event_id))
        return _own(event, place[1], superseded)

    def _next_place(self, candidate: Candidate, digest: bytes) -> Claim:
        event, day, seq, zone, _ = candidate
        floor, span = floor_and_span(event.time_ns, event.time_precision, zone)
        for attempt in range(1, min(_ATTEMPTS, span)):
            time_ns = place_in_time(floor, span, event.event_id, attempt)
            done = self._connection.execute(
                _CLAIM, (event.pilot, event.event_id, event.stream, time_ns, event.revision, digest, day, seq)
            )
            if done.rowcount:
                return Claim(Verdict.NEW, _moved(event, time_ns), [])
        return Claim(Verdict.CROWDED, event, [])

    def _revise(
        self, candidate: Candidate, digest: bytes, place: tuple[str, int], earlier: list[tuple[str, int]]
    ) -> Claim:
        """Take the place of what is known; all earlier places are remembered, for stores restored from a backup."""
        event, day, seq, zone, _ = candidate
        floor, span = floor_and_span(event.time_ns, event.time_precision, zone)
        places = json.dumps([*(item for item in earlier if item != place), place][-_KEPT_PLACES:])
        for attempt in range(min(_ATTEMPTS, span)):
            time_ns = place_in_time(floor, span, event.event_id, attempt)
            done = self._connection.execute(
                _REVISE,
                (event.stream, time_ns, event.revision, digest, day, seq, places, event.pilot, event.event_id),
            )
            if done.rowcount:
                return Claim(Verdict.REVISION, _moved(event, time_ns), [place])
        return Claim(Verdict.CROWDED, event, [])

    def days(self) -> list[str]:
        """The UTC days from which an id is known, oldest first, without reading every id."""
        return self._twice(self._days)

    def _days(self) -> list[str]:
        found = [""]
        with disk_errors(self._path):
            while day := self._connection.execute("SELECT min(day) FROM event WHERE day > ?", found[-1:]).fetchone()[0]:
                found.append(day)
        return found[1:]

    def release(self, day: str, seqs: Iterable[int]) -> int:
        """Drop the claims of a day's messages that exist no more: should they come again, they are new."""
        kept = list(seqs)
        return self._twice(lambda: self._release(day, kept))

    def _release(self, day: str, seqs: Sequence[int]) -> int:
        with disk_errors(self._path):
            self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS kept(seq INTEGER PRIMARY KEY)")
            with transaction(self._connection):
                self._connection.execute("DELETE FROM temp.kept")
                self._connection.executemany("INSERT INTO temp.kept VALUES (?)", ((seq,) for seq in seqs))
                gone = self._connection.execute(
                    "DELETE FROM event WHERE day = ? AND seq NOT IN (SELECT seq FROM temp.kept)", (day,)
                ).rowcount
        return gone

    def owned(self, pilot: str, day: str, seqs: Set[int]) -> set[str]:
        """Ids of a pilot whose claim is held by one of these messages of a day."""
        with disk_errors(self._path):
            rows = self._connection.execute("SELECT event_id, seq FROM event WHERE day = ? AND pilot = ?", (day, pilot))
            return {event_id for event_id, seq in rows if seq in seqs}

    def forget(self, pilot: str, event_ids: Iterable[str]) -> None:
        """Drop the claims of events that were erased, from the journal of changes too."""
        rows = [(pilot, event_id) for event_id in event_ids]
        self._twice(lambda: self._forget(rows))

    def _forget(self, rows: Sequence[tuple[str, str]]) -> None:
        with disk_errors(self._path):
            with transaction(self._connection):
                self._connection.executemany("DELETE FROM event WHERE pilot = ? AND event_id = ?", rows)
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def forget_before(self, day: str) -> int:
        """Drop ids received before a UTC day, at most FORGOTTEN_AT_ONCE; returns how many."""
        with suppress(Corrupt), disk_errors(self._path):  # the next claim finds the damage and sets the file aside
            return self._connection.execute(
                "DELETE FROM event WHERE (pilot, event_id) IN"
                " (SELECT pilot, event_id FROM event WHERE day < ? LIMIT ?)",
                (day, FORGOTTEN_AT_ONCE),
            ).rowcount
        return 0

    def close(self) -> None:
        self._connection.close()


def content_hash(event: Event) -> bytes:
    """What two deliveries of one event have in common; the time of receipt is not part of it."""
    own_time = event.time_ns if event.time_rule != "receipt" else 0
    return blake2b(
        _encode(
            (
                event.feed,
                event.stream,
                event.type,
                own_time,
                event.time_precision,
                event.synthetic,
                event.count,
                event.consent,
                event.actor_key,
                event.actor_kind,
                event.service_id,
                event.device,
                event.quantity,
                event.value,
                event.unit,
                event.data,
            )
        ),
        digest_size=16,
    ).digest()


def _places(superseded: str | None) -> list[tuple[str, int]]:
    return [(str(s), int(t)) for s, t, *_ in json.loads(superseded)] if superseded else []


def _own(event: Event, time_ns: int, superseded: str | None) -> Claim:
    """The claim of an event that has its place already."""
    corrected = any(len(item) == 2 for item in json.loads(superseded or "[]"))
    return Claim(Verdict.REVISION if corrected else Verdict.NEW, _moved(event, time_ns), _places(superseded))


def _moved(event: Event, time_ns: int) -> Event:
    return event if event.time_ns == time_ns else msgspec.structs.replace(event, time_ns=time_ns)
