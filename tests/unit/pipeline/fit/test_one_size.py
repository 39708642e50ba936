"""Does one size fit all: the level, the power, and words that claim no more than the data allow."""

import itertools
import random
from datetime import timedelta
from math import log

import numpy as np
import pytest
from scipy import stats

from pipeline.findings import OneSize
from pipeline.fit.activities import Gathered, HeldActivity
from pipeline.fit.interaction import comparable, interaction
from pipeline.fit.one_size import all_beaten, holm, one_size
from tests.coverage.one_size import SCENARIOS, _row, allowed
from tests.unit.pipeline.fit.making import FIRST


def pilots(table: dict[tuple[str, str], list[int]]) -> list[Gathered]:
    """Pilots whose activities had these attendances."""
    found = []
    for slug in sorted({pilot for pilot, _ in table}):
        held = [
            HeldActivity(id=f"{method}{n}", day=(FIRST + timedelta(days=n)).toordinal(), method=method, attendance=come)
            for (pilot, method), counts in table.items()
            if pilot == slug
            for n, come in enumerate(counts)
        ]
        found.append(Gathered(pilot=slug, activities=held, reports=frozenset()))
    return found


def attendance(table: dict[tuple[str, str], list[int]]) -> OneSize:
    [found] = [one for one in one_size(pilots(table)) if one.figure == "attendance"]
    return found


def drawn(means: dict[tuple[str, str], float], n: int = 8, seed: int = 4) -> dict[tuple[str, str], list[int]]:
    rng = np.random.default_rng(seed)
    return {key: [int(count) for count in rng.poisson(mean, n)] for key, mean in means.items()}


def test_methods_that_turn_their_order_are_told_so() -> None:
    found = attendance(drawn({("a", "x"): 30, ("a", "y"): 12, ("b", "x"): 12, ("b", "y"): 30}))
    assert found.p_value is not None
    assert found.p_value < 0.01
    assert found.sentence.startswith("How methods do in attendance depends on the pilot (p = 0.0")
    assert found.sentence.endswith("No method is best in all pilots that were compared.")
    assert (found.pilots, found.methods, found.activities) == (["a", "b"], ["x", "y"], 32)


def test_an_interaction_with_the_same_best_everywhere_does_not_say_that_none_is() -> None:
    found = attendance(drawn({("a", "x"): 60, ("a", "y"): 10, ("b", "x"): 30, ("b", "y"): 25}))
    assert found.p_value is not None
    assert found.p_value < 0.05
    assert found.sentence.endswith("whether one of them is best in all pilots stays open.")
    assert "No method" not in found.sentence


def test_the_same_factor_everywhere_is_no_difference_between_pilots() -> None:
    found = attendance(drawn({("a", "x"): 40, ("a", "y"): 20, ("b", "x"): 20, ("b", "y"): 10}))
    assert found.p_value is not None
    assert found.p_value > 0.05
    assert found.sentence.startswith("The data do not show that methods differ between pilots in attendance")
    assert found.sentence.endswith("that is no proof that one size fits all.")


@pytest.mark.parametrize(
    "table",
    [
        {("a", "x"): [9, 8, 7, 9], ("b", "y"): [3, 4, 5, 6]},
        {("a", "x"): [9, 8, 7], ("a", "y"): [1, 2, 3], ("b", "x"): [1, 2, 3], ("b", "y"): [9, 8]},
        {("a", "x"): [9, 8, 7], ("a", "y"): [1, 2, 3]},
        {("a", "x"): [9, 9, 9], ("a", "y"): [1, 1, 1], ("b", "x"): [1, 1, 1], ("b", "y"): [9, 9, 9]},
    ],
)
def test_without_two_methods_that_two_pilots_used_thrice_nothing_is_said(table) -> None:
    found = attendance(table)
    assert (found.p_value, found.statistic, found.status) == (None, None, "insufficient_n")
    varies = any(len(set(counts)) > 1 for counts in table.values())
    assert ("does not vary" in found.sentence) is not varies
    assert found.sentence.startswith("Whether one size fits all cannot be said of attendance: ")


def test_only_what_can_be_compared_enters() -> None:
    cells = {("a", "x"): [1.0, 2, 3], ("a", "y"): [1.0, 2, 3], ("b", "x"): [1.0, 2, 3], ("b", "y"): [1.0, 2, 3]}
    alone = {("a", "only-a"): [1.0, 2, 3], ("c", "x"): [1.0, 2, 3], ("d", "z"): [1.0, 2, 3], ("b", "few"): [1.0, 2]}
    assert comparable({**cells, **alone}) == cells


def test_the_order_of_activities_makes_no_difference() -> None:
    table = drawn({(pilot, method): 20 for pilot in "abc" for method in "xyz"}, 5)
    mixed = {key: random.Random(3).sample(table[key], 5) for key in reversed(table)}
    assert attendance(mixed) == attendance(table)


def test_the_statistic_of_two_by_two_is_the_squared_contrast_over_its_variance() -> None:
    """With four cells the additive model misses by one contrast; by hand: its square over the sum of variances."""
    table = drawn({("a", "x"): 30, ("a", "y"): 12, ("b", "x"): 25, ("b", "y"): 30}, 6)
    cells = {key: [log(come + 0.5) for come in counts] for key, counts in table.items()}
    means = {key: sum(values) / 6 for key, values in cells.items()}
    squares = {key: sum((value - means[key]) ** 2 for value in values) for key, values in cells.items()}
    common = sum(squares.values()) / (24 - 4)
    variances = [(squares[key] + 4 * common) / (6 - 1 + 4) / 6 for key in cells]
    contrast = means["a", "x"] - means["a", "y"] - means["b", "x"] + means["b", "y"]
    found = interaction(comparable(cells))
    assert found is not None
    assert found.statistic == pytest.approx(contrast**2 / sum(variances))


def test_p_values_are_those_of_all_arrangements_when_they_are_few() -> None:
    """Two pilots, two methods, three activities: all sign patterns and all within-pilot orders by plain loops."""
    cells = {
        ("a", "x"): [1.0, 2.0, 4.0],
        ("a", "y"): [3.0, 3.5, 5.0],
        ("b", "x"): [2.0, 2.5, 6.0],
        ("b", "y"): [1.0, 1.5, 2],
    }
    order, values = list(cells), [value for one in cells.values() for value in one]
    means = [sum(one) / 3 for one in cells.values()]
    grand, contrast = sum(means) / 4, (means[0] - means[1] - means[2] + means[3]) / 4
    additive = [mean - sign * contrast for mean, sign in zip(means, (1, -1, -1, 1), strict=True)]
    even = [(value - additive[n // 3]) for n, value in enumerate(values)]  # leverages are equal, so scale is common
    even = [value / (1 - 3 / 12) ** 0.5 for value in even]

    def statistic(sample) -> float:
        parts = [sample[3 * n : 3 * n + 3] for n in range(4)]
        centre = [sum(part) / 3 for part in parts]
        squares = [sum((value - centre[n]) ** 2 for value in part) for n, part in enumerate(parts)]
        variances = [(one + 4 * sum(squares) / 8) / 6 / 3 for one in squares]
        return (centre[0] - centre[1] - centre[2] + centre[3]) ** 2 / sum(variances)

    assert grand == pytest.approx(sum(values) / 12)
    assert order == sorted(order)
    observed = statistic(values)
    signs = [
        statistic([s * v for s, v in zip(one, even, strict=True)]) for one in itertools.product((1, -1), repeat=12)
    ]
    exact = sum(one >= observed * (1 - 1e-9) for one in signs) / len(signs)
    found = interaction(cells, 4_000)
    assert found is not None
    assert found.by_signs == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 4_000) ** 0.5 + 1e-3)
    halves = [list(itertools.permutations(even[:6])), list(itertools.permutations(even[6:]))]
    rng = random.Random(1)
    orders = [statistic([*rng.choice(halves[0]), *rng.choice(halves[1])]) for _ in range(4_000)]
    about = sum(one >= observed * (1 - 1e-9) for one in orders) / len(orders)
    assert found.by_labels == pytest.approx(about, abs=0.03)
    assert found.p_value == max(found.by_labels, found.by_signs)


def test_every_method_must_be_beaten_somewhere_with_all_pairs_counted() -> None:
    high, low = [3.0, 3.1, 3.2, 2.9], [2.0, 2.1, 1.9, 2.2]
    assert all_beaten({("a", "x"): high, ("a", "y"): low, ("b", "x"): low, ("b", "y"): high})
    assert not all_beaten({("a", "x"): high, ("a", "y"): low, ("b", "x"): high, ("b", "y"): low})
    # x loses once, with p between 5 % and 5 % over its two rivals
    close = [2.55, 2.75, 3.05, 2.65]
    p = stats.ttest_ind(high, close, equal_var=False, alternative="greater").pvalue
    assert 0.025 < p < 0.05
    assert not all_beaten({("a", "x"): close, ("a", "y"): high, ("b", "x"): high, ("b", "y"): low})


def test_p_values_of_several_figures_are_corrected() -> None:
    assert holm([0.02, 0.01, None, 0.04]) == [0.04, 0.03, None, 0.04]
    assert holm([0.6, 0.9]) == [1.0, 1.0]


def test_the_level_holds_where_nothing_differs_between_pilots() -> None:
    """The short form of `tests/coverage/one_size.py`."""
    for scenario in (SCENARIOS[2], SCENARIOS[8]):
        row = _row(scenario, 200, 99)
        assert row["rejected"] <= allowed(200), row
    turning = _row(SCENARIOS[10], 40, 99)
    assert turning["rejected"] > 0.6
