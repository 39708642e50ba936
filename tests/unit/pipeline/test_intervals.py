"""Intervals against published answers, another implementation, and what must hold of any."""

import random

import numpy as np
import pytest
from scipy import stats

from pipeline.indicators.intervals import clustered_wilson, kaplan_meier, life_table, survival_quantile, wilson
from pipeline.indicators.resampling import (
    bootstrap,
    bootstrap_quantile,
    bootstrap_t,
    gini,
    gini_with_error,
    lasting,
    mean,
    mean_with_error,
    ratio,
)

# Weeks of remission under 6-MP (Freireich 1963): those that ended, and those of patients still in remission.
ENDED, CENSORED = (6, 6, 6, 7, 10, 13, 16, 22, 23), (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
SKEWED = np.random.default_rng(4).gamma(1.5, 10, 40).round()


def test_survival_of_the_textbook_patients() -> None:
    steps = kaplan_meier([*ENDED, *CENSORED], [True] * len(ENDED) + [False] * len(CENSORED))
    assert [round(one.share, 3) for one in steps] == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert (steps[0].lower, steps[0].upper) == pytest.approx(wilson(18, 21))  # nobody was censored before week 6
    error, share = 0.1346, steps[-1].share  # Greenwood's standard error at week 23, as published
    effective = share * (1 - share) / error**2
    assert (steps[-1].lower, steps[-1].upper) == pytest.approx(wilson(share * effective, effective), abs=2e-4)
    assert survival_quantile(steps, 0.5) == 23
    assert survival_quantile(steps, 0.9) is None


def test_a_life_table_without_censoring_is_a_share_and_ends_with_its_last_person() -> None:
    steps = life_table([40, 30, 12], [10, 18, 12])
    assert [one.share for one in steps] == pytest.approx([0.75, 0.3, 0.0])
    assert (steps[2].lower, steps[2].upper) == pytest.approx(wilson(0, 40))
    assert len(life_table([5, 0, 0], [5, 0, 0])) == 1


def test_trials_of_one_actor_count_less_than_those_of_many() -> None:
    each = clustered_wilson([1, 0] * 30, [1] * 60)
    few = clustered_wilson([10, 0] * 3, [10] * 6)
    plain = wilson(30, 60)
    assert each is not None
    assert few is not None
    assert few[0] < each[0] < plain[0] < 0.5 < plain[1] < each[1] < few[1]
    assert few[0] < wilson(3, 6)[0]  # as six trials, and less for the few degrees of freedom
    assert each == pytest.approx(plain, abs=0.005)  # only what the t distribution of 59 degrees adds


def test_all_hits_of_few_actors_are_no_certainty() -> None:
    found = clustered_wilson([50, 50, 50, 50], [50, 50, 50, 50])
    assert found is not None
    assert found[0] < wilson(4, 4)[0]
    assert found[1] == 1
    assert clustered_wilson([50], [60]) is None


def test_bca_is_that_of_another_implementation() -> None:
    ours = bootstrap(SKEWED[:, np.newaxis], mean, bca=True)
    theirs = stats.bootstrap((SKEWED,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1))
    assert ours == pytest.approx(tuple(theirs.confidence_interval), rel=0.04)
    percentiles = bootstrap(SKEWED[:, np.newaxis], mean)
    assert percentiles is not None
    assert ours is not None
    assert ours[1] > percentiles[1]  # the long tail lies above


def test_an_interval_depends_on_the_data_and_on_no_order() -> None:
    lines = np.column_stack([SKEWED, np.ones(len(SKEWED))])
    shuffled = np.random.default_rng(9).permutation(lines)
    assert bootstrap(lines, ratio) == bootstrap(shuffled, ratio)
    assert bootstrap(lines[:-1], ratio) != bootstrap(lines, ratio)
    groups = [[(float(value), True), (value + 1.0, False)] for value in SKEWED]
    turned = [group[::-1] for group in groups]
    random.Random(2).shuffle(turned)
    assert bootstrap_quantile(groups, 0.5) == bootstrap_quantile(turned, 0.5)


def test_actors_who_are_all_alike_give_no_interval() -> None:
    assert bootstrap([[3.0]] * 20, mean) is None
    assert bootstrap([[3.0]], mean) is None
    assert bootstrap_quantile([[(3.0, True)]], 0.5) is None


def test_one_actors_events_are_drawn_together() -> None:
    rng = np.random.default_rng(3)
    level = rng.normal(50, 20, 20)
    groups = [[(float(one + noise), True) for noise in rng.normal(0, 1, 10)] for one in level]
    alone = [[one] for group in groups for one in group]
    together, apart = bootstrap_quantile(groups, 0.5), bootstrap_quantile(alone, 0.5)
    assert together is not None
    assert apart is not None
    assert together[1] - together[0] > 2 * (apart[1] - apart[0])


def test_a_ratio_whose_lower_part_may_vanish_has_an_open_end() -> None:
    found = bootstrap([[1, 0]] * 10 + [[0, 1]] * 2, ratio)
    assert found is not None
    assert found[1] == np.inf
    assert bootstrap([[0, 0]] * 99 + [[1, 0]], ratio) is None  # has no sense in most resamples


def test_gini_is_the_mean_difference_of_all_pairs() -> None:
    x = [1.0, 1.0, 2.0, 7.0]
    pairs = sum(abs(a - b) for a in x for b in x) / (4 * 3)
    lines = np.array([[1.0], [2.0], [7.0]])
    assert gini(np.array([[2.0, 1.0, 1.0]]), lines)[0] == pytest.approx(pairs / (2 * sum(x) / 4))
    assert gini(np.array([[4.0, 0.0, 0.0]]), lines)[0] == pytest.approx(0)


def test_standard_errors_are_those_of_leaving_one_out() -> None:
    lines, times = np.unique(SKEWED, return_counts=True)
    weights, column = times[np.newaxis].astype(float), lines[:, np.newaxis]
    for figure, share in ((mean_with_error, 0.01), (gini_with_error, 0.06)):
        value, error = (float(one[0]) for one in figure(weights, column))
        each = [float(figure(weights - row, column)[0][0]) for row in np.eye(len(lines))]
        n = times.sum()
        jackknife = np.sqrt(
            (n - 1) / n * float((times * (np.array(each) - np.average(each, weights=times)) ** 2).sum())
        )
        assert error == pytest.approx(jackknife, rel=share)
        found = bootstrap_t(SKEWED[:, np.newaxis], figure)
        assert found is not None
        assert value - 4 * error < found[0] < value < found[1] < value + 4 * error


def test_weighted_survival_is_that_of_repeated_data() -> None:
    times, ended = np.array([1.0, 2.0, 2.0, 5.0]), np.array([True, True, False, True])
    weights = np.array([[1.0, 1, 1, 1], [0, 0, 0, 4], [3, 0, 1, 0], [0, 0, 4, 0]])
    for line, found in zip(weights, lasting(weights, ended), strict=True):
        data = [(t, bool(e)) for t, e, n in zip(times, ended, line, strict=True) for _ in range(int(n))]
        steps = {one.time: one.share for one in kaplan_meier([t for t, _ in data], [e for _, e in data])}
        for at, share in zip(times, found, strict=True):
            known = [steps[time] for time in steps if time <= at]
            assert share == pytest.approx(known[-1] if known else 1.0)


def test_the_interval_of_a_median_is_about_that_of_the_binomial() -> None:
    values = [float(one) for one in range(1, 101)]
    found = bootstrap_quantile([[(one, True)] for one in values], 0.5)
    assert found == pytest.approx((40, 61), abs=1.5)  # ranks of the sign test
    assert bootstrap_quantile([[(one, one < 95)] for one in values], 0.9)[1] == np.inf  # type: ignore[index]
    assert bootstrap_quantile([[(one, one < 80)] for one in values], 0.9) is None
