"""Uptake: what becomes of newcomers - whether they begin, and whether they are still there weeks later."""

from dataclasses import replace
from typing import Final

from pipeline.indicators.intervals import life_table
from pipeline.indicators.measure import Measure, not_defined, of_share
from pipeline.indicators.registry import indicator
from pipeline.indicators.usage import LONGER, NO_CONSENT, NO_USAGE, THETA, anonymous, estimated
from pipeline.indicators.window import Window
from pipeline.partials import ARRIVING
from pipeline.periods import WEEK, monday
from pipeline.sketches import NOBODY, People, union

ACTIVATION_DAYS: Final = 7
LATER_WEEKS: Final = 4
NO_NEWCOMER: Final = "nobody used the service for the first time in this period"


@indicator(
    id="activation",
    version=1,
    family="uptake",
    title="Activation",
    unit="%",
    direction="up",
    formula="100 · newcomers with a core action on their first day or the 7 days after it / newcomers who have been "
    "followed for 7 days; a newcomer's first day is that of the first registration or session ever",
    window="the period and 7 days after, against all history",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("service.registered", "session.started", "action.performed"),
    streams=("usage",),
    look_back=None,
    look_ahead=ACTIVATION_DAYS,
    caveat="Newcomers of the last days are left out until their 7 days are over; where only users register, all "
    "are active by definition.",
    source=f"U5 activation; {THETA}",
)
def activation(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if not any(window.history.heard_of(f"usage/{one}", window.last) for one in ARRIVING):
        return [not_defined("neither registrations nor sessions have been recorded")]
    fresh, begun, young = NOBODY, NOBODY, 0
    for day in window.known_days:
        came = window.history.newcomers(day, "arrived")
        if came.nobody:
            continue
        if not window.closed_on(day + ACTIVATION_DAYS, ("usage",)):
            young += 1
            continue
        fresh |= came
        begun |= came & window.history.union("active", day, day + ACTIVATION_DAYS)
    if fresh.nobody and not young:
        counted = any(day.counts.get(f"usage/{one}") for day in window.days for one in ARRIVING)
        named = any(day.arrived for day in window.days)
        return [not_defined(NO_CONSENT if counted and not named else "nobody was new in this period")]
    return [_until(_share(begun, fresh), young, f"{ACTIVATION_DAYS} days")]


def _share(part: People, whole: People) -> Measure:
    return Measure() if whole.nobody else of_share(part, whole.count)


def _until(found: Measure, young: int, time: str) -> Measure:
    """A cohort of which some have not had their time yet is not finished."""
    if not young:
        return found
    return replace(found, status="incomplete", reason=f"some newcomers have not had {time} since")


def first_timers(window: Window) -> list[tuple[int, People]]:
    """First-time users of the period by the Monday of the ISO week of their first core action; none is empty."""
    weeks: dict[int, list[People]] = {}
    for day in window.known_days:
        if not (fresh := window.history.newcomers(day)).nobody:
            weeks.setdefault(monday(day), []).append(fresh)
    return [(week, union(days)) for week, days in weeks.items()]


def _in_week(window: Window, weeks: int) -> list[Measure]:
    if window.period.name == "day":
        return [not_defined(LONGER)]
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    cohort, back, young = NOBODY, NOBODY, 0
    for week, fresh in first_timers(window):
        begin = week + weeks * WEEK
        if not window.closed_on(begin + WEEK - 1, ("usage",)):
            young += 1
            continue
        cohort |= fresh
        back |= fresh & window.history.union("active", begin, begin + WEEK - 1)
    if cohort.nobody and not young:
        return [not_defined(NO_CONSENT if anonymous(window) else NO_NEWCOMER)]
    return [_until(_share(back, cohort), young, f"{weeks} whole weeks")]


@indicator(
    id="retention-week-1",
    version=1,
    family="uptake",
    title="Retention in week 1",
    unit="%",
    direction="up",
    formula="100 · first-time users active in the ISO week after that of their first core action / first-time users "
    "of the period",
    window="the period and the week after, against all history; not said of single days",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=2 * WEEK - 1,
    caveat="Compare only services with the same natural cadence; weeks that are not over are left out.",
    source=f"U6 a) retention by weekly cohort; {THETA}",
)
def retention_week_1(window: Window) -> list[Measure]:
    return _in_week(window, 1)


@indicator(
    id="retention-week-4",
    version=1,
    family="uptake",
    title="Retention in week 4",
    unit="%",
    direction="up",
    formula="100 · first-time users active in the fourth ISO week after that of their first core action / first-time "
    "users of the period",
    window="the period and four weeks after, against all history; not said of single days",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=5 * WEEK - 1,
    caveat="Compare only services with the same natural cadence; weeks that are not over are left out.",
    source=f"U6 a) retention by weekly cohort; {THETA}",
)
def retention_week_4(window: Window) -> list[Measure]:
    return _in_week(window, LATER_WEEKS)


@indicator(
    id="retention-week-4-or-later",
    version=2,
    family="uptake",
    title="Still there in week 4 or later",
    unit="%",
    direction="up",
    formula="100 · Kaplan-Meier estimate of the share of first-time users who are active in the fourth ISO week after "
    "that of their first core action or in any later one; whoever has not been followed so long is censored",
    window="first-time users of the whole series or of chosen dates, followed to the last week that is over",
    min_n=20,
    interval_method="kaplan-meier",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    caveat="Unstable at the right edge: whoever was not seen lately may yet come back, so the newest cohorts pull it "
    "down. It is said of no week or month, since every later day would change it.",
    source=f"U6 b) retention as 1 - churn; Kaplan and Meier 1958, Greenwood 1926; {THETA}",
)
def retention_week_4_or_later(window: Window) -> list[Measure]:
    if window.period.name not in ("all", "chosen"):
        return [not_defined("said of the whole series or of chosen dates only")]
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    end = last_closed_week(window)
    at_risk, lost, stayed = [0] * LATER_WEEKS, [0] * LATER_WEEKS, 0
    for week, fresh in first_timers(window):
        left = fresh.count
        for step in range(1, LATER_WEEKS + 1):
            if week + step * WEEK > end:
                break
            still = (fresh & window.history.union("active", week + step * WEEK, end)).count
            at_risk[step - 1] += left
            lost[step - 1] += left - still
            left = still
        else:
            stayed += left
    steps = life_table(at_risk, lost)
    if not at_risk[0]:
        return [not_defined(NO_CONSENT if anonymous(window) else "no first-time user has been followed for a week")]
    if len(steps) < LATER_WEEKS and steps[-1].share > 0:
        return [not_defined("no first-time user has been followed for 4 weeks")]
    last = steps[-1]
    band = None if last.lower is None or last.upper is None else (100 * last.lower, 100 * last.upper)
    return [estimated(100 * last.share, at_risk[0], band, "kaplan-meier", (at_risk[0], stayed))]


def last_closed_week(window: Window) -> int:
    """The last Sunday that is over, the time allowed to late events included."""
    sunday = monday(window.span[1]) + WEEK - 1
    while sunday >= window.span[0] and not window.closed_on(sunday, ("usage",)):
        sunday -= WEEK
    return sunday
