"""How each simulated city lives: who uses its service, when, how, and how long they stay.

These are inventions for a simulation, not facts about the cities; `config/pilots` holds the facts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


def _hours(*peaks: tuple[float, float, float]) -> tuple[float, ...]:
    """24 weights from (peak hour, width in hours, height); nights keep a little."""
    return tuple(
        0.03 + sum(height * 2.718281828 ** (-0.5 * ((hour + 0.5 - at) / width) ** 2) for at, width, height in peaks)
        for hour in range(24)
    )


OFFICE = _hours((10.5, 1.8, 1.0), (15.0, 1.6, 0.7))
COMMUTE = _hours((8.0, 1.1, 1.0), (17.5, 1.4, 1.0), (13.0, 2.5, 0.3))
LEISURE = _hours((11.5, 2.0, 0.6), (16.5, 2.2, 1.0))
EVENING = _hours((12.5, 1.5, 0.4), (20.0, 2.0, 1.0))
LESSONS = _hours((9.5, 1.2, 1.0), (12.5, 1.0, 0.8), (15.5, 1.8, 0.9))


@dataclass(frozen=True)
class Habit:
    """One city's way of life. Weekday tuples run from Monday and multiply a mean day (mean about 1).

    `people` arrive over 104 weeks; of them `one_time` come once; the others stay `stay_days` on average and
    visit `visits_per_day`. `contributions_per_day` is the level outside activities; `attendance` the mean
    number of people at one. `season` is the yearly swing of use, highest on day `season_peak` of the year.
    `cadence` is how often the service is used by its nature ("" where events do not say), `ease` how easy people find
    it, from 0 to 1.
    """

    people: int
    one_time: float
    stay_days: float
    visits_per_day: float
    extra_actions: float
    weekday: tuple[float, ...]
    hours: tuple[float, ...]
    channels: Mapping[str, float]
    actor_kinds: Mapping[str, float]
    contributions_per_day: float
    engagement_weekday: tuple[float, ...]
    contribution_kinds: Mapping[str, float]
    workshop_weekday: int
    attendance: float
    task_family: str
    assisted: float = 0.0
    session_share: float = 0.05
    task_share: float = 0.06
    season: float = 0.15
    season_peak: int = 150
    august: float = 1.0
    answer_lag_days: int = 10
    language: str = "en"
    cadence: str = ""
    ease: float = 0.7


def _kinds(citizen: float, civil: float, business: float, government: float, academia: float) -> dict[str, float]:
    return {
        "citizen": citizen,
        "civil_society": civil,
        "business": business,
        "government": government,
        "academia": academia,
    }


HABITS: Mapping[str, Habit] = {
    # A neighbourhood: evenly through the week, evenings, people stay long and talk a lot.
    "malmo": Habit(
        people=1500,
        one_time=0.25,
        stay_days=150,
        visits_per_day=0.075,
        extra_actions=0.45,
        weekday=(0.95, 0.95, 1.0, 1.0, 1.0, 1.1, 1.0),
        hours=EVENING,
        channels={"app": 0.7, "web": 0.2, "sms": 0.1},
        actor_kinds=_kinds(0.74, 0.14, 0.04, 0.03, 0.05),
        contributions_per_day=12,
        engagement_weekday=(1.0, 1.0, 1.0, 1.1, 0.9, 0.9, 1.1),
        contribution_kinds={"idea": 0.35, "comment": 0.4, "care": 0.15, "report": 0.1},
        workshop_weekday=3,
        attendance=20,
        task_family="share",
        season=0.1,
        season_peak=340,
        answer_lag_days=6,
        language="sv",
        cadence="daily",
        ease=0.72,
    ),
    # A street: commuters on working days.
    "bremen": Habit(
        people=1700,
        one_time=0.3,
        stay_days=120,
        visits_per_day=0.085,
        extra_actions=0.3,
        weekday=(1.25, 1.3, 1.25, 1.25, 1.1, 0.5, 0.35),
        hours=COMMUTE,
        channels={"app": 0.6, "qr": 0.25, "web": 0.15},
        actor_kinds=_kinds(0.78, 0.08, 0.08, 0.02, 0.04),
        contributions_per_day=11,
        engagement_weekday=(1.2, 1.2, 1.1, 1.1, 1.0, 0.7, 0.7),
        contribution_kinds={"report": 0.55, "idea": 0.2, "vote": 0.15, "data": 0.1},
        workshop_weekday=1,
        attendance=14,
        task_family="find-parking",
        season=0.2,
        season_peak=170,
        answer_lag_days=14,
        language="de",
        cadence="daily",
        ease=0.66,
    ),
    # A square for democracy: much engagement, many one-time visitors.
    "athens": Habit(
        people=2100,
        one_time=0.5,
        stay_days=80,
        visits_per_day=0.09,
        extra_actions=0.3,
        weekday=(0.95, 0.95, 1.0, 1.05, 1.2, 1.0, 0.85),
        hours=EVENING,
        channels={"web": 0.45, "app": 0.4, "kiosk": 0.15},
        actor_kinds=_kinds(0.7, 0.16, 0.04, 0.05, 0.05),
        contributions_per_day=22,
        engagement_weekday=(1.0, 1.05, 1.1, 1.05, 1.1, 0.85, 0.85),
        contribution_kinds={"vote": 0.5, "comment": 0.3, "idea": 0.2},
        workshop_weekday=2,
        attendance=22,
        task_family="petition",
        season=0.1,
        season_peak=110,
        august=0.75,
        answer_lag_days=18,
        language="el",
        cadence="weekly",
        ease=0.6,
    ),
    # A museum and park: busiest at weekends and in spring and summer.
    "genoa": Habit(
        people=2400,
        one_time=0.55,
        stay_days=110,
        visits_per_day=0.055,
        extra_actions=0.5,
        weekday=(0.55, 0.55, 0.65, 0.7, 0.95, 1.75, 1.85),
        hours=LEISURE,
        channels={"qr": 0.5, "app": 0.35, "kiosk": 0.15},
        actor_kinds=_kinds(0.76, 0.16, 0.03, 0.03, 0.02),
        contributions_per_day=11,
        engagement_weekday=(0.8, 0.8, 0.9, 0.9, 1.0, 1.3, 1.3),
        contribution_kinds={"report": 0.35, "data": 0.25, "idea": 0.25, "care": 0.15},
        workshop_weekday=5,
        attendance=18,
        task_family="guided-walk",
        season=0.35,
        season_peak=160,
        answer_lag_days=12,
        language="it",
        cadence="weekly",
        ease=0.74,
    ),
    # A city hall on wheels: the van comes on Tuesdays, Thursdays and Saturdays; staff help most people.
    "palmela": Habit(
        people=1100,
        one_time=0.2,
        stay_days=240,
        visits_per_day=0.055,
        extra_actions=0.35,
        weekday=(0.25, 2.1, 0.25, 2.1, 0.3, 1.9, 0.1),
        hours=OFFICE,
        channels={"van": 0.75, "phone": 0.15, "web": 0.1},
        actor_kinds=_kinds(0.84, 0.06, 0.04, 0.05, 0.01),
        contributions_per_day=11,
        engagement_weekday=(0.8, 1.4, 0.8, 1.4, 0.8, 1.2, 0.6),
        contribution_kinds={"idea": 0.3, "report": 0.4, "comment": 0.3},
        workshop_weekday=3,
        attendance=16,
        task_family="certificate",
        assisted=0.7,
        task_share=0.12,
        season=0.08,
        answer_lag_days=5,
        language="pt",
        ease=0.8,
    ),
    # A campus: lecture days; almost nobody at weekends and few in August.
    "milan": Habit(
        people=7200,
        one_time=0.3,
        stay_days=100,
        visits_per_day=0.1,
        extra_actions=0.4,
        weekday=(1.35, 1.4, 1.4, 1.35, 1.1, 0.25, 0.15),
        hours=LESSONS,
        channels={"app": 0.75, "web": 0.2, "api": 0.05},
        actor_kinds=_kinds(0.2, 0.05, 0.05, 0.02, 0.68),
        contributions_per_day=12,
        engagement_weekday=(1.2, 1.25, 1.25, 1.2, 1.0, 0.55, 0.55),
        contribution_kinds={"test": 0.3, "prototype": 0.15, "idea": 0.3, "comment": 0.25},
        workshop_weekday=2,
        attendance=24,
        task_family="book-desk",
        season=0.12,
        season_peak=310,
        august=0.45,
        answer_lag_days=8,
        language="it",
        cadence="daily",
        ease=0.68,
    ),
}


def habit_of(pilot: str) -> Habit:
    """A city's habit; a pilot unknown here lives like one of the six, always the same one."""
    if pilot in HABITS:
        return HABITS[pilot]
    presets = list(HABITS.values())
    return presets[hashlib.sha256(pilot.encode()).digest()[0] % len(presets)]
