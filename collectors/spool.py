"""The queue on disk between the broker and the store, and the journal of what was written.

Promises: a message is on disk before `append` returns; it stays until its whole day file has nothing pending and
its last record is `journal_h` old, and its ledger and dead letters are kept beyond that in `archive.db`. Many
processes may append; one holds the lease and delivers. Beyond the quota `append` raises SpoolFull and drops
nothing. A damaged file is set aside and counted, and the rest goes on. Nothing here reads a payload.
"""

import contextlib
import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from collectors import ledger
from collectors.clock_rules import utc_day
from collectors.dead_room import DeadRoom
from collectors.ledger import DEAD, Counts
from collectors.message import SpoolFailed, SpoolFull, SpoolHeld
from collectors.spool_archive import (
    Archived,
    ArchiveLost,
    archive,
    archived_bodies,
    archived_ledger,
    file_id,
    merged,
)
from collectors.spool_day import DIRECT, LIVE, REPLAY, DayFile, Entry, Fate, Record, has_pending, oldest_pending_ns
from collectors.spool_file import Corrupt, connect, set_aside
from collectors.spool_salvage import Salvaged, passed_over, salvage
from config.settings import Spool as SpoolSettings

_T = TypeVar("_T")
log = logging.getLogger(__name__)
_HOUR_NS = 3_600_000_000_000
_BODIES = """SELECT coalesce(sum(length(payload)), 0) FROM message
             WHERE state = ? AND seq IN (SELECT seq FROM dead_letter)"""
__all__ = ["DIRECT", "LIVE", "REPLAY", "Spool"]


class Span(NamedTuple):
    """Messages of one day file, from one number to another."""

    day: str
    first: int
    last: int

    def within(self, day: str) -> tuple[int, int]:
        """The numbers in this day's file; an impossible range where there are none."""
        return (self.first, self.last) if day == self.day else (-1, -1)


NOTHING = Span("", -1, -1)


class Spool:
    """A folder of day files. `lease` is True for the one collector that delivers."""

    def __init__(self, folder: Path, settings: SpoolSettings, lease: bool) -> None:
        self.folder = folder
        self.settings = settings
        self.corrupt_files = 0
        self.lost_records = 0
        self.reduced: dict[str, bool] = {}  # days that lost records, and whether their number was counted here
        self._days: dict[str, DayFile] = {}
        self._drained: set[str] = set()
        self._again = 0
        self.dead_room = DeadRoom(settings.dead_letter_bytes, self._dead_bytes)
        self._lock = threading.RLock()
        self._is_alone = False
        self._lease: int | None = None
        self._room_checked = 0.0
        self._read_from: dict[str, DayFile] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if lease:
                self._lease = self._lock_file("lease")
                os.utime(self._lease)  # when this collector started, for whoever looks at the folder
                with self._alone():
                    for rescued in folder.glob("spool-????-??-??.salvage"):
                        self._finish_salvage(rescued.with_suffix(".db"))
            self.sync_folder()
        except OSError as error:
            raise SpoolFailed(
                f"{folder}: the spool folder cannot be used ({error.strerror}); "
                "make it writable or set PERISCOPE_STATE to another folder"
            ) from error

    def _lock_file(self, name: str, patience_s: float = 0) -> int:
        """The handle of a lock file that is ours alone until it is closed; raises SpoolHeld."""
        handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return handle
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                os.close(handle)
                raise SpoolHeld(
                    f"{self.folder}: another collector already delivers from this spool; stop it, or give this "
                    "one its own name with PERISCOPE_COLLECTOR"
                ) from None

    @contextlib.contextmanager
    def delivering(self, patience_s: float) -> Iterator[None]:
        """Be the only one that delivers; a delivering process whose collector was killed needs a moment to end."""
        handle = self._lock_file("delivering", patience_s)
        try:
            yield
        finally:
            os.close(handle)

    def sync_folder(self) -> None:
        """Make the names of new files durable; SQLite syncs their content only."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def append(self, entries: Sequence[Entry]) -> None:
        """Commit messages to the file of the day on which they were received."""
        self._check_room(entries)
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            groups.setdefault(utc_day(entry.received_ns), []).append(entry)
        for number, (day, group) in enumerate(groups.items()):
            self._drained.discard(day)  # a clock that was set back
            try:
                self._append_to(day, group)
            except SpoolFull as full:
                if number:  # at midnight the files of two days: what is on disk must not be given again
                    full.left = [e for of, those in groups.items() if of not in list(groups)[:number] for e in those]
                raise
        if not groups.keys() <= set(self.days()[-2:]):  # the same for a delivering process, which may be done with it
            self.announce()

    def _append_to(self, day: str, group: list[Entry]) -> None:
        for _ in range(3):
            file = self._day(day, create=True)
            try:
                with self._steady():
                    if not file.moved():
                        file.append(group, time.monotonic_ns())
                        return
            except Corrupt:
                self._set_aside(day, file)
        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk")

    def pending(
        self, limit: int, without: Collection[tuple[str, int]] = (), under_way: Span = NOTHING
    ) -> tuple[str, list[Record]] | None:
        """The next messages to deliver, all of one day file: live ones before direct ones, older days first.

        Those of `without`, as (day, seq), are left for later, and those within `under_way` are passed over.
        """
        self._notice()
        days = self.days()
        for priority in (LIVE, DIRECT, REPLAY):
            for day in days:
                if day in self._drained:
                    continue
                rows = self._rows(day, priority, limit + len(without), under_way)
                if without:
                    rows = [row for row in rows if (day, row.seq) not in without][:limit]
                if rows:
                    return day, rows
        if not without and under_way == NOTHING:
            # Another process appends only to today's file, at midnight to yesterday's.
            self._drained.update(days[:-2])
        return None

    def _rows(self, day: str, priority: int, limit: int, under_way: Span) -> list[Record]:
        for _ in range(2):
            file = self._read_from[day] = self._day(day)
            try:
                return file.pending(priority, limit, under_way.within(day))
            except Corrupt:
                self._set_aside(day, file)  # what could be read of it is asked for once more
        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk")

    def mark(
        self,
        day: str,
        fates: Sequence[Fate],
        now_ns: int,
        measured: Mapping[tuple[str, str, str, int], int] | None = None,
        erased: Collection[int] = (),
    ) -> None:
        """Record what became of messages of one day file, as `pending` read it, and what was measured on their way.

        Those numbered in `erased` keep no body: they tell of somebody who was erased.
        """
        file = self._day(day)
        if file is not self._read_from.get(day):
            return  # they went with the file that was set aside
        try:
            file.mark(fates, now_ns, measured, erased)
        except Corrupt:
            self._set_aside(day, file)

    def look_again(self) -> None:
        """Look into days that were done: another process may have made messages there pending again."""
        self._drained.clear()

    def announce(self) -> None:
        """Tell the delivering process to look into days that were done."""
        (self.folder / "again").touch()

    def announced(self) -> int:
        """When an operator last changed what was done, in ns; 0 for never."""
        try:
            return (self.folder / "again").stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _notice(self) -> None:
        if (told := self.announced()) != self._again:
            self._again = told
            self.look_again()

    @contextlib.contextmanager
    def changing(self, day: str) -> Iterator[sqlite3.Connection]:
        """One transaction on the messages of a day; raises Archived when its file is gone or about to go."""
        path = self.folder / f"spool-{day}.db"
        with self._lock:
            known = self._days.get(day)
            if known is not None and known.moved():
                self._days.pop(day)
            if not path.exists():
                raise Archived(day)
            file = self._day(day)
        nothing: set[tuple[str, int]] = set()
        with file.changing() as connection:
            if (day, file_id(connection)) in self._of_archive(merged, nothing):
                self._remove(file)  # whoever archived it may have been cut off before that
                raise Archived(day)
            yield connection

    @contextlib.contextmanager
    def reading(self, day: str) -> Iterator[sqlite3.Connection]:
        """A connection of its own for reports; raises Archived when that day has no file, or one just begun."""
        path = self.folder / f"spool-{day}.db"
        if not path.exists():
            raise Archived(day)
        try:
            file = self._day(day)
        except SpoolFull:  # on a full disk a file that was just begun cannot be opened: there is nothing in it yet
            raise Archived(day) from None
        except SpoolFailed:
            if not path.exists():
                raise Archived(day) from None
            raise
        try:
            with file.reading() as connection:
                yield connection
        except SpoolFailed:
            if not path.exists():
                raise Archived(day) from None
            raise

    def days(self) -> list[str]:
        """UTC days that have a file, oldest first."""
        return sorted(path.stem.removeprefix("spool-") for path in self.folder.glob("spool-????-??-??.db"))

    def day(self, day: str) -> DayFile:
        """The file of a day, made when there is none."""
        return self._day(day, create=True)

    def has_pending(self) -> bool:
        return any(self._of_days(has_pending).values())

    def oldest_pending_ns(self) -> int | None:
        """When the oldest message that is still to be delivered was received."""
        return min((ns for ns in self._of_days(oldest_pending_ns).values() if ns is not None), default=None)

    def ledger(self) -> dict[str, Counts]:
        """The ledger of every day that is known, archived days included."""
        return self._ledgers(ledger.read, only_here=False)

    def _archived(self) -> dict[str, Counts]:
        return self._of_archive(archived_ledger, {})

    def _of_archive(self, ask: Callable[[Path], _T], nothing: _T) -> _T:
        try:
            return self.with_archive(lambda: ask(self.folder))
        except ArchiveLost:
            return nothing

    def with_archive(self, act: Callable[[], _T]) -> _T:
        """What `act` gives; where the archive proves damaged it is set aside, counted, and it acts again."""
        try:
            return act()
        except ArchiveLost as lost:
            self.corrupt_files += 1
            log.error("%s", lost)
            return act()

    def read(self, day: str, read: Callable[[sqlite3.Connection], _T]) -> _T:
        """Read a day file beside the running threads; one that is damaged is set aside first. Raises Archived."""

        def act() -> _T:
            with self.reading(day) as connection:
                return read(connection)

        return self.whole(day, act)

    def each(self, day: str, rows: Callable[[sqlite3.Connection], Iterator[_T]]) -> Iterator[_T]:
        """The same row by row; where the file proves damaged on the way, all that goes on of it comes once more."""
        for _ in range(2):
            file = self._days.get(day)
            try:
                with self.reading(day) as connection:
                    yield from rows(connection)
                return
            except Corrupt:
                self._set_aside(day, file or self._day(day))

    def whole(self, day: str, act: Callable[[], _T]) -> _T:
        """What `act` gives, which works on the file of a day; one that is damaged is set aside, and it acts again."""
        for _ in range(2):
            file = self._days.get(day)
            try:
                return act()
            except Corrupt:
                self._set_aside(day, file or self._day(day))
        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk")

    def _of_days(self, read: Callable[[sqlite3.Connection], _T]) -> dict[str, _T]:
        """The same of every day that has a file; one that goes just now is left out."""
        found = {}
        for day in self.days():
            with contextlib.suppress(Archived):
                found[day] = self.read(day, read)
        return found

    def derived_ledger(self) -> dict[str, Counts]:
        """The same of the days whose files are still here, counted again from the records."""
        return self._ledgers(ledger.derive, only_here=True)

    def _ledgers(self, count: Callable[[sqlite3.Connection], Counts], only_here: bool) -> dict[str, Counts]:
        here = self._of_days(lambda connection: (file_id(connection), count(connection)))
        nothing: set[tuple[str, int]] = set()
        done = self._of_archive(merged, nothing)  # read after the files, lest a day archived meanwhile counts twice
        found = self._archived()
        for day, (number, counts) in here.items():
            if (day, number) not in done:
                found[day] = _sum(found.get(day), counts)
        return {day: counts for day, counts in found.items() if day in here or not only_here}

    def totals(self) -> Counter[str]:
        """All ledgers by fate."""
        fates: Counter[str] = Counter()
        for counts in self.ledger().values():
            for (_, _, fate), n in counts.items():
                fates[fate] += n
        return fates

    def size(self) -> int:
        """Bytes on disk."""
        total = 0
        for path in self.folder.glob("*.db*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def unlink_old(self, now_ns: int) -> list[str]:
        """Remove day files whose journal time is over, after their ledger and dead letters were archived."""
        gone = []
        for day in self.days():
            if day >= utc_day(now_ns - self.settings.journal_h * _HOUR_NS):
                break
            file = self._day(day)
            try:
                if self._unlink(file, now_ns):
                    gone.append(day)
            except Corrupt:
                self._set_aside(day, file)
        return gone

    def _unlink(self, file: DayFile, now_ns: int) -> bool:
        if file.has_pending() or file.last_received_ns() > now_ns - self.settings.journal_h * _HOUR_NS:
            return False
        with file.changing():  # whoever makes messages of this day pending again waits, and finds them archived
            if file.has_pending() or file.moved():
                return False
            self.with_archive(lambda: archive(self.folder, file))
            self._remove(file)
        file.close()
        return True

    def _remove(self, file: DayFile) -> None:
        """Forget a file, and unlink it unless another one has its name by now."""
        with self._lock:
            self._read_from.pop(file.day, None)
            self._days.pop(file.day, None)
            if file.moved():
                return
            for suffix in ("", "-wal", "-shm"):
                file.path.with_name(file.path.name + suffix).unlink(missing_ok=True)
            self.sync_folder()

    def _dead_bytes(self) -> int:
        """Bytes of the bodies of dead letters; asked while a day file is being written, so with connections apart."""
        total = self._of_archive(archived_bodies, 0)
        for day in self.days():
            with contextlib.suppress(Corrupt, sqlite3.Error):
                connection = connect(self.folder / f"spool-{day}.db", create=False)
                with contextlib.closing(connection):
                    total += int(connection.execute(_BODIES, (DEAD,)).fetchone()[0])
        return total

    def close(self) -> None:
        with self._lock:
            for file in self._days.values():
                file.close()
            self._days.clear()
            if self._lease is not None:
                os.close(self._lease)
                self._lease = None

    def forget_gone(self) -> None:
        """Close files that another process has removed, so that their space is free."""
        with self._lock:
            for day in [day for day, file in self._days.items() if file.moved()]:
                self._days.pop(day).close()

    def _day(self, day: str, create: bool = False) -> DayFile:
        with self._lock:
            file = self._days.get(day)
            if file is not None and file.moved():
                self._days.pop(day).close()
                self.reduced.setdefault(day, True)  # whoever set it aside has counted what was lost
                file = None
            if file is None:
                with self._alone():
                    file = self._days[day] = self._open(day, create)
            return file

    def _open(self, day: str, create: bool) -> DayFile:
        path = self.folder / f"spool-{day}.db"
        fresh = self._finish_salvage(path)
        if self._lease is not None and (commits := passed_over(path.with_name(path.name + "-wal"))):
            self.corrupt_files += 1
            self.lost_records += commits
            self.reduced[day] = True
            log.error("%s-wal is damaged: at least %d records are lost to delivery", path.name, commits)
        elif not fresh and _is_empty(path):
            self.reduced[day] = False  # cut off at its birth, or emptied by someone: the index knows
        try:
            file = DayFile(path, self.dead_room.takes, create)
        except Corrupt:
            self._save(day)
            file, fresh = DayFile(path, self.dead_room.takes, create=False), True
        if fresh:
            self.sync_folder()
        return file

    def _finish_salvage(self, path: Path) -> bool:
        """What a salvage that was cut off left; True when the day has no file yet."""
        rescued = path.with_suffix(".salvage")
        if path.exists():
            for suffix in ("", "-wal", "-shm"):
                rescued.with_name(rescued.name + suffix).unlink(missing_ok=True)
            return False
        if rescued.exists():
            # A cut between the two: the log of the damaged file would be read into the new one.
            set_aside(path)
            rescued.rename(path)
        return True

    def _set_aside(self, day: str, file: DayFile) -> None:
        """Keep a damaged file under another name; what can be read of it goes on in a new one."""
        with self._lock, self._alone():
            if self._days.get(day) is file:
                del self._days[day]
            moved = file.moved()
            file.close()
            if moved:  # another process was first
                self.reduced.setdefault(day, True)
            else:
                self._save(day)

    def _save(self, day: str) -> None:
        path = self.folder / f"spool-{day}.db"
        rescued = path.with_suffix(".salvage")
        self._finish_salvage(path)
        fresh = DayFile(rescued, self.dead_room.takes)
        try:
            found = fresh.take_from(lambda target: salvage(path, target))
        finally:
            fresh.close()
        name = set_aside(path).name
        rescued.rename(path)
        self.sync_folder()
        self.corrupt_files += 1
        self.lost_records += found.lost or 0
        self.reduced[day] = found.lost is not None
        log.error("%s is damaged and was set aside as %s; %s", path.name, name, _saved(found))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time opens and renames files, and none appends meanwhile; `_lock` is held."""
        if self._is_alone:
            yield
            return
        with self._turn(fcntl.LOCK_EX):
            self._is_alone = True
            try:
                yield
            finally:
                self._is_alone = False

    def _steady(self) -> contextlib.AbstractContextManager[None]:
        """No process renames files meanwhile."""
        return self._turn(fcntl.LOCK_SH)

    @contextlib.contextmanager
    def _turn(self, kind: int) -> Iterator[None]:
        handle = os.open(self.folder / "turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, kind)
            yield
        finally:
            os.close(handle)

    def forgotten(self, claims: int, counted: bool) -> None:
        """So many claims of lost records were dropped from the index; they tell the loss where nothing else does."""
        if claims and not counted:
            self.lost_records += claims
            log.error("%d events that were under way or written are no more in the spool", claims)

    def missing(self, days: Sequence[str]) -> None:
        """Days that the index knows: one that has neither a file nor an archived ledger is lost with its records."""
        here = {*self.days(), *self._archived()}
        for day in days:
            if day not in here:
                self.corrupt_files += 1
                self.reduced[day] = False
                log.error("spool-%s.db is gone; what was pending in it is lost to delivery", day)

    def _check_room(self, entries: Sequence[Entry]) -> None:
        if time.monotonic() - self._room_checked < 1:
            return
        if self.size() > self.settings.max_bytes:
            raise SpoolFull(
                f"{self.folder}: the spool has reached its limit of {self.settings.max_bytes} bytes; raise "
                "PERISCOPE_SPOOL__MAX_BYTES or wait until written days are removed"
            )
        oldest_ns = self.oldest_pending_ns()
        if oldest_ns is not None and entries:
            age_h = (max(entry.received_ns for entry in entries) - oldest_ns) / _HOUR_NS
            if age_h > self.settings.max_age_h:
                raise SpoolFull(
                    f"{self.folder}: the oldest message waits for {age_h:.0f} h to be delivered, more than "
                    f"{self.settings.max_age_h} h; bring the store back, or raise PERISCOPE_SPOOL__MAX_AGE_H"
                )
        self._room_checked = time.monotonic()


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return False


def _saved(found: Salvaged) -> str:
    lost = "an unknown number" if found.lost is None else str(found.lost)
    return f"{found.kept} of its records go on, {lost} are lost to delivery"


def _sum(one: Counts | None, other: Counts) -> Counts:
    if not one:
        return other
    both = Counter(one)
    both.update(other)
    return Counter({key: n for key, n in both.items() if n})
