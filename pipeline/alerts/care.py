"""What people do about incidents: acknowledge, silence, accept a new level. None changes the state.

Promises: each is written down with its entry in the audit, or neither is; a name may be longer in the audit (`by`). A
silence keeps notifications from being made, for as long as it says; the incident and its transitions are recorded as
ever. An acknowledgement names who looks after an incident. A new level makes the detector learn anew from that day.
Source: alerts.md 7.
"""

from typing import Final

import msgspec

from pipeline.model import NS_PER_S
from pipeline.operations import Operations, one_line, write_down
from pipeline.values import Incident

DAY_NS: Final = 86_400 * NS_PER_S
LONGEST_DAYS: Final = 30
ACCEPT_AFTER_DAYS: Final = 42
_LONGEST: Final = 500


class CareRefused(Exception):
    """This cannot be done; the sentence says why and what to do."""


class Acknowledgement(msgspec.Struct, frozen=True):
    """Who looks after an incident until when."""

    incident: int
    at_ns: int
    who: str
    note: str
    until_ns: int | None


class Quiet(msgspec.Struct, frozen=True):
    """A silence: an empty `pilot`, `kind` or `series` means all."""

    id: int
    at_ns: int
    who: str
    reason: str
    pilot: str
    kind: str
    series: str
    until_ns: int


class Deed(msgspec.Struct, frozen=True):
    """What somebody did about an incident: "acknowledged", "silenced", "silence ended" or "new normal"."""

    at_ns: int
    who: str
    what: str
    note: str
    until_ns: int | None = None


class Care:
    """Reads and writes of one operational database."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def acknowledge(
        self, incident: int, who: str, note: str, now_ns: int, days: int | None = None, by: str = ""
    ) -> None:
        """Raises CareRefused where there is no such open incident."""
        until_ns = None if days is None else now_ns + days * DAY_NS
        with self._operations.transaction() as database:
            self._open_one(incident)
            database.execute(
                "INSERT INTO acknowledgement (incident, at_ns, who, note, until_ns) VALUES (?,?,?,?,?)",
                (incident, now_ns, _text(who, "who"), _text(note, "a note"), until_ns),
            )
            write_down(database, by or who, f"acknowledge incident {incident}: {note}", now_ns)

    def acknowledged(self, incident: int, now_ns: int) -> Acknowledgement | None:
        """The newest acknowledgement of an incident that has not run out."""
        rows = self._operations.read(
            "SELECT incident, at_ns, who, note, until_ns FROM acknowledgement WHERE incident = ? AND "
            "(until_ns IS NULL OR until_ns > ?) ORDER BY id DESC LIMIT 1",
            (incident, now_ns),
        )
        return Acknowledgement(*rows[0]) if rows else None

    def silence(
        self,
        who: str,
        reason: str,
        now_ns: int,
        days: int,
        pilot: str = "",
        kind: str = "",
        series: str = "",
        by: str = "",
    ) -> None:
        """Raises CareRefused where it lasts too long; a longer absence belongs into the pilot's calendar."""
        if not 1 <= days <= LONGEST_DAYS:
            raise CareRefused(
                f"a silence lasts 1 to {LONGEST_DAYS} days; enter a longer absence as a closure in the pilot's file"
            )
        said = " ".join(one for one in (pilot or "every pilot", kind, series) if one)
        with self._operations.transaction() as database:
            database.execute(
                "INSERT INTO silence (at_ns, who, reason, pilot, kind, series, until_ns) VALUES (?,?,?,?,?,?,?)",
                (now_ns, _text(who, "who"), _text(reason, "a reason"), pilot, kind, series, now_ns + days * DAY_NS),
            )
            write_down(database, by or who, f"silence {said} for {days} days: {reason}", now_ns)

    def end_silence(self, silence: int, who: str, now_ns: int, by: str = "") -> None:
        """From now on a silence holds nothing back. Raises CareRefused where it is not in force."""
        with self._operations.transaction() as database:
            done = database.execute(
                "UPDATE silence SET until_ns = ?, ended_by = ? WHERE id = ? AND until_ns > ?",
                (now_ns, _text(who, "who"), silence, now_ns),
            )
            if not done.rowcount:
                raise CareRefused(f"silence {silence} is over already")
            write_down(database, by or who, f"end silence {silence}", now_ns)

    def silences(self, now_ns: int) -> list[Quiet]:
        """Silences in force, oldest first."""
        rows = self._operations.read(
            "SELECT id, at_ns, who, reason, pilot, kind, series, until_ns FROM silence WHERE until_ns > ? ORDER BY id",
            (now_ns,),
        )
        return [Quiet(*row) for row in rows]

    def accept(self, incident: int, who: str, reason: str, now_ns: int, day: str, by: str = "") -> None:
        """The level that a drop-off fell to is the new normal from `day` on; the detector learns anew.

        Raises CareRefused for anything but a drop-off that has been open for six weeks.
        """
        with self._operations.transaction() as database:
            kind, pilot, series, opened_ns = self._open_one(incident)
            if kind != "drop_off":
                raise CareRefused(f"incident {incident} is a {kind.replace('_', ' ')}; only a drop-off has a level")
            if now_ns - opened_ns < ACCEPT_AFTER_DAYS * DAY_NS:
                raise CareRefused(
                    f"incident {incident} has been open for less than {ACCEPT_AFTER_DAYS} days; until then enter what "
                    "happened as a closure, or silence it"
                )
            database.execute(
                "INSERT INTO new_level (at_ns, who, reason, pilot, series, day, incident) VALUES (?,?,?,?,?,?,?)",
                (now_ns, _text(who, "who"), _text(reason, "a reason"), pilot, series, day, incident),
            )
            write_down(database, by or who, f"accept the level of incident {incident} as new: {reason}", now_ns)

    def deeds(self, one: Incident) -> list[Deed]:
        """What people did about an incident, oldest first; silences that covered it while it was open."""
        last_ns = 1 << 62 if one.closed_ns is None else one.closed_ns
        covers = "pilot IN ('', ?) AND kind IN ('', ?) AND series IN ('', ?) AND until_ns > ? AND at_ns <= ?"
        covered = (one.pilot, one.kind, one.series, one.opened_ns, last_ns)
        rows = self._operations.read(
            "SELECT at_ns, who, 'acknowledged', note, until_ns FROM acknowledgement WHERE incident = ? "
            "UNION ALL SELECT at_ns, who, 'new normal', reason, NULL FROM new_level WHERE incident = ? "
            f"UNION ALL SELECT at_ns, who, 'silenced', reason, until_ns FROM silence WHERE {covers} "
            f"UNION ALL SELECT until_ns, ended_by, 'silence ended', reason, NULL FROM silence WHERE {covers} "
            "AND ended_by IS NOT NULL ORDER BY 1",
            (one.id, one.id, *covered, *covered),
        )
        return [Deed(*row) for row in rows]

    def levels(self, pilot: str) -> dict[str, str]:
        """The day from which each series of a pilot learns anew."""
        rows = self._operations.read("SELECT series, max(day) FROM new_level WHERE pilot = ? GROUP BY series", (pilot,))
        return dict(rows)

    def _open_one(self, incident: int) -> tuple[str, str, str, int]:
        rows = self._operations.read(
            "SELECT kind, pilot, series, opened_ns, closed_ns FROM incident WHERE id = ?", (incident,)
        )
        if not rows:
            raise CareRefused(f"there is no incident {incident}; periscope alerts list names them")
        if rows[0][4] is not None:
            raise CareRefused(f"incident {incident} is over")
        kind, pilot, series, opened_ns, _ = rows[0]
        return kind, pilot, series, opened_ns


def _text(given: str, what: str) -> str:
    found = one_line(given.strip())[:_LONGEST]
    if not found:
        raise CareRefused(f"say {what}")
    return found
