"""Sums over days of what people did or said: what one period tells less what others tell betrays no few people.

Attempts, answers, core actions and sign-ups add up, so a linear programme over what each day holds knows all relations
between days, weeks, months, the whole and chosen ranges. Unknown are the numbers of each day, part and outcome;
whatever of a window rests on 1 to k-1 people must be one of at least two whole numbers.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from pipeline import release_rules
from pipeline.indicators.evaluate import evaluate
from pipeline.model import Event
from pipeline.periods import Period, iso, ordinal
from pipeline.release_book import Book
from pipeline.values import IndicatorValue
from tests.unit.pipeline.audit import stored
from tests.unit.pipeline.making import act, event, ns, pilot
from tests.unit.pipeline.sums import Row, Sums
from tests.unit.pipeline.towns import history_of

START = ordinal("2026-01-26")  # a Monday; the month ends in this week
DAYS = 14
AS_OF = ns("2026-08-01T00:00:00")
PARTS = ("a", "b", "c")


class Fact(NamedTuple):
    """Something that somebody did or said once."""

    day: int
    part: str
    good: bool
    who: str


Chosen = Callable[[Fact], bool]


class Kind(NamedTuple):
    """An indicator of sums: the events of a fact, and which facts its n and its share count, of a segment or of all."""

    indicator: str
    events: Callable[[Fact, int], list[Event]]
    whole: Callable[[str], Chosen]
    hits: Callable[[str], Chosen]


def _at(fact: Fact, number: int) -> str:
    return f"{iso(START + fact.day)}T{number // 60 % 24:02}:{number % 60:02}:00"


def _task(fact: Fact, number: int) -> list[Event]:
    kind = "task.completed" if fact.good else "task.failed"
    return [event(kind, _at(fact, number), fact.who, data={"task_family": fact.part, "n": number})]


def _action(fact: Fact, number: int) -> list[Event]:
    return [act(_at(fact, number), fact.who, data={"channel": fact.part, "assisted": fact.good, "core": True})]


def _content(fact: Fact, number: int) -> list[Event]:
    data = {"instrument": "csat", "scores": [5 if fact.good else 1]}
    return [event("survey.response", _at(fact, number), f"{fact.who}-{number}", data=data)]


def _view(fact: Fact, number: int) -> list[Event]:
    data = {"instrument": "participation-2", "scores": [5 if fact.good else 1, 3]}
    return [event("survey.response", _at(fact, number), f"{fact.who}-{number}", data=data, feed="talk")]


def _signup(fact: Fact, number: int) -> list[Event]:
    test = {"fieldtest_id": f"t{number}", "fieldtest_stage": fact.part, "task_id": "one"}
    kinds = ["fieldtest.signup", "fieldtest.task_assigned", *(["fieldtest.task_done"] if fact.good else [])]
    return [event(kind, _at(fact, number), fact.who, data=test) for kind in kinds]


def _of(segment: str) -> Chosen:
    return lambda fact: not segment or fact.part == segment


KINDS = [
    Kind("task-success", _task, _of, lambda part: lambda fact: _of(part)(fact) and fact.good),
    Kind("channel-mix", _action, lambda _: _of(""), lambda part: _of(part)),
    Kind("assisted-share", _action, lambda _: _of(""), lambda _: lambda fact: fact.good),
    Kind("satisfaction-top-2", _content, lambda _: _of(""), lambda _: lambda fact: fact.good),
    Kind("perceived-influence", _view, lambda _: _of(""), lambda _: lambda fact: fact.good),
    Kind("field-test-drop-out", _signup, _of, lambda part: lambda fact: _of(part)(fact) and not fact.good),
]


def facts(order: random.Random) -> list[Fact]:
    """Two weeks of what some people did, of parts and on days of which some are rare."""
    found = []
    weights = order.choice([(6, 6, 1), (8, 2, 1), (5, 5, 5)])
    for day in range(DAYS):
        for _ in range(order.choice([0, 1, 3, 8, 16])):
            part, who = order.choices(PARTS, weights)[0], f"p{order.randrange(25)}"
            found.append(Fact(day, part, order.random() < 0.7, who))
    return found


def asked(order: random.Random) -> Iterator[Period]:
    yield from stored(START, DAYS)
    for _ in range(10):
        begin = order.randrange(DAYS)
        yield Period("chosen", iso(START + begin), iso(START + order.randrange(begin, DAYS)))


def days_of(value: IndicatorValue) -> range:
    first, last = ordinal(value.start) - START, ordinal(value.end) - START
    if value.reason.startswith("told of 2"):
        first, last = (ordinal(value.reason[at : at + 10]) - START for at in (8, 22))
    return range(first, last + 1)


def narrowest(kind: Kind, seed: int, k: int, week_by_week: bool = False) -> tuple[float, int, int]:
    """In how wide a range the least protected number of few people is; how many such there are, and how many figures
    were told."""
    order = random.Random(seed)
    done = facts(order)
    if kind.indicator in ("satisfaction-top-2", "perceived-influence"):  # everybody answers once
        done = [fact._replace(who=f"{fact.who}-{number}") for number, fact in enumerate(done)]
    events = [one for number, fact in enumerate(done) for one in kind.events(fact, number)]
    quiet = [event("idea.viewed", f"{iso(START + day)}T00:00:00") for day in range(DAYS)]
    days = history_of(pilot(), [*events, *quiet])
    kept = Book(days, ns("2026-02-02T12:00:00"), k).everything() if week_by_week else None
    book, sums = Book(days, AS_OF, k, kept), Sums()
    names = list(product(range(DAYS), PARTS, (False, True)))

    def row(chosen: Chosen, within: Sequence[int]) -> Row:
        return np.array([float(name[0] in within and chosen(Fact(*name, ""))) for name in names])

    def number(chosen: Chosen, within: Sequence[int]) -> tuple[int, int]:
        counted = [fact for fact in done if chosen(fact) and fact.day in within]
        return len(counted), len({fact.who for fact in counted})

    if kind.events is _action:  # how much was done is public
        for day in range(DAYS):
            sums.learn(row(_of(""), range(day, day + 1)), number(_of(""), range(day, day + 1))[0])
    hidden: list[tuple[Chosen, Sequence[int]]] = []
    told = 0
    for period in asked(order):
        for value in evaluate(days, period, AS_OF, k, [kind.indicator], book):
            part = value.segment if value.dim in ("task_family", "channel", "fieldtest_stage") else ""
            if value.dim == "kind" or value.segment == "trust":
                continue
            within, whole, hits = days_of(value), kind.whole(part), kind.hits(part)
            if kind.indicator == "channel-mix" and not part:
                continue  # all actions name their channel
            hidden += [(hits, within), (lambda fact, a=whole, b=hits: a(fact) and not b(fact), within)]
            if value.n is None:
                continue
            told += 1
            assert value.n == number(whole, within)[0], value
            sums.learn(row(whole, within), value.n)
            if value.value is not None:
                share = value.value * value.n / 100
                assert share == pytest.approx(number(hits, within)[0]), value
                sums.learn(row(hits, within), round(share))
    if (
        kind.events is _action
    ):  # where all of k people or more did alike, and how much was done is public, that is known
        alike = _alike(kind, book, done)
        hidden = [(chosen, [day for day in within if day not in alike]) for chosen, within in hidden]
    rooms = {
        (one := row(chosen, within)).tobytes(): one for chosen, within in hidden if 0 < number(chosen, within)[1] < k
    }
    return min((sums.room(one) for one in rooms.values()), default=float("inf")), len(rooms), told


def _alike(kind: Kind, book: Book, done: list[Fact]) -> set[int]:
    """The days between readable ones on which everybody did the same."""
    family = "channel-parts" if kind.indicator == "channel-mix" else "assisted"
    found, after = set[int](), -1
    for point in book.decided(family).points:
        days = range(after + 1, point - START + 1)
        ways = {fact.part if family == "channel-parts" else fact.good for fact in done if fact.day in days}
        found |= set(days) if len(ways) < 2 else set()
        after = point - START
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.indicator)
def test_no_sum_of_few_people_can_be_worked_out(kind: Kind, seed: int) -> None:
    rooms, hidden, told = zip(*(narrowest(kind, 10 * seed + one, 4, one == 1) for one in range(2)), strict=True)
    assert sum(hidden) > 0
    assert sum(told) > 0
    assert min(rooms) >= 1 - 1e-6


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.indicator)
def test_without_readable_days_a_week_less_its_days_would_betray_somebody(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(release_rules.RULES, kind.indicator)
    assert any(narrowest(kind, seed, 4)[0] < 1e-6 for seed in range(10))
