"""What needs transactions: incidents, transitions, outbox, leases, audit and accounts, in one SQLite file.

Promises: a transition and its notification are committed together or not at all; transitions and audit are
only ever added to; a lease is held by one process at a time. Every method may be called from any thread.
Times are ns UTC and come from the caller.
"""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from pipeline.alerts.transition import Transition
from pipeline.delivery.notices import silenced, tell, was_told
from pipeline.delivery.routes import NO_ROUTES, Routes, rank
from pipeline.migrations import MIGRATIONS
from pipeline.model import NS_PER_S
from pipeline.state_file import Database, OperationsRefused, StateFile
from pipeline.values import Incident

LEASE_S: Final = 30
_COLUMNS: Final = "id, pilot, kind, series, opened_ns, since, sentence, severity, closed_ns, synthetic"
_LONGEST_AUDIT: Final = 300


class Operations(StateFile):
    """The operational database at `path`, created and brought to the current version when opened.

    Who records transitions says by `routes` which channels hear of them.
    """

    def __init__(self, path: Path | Literal[":memory:"], routes: Routes = NO_ROUTES) -> None:
        super().__init__(path, MIGRATIONS, "incidents")
        self._routes = routes

    @property
    def routes(self) -> Routes:
        return self._routes

    # Incidents

    def record(self, transition: Transition, now_ns: int, synthetic: bool) -> Incident | None:
        """Apply a transition and put its notification in the outbox of each channel, in one transaction.

        Applying the same transition again does nothing and returns None. Back-filled openings notify nobody; an end is
        told where the opening was, however late it is found. "worsened" is a rise of severity, which is told again.
        """
        with self.transaction():
            match transition.what:
                case "opened":
                    found = self._open(transition, synthetic)
                case "worsened":
                    found = self._worsen(transition)
                case _:
                    found = self._close(transition)
            if found is None:
                return None
            self._remember(found.id, transition, now_ns)
            first = transition.what == "opened"
            if transition.quiet or (transition.backfill if first else not was_told(self._db, found.id)):
                return found
            held = silenced(self._db, transition.pilot, transition.kind, transition.series, now_ns)
            if first or not held:  # only an opening is told once its silence is over
                tell(
                    self._db, self._routes, found, transition.what, transition.reason, transition.sentence, now_ns,
                    occasion=transition.severity if transition.what == "worsened" else "", held=held,
                )  # fmt: skip
            return found

    def note(self, transition: Transition, now_ns: int) -> None:
        """Add to the history of an incident what neither opens nor closes it; nobody is notified."""
        with self.transaction():
            for one in self._find(
                "pilot = ? AND kind = ? AND series = ? AND since = ?",
                (transition.pilot, transition.kind, transition.series, transition.since),
            ):
                self._remember(one.id, transition, now_ns)

    def _remember(self, incident: int, transition: Transition, now_ns: int) -> None:
        self._db.execute(
            "INSERT INTO transition (incident, at_ns, what, day, reason, backfill, inputs) VALUES (?,?,?,?,?,?,?)",
            (
                incident,
                now_ns,
                transition.what,
                transition.day,
                transition.reason,
                transition.backfill,
                msgspec.json.encode(transition.inputs).decode(),
            ),
        )

    def opening_days(self, pilot: str, kind: str) -> dict[int, str]:
        """The day on which each incident opened as it is known now: late data may have moved it."""
        rows = self.read(
            "SELECT t.incident, t.day FROM transition t JOIN incident i ON i.id = t.incident "
            "WHERE i.pilot = ? AND i.kind = ? AND t.what IN ('opened', 'revised') ORDER BY t.id",
            (pilot, kind),
        )
        return dict(rows)

    def _open(self, transition: Transition, synthetic: bool) -> Incident | None:
        done = self._db.execute(
            "INSERT OR IGNORE INTO incident (pilot, kind, series, opened_ns, since, sentence, severity, synthetic, "
            "backfill) VALUES (?,?,?,?,?,?,?,?,?)",
            (
                transition.pilot,
                transition.kind,
                transition.series,
                transition.at_ns,
                transition.since,
                transition.sentence,
                transition.severity,
                synthetic,
                transition.backfill,
            ),
        )
        return self._find("id = ?", (done.lastrowid,))[0] if done.rowcount else None

    def _still(self, transition: Transition) -> Incident | None:
        """The open incident that a transition is about."""
        open_ones = self._find(
            "pilot = ? AND kind = ? AND series = ? AND since = ? AND closed_ns IS NULL",
            (transition.pilot, transition.kind, transition.series, transition.since),
        )
        return open_ones[0] if open_ones else None

    def _worsen(self, transition: Transition) -> Incident | None:
        """A rise of severity; one that is no rise is none."""
        found = self._still(transition)
        if found is None or rank(transition.severity) <= rank(found.severity):
            return None
        self._db.execute(
            "UPDATE incident SET severity = ?, sentence = ? WHERE id = ?",
            (transition.severity, transition.sentence, found.id),
        )
        return self._find("id = ?", (found.id,))[0]

    def _close(self, transition: Transition) -> Incident | None:
        found = self._still(transition)
        if found is None:
            return None
        self._db.execute(
            "UPDATE incident SET closed_ns = ?, close_reason = ? WHERE id = ?",
            (transition.at_ns, transition.reason, found.id),
        )
        return self._find("id = ?", (found.id,))[0]

    def incidents(self, pilots: Sequence[str], open_only: bool = False) -> list[Incident]:
        """Incidents of these pilots, newest first."""
        marks = ",".join("?" * len(pilots))
        where = f"pilot IN ({marks})" + (" AND closed_ns IS NULL" if open_only else "")
        return self._find(where, tuple(pilots))

    def incident(self, number: int) -> Incident | None:
        """One incident by its number."""
        found = self._find("id = ?", (number,))
        return found[0] if found else None

    def of_kind(self, pilot: str, kind: str) -> list[Incident]:
        """Every incident of one kind in a pilot, oldest first."""
        return self._find("pilot = ? AND kind = ?", (pilot, kind))[::-1]

    def opened_with(self, incident: int) -> dict[str, Any]:
        """What the opening of an incident rests on."""
        rows = self.read("SELECT inputs FROM transition WHERE incident = ? AND what = 'opened'", (incident,))
        found = msgspec.json.decode(rows[0][0]) if rows else {}
        return found if isinstance(found, dict) else {}

    def _find(self, where: str, parameters: tuple[object, ...]) -> list[Incident]:
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM incident WHERE {where} ORDER BY opened_ns DESC, id DESC", parameters
            ).fetchall()
        return [
            Incident(
                id=row[0],
                pilot=row[1],
                kind=row[2],
                series=row[3],
                opened_ns=row[4],
                since=row[5],
                sentence=row[6],
                severity=row[7],
                closed_ns=row[8],
                synthetic=bool(row[9]),
            )
            for row in rows
        ]

    def version(self) -> int:
        """Rises with every transition and with what people do about incidents."""
        with self._lock:
            row = self._db.execute(
                "SELECT (SELECT coalesce(max(id), 0) FROM transition) + (SELECT count(*) FROM acknowledgement) + "
                "(SELECT count(*) + count(ended_by) FROM silence) + (SELECT count(*) FROM new_level)"
            ).fetchone()
        return int(row[0])

    # Alert states

    def state(self, pilot: str, series: str, kind: str) -> bytes | None:
        """The kept state of one alert."""
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM alert_state WHERE pilot = ? AND series = ? AND kind = ?", (pilot, series, kind)
            ).fetchone()
        return row[0].encode() if row else None

    def keep_state(self, pilot: str, series: str, kind: str, body: bytes) -> None:
        """Keep the state of one alert."""
        with self.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO alert_state VALUES (?,?,?,?)", (pilot, series, kind, body.decode())
            )

    # Leases and audit

    def lease(self, name: str, holder: str, now_ns: int, seconds: float = LEASE_S) -> None:
        """Take or renew a lease; raises OperationsRefused while another process holds it.

        A holder that died on this machine holds nothing: its process is looked for.
        """
        with self.transaction():
            row = self._db.execute("SELECT holder, until_ns FROM lease WHERE name = ?", (name,)).fetchone()
            if row and row[0] != holder and row[1] > now_ns and alive(row[0]):
                raise OperationsRefused(
                    f"another {name} already works on this state ({row[0]}); stop that one, or "
                    "give this one its own PERISCOPE_STATE"
                )
            self._db.execute(
                "INSERT OR REPLACE INTO lease VALUES (?,?,?)", (name, holder, now_ns + int(seconds * NS_PER_S))
            )

    def release_lease(self, name: str, holder: str) -> None:
        """Give a lease back."""
        with self.transaction():
            self._db.execute("DELETE FROM lease WHERE name = ? AND holder = ?", (name, holder))

    def read(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Rows of a question that changes nothing."""
        with self._lock:
            return self._db.execute(query, parameters).fetchall()

    def audit(self, who: str, what: str, now_ns: int, outcome: str = "ok") -> None:
        """Write down who did what and how it ended, each on one line; nothing is ever changed or removed."""
        with self.transaction() as database:
            write_down(database, who, what, now_ns, outcome)

    def audited(self, limit: int = 100) -> list[tuple[int, str, str, str]]:
        """The newest entries of the audit, oldest first: when, who, what, outcome."""
        return self.read(
            "SELECT at_ns, who, what, outcome FROM (SELECT * FROM audit ORDER BY id DESC LIMIT ?) ORDER BY id", (limit,)
        )


def write_down(database: Database, who: str, what: str, now_ns: int, outcome: str = "ok") -> None:
    """An entry of the audit within the transaction that does it: both are there, or neither."""
    said = [one_line(text)[:_LONGEST_AUDIT] for text in (who, what, outcome)]
    database.execute("INSERT INTO audit (at_ns, who, what, outcome) VALUES (?,?,?,?)", (now_ns, *said))


def one_line(text: str) -> str:
    """A text that can neither start a line of its own nor change how others are shown.

    >>> one_line("anna\\nroot")
    'anna\\\\nroot'
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def this_process() -> str:
    """Who holds a lease: machine and process id."""
    return f"{socket.gethostname()}/{os.getpid()}"


def alive(holder: str) -> bool:
    """False only where the holder is a process of this machine that is gone."""
    host, _, pid = holder.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
