"""Uptake: how many people use the service, come back, and how much they do."""

from dataclasses import replace

from pipeline.indicators.measure import Measure, not_defined, of_people, of_share, of_total
from pipeline.indicators.registry import indicator
from pipeline.indicators.window import Window
from pipeline.periods import ordinal, previous
from pipeline.sketches import People

NO_USAGE = "no usage feed had been heard by then"
NO_CONSENT = "usage is counted without pseudonyms, so people cannot be told apart"
THETA = "Apache DataSketches Theta sketch, lg_k 12: exact up to 4,096 people"


def _people(window: Window, people: People) -> list[Measure]:
    """A count of people, unless usage in the period is counted without pseudonyms."""
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if people.nobody and _anonymous(window):
        return [not_defined(NO_CONSENT)]
    return [of_people(people)]


def _anonymous(window: Window) -> bool:
    return any(day.core_actions for day in window.days) and not any(day.core_by_people for day in window.days)


@indicator(
    id="people",
    version=1,
    family="uptake",
    title="People who use the service",
    unit="people",
    direction="up",
    formula="number of distinct people with at least one core action in the period",
    window="the period",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Only people who consented to a pseudonym are counted; a person with two pseudonyms counts twice.",
    source=f"U3 active users; {THETA}",
)
def people(window: Window) -> list[Measure]:
    return _people(window, window.active)


@indicator(
    id="people-multi-day",
    version=1,
    family="uptake",
    title="People who use the service on more than one day",
    unit="people",
    direction="up",
    formula="number of distinct people with core actions on at least two local days of the period",
    window="the period; not defined for a single day",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Longer periods give people more days to come back.",
    source=f"U3 active users; {THETA}",
)
def people_multi_day(window: Window) -> list[Measure]:
    if window.first == window.last:
        return [not_defined("a single day cannot hold two days of use")]
    return _people(window, window.on_several_days)


def _trailing(window: Window, days: int) -> list[Measure]:
    return _people(window, window.history.union("active", window.last - days + 1, window.last))


@indicator(
    id="active-1",
    version=1,
    family="uptake",
    title="Active people on the last day",
    unit="people",
    direction="up",
    formula="distinct people with a core action on the period's last day",
    window="last day of the period",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Never add days: one person is active on many.",
    source=f"U3 A(1); {THETA}",
)
def active_1(window: Window) -> list[Measure]:
    return _trailing(window, 1)


@indicator(
    id="active-7",
    version=1,
    family="uptake",
    title="Active people within 7 days",
    unit="people",
    direction="up",
    formula="distinct people with a core action on the 7 days that end with the period",
    window="7 days",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=6,
    caveat="In the first 6 days of a pilot the window reaches back before its data.",
    source=f"U3 A(7); {THETA}",
)
def active_7(window: Window) -> list[Measure]:
    return _trailing(window, 7)


@indicator(
    id="active-28",
    version=1,
    family="uptake",
    title="Active people within 28 days",
    unit="people",
    direction="up",
    formula="distinct people with a core action on the 28 days that end with the period",
    window="28 days",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=27,
    caveat="28 days hold each weekday four times; in a pilot's first 27 days the window reaches back before its data.",
    source=f"U3 A(28); {THETA}",
)
def active_28(window: Window) -> list[Measure]:
    return _trailing(window, 28)


@indicator(
    id="new-people",
    version=1,
    family="uptake",
    title="New people",
    unit="people",
    direction="up",
    formula="distinct people whose first core action ever lies in the period",
    window="the period, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    caveat="A change of the pseudonym key makes everybody new; it is then not defined.",
    source=f"section 5: window minus everything before; {THETA}",
)
def new_people(window: Window) -> list[Measure]:
    return _people(window, window.newcomers)


@indicator(
    id="returning-people",
    version=1,
    family="uptake",
    title="Returning people",
    unit="people",
    direction="up",
    formula="distinct people active in the period and in the period before",
    window="the period and the one before",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=31,
    caveat="Not defined where the pilot's data began after the period before had begun.",
    source=f"section 5: window and previous window; {THETA}",
)
def returning_people(window: Window) -> list[Measure]:
    before = previous(window.period)
    first, last = ordinal(before.start), ordinal(before.end)
    began = window.history.first_of_stream("usage")
    if window.period.name == "all" or began is None or first < began:
        return [not_defined("the period before is not wholly within the pilot's data")]
    return _people(window, window.active & window.history.union("active", first, last))


def _cohort(window: Window, within: int) -> tuple[list[Measure] | None, People, People, int]:
    cohort, back, young = window.cohorts(within)
    if not window.known("usage"):
        return [not_defined(NO_USAGE)], cohort, back, young
    if cohort.nobody and young == 0:
        reason = NO_CONSENT if _anonymous(window) else "nobody used the service for the first time in this period"
        return [not_defined(reason)], cohort, back, young
    return None, cohort, back, young


def _marked(found: Measure, young: int, within: int) -> Measure:
    """A cohort of which some have not had their days yet is not finished."""
    if not young:
        return found
    reason = f"first-time users of {young} days have not had {within} days since"
    return replace(found, status="incomplete", reason=reason)


def _returned(window: Window, within: int) -> list[Measure]:
    missing, cohort, back, young = _cohort(window, within)
    if missing is not None:
        return missing
    if cohort.nobody:
        return [_marked(Measure(), young, within)]
    return [_marked(of_people(back), young, within)]


def _retention(window: Window, within: int) -> list[Measure]:
    missing, cohort, back, young = _cohort(window, within)
    if missing is not None:
        return missing
    if cohort.nobody:
        return [_marked(Measure(), young, within)]
    return [_marked(of_share(back, cohort.count), young, within)]


@indicator(
    id="returned-day-1",
    version=1,
    family="uptake",
    title="First-time users back the next day",
    unit="people",
    direction="up",
    formula="of the people whose first core action ever lies on a day of the period, those active on the day after it",
    window="the period and 1 day after, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=1,
    caveat="First-time users of the last days are left out until their next day is over.",
    source=f"U6 a) retention; {THETA}",
)
def returned_day_1(window: Window) -> list[Measure]:
    return _returned(window, 1)


@indicator(
    id="returned-days-1-7",
    version=1,
    family="uptake",
    title="First-time users back within 7 days",
    unit="people",
    direction="up",
    formula="of the people whose first core action ever lies on a day of the period, those active on "
    "any of the 7 days after it",
    window="the period and 7 days after, against all history",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=7,
    caveat="First-time users of the last days are left out until their 7 days are over.",
    source=f"U6 a) retention; {THETA}",
)
def returned_days_1_7(window: Window) -> list[Measure]:
    return _returned(window, 7)


@indicator(
    id="retention-day-1",
    version=1,
    family="uptake",
    title="Retention on day 1",
    unit="%",
    direction="up",
    formula="100 · first-time users active on the day after their first / first-time users of the period",
    window="the period and 1 day after, against all history",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=1,
    caveat="Compare only services with the same natural cadence.",
    source=f"U6 a) retention; {THETA}",
)
def retention_day_1(window: Window) -> list[Measure]:
    return _retention(window, 1)


@indicator(
    id="retention-days-1-7",
    version=1,
    family="uptake",
    title="Retention on days 1 to 7",
    unit="%",
    direction="up",
    formula="100 · first-time users active on any of the 7 days after their first / first-time users of the period",
    window="the period and 7 days after, against all history",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed",),
    streams=("usage",),
    look_back=None,
    look_ahead=7,
    caveat="Compare only services with the same natural cadence.",
    source=f"U6 a) retention; {THETA}",
)
def retention_days_1_7(window: Window) -> list[Measure]:
    return _retention(window, 7)


@indicator(
    id="core-actions",
    version=1,
    family="uptake",
    title="Core actions",
    unit="actions",
    direction="up",
    formula="sum of counts of core actions in the period",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Driven by a few very active people; read it beside the number of people.",
    source="U9 intensity",
)
def core_actions(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    total = sum(day.core_actions for day in window.days)
    return [of_total(total, total)]


@indicator(
    id="core-actions-per-person",
    version=1,
    family="uptake",
    title="Core actions per active person",
    unit="actions per person",
    direction="none",
    formula="core actions that carry a pseudonym / distinct active people",
    window="the period",
    min_n=5,
    interval_method="none",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="A mean, driven by few; no interval, since actions of one person are not independent.",
    source="U9 intensity",
)
def core_actions_per_person(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if window.active.nobody:
        return [not_defined(NO_CONSENT if _anonymous(window) else "nobody used the service in this period")]
    count = window.active.count
    return [Measure(value=sum(day.core_by_people for day in window.days) / count, n=count, people=(count,))]


@indicator(
    id="adoption-per-1000",
    version=1,
    family="uptake",
    title="Adoption per 1,000",
    unit="per 1,000",
    direction="up",
    formula="1000 · people with a core action on any day up to the period's end / the pilot's denominator",
    window="all history to the period's end",
    min_n=100,
    interval_method="wilson",
    comparable="yes",
    needs=("action.performed", "population.snapshot"),
    streams=("usage",),
    look_back=None,
    caveat="Compare only pilots with the same kind of denominator.",
    source=f"U2 adoption; {THETA}",
)
def adoption_per_1000(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    denominator = window.pilot.denominator()
    if denominator is None or not isinstance(denominator.value, int) or denominator.value < 1:
        return [not_defined("the pilot's file names no denominator with a value")]
    adopted = window.history.before("active", window.last + 1)
    if adopted.nobody and _anonymous(window):
        return [not_defined(NO_CONSENT)]
    return [of_share(adopted, denominator.value, scale=1000.0, show_n=False)]
