"""Targets against what was measured: windows, verdicts, their intervals, and what cannot be told."""

from datetime import date, timedelta
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from config.catalogue import Target
from pipeline.findings import Figure, Verdict
from pipeline.impact import Span, change_of, judged, standard_error, verdict
from pipeline.values import IndicatorValue

MONDAY = date(2025, 1, 6)


def weeks(values: list[float | None], status: str = "ok", since: date = MONDAY) -> list[IndicatorValue]:
    """Weekly values in a row; None is a week whose feeds were poor."""
    return [
        IndicatorValue(
            pilot="test",
            indicator="core-actions",
            version=1,
            period="week",
            start=(since + timedelta(weeks=n)).isoformat(),
            end=(since + timedelta(weeks=n, days=6)).isoformat(),
            value=value,
            status=status if value is not None else "feed_poor",
        )
        for n, value in enumerate(values)
    ]


def target(declared: date, direction: str = "up", by: date = date(2025, 12, 31), value: float | None = None) -> Target:
    return Target.model_validate(
        {"indicator": "core-actions", "direction": direction, "declared": declared, "by": by, "value": value}
    )


def week(n: int) -> date:
    return MONDAY + timedelta(weeks=n)


def judge(wanted: Target, values: list[IndicatorValue]) -> Verdict:
    return verdict("test", wanted, values, "Core actions")


def noisy(level: float, n: int, seed: int = 1) -> list[float | None]:
    return [float(x) for x in level * (1 + 0.05 * np.random.default_rng(seed).normal(size=n))]


def test_the_twelve_weeks_before_it_was_declared_meet_the_last_twelve() -> None:
    values = [1.0] * 5 + noisy(100, 12) + noisy(160, 20, 2)
    found = judge(target(week(17)), weeks(values))
    assert found.baseline_days == (week(5).isoformat(), (week(17) - timedelta(days=1)).isoformat())
    assert found.reached_days == (week(25).isoformat(), (week(37) - timedelta(days=1)).isoformat())
    assert found.baseline.value == pytest.approx(sum(v for v in values[5:17] if v) / 12)
    assert found.reached.value == pytest.approx(sum(v for v in values[25:37] if v) / 12)
    assert found.change.value == pytest.approx((found.reached.value or 0) / (found.baseline.value or 1))
    assert (found.verdict, found.change.unit) == ("as_intended", "ratio")
    assert found.sentence.startswith("Core actions moved as intended: 101 a week before, ")
    assert "it was declared when 17 weeks had been measured" in found.sentence


def test_a_target_within_a_week_leaves_that_week_out_of_both_windows() -> None:
    found = judge(target(week(12) + timedelta(days=2)), weeks([100.0] * 40))
    assert found.baseline_days == (week(0).isoformat(), (week(12) - timedelta(days=1)).isoformat())
    short = judge(target(week(12) + timedelta(days=2)), weeks([100.0] * 12 + [900.0] + noisy(100, 8)))
    assert short.reached_days is not None
    assert short.reached_days[0] == week(13).isoformat()
    assert short.reached.n == 8


@pytest.mark.parametrize("into_the_week", [0, 3, 6])
def test_what_comes_after_its_date_does_not_count(into_the_week: int) -> None:
    """Nor does a week that its date lies in, before that week's last day."""
    last = week(30) - timedelta(days=1)
    by = last + timedelta(days=into_the_week)
    values = noisy(100, 12) + noisy(100, 18, 2) + noisy(300, 10, 3)
    found = judge(target(week(12), by=by), weeks(values))
    assert found.reached_days == (week(18).isoformat(), last.isoformat())
    assert found.verdict != "as_intended"
    assert "so far" not in found.sentence


def test_before_its_date_it_is_so_far() -> None:
    assert "this is so far, as the target runs to 2025-12-31" in judge(target(week(12)), weeks([9.0] * 30)).sentence


@pytest.mark.parametrize(
    ("direction", "levels", "expected"),
    [
        ("up", (100, 150), "as_intended"),
        ("down", (100, 150), "not_as_intended"),
        ("down", (150, 100), "as_intended"),
        ("up", (150, 100), "not_as_intended"),
        ("up", (100, 100), "not_as_intended"),  # a tenth can be ruled out
    ],
)
def test_a_clear_change_is_as_intended_or_not(direction: str, levels: tuple[int, int], expected: str) -> None:
    values = weeks(noisy(levels[0], 12) + noisy(levels[1], 20, 2))
    assert judge(target(week(12), direction), values).verdict == expected


def test_a_change_that_chance_explains_cannot_be_told() -> None:
    rng = np.random.default_rng(3)
    found = judge(target(week(12)), weeks([float(x) for x in rng.gamma(2, 50, 40)]))
    assert (found.verdict, found.change.status) == ("cannot_tell", "ok")
    assert "may or may not have moved as intended" in found.sentence


@pytest.mark.parametrize(
    ("low", "high", "unit", "direction", "expected"),
    [
        (1.01, 1.05, "ratio", "up", "as_intended"),
        (0.95, 1.09, "ratio", "up", "not_as_intended"),
        (0.95, 1.11, "ratio", "up", "cannot_tell"),
        (0.92, 1.05, "ratio", "down", "not_as_intended"),
        (0.90, 1.05, "ratio", "down", "cannot_tell"),
        (0.90, 0.99, "ratio", "down", "as_intended"),
        (-3.0, -1.0, "difference", "down", "as_intended"),
        (-3.0, -1.0, "difference", "up", "not_as_intended"),
        (-3.0, 1.0, "difference", "up", "cannot_tell"),
    ],
)
def test_the_verdict_is_what_the_interval_allows(low, high, unit, direction, expected) -> None:
    assert judged(Figure(value=(low + high) / 2, lower=low, upper=high, unit=unit), direction) == expected


def test_too_few_usable_weeks_say_why() -> None:
    found = judge(target(week(7)), weeks([100.0] * 40))
    assert (found.verdict, found.change.value, found.achieved) == ("cannot_tell", None, None)
    expected = "Cannot tell: only 7 usable weeks before it was declared on 2025-02-24; at least 8 of 12 are needed."
    assert found.sentence == expected
    assert judge(target(week(8)), weeks([100.0] * 40)).change.value is not None
    poor = judge(target(week(12)), weeks([100.0] * 12 + [None] * 13 + [100.0] * 7))
    assert poor.sentence.startswith("Cannot tell: only 7 usable weeks since it was declared")
    assert judge(target(week(12)), []).sentence == "Cannot tell: nothing was measured."
    assert judge(target(date(2027, 1, 4), by=date(2027, 12, 31)), weeks([100.0] * 40)).verdict == "cannot_tell"


def test_weeks_that_are_not_over_are_in_no_window() -> None:
    values = weeks(noisy(100, 12) + noisy(150, 12, 2)) + weeks([1.0], "incomplete", week(24))
    found = judge(target(week(12)), values)
    assert found.reached_days == (week(12).isoformat(), (week(24) - timedelta(days=1)).isoformat())


def test_a_target_from_before_the_first_data_is_judged_from_the_first_weeks_on() -> None:
    found = judge(target(MONDAY - timedelta(days=30)), weeks(noisy(100, 12) + noisy(150, 12, 2)))
    assert found.baseline_days == (week(0).isoformat(), (week(12) - timedelta(days=1)).isoformat())
    assert found.verdict == "as_intended"
    assert "had been measured" not in found.sentence


@pytest.mark.parametrize(
    ("direction", "value", "achieved"),
    [("up", 120, True), ("up", 190, False), ("up", 150, None), ("down", 190, True), ("down", 120, False)],
)
def test_a_target_is_reached_missed_or_neither_can_be_told(direction: str, value: float, achieved: bool | None) -> None:
    values = weeks(noisy(100, 12) + noisy(150, 12, 2))
    assert judge(target(week(12), direction, value=value), values).achieved is achieved


def test_from_nothing_the_change_is_a_difference() -> None:
    found = judge(target(week(12)), weeks([0.0] * 12 + noisy(40, 12)))
    assert found.change.unit == "difference"
    assert found.change.value == pytest.approx(found.reached.value)
    assert found.verdict == "as_intended"


def test_the_standard_error_is_that_of_the_definition() -> None:
    """By plain loops: common variance, correlation of neighbours raised for its bias, inflation of both means."""
    one, other = [3.0, 5, 4, 6, 7, 5, 4, 6], [9.0, 8, 9, 11, 12, 10, 9, 8, 9]
    centred = [[x - sum(s) / len(s) for x in s] for s in (one, other)]
    squares = sum(x * x for s in centred for x in s)
    rho = sum(s[i] * s[i + 1] for s in centred for i in range(len(s) - 1)) / squares
    rho = min(0.9, max(0.0, rho + (1 + 4 * max(rho, 0)) / 8.5 + 0.1))
    inflation = [1 + 2 * sum((1 - lag / n) * rho**lag for lag in range(1, n)) for n in (8, 9)]
    variance = squares / ((8 - inflation[0]) + (9 - inflation[1]))
    error, freedom = standard_error([span(one), span(other)])
    assert error == pytest.approx(sqrt(variance * (inflation[0] / 8 + inflation[1] / 9)))
    assert freedom == pytest.approx(max(1, 8 / inflation[0] + 9 / inflation[1] - 2))


def span(values: list[float], gap: int | None = None) -> Span:
    days = [7 * n + (7 if gap is not None and n >= gap else 0) for n in range(len(values))]
    return Span("", "", tuple(zip(days, values, strict=True)))


def test_weeks_with_a_gap_between_are_no_neighbours() -> None:
    alike = [3.0, 5, 4, 6, 7, 5, 4, 6, 2, 3, 6, 5]
    assert standard_error([span(alike, gap=6)])[0] != standard_error([span(alike)])[0]


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_the_interval_of_a_change_holds_for_weeks_that_are_alike(rho: float) -> None:
    """800 draws; two standard errors are 1.6 points, and the long form is in tests/coverage."""
    rng = np.random.default_rng(17)
    hits = 0
    for _ in range(800):
        noise = stats.norm.rvs(size=28, random_state=rng)
        for n in range(1, 28):
            noise[n] = rho * noise[n - 1] + sqrt(1 - rho**2) * noise[n]
        level = np.repeat([100.0, 130.0], 14) * (1 + 0.1 * noise)
        found = change_of(span(list(level[:12])), span(list(level[16:])))
        hits += (found.lower or 0) <= 1.3 <= (found.upper or 0)
    assert 0.92 <= hits / 800 <= 0.985
