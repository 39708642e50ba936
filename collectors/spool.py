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
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from collectors import ledger
from collectors.clock_rules import utc_day
from collectors.ledger import Counts
from collectors.message import SpoolFailed, SpoolFull, SpoolHeld
from collectors.spool_archive import archive, archived_ledger
from collectors.spool_day import DayFile, Entry, Fate, Record, has_pending, oldest_pending_ns
from collectors.spool_file import Corrupt, set_aside
from collectors.spool_salvage import Salvaged, passed_over, salvage
from config.settings import Spool as SpoolSettings

if TYPE_CHECKING:
    import sqlite3

_T = TypeVar("_T")
log = logging.getLogger(__name__)
_HOUR_NS = 3_600_000_000_000
LIVE, DIRECT = 0, 1


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
        self._lock = threading.RLock()
        self._lease: int | None = None
        self._room_checked = 0.0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if lease:
                self._lease = self._take_lease()
                for rescued in folder.glob("spool-????-??-??.salvage"):
                    self._finish_salvage(rescued.with_suffix(".db"))
            self.sync_folder()
        except OSError as error:
            raise SpoolFailed(
                f"{folder}: the spool folder cannot be used ({error.strerror}); "
                "make it writable or set PERISCOPE_STATE to another folder"
            ) from error

    def _take_lease(self) -> int:
        handle = os.open(self.folder / "lease", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise SpoolHeld(
                f"{self.folder}: another collector already delivers from this spool; stop it, or give this "
                "one its own name with PERISCOPE_COLLECTOR"
            ) from None
        return handle

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
        for day, group in groups.items():
            self._drained.discard(day)  # a clock that was set back
            for attempt in (1, 2):
                try:
                    self._day(day).append(group, time.monotonic_ns())
                    break
                except Corrupt:
                    self._set_aside(day)
                    if attempt == 2:
                        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk") from None

    def pending(self, limit: int, without: Collection[tuple[str, int]] = ()) -> tuple[str, list[Record]] | None:
        """The next messages to deliver, all of one day file: live ones before direct ones, older days first.

        Those of `without`, as (day, seq), are left for later.
        """
        for priority in (LIVE, DIRECT):
            for day in self.days():
                if day in self._drained:
                    continue
                rows = self._rows(day, priority, limit + len(without))
                if without:
                    rows = [row for row in rows if (day, row.seq) not in without][:limit]
                if rows:
                    return day, rows
        if without:
            return None
        for day in self.days()[:-2]:  # another process appends only to today's file, at midnight to yesterday's
            self._drained.add(day)
        return None

    def _rows(self, day: str, priority: int, limit: int) -> list[Record]:
        for _ in range(2):
            try:
                return self._day(day).pending(priority, limit)
            except Corrupt:
                self._set_aside(day)  # what could be read of it is asked for once more
        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk")

    def mark(self, day: str, fates: Sequence[Fate], now_ns: int) -> None:
        """Record what became of messages of one day file."""
        try:
            self._day(day).mark(fates, now_ns)
        except Corrupt:
            self._set_aside(day)

    def look_again(self) -> None:
        """Look into days that were done: another process may have requeued dead letters there."""
        self._drained.clear()

    def reopen(self, day: str, seqs: Sequence[int]) -> int:
        """Make dead-lettered messages of a day pending again."""
        self._drained.discard(day)
        return self._day(day).reopen(seqs)

    def days(self) -> list[str]:
        """UTC days that have a file, oldest first."""
        return sorted(path.stem.removeprefix("spool-") for path in self.folder.glob("spool-????-??-??.db"))

    def day(self, day: str) -> DayFile:
        return self._day(day)

    def has_pending(self) -> bool:
        return any(self._read(day, has_pending) for day in self.days() if day not in self._drained)

    def oldest_pending_ns(self) -> int | None:
        """When the oldest message that is still to be delivered was received."""
        found = [ns for day in self.days() if (ns := self._read(day, oldest_pending_ns)) is not None]
        return min(found, default=None)

    def ledger(self) -> dict[str, Counts]:
        """The ledger of every day that is known, archived days included."""
        found = self._archived()
        for day in self.days():
            found[day] = self._read(day, ledger.read)
        return found

    def _archived(self) -> dict[str, Counts]:
        try:
            return archived_ledger(self.folder)
        except Corrupt:
            self._lose_archive()
            return {}

    def _lose_archive(self) -> None:
        name = set_aside(self.folder / "archive.db").name
        self.corrupt_files += 1
        log.error("archive.db is damaged and was set aside as %s; the counts of old days are lost", name)

    def _read(self, day: str, read: Callable[["sqlite3.Connection"], _T]) -> _T:
        """Read a day file beside the running threads; one that is damaged is set aside first."""
        for attempt in (1, 2):
            try:
                with self._day(day).reading() as connection:
                    return read(connection)
            except Corrupt:
                if attempt == 2:
                    break
                self._set_aside(day)
        raise SpoolFailed(f"{self.folder}: new files cannot be read back; check the disk")

    def derived_ledger(self) -> dict[str, Counts]:
        """The same, counted again from the records of the day files that are still here."""
        found = {}
        for day in self.days():
            found[day] = self._read(day, ledger.derive)
        return found

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
            try:
                archive(self.folder, file)
            except Corrupt:
                self._lose_archive()
                archive(self.folder, file)
            with self._lock:
                self._days.pop(day).close()
                for suffix in ("", "-wal", "-shm"):
                    file.path.with_name(file.path.name + suffix).unlink(missing_ok=True)
                self.sync_folder()
            gone.append(day)
        return gone

    def close(self) -> None:
        with self._lock:
            for file in self._days.values():
                file.close()
            self._days.clear()
            if self._lease is not None:
                os.close(self._lease)
                self._lease = None

    def _day(self, day: str) -> DayFile:
        with self._lock:
            file = self._days.get(day)
            if file is None:
                path = self.folder / f"spool-{day}.db"
                fresh = self._finish_salvage(path)
                if self._lease is not None and (commits := passed_over(path.with_name(path.name + "-wal"))):
                    self.corrupt_files += 1
                    self.lost_records += commits
                    self.reduced[day] = True
                    log.error("%s-wal is damaged: at least %d records are lost to delivery", path.name, commits)
                elif not fresh and path.stat().st_size == 0:
                    self.reduced[day] = False  # cut off at its birth, or emptied by someone: the index knows
                try:
                    file = DayFile(path)
                except Corrupt:
                    self._set_aside(day)
                    file, fresh = DayFile(path), True
                if fresh:
                    self.sync_folder()
                self._days[day] = file
            return file

    def _finish_salvage(self, path: Path) -> bool:
        """What a salvage that was cut off left; True when the day has no file yet."""
        rescued = path.with_suffix(".salvage")
        if path.exists():
            for suffix in ("", "-wal", "-shm"):
                rescued.with_name(rescued.name + suffix).unlink(missing_ok=True)
            return False
        if rescued.exists():
            rescued.rename(path)
        return True

    def _set_aside(self, day: str) -> None:
        """Keep a damaged file under another name; what can be read of it goes on in a new one."""
        with self._lock:
            if (file := self._days.pop(day, None)) is not None:
                file.close()
            path = self.folder / f"spool-{day}.db"
            rescued = path.with_suffix(".salvage")
            self._finish_salvage(path)
            fresh = DayFile(rescued)
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


def _saved(found: Salvaged) -> str:
    lost = "an unknown number" if found.lost is None else str(found.lost)
    return f"{found.kept} of its records go on, {lost} are lost to delivery"
