"""Each condition of an effect, broken alone: it is named, no other is, and there is no number."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from pipeline.effects.conditions import CHECKS
from pipeline.findings import Effect
from pipeline.model import Event
from tests.unit.pipeline.making import act, event, ns
from tests.unit.pipeline.plain_town import (
    FEEDS,
    FIRST,
    HELD,
    NOW,
    PLAN,
    WEEK_HELD,
    activity,
    at,
    day,
    person,
    town,
)


def failed(effect: Effect) -> list[str]:
    return [condition.letter for condition in effect.conditions if not condition.holds]


def sees_no_number(effect: Effect) -> bool:
    figures = (effect.estimate, effect.before, effect.after)
    silent = all(
        figure.value is None and figure.lower is None and figure.upper is None and figure.n is None
        for figure in figures
    )
    rest = (effect.placebo, effect.p_value, effect.p_adjusted, effect.least)
    return (
        silent
        and rest == (None,) * 4
        and effect.tests == 0
        and effect.level == ""
        and "Uptake was" not in effect.sentence
    )


def without(*types: str) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [one for one in events if one.type not in types]


def saying(type_: str, **fields: Any) -> Callable[[list[Event]], list[Event]]:
    """Of every event of a type, other data: None takes a field away."""

    def change(events: list[Event]) -> list[Event]:
        return [_saying(one, fields) if one.type == type_ else one for one in events]

    return change


def _saying(one: Event, fields: dict[str, Any]) -> Event:
    data = {key: value for key, value in {**one.data, **fields}.items() if value is not None}
    return msgspec.structs.replace(one, data=data)


def silent(feed: str, first: date, days: int) -> Callable[[list[Event]], list[Event]]:
    span = ns(at(first, "00:00")), ns(at(first + timedelta(days=days), "00:00"))
    return lambda events: [
        one
        for one in events
        if not (one.type == "feed.heartbeat" and one.feed == feed and span[0] <= one.time_ns < span[1])
    ]


def from_day(first: date) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [one for one in events if one.time_ns >= ns(at(first, "00:00"))]


def on(type_: str, when: date, **data: Any) -> list[Event]:
    stream = "ops" if type_ in ("definition.changed", "calendar.closure") else "usage"
    made = event(type_, at(when), feed="app", data=data)
    return [msgspec.structs.replace(made, stream=stream)]


LATER = HELD + timedelta(days=1)
OTHER = {"activity_id": "w2"}
SAYS = "activity.scheduled"


def announced(when: date) -> Callable[[list[Event]], list[Event]]:
    return lambda events: without(SAYS)(events) + activity(announced=when)[:1]


BREAKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "never announced": ("a", {"change": saying(SAYS, activity_id="w9")}, "no announcement"),
    "announced on the day": (
        "a",
        {"change": announced(HELD)},
        "only on",
    ),
    "announced afterwards": (
        "a",
        {"change": announced(LATER)},
        "only on",
    ),
    "held on another day": (
        "a",
        {"change": saying(SAYS, starts_on=LATER.isoformat())},
        LATER.isoformat(),
    ),
    "announced for no day": ("a", {"change": saying(SAYS, starts_on=None)}, "no day"),
    "a reaction": (
        "b",
        {"change": saying(SAYS, timing_basis="reactive_to_low_use")},
        "reactive_to_low_use",
    ),
    "an occasion": ("b", {"change": saying(SAYS, timing_basis="opportunistic")}, "opportunistic"),
    "timing unknown": ("b", {"change": saying(SAYS, timing_basis="unknown")}, "unknown"),
    "timing not stated": ("b", {"change": saying(SAYS, timing_basis=None)}, "unknown"),
    "called a reaction later": (
        "b",
        {"change": saying("activity.held", timing_basis="reactive_to_low_use")},
        "reactive",
    ),
    "51 weeks before": ("c", {"change": from_day(day(WEEK_HELD - 51))}, "51 complete weeks before"),
    "7 weeks after": ("c", {"now": day(WEEK_HELD + 8, 3)}, "7 after"),
    "the eighth week not closed": ("c", {"now": day(WEEK_HELD + 9)}, "7 after"),
    "25 weeks before": (
        "c",
        {"change": from_day(day(WEEK_HELD - 25)), "plans": [{**PLAN, "seasonal": False}]},
        "25 complete weeks before",
    ),
    "a release": ("d", {"more": on("service.released", day(WEEK_HELD - 2))}, f"a release on {day(WEEK_HELD - 2)}"),
    "a release at the end": ("d", {"more": on("service.released", day(WEEK_HELD + 2, 6))}, "a release"),
    "an outage": ("d", {"more": on("service.outage", day(WEEK_HELD + 1))}, "an outage"),
    "an outage that reaches in": (
        "d",
        {"more": on("service.outage", day(WEEK_HELD - 4), start=at(day(WEEK_HELD - 4)), end=at(day(WEEK_HELD - 2)))},
        "an outage",
    ),
    "another definition": ("d", {"more": on("definition.changed", day(WEEK_HELD + 1))}, "a change of definition"),
    "a closure of the file": (
        "d",
        {
            "calendar": {
                "closures": [{"first": "2026-01-01", "last": day(WEEK_HELD - 2).isoformat(), "reason": "works"}]
            }
        },
        "a closure (works)",
    ),
    "a recorded closure": (
        "d",
        {"more": on("calendar.closure", day(3), first=LATER.isoformat(), last=LATER.isoformat())},
        "a closure",
    ),
    "another activity near": ("e", {"more": activity(day(WEEK_HELD + 4), **OTHER)}, "overlaps that of w2"),
    "another activity before": ("e", {"more": activity(day(WEEK_HELD - 4, 6), **OTHER)}, "overlaps that of w2"),
    "beyond its week": (
        "e",
        {"more": [event("activity.held", at(day(WEEK_HELD + 1)), data={"activity_id": "w1"})]},
        "beyond its week",
    ),
    "heads counted": ("f", {"change": saying("activity.held", attendance=25)}, "19 who came"),
    "attendance as a number": (
        "f",
        {"more": [event("attendance", at(HELD), count=9, data={"activity_id": "w1"})]},
        "9 who came",
    ),
    "nobody on record": ("f", {"change": without("attendance")}, "not on record"),
    "use of its own": ("f", {"more": [act(at(LATER), person(7), data={"activity_id": "w1"})]}, "1 core actions"),
    "a silent week long before": (
        "g",
        {"change": silent("app", day(WEEK_HELD - 40), 7)},
        day(WEEK_HELD - 40).isoformat(),
    ),
    "a day short of 90 %": ("g", {"change": silent("app", day(WEEK_HELD + 6), 1)}, "only 86 %"),
    "participation unheard": ("g", {"change": silent("talk", day(WEEK_HELD), 1)}, "participation feeds"),
    "no rhythm": ("g", {"feeds": [{**FEEDS[0], "heartbeat_every": None}, FEEDS[1]]}, "no usage feed states a rhythm"),
    "declared on the day": ("h", {"plans": [{**PLAN, "declared": HELD.isoformat()}]}, "not before"),
    "declared afterwards": ("h", {"plans": [{**PLAN, "declared": "2026-06-30"}]}, "not before"),
    "nothing declared": ("h", {"plans": []}, "no outcome and window are declared"),
}


def test_with_all_conditions_there_is_a_number() -> None:
    (effect,) = town()
    assert failed(effect) == []
    assert effect.estimate.value == pytest.approx(100, abs=40)
    assert effect.level == "L2"
    assert effect.placebo == (56, 56)
    assert effect.p_value == pytest.approx(1 / 57)
    assert [condition.letter for condition in effect.conditions] == list("abcdefgh") == list(CHECKS)


@pytest.mark.parametrize("broken", BREAKS)
def test_a_condition_broken_alone_is_named_and_there_is_no_number(broken: str) -> None:
    letter, how, says = BREAKS[broken]
    effect = next(one for one in town(**how) if one.activity_id == "w1")
    assert failed(effect) == [letter]
    sentence = next(one.sentence for one in effect.conditions if one.letter == letter)
    assert says in sentence
    assert f"{letter}: {sentence}" in effect.sentence
    assert sees_no_number(effect)


def test_every_condition_is_broken_by_some_test() -> None:
    assert {letter for letter, *_ in BREAKS.values()} == set(CHECKS)


HARMLESS: dict[str, dict[str, Any]] = {
    "a release a day too early to matter": {"more": on("service.released", day(WEEK_HELD - 3, 6))},
    "a release a day too late to matter": {"more": on("service.released", day(WEEK_HELD + 3))},
    "another activity five weeks later": {"more": activity(day(WEEK_HELD + 5), **OTHER)},
    "another one that was cancelled": {
        "more": [*activity(LATER, **OTHER)[:1], event("activity.cancelled", at(HELD), data=OTHER)]
    },
    "52 weeks before": {"change": from_day(day(WEEK_HELD - 52))},
    "26 weeks before without seasons": {
        "change": from_day(day(WEEK_HELD - 26)),
        "plans": [{**PLAN, "seasonal": False}],
    },
    "a silent week before those needed": {"change": silent("app", day(2), 7)},
    "the eighth week just closed": {"now": day(WEEK_HELD + 9, 1)},
    "declared the day before": {"plans": [{**PLAN, "declared": (HELD - timedelta(days=1)).isoformat()}]},
    "announced twice": {"change": lambda e: e + activity(announced=FIRST)[:1]},
    "funding": {"change": saying(SAYS, timing_basis="funding")},
}


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_lies_just_outside_a_condition_breaks_nothing(harmless: str) -> None:
    effect = next(one for one in town(**HARMLESS[harmless]) if one.activity_id == "w1")
    assert failed(effect) == []
    assert effect.estimate.value is not None


def test_a_public_holiday_breaks_the_same_condition() -> None:
    (effect,) = town(calendar={"holidays": "PT"})
    assert failed(effect) == ["d"]
    assert "a holiday" in effect.sentence
    assert "2026-04-03" in effect.sentence  # Good Friday, in the second week after
    assert sees_no_number(effect)


def test_an_announcement_moved_in_time_counts_as_it_was_last_known_before() -> None:
    first = activity(announced=HELD - timedelta(days=39))[0]
    moved = _saying(first, {"starts_on": (HELD - timedelta(days=7)).isoformat()})
    assert failed(town(more=[moved])[0]) == []
    late = msgspec.structs.replace(_saying(activity(announced=LATER)[0], {"starts_on": NOW.isoformat()}))
    assert failed(town(more=[late])[0]) == []
