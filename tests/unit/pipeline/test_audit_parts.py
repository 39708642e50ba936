"""What is told of groups beside every total, in every grid: no hidden small group can be worked out.

Somebody is a group and a set of days out of eight in three months; a linear programme over all of these knows every
relation. Three looks are added up: two a day apart in the middle of the series and one long after it.
"""

import random
from bisect import bisect_left, bisect_right

import numpy as np
import pytest

from pipeline.answers import Answers
from pipeline.frozen import Frozen
from pipeline.indicators.evaluate import evaluate
from pipeline.periods import Period, iso, ordinal, periods_between
from pipeline.release_book import Book
from pipeline.release_rules import PARTS
from pipeline.values import IndicatorValue
from tests.unit.pipeline.attacker import COUNTED
from tests.unit.pipeline.audit import people
from tests.unit.pipeline.making import City, Clock, act, ns, pilot
from tests.unit.pipeline.sums import Sums

DATES = [ordinal(f"2026-{day}") for day in ("01-29", "01-31", "02-01", "02-12", "02-27", "03-01", "03-02", "03-31")]
DAYS = len(DATES)
GROUPS = ("business", "citizen", "government")
LOOKS = ("2026-03-05T12:00:00", "2026-03-06T12:00:00", "2026-06-01T00:00:00")
KINDS = range(1, 1 << DAYS)
Cell = tuple[str, str, int, int]  # group ("" all), what, first and last day from 0


def counted(cell: Cell) -> np.ndarray:
    group, what, first, last = cell
    return np.array(
        [float(group in ("", one) and COUNTED[what](kind, first, last)) for one in GROUPS for kind in KINDS]
    )


def cell_of(value: IndicatorValue) -> Cell:
    """What a value is of, with the places of its first and last day among the eight."""
    first, last = ordinal(value.start), ordinal(value.end)
    if value.reason.startswith("told of 2"):
        first, last = (ordinal(value.reason[at : at + 10]) for at in (8, 22))
    if (at := value.reason.find("as of 2")) >= 0:
        last = ordinal(value.reason[at + 6 : at + 16])
    what = "active" if value.indicator == "people" else "new"
    return value.segment, what, bisect_left(DATES, first), bisect_right(DATES, last) - 1


def told(everybody: list[tuple[str, int]], k: int) -> tuple[dict[Cell, float], set[Cell]]:
    city = City(pilot(), Clock(LOOKS[0]), k=k)
    running, since = city.pipeline(), 0
    said, hidden = dict[Cell, float](), set[Cell]()
    for look in LOOKS:
        city.clock.ns = ns(look)
        for place, day in enumerate(DATES):
            if since <= day < ordinal(look[:10]):
                on = iso(day)
                seen = [(f"p{number}", group) for number, (group, kind) in enumerate(everybody) if kind >> place & 1]
                city.add([act(f"{on}T00:00:00"), *(act(f"{on}T10:00:00", who, actor_kind=of) for who, of in seen)])
        since = ordinal(look[:10])
        city.work(running)
        answers = Answers(city.store, city.catalogue, city.operations)
        book = answers.read("test", lambda history, as_of_ns: Book(
            history, as_of_ns, k, Frozen(city.operations).kept("test", k)))  # fmt: skip
        assert book is not None
        span = book.history.span(book.as_of_ns)
        assert span is not None
        first, last = iso(span[0]), iso(span[1])
        asked = [one for name in ("day", "week", "month") for one in periods_between(name, first, last)]
        for period in [*asked, Period("all", first, last)]:
            for value in evaluate(book.history, period, book.as_of_ns, k, ["people", "new-people"], book):
                if value.dim not in ("", "actor_kind") or (
                    value.status == "incomplete" and "as of" not in value.reason
                ):
                    continue  # of a period that is not over nothing is decided
                cell = cell_of(value)
                if cell[2] > cell[3]:
                    continue  # none of the eight days lies in it
                if value.value is not None:
                    said[cell] = value.value
                elif value.status == "suppressed":
                    hidden.add(cell)
    return said, hidden


def least_room(seed: int, k: int) -> tuple[float, int]:
    """Of all small numbers of new or active people of a group in any span, told nowhere or hidden: in how wide a range
    the least protected one may lie; and how many there are."""
    order = random.Random(seed)
    everybody = [(order.choice(GROUPS[: 2 + seed % 2]), kind) for kind in people(order, order.choice([15, 30, 60]))]
    truth = np.zeros(len(GROUPS) * len(KINDS))
    for group, kind in everybody:
        truth[GROUPS.index(group) * len(KINDS) + kind - 1] += 1
    said, hidden = told(everybody, k)
    for cell, value in said.items():
        assert value == counted(cell) @ truth, cell
    spans = [(first, last) for first in range(DAYS) for last in range(first, DAYS)]
    hidden |= {(group, what, *span) for group in GROUPS for what in ("new", "active") for span in spans}
    sums = Sums()
    for cell, value in said.items():
        sums.learn(counted(cell), value, cell)
    small = [cell for cell in hidden if 0 < counted(cell) @ truth < k and cell not in said]
    return min((sums.room(counted(cell)) for cell in small), default=float("inf")), len(small)


@pytest.mark.parametrize("seed", range(10))
def test_no_small_group_can_be_worked_out(seed: int) -> None:
    room, _ = least_room(seed, 4)
    assert room >= 1 - 1e-6


def test_there_is_something_to_hide() -> None:
    assert sum(least_room(seed, 4)[1] for seed in range(6)) > 5


def test_parts_of_the_whole_as_of_any_day_would_betray_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = PARTS["people"]
    monkeypatch.setitem(
        PARTS,
        "people",
        lambda book, window, measure: None if window.period.name == "all" else rule(book, window, measure),
    )
    assert any(least_room(seed, 4)[0] < 1 - 1e-6 for seed in range(30))
