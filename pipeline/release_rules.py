"""What of an indicator may be told: the rule of each count of people that others can be subtracted from.

Counts that add up over days are told between readable days only (`pipeline.release_book`), and so are sums of what
people did or said. Counts of people of a window are hidden when they, or what is left of a declared whole without them,
tell of 1 to k-1 people. Each decision depends on the set that is counted alone, so the same set is hidden under every
name and in every grid. An indicator that has no rule here is judged by `Measure.people` alone (`pipeline.release`).
"""

from functools import partial
from typing import Final

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.periods import WEEK
from pipeline.release_book import FOLLOWED, Book, Family
from pipeline.release_engagement import (
    both_told,
    coming_back,
    groups,
    part_of_visits,
    taking_part,
    using_participants,
    visits,
)
from pipeline.release_use import (
    active_in,
    adopted,
    back,
    flow,
    growth,
    new_people,
    of_newcomers,
    on_several_days,
    part_of_people,
    trailing,
    whole_weeks,
)
from pipeline.release_verdict import SHOWN, USE, Rule, Verdict, Withheld, between
from pipeline.sketches import OtherKeyEpoch


def judge(indicator: str, book: Book, window: Window, measure: Measure) -> Verdict:
    """What is to be withheld of a figure, None where nothing is."""
    rule = RULES.get(indicator)
    if rule is None or book.k < 2 or not measure.people:
        return SHOWN
    try:
        return _judged(rule, indicator, book, window, measure)
    except OtherKeyEpoch:  # of those whom it would be compared with, by pseudonyms that cannot be told apart
        return Withheld()


def _judged(rule: Rule, indicator: str, book: Book, window: Window, measure: Measure) -> Verdict:
    if measure.dim:
        of_parts = PARTS.get(indicator)
        return SHOWN if of_parts is None else of_parts(book, window, measure)
    if indicator in BY_WEEK and _length(window) < WEEK:
        return Withheld(by_week=True)
    if window.period.name == "chosen" and (families := OF_WINDOW.get(indicator)):
        ends = between(book, families, window.first - 1, window.last)
        if ends is not SHOWN:
            return ends
    return rule(book, window, measure)


def _length(window: Window) -> int:
    """Days of the pilot's series that lie in the window."""
    return min(window.last, window.span[1]) - max(window.first, window.span[0]) + 1


def _summed(*families: Family) -> Rule:
    """A sum over days of what people did or said."""

    def rule(book: Book, window: Window, _: Measure) -> Verdict:
        return between(book, families, window.first - 1, window.last)

    return rule


def _item(book: Book, window: Window, measure: Measure) -> Verdict:
    family: Family = "trust" if measure.segment == "trust" else "influence"
    return between(book, (family,), window.first - 1, window.last)


_TAKING_PART: Final[Rule] = partial(taking_part, "taking-part")
_CONTRIBUTORS: Final[Rule] = partial(taking_part, "contributors")
PARTS: Final[dict[str, Rule]] = {
    "attendance": part_of_visits,
    "people": part_of_people,
    "representation": partial(groups, "taking-part"),
    "representation-gap": partial(groups, "taking-part"),
    "undeclared": partial(groups, "taking-part"),
    "hours-per-contributor": partial(groups, "contributors"),
    "eur-per-contributor": partial(groups, "contributors"),
    "task-success": _summed("task-parts"),
    "time-to-complete": _summed("task-parts"),
    "time-to-complete-p90": _summed("task-parts"),
    "channel-mix": _summed("channel-parts"),
    "field-test-drop-out": _summed("sign-up-parts"),
    "perceived-influence": _item,
}
RULES: Final[dict[str, Rule]] = {
    "people": active_in,
    "people-multi-day": on_several_days,
    "active-1": partial(trailing, 1),
    "active-7": partial(trailing, 7),
    "active-28": partial(trailing, 28),
    "core-actions-per-person": active_in,
    "new-people": new_people,
    "adoption-per-1000": adopted,
    "concentration": active_in,
    "intensity": whole_weeks,
    "stickiness": partial(trailing, 28),
    "returning-people": flow,
    "resurrected-people": flow,
    "dormant-people": flow,
    "net-growth": growth,
    "retention-week-1": of_newcomers,
    "retention-week-4": of_newcomers,
    "retention-week-4-or-later": of_newcomers,
    "participation-per-1000": _TAKING_PART,
    "return-participation": coming_back,
    "contribution-rate": both_told,
    "contributions-each": _CONTRIBUTORS,
    "contribution-gini": _CONTRIBUTORS,
    "contribution-top-tenth": _CONTRIBUTORS,
    "hours-per-contributor": _CONTRIBUTORS,
    "eur-per-contributor": _CONTRIBUTORS,
    "effective-groups": _TAKING_PART,
    "effective-groups-of-20": _TAKING_PART,
    "gini-simpson": _TAKING_PART,
    "group-coverage": _TAKING_PART,
    "representation": _TAKING_PART,
    "representation-gap": _TAKING_PART,
    "undeclared": _TAKING_PART,
    "returned-day-1": partial(back, 1),
    "retention-day-1": partial(back, 1),
    "returned-days-1-7": partial(back, FOLLOWED),
    "retention-days-1-7": partial(back, FOLLOWED),
    "attendance": visits,
    "contributors": _CONTRIBUTORS,
    "participants-who-use": using_participants,
    "task-success": _summed("tasks"),
    "time-to-complete": _summed("tasks"),
    "time-to-complete-p90": _summed("tasks"),
    "channel-mix": _summed("channels"),
    "assisted-share": _summed("assisted"),
    "satisfaction-sus": _summed("sus"),
    "satisfaction-top-2": _summed("content"),
    "survey-response-rate": _summed("sus", "content", "answered"),
    "perceived-influence": _item,
    "influence-gap": _summed("influence"),
    "participation-survey-response": _summed("asked"),
    "field-test-drop-out": _summed("sign-ups"),
}
# Parts of the people of a window: told where at least a week of the pilot's series lies in it.
BY_WEEK: Final = frozenset(
    {
        "people-multi-day",
        "returning-people",
        "resurrected-people",
        "dormant-people",
        "net-growth",
        "returned-day-1",
        "returned-days-1-7",
        "retention-day-1",
        "retention-days-1-7",
        "contributors",
        "participants-who-use",
    }
)
# What is not a difference of running totals: two chosen ranges a day apart would tell of the people of that day.
OF_WINDOW: Final = dict.fromkeys(
    (
        "people",
        "people-multi-day",
        "core-actions-per-person",
        "concentration",
        "intensity",
        "returning-people",
        "resurrected-people",
        "dormant-people",
        "participants-who-use",
    ),
    USE,
)
