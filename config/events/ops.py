"""Events that say how to read the others: readings, denominators, closures, heartbeats, the collector's own reports.

Source: indicators.md 3.5; docs/ledger.md for the collector's.
"""

from typing import Any

from config.events.codes import Amount, Code, Day, Moment, Name, PopulationKind, Text, Whole, Year
from config.events.envelope import Common


class Reading(Common, kw_only=True, gc=False):
    """One measurement of a device."""

    device: Name
    quantity: Name
    value: float
    unit: Name | None = None


class PopulationSnapshot(Common, kw_only=True, gc=False):
    """How many people there are to reach."""

    kind: PopulationKind
    value: Amount
    by_group: dict[str, Any] | None = None
    year: Year | None = None
    source_url: Text | None = None


class DefinitionChanged(Common, kw_only=True, gc=False):
    """From now on the source counts something in another way."""

    indicator: Name | None = None
    version: Name | int | None = None
    reason: Text | None = None


class CalendarClosure(Common, kw_only=True, gc=False):
    """Days, both included, on which no participation is expected."""

    first: Day
    last: Day
    reason: Code | None = None


class FeedHeartbeat(Common, kw_only=True, gc=False):
    """The feed was up from `since` to `until` and sent so many events of each type."""

    seq: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    counts: dict[str, Any] | None = None


class CollectorLedger(Common, kw_only=True, gc=False):
    """A collector says what became of a feed's messages."""

    collector: Name | None = None
    feed: Name | None = None
    total: dict[str, Whole] | None = None
    dead: dict[str, Whole] | None = None
    days: dict[str, Any] | None = None
    latency_s: dict[str, Any] | None = None
    skew_s: dict[str, Any] | None = None
    last_received: Moment | None = None
    longest_gap: dict[str, Any] | None = None
    samples: list[Any] | None = None
    cut: bool | None = None


class CollectorSessionLost(Common, kw_only=True, gc=False):
    """The broker forgot what it held for a collector."""

    collector: Name | None = None
    since: Moment | None = None


TYPES: dict[str, type[Common]] = {
    "reading": Reading,
    "population.snapshot": PopulationSnapshot,
    "definition.changed": DefinitionChanged,
    "calendar.closure": CalendarClosure,
    "feed.heartbeat": FeedHeartbeat,
    "collector.ledger": CollectorLedger,
    "collector.session_lost": CollectorSessionLost,
}

MEANINGS = {
    "device": "The device that measured.",
    "quantity": "What was measured.",
    "value": "The number.",
    "unit": "Unit of the number; by default that of docs/units.md.",
    "population.snapshot/kind": "Who is counted; rates per different kinds are not compared.",
    "by_group": "Sizes of groups, by a field and its codes or bands.",
    "year": "Year of the number.",
    "source_url": "Where the number is published.",
    "indicator": "Indicator concerned.",
    "version": "Version from now on.",
    "first": "First day.",
    "last": "Last day.",
    "seq": "Number of the heartbeat.",
    "counts": "Events sent since the last one, by type.",
    "collector": "Name of the collector.",
    "feed": "Id of the feed.",
    "total": "Messages by fate.",
    "dead": "Messages set aside, by stage and code.",
    "days": "The same by day of receipt, in UTC.",
    "latency_s": "Time from receipt to the store.",
    "skew_s": "Time of receipt less the time of the event.",
    "last_received": "Time of the last message.",
    "longest_gap": "The longest silence.",
    "samples": "Newest message of each kind that was set aside.",
    "cut": "True where not all samples fit.",
}
