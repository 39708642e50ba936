"""The effect of every activity or campaign of some pilots: conditions first, numbers only where all hold.

Promises: the same days give the same numbers in any order of arrival; without all conditions there is no number at
all; all tests of one pilot are corrected together and their number is told; weeks of 1 to k-1 people show nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from config.catalogue import Catalogue, EffectPlan
from pipeline.effects.conditions import CHECKS, UNDECLARED, Case, conditions
from pipeline.effects.estimate import Interval, bootstrap, design, interrupted, least_seen, noise
from pipeline.effects.ladder import LEVEL, holm, percent, rung, wording
from pipeline.effects.recorded import recorded
from pipeline.effects.series import Series, weekly
from pipeline.effects.tests import Ranked, contrasts, rank
from pipeline.findings import Condition, Effect, Figure
from pipeline.history import History
from pipeline.periods import iso
from pipeline.release import reason

UNITS: Final = {"people": "people per week", "core_actions": "core actions per week"}


def effects(histories: Iterable[History], catalogue: Catalogue, as_of_ns: int) -> list[Effect]:
    """One effect per activity or campaign and plan, in order of pilot, plan and day.

    `as_of_ns` decides which weeks are closed. A pilot that declares nothing gets its activities judged all the same,
    and reads that condition h fails.
    """
    return [one for history in histories for one in effects_of(history, catalogue.common.disclosure_k, as_of_ns)]


class _Judged(NamedTuple):
    """One row to be: the cases that enter (all that were looked at where none may), and what was found of them."""

    plan: EffectPlan
    cases: list[Case]
    conditions: list[Condition]
    enter: bool
    found: "_Found | None"


class _Found(NamedTuple):
    before: float
    after: float
    lowest: float
    ranked: Ranked | None
    interval: Interval | None
    trend: Interval | None
    earlier: "np.typing.NDArray[np.float64]"


def effects_of(history: History, k: int, as_of_ns: int) -> list[Effect]:
    """The effects of one pilot; weeks of 1 to k-1 people show nothing."""
    record = recorded(history)
    judged: list[_Judged] = []
    for plan in history.pilot.effects or [UNDECLARED]:
        series = weekly(history, record, plan, as_of_ns)
        cases = [
            Case(activity=one, plan=plan, record=record, series=series, history=history, as_of_ns=as_of_ns)
            for one in record.activities
            if plan.method in (None, one.method)
        ]
        groups = [[case] for case in cases] if plan.method is None else [cases] if cases else []
        judged += [_judge(group, k) for group in groups]
    return _worded(history, judged, k)


def _judge(group: list[Case], k: int) -> _Judged:
    """Of several cases those enter that meet every condition; the conditions tell how many do not."""
    every = [conditions(case) for case in group]
    enter = [case for case, found in zip(group, every, strict=True) if all(one.holds for one in found)]
    merged = every[0] if len(group) == 1 else _merged(group, every, bool(enter))
    found = _compute(enter) if enter else None
    if found is not None and 0 < found.lowest < k:
        found = None
    return _Judged(group[0].plan, enter or group, merged, bool(enter), found)


def _merged(group: list[Case], every: list[list[Condition]], any_enters: bool) -> list[Condition]:
    found = []
    for place, letter in enumerate(CHECKS):
        failing = [
            (case, mine[place]) for case, mine in zip(group, every, strict=True) if not mine[place].holds
        ]  # fmt: skip
        if not failing:
            found.append(Condition(letter=letter, holds=True, sentence=f"holds for all {len(group)} activities"))
            continue
        case, first = failing[0]
        left = f"{len(failing)} of {len(group)} activities left out, the first {case.activity.id}: {first.sentence}"
        found.append(Condition(letter=letter, holds=any_enters, sentence=left))
    return found


def _compute(cases: Sequence[Case]) -> _Found:
    """The numbers of one activity or campaign whose conditions all hold."""
    plan, weeks = cases[0].plan, cases[0].plan.window_weeks
    series = cases[0].series.between(cases[0].place - cases[0].needed, cases[-1].place + cases[-1].after)
    places, log = [series.place(case.activity.day) for case in cases], series.log
    changes = contrasts(log, weeks)
    ranked = rank(changes, places, plan.direction)
    matrix = design(len(log), places, weeks, plan.seasonal)
    draws, free = noise(log, matrix, weeks, len(places), _rng(cases))
    earlier, _ = noise(log, matrix, weeks, len(places), _rng(cases), until=places[0])
    change = float(np.mean(changes[places]))
    before = [_mean(series, place - weeks, place) for place in places]
    after = [_mean(series, place + 1, place + 1 + weeks) for place in places]
    return _Found(
        before=float(np.mean(before)),
        after=float(np.mean(after)),
        lowest=min(_lowest(series, place, weeks) for place in places),
        ranked=ranked,
        interval=None if np.isnan(change) else bootstrap(change, draws, free),
        trend=interrupted(_without(log, places), matrix),
        earlier=earlier,
    )


def _without(log: "np.typing.NDArray[np.float64]", places: Sequence[int]) -> "np.typing.NDArray[np.float64]":
    """The weeks that hold the activities are neither before nor after."""
    found = log.copy()
    found[list(places)] = np.nan
    return found


def _mean(series: Series, first: int, last: int) -> float:
    return float(np.mean([np.nan if value is None else value for value in series.values[first:last]]))


def _lowest(series: Series, place: int, weeks: int) -> float:
    known = [value for value in series.values[max(0, place - weeks) : place + weeks + 1] if value]
    return min(known, default=0.0)


def _rng(cases: Sequence[Case]) -> np.random.Generator:
    """Randomness that depends on what is asked alone, so that the same question has the same answer."""
    plan = cases[0].plan
    name = "|".join([cases[0].history.pilot.slug, plan.outcome, *(case.activity.id for case in cases)])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def _worded(history: History, judged: list[_Judged], k: int) -> list[Effect]:
    tested = [n for n, one in enumerate(judged) if one.found is not None and one.found.ranked is not None]
    adjusted = dict(zip(tested, holm([_p(judged[n]) for n in tested]), strict=True))
    return [_effect(history, one, adjusted.get(n), len(tested), k) for n, one in enumerate(judged)]


def _p(one: _Judged) -> float:
    assert one.found is not None
    assert one.found.ranked is not None
    return one.found.ranked.p_value


def _effect(history: History, one: _Judged, p_adjusted: float | None, tests: int, k: int) -> Effect:
    first, plan = one.cases[0].activity, one.plan
    campaign = plan.method is not None
    known = Effect(
        pilot=history.pilot.slug,
        activity_id=f"method:{plan.method}" if campaign else first.id,
        day=iso(first.day),
        outcome=plan.outcome,
        window_weeks=plan.window_weeks,
        level="",
        sentence="",
        conditions=one.conditions,
        estimate=Figure(status="not_defined"),
        title=plan.method or first.method,
        synthetic=history.pilot.synthetic or any(case.activity.synthetic for case in one.cases),
    )
    if not one.enter:
        failed = [condition for condition in one.conditions if not condition.holds]
        why = "; ".join(f"{condition.letter}: {condition.sentence}" for condition in failed)
        return _silent(known, "not_defined", f"No effect is claimed. {why}.")
    if one.found is None:
        return _silent(known, "suppressed", f"Not shown: {reason(k)}.")
    return _numbers(known, one.found, plan, len(one.cases), p_adjusted, tests)


def _silent(known: Effect, status: str, why: str) -> Effect:
    nothing = Figure(status=status, reason=why)
    return msgspec.structs.replace(known, sentence=why, estimate=nothing, before=nothing, after=nothing)


def _numbers(known: Effect, found: _Found, plan: EffectPlan, n: int, p_adjusted: float | None, tests: int) -> Effect:
    level = rung(p_adjusted, found.trend, plan.control is not None, plan.direction)
    least = least_seen(found.earlier, LEVEL / max(tests, 1))
    least = -least if least is not None and plan.direction == "down" else least
    unit, interval = UNITS[plan.outcome], found.interval
    return msgspec.structs.replace(
        known,
        level=level,
        sentence=wording(
            level, found.before, found.after, found.ranked, p_adjusted, tests, found.trend, least, plan.direction
        ),
        estimate=Figure(status="insufficient_n", reason="too few weeks for an interval", n=n, unit="%")
        if interval is None
        else Figure(
            value=percent(interval.value),
            n=n,
            lower=percent(interval.lower),
            upper=percent(interval.upper),
            interval="block bootstrap",
            unit="%",
        ),
        before=Figure(value=found.before, n=n, unit=unit),
        after=Figure(value=found.after, n=n, unit=unit),
        placebo=None if found.ranked is None else (found.ranked.below, found.ranked.dates),
        p_value=None if found.ranked is None else found.ranked.p_value,
        p_adjusted=p_adjusted,
        tests=tests,
        least=None if least is None else percent(least),
    )
