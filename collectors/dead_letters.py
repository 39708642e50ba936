"""What could not be stored, with its reason: list, count, and try again after a mend.

Promises: a requeue is safe to repeat; a message that failed three times after requeues stays parked.
"""

from collections import Counter
from typing import NamedTuple

from collectors.ledger import DEAD
from collectors.spool import Spool

MOST_REQUEUES = 3
_LIST = """SELECT d.seq, d.point, m.received_ns, m.pilot, m.feed, m.topic, m.payload, m.content_type, d.stage, d.code,
           d.text, m.attempts, d.first_ns, d.last_ns, d.size, d.sha256 FROM dead_letter d JOIN message m USING (seq)
           WHERE m.state = ? ORDER BY d.seq DESC, d.point DESC"""


class DeadLetter(NamedTuple):
    """One message, or one point of a message, that is set aside."""

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

    @property
    def parked(self) -> bool:
        return self.attempts >= MOST_REQUEUES


def listed(spool: Spool, pilot: str | None = None, limit: int = 1000) -> list[DeadLetter]:
    """The newest dead letters, at most `limit`, oldest of them first."""
    found: list[DeadLetter] = []
    for day in reversed(spool.days()):
        with spool.day(day).reading() as connection:
            for row in connection.execute(_LIST, (DEAD,)):
                if len(found) >= limit:
                    break
                letter = DeadLetter(day, *row)
                if pilot is None or letter.pilot == pilot:
                    found.append(letter)
    return found[::-1]


def counted(spool: Spool) -> Counter[tuple[str, str, str]]:
    """Number of dead letters by (pilot, stage, code)."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for day in spool.days():
        with spool.day(day).reading() as connection:
            for pilot, stage, code, n in connection.execute(
                "SELECT m.pilot, d.stage, d.code, count(*) FROM dead_letter d JOIN message m USING (seq)"
                " WHERE m.state = ? GROUP BY 1, 2, 3",
                (DEAD,),
            ):
                counts[pilot, stage, code] += n
    return counts


def requeue(spool: Spool, pilot: str | None = None, code: str | None = None) -> int:
    """Make dead letters pending again, except parked ones and those without their whole body; returns how many."""
    chosen: dict[str, set[int]] = {}
    for letter in listed(spool, pilot, limit=1_000_000):
        if not letter.parked and (code is None or letter.code == code) and letter.size == len(letter.payload):
            chosen.setdefault(letter.day, set()).add(letter.seq)
    return sum(spool.reopen(day, sorted(seqs)) for day, seqs in chosen.items())
