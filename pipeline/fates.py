"""What became of messages by day of receipt, as collectors told it in the reports of a day (docs/ledger.md).

Promises: of each collector and feed the newest report of the day speaks, in whatever order they came; counts of several
collectors add up, since each tells its own part.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from pipeline.feed_report import TYPE, read
from pipeline.model import Event

KINDS: Final = ("received", "dead_lettered", "duplicate")


class ToldDays(msgspec.Struct, frozen=True):
    """One collector's newest report on a feed: by UTC day of receipt, the counts of `KINDS`."""

    collector: str
    feed: str
    told_ns: int
    days: dict[str, tuple[int, int, int]]


def told_in(events: Iterable[Event]) -> list[ToldDays]:
    """The newest reports among these events, in order of collector and feed."""
    newest: dict[tuple[str, str], ToldDays] = {}
    reports = [event for event in events if event.type == TYPE]
    for event in sorted(reports, key=lambda event: (event.floor_ns, event.event_id)):
        if (report := read(event)) is not None:
            days = {day: _counts(told.fates) for day, told in sorted(report.days.items())}
            key = (report.collector, report.feed)
            newest[key] = ToldDays(*key, event.floor_ns, days)
    return [newest[key] for key in sorted(newest)]


def _counts(fates: dict[str, int]) -> tuple[int, int, int]:
    received, dead, duplicate = (fates.get(kind, 0) for kind in KINDS)
    return received, dead, duplicate


def fates_between(told: Iterable[ToldDays], first: str, last: str) -> dict[str, Counter[str]]:
    """Counts by feed over UTC days of receipt, both included; of each day the newest word of each collector."""
    newest: dict[tuple[str, str, str], tuple[int, tuple[int, int, int]]] = {}
    for report in told:
        for day, counts in report.days.items():
            key = (report.feed, report.collector, day)
            if first <= day <= last and (key not in newest or newest[key][0] <= report.told_ns):
                newest[key] = (report.told_ns, counts)
    found: dict[str, Counter[str]] = {}
    for (feed, _, _), (_, counts) in newest.items():
        found.setdefault(feed, Counter()).update(dict(zip(KINDS, counts, strict=True)))
    return found
