"""What collectors last told of each feed, handed on to the pages, which read only what is derived.

Promise: of each pilot, collector and feed the report with the newest time is kept, in whatever order they come.
"""

from collections.abc import Iterable

import msgspec

from pipeline.feed_report import TYPE, FeedReport, read
from pipeline.model import Event, Record
from pipeline.store.port import Store

KIND = "report"


class ToldReport(msgspec.Struct, frozen=True):
    """A report and when its collector told it, in ns."""

    told_ns: int
    report: FeedReport


class Reports:
    """The newest reports in memory; `news` gives those not yet given."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str, str], ToldReport] = {}
        self._news: dict[tuple[str, str, str], ToldReport] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Keep what is newer than what is known; other events are passed over."""
        for event in events:
            if event.type != TYPE or (report := read(event)) is None:
                continue
            key = (event.pilot, report.collector, report.feed)
            known = self._newest.get(key)
            if known is None or event.floor_ns > known.told_ns:
                self._newest[key] = self._news[key] = ToldReport(event.floor_ns, report)

    def news(self) -> list[Record]:
        """Records of the reports that came since the last call."""
        news, self._news = self._news, {}
        return [
            Record(kind="report", pilot=pilot, key=f"{collector}/{feed}", time_ns=0, body=msgspec.json.encode(told))
            for (pilot, collector, feed), told in news.items()
        ]


def stored(store: Store, pilot: str) -> list[ToldReport]:
    """The newest report of each collector and feed of a pilot, in order of collector and feed."""
    return [msgspec.json.decode(record.body, type=ToldReport) for record in store.get(KIND, pilot, 0, 1)]
