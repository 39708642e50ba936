"""Who took part at which stage, at every look: no small number of a group at an activity or stage can be worked out.

Somebody is a group and a set of activities; a linear programme over all of these knows every relation. Told are, after
every activity and every month, the list of activities, the people of the whole, and the stage × group matrix; the same
with attendances, where only those are counted.
"""

import random
from itertools import pairwise

import numpy as np
import pytest

from pipeline.findings import StageGroup
from pipeline.fit import matrix
from pipeline.fit.activities import Gathered, HeldActivity
from pipeline.periods import ordinal
from tests.unit.pipeline.sums import UNBOUNDED, Row, Sums

GROUPS = ("academia", "business", "citizen")
STAGES = ("co_decide", "co_design")
DAYS = [ordinal(f"2026-{day}") for day in ("01-12", "01-26", "02-10", "03-05", "03-20")]
ENDS = [ordinal(f"2026-{day}") for day in ("01-31", "02-28", "03-31")]
KINDS = [(group, which) for group in GROUPS for which in range(1, 1 << len(DAYS))]
PIECES = [(group, 1 << place) for group in GROUPS for place in range(len(DAYS))]
Kind = tuple[str, int]


class Town:
    """Activities and who came; `named` without it attendances alone are counted."""

    def __init__(self, seed: int, named: bool) -> None:
        order = random.Random(seed)
        self.kinds = KINDS if named else PIECES
        self.stages = [order.choice(STAGES) for _ in DAYS]
        often = [order.choice([0.1, 0.3, 0.4]) for _ in DAYS]
        self.truth = np.zeros(len(self.kinds))
        for group, size in zip(GROUPS, (order.choice([0, 2, 6, 12]), order.choice([0, 4, 8]), 25), strict=True):
            for _ in range(size):
                which = sum(1 << place for place in range(len(DAYS)) if order.random() < often[place])
                if named and which:
                    self.truth[self.kinds.index((group, which))] += 1
                for place in () if named else range(len(DAYS)):
                    self.truth[self.kinds.index((group, 1 << place))] += which >> place & 1
        self.seen = [self._held(place, day, named) for place, day in enumerate(DAYS)]

    def _held(self, place: int, day: int, named: bool) -> HeldActivity:
        visits, people = dict.fromkeys(GROUPS, 0), {group: set[str]() for group in GROUPS}
        for at, ((group, which), count) in enumerate(zip(self.kinds, self.truth, strict=True)):
            if which >> place & 1:
                visits[group] += int(count)
                people[group] |= {f"{at}-{one}" for one in range(int(count))}
        return HeldActivity(
            id=f"a{place}",
            day=day,
            stage=self.stages[place],
            attendance=sum(visits.values()),
            visits={group: count for group, count in visits.items() if count},
            people={group: frozenset(who) for group, who in people.items() if who},
            named=named,
        )

    def row(self, group: str, which: int) -> Row:
        """Who of a group ("" is all) came to any of these activities."""
        return np.array([float(group in ("", of) and bool(kind & which)) for of, kind in self.kinds])

    def of_stage(self, stage: str, last: int) -> int:
        return sum(1 << place for place, day in enumerate(DAYS) if self.stages[place] == stage and day <= last)

    def upto(self, last: int) -> Gathered:
        held = [one for one in self.seen if one.day <= last]
        return Gathered(pilot="test", activities=held, reports=frozenset({"attendance"}), last=last)


def told(town: Town, k: int) -> Sums:
    """Everything that is told at every look, which must be true."""
    sums = Sums()
    for place, one in enumerate(town.seen):
        if (one.attendance or 0) >= k:
            sums.learn(town.row("", 1 << place), one.attendance or 0)
    for last in sorted({*DAYS, *ENDS}):
        for cell in matrix.stage_groups(town.upto(last), k):
            figure = cell.taking_part
            if figure.value is not None and cell.group in GROUPS:
                row = town.row(cell.group, which(town, cell, last, k))
                assert figure.value == row @ town.truth, cell
                sums.learn(row, figure.value)
    return sums


def which(town: Town, cell: StageGroup, last: int, k: int) -> int:
    """The activities that a told cell is of: up to the day that its sentence names, and listed ones only."""
    reason = cell.taking_part.reason
    last = ordinal(reason[6:16]) if reason.startswith("as of") else last
    large = {one.id for one in matrix.listed(town.seen, k)}
    listed = sum(1 << place for place, one in enumerate(town.seen) if one.id in large)
    return town.of_stage(cell.stage, last) & listed


def hidden(town: Town) -> list[Row]:
    """What must stay open: each activity, in all and by group; each stage by group, at every look and between two."""
    looks = [0, *sorted({*DAYS, *ENDS})]
    sets = {1 << place for place in range(len(DAYS))}
    sets |= {town.of_stage(stage, look) for stage in STAGES for look in looks}
    sets |= {town.of_stage(stage, b) & ~town.of_stage(stage, a) for stage in STAGES for a, b in pairwise(looks)}
    rows = [town.row(group, one) for group in GROUPS for one in sorted(sets)]
    rows += [town.row("", 1 << place) for place in range(len(DAYS))]
    return rows + [
        town.row(group, town.of_stage(stage, b)) - town.row(group, town.of_stage(stage, a))
        for group in GROUPS
        for stage in STAGES
        for a, b in pairwise(looks)
    ]


def least_room(seed: int, named: bool, k: int) -> tuple[float, int]:
    town = Town(seed, named)
    sums = told(town, k)
    small = [row for row in hidden(town) if 0 < row @ town.truth < k]
    return min((sums.room(row) for row in small), default=UNBOUNDED), len(small)


@pytest.mark.parametrize("named", [True, False], ids=["people", "attendances"])
@pytest.mark.parametrize("k", [3, 5])
def test_no_small_group_of_an_activity_or_stage_can_be_worked_out(named: bool, k: int) -> None:
    rooms, small = zip(*(least_room(seed, named, k) for seed in range(20)), strict=True)
    assert sum(small) > 30
    assert min(rooms) >= 1 - 1e-6, f"seed {rooms.index(min(rooms))}"


def betrays(k: int = 5) -> bool:
    return any(least_room(seed, named, k)[0] < 1 - 1e-6 for named in (False, True) for seed in range(20))


def test_a_matrix_as_of_today_would_betray_who_came_since_yesterday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "months", lambda seen: [(seen.last, seen.activities)])
    assert betrays()


def test_single_cells_hidden_without_others_would_be_what_the_list_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "hidden", lambda counts, k: {key for key, count in counts.items() if 0 < count < k})
    assert betrays()


def test_small_activities_in_the_matrix_would_be_what_the_list_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "listed", lambda activities, k: activities)
    assert betrays()


def test_people_of_two_activities_beside_each_would_tell_who_was_at_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert least_room(158, True, 5)[0] >= 1
    monkeypatch.setattr(matrix, "left_over", lambda *_: [])
    assert least_room(158, True, 5)[0] < 1 - 1e-6
