"""Plausibility of sensors (Q6): values that stand still, single outliers, drift against the device's own last year."""

from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import Any, Final

from pipeline.indicators.feeds_receipt import quality
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import Compute
from pipeline.indicators.window import Window
from pipeline.sensor_days import SensorDay

SEASON: Final = 365
AROUND: Final = 14
KNOWN_DAYS: Final = 15
NO_SENSOR: Final = "no sensor reading had been stored by then"
YOUNG: Final = "fewer than 15 days around the same date of the year before are known"


def _series(window: Window, first: int, last: int) -> dict[str, list[SensorDay]]:
    """Days of each device and quantity."""
    found: dict[str, list[SensorDay]] = defaultdict(list)
    for day in window.history.days(first, last):
        for sensor in day.sensors:
            found[f"{sensor.device} · {sensor.quantity}"].append(sensor)
    return found


def _sensor(id: str, **words: Any) -> Callable[[Compute], Compute]:
    return quality(id=id, unit="%", dims=("device",), needs=("reading",), **words)


def _rate(window: Window, count: Callable[[SensorDay], int]) -> list[Measure]:
    series = _series(window, window.first, window.last)
    if not series:
        return [not_defined(NO_SENSOR)]
    found = []
    for name in sorted(series):
        n = sum(day.n for day in series[name])
        value = 100 * sum(count(day) for day in series[name]) / n
        found.append(Measure(value=value, n=n, dim="device", segment=name, gate=False))
    return found


@_sensor(
    "flat-line-share", title="Readings that stand still", direction="down",
    formula="100 · readings in runs of at least 6 equal ones within a day / readings, by device and quantity",
    window="the period", caveat="A park at night is flat by right, and so is a device that rounds.",
    source="Q6 plausibility, flat-line share",
)  # fmt: skip
def flat_line_share(window: Window) -> list[Measure]:
    return _rate(window, lambda day: day.flat)


@_sensor(
    "spike-rate", title="Single outliers", direction="down",
    formula="100 · readings further than 6 · 1.4826 median absolute deviations from the median of themselves and 3 "
    "neighbours on each side within a day / readings, by device and quantity",
    window="the period", caveat="A real event of a minute looks like an error.",
    source="Q6 plausibility, spike rate; Hampel 1974",
)  # fmt: skip
def spike_rate(window: Window) -> list[Measure]:
    return _rate(window, lambda day: day.spikes)


@_sensor(
    "seasonal-drift", title="Drift against last year", direction="none",
    formula="100 · (median of daily medians - median of daily medians of the same dates one year (365 days) before, "
    "with 14 days on each side) / the latter without its sign, by device and quantity",
    window="the period, and the same dates of the year before", min_n=KNOWN_DAYS, look_back=SEASON + AROUND,
    caveat="A change of the place looks like a drift of the device; n is the number of days of the year before.",
    source="Q6 plausibility, drift against the own seasonal median",
)  # fmt: skip
def seasonal_drift(window: Window) -> list[Measure]:
    series = _series(window, window.first, window.last)
    if not series:
        return [not_defined(NO_SENSOR)]
    past = _series(window, window.first - SEASON - AROUND, window.last - SEASON + AROUND)
    found = []
    for name in sorted(series):
        before = [day.median for day in past.get(name, []) if day.median is not None]
        now = [day.median for day in series[name] if day.median is not None]
        usual = median(before) if before else 0.0
        if len(before) < KNOWN_DAYS or not now or usual == 0:
            found.append(not_defined(YOUNG if len(before) < KNOWN_DAYS else "its median was 0", "device", name))
            continue
        value = 100 * (median(now) - usual) / abs(usual)
        found.append(Measure(value=value, n=len(before), dim="device", segment=name, gate=False))
    return found
