"""What readers do about incidents: acknowledge, silence, end a silence, accept a new normal.

Promises: only who may record does it, only for pilots they may see; a silence of every pilot is made and ended only by
who sees every pilot. Each is in the audit, or is not done.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dashboard.access import rules
from dashboard.texts import _
from dashboard.viewer import Viewer
from pipeline.alerts.care import ACCEPT_AFTER_DAYS, DAY_NS, LONGEST_DAYS, Care, CareRefused, Quiet
from pipeline.delivery.routes import SYSTEM
from pipeline.model import NS_PER_S
from pipeline.operations import Operations, one_line
from pipeline.values import Incident

ACTS: Final = ("acknowledge", "silence", "end", "accept")
KINDS: Final = ("drop_off", "feed_silent", "evaluation_failed")
_LONGEST: Final = 100


class NotDone(Exception):
    """This was not done; the sentence says why."""


class Tending:
    """`clock` gives the time in ns."""

    def __init__(self, operations: Operations, clock: Callable[[], int]) -> None:
        self._operations, self._care, self._clock = operations, Care(operations), clock

    def incident(self, who: Viewer, number: str) -> Incident | None:
        """The incident that somebody may do something about."""
        one = self._operations.incident(int(number)) if number.isdecimal() and len(number) < 16 else None
        if one is None or not rules.may(who.role, "record"):
            return None
        return one if one.pilot == SYSTEM or who.may_see([one.pilot]) else None

    def acceptable(self, one: Incident) -> bool:
        """Whether a fall has lasted long enough to be accepted."""
        old = self._clock() - one.opened_ns >= ACCEPT_AFTER_DAYS * DAY_NS
        return one.kind == "drop_off" and one.closed_ns is None and old

    def may_silence(self, who: Viewer) -> bool:
        """Whether somebody may silence anything."""
        return rules.may(who.role, "record")

    def may_end(self, who: Viewer, one: Quiet) -> bool:
        """Whether somebody may end a silence."""
        return rules.may(who.role, "record") and _may_silence(who, one.pilot)

    def silence(self, who: Viewer, number: str) -> Quiet | None:
        """A silence in force that somebody may end."""
        found = [one for one in self._care.silences(self._clock()) if str(one.id) == number]
        return found[0] if found and self.may_end(who, found[0]) else None

    def do(self, who: Viewer, by: str, act: str, of: str, given: Mapping[str, Any]) -> str:
        """Do one of ACTS; returns what was done as a sentence, raises NotDone. `by` names the reader in the audit."""
        if act not in ACTS or not rules.may(who.role, "record"):
            raise NotDone(_("This cannot be asked here."))
        note, now_ns = _text(given.get("note")), self._clock()
        if act != "end" and not note.strip():
            raise NotDone(_("Say in a few words why; others will read it."))
        try:
            match act:
                case "acknowledge":
                    return self._acknowledge(who, by, self._named(who, of), note, given)
                case "accept":
                    one, today = self._named(who, of), datetime.fromtimestamp(now_ns // NS_PER_S, UTC).date()
                    self._care.accept(one.id, who.name, note, now_ns, today.isoformat(), by)
                    return _("The level of incident {n} is the new normal from today on.", n=one.id)
                case "end":
                    quiet = self.silence(who, of)
                    if quiet is None:
                        raise NotDone(_("This silence is over already, or is not yours to end."))
                    self._care.end_silence(quiet.id, who.name, now_ns, by)
                    return _("The silence is over.")
                case _:
                    return self._silence(who, by, note, given)
        except CareRefused as error:
            raise NotDone(str(error)) from error

    def _named(self, who: Viewer, of: str) -> Incident:
        one = self.incident(who, of)
        if one is None:
            raise NotDone(_("There is no such incident."))
        return one

    def _acknowledge(self, who: Viewer, by: str, one: Incident, note: str, given: Mapping[str, Any]) -> str:
        days = None if given.get("days") in (None, "") else _days(given.get("days"))
        self._care.acknowledge(one.id, who.name, note, self._clock(), days, by)
        return _("{who} looks after incident {n}.", who=who.name, n=one.id)

    def _silence(self, who: Viewer, by: str, note: str, given: Mapping[str, Any]) -> str:
        pilot, kind, series = (_text(given.get(name))[:_LONGEST] for name in ("pilot", "kind", "series"))
        if not _may_silence(who, pilot) or kind not in ("", *KINDS):
            raise NotDone(_("Choose one of your pilots."))
        days = _days(given.get("days"))
        self._care.silence(who.name, note, self._clock(), days, pilot, kind, one_line(series), by)
        return _("No notification for {n} days; incidents are recorded as ever.", n=days)


def _may_silence(who: Viewer, pilot: str) -> bool:
    return bool(who.may_see([pilot])) if pilot else who.pilots is None


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _days(given: object) -> int:
    days = int(given) if isinstance(given, str) and given.isdecimal() and len(given) < 4 else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise NotDone(_("Choose for how long: 1 to {n} days.", n=LONGEST_DAYS))
    return days
