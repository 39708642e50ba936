"""What was published, in the operational database: release decisions, superseded values and why they changed.

Promises: a revision and the moment of its publication are committed together; superseded values and decisions are
never removed. Times are ns UTC and come from the caller.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from pipeline.freeze import closed, differ
from pipeline.operations import Operations
from pipeline.release_book import FAMILIES, Family
from pipeline.release_points import Decided
from pipeline.values import IndicatorValue, PeriodValues

UNTOUCHED: Final = (1 << 63) - 1


class Superseded(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one period before a revision, and when and why it was made."""

    pilot: str
    period: str
    start: str
    end: str
    revision: int
    at_ns: int
    reason: str
    values: list[IndicatorValue]


class Frozen:
    """Reads and writes of one operational database; may be shared by threads."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    # Publication

    def published_ns(self, pilot: str) -> int:
        """Up to when what was written of a pilot counts as published; 0 before the first time."""
        rows = self._operations.read("SELECT at_ns FROM published WHERE pilot = ?", (pilot,))
        return int(rows[0][0]) if rows else 0

    def bases(self, pilot: str) -> dict[tuple[str, str], PeriodValues]:
        """Published documents, by period and start, that were written over since."""
        rows = self._operations.read("SELECT body FROM published_period WHERE pilot = ?", (pilot,))
        found = [msgspec.json.decode(row[0], type=PeriodValues) for row in rows]
        return {(one.period, one.start): one for one in found}

    def hold(self, documents: Iterable[PeriodValues]) -> None:
        """Keep published documents that are about to be written over."""
        with self._operations.transaction() as database:
            database.executemany(
                "INSERT OR IGNORE INTO published_period VALUES (?,?,?,?)",
                [(one.pilot, one.period, one.start, msgspec.json.encode(one).decode()) for one in documents],
            )

    def publish(self, pilot: str, changes: Sequence[tuple[PeriodValues, PeriodValues, str]], now_ns: int) -> None:
        """What is written of a pilot is published now; `changes` are what was, what is and why."""
        rows = []
        for before, after, reason in changes:
            if before.end == after.end and (keys := differ(before, after)):
                body = msgspec.json.encode(
                    [value for key, value in closed(before).items() if key in set(keys)]
                ).decode()
                rows.append((pilot, before.period, before.start, before.end, after.revision, now_ns, reason, body))
        with self._operations.transaction() as database:
            database.executemany(
                "INSERT OR IGNORE INTO superseded (pilot, period, start, end, revision, at_ns, reason, body) "
                "VALUES (?,?,?,?,?,?,?,?)",
                rows,
            )
            database.execute("DELETE FROM published_period WHERE pilot = ?", (pilot,))
            database.execute("DELETE FROM erased_day WHERE pilot = ? AND at_ns <= ?", (pilot, now_ns))
            database.execute("INSERT OR REPLACE INTO published VALUES (?,?)", (pilot, now_ns))

    def superseded(self, pilots: Sequence[str]) -> list[Superseded]:
        """Every revision of these pilots, in order of pilot and time."""
        marks = ",".join("?" * len(pilots))
        rows = self._operations.read(
            "SELECT pilot, period, start, end, revision, at_ns, reason, body FROM superseded "
            f"WHERE pilot IN ({marks}) ORDER BY pilot, id",
            tuple(pilots),
        )
        return [
            Superseded(
                pilot=row[0],
                period=row[1],
                start=row[2],
                end=row[3],
                revision=row[4],
                at_ns=row[5],
                reason=row[6],
                values=msgspec.json.decode(row[7], type=list[IndicatorValue]),
            )
            for row in rows
        ]

    # Erasure

    def erased(self, pilot: str, days: Iterable[str], at_ns: int = 0) -> None:
        """Somebody's events of these days were erased: revisions say so, up to a publication of `at_ns` or later.

        Called with UNTOUCHED before the days are touched, and with the time after it: a publication in between, which
        does not know of the touches yet, leaves the note.
        """
        with self._operations.transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO erased_day (pilot, day, at_ns) VALUES (?,?,?)",
                [(pilot, day, at_ns) for day in days],
            )

    def erasures(self, pilot: str) -> list[str]:
        """Days of which events were erased since the last publication, in order."""
        return [
            row[0] for row in self._operations.read("SELECT day FROM erased_day WHERE pilot = ? ORDER BY day", (pilot,))
        ]

    def announced(self, pilot: str, job: str, found: Mapping[str, Mapping[str, int]]) -> None:
        """By day and feed, events that heartbeats had announced and an erasure took out; the same job again is once.

        Rows of one person are not to be put together again by whoever does not know the job.
        """
        rows = [
            (pilot, day, feed, hashlib.sha256(f"{job}|{day}|{feed}".encode()).hexdigest()[:16], n)
            for day, feeds in found.items()
            for feed, n in feeds.items()
        ]
        with self._operations.transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO erased_announced (pilot, day, feed, mark, n) VALUES (?,?,?,?,?)", rows
            )

    def no_longer_announced(self, pilot: str) -> dict[str, dict[str, int]]:
        """By day and feed, how many announced events erasures took out: they are not missing."""
        found: dict[str, dict[str, int]] = {}
        for day, feed, n in self._operations.read(
            "SELECT day, feed, sum(n) FROM erased_announced WHERE pilot = ? GROUP BY day, feed", (pilot,)
        ):
            found.setdefault(day, {})[feed] = n
        return found

    # Release decisions

    def kept(self, pilot: str, k: int) -> dict[Family, Decided]:
        """The decisions that were published under a limit."""
        rows = self._operations.read("SELECT family, body FROM release_decision WHERE pilot = ? AND k = ?", (pilot, k))
        found = {family: msgspec.json.decode(body, type=Decided) for family, body in rows}
        return {family: found[family] for family in FAMILIES if family in found}

    def keep(self, pilot: str, k: int, decisions: dict[Family, Decided]) -> None:
        """Decisions that are published now."""
        rows = [(pilot, k, family, msgspec.json.encode(one).decode()) for family, one in decisions.items()]
        with self._operations.transaction() as database:
            database.executemany("INSERT OR REPLACE INTO release_decision VALUES (?,?,?,?)", rows)
