"""Asking a collector to try set-aside messages again, or to remove them: the port, and what may be asked.

Promises: only who may record asks, only for pilots they may see; every request is in the audit with its outcome.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dashboard.texts import _
from dashboard.viewer import Viewer

ACTS: Final = ("requeue", "purge", "show")
# Takes the collector's name and a request (docs/ingest.md), gives its answer; raises NotAsked.
Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
Note = Callable[[str, str, str], None]


class NotAsked(Exception):
    """The collector cannot be asked now; the sentence says why."""


class Mending:
    """Requests of readers to collectors."""

    def __init__(self, ask: Ask, note: Note) -> None:
        self._ask, self._note = ask, note

    def do(self, who: Viewer, by: str, act: str, collector: str, pilot: str, feed: str, kind: str) -> Mapping[str, Any]:
        """The collector's answer; raises NotAsked."""
        if act not in ACTS or not who.may_see([pilot]):
            raise NotAsked(_("This cannot be asked here."))
        code = kind.rpartition(":")[2]
        request = {"do": act, "pilot": pilot, "feed": feed, "code": code, "by": by}
        what = f"{act} dead letters of {pilot}/{feed}, {code}"
        try:
            answer = self._ask(collector, request)
        except NotAsked:
            self._note(by, what, "not asked")
            raise
        self._note(by, what, f"{answer.get('done', 0)} done" if answer.get("ok") else "refused")
        return answer
