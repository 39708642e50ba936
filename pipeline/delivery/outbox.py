"""What waits for each channel, and its letters, in the operational database.

Promises: notifications become a letter with its id and words in one transaction, and each attempt sends exactly that
letter; a letter ends as sent, or as given up with its reason, and is kept either way.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pipeline.delivery.gathering import HOUR_NS, Waiting, gather
from pipeline.delivery.letters import compose
from pipeline.delivery.notices import queue
from pipeline.delivery.patience import AHEAD_S, GIVE_UP_S
from pipeline.model import NS_PER_S
from pipeline.operations import Operations, write_down
from pipeline.state_file import Database

_AT_ONCE: Final = 20


class Letter(msgspec.Struct, frozen=True):
    """What a channel is given; `body` is JSON. `tried_ns` is since when it is tried: it was made then, or put in line
    again."""

    id: int
    channel: str
    key: str
    body: str
    attempts: int
    made_ns: int
    tried_ns: int


class GivenUp(msgspec.Struct, frozen=True):
    """A letter that a channel could not be given, and why; `body` is JSON."""

    id: int
    channel: str
    key: str
    body: str
    made_ns: int
    failed: str


class Standing(msgspec.Struct, frozen=True):
    """How a channel does: what waits, since when, what was given up, when it last delivered."""

    waiting: int
    oldest_ns: int | None
    given_up: int
    sent_ns: int | None


class Outbox:
    """The outbox of one operational database."""

    def __init__(self, operations: Operations) -> None:
        self._operations, self._routes = operations, operations.routes

    def adopt(self, now_ns: int) -> None:
        """Give what an earlier version left for every channel to those that hear it now.

        What waits for a channel that is not there waits for a day longer: its address may be missing by mistake.
        """
        channels = list(self._routes.channels)
        with self._operations.transaction() as database:
            if channels:
                rows = database.execute(
                    "SELECT n.id, n.pilot, n.kind, n.severity FROM outbox o JOIN notification n ON "
                    "n.id = o.notification WHERE o.channel = '' AND o.letter IS NULL"
                ).fetchall()
                for number, pilot, kind, severity in rows:
                    queue(database, number, self._routes.hearing(pilot, kind, "", severity), now_ns)
                database.execute("DELETE FROM outbox WHERE channel = '' AND letter IS NULL")
            marks, day_ago = ",".join("?" * len(channels)), now_ns - GIVE_UP_S * NS_PER_S
            database.execute(
                f"DELETE FROM outbox WHERE letter IS NULL AND ready_ns < ? AND channel NOT IN ({marks})",
                (day_ago, *channels),
            )
            database.execute(
                "UPDATE letter SET failed = 'the channel is no longer there' WHERE sent_ns IS NULL AND failed IS NULL "
                f"AND coalesce(again_ns, made_ns) < ? AND channel NOT IN ({marks})",
                (day_ago, *channels),
            )

    def gather(self, channel: str, now_ns: int, hurry: bool = False) -> None:
        """Write the letters that are due to be written. `hurry` waits for no others of the same evaluation."""
        if not self._operations.read("SELECT 1 FROM outbox WHERE channel = ? AND letter IS NULL LIMIT 1", (channel,)):
            return  # asked every second, which is no reason to lock the database
        with self._operations.transaction() as database:
            rows = database.execute(
                "SELECT n.id, n.pilot, n.kind, n.severity, o.ready_ns FROM outbox o JOIN notification n ON "
                "n.id = o.notification WHERE o.channel = ? AND o.letter IS NULL ORDER BY n.id",
                (channel,),
            ).fetchall()
            ahead_ns = now_ns + int(AHEAD_S * NS_PER_S)
            waiting = [
                Waiting(number, pilot, kind, severity, now_ns if hurry or ready_ns > ahead_ns else ready_ns)
                for number, pilot, kind, severity, ready_ns in rows
            ]
            (written,) = database.execute(
                "SELECT count(*) FROM letter WHERE channel = ? AND made_ns > ?", (channel, now_ns - HOUR_NS)
            ).fetchone()
            told = database.execute(
                "SELECT DISTINCT n.pilot, n.kind, n.severity FROM letter l JOIN outbox o ON o.letter = l.id JOIN "
                "notification n ON n.id = o.notification WHERE l.channel = ? AND l.made_ns > ?",
                (channel, now_ns - HOUR_NS),
            ).fetchall()
            for letter in gather(waiting, now_ns, self._routes.storm_per_h - written, {tuple(row) for row in told}):
                self._write(database, channel, letter, now_ns)

    def _write(self, database: Database, channel: str, notifications: list[int], now_ns: int) -> None:
        bodies: list[dict[str, Any]] = []
        for number in notifications:
            (body,) = database.execute("SELECT body FROM notification WHERE id = ?", (number,)).fetchone()
            bodies.append(msgspec.json.decode(body))
        key, found = compose(bodies, self._routes.base)
        done = database.execute(
            "INSERT INTO letter (channel, key, body, made_ns, due_ns) VALUES (?,?,?,?,?)",
            (channel, key, msgspec.json.encode(found).decode(), now_ns, now_ns),
        )
        database.executemany(
            "UPDATE outbox SET letter = ? WHERE notification = ? AND channel = ?",
            [(done.lastrowid, number, channel) for number in notifications],
        )

    def due(self, channel: str, now_ns: int) -> list[Letter]:
        """Letters to send now, oldest first."""
        rows = self._operations.read(
            "SELECT id, channel, key, body, attempts, made_ns, coalesce(again_ns, made_ns) FROM letter WHERE "
            "channel = ? AND sent_ns IS NULL AND failed IS NULL AND (due_ns <= ? OR due_ns > ?) ORDER BY id LIMIT ?",
            (channel, now_ns, now_ns + int(AHEAD_S * NS_PER_S), _AT_ONCE),
        )
        return [Letter(*row) for row in rows]

    def sent(self, letter: Letter, now_ns: int) -> None:
        """A letter was delivered, so its channel works: what else waits for it is tried at once."""
        with self._operations.transaction() as database:
            database.execute("UPDATE letter SET sent_ns = ?, attempts = attempts + 1 WHERE id = ?", (now_ns, letter.id))
            database.execute(
                "UPDATE letter SET due_ns = min(due_ns, ?) WHERE channel = ? AND sent_ns IS NULL AND failed IS NULL",
                (now_ns, letter.channel),
            )

    def put_off(self, letter: Letter, due_ns: int) -> None:
        """Delivery failed and is tried again at `due_ns`."""
        with self._operations.transaction() as database:
            database.execute("UPDATE letter SET due_ns = ?, attempts = attempts + 1 WHERE id = ?", (due_ns, letter.id))

    def give_up(self, letter: Letter, reason: str) -> None:
        """Delivery can never succeed; the letter is kept with its reason."""
        with self._operations.transaction() as database:
            database.execute("UPDATE letter SET failed = ?, attempts = attempts + 1 WHERE id = ?", (reason, letter.id))

    def given_up(self, channel: str | None = None) -> list[GivenUp]:
        """Letters that were given up, oldest first."""
        rows = self._operations.read(
            "SELECT id, channel, key, body, made_ns, failed FROM letter WHERE failed IS NOT NULL AND "
            "(? IS NULL OR channel = ?) ORDER BY id",
            (channel, channel),
        )
        return [GivenUp(*row) for row in rows]

    def resend(self, letters: Sequence[GivenUp], who: str, now_ns: int) -> int:
        """Put letters that were given up in line again, each with its id, its words and a day of tries; how many.

        A receiver that has one already knows it by its id. In one transaction with the entry in the audit.
        """
        with self._operations.transaction() as database:
            done = database.executemany(
                "UPDATE letter SET failed = NULL, due_ns = ?, again_ns = ?, attempts = 0 WHERE id = ? AND "
                "failed IS NOT NULL",
                [(now_ns, now_ns, one.id) for one in letters],
            ).rowcount
            said = ", ".join(f"{one.id} to {one.channel}" for one in letters)
            write_down(database, who, f"send again {done} given-up notifications: {said}", now_ns)
        return done

    def standing(self, channel: str) -> Standing:
        """How a channel does."""
        [row] = self._operations.read(
            "SELECT count(*) FILTER (WHERE sent_ns IS NULL AND failed IS NULL), min(made_ns) FILTER (WHERE sent_ns IS "
            "NULL AND failed IS NULL), count(*) FILTER (WHERE failed IS NOT NULL), max(sent_ns) FROM letter "
            "WHERE channel = ?",
            (channel,),
        )
        return Standing(*row)
