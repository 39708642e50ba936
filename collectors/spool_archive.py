"""What outlives a day file: its ledger and its dead letters, in `archive.db` beside it.

Promises: a day is archived, durably, before its file is unlinked; archiving a day again changes nothing.
"""

from collections import Counter
from pathlib import Path

from collectors import ledger
from collectors.ledger import DEAD, Counts
from collectors.spool_day import DayFile
from collectors.spool_file import connect, disk_errors

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger(
  day TEXT NOT NULL, pilot TEXT NOT NULL, feed TEXT NOT NULL, fate TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (day, pilot, feed, fate)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter(
  day TEXT NOT NULL, seq INTEGER NOT NULL, point TEXT NOT NULL, pilot TEXT NOT NULL, feed TEXT NOT NULL,
  topic TEXT NOT NULL, payload BLOB NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, size INTEGER NOT NULL,
  sha256 TEXT NOT NULL, PRIMARY KEY (day, seq, point)) WITHOUT ROWID;
"""
_DEAD = """SELECT d.seq, d.point, m.pilot, m.feed, m.topic, m.payload, d.stage, d.code, d.text, d.attempts, d.first_ns,
           d.last_ns, d.size, d.sha256 FROM dead_letter d JOIN message m USING (seq) WHERE m.state = ?"""


def archive(folder: Path, file: DayFile) -> None:
    """Copy the ledger and the dead letters of a day; returns when they are on disk."""
    with file.reading() as day:
        counts = ledger.read(day)
        dead = day.execute(_DEAD, (DEAD,)).fetchall()
    path = folder / "archive.db"
    with disk_errors(path):
        target = connect(path)
        try:
            target.executescript(_SCHEMA)
            target.execute("BEGIN IMMEDIATE")
            target.executemany(
                "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?)",
                [(file.day, *key, n) for key, n in counts.items()],
            )
            target.executemany(
                f"INSERT OR REPLACE INTO dead_letter VALUES ({', '.join('?' * 15)})", [(file.day, *row) for row in dead]
            )
            target.execute("COMMIT")
        finally:
            target.close()


def archived_ledger(folder: Path) -> dict[str, Counts]:
    """The ledgers of days whose files are gone."""
    path = folder / "archive.db"
    found: dict[str, Counts] = {}
    if not path.exists():
        return found
    with disk_errors(path):
        connection = connect(path)
        try:
            connection.executescript(_SCHEMA)  # one that was begun anew may be empty
            for day, pilot, feed, fate, n in connection.execute("SELECT day, pilot, feed, fate, n FROM ledger"):
                found.setdefault(day, Counter())[pilot, feed, fate] = n
        finally:
            connection.close()
    return found
