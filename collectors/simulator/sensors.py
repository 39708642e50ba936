"""What devices measure: a smooth, seasonal level per quantity with noise, and now and then a lost reading.

Readings lie on a grid of the feed's interval (counted from 1970-01-01 UTC), the same for history and live.
"""

from math import pi

import numpy as np

from collectors.simulator.chance import NS_PER_DAY, rng_of
from collectors.simulator.people import Floats
from collectors.simulator.world import City
from config.catalogue import Feed, Quantity

_LOST = 0.004
_COUNTED = ("foot", "visit", "people", "person", "pedestrian", "bike", "cycl", "traffic", "vehicle", "passage", "count")
_LEVELS: dict[str, tuple[float, float, float, float]] = {  # mean, yearly swing, daily swing, noise (as factors)
    "temperature": (14.0, 0.6, 0.25, 0.06),
    "humidity": (65.0, 0.1, 0.15, 0.06),
    "noise": (50.0, 0.02, 0.12, 0.05),
}


def devices_of(city: City, feed: Feed) -> list[str]:
    return feed.devices or [f"{city.pilot.slug}-{feed.id}-1"]


def interval_ns(feed: Feed) -> int | None:
    return None if feed.expect_every is None else round(feed.expect_every.total_seconds()) * 1_000_000_000


def of_day(city: City, feed: Feed, device: str, day: int, stride: int = 1) -> list[tuple[int, dict[str, float]]]:
    """(time in ns, value by field) of one device on one local day, in time order; lost readings are absent."""
    every = interval_ns(feed)
    if every is None or feed.map is None:
        return []
    first, after = city.bounds(day)
    times = np.arange(-(-first // every) * every, after, every, dtype=np.int64)
    rng = rng_of(city.seed, city.pilot.slug, "sensor", feed.id, device, day)
    kept = rng.random(len(times)) >= _LOST
    columns = {
        field: _level(city, quantity, times, (times - first) / NS_PER_DAY, day, rng)
        for field, quantity in feed.map.values.items()
    }
    return [
        (int(times[n]), {field: round(float(column[n]), 1) for field, column in columns.items()})
        for n in range(0, len(times))
        if kept[n] and (int(times[n]) // every) % stride == 0
    ]


def _level(
    city: City,
    quantity: Quantity,
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    part: Floats,
    day: int,
    rng: np.random.Generator,
) -> Floats:
    name, hours = quantity.quantity, np.array(city.habit.hours)
    if any(word in name or word in quantity.unit for word in _COUNTED):
        rhythm = hours[np.minimum((part * 24).astype(int), 23)] / hours.mean()
        crowd = 240.0 if any(word in name for word in ("traffic", "vehicle")) else 40.0
        per_hour = crowd * city.use_factor(day)
        every_h = (times[1] - times[0]) / 3.6e12 if len(times) > 1 else 1.0
        counts: Floats = rng.poisson(np.maximum(per_hour * rhythm * every_h, 0.01)).astype(float)
        return counts
    swing_day = -np.cos(2 * pi * (part - 0.12))
    year = -np.cos(2 * pi * ((times / NS_PER_DAY) % 365.25 - 15) / 365.25)
    if name in _LEVELS:
        mean, yearly, daily, noise = _LEVELS[name]
        mean = _below_limit(city, name, mean, 0.93)
        level: Floats = mean * (1 + yearly * year + daily * swing_day + noise * rng.standard_normal(len(times)))
        return level
    mean = _below_limit(city, name, 22.0, 0.5)
    weather = rng.lognormal(0, 0.35)  # one draw for the whole day: still air or wind
    spread: Floats = mean * weather * (1 - 0.25 * year + 0.2 * swing_day) * rng.lognormal(0, 0.15, len(times))
    return spread


def _below_limit(city: City, quantity: str, usual: float, share: float) -> float:
    """A mean level at which a pilot's own limit is passed in some hours, not in most."""
    return next((limit.above * share for limit in city.pilot.limits if limit.quantity == quantity), usual)
