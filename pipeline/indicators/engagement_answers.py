"""What becomes of what people give: answers (E10) and influence (E11)."""

from collections import Counter
from dataclasses import replace
from typing import Final

from pipeline.indicators.engagement_rows import code, day, engagement, found, latest, number
from pipeline.indicators.intervals import Survival, kaplan_meier, survival_quantile, wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.window import Window
from pipeline.partials import few
from pipeline.rows import Row

FOLLOWED: Final = 60
SOON: Final = 30
TAKEN_UP: Final = frozenset({"adopted", "adapted"})
DISPOSED: Final = ("adopted", "adapted", "rejected", "deferred")
NO_IDS: Final = "no contribution of this period names its contribution_id, so no answer can be told to belong to it"
NO_CONTRIBUTION: Final = "nobody contributed in this period"
NO_DISPOSITION: Final = "what became of contributions was not recorded in this period"


def percent(hits: int, n: int, dim: str = "", segment: str = "", people: tuple[int, ...] = ()) -> Measure:
    """A share of things (or of people, who are then listed) with Wilson's interval."""
    lower, upper = wilson(hits, n)
    return Measure(
        value=100 * hits / n, n=n, lower=100 * lower, upper=100 * upper, interval="wilson", dim=dim, segment=segment,
        people=people,
    )  # fmt: skip


def contributed_on(window: Window) -> dict[str, int]:
    """The day of each contribution of the period that has an id."""
    began: dict[str, int] = {}
    for row in found(window, "contribution.made"):
        if (key := code(row, "contribution_id")) != "unknown":
            began.setdefault(key, day(window, row))
    return began


def _answered_on(window: Window, began: dict[str, int], ahead: int) -> dict[str, int]:
    """The day of the first published answer to each of these contributions, at most `ahead` days after it."""
    answered: dict[str, int] = {}
    for row in found(window, "response.published", ahead=ahead):
        ids = row.data.get("contribution_ids")
        for key in ids if isinstance(ids, list) else ():
            if isinstance(key, str) and key in began:
                answered.setdefault(key, max(day(window, row), began[key]))
    return {key: answer for key, answer in answered.items() if answer - began[key] <= ahead}


def _no_ids(window: Window) -> Measure:
    return not_defined(NO_IDS if found(window, "contribution.made") else NO_CONTRIBUTION)


def _closed_until(window: Window, last: int) -> int:
    """The newest closed day up to `last`."""
    while last >= window.first and not window.closed_on(last, ("engagement",)):
        last -= 1
    return last


@engagement(
    id="days-to-answer",
    version=2,
    title="Days to a published answer",
    unit="days",
    direction="down",
    formula="median number of days, by Kaplan and Meier, from a contribution.made of the period to the first "
    "response.published that names it; unanswered ones are censored after 60 days or at the last closed day",
    window="the period and 60 days after",
    min_n=20,
    interval_method="kaplan-meier",
    comparable="yes",
    needs=("contribution.made", "response.published"),
    look_ahead=FOLLOWED,
    caveat="Not defined where fewer than half were answered within 60 days: see the share answered within 30.",
    source="E10 responsiveness; Kaplan and Meier 1958; Brookmeyer and Crowley 1982",
)
def days_to_answer(window: Window) -> list[Measure]:
    began = contributed_on(window)
    if not began:
        return [_no_ids(window)]
    answered = _answered_on(window, began, FOLLOWED)
    closed = _closed_until(window, max(began.values()) + FOLLOWED)
    times = [answered.get(key, min(first + FOLLOWED, max(closed, first))) - first for key, first in began.items()]
    steps = kaplan_meier([float(time) for time in times], [key in answered for key in began])
    value = survival_quantile(steps, 0.5)
    young = closed < max(began.values()) + FOLLOWED
    if value is None and not young:
        return [not_defined("fewer than half of the contributions were answered within 60 days")]
    return [
        Measure(
            value=value, n=len(began), lower=_first(steps, lower=True), upper=_first(steps, lower=False),
            interval="kaplan-meier", status="incomplete" if young else "ok",
            reason="not every contribution has been followed for 60 days" if young else "",
        )
    ]  # fmt: skip


def _first(steps: list[Survival], lower: bool) -> float | None:
    """When the lower (or upper) end of the curve's band comes down to a half."""
    for one in steps:
        bound = one.lower if lower else one.upper
        if bound is not None and bound <= 0.5:
            return one.time
    return None


@engagement(
    id="answered-30-days",
    title="Contributions answered within 30 days",
    unit="%",
    direction="up",
    formula="100 · contributions made in the period, each with an id, that a response.published names within 30 days / "
    "all of them that have been followed for 30 days",
    window="the period and 30 days after",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=("contribution.made", "response.published"),
    look_ahead=SOON,
    caveat="An answer is what was published, not whether it satisfied.",
    source="E10 responsiveness, share answered within 30 days",
)
def answered_30_days(window: Window) -> list[Measure]:
    began = contributed_on(window)
    if not began:
        return [_no_ids(window)]
    old = {key: first for key, first in began.items() if window.closed_on(first + SOON, ("engagement",))}
    reason = "not every contribution has been followed for 30 days"
    if not old:
        return [Measure(status="incomplete", reason=reason)]
    share = percent(len(_answered_on(window, old, SOON)), len(old))
    return [share if len(old) == len(began) else _unfinished(share, reason)]


def _unfinished(measure: Measure, reason: str) -> Measure:
    return replace(measure, status="incomplete", reason=reason)


def dispositions(window: Window) -> list[Row]:
    """What was recorded in the period: of one contribution the last word, of those only counted every one."""
    rows = found(window, "contribution.disposition")
    named = latest(rows, "contribution_id")
    return [*named.values(), *(row for row in rows if code(row, "contribution_id") == "unknown")]


def taken_up(window: Window) -> tuple[Counter[tuple[str, bool]], Counter[str]]:
    """Inputs by who recorded it and whether they were taken up; and inputs taken up by activity ("unknown" for none).

    A decision's own numbers count where no disposition names its activity.
    """
    inputs: Counter[tuple[str, bool]] = Counter()
    by_activity: Counter[str] = Counter()
    told = set()
    for row in dispositions(window):
        told.add(code(row, "activity_id"))
        if (word := code(row, "disposition")) in DISPOSED:
            inputs[code(row, "recorded_by"), word in TAKEN_UP] += row.count
            by_activity[code(row, "activity_id")] += row.count if word in TAKEN_UP else 0
    for row in latest(found(window, "decision.closed"), "decision_id").values():
        considered, adopted = number(row, "inputs_considered"), number(row, "inputs_adopted")
        if considered is None or adopted is None or adopted > considered:
            continue
        if (activity := code(row, "activity_id")) == "unknown" or activity not in told:
            inputs[code(row, "recorded_by"), True] += int(adopted)
            inputs[code(row, "recorded_by"), False] += int(considered) - int(adopted)
            by_activity[activity] += int(adopted)
    return inputs, by_activity


@engagement(
    id="influence",
    title="Inputs adopted or adapted",
    unit="%",
    direction="up",
    formula="100 · inputs adopted or adapted / inputs adopted, adapted, rejected or deferred, as recorded in the "
    "period by contribution.disposition (the last one of each contribution), and by decision.closed (inputs_adopted of "
    "inputs_considered) where no disposition names its activity; in all and by who recorded it",
    min_n=20,
    interval_method="wilson",
    comparable="within",
    needs=("contribution.disposition", "decision.closed"),
    dims=("recorded_by",),
    caveat="A city that records it reports on itself: see by whom it was recorded.",
    source="E11 influence",
)
def influence(window: Window) -> list[Measure]:
    inputs, _ = taken_up(window)
    n = inputs.total()
    if not n:
        return [not_defined(NO_DISPOSITION)]
    recorders: Counter[str] = Counter()
    for (recorder, _taken), count in inputs.items():
        recorders[recorder] += count
    hits = sum(count for (_, taken), count in inputs.items() if taken)
    kept = {recorder for recorder in few(recorders) if recorder != "other" or recorder in recorders}
    parts = [
        percent(inputs[recorder, True], recorders[recorder], "recorded_by", recorder)
        for recorder in sorted(kept)
        if recorders[recorder]
    ]
    return [percent(hits, n), *parts]


@engagement(
    id="without-disposition",
    title="Contributions of which nothing is said",
    unit="%",
    direction="down",
    formula="100 · contributions made in the period, each with an id, of which no contribution.disposition other than "
    "none was recorded within 60 days / all of them",
    window="the period and 60 days after",
    min_n=20,
    interval_method="wilson",
    comparable="within",
    needs=("contribution.made", "contribution.disposition"),
    look_ahead=FOLLOWED,
    caveat="Contributions that are only counted have no id and are left out.",
    source="E11 influence, % without",
)
def without_disposition(window: Window) -> list[Measure]:
    began = contributed_on(window)
    if not began:
        return [_no_ids(window)]
    told = {
        key
        for row in found(window, "contribution.disposition", ahead=FOLLOWED)
        if (key := code(row, "contribution_id")) in began
        and code(row, "disposition") in DISPOSED
        and day(window, row) <= began[key] + FOLLOWED
    }
    share = percent(len(began) - len(told), len(began))
    if all(window.closed_on(first + FOLLOWED, ("engagement",)) for first in set(began.values())):
        return [share]
    return [_unfinished(share, "not every contribution has been followed for 60 days")]
