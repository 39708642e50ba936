"""What could not be stored, with its reason: which there are, and how many of each kind.

A letter is a message, or one point of a message, that is set aside; its id is `day/number` of its message. Changing
them is in `dead_changes`. Promises: days whose files are gone are answered from the archive; a message purged has no
letter any more and stays counted as dead-lettered.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from collectors import spool_archive
from collectors.ledger import DEAD
from collectors.spool import Spool
from collectors.spool_archive import Archived

MOST_REQUEUES = 3
_ESCAPED = re.compile(rb"\\u00([0-7][0-9a-fA-F])")  # a pseudonym is ASCII
_HERE = """SELECT d.seq, d.point, m.received_ns, m.pilot, m.feed, m.topic, m.payload, m.content_type, d.stage, d.code,
           d.text, m.attempts, d.first_ns, d.last_ns, d.size, d.sha256, d.attempts, d.software, m.actor_key
           FROM dead_letter d CROSS JOIN message m USING (seq)
           WHERE m.state = :dead AND (:pilot IS NULL OR m.pilot = :pilot) AND (:feed IS NULL OR m.feed = :feed)
           AND (:code IS NULL OR d.code = :code) AND (:before IS NULL OR d.last_ns < :before)
           AND (:seq IS NULL OR d.seq = :seq) ORDER BY d.seq DESC, d.point DESC"""
_ARCHIVED = """SELECT day, seq, point, received_ns, pilot, feed, topic, payload, content_type, stage, code, text,
               requeues, first_ns, last_ns, size, sha256, attempts, software, actor_key FROM dead_letter
               WHERE (:pilot IS NULL OR pilot = :pilot) AND (:feed IS NULL OR feed = :feed)
               AND (:code IS NULL OR code = :code) AND (:before IS NULL OR last_ns < :before)
               AND (:seq IS NULL OR seq = :seq) AND (:day IS NULL OR day = :day)
               ORDER BY day DESC, seq DESC, point DESC"""
_COUNT_HERE = """SELECT m.pilot, d.stage, d.code, count(*) FROM dead_letter d CROSS JOIN message m USING (seq)
                 WHERE m.state = ? GROUP BY 1, 2, 3"""
_COUNT_ARCHIVED = "SELECT pilot, stage, code, count(*) FROM dead_letter GROUP BY 1, 2, 3"


class DeadLetter(NamedTuple):
    """One message, or one point of a message, that is set aside. `attempts` counts requeues, `seen` refusals."""

    day: str
    seq: int
    point: str
    received_ns: int
    pilot: str
    feed: str
    topic: str
    payload: bytes
    content_type: str
    stage: str
    code: str
    text: str
    attempts: int
    first_ns: int
    last_ns: int
    size: int
    sha256: str
    seen: int = 1
    software: str = ""
    actor_key: str | None = None
    archived: bool = False

    @property
    def id(self) -> str:
        return f"{self.day}/{self.seq}"

    @property
    def parked(self) -> bool:
        return self.attempts >= MOST_REQUEUES


@dataclass(frozen=True)
class Selection:
    """Which letters: what is None or empty does not select. `before_ns` is when they were last seen."""

    pilot: str | None = None
    feed: str | None = None
    code: str | None = None
    ids: tuple[tuple[str, int], ...] = ()
    before_ns: int | None = None
    actor_key: str | None = None

    def selects_all(self) -> bool:
        return self == Selection()

    def asked(self) -> Iterator[tuple[str | None, dict[str, object]]]:
        """(day or None for any, named parameters) of each query to make."""
        common = {"dead": DEAD, "pilot": self.pilot, "feed": self.feed, "code": self.code, "before": self.before_ns}
        if not self.ids:
            yield None, {**common, "seq": None, "day": None}
        for day, seq in self.ids:
            yield day, {**common, "seq": seq, "day": day}

    def takes(self, letter: DeadLetter) -> bool:
        """What the queries leave open: whether the letter is about that person."""
        return self.actor_key is None or mentions(letter, self.actor_key)


ALL = Selection()


def parse_id(text: str) -> tuple[str, int]:
    """Day and number of `2026-11-26/17`; raises ValueError."""
    day, slash, number = text.partition("/")
    if not slash or len(day) != 10 or not day.replace("-", "").isdigit() or not number.isdecimal() or len(number) > 18:
        raise ValueError(f'"{text}" is no dead letter; write day/number as the list does, such as 2026-11-26/17')
    return day, int(number)


def mentions(letter: DeadLetter, actor_key: str) -> bool:
    """Whether a pseudonym is this letter's, in its body, or in what is said about it, escaped or not."""
    if letter.actor_key == actor_key or actor_key in letter.point or actor_key in letter.text:
        return True
    return says(letter.payload, actor_key)


def says(payload: bytes, actor_key: str) -> bool:
    """Whether a pseudonym is in a body, escaped or not."""
    return actor_key.encode() in payload or (b"\\u" in payload and actor_key.encode() in plain(payload))


def plain(payload: bytes) -> bytes:
    """A body with its escaped letters, digits and signs as they are."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)).encode(), payload)


def listed(spool: Spool, which: Selection = ALL, limit: int = 1000) -> list[DeadLetter]:
    """The newest letters that are selected, at most `limit`, oldest of them first."""
    found: list[DeadLetter] = []
    for letter in each(spool, which):
        if len(found) >= limit:
            break
        found.append(letter)
    return found[::-1]


def each(spool: Spool, which: Selection = ALL) -> Iterator[DeadLetter]:
    """Every letter that is selected, newest day first."""
    for wanted_day, parameters in which.asked():
        for day in reversed(spool.days()):
            if wanted_day in (None, day):
                yield from filter(which.takes, _here(spool, day, parameters))
        yield from filter(which.takes, _archived(spool, parameters))


def _here(spool: Spool, day: str, parameters: dict[str, object]) -> Iterator[DeadLetter]:
    """Of one file, the last first; what a damaged file still held of them comes from what goes on of it."""
    told: list[tuple[int, str]] = []
    with suppress(Archived):
        for letter in spool.each(day, lambda connection: _rows(spool, day, connection, parameters)):
            if not told or (letter.seq, letter.point) < told[0]:
                told = [(letter.seq, letter.point)]
                yield letter


def _rows(
    spool: Spool, day: str, connection: sqlite3.Connection, parameters: dict[str, object]
) -> Iterator[DeadLetter]:
    if (day, spool_archive.file_id(connection)) not in spool_archive.merged(spool.folder):
        for row in connection.execute(_HERE, parameters):
            yield DeadLetter(day, *row)


def _archived(spool: Spool, parameters: dict[str, object]) -> Iterator[DeadLetter]:
    back = _came_back(spool)
    with spool_archive.reading(spool.folder) as connection:
        if connection is not None:
            for row in connection.execute(_ARCHIVED, parameters):
                if (row[0], row[1]) not in back:
                    yield DeadLetter._make((*row, True))


def _came_back(spool: Spool) -> set[tuple[str, int]]:
    """Messages of archived days that are in a file again; a crash may have left their letters in the archive."""
    found: set[tuple[str, int]] = set()
    done = spool_archive.merged(spool.folder)
    for day in spool.days():
        with suppress(Archived):
            number, back = spool.read(day, lambda connection: (
                spool_archive.file_id(connection), connection.execute("SELECT seq FROM restored").fetchall()
            ))  # fmt: skip
            if (day, number) not in done:
                found.update((day, seq) for (seq,) in back)
    return found


def counted(spool: Spool) -> Counter[tuple[str, str, str]]:
    """Number of letters by (pilot, stage, code), archived days included."""
    return spool.with_archive(lambda: _counted(spool))


def _counted(spool: Spool) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()

    def count(rows: list[tuple[str, str, str, int]]) -> None:
        for pilot, stage, code, n in rows:
            counts[pilot, stage, code] += n

    for day in spool.days():
        with suppress(Archived):
            count(spool.read(day, lambda connection: connection.execute(_COUNT_HERE, (DEAD,)).fetchall()))
    with spool_archive.reading(spool.folder) as archive:
        if archive is not None:
            count(archive.execute(_COUNT_ARCHIVED).fetchall())
    return counts
