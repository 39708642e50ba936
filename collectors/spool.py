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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from collectors import ledger
from collectors.clock_rules import utc_day
from collectors.dead_room import DeadRoom
from collectors.ledger import DEAD, Counts
from collectors.message import SpoolFailed, SpoolFull, SpoolHeld
from collectors.spool_archive import Archived, archive, archived_bodies, archived_ledger, file_id, merged
from collectors.spool_day import DIRECT, LIVE, REPLAY, DayFile, Entry, Fate, Record
from collectors.spool_file import Corrupt, connect
from config.settings import Spool as SpoolSettings

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
        self._days: dict[str, DayFile] = {}
        self._drained: set[str] = set()
        self._again = 0
        self.dead_room = DeadRoom(settings.dead_letter_bytes, self._dead_bytes)
        self._lock = threading.RLock()
        self._lease: int | None = None
        self._room_checked = 0.0
        self._read_from: dict[str, DayFile] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if lease:
                self._lease = self._lock_file("lease")
                os.utime(self._lease)  # when this collector started, for whoever looks at the folder
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
        self._check_room()
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            groups.setdefault(utc_day(entry.received_ns), []).append(entry)
        for day, group in groups.items():
            self._append_to(day, group)

    def _append_to(self, day: str, group: list[Entry]) -> None:
        for _ in range(3):
            file = self._day(day)
            try:
                file.append(group, time.monotonic_ns())
            except Corrupt:
                self._set_aside(day, file)
                continue
            if not file.moved():
                return  # else another process set it aside meanwhile; there nobody would deliver these messages
        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk") from None

    def pending(self, limit: int, under_way: Span = NOTHING) -> tuple[str, list[Record]] | None:
        """The next messages to deliver, all of one day file: live ones before direct ones, older days first.

        Those that lie within `under_way` are passed over.
        """
        self._notice()
        for priority in (LIVE, DIRECT, REPLAY):
            for day in self.days():
                if day not in self._drained and (rows := self._rows(day, priority, limit, under_way)):
                    return day, rows
        if under_way == NOTHING:  # another process appends only to today's file, at midnight to yesterday's
            self._drained.update(self.days()[:-2])
        return None

    def _rows(self, day: str, priority: int, limit: int, under_way: Span) -> list[Record]:
        file = self._day(day)
        try:
            self._read_from[day] = file
            return file.pending(priority, limit, under_way.within(day))
        except Corrupt:
            self._set_aside(day, file)
            return []

    def mark(
        self,
        day: str,
        fates: Sequence[Fate],
        now_ns: int,
        measured: Mapping[tuple[str, str, str, int], int] | None = None,
    ) -> None:
        """Record what became of messages of one day file, as `pending` read it, and what was measured on their way."""
        file = self._day(day)
        if file is not self._read_from.get(day):
            return  # they went with the file that was set aside
        try:
            file.mark(fates, now_ns, measured)
        except Corrupt:
            self._set_aside(day, file)

    def look_again(self) -> None:
        """Look into days that were done: another process may have made messages there pending again."""
        self._drained.clear()
        with self._lock:
            for day, file in list(self._days.items()):
                if file.moved():  # removed by another process, or made anew
                    self._days.pop(day)

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
        with file.changing() as connection:
            if (day, file_id(connection)) in merged(self.folder):
                self._remove(file)  # whoever archived it may have been cut off before that
                raise Archived(day)
            yield connection

    @contextlib.contextmanager
    def reading(self, day: str) -> Iterator[sqlite3.Connection]:
        """A connection of its own for reports; raises Archived when the file of that day is gone."""
        path = self.folder / f"spool-{day}.db"
        if not path.exists():
            raise Archived(day)
        try:
            with self._day(day).reading() as connection:
                yield connection
        except SpoolFailed:
            if not path.exists():
                raise Archived(day) from None
            raise

    def days(self) -> list[str]:
        """UTC days that have a file, oldest first."""
        return sorted(path.stem.removeprefix("spool-") for path in self.folder.glob("spool-????-??-??.db"))

    def day(self, day: str) -> DayFile:
        return self._day(day)

    def has_pending(self) -> bool:
        return any(self._day(day).has_pending() for day in self.days() if day not in self._drained)

    def ledger(self) -> dict[str, Counts]:
        """The ledger of every day that is known, archived days included."""
        return self._ledgers(ledger.read, only_here=False)

    def derived_ledger(self) -> dict[str, Counts]:
        """The same of the days whose files are still here, counted again from the records."""
        return self._ledgers(ledger.derive, only_here=True)

    def _ledgers(self, count: Callable[[sqlite3.Connection], Counts], only_here: bool) -> dict[str, Counts]:
        here: dict[str, tuple[int, Counts]] = {}
        for day in self.days():
            with contextlib.suppress(Archived), self.reading(day) as connection:
                here[day] = file_id(connection), count(connection)
        done = merged(self.folder)  # read after the files, so that a day archived meanwhile is not counted twice
        found = archived_ledger(self.folder)
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
            if file.has_pending() or file.last_received_ns() > now_ns - self.settings.journal_h * _HOUR_NS:
                continue
            with file.changing():  # whoever makes messages of this day pending again waits, and finds them archived
                if file.has_pending() or file.moved():
                    continue
                archive(self.folder, file)
                self._remove(file)
            file.close()
            gone.append(day)
        return gone

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
        total = archived_bodies(self.folder)
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

    def _day(self, day: str) -> DayFile:
        with self._lock:
            file = self._days.get(day)
            if file is not None and file.moved():
                self._days.pop(day).close()
                file = None
            if file is None:
                path = self.folder / f"spool-{day}.db"
                fresh = not path.exists()
                file = self._open(path)
                if fresh:
                    self.sync_folder()
                self._days[day] = file
            return file

    def _open(self, path: Path) -> DayFile:
        with contextlib.suppress(Corrupt):
            return DayFile(path, self.dead_room.takes)
        with self._alone():
            with contextlib.suppress(Corrupt):
                return DayFile(path, self.dead_room.takes)  # another process has set it aside meanwhile
            self._rename(path)
            return DayFile(path, self.dead_room.takes)

    def _set_aside(self, day: str, file: DayFile) -> None:
        """Keep a damaged file under another name, so that the day can go on in a new one."""
        with self._lock, self._alone():
            if self._days.get(day) is file:
                del self._days[day]
            damaged = not file.moved()
            file.close()
            if damaged:
                self._rename(file.path)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time renames files."""
        handle = self._lock_file("renaming", 10)
        try:
            yield
        finally:
            os.close(handle)

    def _rename(self, path: Path) -> None:
        self.corrupt_files += 1
        number = len([one for one in self.folder.glob(f"{path.name}.damaged-*") if one.name[-1].isdigit()])
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(path.with_name(f"{path.name}.damaged-{number}{suffix}"))
        self.sync_folder()
        log.error(
            "%s is damaged and was set aside as %s.damaged-%d; its pending messages are lost to delivery",
            path.name,
            path.name,
            number,
        )

    def _check_room(self) -> None:
        if time.monotonic() - self._room_checked < 1:
            return
        if self.size() > self.settings.max_bytes:
            raise SpoolFull(
                f"{self.folder}: the spool has reached its limit of {self.settings.max_bytes} bytes; raise "
                "PERISCOPE_SPOOL__MAX_BYTES or wait until written days are removed"
            )
        self._room_checked = time.monotonic()


def _sum(one: Counts | None, other: Counts) -> Counts:
    if not one:
        return other
    both = Counter(one)
    both.update(other)
    return Counter({key: n for key, n in both.items() if n})
