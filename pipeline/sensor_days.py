"""One day of one device and quantity: its level, its sum, and its hours above the pilot's limit."""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil, fsum
from statistics import median
from typing import Final

import msgspec

from config.catalogue import Limit, Pilot
from pipeline.model import NS_PER_S, Event
from pipeline.plausible import flat, spikes

HOUR_NS: Final = 3600 * NS_PER_S
KNOWN_SHARE: Final = 0.75  # of an hour's expected samples; below it the hour's mean is not known
LARGEST: Final = 1e100  # beyond it a value is no reading, and sums of such would leave what a float can hold
# Readings of these are numbers of passers-by: they are summed over a day, all others are averaged.
COUNTING_UNITS: Final = frozenset(
    {
        "count",
        "counts",
        "people",
        "persons",
        "pedestrians",
        "visitors",
        "visits",
        "bicycles",
        "bikes",
        "cyclists",
        "vehicles",
        "cars",
        "passages",
        "trips",
    }
)
COUNTING_QUANTITIES: Final = frozenset({"footfall", "traffic", "pedestrians", "visitors", "bicycles", "vehicles"})


class SensorDay(msgspec.Struct, frozen=True, kw_only=True):
    """Readings of a device in one quantity over one local day; sums are in the quantity's unit.

    `hours_known` is the number of clock hours with enough samples for a mean, `hours_above` those of them
    whose mean lay above the pilot's limit; both None where the pilot states no limit. `flat` is the number of
    readings in runs of at least 6 equal ones, `spikes` of those far from their neighbours (`pipeline.plausible`).
    """

    feed: str
    device: str
    quantity: str
    unit: str
    n: int
    total: float
    mean: float
    minimum: float
    maximum: float
    hours_known: int | None = None
    hours_above: int | None = None
    median: float | None = None
    flat: int = 0
    spikes: int = 0

    @property
    def counts(self) -> bool:
        """True where readings are numbers of passers-by."""
        return counts(self.quantity, self.unit)


def counts(quantity: str, unit: str) -> bool:
    """True for quantities that are summed over a day rather than averaged."""
    return quantity in COUNTING_QUANTITIES or unit.lower() in COUNTING_UNITS


def sensor_days(pilot: Pilot, events: Iterable[Event], start: int, end: int) -> list[SensorDay]:
    """All devices and quantities of a day, in order of feed, device and quantity."""
    readings: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
    for event in events:
        if event.stream == "sensor" and event.value is not None and abs(event.value) <= LARGEST:
            readings[event.feed, event.device, event.quantity].append(event)
    return [_sensor_day(pilot, key, readings[key], start) for key in sorted(readings)]


def _sensor_day(pilot: Pilot, key: tuple[str, str, str], events: list[Event], start: int) -> SensorDay:
    feed, device, quantity = key
    values = [event.value for event in events if event.value is not None]
    unit = min(event.unit for event in events)
    limit = next((found for found in pilot.limits if found.quantity == quantity), None)
    known, above = (None, None) if limit is None else _hours(pilot, feed, limit, events, start)
    total = fsum(values)
    in_order = [event.value for event in sorted(events, key=lambda found: found.time_ns) if event.value is not None]
    return SensorDay(
        feed=feed,
        device=device,
        quantity=quantity,
        unit=unit,
        n=len(values),
        total=total,
        mean=total / len(values),
        minimum=min(values),
        maximum=max(values),
        hours_known=known,
        hours_above=above,
        median=float(median(values)),
        flat=flat(in_order),
        spikes=spikes(in_order),
    )


def _hours(pilot: Pilot, feed_id: str, limit: Limit, events: list[Event], start: int) -> tuple[int, int]:
    """Hours whose mean is known, and those above the limit."""
    feed = pilot.feed(feed_id)
    expected = 0.0 if feed is None or feed.expect_every is None else 3600 / feed.expect_every.total_seconds()
    needed = max(1, ceil(KNOWN_SHARE * min(expected, 3600) - 1e-9))
    by_hour: dict[int, dict[int, float]] = defaultdict(dict)
    for event in sorted(events, key=lambda found: found.time_ns):
        if event.value is not None:
            by_hour[(event.floor_ns - start) // HOUR_NS][event.floor_ns] = event.value
    known = [fsum(hour.values()) / len(hour) for hour in by_hour.values() if len(hour) >= needed]
    return len(known), sum(mean > limit.above for mean in known)
