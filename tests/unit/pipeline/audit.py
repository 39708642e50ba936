"""Random pilots, everything that is told of them, and what an attacker makes of it (`attacker`)."""

import random
from collections.abc import Iterator
from datetime import date

from pipeline.history import History
from pipeline.indicators.evaluate import evaluate
from pipeline.partials import summarise
from pipeline.periods import Period, iso, ordinal, periods_between
from pipeline.release_book import Book
from pipeline.values import IndicatorValue
from tests.unit.pipeline.attacker import Attacker, Cell, count
from tests.unit.pipeline.making import act, ns, pilot

START = date(2026, 1, 29).toordinal()  # a Thursday three days before a month ends, so that weeks and months cross
DAYS = 8
INHABITANTS = 1000
COUNTS = {
    "people": "active",
    "people-multi-day": "several",
    "new-people": "new",
    "returning-people": "returning",
    "returned-day-1": "back-1",
    "returned-days-1-7": "back-7",
}
TRAILING = {"active-1": 1, "active-7": 7, "active-28": 28}
IDS = [*COUNTS, *TRAILING, "retention-day-1", "retention-days-1-7", "adoption-per-1000", "core-actions-per-person"]


def people(order: random.Random, number: int) -> list[int]:
    """For each of so many people the days of use, as bits: most begin early, some come back."""
    found = []
    for _ in range(number):
        first = min(int(order.expovariate(1 / 3)), DAYS - 1)
        often = order.choice([0.02, 0.15, 0.4])
        later = sum(1 << day for day in range(first + 1, DAYS) if order.random() < often)
        found.append(1 << first | later)
    return found


def history(everybody: list[int]) -> History:
    """The pilot's days; each also has one action without a pseudonym, so that no day is unknown."""
    city = pilot(denominators=[{"kind": "inhabitants", "value": INHABITANTS, "year": 2020, "source": "made up"}])
    found = History(city)
    for day in range(DAYS):
        name = iso(START + day)
        events = [act(f"{name}T10:00:00", f"p{number}") for number, kind in enumerate(everybody) if kind >> day & 1]
        found.put(summarise(city, name, [*events, act(f"{name}T00:00:00")]))
    return found


def stored(start: int, days: int) -> Iterator[Period]:
    """Every day, week and month of a series, and the whole."""
    first, last = iso(start), iso(start + days - 1)
    for name in ("day", "week", "month"):
        yield from periods_between(name, first, last)
    yield Period("all", first, last)


def asked(order: random.Random) -> Iterator[Period]:
    """Every day, week and month, the whole, and two chosen ranges that differ by one day."""
    yield from stored(START, DAYS)
    begin = order.randint(0, 3)
    end = order.randint(begin + 1, DAYS - 2)
    yield Period("chosen", iso(START + begin), iso(START + end))
    yield Period("chosen", iso(START + begin), iso(START + end + 1))


def cells(value: IndicatorValue) -> list[tuple[Cell, float | None]]:
    """What a value says, as counts: None where it says nothing."""
    first, last = ordinal(value.start) - START, ordinal(value.end) - START
    if value.reason.startswith("told of 2"):  # of a narrower window, which its sentence names
        first, last = ordinal(value.reason[8:18]) - START, ordinal(value.reason[22:32]) - START
    said = value.value
    if value.indicator in COUNTS:
        return [((COUNTS[value.indicator], first, last), said)]
    if value.indicator in TRAILING:
        return [(("active", last - TRAILING[value.indicator] + 1, last), said)]
    if value.indicator == "core-actions-per-person":
        return [(("active", first, last), value.n)]
    if value.indicator == "adoption-per-1000":
        return [(("new", -1, last), None if said is None else said * INHABITANTS / 1000)]
    back = "back-1" if value.indicator.endswith("day-1") else "back-7"
    hits = None if said is None or value.n is None else said * value.n / 100
    whole = [] if value.n is None else [(("new", first, last), float(value.n))]
    return [((back, first, last), hits), *whole]


def narrowest(seed: int, k: int, week_by_week: bool = False) -> tuple[float, int, str]:
    """Of the hidden counts of 1 to k-1 people: how many whole numbers the least protected one may be, less one; how
    many there are; and which that one is."""
    order = random.Random(seed)
    everybody = people(order, order.choice([12, 25, 40, 80]))
    days = history(everybody)
    kept = Book(days, ns("2026-02-02T12:00:00"), k).everything() if week_by_week else None
    as_of_ns = ns("2026-06-01T00:00:00")
    book, attacker = Book(days, as_of_ns, k, kept), Attacker(range(1, 1 << DAYS))
    hidden: set[Cell] = set()
    for period in asked(order):
        for value in evaluate(days, period, as_of_ns, k, IDS, book):
            for cell, said in cells(value):
                if said is not None:
                    assert abs(said - count(cell, everybody)) < 1e-6, (cell, value)
                    attacker.learn(cell, said)
                elif value.status == "suppressed":
                    hidden.add(cell)
    small = sorted(cell for cell in hidden if 0 < count(cell, everybody) < k)
    found = [(attacker.room(cell), f"{cell} of seed {seed}") for cell in small]
    room, name = min(found, default=(float("inf"), ""))
    return room, len(small), name
