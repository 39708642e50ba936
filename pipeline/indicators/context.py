"""Context from sensors: levels, hours above a limit, and how many pass by."""

from collections import defaultdict
from math import fsum

from pipeline.indicators.measure import Measure, not_defined, of_total
from pipeline.indicators.registry import indicator
from pipeline.indicators.window import Window
from pipeline.sensor_days import SensorDay, counts

NO_FEED = "no sensor feed had been heard by then"
NO_READING = "no reading arrived in this period"


def _by_quantity(window: Window, counting: bool) -> dict[str, list[SensorDay]]:
    found: dict[str, list[SensorDay]] = defaultdict(list)
    for quantity in window.history.quantities(window.last, counting) | set(_declared(window, counting)):
        found[quantity] = []
    for day in window.days:
        for sensor in day.sensors:
            if sensor.counts is counting:
                found[sensor.quantity].append(sensor)
    return {quantity: found[quantity] for quantity in sorted(found)}


def _declared(window: Window, counting: bool) -> list[str]:
    """Quantities that the pilot's file maps, so that a silent one is shown as missing."""
    return [
        one.quantity
        for feed in window.pilot.feeds
        if feed.map is not None
        for one in feed.map.values.values()
        if counts(one.quantity, one.unit) is counting
    ]


def _missing(quantity: str) -> Measure:
    return Measure(status="feed_poor", reason=NO_READING, dim="quantity", segment=quantity)


@indicator(
    id="sensor-level",
    version=1,
    family="context",
    title="Sensor level",
    unit="unit of the quantity",
    direction="none",
    formula="mean over devices of each device's mean reading in the period, by quantity",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("reading",),
    streams=("sensor",),
    dims=("quantity",),
    caveat="Low-cost sensors drift and differ; compare a place with itself.",
    source="daily statistics of readings",
)
def sensor_level(window: Window) -> list[Measure]:
    if not window.known("sensor"):
        return [not_defined(NO_FEED)]
    found = []
    for quantity, days in _by_quantity(window, counting=False).items():
        if not days:
            found.append(_missing(quantity))
            continue
        devices: dict[tuple[str, str], list[SensorDay]] = defaultdict(list)
        for day in days:
            devices[day.feed, day.device].append(day)
        means = [fsum(day.total for day in one) / sum(day.n for day in one) for one in devices.values()]
        found.append(of_total(fsum(means) / len(means), sum(day.n for day in days), "quantity", quantity))
    return found or [not_defined("no quantity of this pilot is a level")]


@indicator(
    id="hours-over-limit",
    version=1,
    family="context",
    title="Hours above the limit",
    unit="device-hours",
    direction="down",
    formula="number of clock hours, added over devices, whose mean reading lies above the limit "
    "stated in the pilot's file; hours with less than 75 % of their samples are not known and not counted",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("reading",),
    streams=("sensor",),
    dims=("quantity",),
    caveat="More devices have more hours; n is the number of hours known.",
    source="one-hour means against the pilot's limit",
)
def hours_over_limit(window: Window) -> list[Measure]:
    if not window.pilot.limits:
        return [not_defined("the pilot's file states no limit")]
    if not window.known("sensor"):
        return [not_defined(NO_FEED)]
    found = []
    for quantity in sorted({limit.quantity for limit in window.pilot.limits}):
        sensors = [one for day in window.days for one in day.sensors if one.quantity == quantity]
        known = sum(one.hours_known or 0 for one in sensors)
        above = sum(one.hours_above or 0 for one in sensors)
        found.append(of_total(above, known, "quantity", quantity) if known else _missing(quantity))
    return found


@indicator(
    id="footfall",
    version=1,
    family="context",
    title="Footfall and traffic",
    unit="passages",
    direction="none",
    formula="sum of the readings of counting sensors in the period, by quantity",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("reading",),
    streams=("sensor",),
    dims=("quantity",),
    caveat="Passages, not people; missing readings lower the sum.",
    source="daily sums of readings",
)
def footfall(window: Window) -> list[Measure]:
    if not window.known("sensor"):
        return [not_defined(NO_FEED)]
    found = []
    for quantity, days in _by_quantity(window, counting=True).items():
        found.append(
            of_total(fsum(day.total for day in days), sum(day.n for day in days), "quantity", quantity)
            if days
            else _missing(quantity)
        )
    return found or [not_defined("no quantity of this pilot counts passages")]
