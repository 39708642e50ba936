"""Days on which nobody is expected to take part: a pilot's closures and its public holidays. Source: alerts.md 3."""

from datetime import date
from functools import lru_cache

import holidays

from config.catalogue import Pilot


def closed(pilot: Pilot, day: str) -> bool:
    """True where the pilot's calendar names a closure or a public holiday on that ISO date."""
    if any(one.first.isoformat() <= day <= one.last.isoformat() for one in pilot.calendar.closures):
        return True
    code = pilot.calendar.holidays
    return code is not None and date.fromisoformat(day) in _public(code, int(day[:4]))


@lru_cache(maxsize=512)
def _public(code: str, year: int) -> frozenset[date]:
    """Public holidays of a country ("SE") or one of its parts ("DE-HB") in a year."""
    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))
