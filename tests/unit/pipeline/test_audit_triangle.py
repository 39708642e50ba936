"""What the triangle tells of a cohort, week after week, gives no hidden small number.

Somebody is a set of weeks after the first; a linear programme over all of these knows every relation. Told are, at each
look, one a week, the size of the cohort and every cell that the triangle shows then.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations_with_replacement

import numpy as np
import pytest

from pipeline import release_cohorts
from pipeline.history import History
from pipeline.partials import summarise
from pipeline.retention import triangle
from tests.unit.pipeline.making import act, ns, pilot
from tests.unit.pipeline.sums import UNBOUNDED, Row, Sums

WEEKS = 5
KINDS = range(1 << WEEKS)
COHORT = date(2026, 1, 5)  # a Monday


def cohort(order: random.Random) -> list[int]:
    """The weeks after the first in which each of them came, as bits."""
    often = [order.choice([0.1, 0.3, 0.6]) for _ in range(WEEKS)]
    size = order.choice([20, 25, 40])
    return [sum(1 << week for week in range(WEEKS) if order.random() < often[week]) for _ in range(size)]


def history_upto(people: list[int], weeks: int) -> History:
    """What is known when so many weeks are over; each day some come who are of no cohort here."""
    city = pilot()
    found = History(city)
    for day in range(-7, 7 * (weeks + 1)):
        name = (COHORT + timedelta(days=day)).isoformat()
        came = [
            number for number, kind in enumerate(people) if day % 7 == 2 and (day < 7 or kind >> (day // 7 - 1) & 1)
        ]
        events = [act(f"{name}T10:00:00", f"p{number}") for number in came if day >= 0]
        found.put(summarise(city, name, [*events, *(act(f"{name}T09:00:00", f"old{number}") for number in range(6))]))
    return found


def row(first: int, last: int) -> Row:
    """Who came in any of these weeks, counted from 1."""
    mask = sum(1 << week - 1 for week in range(first, last + 1))
    return np.array([float(bool(kind & mask)) for kind in KINDS])


def stretch(after: int, variant: str, look: int, reason: str) -> tuple[int, int]:
    """The weeks that a cell tells of: up to the look, or to the week that its sentence names."""
    if variant == "in":
        return after, after
    if not reason.startswith("as of"):
        return after, look
    return after, (date.fromisoformat(reason[6:16]) - COHORT).days // 7


def least_room(seed: int, k: int) -> tuple[float, int, int]:
    """The least room of a small number, how many such there are, and how many cells are told."""
    people, sums, told = cohort(random.Random(seed)), Sums(), 0
    truth = np.bincount(people, minlength=len(KINDS)).astype(float)
    for look in range(1, WEEKS + 1):
        as_of = ns((COHORT + timedelta(days=7 * (look + 1) + 3)).isoformat())
        for cell in triangle(history_upto(people, look), as_of, WEEKS + 2, k):
            share = cell.share
            if cell.cohort != COHORT.isoformat() or share.n is None:
                continue
            sums.learn(np.ones(len(KINDS)), share.n)
            if share.value is not None:
                of = row(*stretch(cell.after, cell.variant, look, share.reason))
                assert share.value * share.n / 100 == pytest.approx(of @ truth), cell
                sums.learn(of, round(share.value * share.n / 100))
                told += 1
    stretches = [row(*one) for one in combinations_with_replacement(range(1, WEEKS + 1), 2)]
    hidden = [*stretches, *(1 - one for one in stretches)]
    hidden += [one - other for one in stretches for other in stretches if (one >= other).all() and (one > other).any()]
    hidden += [one * other for one in stretches for other in stretches]
    small = {one.tobytes(): one for one in hidden if 0 < one @ truth < k}
    return min((sums.room(one) for one in small.values()), default=UNBOUNDED), len(small), told


@pytest.mark.parametrize("k", [3, 5])
def test_no_small_number_of_a_cohort_can_be_worked_out(k: int) -> None:
    rooms, small, told = zip(*(least_room(seed, k) for seed in range(12)), strict=True)
    assert sum(small) > 100
    assert sum(told) > 100
    assert min(rooms) >= 1 - 1e-6, f"seed {rooms.index(min(rooms))}"


@pytest.mark.parametrize("part", ["rest", "across", "both"])
def test_each_part_of_the_rule_is_needed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Left out: what a number leaves of the cohort, of another set, or who is in two that make up one."""

    def tells(told: release_cohorts._Told, first: int, last: int, count: int) -> Iterator[int]:
        every = list(whole(told, first, last, count))
        nested = [
            one
            for (begin, end), other in told.counts.items()
            for one in [abs(count - other)]
            if (first <= begin and end <= last) or (begin <= first and last <= end)
        ]
        match part:
            case "rest":
                yield from [every[0], *every[2:]]
            case "across":
                yield from every[:2]
            case "both":
                yield from [*every[:2], *nested]

    whole = release_cohorts._Told._tells
    monkeypatch.setattr(release_cohorts._Told, "_tells", tells)
    assert any(least_room(seed, 5)[0] < 1 - 1e-6 for seed in range(12))
