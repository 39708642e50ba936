"""The method-fit table against plain Python over the events; n, hatching, and what must not be told."""

from datetime import date, timedelta

import pytest

from pipeline.fit.cells import fit_cells
from pipeline.model import Event
from tests.unit.pipeline.fit.brute_fit import BruteFit
from tests.unit.pipeline.fit.making import FIRST, activity, history, seen
from tests.unit.pipeline.making import event

LAST = "2026-09-30"


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_of_every_cell_is_that_of_brute_force(seed: int) -> None:
    events = history(seed)
    oracle = BruteFit(events, date.fromisoformat(LAST))
    told = 0
    for cell in fit_cells(seen(events, LAST), 0):
        assert cell.activities == len(oracle.activities(cell.stage, cell.dim, cell.code))
        for name, value in oracle.figures(cell.stage, cell.dim, cell.code).items():
            figure = cell.figures[name]
            assert figure.value == (None if value is None else pytest.approx(value)), (cell, name)
            if value is None:
                assert figure.status in ("insufficient_n", "not_defined")
            else:
                told += 1
                assert figure.lower is not None
                assert figure.upper is not None
                assert figure.lower <= figure.value <= figure.upper
    assert told > 50


@pytest.mark.parametrize("seed", [5])
def test_neither_order_nor_repetition_makes_a_difference(seed: int) -> None:
    events = history(seed)
    assert fit_cells(seen([*reversed(events), *events]), 5) == fit_cells(seen(events), 5)


def meetings(attendances: list[int], method: str = "survey", **more: object) -> list[Event]:
    found = []
    for n, come in enumerate(attendances):
        found += activity(f"{method}{n}", FIRST + timedelta(days=7 * n), come, method=method, **more)
    return found


def test_four_activities_are_hatched_and_five_are_told_between_the_least_and_the_most() -> None:
    [four] = [cell for cell in fit_cells(seen(meetings([10, 30, 20, 40])), 0) if cell.stage == ""]
    assert (four.activities, four.figures["attendance"].status) == (4, "insufficient_n")
    assert four.figures["attendance"].value is None
    assert four.figures["attendance"].reason == "rests on 4 activities; at least 5 are needed"
    [five] = [cell for cell in fit_cells(seen(meetings([10, 30, 20, 40, 80])), 0) if cell.stage == ""]
    figure = five.figures["attendance"]
    assert (figure.value, figure.n, figure.lower, figure.upper) == (30, 5, 10, 80)


def test_what_was_never_reported_is_not_defined_and_not_0() -> None:
    [cell] = [cell for cell in fit_cells(seen(meetings([10] * 6, duration_min=60)), 0) if cell.stage == ""]
    missing = {name for name, figure in cell.figures.items() if figure.status == "not_defined"}
    assert missing == set(cell.figures) - {"attendance"}
    assert all(cell.figures[name].value is None and cell.figures[name].reason for name in missing)


def test_nobody_came_is_a_known_0() -> None:
    [cell] = [cell for cell in fit_cells(seen(meetings([0] * 6)), 5) if cell.stage == ""]
    assert (cell.figures["attendance"].value, cell.figures["attendance"].status) == (0, "ok")


def test_medians_below_k_are_hidden_and_bounds_below_k_say_no_more_than_that() -> None:
    [small] = [cell for cell in fit_cells(seen(meetings([2, 3, 4, 9, 30])), 5) if cell.stage == ""]
    figure = small.figures["attendance"]
    assert (figure.status, figure.value, figure.lower, figure.upper, figure.n) == ("suppressed", None, None, None, None)
    [wide] = [cell for cell in fit_cells(seen(meetings([2, 3, 5, 9, 30])), 5) if cell.stage == ""]
    assert (wide.figures["attendance"].value, wide.figures["attendance"].lower) == (5, 0)


@pytest.mark.parametrize(("stay_away", "status"), [(0, "ok"), (1, "suppressed"), (4, "suppressed"), (5, "ok")])
def test_fewer_than_k_who_stayed_away_are_not_told(stay_away: int, status: str) -> None:
    events = meetings([20] * 5)
    for n in range(5):
        day, own = FIRST + timedelta(days=7 * n), {"activity_id": f"survey{n}"}
        away = [f"no{n}-{k}" for k in range(stay_away if n == 0 else 0)]
        for who in (*(f"yes{n}-{k}" for k in range(3)), *away):
            events.append(event("registration", f"{day}T09:00", who, data=own))
            if who not in away:
                events.append(event("attendance", f"{day}T18:06", who, actor_kind="citizen", data=own))
    [cell] = [cell for cell in fit_cells(seen(events), 5) if cell.stage == ""]
    figure = cell.figures["no_show"]
    assert figure.status == status
    assert figure.value == (None if status == "suppressed" else pytest.approx(100 * stay_away / (15 + stay_away)))


def test_counts_without_pseudonyms_tell_only_the_least_who_stayed_away() -> None:
    events = meetings([20] * 5)
    for n in range(5):
        own = {"activity_id": f"survey{n}"}
        events.append(event("registration", f"{FIRST + timedelta(days=7 * n)}T09:00", count=25, data=own))
    [cell] = [cell for cell in fit_cells(seen(events), 5) if cell.stage == ""]
    assert cell.figures["no_show"].value == pytest.approx(20)
    assert cell.figures["no_show"].reason == "at least so many: 5 counted people without pseudonyms"


def test_the_better_method_is_probably_the_best_and_ties_are_shared() -> None:
    events = meetings([20, 22, 25, 30, 24, 26]) + meetings([5, 6, 7, 9, 8, 6], "open_meeting")
    best = {cell.code: cell.best["attendance"] for cell in fit_cells(seen(events), 0) if cell.stage == ""}
    assert best["survey"].value is not None
    assert best["survey"].value > 0.999
    assert best["survey"].value + (best["open_meeting"].value or 0) == pytest.approx(1)
    alike = meetings([10] * 6) + meetings([10] * 6, "open_meeting")
    tied = {cell.code: cell.best["attendance"] for cell in fit_cells(seen(alike), 0) if cell.stage == ""}
    assert [tied[code].value for code in ("survey", "open_meeting")] == [0.5, 0.5]


def test_fewer_no_shows_are_better() -> None:
    events = []
    for method, away in (("survey", 1), ("open_meeting", 6)):
        for n in range(6):
            day, own = FIRST + timedelta(days=7 * n), {"activity_id": f"{method}{n}"}
            events += activity(f"{method}{n}", day, method=method)
            for k in range(10):
                who = f"{method}{n}-{k}"
                events.append(event("registration", f"{day}T09:{k:02}", who, data=own))
                if k >= away:
                    events.append(event("attendance", f"{day}T18:{k:02}", who, data=own))
    best = {cell.code: cell.best["no_show"].value for cell in fit_cells(seen(events), 0) if cell.stage == ""}
    assert best["survey"] == 1


def test_a_method_with_few_activities_is_not_compared() -> None:
    events = meetings([20] * 6) + meetings([50] * 4, "open_meeting")
    assert all(not cell.best for cell in fit_cells(seen(events), 0))


@pytest.mark.parametrize(
    ("answered_after", "followed", "expected"), [(30, 30, 100), (31, 40, 0), (30, 29, None), (30, 70, 100)]
)
def test_an_answer_counts_up_to_the_30th_day_once_that_day_is_over(
    answered_after: int, followed: int, expected
) -> None:
    events = []
    for n in range(5):
        events += activity(f"q{n}", FIRST, method="survey")
        given = {"activity_id": f"q{n}", "kind": "idea", "contribution_id": f"c{n}"}
        events.append(event("contribution.made", f"{FIRST}T18:30", count=1, data=given))
        at = FIRST + timedelta(days=answered_after)
        for day in (at, FIRST + timedelta(days=50)):  # the first answer counts
            events.append(event("response.published", f"{day}T10:00", data={"contribution_ids": [f"c{n}"]}))
    earlier = {"contribution_ids": ["another"]}  # so that answers are known to be published
    events.append(event("response.published", f"{FIRST}T10:00", data=earlier))
    last = (FIRST + timedelta(days=followed)).isoformat()
    [cell] = [cell for cell in fit_cells(seen(events, last), 0) if cell.stage == ""]
    assert cell.figures["answered"].value == expected
