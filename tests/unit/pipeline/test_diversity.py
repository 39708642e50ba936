"""Diversity and concentration: textbook answers, bounds, and no dependence on order."""

from math import comb, exp, log
from random import Random

import numpy as np
import pytest

from pipeline.indicators.diversity import (
    effective_number,
    effective_number_log,
    effective_number_of_20,
    gini_logit,
    gini_simpson,
    interval_of_number,
    interval_of_share,
    median,
    top_tenth,
    top_tenth_logit,
    value_of,
)
from pipeline.indicators.resampling import gini


def units(*sizes: int) -> list[list[float]]:
    return [[float(group)] for group, size in enumerate(sizes) for _ in range(size)]


def test_groups_of_one_size_count_as_many_and_one_group_as_one() -> None:
    assert value_of(units(7, 7, 7, 7), effective_number) == pytest.approx(4)
    assert value_of(units(9), effective_number) == pytest.approx(1)
    assert value_of(units(30, 10), gini_simpson) == pytest.approx(1 - (30 * 29 + 10 * 9) / (40 * 39))


def test_rarefying_20_people_to_20_changes_nothing_and_more_people_are_brought_down() -> None:
    assert value_of(units(12, 8), effective_number_of_20) == pytest.approx(value_of(units(12, 8), effective_number))
    many = value_of(units(600, 300, 60, 40), effective_number_of_20)
    mean = -sum(
        comb(size, x) * comb(1000 - size, 20 - x) / comb(1000, 20) * x / 20 * log(x / 20)
        for size in (600, 300, 60, 40)
        for x in range(1, 21)
    )
    assert many == pytest.approx(exp(mean))
    assert many < value_of(units(600, 300, 60, 40), effective_number)


@pytest.mark.parametrize(("gifts", "expected"), [([1, 2, 3, 10], 2.5), ([1, 2, 2, 7, 9], 2.0), ([4], 4.0)])
def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle(gifts: list[int], expected: float) -> None:
    assert value_of([[float(gift)] for gift in gifts], median) == expected


@pytest.mark.parametrize(("n", "top"), [(10, 1), (11, 2), (20, 2), (21, 3)])
def test_the_highest_tenth_is_rounded_up_to_whole_people(n: int, top: int) -> None:
    gifts = [float(k) for k in range(1, n + 1)]
    assert value_of([[gift] for gift in gifts], top_tenth) == pytest.approx(sum(gifts[-top:]) / sum(gifts))


@pytest.mark.parametrize(("figure", "logit"), [(gini, gini_logit), (top_tenth, top_tenth_logit)])
def test_the_interval_of_a_share_keeps_within_0_and_1_and_knows_no_order(figure, logit) -> None:  # type: ignore[no-untyped-def]
    rng = Random(1)
    gifts = [[float(int(rng.lognormvariate(0.5, 1)) + 1)] for _ in range(60)]
    value, found = value_of(gifts, figure), interval_of_share(gifts, logit)
    assert found is not None
    assert 0 < found[0] < value < found[1] < 1
    rng.shuffle(gifts)
    assert interval_of_share(gifts, logit) == found
    assert interval_of_share([[2.0]] * 30, logit) is None


def test_the_error_of_the_gini_is_that_of_leaving_people_out_one_by_one() -> None:
    gifts = [1.0, 1.0, 2.0, 4.0, 9.0]
    left = [value_of([[gift] for k, gift in enumerate(gifts) if k != out], gini) for out in range(5)]
    error = (4 / 5 * sum((one - sum(left) / 5) ** 2 for one in left)) ** 0.5
    value = value_of([[gift] for gift in gifts], gini)
    logit, found = gini_logit(np.array([[2.0, 1.0, 1.0, 1.0]]), np.array([[1.0], [2.0], [4.0], [9.0]]))
    assert logit[0] == pytest.approx(log(value / (1 - value)))
    assert found[0] == pytest.approx(error / (value * (1 - value)))


def test_breadth_has_an_interval_that_holds_it() -> None:
    people = units(40, 8, 7, 5)
    found = interval_of_number(people, effective_number_log)
    assert found is not None
    assert found[0] < value_of(people, effective_number) < found[1] <= 4
