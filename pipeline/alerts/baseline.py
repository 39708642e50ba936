"""The fits in force of many series, day by day: refitted while learning, held while an incident is open."""

from dataclasses import dataclass

import numpy as np

from pipeline.alerts.expectation import (
    WEEK,
    Baseline,
    BoolArray,
    FloatArray,
    IntArray,
    decay,
    fit_season,
    fit_week,
    harmonic,
)


@dataclass(frozen=True)
class Expected:
    """Of one day, (series,) each: events, standard error of their logarithm, dispersion; NaN before any fit."""

    mean: FloatArray
    se: FloatArray
    phi: FloatArray


class Learner:
    """Learns from `counts` (series, days) where `use` holds; `refit` and `expect` are called with rising days.

    `use` may lose days as it goes (those of an incident); a fit reads days before the day alone, so days that
    are appended never change an earlier one. `exposure` is the share of a day's events that arrived, 0 to 1.
    """

    def __init__(
        self, counts: FloatArray, use: BoolArray, exposure: FloatArray, weekday: IntArray, baseline: Baseline
    ) -> None:
        self.baseline = baseline
        reach = baseline.window + baseline.guard
        self._pad = reach
        self._counts = np.pad(counts, ((0, 0), (reach, 0)))
        self._use = np.pad(use.astype(np.float64), ((0, 0), (reach, 0)))
        self._exposure = np.pad(exposure, ((0, 0), (reach, 0)), constant_values=1.0)
        first = int(weekday[0]) if len(weekday) else 0
        self._weekday = (np.arange(-reach, counts.shape[1]) + first) % WEEK
        self._angles = harmonic(np.arange(-reach, counts.shape[1]))
        self._decay = decay(baseline)
        series = len(counts)
        self._log_mean = np.full((series, WEEK), np.nan)
        self._se = np.full((series, WEEK), np.nan)
        self._phi = np.full(series, np.nan)
        self._level = np.ones(series)  # of late, over the fit's
        self.fit_day = np.full(series, -1)
        self._season = np.zeros((series, 2))
        self._season_covariance = np.zeros((series, 2, 2))
        self._centre = np.zeros((series, 2))

    def leave_out(self, row: int, start: int, end: int) -> None:
        """Days start … end−1 of a series are no longer learned from."""
        self._use[row, start + self._pad : end + self._pad] = 0.0

    def forget(self, rows: IntArray, day: int) -> None:
        """A new level begins on `day`: nothing before it counts, and there is no fit until enough days follow."""
        self._use[rows, : day + self._pad] = 0.0
        self.fit_day[rows] = -1
        self._log_mean[rows] = np.nan
        self._se[rows] = np.nan
        self._phi[rows] = np.nan
        self._level[rows] = 1.0
        self._season[rows] = 0.0
        self._season_covariance[rows] = 0.0

    def refit(self, day: int, rows: IntArray, first: IntArray) -> None:
        """New fits for `rows` as of `day`; a row with too few usable days keeps its fit. `first`: (series,)."""
        if len(rows) == 0:
            return
        plan = self.baseline
        if day >= plan.season_after and (day - plan.season_after) % plan.season_every == 0:
            self._refit_season(day, rows[day - first[rows] >= plan.season_after])
        end = day + self._pad - plan.guard
        window = slice(end - plan.window, end)
        enough = self._use[rows, window].sum(axis=1) >= plan.least_days
        rows = rows[enough]
        if len(rows) == 0:
            return
        angles = self._angles[window]
        weights = self._use[rows, window] * self._decay
        season = np.exp(self._season[rows] @ angles.T) * self._exposure[rows, window]
        found = fit_week(self._counts[rows, window], weights, season, self._weekday[window], plan)
        self._log_mean[rows], self._se[rows], self._phi[rows] = found.log_mean, found.se, found.phi
        self._centre[rows] = (weights @ angles) / weights.sum(axis=1)[:, None]
        self._level[rows] = self._level_of(day, rows)
        self.fit_day[rows] = day

    def _level_of(self, day: int, rows: IntArray) -> FloatArray:
        """Observed over fitted in the days before the newest, drawn toward 1 where they hold few events."""
        plan, end = self.baseline, day + self._pad - self.baseline.level_guard
        window = slice(end - plan.level_days, end)
        predictor = self._log_mean[rows][:, self._weekday[window]] + self._season[rows] @ self._angles[window].T
        use = self._use[rows, window]
        fitted = (use * self._exposure[rows, window] * np.exp(predictor)).sum(axis=1)
        prior = self._phi[rows] / plan.level_spread**2
        return np.asarray(((use * self._counts[rows, window]).sum(axis=1) + prior) / (fitted + prior))

    def _refit_season(self, day: int, rows: IntArray) -> None:
        if len(rows) == 0:
            return
        end = day + self._pad - self.baseline.guard
        window = slice(max(self._pad, end - self.baseline.season_days), end)
        days = np.arange(window.start, window.stop) - self._pad
        found = fit_season(self._counts[rows, window], self._use[rows, window], days, self._weekday[window])
        self._season[rows] = found.coefficients
        self._season_covariance[rows] = found.covariance

    def expect(self, day: int) -> Expected:
        """What the fits in force say of a day. The season's error grows with the distance from what was learned."""
        column = day + self._pad
        weekday = self._weekday[column]
        away = self._angles[column] - self._centre
        season = (self._season * self._angles[column]).sum(axis=1)
        mean = self._level * np.exp(self._log_mean[:, weekday] + season)
        variance = self._se[:, weekday] ** 2 + np.einsum("si,sij,sj->s", away, self._season_covariance, away)
        return Expected(mean, np.sqrt(variance), self._phi.copy())
