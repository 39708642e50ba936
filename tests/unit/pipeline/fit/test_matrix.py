"""The stage × group matrix: what it says, and that nobody can work out what it hides."""

import itertools
import random

import pytest

from pipeline.findings import StageGroup
from pipeline.fit.matrix import hidden, stage_groups
from tests.unit.pipeline.fit.making import FIRST, activity, seen
from tests.unit.pipeline.making import event


def matrix(table: dict[tuple[str, str], int], k: int = 5) -> dict[tuple[str, str], StageGroup]:
    events = []
    for stage in {stage for stage, _ in table}:
        events += activity(stage, FIRST, stage=stage)
    for (stage, group), come in table.items():
        own = {"activity_id": stage}
        events += [
            event("attendance", f"{FIRST}T18:00", f"{stage}-{group}-{n}", actor_kind=group, data=own)
            for n in range(come)
        ]
    return {(one.stage, one.group): one for one in stage_groups(seen(events), k)}


def test_people_are_told_by_stage_and_group_and_a_stage_without_activity_is_not_defined() -> None:
    found = matrix({("co_design", "citizen"): 12, ("co_design", "business"): 6, ("co_decide", "citizen"): 9}, 0)
    assert found["co_design", "citizen"].taking_part.value == 12
    assert found["co_design", "citizen"].taking_part.unit == "people"
    assert (found["co_design", "academia"].taking_part.value, found["co_design", "academia"].activities) == (0, 1)
    assert found["co_produce", "citizen"].taking_part.status == "not_defined"


def test_somebody_who_comes_twice_is_one_and_counts_without_pseudonym_make_all_cells_visits() -> None:
    events = [*activity("one", FIRST, stage="co_design"), *activity("two", FIRST, stage="co_design")]
    for key in ("one", "two"):
        events.append(event("attendance", f"{FIRST}T18:00", "anna", actor_kind="citizen", data={"activity_id": key}))
    [people] = [one for one in stage_groups(seen(events), 0) if (one.stage, one.group) == ("co_design", "citizen")]
    assert (people.taking_part.value, people.taking_part.unit) == (1, "people")
    events += activity("three", FIRST, 4, stage="co_design")
    [visits] = [one for one in stage_groups(seen(events), 0) if (one.stage, one.group) == ("co_design", "citizen")]
    assert (visits.taking_part.value, visits.taking_part.unit) == (6, "attendances")


def test_without_reported_attendance_there_is_no_matrix() -> None:
    assert stage_groups(seen(activity("one", FIRST, stage="co_design")), 5) == []


def test_a_hidden_cell_takes_others_with_it() -> None:
    found = matrix({("co_design", "citizen"): 12, ("co_design", "business"): 3, ("co_decide", "citizen"): 9})
    gone = {key for key, one in found.items() if one.taking_part.status == "suppressed"}
    assert ("co_design", "business") in gone
    assert len(gone) > 1
    assert all(found[key].taking_part.value is None and found[key].taking_part.n is None for key in gone)


def possible(counts, covert, key) -> set[int]:
    """Every number that a hidden cell (at least 1) could be, by trying all tables with the same sums."""
    cells = sorted(covert)
    lines = [
        [n for n, cell in enumerate(cells) if cell[way] == name]
        for way in (0, 1)
        for name in {cell[way] for cell in cells}
    ]
    sums = [sum(counts[cells[n]] for n in line) for line in lines]
    highest = [min(total for total, line in zip(sums, lines, strict=True) if n in line) for n in range(len(cells))]
    return {
        sample[cells.index(key)]
        for sample in itertools.product(*(range(1, high + 1) for high in highest))
        if all(sum(sample[n] for n in line) == total for line, total in zip(lines, sums, strict=True))
    }


@pytest.mark.parametrize("seed", range(40))
def test_no_small_cell_can_be_worked_out_from_what_is_shown(seed: int) -> None:
    rng = random.Random(seed)
    k = 3
    counts = {
        (stage, group): rng.choice([0, 1, 2, 3, 4, 6])
        for stage in ("p", "q", "r")[: rng.randrange(2, 4)]
        for group in "abc"
    }
    counts = {key: count for key, count in counts.items() if count}
    covert = hidden(counts, k)
    small = {key for key, count in counts.items() if count < k}
    assert small <= covert
    if not small:
        assert not covert
    if covert != set(counts) and len(covert) <= 6:
        for key in small:
            numbers = possible(counts, covert, key)
            assert max(numbers) >= k or len(numbers) >= k, (counts, covert, key)


def test_nothing_is_hidden_where_data_are_openly_published() -> None:
    assert hidden({("p", "a"): 1, ("p", "b"): 2}, 0) == set()


def test_two_small_cells_whose_sum_would_tell_them_are_joined_by_a_third() -> None:
    counts = {("p", "a"): 1, ("p", "b"): 1, ("p", "c"): 20, ("q", "a"): 20, ("q", "b"): 20, ("q", "c"): 20}
    covert = hidden(counts, 5)
    assert {("p", "a"), ("p", "b")} < covert
    assert len(covert) < len(counts) or covert == set(counts)
