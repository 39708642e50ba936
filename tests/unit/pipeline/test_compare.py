"""Differences between pilots: the interval, the probability of the order, and what is not compared."""

import random
from math import sqrt
from statistics import NormalDist

import pytest

from pipeline.compare import order, pairs
from pipeline.findings import Pair
from pipeline.indicators import INDICATORS
from pipeline.indicators.intervals import wilson
from pipeline.values import IndicatorValue

RATE = INDICATORS["adoption-per-1000"]
KINDS = {"a": "target", "b": "target", "c": "inhabitants"}


def value(pilot: str, hits: int, n: int, **more: object) -> IndicatorValue:
    lower, upper = wilson(hits, n)
    words = {"value": 1000 * hits / n, "lower": 1000 * lower, "upper": 1000 * upper, "n": n, **more}
    return IndicatorValue(
        pilot=pilot, indicator=RATE.id, version=1, period="all", start="2026-01-01", end="2026-06-30", **words
    )


def only(*values: IndicatorValue) -> Pair:
    [found] = pairs(values, RATE, KINDS)
    return found


def test_the_interval_of_a_difference_of_shares_is_newcombes() -> None:
    """Newcombe 1998, table II, case (a): 56/70 against 48/80 gives 0.2000 (0.0524 to 0.3339) by method 10."""
    found = only(value("a", 56, 70), value("b", 48, 80)).difference
    assert found.value == pytest.approx(200)
    assert found.lower == pytest.approx(52.4, abs=0.05)
    assert found.upper == pytest.approx(333.9, abs=0.05)


def test_the_probability_of_an_order_is_that_of_drawing_both_again() -> None:
    rng, draws = random.Random(5), 4_000
    for hits, other in ((30, 30), (36, 30), (44, 30), (30, 44)):
        found = only(value("a", hits, 100), value("b", other, 100))
        spread = [sqrt(h / 100 * (1 - h / 100) / 100) for h in (hits, other)]
        wins = sum(rng.gauss(hits / 100, spread[0]) > rng.gauss(other / 100, spread[1]) for _ in range(draws))
        assert found.higher == pytest.approx(wins / draws, abs=0.03)


def test_no_order_is_printed_where_it_is_uncertain() -> None:
    assert [order(p) for p in (0.81, 0.8, 0.79, 0.5, 0.21, 0.2, 0.1, None)] == [
        "higher", "higher", "open", "open", "open", "lower", "lower", "open",
    ]  # fmt: skip
    assert only(value("a", 30, 100), value("b", 30, 100)).order == "open"
    assert only(value("a", 60, 100), value("b", 30, 100)).order == "higher"


def test_an_order_is_the_same_seen_from_either_side() -> None:
    one, other = only(value("a", 40, 100), value("b", 30, 100)), only(value("b", 40, 100), value("a", 30, 100))
    assert (one.pilot, one.other) == (other.pilot, other.other) == ("a", "b")
    assert one.higher == pytest.approx(1 - (other.higher or 0))
    assert one.difference.value == pytest.approx(-(other.difference.value or 0))


def test_rates_per_other_kinds_of_people_are_not_compared() -> None:
    found = only(value("a", 40, 100), value("c", 10, 100))
    assert (found.difference.status, found.difference.value, found.higher, found.order) == (
        "not_defined", None, None, "open",
    )  # fmt: skip
    assert found.difference.reason == "a counts per target, c per inhabitants"
    assert only(value("a", 40, 100), value("b", 10, 100)).denominator == "target"


@pytest.mark.parametrize("status", ["feed_poor", "incomplete", "suppressed", "insufficient_n", "not_defined"])
def test_only_values_that_are_ok_are_compared(status: str) -> None:
    found = only(value("a", 40, 100), value("b", 10, 100, status=status, reason="because"))
    assert (found.difference.status, found.difference.reason) == ("not_defined", "b: because")


def test_what_its_definition_calls_not_comparable_is_not_compared() -> None:
    [found] = pairs([value("a", 40, 100), value("b", 10, 100)], INDICATORS["people"], KINDS)
    assert found.difference.reason == "its definition does not allow comparison between pilots"


def test_every_two_pilots_are_a_pair_and_none_is_first() -> None:
    found = pairs([value(slug, 40, 100) for slug in "cab"], RATE, dict.fromkeys("abc", "target"))
    assert [(one.pilot, one.other) for one in found] == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(("hits", "other"), [(12, 3), (3, 12), (97, 80), (80, 97)])
def test_an_order_is_as_probable_as_the_interval_keeps_away_from_none(hits: int, other: int) -> None:
    """So that P is 0.975 exactly where the interval ends at no difference, on the side that matters."""
    found = only(value("a", hits, 100), value("b", other, 100))
    gap, lower, upper = found.difference.value or 0, found.difference.lower or 0, found.difference.upper or 0
    near = gap - lower if gap > 0 else upper - gap
    assert found.higher == pytest.approx(NormalDist().cdf(1.959963984540054 * gap / near))
