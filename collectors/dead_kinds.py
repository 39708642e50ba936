"""Dead letters by kind: how many of each feed, stage and code, since when, and the newest of each as a sample.

A message that has several letters is of the kind of its first, so that kinds add up to the messages dead-lettered.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from collectors import spool_archive
from collectors.dead_letters import DeadLetter, Selection, listed, parse_id
from collectors.ledger import DEAD
from collectors.letter_body import printable, shown
from collectors.spool import Spool
from collectors.spool_archive import Archived
from collectors.topics import Roster
from pipeline.feed_report import Sample, iso_utc

Kind = tuple[str, str, str, str]  # pilot, feed, stage, code
_BODY = 200  # characters
_TOPIC = 200
_HERE = """SELECT m.pilot, m.feed, d.stage, d.code, count(*), min(d.first_ns), max(d.last_ns), max(d.seq)
           FROM dead_letter d CROSS JOIN message m ON m.seq = d.seq
           WHERE m.state = ? AND NOT EXISTS (SELECT 1 FROM dead_letter o WHERE o.seq = d.seq AND o.point < d.point)
           GROUP BY 1, 2, 3, 4"""
_ARCHIVED = """SELECT pilot, feed, stage, code, count(*), min(first_ns), max(last_ns), day, max(seq)
               FROM dead_letter d WHERE NOT EXISTS
               (SELECT 1 FROM dead_letter o WHERE o.day = d.day AND o.seq = d.seq AND o.point < d.point)
               GROUP BY 1, 2, 3, 4, day"""


@dataclass
class Number:
    """How many messages are of a kind; `newest` is the id of the letter seen last."""

    n: int
    first_ns: int
    last_ns: int
    newest: str

    def add(self, other: "Number") -> None:
        self.n += other.n
        self.first_ns = min(self.first_ns, other.first_ns)
        if other.last_ns >= self.last_ns:
            self.last_ns, self.newest = other.last_ns, other.newest


def kinds(spool: Spool) -> dict[Kind, Number]:
    """Every kind of dead letter that there is, archived days included."""
    found: dict[Kind, Number] = {}
    for kind, number in spool.with_archive(lambda: list(_each(spool))):
        if kind in found:
            found[kind].add(number)
        else:
            found[kind] = number
    return found


def _each(spool: Spool) -> Iterator[tuple[Kind, Number]]:
    done = spool_archive.merged(spool.folder)
    for day in spool.days():
        with suppress(Archived):
            number, rows = spool.read(day, partial(_rows, day=day))
            if (day, number) not in done:
                yield from rows
    with spool_archive.reading(spool.folder) as archive:
        if archive is not None:
            for *kind, n, first, last, day, seq in archive.execute(_ARCHIVED):
                yield (kind[0], kind[1], kind[2], kind[3]), Number(n, first, last, f"{day}/{seq}")


def _rows(connection: sqlite3.Connection, day: str) -> tuple[int, list[tuple[Kind, Number]]]:
    return spool_archive.file_id(connection), [
        ((pilot, feed, stage, code), Number(n, first, last, f"{day}/{seq}"))
        for pilot, feed, stage, code, n, first, last, seq in connection.execute(_HERE, (DEAD,))
    ]


def samples(spool: Spool, found: Sequence[tuple[Kind, Number]], roster: Roster) -> list[Sample]:
    """The newest letter of each of these kinds, without what may name persons."""
    return [
        sample(letter, number, roster) for kind, number in found if (letter := _newest(spool, kind, number)) is not None
    ]


def _newest(spool: Spool, kind: Kind, number: Number) -> DeadLetter | None:
    letters = listed(spool, Selection(ids=(parse_id(number.newest),)), limit=100)
    return next((x for x in letters if (x.stage, x.code) == kind[2:]), None)


def sample(letter: DeadLetter, number: Number, roster: Roster) -> Sample:
    """One letter as a page shows it."""
    body = shown(letter, roster).body
    return Sample(
        letter=letter.id,
        stage=letter.stage,
        code=letter.code,
        text=printable(letter.text)[:512],
        topic=printable(letter.topic)[:_TOPIC],
        first=iso_utc(number.first_ns),
        last=iso_utc(number.last_ns),
        count=number.n,
        body=None if body is None else body[:_BODY],
        body_size=letter.size,
    )
