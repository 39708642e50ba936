"""Histories for the tests of effects: built from any events, and from the simulator's messages."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import msgspec

from collectors.decoders.cloudevents import decode
from collectors.message import RawMessage
from collectors.simulator.history import of_day
from collectors.simulator.truth import TRUTH, Truth
from collectors.simulator.world import city
from collectors.topics import Roster
from config.catalogue import Pilot
from pipeline import rows
from pipeline.history import History
from pipeline.model import Event
from pipeline.partials import summarise
from pipeline.periods import day_of
from pipeline.rows import Shelf
from pipeline.store.sqlite import SQLiteStore
from tests.unit.pipeline.making import catalogue


def history_of(pilot: Pilot, events: Iterable[Event]) -> History:
    """The days of these events, summarised as the pipeline does, with a shelf of their rows."""
    store = SQLiteStore(":memory:")
    history = History(pilot, Shelf(store, pilot.slug))
    days: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        days[day_of(event.time_ns, pilot.zone)].append(event)
    for day in sorted(days):
        found = rows.rows_of(pilot, days[day])
        store.put(rows.records(pilot.slug, day, rows.encode(found)))
        history.put(msgspec.structs.replace(summarise(pilot, day, days[day]), rows=rows.digest(rows.encode(found))))
    return history


def simulated(pilot: Pilot, seed: int, now_ns: int, truth: Truth = TRUTH, weeks: int = 104) -> History:
    """What people did in a simulated city; sensors are left out, as no outcome rests on them."""
    pilot = pilot.model_copy(update={"feeds": [feed for feed in pilot.feeds if feed.stream != "sensor"]})
    town, roster = city(pilot, seed, now_ns, truth), Roster(catalogue(pilot), "test")
    today = date.fromisoformat(day_of(now_ns, pilot.zone)).toordinal()
    events: list[Event] = []
    for day in range(today - 7 * weeks, today + 1):
        for message in of_day(town, day, now_ns):
            raw = RawMessage(topic=message.topic, payload=message.payload, received_ns=now_ns)
            events += decode(raw, roster.place(message.topic)).events
    return history_of(pilot, events)
