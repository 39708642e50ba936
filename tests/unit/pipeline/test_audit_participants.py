"""Whatever is told of those who contribute or attend, in every grid, the whole and many chosen ranges, betrays nobody.

Somebody is, on each of five days, nobody, a contributor, an attendee or both, and each indicator that tells a number of
those who took part is read: as a count, as a rate's parts, or as the n beside it. Criterion as in `test_audit.py`.
"""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pipeline import release_engagement, release_rules
from pipeline.history import History
from pipeline.indicators.evaluate import evaluate
from pipeline.model import Event
from pipeline.periods import Period, iso, ordinal
from pipeline.release_book import Book
from pipeline.values import IndicatorValue
from tests.unit.pipeline.attacker import Attacker, Cell, Counted, began, count, within
from tests.unit.pipeline.audit import stored
from tests.unit.pipeline.making import event, ns, pilot
from tests.unit.pipeline.towns import history_of

START = ordinal("2026-01-30")  # a Friday: a month ends the next day, a week the day after
DAYS = 5
LOW = (1 << DAYS) - 1
INHABITANTS = 1000
AS_OF = ns("2026-06-01T00:00:00")
COUNTED: dict[str, Counted] = {  # a kind is the days of contributions, and above them those of attendances
    "giving": lambda kind, first, last: within(kind & LOW, first, last) != 0,
    "coming": lambda kind, first, last: within(kind >> DAYS, first, last) != 0,
    "either": lambda kind, first, last: within(kind & LOW | kind >> DAYS, first, last) != 0,
    "new": lambda kind, first, last: first <= began(kind & LOW | kind >> DAYS) <= last,
}
GIVING = ("contributors", "contributions-each", "contribution-gini", "contribution-top-tenth")
EITHER = ("undeclared", "group-coverage", "effective-groups", "gini-simpson")
IDS = (*GIVING, *EITHER, "participation-per-1000", "contribution-rate")


def town(order: random.Random) -> list[int]:
    """For each of some people the days on which they contributed and attended."""
    found = []
    busy = [order.choice([0.02, 0.1, 0.4]) for _ in range(DAYS)]
    for _ in range(order.choice([8, 14, 25])):
        ways = order.choice([(1.0, 0.1), (0.1, 1.0), (0.7, 0.7)])
        kind = sum(
            1 << DAYS * way + day for way in (0, 1) for day in range(DAYS) if order.random() < busy[day] * ways[way]
        )
        found.append(kind or 1 << order.randrange(2 * DAYS))
    return found


def history(everybody: list[int]) -> History:
    city = pilot(denominators=[{"kind": "inhabitants", "value": INHABITANTS, "year": 2020, "source": "made up"}])
    return history_of(city, events(everybody))


def events(everybody: list[int]) -> Iterator[Event]:
    for day in range(DAYS):
        at = f"{iso(START + day)}T10:00:00"
        yield event("activity.held", at, data={"activity_id": f"a{day}"})  # no day is unknown
        for number, kind in enumerate(everybody):
            if kind >> day & 1:
                yield event("contribution.made", at, f"p{number}", actor_kind="citizen", data={"kind": "idea"})
            if kind >> DAYS + day & 1:
                data = {"activity_id": f"a{day}"}
                yield event("attendance", at, f"p{number}", actor_kind="citizen", data=data)


def asked(order: random.Random) -> Iterator[Period]:
    """Every day, week and month, the whole, and chosen ranges of which many differ by one day."""
    yield from stored(START, DAYS)
    ranges = [(begin, end) for begin in range(DAYS) for end in range(begin, DAYS)]
    for begin, end in order.sample(ranges, 9):
        yield Period("chosen", iso(START + begin), iso(START + end))


def cells(value: IndicatorValue) -> Iterator[tuple[Cell, float | None]]:
    """What a value says, as counts: None where it says nothing."""
    first, last = ordinal(value.start) - START, ordinal(value.end) - START
    if value.reason.startswith("told of 2"):
        first, last = ordinal(value.reason[8:18]) - START, ordinal(value.reason[22:32]) - START
    if value.indicator in GIVING:
        yield ("giving", first, last), value.n
    elif value.indicator == "participation-per-1000":
        yield ("either", first, last), None if value.value is None else value.value * INHABITANTS / 1000
    else:
        yield ("either", first, last), value.n
        if value.indicator == "contribution-rate" and value.value is not None and value.n is not None:
            yield ("giving", first, last), value.value * value.n / 100


def narrowest(seed: int, k: int, week_by_week: bool = False) -> tuple[float, int, str]:
    """Of the hidden counts of 1 to k-1 people: in how wide a range the least protected one is, how many there are, and
    which that one is."""
    order = random.Random(seed)
    everybody = town(order)
    days = history(everybody)
    kept = Book(days, ns("2026-02-02T12:00:00"), k).everything() if week_by_week else None
    book, attacker = Book(days, AS_OF, k, kept), Attacker(range(1, 1 << 2 * DAYS), COUNTED)
    # Who takes part for the first time is nowhere told, and must not follow from what is.
    hidden: set[Cell] = {("new", first, last) for first in range(DAYS) for last in range(first, DAYS)}
    for period in asked(order):
        for value in evaluate(days, period, AS_OF, k, IDS, book):
            for cell, said in cells(value):
                if said is not None:
                    assert abs(said - count(cell, everybody, COUNTED)) < 1e-6, (cell, value)
                    attacker.learn(cell, said)
                elif value.status == "suppressed":
                    hidden.add(cell)
    small = sorted(cell for cell in hidden if 0 < count(cell, everybody, COUNTED) < k)
    room, name = min(((attacker.room(cell), f"{cell} of seed {seed}") for cell in small), default=(float("inf"), ""))
    return room, len(small), name


@pytest.mark.parametrize("seed", range(12))
def test_no_small_number_of_those_who_took_part_can_be_worked_out(seed: int) -> None:
    k = 3 + seed % 3
    room, hidden, name = narrowest(1000 + seed, k, week_by_week=seed % 2 == 1)
    assert hidden > 0
    assert room >= 1 - 1e-6, f"{name} is known to be one number"


@pytest.mark.parametrize("rule", ["taking_part", "_growing", "left_over"])
def test_each_rule_is_needed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if rule == "taking_part":  # as before: contributors alone were looked at
        for one in set(IDS) - {"contributors"}:
            monkeypatch.delitem(release_rules.RULES, one)
    else:
        monkeypatch.setattr(release_engagement, rule, lambda *_: [] if rule == "left_over" else None)
    rooms = (narrowest(1000 + seed, 3 + seed % 3, week_by_week=seed % 2 == 1)[0] for seed in range(60))
    assert any(room < 1 - 1e-6 for room in rooms)


def test_who_takes_part_for_the_first_time_is_never_one_of_few() -> None:
    """Two chosen ranges that end on different days differ by nobody or by k people at least who are new."""
    everybody = town(random.Random(7))
    days = history(everybody)
    found = Book(days, AS_OF, 4).decided("taking-part")
    assert found.points
    for name in COUNTED:
        totals = [0, *(count((name, 0, day - START), everybody, COUNTED) for day in found.points)]
        assert all(after - before == 0 or after - before >= 4 for before, after in pairwise(totals))


def test_a_choice_holds_without_counting_again_until_a_day_beneath_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = town(random.Random(7))
    days = history(everybody)
    kept = Book(days, AS_OF, 4).everything()
    again = Book(days, AS_OF, 4, kept)
    monkeypatch.setattr(Book, "_ever", lambda *_: pytest.fail("counted again"))
    assert again.decided("taking-part") == kept["taking-part"]
    monkeypatch.undo()
    late = history([*everybody, 0b00001])  # one more contributor, on the first day
    fresh = Book(late, AS_OF, 4, {"taking-part": kept["taking-part"]}).decided("taking-part")
    assert fresh.seen != kept["taking-part"].seen
    assert set(fresh.points) <= set(kept["taking-part"].points)
