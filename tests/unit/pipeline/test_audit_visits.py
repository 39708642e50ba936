"""What the list of activities tells, subtracted from what periods tell of attendances, gives no hidden small number.

Three looks are added up: in the middle of the second week, at its end, and long after; each tells the list, every day,
week, month, the whole, and the stages of the whole. Unknown are the attendances of each activity on each day.
"""

import random
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from pipeline.answers import Answers
from pipeline.frozen import Frozen
from pipeline.indicators.evaluate import evaluate
from pipeline.model import Event
from pipeline.periods import Period, iso, ordinal, periods_between
from pipeline.release_book import Book
from pipeline.release_rules import PARTS, RULES
from pipeline.release_verdict import Rule
from tests.unit.pipeline.making import City, Clock, event, ns, pilot
from tests.unit.pipeline.sums import Row, Sums

START = ordinal("2026-01-26")  # a Monday; the month ends in this week
DAYS = 14
LOOKS = ("2026-02-05T12:00:00", "2026-02-09T12:00:00", "2026-04-01T00:00:00")
Piece = tuple[str, int]
STAGES = ("co_decide", "co_design")


def program(order: random.Random) -> dict[Piece, int]:
    """Attendances by activity and day: many large, some small, a few of two days."""
    found: dict[Piece, int] = {}
    for number in range(order.randint(4, 12)):
        day = order.randrange(DAYS)
        found[(f"a{number}", day)] = order.choice([1, 2, 3, 4, 6, 9, 12, 20])
        if order.random() < 0.2 and day != 9:  # none lies across a look: the list would be seen to grow
            found[(f"a{number}", min(day + 1, DAYS - 1))] = order.randint(1, 9)
    return found


def events_of(pieces: dict[Piece, int]) -> Iterator[Event]:
    seen = set()
    for (name, day), number in pieces.items():
        on = iso(START + day)
        if name not in seen:
            data = {"activity_id": name, "stage": STAGES[int(name[1:]) % 2]}
            yield event("activity.held", f"{on}T10:00:00", data=data)
        seen.add(name)
        yield event("attendance", f"{on}T10:30:00", count=number, data={"activity_id": name})


def told(pieces: dict[Piece, int], k: int) -> tuple[list[tuple[set[Piece], float]], set[frozenset[Piece]]]:
    """Sums of pieces that are told, and those that are not."""
    said: list[tuple[set[Piece], float]] = []
    hidden: set[frozenset[Piece]] = {frozenset([one]) for one in pieces}
    city, running, since = City(pilot(), Clock(LOOKS[0]), k=k), None, 0
    for look in LOOKS:
        city.clock.ns = ns(look)
        today = ordinal(look[:10]) - START
        known = {piece: number for piece, number in pieces.items() if piece[1] < today}
        city.add(list(events_of({piece: number for piece, number in known.items() if piece[1] >= since})))
        since, running = today, running or city.pipeline()
        city.work(running)
        answers = Answers(city.store, city.catalogue, city.operations)
        history, as_of_ns = answers._history("test")
        for one in answers.activities("test"):
            if one.attendance is not None:
                said.append(({piece for piece in known if piece[0] == one.activity_id}, one.attendance))
        span = history.span(as_of_ns)
        if span is None:
            continue
        first, last = (iso(day) for day in span)
        asked = [one for name in ("day", "week", "month") for one in periods_between(name, first, last)]
        for period in [*asked, Period("all", first, last)]:
            book = Book(history, as_of_ns, k, Frozen(city.operations).kept("test", k))
            for value in evaluate(history, period, as_of_ns, k, ["attendance"], book):
                start, end = ordinal(value.start) - START, ordinal(value.end) - START
                if value.reason.startswith("told of 2"):
                    start, end = (ordinal(value.reason[at : at + 10]) - START for at in (8, 22))
                those = {piece for piece in known if start <= piece[1] <= end}
                if value.dim == "stage" and period.name == "all":
                    those = {piece for piece in those if STAGES[int(piece[0][1:]) % 2] == value.segment}
                elif value.dim:
                    continue
                if "without activities" in value.reason:
                    listed = {one.activity_id: one.attendance for one in answers.activities("test")}
                    cut = {piece[0] for piece in known.keys() - those}
                    assert value.value == sum(listed[key] or 0 for key in {piece[0] for piece in those} - cut), value
                elif value.value is None:
                    hidden.add(frozenset(those))
                else:
                    assert value.value == sum(known[piece] for piece in those), value
                    said.append((those, value.value))
    return said, hidden


def least_room(pieces: dict[Piece, int], k: int) -> tuple[float, int]:
    said, hidden = told(pieces, k)
    names = sorted(pieces)
    sums = Sums()
    for those, number in said:
        sums.learn(_row(those, names), number, those)
    small = [cell for cell in hidden if 0 < sum(pieces[piece] for piece in cell) < k]
    return min((sums.room(_row(cell, names)) for cell in small), default=float("inf")), len(small)


def _row(those: Iterable[Piece], names: list[Piece]) -> Row:
    wanted = set(those)
    return np.array([float(name in wanted) for name in names])


@pytest.mark.parametrize("seed", range(12))
def test_no_small_number_of_attendances_can_be_worked_out(seed: int) -> None:
    order = random.Random(seed)
    rooms, cells = zip(*(least_room(program(order), 5) for _ in range(4)), strict=True)
    assert sum(cells) > 0
    assert min(rooms) >= 1


@pytest.mark.parametrize("rules", [RULES, PARTS], ids=["whole", "parts"])
def test_without_its_rules_the_list_would_betray_the_rest(
    rules: dict[str, Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(rules, "attendance")
    order = random.Random(0)
    assert min(least_room(program(order), 5)[0] for _ in range(8)) < 1
