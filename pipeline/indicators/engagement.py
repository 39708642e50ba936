"""Engagement: contributions, the people behind them, activities and who comes back to them."""

from collections import Counter, defaultdict

from pipeline.indicators.engagement_rows import NO_CONSENT, NO_FEED, code, dated, one_key
from pipeline.indicators.intervals import wilson
from pipeline.indicators.measure import Measure, not_defined, of_people, of_share, of_total
from pipeline.indicators.registry import indicator
from pipeline.indicators.uptake import NO_CONSENT as NO_USERS
from pipeline.indicators.uptake import NO_USAGE, THETA
from pipeline.indicators.window import Window
from pipeline.partials import Held, few

NO_ACTIVITY = "no activity or attendance had ever been reported by then"
FOLLOWED = 60


def _without_names(window: Window) -> bool:
    events = any(day.contributions or day.attendances for day in window.days)
    return events and not any(day.contributions_by_people or day.attendances_by_people for day in window.days)


@indicator(
    id="contributions",
    version=1,
    family="engagement",
    title="Contributions",
    unit="contributions",
    direction="up",
    formula="sum of counts of contribution.made in the period, in all and by kind",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("contribution.made",),
    streams=("engagement",),
    dims=("kind",),
    caveat="Channels count differently: a vote and a report are both one contribution.",
    source="E7 contributions",
)
def contributions(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    kinds: Counter[str] = Counter()
    for day in window.days:
        kinds.update(day.contributions)
    total, kinds = sum(kinds.values()), few(kinds)
    return [of_total(total, total), *(of_total(kinds[kind], kinds[kind], "kind", kind) for kind in sorted(kinds))]


@indicator(
    id="statements",
    version=1,
    family="engagement",
    title="Statements and ideas",
    unit="contributions",
    direction="up",
    formula="sum of counts of contribution.made of kind idea in the period",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("contribution.made",),
    streams=("engagement",),
    caveat="One person may make many.",
    source="E7 contributions, kind idea",
)
def statements(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    total = sum(day.contributions.get("idea", 0) for day in window.days)
    return [of_total(total, total)]


@indicator(
    id="contributors",
    version=1,
    family="engagement",
    title="Contributors",
    unit="people",
    direction="up",
    formula="number of distinct people with at least one contribution.made in the period",
    window="the period",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("contribution.made",),
    streams=("engagement",),
    caveat="Only people who consented to a pseudonym are counted.",
    source=f"E7 contributors; {THETA}",
)
def contributors(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    people = window.history.union("contributors", window.first, window.last)
    if people.nobody and any(day.contributions for day in window.days):
        return [not_defined(NO_CONSENT)]
    return [of_people(people)]


@indicator(
    id="participants-who-use",
    version=1,
    family="engagement",
    title="Participants who also use the service",
    unit="people",
    direction="up",
    formula="distinct people who contributed or attended in the period and did a core action in it",
    window="the period",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("contribution.made", "attendance", "action.performed"),
    streams=("usage", "engagement"),
    caveat="Needs one pseudonym per person across both streams.",
    source=f"section 5: intersection; {THETA}",
)
def participants_who_use(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if window.taking_part.nobody and _without_names(window):
        return [not_defined(NO_CONSENT)]
    if window.active.nobody and any(day.core_actions for day in window.days):
        return [not_defined(NO_USERS)]
    return [of_people(window.taking_part & window.active)]


@indicator(
    id="activities-held",
    version=1,
    family="engagement",
    title="Activities held",
    unit="activities",
    direction="none",
    formula="number of distinct activities with an activity.held in the period, in all, by stage and by method",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("activity.held",),
    streams=("engagement",),
    dims=("stage", "method"),
    caveat="A supply count: more is not better.",
    source="E14 activities",
)
def activities_held(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    if not window.history.heard_of("engagement/activity.held", window.last):
        return [not_defined(NO_ACTIVITY)]
    held = held_in(window)
    stages = few(Counter(one.stage for one in held.values()))
    methods = few(Counter(one.method for one in held.values()))
    return [
        of_total(len(held), len(held)),
        *(of_total(stages[key], stages[key], "stage", key) for key in sorted(stages)),
        *(of_total(methods[key], methods[key], "method", key) for key in sorted(methods)),
    ]


def held_in(window: Window) -> dict[str, Held]:
    """Activities held in the period by id; one that ran over several days is one."""
    return {one.activity_id: one for day in window.days for one in day.held}


@indicator(
    id="attendance",
    version=1,
    family="engagement",
    title="Attendance",
    unit="attendances",
    direction="up",
    formula="sum of counts of attendance in the period, plus what an activity.held states where no attendance event "
    "names that activity; in all, by stage and by method",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("attendance", "activity.held"),
    streams=("engagement",),
    dims=("stage", "method"),
    caveat="Attendances, not people: who comes twice counts twice.",
    source="E14 attendance",
)
def attendance(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    kinds = ("engagement/activity.held", "engagement/attendance")
    if not any(window.history.heard_of(kind, window.last) for kind in kinds):
        return [not_defined(NO_ACTIVITY)]
    held = held_in(window)
    events: Counter[str] = Counter()
    for day in window.days:
        events.update(day.attending)
    for key, one in held.items():
        if key not in events and one.attendance is not None:
            events[key] = one.attendance
    nameless = sum(day.attendances - sum(day.attending.values()) for day in window.days)
    total = sum(events.values()) + nameless
    return [_visits(total), *_split(events, held, "stage", nameless), *_split(events, held, "method", nameless)]


def _visits(number: int, dim: str = "", segment: str = "") -> Measure:
    """Attendances disclose people as counts of people do."""
    return Measure(value=float(number), n=number, dim=dim, segment=segment, people=(number,))


def _split(events: Counter[str], held: dict[str, Held], dim: str, nameless: int) -> list[Measure]:
    parts: Counter[str] = Counter({"unknown": nameless} if nameless else {})
    for key, number in events.items():
        parts[getattr(held[key], dim) if key in held else "unknown"] += number
    return [_visits(parts[key], dim, key) for key in sorted(parts)]


@indicator(
    id="return-participation",
    version=2,
    family="engagement",
    title="Attendees who come back",
    unit="%",
    direction="up",
    formula="100 · people who attended in the period and another activity on another day within 60 days / people who "
    "attended in the period on a day that was followed for 60 days and by another activity held within them",
    window="the period and 60 days after",
    min_n=20,
    interval_method="wilson",
    comparable="within",
    needs=("attendance", "activity.held"),
    streams=("engagement",),
    look_ahead=FOLLOWED,
    caveat="Where nothing was offered afterwards it is not defined, and not 0.",
    source="E8 return participation",
)
def return_participation(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    offered, back, young = _followed(window)
    if young:
        status, reason = "incomplete", f"attendees of {young} days have not been followed for {FOLLOWED} days"
        return (
            [Measure(status=status, reason=reason)] if not offered else [_marked(_share(back, offered), status, reason)]
        )
    if not offered:
        if _without_names(window):
            return [not_defined(NO_CONSENT)]
        return [not_defined("nobody attended who was offered another activity within 60 days")]
    return [_share(back, offered)]


def _share(back: set[str], offered: set[str]) -> Measure:
    hits, n = len(back), len(offered)
    lower, upper = wilson(hits, n)
    people = (hits, n - hits, n)
    return Measure(value=100 * hits / n, n=n, lower=100 * lower, upper=100 * upper, interval="wilson", people=people)


def _marked(found: Measure, status: str, reason: str) -> Measure:
    return Measure(
        value=found.value,
        n=found.n,
        lower=found.lower,
        upper=found.upper,
        interval=found.interval,
        people=found.people,
        status=status,
        reason=reason,
    )


def _followed(window: Window) -> tuple[set[str], set[str], int]:
    """Attendees who were offered another activity, those of them who came back, and days not yet followed."""
    rows = [(on, row) for on, row in dated(window, "attendance", ahead=FOLLOWED) if row.actor is not None]
    held = [(on, code(row, "activity_id")) for on, row in dated(window, "activity.held", ahead=FOLLOWED)]
    visits: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for on, row in rows:
        visits[str(row.actor)].append((on, code(row, "activity_id")))
    one_key(visits)
    offered, back, young = set[str](), set[str](), set[int]()
    for on, row in rows:
        if on > window.last:
            continue
        if not window.closed_on(on + FOLLOWED, ("engagement",)):
            young.add(on)
        elif _another(held, on, code(row, "activity_id")):
            offered.add(str(row.actor))
            if _another(visits[str(row.actor)], on, code(row, "activity_id")):
                back.add(str(row.actor))
    return offered, back, len(young)


def _another(later: list[tuple[int, str]], on: int, activity: str) -> bool:
    """True where one of these lies 1 to 60 days later and is not known to be of the same activity."""
    return any(on < when <= on + FOLLOWED and (key != activity or key == "unknown") for when, key in later)


@indicator(
    id="participation-per-1000",
    version=1,
    family="engagement",
    title="Participation per 1,000",
    unit="per 1,000",
    direction="up",
    formula="1000 · distinct people who contributed or attended in the period / the pilot's denominator",
    window="the period",
    min_n=100,
    interval_method="wilson",
    comparable="yes",
    needs=("contribution.made", "attendance", "population.snapshot"),
    streams=("engagement",),
    caveat="Compare only pilots with the same kind of denominator.",
    source=f"E1 participation rate; {THETA}",
)
def participation_per_1000(window: Window) -> list[Measure]:
    if not window.known("engagement"):
        return [not_defined(NO_FEED)]
    denominator = window.pilot.denominator()
    if denominator is None or not isinstance(denominator.value, int) or denominator.value < 1:
        return [not_defined("the pilot's file names no denominator with a value")]
    if window.taking_part.nobody and _without_names(window):
        return [not_defined(NO_CONSENT)]
    return [of_share(window.taking_part, denominator.value, scale=1000.0, show_n=False)]
