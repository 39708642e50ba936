"""The unit of one value: that of its indicator, or of the quantity where the indicator spans several."""

from config.catalogue import Pilot
from pipeline.indicators.registry import INDICATORS


def unit_of(pilot: Pilot, indicator: str, dim: str, segment: str) -> str:
    """The unit as shown to readers; the indicator's own words where the pilot's file does not tell."""
    if indicator == "sensor-level" and dim == "quantity":
        for feed in pilot.feeds:
            for one in feed.map.values.values() if feed.map is not None else ():
                if one.quantity == segment:
                    return one.unit
        return next((limit.unit for limit in pilot.limits if limit.quantity == segment), INDICATORS[indicator].unit)
    return INDICATORS[indicator].unit
