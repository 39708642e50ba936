"""The conservation ledger: what became of every message, per pilot, feed and day of receipt.

Promises: a row changes in the same transaction as the record it counts; at any commit
`received = written + dead_lettered + duplicate + dropped{rule} + pending` and
`points_in = points_written + points_dead_lettered`; `derive` counts the same from the records alone.
`points_erased` of the written points were taken out of the store again, when a person was erased.
A message with several points is written when the store has all of them, dead-lettered when it refused one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.model import STREAMS
from pipeline.store.port import Store

if TYPE_CHECKING:
    import sqlite3

Counts = Counter[tuple[str, str, str]]  # (pilot, feed, fate) → number

PENDING, WRITTEN, DUPLICATE, DEAD, DROPPED = range(5)
FATES = {PENDING: "pending", WRITTEN: "written", DUPLICATE: "duplicate", DEAD: "dead_lettered", DROPPED: "dropped"}
SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger(
  pilot TEXT NOT NULL, feed TEXT NOT NULL, fate TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (pilot, feed, fate)) WITHOUT ROWID;
"""
_KINDS = {
    "text": ("pilot", "feed", "topic", "content_type", "rule"),
    "integer": (
        "received_ns",
        "retained",
        "priority",
        "state",
        "attempts",
        "points",
        "points_dead",
        "replaced",
        "empty",
    ),
    "blob": ("payload",),
}
_COLUMNS = [(kind, name) for kind, names in _KINDS.items() for name in names]
# A flipped bit can make a text of a number, or of bytes.
_RETYPE = f"""UPDATE message SET {", ".join(f"{name} = CAST({name} AS {kind})" for kind, name in _COLUMNS)}
              WHERE {" OR ".join(f"typeof({name}) <> '{kind}'" for kind, name in _COLUMNS)}"""
_ADD = """INSERT INTO ledger(pilot, feed, fate, n) VALUES (?, ?, ?, ?)
          ON CONFLICT(pilot, feed, fate) DO UPDATE SET n = n + excluded.n"""


def fate_of(state: int, rule: str) -> str:
    """The ledger's word for a record's state; a drop names its rule."""
    return f"dropped:{rule}" if state == DROPPED else FATES[state]


def add(connection: "sqlite3.Connection", changes: Mapping[tuple[str, str, str], int]) -> None:
    """Apply changes inside the caller's transaction."""
    connection.executemany(_ADD, [(*key, n) for key, n in changes.items() if n])


def read(connection: "sqlite3.Connection") -> Counts:
    """The ledger of one day file."""
    return Counter(
        {(p, f, fate): n for p, f, fate, n in connection.execute("SELECT pilot, feed, fate, n FROM ledger") if n}
    )


def derive(connection: "sqlite3.Connection") -> Counts:
    """The same numbers, counted again from the records of one day file.

    A message that came back from the archive is received and dead-lettered there, so both are taken off here.
    """
    counts: Counts = Counter()
    rows = connection.execute(
        "SELECT pilot, feed, state, rule, count(*), sum(points), sum(points_dead), sum(replaced),"
        " sum(empty) FROM message"
        " GROUP BY pilot, feed, state, rule"
    )
    for pilot, feed, state, rule, n, *points in rows:
        counts[pilot, feed, "received"] += n
        counts[pilot, feed, fate_of(state, rule)] += n
        add_points(counts, pilot, feed, points)
    for pilot, feed, *points in connection.execute(
        "SELECT m.pilot, m.feed, r.points, r.points_dead, r.replaced, r.empty"
        " FROM restored r JOIN message m USING (seq)"
    ):
        counts[pilot, feed, "received"] -= 1
        counts[pilot, feed, "dead_lettered"] -= 1
        add_points(counts, pilot, feed, points, times=-1)
    return Counter({key: n for key, n in counts.items() if n})


def rebuild(connection: "sqlite3.Connection") -> None:
    """Make the ledger of a day file what its records say, inside the caller's transaction: after damage only."""
    connection.execute(_RETYPE)
    connection.execute(f"UPDATE message SET state = {PENDING} WHERE state NOT IN ({', '.join(map(str, FATES))})")
    connection.execute("UPDATE message SET priority = 0 WHERE priority NOT IN (0, 1, 2)")
    connection.execute("DELETE FROM ledger")
    add(connection, derive(connection))


def add_points(counts: Counts, pilot: str, feed: str, points: Sequence[int], times: int = 1) -> None:
    """Count a record's points: how many, refused, taking the place of an older one, and fields without a reading."""
    every, dead, replaced, empty = points
    for fate, n in (
        ("points_in", every),
        ("points_written", every - dead),
        ("points_dead_lettered", dead),
        ("points_replaced", replaced),
        ("points_no_reading", empty),
    ):
        if n:
            counts[pilot, feed, fate] += times * n


def broken(counts: Counts) -> list[str]:
    """One sentence for each pilot and feed whose numbers do not add up; none when all do."""
    feeds: dict[tuple[str, str], Counter[str]] = {}
    for (pilot, feed, fate), n in counts.items():
        feeds.setdefault((pilot, feed), Counter())[fate] += n
    found = []
    for (pilot, feed), fates in feeds.items():
        ends = sum(n for fate, n in fates.items() if fate != "received" and not fate.startswith("points_"))
        if fates["received"] != ends:
            found.append(f"{pilot}/{feed}: {fates['received']} received but {ends} accounted for")
        if fates["points_in"] != fates["points_written"] + fates["points_dead_lettered"]:
            found.append(
                f"{pilot}/{feed}: {fates['points_in']} points came in but "
                f"{fates['points_written']} were written and {fates['points_dead_lettered']} set aside"
            )
    return found


def total(ledgers: Iterable[Counts]) -> Counts:
    """Several days as one."""
    counts: Counts = Counter()
    for ledger in ledgers:
        counts.update(ledger)
    return counts


def audit(counts: Counts, store: Store, pilots: Iterable[str]) -> list[str]:
    """One sentence for each pilot whose stored points are not the written ones less those replaced or erased.

    Holds for a store that keeps everything; `counts` cover all days.
    """
    found = []
    for pilot in pilots:
        written = sum(n for (p, _, fate), n in counts.items() if p == pilot and fate == "points_written")
        replaced = sum(n for (p, _, fate), n in counts.items() if p == pilot and fate == "points_replaced")
        erased = sum(n for (p, _, fate), n in counts.items() if p == pilot and fate == "points_erased")
        stored = sum(store.count(pilot, stream, 0, 2**63 - 1) for stream in STREAMS)
        if stored != written - replaced - erased:
            found.append(f"{pilot}: {written - replaced - erased} points were written but {stored} are stored")
    return found
