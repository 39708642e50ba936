"""Who takes part at which stage: the stage × group matrix of E4, with small numbers hidden so that they stay hidden.

A cell counts people where all of the pilot's attendances carry pseudonyms, else attendances. Totals of rows and columns
are told elsewhere (attendance by stage, breadth by group), so a hidden cell must not follow from the others. Rule: a
cell of 1 to k-1 is hidden; then, as long as row and column sums narrow such a cell to fewer than k possible numbers,
the smallest shown cell that would widen it is hidden too. What the sums tell is computed by linear programming, with
every hidden cell known to be at least 1, since 0 is told.
Source: Hundepool and others 2012, Statistical Disclosure Control, chapter 4.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from scipy.optimize import linprog

from pipeline import release
from pipeline.findings import Figure, StageGroup
from pipeline.fit.activities import GROUPS, STAGES, UNKNOWN, Gathered, HeldActivity

Cell = tuple[str, str]
VISITS: Final = "attendances"
PEOPLE: Final = "people"


def stage_groups(seen: Gathered, k: int) -> list[StageGroup]:
    """The matrix of one pilot, every stage and group that is known or occurs, in their order; [] where nobody's
    attendance at an activity was ever reported."""
    if "attendance" not in seen.reports:
        return []
    unit = PEOPLE if all(one.named for one in seen.activities) else VISITS
    counts, activities = _counts(seen.activities, unit)
    covert = hidden(counts, k)
    stages = [*STAGES, *sorted({one.stage for one in seen.activities} - set(STAGES))]
    groups = [*GROUPS, *sorted({group for _, group in counts} - set(GROUPS))]
    return [
        StageGroup(
            pilot=seen.pilot,
            stage=stage,
            group=group,
            activities=activities.get(stage, 0),
            taking_part=_figure(counts.get((stage, group), 0), activities.get(stage, 0), unit, k, stage, group, covert),
            synthetic=seen.synthetic or any(one.synthetic for one in seen.activities),
        )
        for stage in stages
        for group in groups
    ]


def _figure(count: int, activities: int, unit: str, k: int, stage: str, group: str, covert: set[Cell]) -> Figure:
    if not activities:
        return Figure(status="not_defined", reason="no activity of this stage was held", unit=unit)
    if (stage, group) in covert:
        return Figure(status="suppressed", reason=release.reason(k), unit=unit)
    return Figure(value=float(count), n=count, unit=unit)


def _counts(activities: Sequence[HeldActivity], unit: str) -> tuple[dict[Cell, int], dict[str, int]]:
    """People or attendances by stage and group, and activities by stage."""
    people: dict[Cell, set[str]] = defaultdict(set)
    visits: dict[Cell, int] = defaultdict(int)
    held: dict[str, int] = defaultdict(int)
    for one in activities:
        held[one.stage] += 1
        for group in one.visits:
            key = (one.stage, group or UNKNOWN)
            people[key] |= one.people.get(group, frozenset())
            visits[key] += one.visits[group]
    counts = {key: len(who) for key, who in people.items()} if unit == PEOPLE else dict(visits)
    return {key: count for key, count in counts.items() if count}, dict(held)


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
