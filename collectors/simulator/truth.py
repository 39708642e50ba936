"""What is planted in the simulated cities: the oracle that tests hold the pipeline against.

This is the only place where planted effects are written. The pipeline cannot import it (imports point from
collectors to pipeline, never back); a test may read it and compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class DropOff:
    """One public loses interest while its feeds stay healthy.

    From local midnight `days_before_now` days ago, each act of a person on `stream` is kept with the
    probability `keep`. No activity is held in that pilot between the onset and now, so nothing hides it.
    """

    pilot: str
    stream: str
    days_before_now: int
    keep: float


@dataclass(frozen=True)
class Outage:
    """One feed breaks while its people go on: no event and no heartbeat from that hour on, live included."""

    pilot: str
    stream: str
    hours_before_now: int


@dataclass(frozen=True)
class Truth:
    """All planted effects.

    `lifts[pilot][method]` multiplies the number of visits to the service on each of the `effect_days` days
    after an activity of that method was held there (not on the day itself). 1.0 is "no effect".
    """

    drop_off: DropOff
    outage: Outage
    lifts: Mapping[str, Mapping[str, float]]
    effect_days: int

    def methods(self, pilot: str) -> Mapping[str, float]:
        """Method and its lift in one pilot; a pilot that is not planted has methods without effect."""
        return self.lifts.get(pilot, _NO_EFFECT)


# Codes after the eight methods of the OECD Guidelines for Citizen Participation Processes (2022).
# No method is best everywhere, and `open_meeting` helps in one city, does nothing in three, harms in one.
_NO_EFFECT: Mapping[str, float] = MappingProxyType(
    {"open_meeting": 1.0, "public_consultation": 1.0, "open_innovation": 1.0}
)

TRUTH = Truth(
    drop_off=DropOff(pilot="athens", stream="engagement", days_before_now=12, keep=0.35),
    outage=Outage(pilot="genoa", stream="engagement", hours_before_now=26),
    lifts={
        "malmo": {"open_meeting": 1.6, "public_consultation": 1.0, "citizen_science": 1.2},
        "bremen": {"open_meeting": 1.0, "open_innovation": 1.6, "civic_monitoring": 1.3},
        "athens": {"open_meeting": 1.0, "public_consultation": 1.25, "representative_deliberation": 1.6},
        "genoa": {"open_meeting": 1.2, "citizen_science": 1.6, "open_innovation": 1.0},
        "palmela": {"open_meeting": 1.0, "information_and_data": 1.6, "participatory_budgeting": 1.25},
        "milan": {"open_meeting": 0.75, "open_innovation": 1.6, "civic_monitoring": 1.0},
    },
    effect_days=21,
)
