"""Conditions a to h of indicators.md 7: each is checked by code, none can be skipped, each says what it found.

An effect is computed only where all eight hold; what fails is named with its date or number.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

import msgspec

from config.catalogue import EffectPlan
from pipeline.effects.recorded import Activity, Recorded, own_use
from pipeline.effects.series import WEEK, Series, monday_of
from pipeline.findings import Condition
from pipeline.history import History
from pipeline.periods import iso
from pipeline.quality import OK

BEFORE: Final = 26
BEFORE_SEASONAL: Final = 52
AFTER: Final = 8
FIXED: Final = frozenset({"calendar", "funding"})
UNDECLARED: Final = EffectPlan(outcome="people", window_weeks=4, declared=date.max)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One activity under one plan, with all that is needed to judge it."""

    activity: Activity
    plan: EffectPlan
    record: Recorded
    series: Series
    history: History
    as_of_ns: int

    @property
    def place(self) -> int:
        """The place of the activity's week in the series."""
        return self.series.place(self.activity.day)

    @property
    def window(self) -> tuple[int, int]:
        """First and last day of the weeks from `window_weeks` before to as many after the activity's week."""
        monday = monday_of(self.activity.day)
        return monday - WEEK * self.plan.window_weeks, monday + WEEK * (self.plan.window_weeks + 1) - 1

    @property
    def needed(self) -> int:
        """Complete weeks that have to lie before."""
        return BEFORE_SEASONAL if self.plan.seasonal else BEFORE

    @property
    def after(self) -> int:
        """Complete weeks that have to lie after."""
        return max(AFTER, self.plan.window_weeks)


def conditions(case: Case) -> list[Condition]:
    """All eight, in order of letter."""
    return [Condition(letter=letter, holds=not why, sentence=why or good) for letter, (why, good) in _judged(case)]


def _judged(case: Case) -> Iterator[tuple[str, tuple[str, str]]]:
    for letter, check in CHECKS.items():
        yield letter, check(case)


def _date(case: Case) -> tuple[str, str]:
    """a. The date was fixed and recorded before the outcome."""
    activity = case.activity
    held = iso(activity.day)
    before = [one for one in activity.announced if one.on < activity.day]
    if not activity.announced:
        return "no announcement of the activity is on record", ""
    if not before:
        return f"held on {held} and recorded as announced only on {iso(activity.announced[0].on)}", ""
    newest = max(before, key=lambda one: one.on)
    if newest.for_day != held:
        named = newest.for_day or "no day"
        return f"the announcement of {iso(newest.on)} names {named}, but it was held on {held}", ""
    return "", f"announced on {iso(newest.on)} for {held}, {activity.day - newest.on} days before"


def _timing(case: Case) -> tuple[str, str]:
    """b. The date did not depend on use."""
    bases = case.activity.bases or frozenset({"unknown"})
    if wrong := sorted(bases - FIXED):
        return f'why it was held at this time is "{wrong[0]}", so the date may depend on use', ""
    return "", f"the date came from: {', '.join(sorted(bases))}"


def _length(case: Case) -> tuple[str, str]:
    """c. Enough complete weeks before and after."""
    known = [value is not None for value in case.series.values]
    before, after = sum(known[: max(case.place, 0)]), sum(known[max(case.place + 1, 0) :])
    said = f"{before} complete weeks before and {after} after"
    if before < case.needed or after < case.after:
        return f"{said}; {case.needed} before and {case.after} after are needed", ""
    width = case.plan.window_weeks
    missing = [n for n in range(case.place - width, case.place + width + 1) if n != case.place and not known[n]]
    if missing:
        return f"the week from {iso(case.series.first + WEEK * missing[0])}, which is compared, has no value", ""
    return "", said


def _quiet(case: Case) -> tuple[str, str]:
    """d. Nothing else that moves use happened within the window."""
    first, last = case.window
    found = [one for one in case.record.disturbances if one.first <= last and one.last >= first]
    if found:
        named = [f"{one.what} on {iso(one.first)}" for one in found[:3]]
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return f"within {case.plan.window_weeks} weeks of it lies {', '.join(named)}{more}", ""
    return "", f"no release, outage, closure, holiday, price or definition change from {iso(first)} to {iso(last)}"


def _apart(case: Case) -> tuple[str, str]:
    """e. The windows of no two activities overlap."""
    width = case.plan.window_weeks
    place = case.series.place
    near = [
        one
        for one in case.record.activities
        if one.id != case.activity.id
        and place(one.day) - width <= place(case.activity.last_day) + width
        and place(one.last_day) + width >= place(case.activity.day) - width
    ]
    if near:
        return f"its window of {width} weeks overlaps that of {near[0].id}, held on {iso(near[0].day)}", ""
    if place(case.activity.last_day) != case.place:
        return f"it lasted until {iso(case.activity.last_day)}, beyond its week", ""
    return "", f"no other activity within {2 * width} weeks"


def _own_use(case: Case) -> tuple[str, str]:
    """f. The outcome leaves out attendees' use on the day and what the activity itself brought about."""
    activity = case.activity
    if activity.heads:
        return f"{activity.heads} who came are known only as a number, so their use on the day cannot be left out", ""
    if not activity.people:
        return "who came is not on record, so their use on the day cannot be left out", ""
    if made := own_use(case.history, activity, *case.window):
        return f"{made} core actions in the window name the activity: it brought them about itself", ""
    return "", f"the use of attendees ({activity.people} attendances) on the day, and of field testers, is left out"


def _feeds(case: Case) -> tuple[str, str]:
    """g. The feeds were complete throughout."""
    first, last = max(case.place - case.needed, 0), case.place + case.after
    shares = case.series.complete[first : last + 1]
    if not shares:
        return "no complete week of the usage feeds is known", ""
    if any(share is None for share in shares):
        return "no usage feed states a rhythm, so nobody knows whether it was complete", ""
    worst, place = min((share, first + n) for n, share in enumerate(shares) if share is not None)
    if worst < OK:
        week = iso(case.series.first + WEEK * place)
        return f"only {100 * worst:.0f} % of the week from {week} was received (Q1); 90 % are needed", ""
    monday = monday_of(case.activity.day)
    heard = case.history.completeness("engagement", monday, monday + 6, case.as_of_ns)
    if heard is not None and heard < OK:
        return f"only {100 * heard:.0f} % of the participation feeds was received in the week of the activity (Q1)", ""
    return "", f"at least {100 * worst:.0f} % of every week was received (Q1)"


def _declared(case: Case) -> tuple[str, str]:
    """h. Outcome and window were declared beforehand."""
    plan = case.plan
    if plan.declared == date.max:
        return "no outcome and window are declared in the pilot's file", ""
    if plan.declared.toordinal() >= case.activity.day:
        return f"outcome and window were declared on {plan.declared}, not before {iso(case.activity.day)}", ""
    return "", f"{plan.outcome} over {plan.window_weeks} weeks, {plan.direction}, declared on {plan.declared}"


CHECKS: Final[dict[str, Callable[[Case], tuple[str, str]]]] = {
    "a": _date,
    "b": _timing,
    "c": _length,
    "d": _quiet,
    "e": _apart,
    "f": _own_use,
    "g": _feeds,
    "h": _declared,
}
