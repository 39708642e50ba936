"""What is planted in the simulated cities: the oracle that tests hold the pipeline against.

This is the only place where planted effects are written. The pipeline cannot import it (imports point from
collectors to pipeline, never back); a test may read it and compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType


@dataclass(frozen=True)
class DropOff:
    """One public loses interest while its feeds stay healthy.

    From local midnight `days_before_now` days ago, for `days` days (None: until now and on), each act on `stream` of a
    person of `group` ("": of anybody) is kept with the probability `keep`. No activity is held in that pilot between
    the onset and now, so nothing hides it.
    """

    pilot: str
    stream: str
    days_before_now: int
    keep: float
    days: int | None = None
    group: str = ""


@dataclass(frozen=True)
class Outage:
    """One feed breaks while its people go on: no event and no heartbeat from that hour on, live included."""

    pilot: str
    stream: str
    hours_before_now: int


@dataclass(frozen=True)
class Voice:
    """What people's say is worth in one city: shares from 0 to 1 that every chance of taking part is drawn with.

    `answered` of contributions get a published answer; `taken_up` of those treated are adopted or adapted;
    `believes` and `trusts` of those asked agree that they had influence and that the city keeps its word;
    `drops_out` of those who sign up for a field test leave it; `decides` of monthly decisions are co-decided by that
    group. `population` is how large each age band is, against which those who take part are compared.
    """

    answered: float
    taken_up: float
    believes: float
    trusts: float
    drops_out: float
    decides: Mapping[str, float]
    population: Mapping[str, float]


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
    voices: Mapping[str, Voice] = field(default_factory=dict)
    turnout: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    stays_away: Mapping[str, float] = field(default_factory=dict)

    def draws(self, pilot: str, method: str) -> float:
        """What the mean attendance of a city's activities is multiplied by for a method."""
        return self.turnout.get(pilot, {}).get(method, 1.0)

    def absent(self, method: str) -> float:
        """Share of those who register for an activity of a method and do not come, the same in every city."""
        return self.stays_away.get(method, _STAYS_AWAY)

    def voice(self, pilot: str) -> Voice:
        """What taking part is worth in one pilot; a pilot that is not planted lies in the middle."""
        return self.voices.get(pilot, _MIDDLE)

    def methods(self, pilot: str) -> Mapping[str, float]:
        """Method and its lift in one pilot; a pilot that is not planted has methods without effect."""
        return self.lifts.get(pilot, _NO_EFFECT)


_STAYS_AWAY = 0.2
_AGES: Mapping[str, float] = MappingProxyType({"16-24": 0.14, "25-44": 0.34, "45-64": 0.3, "65+": 0.22})
_STUDENTS: Mapping[str, float] = MappingProxyType({"16-24": 0.6, "25-44": 0.3, "45-64": 0.08, "65+": 0.02})
_MIDDLE = Voice(
    answered=0.6,
    taken_up=0.4,
    believes=0.5,
    trusts=0.5,
    drops_out=0.3,
    decides={"citizen": 0.4, "government": 0.9},
    population=_AGES,
)

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
    voices={
        # Much is answered and taken up, and people see it.
        "malmo": replace(_MIDDLE, answered=0.85, taken_up=0.55, believes=0.7, trusts=0.75),
        "bremen": replace(_MIDDLE, drops_out=0.45, decides={"business": 0.5, "citizen": 0.3, "government": 1.0}),
        # People co-decide often, yet little is answered and few believe that they were heard.
        "athens": replace(
            _MIDDLE, answered=0.3, believes=0.25, trusts=0.3, decides={"citizen": 0.8, "government": 0.8}
        ),
        "genoa": replace(_MIDDLE, decides={"civil_society": 0.6, "citizen": 0.3, "government": 0.9}),
        # The record says little was taken up, and people feel heard all the same.
        "palmela": replace(_MIDDLE, answered=0.9, taken_up=0.2, believes=0.65, drops_out=0.15),
        "milan": replace(
            _MIDDLE, answered=0.7, drops_out=0.4, decides={"academia": 0.8, "citizen": 0.2}, population=_STUDENTS
        ),
    },
    # Which method draws people differs from city to city, and is not always the one that brings use.
    turnout={
        "malmo": {"open_meeting": 1.4, "public_consultation": 0.8, "citizen_science": 0.6},
        "bremen": {"open_meeting": 0.7, "open_innovation": 1.4, "civic_monitoring": 1.0},
        "athens": {"open_meeting": 0.7, "public_consultation": 1.4},
        "genoa": {"open_meeting": 1.3, "citizen_science": 1.4, "open_innovation": 0.7},
        "milan": {"open_meeting": 0.6, "open_innovation": 1.5, "civic_monitoring": 0.8},
    },
    stays_away={"public_consultation": 0.35, "open_innovation": 0.1},
)
