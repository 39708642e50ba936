"""A pilot whose days are summarised and judged without the rest of the pipeline, so that months take a second."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pipeline import rows
from pipeline.alerts.evaluate import evaluate_drop_off
from pipeline.alerts.states import StateSeries
from pipeline.history import History
from pipeline.model import Event
from pipeline.operations import Operations
from pipeline.partials import summarise
from pipeline.periods import iso, ordinal
from pipeline.store.port import Store
from pipeline.store.sqlite import SQLiteStore
from tests.unit.pipeline.making import event, ns, pilot

FIRST = ordinal("2025-09-01")  # a Monday
MINUTE_NS = 60 * 10**9
FEEDS = [
    {"id": "talk", "topic": "talk", "stream": "engagement", "lateness": "1d", "heartbeat_every": "1h"},
    {"id": "app", "topic": "app", "stream": "usage", "lateness": "1d", "heartbeat_every": "1h"},
]


def day(number: int) -> str:
    """ISO date of a day of the story, from 0."""
    return iso(FIRST + number)


def said(number: int, n: int, group: str = "citizen", of: int = 23, **data: Any) -> list[Event]:
    """Contributions of a day, by so many people of a group."""
    start = ns(f"{day(number)}T08:00:00")
    return [
        event("contribution.made", start + at * MINUTE_NS, f"{group}{(7 * number + at) % of}", actor_kind=group,
              data={"kind": "idea", **data})
        for at in range(n)
    ]  # fmt: skip


class Watched:
    """A pilot and what is recorded of it."""

    def __init__(self, k: int = 0, store: Store | None = None, feeds: Sequence[dict[str, Any]] = FEEDS) -> None:
        self.k, self.store, self.operations = k, store or SQLiteStore(":memory:"), Operations(":memory:")
        self.history = History(pilot(feeds=feeds), rows.Shelf(self.store, "test"))
        self.series = StateSeries(self.store)

    def pass_day(self, number: int, events: Iterable[Event], silent: Sequence[str] = ()) -> None:
        """A day with these events, on which all feeds but the silent ones send their heartbeats."""
        beats = [
            event("feed.heartbeat", f"{day(number)}T{hour:02}:59:59", feed=feed.id,
                  data={"since": f"{day(number)}T{hour:02}:00:00Z", "until": f"{day(number)}T{hour:02}:59:59Z",
                        "counts": {}})
            for feed in self.history.pilot.feeds
            if feed.id not in silent
            for hour in range(24)
        ]  # fmt: skip
        whole = sorted([*beats, *events], key=lambda one: one.time_ns)
        encoded = rows.encode(rows.rows_of(self.history.pilot, whole))
        known = self.history.day(FIRST + number)
        details = rows.records("test", day(number), encoded, known.chunks if known else 0)
        self.store.put(details)
        partial = summarise(self.history.pilot, day(number), whole)
        self.history.put(msgspec.structs.replace(partial, rows=rows.digest(encoded), chunks=len(details)))

    def look(self, number: int, config: str = "test") -> bool:
        """Judge what is over two hours after a day's lateness has ended."""
        now_ns = ns(f"{day(number + 2)}T02:00:00")
        return evaluate_drop_off(self.history, self.operations, now_ns, now_ns, self.k, config, self.series)

    def states(self, series: str = "contributions") -> list[tuple[int, str]]:
        """What is on record of a stream's states, in the order of the records: day and state."""
        found = self.operations.read("SELECT day, state FROM state_change WHERE series = ? ORDER BY id", (series,))
        return [(ordinal(at) - FIRST, state) for at, state in found]
