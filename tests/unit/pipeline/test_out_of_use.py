"""A feed that is out of use for good, by the pilot's file: nobody misses it, and the other feeds are judged."""

from datetime import date
from typing import Any

from pipeline.alerts.evaluate import evaluate_silence
from tests.unit.pipeline.making import event, ns
from tests.unit.pipeline.watching import FEEDS, Watched, day, said


def watched(days: int, ended: int | None, other: list[int]) -> Watched:
    """Two feeds bring a pilot's contributions, ten and `other` a day; one is not heard any more from day 60 on."""
    until = {} if ended is None else {"until": date.fromisoformat(day(ended))}
    feeds: list[dict[str, Any]] = [*FEEDS, {**FEEDS[0], "id": "paper", "topic": "paper", **until}]
    town = Watched(feeds=feeds)
    for number in range(days):
        paper = [
            event("contribution.made", ns(f"{day(number)}T07:00:00") + at, f"p{at}", feed="paper",
                  data={"kind": "idea"})
            for at in range(10 if number < 60 else 0)
        ]  # fmt: skip
        town.pass_day(number, [*said(number, other[number]), *paper], silent=[] if number < 60 else ["paper"])
    return town


def series(town: Watched) -> list[tuple[str, bool]]:
    return [(one.series, one.closed_ns is None) for one in town.operations.incidents(["test"])]


def test_without_its_last_day_a_feed_that_is_gone_holds_all_that_it_brought() -> None:
    town = watched(76, None, [12] * 62 + [2] * 14)
    town.look(75)
    assert series(town) == [("group/citizen", True)]  # which the feed that is gone had no part in


def test_after_its_last_day_what_other_feeds_bring_is_judged() -> None:
    town = watched(76, 59, [12] * 62 + [2] * 14)
    town.look(75)
    assert ("contributions", True) in series(town)


def test_the_end_of_a_feed_is_no_fall() -> None:
    town = watched(76, 59, [12] * 76)
    town.look(75)
    assert series(town) == []


def test_its_incident_ends_with_it() -> None:
    town = watched(62, None, [12] * 62)
    heard = {"talk": ns(f"{day(61)}T23:00:00"), "app": ns(f"{day(61)}T23:00:00"), "paper": ns(f"{day(59)}T23:59:59")}
    now_ns = ns(f"{day(62)}T00:30:00")
    evaluate_silence(town.history, town.operations, heard, now_ns)
    assert series(town) == [("paper", True)]
    feeds = [one.model_copy(update={"until": date.fromisoformat(day(59))} if one.id == "paper" else {})
             for one in town.history.pilot.feeds]  # fmt: skip
    town.history.pilot = town.history.pilot.model_copy(update={"feeds": feeds})
    for _ in range(2):
        evaluate_silence(town.history, town.operations, heard, now_ns)
        assert series(town) == [("paper", False)]
    assert town.operations.read("SELECT what, reason FROM transition ORDER BY id") == [
        ("opened", "nothing heard for more than 3 intervals"), ("closed", "out of use"),
    ]  # fmt: skip
