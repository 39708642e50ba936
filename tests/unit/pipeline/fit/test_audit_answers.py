"""Obstacles of questionnaires and assessed levels, by stage and method, at every look: no small number follows.

An answer is of a month and of an activity's stage and method, or of none; a linear programme over all of these knows
every relation. Told are, every five days, how many answers there are of all, of each stage, each method and each pair.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta
from itertools import combinations_with_replacement, product

import numpy as np
import pytest

from pipeline.findings import Figure
from pipeline.fit import skills, splitting
from pipeline.fit.coded import counted
from pipeline.fit.skills import gives_away, skill_needs
from pipeline.model import Event
from pipeline.periods import ordinal
from tests.unit.pipeline.fit.making import activity, rows, seen
from tests.unit.pipeline.making import event
from tests.unit.pipeline.sums import UNBOUNDED, Row, Sums

MONTHS = (1, 2, 3)
STAGES, METHODS = ("co_decide", "co_design"), ("site_walk", "survey")
PAIRS = [*product(STAGES, METHODS)]
PIECES = [(month, place) for month in MONTHS for place in [*PAIRS, None]]
LOOKS = [date(2026, 1, 5) + timedelta(days=5 * n) for n in range(22)]
Place = tuple[str, str]
Told = Callable[[list[Event], date, int], dict[Place, float]]


def history(seed: int, kind: str, **said: object) -> tuple[list[Event], Row]:
    """One activity of each pair, some of which nobody answers of, and answers in three months; and the truth."""
    order = random.Random(seed)
    found, truth = [], np.zeros(len(PIECES))
    for stage, method in PAIRS:
        found += activity(f"{stage}-{method}", date(2026, 1, 1), stage=stage, method=method)
    for at, (month, place) in enumerate(PIECES):
        truth[at] = order.choice([0, 0, 0, 1, 2, 4, 5, 6, 9])
        for n in range(int(truth[at])):
            about = {"activity_id": "-".join(place)} if place else {}
            when = date(2026, month, order.randint(1, 28))
            found.append(event(kind, f"{when}T10:{at:02}:{n:02}", data={**about, **said}))
    return found, truth


def row(place: Place | None, months: tuple[int, ...] = MONTHS) -> Row:
    """The answers of a place ("" is all) in some months; None is those of no activity."""
    return np.array([
        float(month in months and (of is None if place is None else (of is not None and place[0] in ("", of[0])
              and place[1] in ("", of[1])) or place == ("", "")))
        for month, of in PIECES
    ])  # fmt: skip


def obstacles(events: list[Event], last: date, k: int) -> dict[Place, float]:
    kept = rows(events)
    return {(one.stage, one.method): float(one.n) for one in counted(seen(events, f"{last}"), kept, k)}


def levels(events: list[Event], last: date, k: int) -> dict[Place, float]:
    kept = [one for one in skill_needs(seen(events, f"{last}"), rows(events), k) if one.level.n is not None]
    return {(one.stage, one.method): float(one.level.n or 0) for one in kept}


def upto(events: list[Event], last: date) -> list[Event]:
    return [one for one in events if one.time_ns // (86_400 * 10**9) + ordinal("1970-01-01") <= last.toordinal()]


def least_room(seed: int, k: int, kind: str, said: dict[str, object], told: Told) -> tuple[float, int, int]:
    """The least room of a small number, how many there are, and how many numbers are told."""
    events, truth = history(seed, kind, **said)
    sums, n, known = Sums(), 0, dict[Place, float]()
    for last in LOOKS:
        for place, number in told(upto(events, last), last, k).items():
            if known.get(place) != number:  # it grew at the end of the month before
                of = row(place, tuple(month for month in MONTHS if month < last.month))
                assert of @ truth == number, (place, last)
                sums.learn(of, number)
                known[place] = number
                n += 1
    every = [("", ""), *((stage, "") for stage in STAGES), *(("", method) for method in METHODS), *PAIRS, None]
    spans = [tuple(range(a, b + 1)) for a, b in combinations_with_replacement(MONTHS, 2)]
    hidden = [row(place, months) for place in every for months in spans]
    small = {one.tobytes(): one for one in hidden if 0 < one @ truth < k}
    return min((sums.room(one) for one in small.values()), default=UNBOUNDED), len(small), n


CASES: list[tuple[str, dict[str, object], Told]] = [
    ("survey.response", {"obstacles": ["silos"], "respondent": "project_manager"}, obstacles),
    ("skill.assessed", {"skill": "law", "level": 3}, levels),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
@pytest.mark.parametrize("k", [3, 5])
def test_no_small_number_of_answers_can_be_worked_out(case: tuple[str, dict[str, object], Told], k: int) -> None:
    rooms, small, told = zip(*(least_room(seed, k, *case) for seed in range(12)), strict=True)
    assert sum(small) > 100
    assert sum(told) > 50
    assert min(rooms) >= 1 - 1e-6, f"seed {rooms.index(min(rooms))}"


def test_single_figures_would_be_what_others_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule before: numbers from k on are told, as of today, of each place by itself."""

    def alone(answers: list[splitting.Answer], last: int, k: int) -> tuple[dict[Place, list[int]], int]:
        every = splitting._by_place(answers, range(len(answers)), pairs=True)
        return {place: those for place, those in every.items() if len(those) >= k}, last

    monkeypatch.setattr("pipeline.fit.coded.told_answers", alone)
    assert any(sums_of_today(seed, *CASES[0]) for seed in range(6))


def sums_of_today(seed: int, kind: str, said: dict[str, object], told: Told) -> bool:
    """Whether one look alone gives away a number of 1 to 4."""
    events, truth = history(seed, kind, **said)
    sums = Sums()
    for place, number in told(events, LOOKS[-1], 5).items():
        sums.learn(row(place), number)
    small = [one for one in (row(place) for place in [*PAIRS, None]) if 0 < one @ truth < 5]
    return any(sums.room(one) < 1 - 1e-6 for one in small)


@pytest.mark.parametrize("seed", range(4))
def test_a_median_with_its_bounds_leaves_two_numbers_at_each_level(seed: int) -> None:
    """Against every way in which so many people can be at five levels."""
    order, k, told = random.Random(seed), 5, 0
    for _ in range(40):
        mine = [order.choice([1, 2, 2, 3, 3, 4, 5]) for _ in range(order.randint(5, 9))]
        found = skills._level(skills.Assessed(mine, len(mine)), k)
        if found.value is None:
            continue
        told += 1
        ways = [one for one in every_way(len(mine)) if looks_like(one, found)]
        counts = [mine.count(level) for level in skills.LEVELS]
        for a, b in combinations_with_replacement(range(5), 2):
            true = sum(counts[a : b + 1])
            if 0 < true < k:
                assert len({sum(one[a : b + 1]) for one in ways}) > 1, (sorted(mine), found)
    assert told > 5


def every_way(n: int, levels: int = 5) -> list[tuple[int, ...]]:
    if levels == 1:
        return [(n,)]
    return [(first, *rest) for first in range(n + 1) for rest in every_way(n - first, levels - 1)]


def looks_like(counts: tuple[int, ...], told: Figure) -> bool:
    ordered = [level for level, count in enumerate(counts, 1) for _ in range(count)]
    n, beyond = len(ordered), skills.intervals.rank(len(ordered))
    same = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 == told.value
    return same and (told.lower is None or (ordered[beyond], ordered[n - 1 - beyond]) == (told.lower, told.upper))


def test_the_number_at_a_level_is_not_given_away() -> None:
    assert gives_away([2, 2, 2, 3, 3, 3], 5, bounds=True)
    assert not gives_away([2] * 5 + [3] * 5, 5, bounds=True)
