"""What was written is written again: for a store restored from a backup, or one that lost what it had accepted.

Promises: nothing is received anew and every point lands on its own nanosecond again, so replaying more than was lost
changes nothing; live messages go first; an interrupted replay may be repeated. It reaches back as far as the journal.
"""

import re
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from collectors import ledger
from collectors.clock_rules import utc_day
from collectors.ledger import DEAD, DROPPED, WRITTEN, Counts
from collectors.spool import Spool
from collectors.spool_archive import Archived
from collectors.spool_day import REPLAY
from config.catalogue import parse_duration
from pipeline.feed_report import iso_utc
from pipeline.model import NS_PER_S

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK = 2000
_FIND = """SELECT seq, pilot, feed, state, rule, points, points_dead, 0, empty,
           CASE WHEN state <> :dead THEN length(m.payload) > 0
           ELSE EXISTS (SELECT 1 FROM dead_letter d WHERE d.seq = m.seq AND d.size = length(m.payload)) END
           FROM message m WHERE seq > :after AND received_ns >= :since AND received_ns < :until
           AND (:pilot IS NULL OR pilot = :pilot) AND (state = :written OR (state = :dead AND points > points_dead)
           OR (:dropped AND state = :drop))
           ORDER BY seq LIMIT :limit"""
# What it replaced stays: a correction that was corrected itself can tell it no more.
_REOPEN = "UPDATE message SET state = 0, priority = ?, points = 0, points_dead = 0, empty = 0 WHERE seq = ?"


@dataclass
class Replayed:
    """How many messages will be written again; `without_body` cannot be, as a dead letter's body was not kept.

    `begins_ns` is the oldest message of the journal, None when there is none.
    """

    done: int = 0
    without_body: int = 0
    begins_ns: int | None = None

    def sentence(self, since_ns: int) -> str:
        """What will happen, and what cannot."""
        said = f"{self.done} messages are to be written again; the collector does it now, or when it is started."
        if self.without_body:
            said += f" {self.without_body} cannot be, as their bodies were not kept."
        if self.begins_ns is None or self.begins_ns > since_ns:
            begins = "is empty" if self.begins_ns is None else f"begins at {iso_utc(self.begins_ns)}"
            said += f" The journal {begins}: what was received before cannot be replayed."
        return said


def read_moment(text: str, now_ns: int) -> int:
    """A time in ns; without a zone it is UTC, and a duration is that long ago. Raises ValueError with the remedy.

    >>> read_moment("1970-01-01T00:00:01Z", 0), read_moment("2s", 5_000_000_000)
    (1000000000, 3000000000)
    """
    if re.fullmatch(r"\d+\s*[smhd]", text.strip()):
        ago = parse_duration(text)
        assert isinstance(ago, timedelta)
        return now_ns - int(ago.total_seconds()) * NS_PER_S
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError('write it as 2026-11-26, 2026-11-26T03:00Z or "12h"') from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int((moment - _EPOCH) / timedelta(microseconds=1)) * 1000


def replay(spool: Spool, since_ns: int, until_ns: int, pilot: str | None = None, dropped: bool = False) -> Replayed:
    """Make messages pending again that were received in a span of time, end excluded, and have stored points.

    With `dropped` also those that a rule dropped: a mended map may find readings in them.
    """
    outcome = Replayed()
    for day in spool.days():
        try:
            spool.whole(day, partial(_note_beginning, spool, day, outcome))
            if utc_day(since_ns) <= day <= utc_day(until_ns - 1):
                spool.whole(day, partial(_replay_day, spool, day, since_ns, until_ns, pilot, dropped, outcome))
        except Archived:  # its journal time ended meanwhile
            continue
    spool.announce()
    return outcome


def _note_beginning(spool: Spool, day: str, outcome: Replayed) -> None:
    if outcome.begins_ns is None:
        with spool.reading(day) as connection:
            outcome.begins_ns = connection.execute("SELECT min(received_ns) FROM message").fetchone()[0]


def _replay_day(
    spool: Spool, day: str, since_ns: int, until_ns: int, pilot: str | None, dropped: bool, outcome: Replayed
) -> None:
    after = -1
    while True:
        asked = {
            "after": after,
            "since": since_ns,
            "until": until_ns,
            "pilot": pilot,
            "written": WRITTEN,
            "dead": DEAD,
            "drop": DROPPED,
            "dropped": dropped,
            "limit": _CHUNK,
        }
        with spool.changing(day) as connection:
            rows = connection.execute(_FIND, asked).fetchall()
            _reopen(connection, [row[:-1] for row in rows if row[-1]])
        if not rows:
            return
        whole = sum(1 for row in rows if row[-1])
        outcome.done += whole
        outcome.without_body += len(rows) - whole
        after = rows[-1][0]


def _reopen(connection: sqlite3.Connection, rows: list[tuple[int, str, str, int, str, int, int, int, int]]) -> None:
    changes: Counts = Counter()
    for _, pilot, feed, state, rule, *points in rows:
        changes[pilot, feed, ledger.fate_of(state, rule)] -= 1
        changes[pilot, feed, "pending"] += 1
        ledger.add_points(changes, pilot, feed, points, times=-1)
    connection.executemany(_REOPEN, [(REPLAY, row[0]) for row in rows])
    ledger.add(connection, changes)
