"""Who takes part at which stage: the stage × group matrix of E4, with small numbers hidden so that they stay hidden.

A cell counts people where all of the pilot's attendances carry pseudonyms, else attendances; activities of fewer than k
attendances, whose number the list of activities hides, are left out. Totals of rows and columns are told elsewhere
(attendance by stage, breadth by group), so a hidden cell must not follow from the others. Rule for one table: a cell of
1 to k-1 is hidden; then, as long as row and column sums narrow such a cell to fewer than k possible numbers, the
smallest shown cell that would widen it is hidden too. What the sums tell is computed by linear programming, with every
hidden cell known to be at least 1, since 0 is told.
Over time: at the end of each month the rule is applied to what each cell grew by since it was last told, so that two
looks subtract to nothing small; a cell that may not be told keeps its earlier number, marked `incomplete`.
A row of people waits too where it would tell, beside the list of activities, who was at one of them only or at two.
Source: Hundepool and others 2012, Statistical Disclosure Control, chapter 4.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from scipy.optimize import linprog

from pipeline import release
from pipeline.findings import Figure, StageGroup
from pipeline.fit.activities import GROUPS, STAGES, UNKNOWN, Gathered, HeldActivity
from pipeline.fit.batches import as_of, listed, months, without

Cell = tuple[str, str]
Union = tuple[set[str], int]  # activities, and how many people were at any of them
VISITS: Final = "attendances"
PEOPLE: Final = "people"


def stage_groups(seen: Gathered, k: int) -> list[StageGroup]:
    """The matrix of one pilot, every stage and group that is known or occurs, in their order; [] where nobody's
    attendance at an activity was ever reported."""
    if "attendance" not in seen.reports:
        return []
    unit = PEOPLE if all(one.named for one in seen.activities) else VISITS
    large = listed(seen.activities, k)
    counts, held = _counts(large, unit), Counter(one.stage for one in seen.activities)
    small = Counter(one.stage for one in seen.activities if one.attendance and one not in large)
    told = _told(seen, unit, k) if k > 1 else {key: (count, seen.last) for key, count in counts.items()}
    stages = [*STAGES, *sorted({one.stage for one in seen.activities} - set(STAGES))]
    groups = [*GROUPS, *sorted({group for _, group in counts} - set(GROUPS))]
    return [
        StageGroup(
            pilot=seen.pilot,
            stage=stage,
            group=group,
            activities=held[stage],
            taking_part=_figure(counts.get((stage, group), 0), told.get((stage, group)), small[stage], unit, k)
            if held[stage]
            else Figure(status="not_defined", reason="no activity of this stage was held", unit=unit),
            synthetic=seen.synthetic or any(one.synthetic for one in seen.activities),
        )
        for stage in stages
        for group in groups
    ]


def _told(seen: Gathered, unit: str, k: int) -> dict[Cell, tuple[int, int]]:
    """What may be told of each cell that a closed month tells of, and as of which day: 0 where nothing may be told."""
    found: dict[Cell, tuple[int, int]] = {}
    whole: dict[str, list[Union]] = defaultdict(list)
    for end, activities in months(seen):
        large = listed(activities, k)
        now = _counts(large, unit)
        grown = {key: more for key, count in now.items() if (more := count - found.get(key, (0, 0))[0])}
        covert = hidden(grown, k)
        for stage in {stage for stage, _ in grown} - {stage for stage, _ in covert} if unit == PEOPLE else ():
            mine = [one for one in large if one.stage == stage]
            known = whole[stage] + [({one.id}, one.attendance or 0) for one in mine]
            union = {one.id for one in mine}, sum(count for key, count in now.items() if key[0] == stage)
            if any(0 < count < k for count in left_over(known, union)):
                covert |= {key for key in grown if key[0] == stage}
            else:
                whole[stage].append(union)
        found |= {key: (now[key], end) if key not in covert else found.get(key, (0, 0)) for key in grown}
    return found


def left_over(known: Sequence[Union], union: Union) -> list[int]:
    """Beside known numbers of people of some activities, what the number of people of all of them tells too: who was
    at none of those, and who was at both of two that make up the whole.

    >>> left_over([({"a"}, 9), ({"b"}, 8)], ({"a", "b"}, 13))
    [4, 5, 4]
    """
    activities, people = union
    found = [people - size for _, size in known]
    pairs = combinations(known, 2)
    return found + [size + other - people for (one, size), (two, other) in pairs if one | two == activities]


def _figure(count: int, told: tuple[int, int] | None, small: int, unit: str, k: int) -> Figure:
    """A cell of so many; `small` activities of its stage are left out, so 0 in the others is not 0 in all."""
    known, day = told or (0, 0)
    if told is None and count:
        return Figure(status="incomplete", reason="told as of the end of its first month", unit=unit)
    if not known and (count or small):
        return Figure(status="suppressed", reason=release.reason(k), unit=unit)
    notes = [as_of(day, k)] if known != count else []
    notes += [without(small, k)] if small else []
    return Figure(
        value=float(known), n=known, status="incomplete" if notes else "ok", reason="; ".join(notes), unit=unit
    )


def _counts(activities: Sequence[HeldActivity], unit: str) -> dict[Cell, int]:
    """People or attendances by stage and group."""
    people: dict[Cell, set[str]] = defaultdict(set)
    visits: dict[Cell, int] = defaultdict(int)
    for one in activities:
        for group in one.visits:
            key = (one.stage, group or UNKNOWN)
            people[key] |= one.people.get(group, frozenset())
            visits[key] += one.visits[group]
    counts = {key: len(who) for key, who in people.items()} if unit == PEOPLE else dict(visits)
    return {key: count for key, count in counts.items() if count}


def hidden(counts: Mapping[Cell, int], k: int) -> set[Cell]:
    """Cells of a two-way table with known sums that must not be told; 0 is told."""
    if k < 2:
        return set()
    covert = {key for key, count in counts.items() if 0 < count < k}
    while (exposed := _exposed(counts, covert, k)) is not None:
        more = _widening(counts, covert, exposed)
        if more is None:
            return set(counts)  # nothing left that could hide it: the whole table goes
        covert.add(more)
    return covert


def _exposed(counts: Mapping[Cell, int], covert: set[Cell], k: int) -> Cell | None:
    """A small cell that its row and column narrow to fewer than k numbers."""
    for key in sorted(covert):
        if counts[key] < k:
            lower, upper = bounds(counts, covert, key)
            if upper - lower < k - 1 - 1e-6:
                return key
    return None


def bounds(counts: Mapping[Cell, int], covert: set[Cell], key: Cell) -> tuple[float, float]:
    """What anybody can tell of a hidden cell from the cells that are shown and the sums of rows and columns."""
    cells = sorted(covert)
    lines = sorted({("row", row) for row, _ in cells} | {("column", column) for _, column in cells})
    matrix = np.array([[one == (cell[0] if way == "row" else cell[1]) for cell in cells] for way, one in lines], float)
    sums = matrix @ np.array([counts[cell] for cell in cells], float)
    aim = np.array([cell == key for cell in cells], float)
    found = [linprog(sign * aim, A_eq=matrix, b_eq=sums, bounds=(1, None), method="highs").fun for sign in (1, -1)]
    return float(found[0]), float(-found[1])


def _widening(counts: Mapping[Cell, int], covert: set[Cell], exposed: Cell) -> Cell | None:
    """The smallest shown cell in the row or column of an exposed one, else of any hidden one, else any."""
    shown = sorted((count, key) for key, count in counts.items() if key not in covert)
    rows, columns = {row for row, _ in covert}, {column for _, column in covert}
    for near in (
        lambda key: exposed[0] == key[0] or exposed[1] == key[1],
        lambda key: key[0] in rows and key[1] in columns,
        lambda key: key[0] in rows or key[1] in columns,
        lambda key: True,
    ):
        found = [key for _, key in shown if near(key)]
        if found:
            return found[0]
    return None
