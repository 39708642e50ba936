"""The erasure of one person: from the store, the journal, the dead letters, the index and the Log, for good.

Promises: the tombstone is first, so that what is still on its way never comes back; every step may be repeated, so
one that was cut off is finished by the same command; the ledger tells how many points went; the days are touched, so
that the pipeline computes them again, and frozen periods say why. Neighbours keep what is theirs in the store; a body
that tells of several people goes whole. Nothing here logs who it was. Source: security.md 6.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from collectors import spool_archive
from collectors.clock_rules import LocalDays, utc_day
from collectors.dead_changes import purge
from collectors.dead_letters import Selection, each, says
from collectors.index import EventIndex
from collectors.message import CollectorError
from collectors.spool import Spool
from collectors.spool_archive import Archived
from collectors.spool_day import FORGET
from collectors.spool_file import connect, disk_errors
from collectors.tombstones import Found, Job, Tombstones
from config.catalogue import Pilot
from pipeline.feed_days import announced_of
from pipeline.frozen import UNTOUCHED, Frozen
from pipeline.logbook import Logbook
from pipeline.model import Event, Touch
from pipeline.periods import day_bounds
from pipeline.store.port import Store

Clock = Callable[[], int]
_BODIES = r"""SELECT seq, payload, actor_key, event_id, state FROM message WHERE pilot = ?1 AND
              (actor_key = ?2 OR instr(payload, ?3) > 0 OR instr(payload, x'5c75') > 0)"""
_PENDING = "SELECT seq FROM message WHERE pilot = ? AND state = 0"


class NotErased(CollectorError):
    """Not everything could be erased; the sentence says what is left."""


@dataclass(frozen=True)
class Kept:
    """How much is kept of one person, by place; `waiting` are messages that delivery will drop."""

    events: int = 0
    bodies: int = 0
    waiting: int = 0
    letters: int = 0
    check_ins: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def sentence(self, verb: str) -> str:
        """Such as "Erased 3 events of the store, 1 message of the journal, ..."."""
        parts = (
            (self.events, "event", "of the store"), (self.bodies, "message body", "of the journal"),
            (self.letters, "dead letter", ""), (self.check_ins, "letter", "of the Log"),
        )  # fmt: skip
        said = ", ".join(f"{n} {_many(n, what)} {where}".rstrip() for n, what, where in parts)
        waits = f" {self.waiting} {_many(self.waiting, 'message')} on the way will be dropped." if self.waiting else ""
        return f"{verb} {said}.{waits}"


def _nothing(_step: str) -> None:
    return None


class Erasure:
    """One person of one pilot; `spools` are those of every collector of this state, `spools[0]` has the ledger.

    `after` is told the name of each step that is done: where a test may cut.
    """

    def __init__(
        self, pilot: Pilot, actor_key: str, store: Store, spools: list[Spool], tombstones: Tombstones,
        frozen: Frozen, logbook: Logbook | None, clock: Clock, after: Callable[[str], None] = _nothing,
    ) -> None:  # fmt: skip
        self._pilot, self._slug, self._who = pilot, pilot.slug, actor_key
        self._store, self._spools, self._tombstones = store, spools, tombstones
        self._frozen, self._logbook, self._clock, self._after = frozen, logbook, clock, after

    def count(self) -> Kept:
        """What would go; nothing is changed."""
        bodies = waiting = letters = 0
        for spool in self._spools:
            for day in spool.days():
                with suppress(Archived):
                    rows = spool.read(day, lambda connection: list(self._rows(connection)))
                    bodies += sum(1 for _, state, _, kept in rows if state != 0 and kept)
                    waiting += sum(1 for _, state, _, _ in rows if state == 0)
            for which in self._selections():
                letters += len({letter.id for letter in each(spool, which)})
        check_ins = 0 if self._logbook is None else self._logbook.told_of(self._slug, self._who)
        return Kept(len(self._store.of_actor(self._slug, self._who)), bodies, waiting, letters, check_ins)

    def run(self) -> Kept:
        """Erase, or go on where it was cut off; returns what was there when this run began. The collectors rest."""
        told = self.count()
        self._tombstones.begin(self._slug, self._who, self._clock())
        self._after("tombstone")
        events = self._store.of_actor(self._slug, self._who)
        job = self._tombstones.unfinished(self._slug, self._who) or self._begin(events)
        self._after("job")
        for spool in self._spools:
            for which in self._selections():
                purge(spool, which)
            ids = {event.event_id for event in events} | self._forget_bodies(spool)
            self._after("journal")
            with closing(EventIndex(spool.folder)) as index:
                index.forget(self._slug, ids)
            self._after("index")
        if self._logbook is not None:
            self._logbook.forget(self._slug, self._who)
        self._after("log")
        self._store.erase(self._slug, self._who)
        if left := self._store.of_actor(self._slug, self._who):
            raise NotErased(f"{len(left)} events are still in the store; run the same command again")
        self._after("store")
        spool_archive.count_erased(
            self._spools[0].folder, job.id, utc_day(self._clock()), self._slug, Counter(job.found.points)
        )
        self._after("ledger")
        self._touch(job)
        self._tombstones.finish(job, self._clock())
        return told

    def _begin(self, events: list[Event]) -> Job:
        """What is found first is kept: after a cut the store may hold less of it."""
        days = LocalDays(self._pilot.zone)
        unsettled = set().union(*(self._unsettled(spool) for spool in self._spools))
        by_day: dict[str, list[Event]] = {}
        for event in events:
            by_day.setdefault(days.of(event.time_ns), []).append(event)
        announced = {day: told for day, those in by_day.items() if (told := self._announced(day, those))}
        points = Counter(event.feed for event in events if event.event_id not in unsettled)
        if earlier := self._tombstones.finished(self._slug, self._who):  # they came back with a backup
            announced = {}
            if spool_archive.counted_erasures(self._spools[0].folder, [job.id for job in earlier]):
                points.clear()  # the ledger did not come back with them
        found = Found(sorted(by_day), dict(points), len(events), announced)
        return self._tombstones.keep(self._slug, self._who, found, self._clock())

    def _announced(self, day: str, events: list[Event]) -> dict[str, int]:
        start, end = day_bounds(day, self._pilot.zone)
        return announced_of(self._pilot, events, self._store.read(self._slug, ["ops"], start, end), start)

    def _unsettled(self, spool: Spool) -> set[str]:
        """Ids whose own message is pending, as a crash or a replay leaves it: the ledger has not counted its points."""
        found: set[str] = set()
        with closing(EventIndex(spool.folder)) as index:
            for day in spool.days():
                with suppress(Archived):
                    seqs = spool.read(day, lambda connection: {
                        seq for (seq,) in connection.execute(_PENDING, (self._slug,))})  # fmt: skip
                    found |= index.owned(self._slug, day, seqs) if seqs else set()
        return found

    def _touch(self, job: Job) -> None:
        """Have the days computed again; the note is there before the touch and stays until a later publication."""
        if not job.found.days:
            return
        self._frozen.erased(self._slug, job.found.days, UNTOUCHED)
        for one in (*self._tombstones.finished(self._slug, self._who), job):
            self._frozen.announced(self._slug, one.id, one.found.announced)
        now_ns = self._clock()
        self._store.touch([Touch(pilot=self._slug, day=day, seq=now_ns) for day in job.found.days])
        self._after("touch")
        self._frozen.erased(self._slug, job.found.days, self._clock())

    def _selections(self) -> tuple[Selection, Selection]:
        return Selection(pilot=self._slug, actor_key=self._who), Selection(code="unknown_pilot", actor_key=self._who)

    def _forget_bodies(self, spool: Spool) -> set[str]:
        """Empty what is not pending and tells of the person; the ids that were in it. Pending ones delivery drops."""
        ids: set[str] = set()
        for day in spool.days():
            with suppress(Archived):
                ids |= spool.whole(day, lambda day=day: self._forget_day(spool, day))  # type: ignore[misc]
            path = spool.folder / f"spool-{day}.db"
            if path.exists():
                _overwrite_log(path)
        return ids

    def _forget_day(self, spool: Spool, day: str) -> set[str]:
        with spool.changing(day) as connection:
            rows = [row for row in self._rows(connection) if row[1] != 0]
            connection.executemany(FORGET, [(seq,) for seq, *_ in rows])
        return {event_id for _, _, event_id, _ in rows if event_id}

    def _rows(self, connection: sqlite3.Connection) -> Iterator[tuple[int, int, str | None, bool]]:
        """Number, state, id, and whether there is a body, of each message that tells of the person."""
        asked = (self._slug, self._who, self._who.encode())
        for seq, payload, actor_key, event_id, state in connection.execute(_BODIES, asked):
            if actor_key == self._who or says(payload, self._who):
                yield seq, state, event_id, bool(payload)


def _overwrite_log(path: Path) -> None:
    with disk_errors(path), closing(connect(path, create=False)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextmanager
def resting(spools: Iterable[Spool]) -> Iterator[None]:
    """No collector delivers meanwhile, not even one whose receiving part was killed."""
    with ExitStack() as held:
        for spool in spools:
            held.enter_context(spool.delivering(10))
        yield


def damaged(folders: Collection[Path]) -> list[Path]:
    """Files that were set aside as damaged; who is in them cannot be told."""
    return sorted(path for folder in folders for path in folder.glob("*.damaged-*"))


def _many(n: int, word: str) -> str:
    return word if n == 1 else f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
