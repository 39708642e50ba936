"""Uptake: whether people get done what they came for, and how long it takes them."""

from collections import defaultdict
from dataclasses import replace
from typing import Final

from pipeline.attempts import LOOK_AHEAD, LOOK_BACK, Attempt
from pipeline.indicators.intervals import clustered_wilson, kaplan_meier, survival_quantile, wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import indicator
from pipeline.indicators.resampling import Interval, bootstrap_quantile
from pipeline.indicators.usage import LONGER, NO_CONSENT, NO_USAGE, RESAMPLED, estimated
from pipeline.indicators.window import Window

NO_TASK: Final = "no task has been recorded"
MOST_FAMILIES: Final = 12
CLUSTERED: Final = "clustered wilson"
UNCLUSTERED: Final = "wilson, unclustered"
PARTLY: Final = "clustered wilson, in part"


def _of(window: Window) -> tuple[list[Measure] | None, list[Attempt], int]:
    """Why there is nothing, or the attempts whose outcome is known and the number of those still open."""
    if not window.known("usage"):
        return [not_defined(NO_USAGE)], [], 0
    every = window.attempts
    known = [one for one in every if one.outcome != "open"]
    if not every:
        return [not_defined(f"{NO_TASK} in this period")], [], 0
    return None, known, len(every) - len(known)


def _families(found: list[Attempt]) -> dict[tuple[str, str], list[Attempt]]:
    """All attempts, and those of each family where there are several."""
    parts: dict[tuple[str, str], list[Attempt]] = {("", ""): found}
    families = sorted({one.family for one in found})
    if 1 < len(families) <= MOST_FAMILIES:
        parts |= {("task_family", family): [one for one in found if one.family == family] for family in families}
    return parts


def _marked(measure: Measure, still_open: int) -> Measure:
    if not still_open:
        return measure
    return replace(measure, status="incomplete", reason=f"{still_open} attempts may still be completed")


@indicator(
    id="task-success",
    version=1,
    family="uptake",
    title="Task success",
    unit="%",
    direction="up",
    formula="100 · attempts completed / (completed + failed + abandoned), within 24 hours of their start; an attempt "
    "that nothing ended by then is abandoned",
    window="attempts that began in the period, and 1 day after",
    min_n=20,
    interval_method="clustered wilson",
    comparable="yes",
    needs=("task.started", "task.completed", "task.failed", "task.abandoned"),
    streams=("usage",),
    dims=("task_family",),
    look_back=LOOK_BACK,
    look_ahead=LOOK_AHEAD,
    caveat="Compare only the same task family. Attempts of one person are not independent: the interval allows for it, "
    "and where pseudonyms are missing it says that it cannot. n is the number of attempts.",
    source="U7 task success; Kish 1965 for the design effect, Wilson 1927",
)
def task_success(window: Window) -> list[Measure]:
    missing, found, still_open = _of(window)
    if missing is not None:
        return missing
    return [_marked(_success(part, dim, family), still_open) for (dim, family), part in _families(found).items()]


def _success(found: list[Attempt], dim: str, family: str) -> Measure:
    each: dict[object, list[int]] = defaultdict(lambda: [0, 0])
    for place, one in enumerate(found):
        tally = each[one.actor if one.actor is not None else place]
        tally[0] += one.count * (one.outcome == "completed")
        tally[1] += one.count
    hits, trials = sum(one[0] for one in each.values()), sum(one[1] for one in each.values())
    if not trials:
        return Measure(dim=dim, segment=family)
    actors = {key: tally for key, tally in each.items() if isinstance(key, str)}
    if actors:
        interval: Interval = clustered_wilson([one[0] for one in each.values()], [one[1] for one in each.values()])
    else:
        interval = wilson(hits, trials)
    method = UNCLUSTERED if not actors else CLUSTERED if len(actors) == len(each) else PARTLY
    done, not_done = sum(one[0] > 0 for one in actors.values()), sum(one[0] < one[1] for one in actors.values())
    scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
    return estimated(100 * hits / trials, trials, scaled, method, (len(actors), done, not_done), dim, family)


def _time(window: Window, share: float) -> list[Measure]:
    if window.period.name == "day":
        return [not_defined(LONGER)]
    missing, found, still_open = _of(window)
    if missing is not None:
        return missing
    timed = [one for one in found if one.seconds is not None and one.actor is not None]
    if not timed:
        anonymous = any(one.seconds is not None for one in found)
        return [not_defined(NO_CONSENT if anonymous else "no attempt states how long it took")]
    return [
        _marked(_quantile(part, share, dim, family), still_open) for (dim, family), part in _families(timed).items()
    ]


def _quantile(found: list[Attempt], share: float, dim: str, family: str) -> Measure:
    times = [(one.seconds or 0.0, one.outcome == "completed") for one in found]
    value = survival_quantile(kaplan_meier([time for time, _ in times], [done for _, done in times]), share)
    if value is None:
        return not_defined(
            f"fewer than {share:.0%} of the attempts were completed while they were followed", dim, family
        )
    groups: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for one, time in zip(found, times, strict=True):
        groups[one.actor or ""].append(time)
    interval = bootstrap_quantile(groups.values(), share)
    return estimated(value, len(found), interval, "bootstrap", (len(groups),), dim, family)


@indicator(
    id="time-to-complete",
    version=1,
    family="uptake",
    title="Time to complete, median",
    unit="s",
    direction="down",
    formula="time by which half of the attempts are completed (Kaplan-Meier); failed and abandoned ones are censored "
    "when they ended, those that nothing ended at 24 hours",
    window="attempts that began in the period, and 1 day after; not said of single days",
    min_n=20,
    interval_method="bootstrap",
    comparable="within",
    needs=("task.started", "task.completed", "task.failed", "task.abandoned"),
    streams=("usage",),
    dims=("task_family",),
    look_back=LOOK_BACK,
    look_ahead=LOOK_AHEAD,
    caveat="A van and an app are not alike: compare a task family with itself. Attempts without a pseudonym or without "
    "a duration are left out. n is the number of attempts.",
    source=f"U8 time to complete; Kaplan and Meier 1958; Woodruff 1952; {RESAMPLED}",
)
def time_to_complete(window: Window) -> list[Measure]:
    return _time(window, 0.5)


@indicator(
    id="time-to-complete-p90",
    version=1,
    family="uptake",
    title="Time to complete, 90th percentile",
    unit="s",
    direction="down",
    formula="time by which nine tenths of the attempts are completed (Kaplan-Meier); failed and abandoned ones are "
    "censored when they ended, those that nothing ended at 24 hours",
    window="attempts that began in the period, and 1 day after; not said of single days",
    min_n=50,
    interval_method="bootstrap",
    comparable="within",
    needs=("task.started", "task.completed", "task.failed", "task.abandoned"),
    streams=("usage",),
    dims=("task_family",),
    look_back=LOOK_BACK,
    look_ahead=LOOK_AHEAD,
    caveat="Not defined where more than a tenth is never completed; few attempts lie beyond it, so the interval is "
    "wide and its upper end may be missing.",
    source=f"U8 time to complete; Kaplan and Meier 1958; Woodruff 1952; {RESAMPLED}",
)
def time_to_complete_p90(window: Window) -> list[Measure]:
    return _time(window, 0.9)
