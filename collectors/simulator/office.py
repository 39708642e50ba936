"""What the city does by itself: a decision each month, spending on what serves all, a count of its people."""

from datetime import date
from typing import Any

import numpy as np

from collectors.simulator.chance import rng_of
from collectors.simulator.envelope import Happening
from collectors.simulator.world import City

_DECIDES_ON, _SPENDS_ON, _COUNTS_ON = 15, 1, (1, 10)  # day of the month; month and day
_OTHERS = ("deliberated", "consulted", "informed")
_GROUPS = ("academia", "business", "citizen", "civil_society", "government")


def of_day(city: City, day: int) -> list[Happening]:
    """The office's events of one local day."""
    local = date.fromordinal(day)
    if day < city.launch:
        return []
    found = []
    if local.day == _DECIDES_ON:
        found += _decision(city, day)
    if local.day == _SPENDS_ON:
        rng = rng_of(city.seed, city.pilot.slug, "office", day)
        spent = {"hours": round(float(rng.uniform(5, 15)), 1), "eur": int(rng.integers(1, 6)) * 100}
        found.append(_said(city, day, 0.5, "resource.spent", spent))
    if (local.month, local.day) == _COUNTS_ON or day == city.launch:
        found.append(_said(city, day, 0.4, "population.snapshot", _population(city, local.year)))
    return found


def _decision(city: City, day: int) -> list[Happening]:
    """A small decision of the city: which groups decide with it is drawn from what is planted."""
    rng = rng_of(city.seed, city.pilot.slug, "decision", day)
    decides = city.truth.voice(city.pilot.slug).decides
    own = {"decision_id": f"{city.pilot.slug}-{date.fromordinal(day).isoformat()}", "stage": "co_decide"}
    found = []
    for group in _GROUPS:
        role = "co_decider" if rng.random() < decides.get(group, 0.0) else str(rng.choice(_OTHERS))
        found.append(_said(city, day, 0.6, "decision.participated", {**own, "actor_kind": group, "role": role}))
    outcome = "approved" if rng.random() < 0.8 else "postponed"
    return [*found, _said(city, day, 0.62, "decision.closed", {**own, "outcome": outcome})]


def _population(city: City, year: int) -> dict[str, Any]:
    """The size of each age band of those whom the service is for."""
    denominator = city.pilot.denominator()
    value = denominator.value if denominator is not None and isinstance(denominator.value, int) else 6000
    kind = denominator.kind if denominator is not None else "target"
    shares = city.truth.voice(city.pilot.slug).population
    sizes = {band: round(value * share) for band, share in shares.items()}
    return {"kind": kind, "value": value, "by_group": {"age_band": sizes}, "year": year}


def _said(city: City, day: int, part: float, type_: str, own: dict[str, Any]) -> Happening:
    data = {
        "schema": "pe.engagement.v1",
        "consent": "none",
        "actor_kind": "government",
        "evidence": "system_log",
        **own,
    }
    return Happening(city.at(day, np.array([part]))[0], "engagement", type_, data, False)
