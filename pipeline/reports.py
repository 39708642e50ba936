"""What collectors told of each feed and of lost sessions, handed on to the pages, which read only what is derived.

Promises: of each pilot, collector and feed the report with the newest time is kept, in whatever order they come; every
lost session is kept, once.
"""

from collections.abc import Iterable

import msgspec

from pipeline.feed_report import TYPE, FeedReport, read
from pipeline.model import Event, Record
from pipeline.store.port import Store

KIND = "report"
LOST, LOST_TYPE = "lost", "collector.session_lost"


class ToldReport(msgspec.Struct, frozen=True):
    """A report and when its collector told it, in ns."""

    told_ns: int
    report: FeedReport


class SessionLoss(msgspec.Struct, frozen=True):
    """A broker forgot what it held for a collector; `since` is when the session was last known to be whole, "" unknown.

    Messages between `since` and `found_ns` may be missing.
    """

    pilot: str
    collector: str
    found_ns: int
    since: str


class Reports:
    """The newest reports in memory; `news` gives those not yet given."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str, str], ToldReport] = {}
        self._news: dict[tuple[str, str, str], ToldReport] = {}
        self._lost: set[SessionLoss] = set()
        self._told_lost: set[SessionLoss] = set()

    def take(self, events: Iterable[Event]) -> None:
        """Keep what is newer than what is known; other events are passed over."""
        for event in events:
            if event.type == LOST_TYPE:
                self._lost.add(_loss(event))
            if event.type != TYPE or (report := read(event)) is None:
                continue
            key = (event.pilot, report.collector, report.feed)
            known = self._newest.get(key)
            if known is None or event.floor_ns > known.told_ns:
                self._newest[key] = self._news[key] = ToldReport(event.floor_ns, report)

    def news(self) -> list[Record]:
        """Records of what came since the last call."""
        news, self._news = self._news, {}
        losses = self._lost - self._told_lost
        self._told_lost |= losses
        return [
            *(
                Record(kind=KIND, pilot=pilot, key=f"{collector}/{feed}", time_ns=0, body=msgspec.json.encode(told))
                for (pilot, collector, feed), told in news.items()
            ),
            *(
                Record(
                    kind=LOST, pilot=one.pilot, key=one.collector, time_ns=one.found_ns, body=msgspec.json.encode(one)
                )
                for one in sorted(losses, key=lambda one: one.found_ns)
            ),
        ]


def _loss(event: Event) -> SessionLoss:
    """The loss that an event tells; whoever sent it, a collector without a name is called "unknown"."""
    collector, since = (event.data.get(name) for name in ("collector", "since"))
    return SessionLoss(
        event.pilot, str(collector or "unknown"), event.floor_ns, "" if since in (None, "unknown") else str(since)
    )


def stored(store: Store, pilot: str) -> list[ToldReport]:
    """The newest report of each collector and feed of a pilot, in order of collector and feed."""
    return [msgspec.json.decode(record.body, type=ToldReport) for record in store.get(KIND, pilot, 0, 1)]


def losses(store: Store, pilot: str) -> list[SessionLoss]:
    """Every session that a pilot's collectors lost, oldest first."""
    found = [msgspec.json.decode(one.body, type=SessionLoss) for one in store.get(LOST, pilot, -(1 << 62), 1 << 62)]
    return sorted(found, key=lambda one: (one.found_ns, one.collector))
