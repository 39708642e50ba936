"""The expectation agrees with statsmodels, and reads what it says it reads."""

import numpy as np
import pytest

from pipeline.alerts.baseline import Learner
from pipeline.alerts.expectation import Baseline, decay, fit, fit_season, fit_week, harmonic

sm = pytest.importorskip(
    "statsmodels.api", reason="statsmodels is the oracle; pip install statsmodels", exc_type=ImportError
)

PLAIN = Baseline()
WEEKDAY = np.arange(182) % 7


def drawn(seed: int, mean: float, days: int = 182) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    counts = rng.negative_binomial(mean / 2, 1 / 3, (3, days)).astype(float)
    weights = np.where(rng.random((3, days)) < 0.9, np.resize(decay(PLAIN), days), 0.0)
    return counts, weights, rng.uniform(0.5, 1.0, (3, days))


def oracle(counts: np.ndarray, weights: np.ndarray, design: np.ndarray, offset: np.ndarray):
    model = sm.GLM(counts, design, family=sm.families.Poisson(), freq_weights=weights, offset=offset)
    return model.fit(tol=1e-12)


@pytest.mark.parametrize("mean", [0.6, 4.0, 60.0])
def test_the_weekly_fit_agrees_with_statsmodels(mean: float) -> None:
    counts, weights, season = drawn(7, mean)
    found = fit_week(counts, weights, season, WEEKDAY, PLAIN)
    design = np.column_stack([np.ones(182), np.eye(7)[WEEKDAY][:, 1:]])
    rows = np.column_stack([np.ones(7), np.eye(7)[:, 1:]])
    for one in range(3):
        other = oracle(counts[one], weights[one], design, np.log(season[one]))
        assert found.log_mean[one] == pytest.approx(rows @ other.params, abs=0.02 if mean < 1 else 2e-3)  # ridge
        unscaled = np.sqrt(np.einsum("ij,jk,ik->i", rows, other.normalized_cov_params, rows))
        assert found.se[one] / np.sqrt(found.phi[one]) == pytest.approx(unscaled, rel=0.02 if mean < 1 else 2e-3)
        pearson = np.sum(weights[one] * (counts[one] - other.mu) ** 2 / other.mu)
        used = weights[one][weights[one] > 0]
        free = max(len(used) - 7, 5) / len(used)
        assert found.phi[one] == pytest.approx(max(1.0, pearson / (free * used.sum())), rel=1e-3)


def test_without_ridge_the_coefficients_agree_to_five_places() -> None:
    counts, weights, season = drawn(8, 12.0)
    bare = Baseline(ridge=1e-12, ridge_level=1e-12)
    found = fit_week(counts, weights, season, WEEKDAY, bare)
    design = np.column_stack([np.ones(182), np.eye(7)[WEEKDAY][:, 1:]])
    other = oracle(counts[0], weights[0], design, np.log(season[0]))
    assert np.diff(found.log_mean[0], prepend=0)[0] == pytest.approx(other.params[0], abs=1e-5)
    assert found.log_mean[0, 1:] - found.log_mean[0, 0] == pytest.approx(other.params[1:], abs=1e-5)


def test_the_fit_on_any_design_agrees_with_statsmodels_and_with_the_weekly_one() -> None:
    counts, weights, season = drawn(9, 12.0)
    design = np.column_stack([np.ones(182), np.eye(7)[WEEKDAY][:, 1:]])
    ridge = np.array([1e-8] + [1e-3] * 6)
    found = fit(counts, weights, design, ridge)
    other = oracle(counts[0], weights[0], design, np.zeros(182))
    assert found.coefficients[0] == pytest.approx(other.params, abs=1e-4)
    se = np.sqrt(np.diag(found.covariance[0]) / found.phi[0])
    assert se == pytest.approx(np.sqrt(np.diag(other.normalized_cov_params)), rel=1e-3)
    weekly = fit_week(counts, weights, np.ones_like(season), WEEKDAY, PLAIN)
    rows = np.column_stack([np.ones(7), np.eye(7)[:, 1:]])
    assert weekly.log_mean == pytest.approx(found.coefficients @ rows.T, abs=1e-8)
    assert weekly.phi == pytest.approx(found.phi, abs=1e-8)
    assert weekly.se**2 == pytest.approx(np.einsum("ij,sjk,ik->si", rows, found.covariance, rows), rel=1e-6)


def test_a_season_is_found_beside_growth_and_growth_is_not_taken_for_one() -> None:
    days = np.arange(500)
    season = 0.4 * harmonic(days)[:, 1]
    rng = np.random.default_rng(4)
    counts = rng.poisson(np.exp(3.0 + np.stack([season, 0.002 * days]))).astype(float)
    found = fit_season(counts, np.ones_like(counts), days, days % 7)
    se = np.sqrt(found.covariance[:, [0, 1], [0, 1]])
    assert np.all(np.abs(found.coefficients - [[0.0, 0.4], [0.0, 0.0]]) < 4 * se)
    assert np.all(se < 0.03)


def test_a_series_of_zeros_is_expected_to_be_near_zero() -> None:
    zeros = np.zeros((1, 182))
    found = fit_week(zeros, np.ones_like(zeros), np.ones_like(zeros), WEEKDAY, PLAIN)
    assert np.all(np.exp(found.log_mean) < 0.001)
    assert np.all(np.isfinite(found.se))


def test_a_weekday_that_is_never_used_does_not_spoil_the_others() -> None:
    counts, weights, season = drawn(10, 20.0)
    weights[:, WEEKDAY == 0] = 0.0
    found = fit_week(counts, weights, np.ones_like(season), WEEKDAY, PLAIN)
    other = (weights * counts)[:, WEEKDAY == 3].sum(axis=1) / weights[:, WEEKDAY == 3].sum(axis=1)
    assert np.exp(found.log_mean[:, 3]) == pytest.approx(other, rel=1e-3)


def test_the_level_follows_the_last_weeks_as_far_as_their_events_bear_it() -> None:
    """A year's wave in large counts is followed; a handful of events say little of a new level."""
    days = np.arange(200)
    wave = 200 * (1 + 0.2 * np.sin(2 * np.pi * days / 365))
    counts = np.stack([wave, (days % 2) * np.where(days < 165, 1.0, 2.0)])
    found = []
    for plan in (PLAIN, Baseline(level_spread=1e-6)):
        learner = Learner(counts, np.ones_like(counts, dtype=bool), np.ones_like(counts), days % 7, plan)
        learner.refit(199, np.arange(2), np.zeros(2, dtype=int))
        found.append(learner.expect(199).mean)
    followed, fixed = found
    assert abs(followed[0] - wave[199]) < 0.6 * abs(fixed[0] - wave[199])
    assert 1.02 < followed[1] / fixed[1] < 1.2
