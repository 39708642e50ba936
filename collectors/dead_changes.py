"""Dead letters tried again after a mend, or purged; safe to repeat, beside a running collector or without one.

Promises: a message requeued is pending again with its own time of receipt, so that it is received once and everything
adds up; after three requeues it stays parked; a purged message keeps nothing but its count as dead-lettered.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from collectors import ledger, spool_archive
from collectors.dead_letters import ALL, MOST_REQUEUES, DeadLetter, Selection, each
from collectors.ledger import DEAD, Counts
from collectors.spool import Spool
from collectors.spool_archive import Archived
from collectors.spool_day import DIRECT
from collectors.spool_file import connect, disk_errors

Row = tuple[Any, ...]
_CHUNK = 500  # messages in one transaction, as the collector waits for it
_FIND = """SELECT pilot, feed, points, points_dead, replaced, empty FROM message
           WHERE seq = ? AND state = ? AND attempts < ?"""
_REOPEN = """UPDATE message SET state = 0, priority = ?, points = 0, points_dead = 0, replaced = 0, empty = 0,
             attempts = attempts + 1 WHERE seq = ?"""
_ARCHIVED = """SELECT received_ns, pilot, feed, topic, payload, content_type, retained, requeues, points, points_dead,
               replaced, empty FROM dead_letter WHERE day = ? AND seq = ? LIMIT 1"""
_LETTERS = """SELECT seq, point, stage, code, text, attempts, first_ns, last_ns, size, sha256, software
              FROM dead_letter WHERE day = ? AND seq = ?"""
_RESTORE = """INSERT OR IGNORE INTO message(seq, received_ns, monotonic_ns, pilot, feed, topic, payload, content_type,
              retained, priority, attempts) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)"""
_EMPTY = "UPDATE message SET payload = x'', content_type = '', event_id = NULL, actor_key = NULL WHERE seq = ?"
_WHY = {
    "parked": f"requeued {MOST_REQUEUES} times already",
    "no_body": "without their whole body",
    "earlier_version": "archived by an earlier version",
    "changed": "changed meanwhile",
}


@dataclass
class Outcome:
    """How many messages were changed, and how many were not, by reason: parked, no_body, earlier_version, changed."""

    done: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def sentence(self, verb: str) -> str:
        """Such as "Requeued 3 messages; skipped 1 without their whole body." """
        skipped = ", ".join(f"{n} {_WHY.get(reason, reason)}" for reason, n in sorted(self.skipped.items()))
        return f"{verb} {self.done} message{'' if self.done == 1 else 's'}{f'; skipped {skipped}' if skipped else ''}."


def requeue(spool: Spool, which: Selection = ALL) -> Outcome:
    """Make the selected dead letters pending again; what cannot be is skipped and counted by its reason."""
    outcome = Outcome()
    for day, letters in _by_day(each(spool, which)):
        wanted = []
        for letter in letters:
            if reason := _unfit(letter):
                outcome.skipped[reason] += 1
            else:
                wanted.append(letter.seq)
        done = spool.whole(day, partial(_reopen, spool, day, wanted)) if wanted else 0
        outcome.done += done
        if len(wanted) > done:
            outcome.skipped["changed"] += len(wanted) - done
    spool.announce()
    return outcome


def purge(spool: Spool, which: Selection) -> Outcome:
    """Remove bodies, reasons and keys of the selected messages for good, from the journal of changes too."""
    outcome = Outcome()
    days = set()
    for day, letters in _by_day(each(spool, which)):
        days.add(day)
        outcome.done += spool.whole(day, partial(_purge, spool, day, [letter.seq for letter in letters]))
    for name in ["archive.db", *(f"spool-{day}.db" for day in days)]:
        path = spool.folder / name
        if days and path.exists():
            with disk_errors(path), closing(connect(path, create=False)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    spool.announce()
    return outcome


def _by_day(letters: Iterable[DeadLetter]) -> Iterator[tuple[str, list[DeadLetter]]]:
    """One letter for each message, in lists of one day."""
    chosen: dict[tuple[str, int], DeadLetter] = {}
    for letter in letters:
        chosen.setdefault((letter.day, letter.seq), letter._replace(payload=b"", size=_missing(letter)))
    for day in sorted({day for day, _ in chosen}):
        those = iter([letter for (of, _), letter in sorted(chosen.items()) if of == day])
        while chunk := list(islice(those, _CHUNK)):
            yield day, chunk


def _missing(letter: DeadLetter) -> int:
    """Bytes of the body that are not kept: many letters are held at once, so their bodies are not."""
    return abs(letter.size - len(letter.payload))


def _unfit(letter: DeadLetter) -> str:
    if letter.parked:
        return "parked"
    if letter.size:
        return "no_body"
    return "earlier_version" if letter.archived and not letter.received_ns else ""


def _reopen(spool: Spool, day: str, seqs: list[int]) -> int:
    changes: Counts = Counter()
    try:
        with spool.changing(day) as connection:
            archived = [seq for seq in seqs if not _reopen_here(connection, seq, changes)]
            ledger.add(connection, changes)
    except Archived:
        archived, changes = seqs, Counter()
    done = sum(n for (_, _, fate), n in changes.items() if fate == "pending")
    return done + (_restore(spool, day, archived) if archived else 0)


def _reopen_here(connection: sqlite3.Connection, seq: int, changes: Counts) -> bool:
    row = connection.execute(_FIND, (seq, DEAD, MOST_REQUEUES)).fetchone()
    if row is None:
        return False
    connection.execute(_REOPEN, (DIRECT, seq))
    _again(changes, *row)
    return True


def _again(changes: Counts, pilot: str, feed: str, *points: int) -> None:
    changes[pilot, feed, "dead_lettered"] -= 1
    changes[pilot, feed, "pending"] += 1
    ledger.add_points(changes, pilot, feed, points, times=-1)


def _restore(spool: Spool, day: str, seqs: list[int]) -> int:
    """Bring messages of an archived day into a file of that day, then take their letters off the archive.

    The file's ledger holds only the change, so a crash in between leaves nothing counted twice; the letters that it
    leaves in the archive are passed over, as their messages are in a file.
    """
    with spool_archive.reading(spool.folder) as archive:
        if archive is None:
            return 0
        found = [
            (seq, row, archive.execute(_LETTERS, (day, seq)).fetchall())
            for seq in seqs
            if (row := archive.execute(_ARCHIVED, (day, seq)).fetchone()) is not None
        ]
    if not found:
        return 0
    changes: Counts = Counter()
    spool.day(day)  # a file again
    with spool.changing(day) as connection:
        for seq, row, letters in found:
            _restore_one(connection, seq, row, letters, changes)
        ledger.add(connection, changes)
    with spool_archive.changing(spool.folder) as archive:
        archive.executemany("DELETE FROM dead_letter WHERE day = ? AND seq = ?", [(day, seq) for seq, *_ in found])
    return sum(n for (_, _, fate), n in changes.items() if fate == "pending")


def _restore_one(connection: sqlite3.Connection, seq: int, row: Row, letters: list[Row], changes: Counts) -> None:
    received_ns, pilot, feed, topic, payload, content_type, retained, requeues, *points = row
    done = connection.execute(
        _RESTORE,
        (seq, received_ns, pilot, feed, topic, payload, content_type, retained, DIRECT, requeues + 1),
    )
    if done.rowcount:
        connection.execute("INSERT INTO restored VALUES (?, ?, ?, ?, ?)", (seq, *points))
        connection.executemany("INSERT INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", letters)
        _again(changes, pilot, feed, *points)


def _purge(spool: Spool, day: str, seqs: list[int]) -> int:
    done = 0
    try:
        with spool.changing(day) as connection:
            for seq in seqs:
                if connection.execute("SELECT 1 FROM message WHERE seq = ? AND state = ?", (seq, DEAD)).fetchone():
                    done += connection.execute("DELETE FROM dead_letter WHERE seq = ?", (seq,)).rowcount > 0
                    connection.execute(_EMPTY, (seq,))
    except Archived:
        pass
    if not (spool.folder / "archive.db").exists():
        return done
    with spool_archive.changing(spool.folder) as archive:
        for seq in seqs:
            done += archive.execute("DELETE FROM dead_letter WHERE day = ? AND seq = ?", (day, seq)).rowcount > 0
    return done
