"""Evidence is the likelihood ratio it claims to be; bands hold what they say."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.alerts.evidence import band, band_of_window, gain, of_partial_day, step


@pytest.mark.parametrize("count", [0, 3, 17])
@pytest.mark.parametrize(("phi", "se"), [(3.0, 0.0), (1.4, 0.2)])
def test_a_days_gain_is_the_log_likelihood_ratio(count: int, phi: float, se: float) -> None:
    mean, k = 12.0, 0.5
    size = mean / (phi + mean * se**2 - 1)
    low, usual = (stats.nbinom.logpmf(count, size, size / (size + level)) for level in (k * mean, mean))
    found = gain(np.array(float(count)), np.array(mean), np.array(se), np.array(phi), k)
    assert float(found) == pytest.approx(low - usual)


def test_near_poisson_the_gain_is_the_known_form() -> None:
    found = gain(np.array(4.0), np.array(10.0), np.array(0.0), np.array(1.0), 0.5)
    assert float(found) == pytest.approx(4 * math.log(0.5) + 0.5 * 10, rel=1e-3)


def test_a_partial_day_thins_mean_and_dispersion_as_binomial_loss_does() -> None:
    rng = np.random.default_rng(3)
    whole = rng.negative_binomial(10.0, 1 / 3, 200_000)  # mean 20, variance over mean 3
    kept = rng.binomial(whole, 0.6)
    mean, phi = of_partial_day(np.array(20.0), np.array(3.0), np.array(0.6))
    assert kept.mean() == pytest.approx(float(mean), rel=0.01)
    assert kept.var() / kept.mean() == pytest.approx(float(phi), rel=0.02)


def test_evidence_stays_between_zero_and_its_ceiling() -> None:
    assert step(np.array([1.0, 7.0, 2.0]), np.array([-3.0, 2.0, 0.5]), 8.0).tolist() == [0.0, 8.0, 2.5]


def test_the_band_of_a_day_holds_nine_in_ten() -> None:
    rng = np.random.default_rng(5)
    low, high = band(np.array(30.0), np.array(0.0), np.array(2.0))
    drawn = rng.negative_binomial(30.0, 0.5, 100_000)
    assert 0.89 < np.mean((drawn >= low) & (drawn <= high)) < 0.93


def test_the_band_of_a_window_counts_days_apart_and_the_expectations_error_once() -> None:
    expected, se, phi = np.full(9, 9.0), np.full(9, 0.05), np.full(9, 1.5)
    low, high = band_of_window(expected, se, phi)
    half = 1.645 * math.sqrt(1.5 * 81 + (81 * 0.05) ** 2)
    assert (low, high) == (pytest.approx(81 - half, abs=2), pytest.approx(81 + half, abs=2))


def test_there_is_no_band_before_there_is_an_expectation() -> None:
    assert all(np.isnan(side[0]) for side in band(np.array([np.nan]), np.array([np.nan]), np.array([np.nan])))
