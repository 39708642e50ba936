"""The embedded store: two SQLite files, `raw.db` for events and touches, `derived.db` for records.

Promises: those of the port, durable when a call returns (`sqlite_file`). Events are keyed on (pilot, stream,
feed, event_id); what was erased is overwritten in the file and leaves the write-ahead log.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

from pipeline.model import NS_PER_S, Event, Record, Refusal, Touch
from pipeline.sqlite_writing import Rows
from pipeline.store import limits
from pipeline.store.port import Mode
from pipeline.store.schema import DERIVED_MIGRATIONS, RAW_MIGRATIONS
from pipeline.store.sqlite_file import StoreFile

Clock = Callable[[], int]
BUSY_MS: Final = 5000

_WRITE: Final = Rows(
    "INSERT INTO event (pilot, stream, feed, event_id, time_ns, type, device, quantity, actor_key, body)",
    "(?,?,?,?,?,?,?,?,?,?)",
    """ON CONFLICT (pilot, stream, feed, event_id) DO UPDATE
    SET time_ns = excluded.time_ns, type = excluded.type, device = excluded.device, quantity = excluded.quantity,
        actor_key = excluded.actor_key, body = excluded.body
    WHERE body IS NOT excluded.body""",
)
_READ: Final = "SELECT body FROM event WHERE pilot = ? AND stream = ? AND time_ns >= ? AND time_ns < ?"
_COUNT: Final = "SELECT count(*) FROM event WHERE pilot = ? AND stream = ? AND time_ns >= ? AND time_ns < ?"
_DELETE: Final = """DELETE FROM event WHERE pilot = ? AND stream = ? AND feed = ? AND event_id = ? AND time_ns = ?
    AND CASE stream WHEN 'sensor' THEN device = ? AND quantity = ? ELSE type = ? END"""
_ERASE: Final = "DELETE FROM event WHERE pilot = ? AND actor_key = ? RETURNING body"
_OF_ACTOR: Final = "SELECT body FROM event WHERE pilot = ? AND actor_key = ?"
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
        self,
        folder: Path | Literal[":memory:"],
        retention_s: float | None = None,
        *,
        mode: Mode = "all",
        clock: Clock | None = None,
        busy_ms: int = BUSY_MS,
    ) -> None:
        if retention_s is not None and clock is None:
            raise ValueError("retention needs a clock")
        self._retention_ns = None if retention_s is None else int(retention_s * NS_PER_S)
        self._clock = clock
        raw, derived = (None, None) if folder == ":memory:" else (folder / "raw.db", folder / "derived.db")
        self._raw = StoreFile(raw, RAW_MIGRATIONS, mode in ("raw", "all"), busy_ms)
        self._derived = StoreFile(derived, DERIVED_MIGRATIONS, mode in ("derived", "all"), busy_ms)

    def write(self, events: Sequence[Event]) -> list[Refusal]:
        admitted, refused = limits.admit(events)
        if self._retention_ns is not None and self._clock is not None:
            oldest = self._clock() - self._retention_ns
            refused += [_too_old(event) for event, _ in admitted if event.time_ns < oldest]
            admitted = [pair for pair in admitted if pair[0].time_ns >= oldest]
        rows = [
            (e.pilot, e.stream, e.feed, e.event_id, e.time_ns, e.type, e.device, e.quantity, e.actor_key, body)
            for e, body in admitted
        ]
        if rows:
            with self._raw.writing() as connection:
                _WRITE.insert(connection, rows)
        return refused

    def read(self, pilot: str, streams: Sequence[str], start_ns: int, end_ns: int) -> list[Event]:
        bodies: list[str] = []
        start_ns, end_ns = limits.within(start_ns, end_ns)
        for stream in dict.fromkeys(streams):
            bodies += [row[0] for row in self._raw.rows(_READ, (pilot, stream, start_ns, end_ns))]
        return limits.events_of(bodies)

    def delete(self, events: Iterable[Event]) -> None:
        points = [
            (e.pilot, e.stream, e.feed, e.event_id, e.time_ns, e.device, e.quantity, e.type)
            for e in events
            if limits.MIN_NS <= e.time_ns <= limits.MAX_NS
            and limits.sayable(e.pilot, e.stream, e.feed, e.event_id, e.device, e.quantity, e.type)
        ]
        if points:
            with self._raw.writing() as connection:
                connection.executemany(_DELETE, points)

    def of_actor(self, pilot: str, actor_key: str) -> list[Event]:
        if not limits.sayable(pilot, actor_key):
            return []
        return limits.events_of([row[0] for row in self._raw.rows(_OF_ACTOR, (pilot, actor_key))])

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
                connection.executemany(_PUT, [(r.kind, r.pilot, r.key, r.time_ns, r.body.decode()) for r in records])

    def get(self, kind: str, pilot: str | None, start_ns: int, end_ns: int, key: str | None = None) -> list[Record]:
        start_ns, end_ns = limits.within(start_ns, end_ns)
        asked = {"kind": kind, "pilot": pilot, "key": key, "start": start_ns, "end": end_ns}
        rows = self._derived.rows(_GET_BY[pilot is not None, key is not None], asked)
        return [Record(kind=k, pilot=p, key=name, time_ns=ns, body=body.encode()) for k, p, name, ns, body in rows]

    def ping(self) -> None:
        for database in (self._raw, self._derived):
            database.rows("SELECT 1", ())

    def retention_ns(self) -> int | None:
        return self._retention_ns

    def close(self) -> None:
        self._raw.close()
        self._derived.close()


def _too_old(event: Event) -> Refusal:
    return Refusal(event_id=event.event_id, code="beyond_retention", reason="is older than the store's retention")
