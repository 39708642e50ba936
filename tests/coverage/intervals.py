"""How often the intervals of indicators hold the truth, at the least n, at 50 and at 200.

Every interval is computed by the function that the product uses. Sources of the truths: `populations`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

import numpy as np
from scipy.special import gammaincinv

from pipeline.findings import Figure
from pipeline.fit import intervals as fit
from pipeline.indicators import diversity, resampling
from pipeline.indicators.intervals import clustered_wilson, kaplan_meier, life_table, poisson, wilson
from pipeline.indicators.resampling import Statistic, bootstrap, bootstrap_quantile, bootstrap_t
from tests.coverage import populations
from tests.coverage.populations import Population

# One sample of n: does its interval hold the truth? None where the function gives no interval.
Once = Callable[[int, np.random.Generator], bool | None]
WHOLE: Final = (50, 200)


@dataclass(frozen=True)
class Subject:
    """One interval method for one kind of figure. `serves` are the indicators whose least n is meant."""

    method: str
    figure: str
    least: int
    truths: dict[str, Once]
    serves: tuple[str, ...] = ()
    sizes: tuple[int, ...] = WHOLE

    @property
    def every_n(self) -> tuple[int, ...]:
        return tuple(sorted({self.least, *(n for n in self.sizes if n > self.least)}))


def holds(interval: tuple[float, float] | None, truth: float) -> bool | None:
    return None if interval is None else interval[0] - 1e-9 <= truth <= interval[1] + 1e-9


# Shares and counts: the truth is drawn from a range, since the coverage of one exact share jumps with n.


def _share(low: float, high: float, n: int, rng: np.random.Generator) -> bool | None:
    truth = rng.uniform(low, high)
    return holds(wilson(int(rng.binomial(n, truth)), n), truth)


def _clustered(low: float, high: float, alike: float, n: int, rng: np.random.Generator) -> bool | None:
    """n actors with 1 to some trials each; `alike` is the correlation of one actor's trials."""
    truth, size = rng.uniform(low, high), (1 - alike) / alike
    trials = 1 + rng.poisson(1.5, n)
    hits = rng.binomial(trials, rng.beta(truth * size, (1 - truth) * size, n))
    return holds(clustered_wilson(hits.tolist(), trials.tolist()), truth)


def _count(n: int, rng: np.random.Generator) -> bool | None:
    """n is the expected count, varied by a fifth."""
    truth = rng.uniform(0.9 * n, 1.1 * n)
    return holds(poisson(int(rng.poisson(truth))), truth)


# Bootstraps


def _by(
    figure: resampling.Studentised, interval: Callable[..., tuple[float, float] | None] = diversity.interval_of_share
) -> Callable[..., tuple[float, float] | None]:
    """A studentised interval, called as the other intervals are."""
    return lambda units, _statistic: interval(units, figure)


def _boot(population: Population, statistic: Statistic, how: Callable[..., tuple[float, float] | None]) -> Once:
    rarefied = statistic is diversity.effective_number_of_20  # has a table as long as the population
    truth = population.figure(statistic, *([100_000] if rarefied else []))

    def once(n: int, rng: np.random.Generator) -> bool | None:
        return holds(how(population.draw(n, rng), statistic), truth)

    return once


def _growth(population: Population) -> Once:
    """n is the number who stayed away, which is what the indicator's least n counts."""
    truth, lost = population.figure(resampling.ratio), float(population.chance[1])

    def once(n: int, rng: np.random.Generator) -> bool | None:
        return holds(bootstrap(population.draw(max(2, round(n / lost)), rng), resampling.ratio), truth)

    return once


def _quantile(population: Population, share: float) -> Once:
    """People with one to three values each, none censored."""
    truth = population.quantile(share)

    def once(n: int, rng: np.random.Generator) -> bool | None:
        many = rng.integers(1, 4, n)
        values = population.draw(int(many.sum()), rng)[:, 0]
        rng.shuffle(values)
        parts = np.split(values, np.cumsum(many)[:-1])
        return holds(bootstrap_quantile([[(float(one), True) for one in part] for part in parts], share), truth)

    return once


# Survival


def _answers(mean: float, n: int, rng: np.random.Generator) -> bool | None:
    """Share not answered within 30 days, when answers take whole days and some are not followed so long."""
    times = np.ceil(rng.exponential(mean, n))
    until = rng.integers(10, 61, n)
    ended = times <= until
    steps = [one for one in kaplan_meier(np.minimum(times, until).tolist(), ended.tolist()) if one.time <= 30]
    if not steps or steps[-1].lower is None or steps[-1].upper is None:
        return None
    return holds((steps[-1].lower, steps[-1].upper), float(np.exp(-30 / mean)))


def _median_days(mean: float, n: int, rng: np.random.Generator) -> bool | None:
    """The median by where the band crosses a half, as days-to-answer takes it; followed for 60 days."""
    times = np.ceil(rng.exponential(mean, n))
    steps = kaplan_meier(np.minimum(times, 60).tolist(), (times <= 60).tolist())
    lower = next((one.time for one in steps if one.lower is not None and one.lower <= 0.5), np.inf)
    upper = next((one.time for one in steps if one.upper is not None and one.upper <= 0.5), np.inf)
    return holds((lower, upper), float(np.ceil(mean * np.log(2))))


def _churn(weekly: float, n: int, rng: np.random.Generator) -> bool | None:
    """Share still there after 4 weeks; a tenth of those left are followed no longer after each week."""
    at_risk, lost, left = [], [], n
    for _ in range(4):
        gone = int(rng.binomial(left, weekly))
        at_risk.append(left)
        lost.append(gone)
        left -= gone + int(rng.binomial(left - gone, 0.1))
        if left == 0:
            break
    last = life_table(at_risk, lost)[-1]
    if last.lower is None or last.upper is None:
        return None
    return holds((last.lower, last.upper), (1 - weekly) ** 4)


# Over activities (method fit): n is the number of activities.


def _between(figure: Figure) -> tuple[float, float] | None:
    return None if figure.lower is None or figure.upper is None else (figure.lower, figure.upper)


def _attendance(shape: float, n: int, rng: np.random.Generator) -> bool | None:
    """Median attendance of activities; the truth is the distribution's median, between counts of people."""
    found = fit.median((rng.gamma(shape, 20 / shape, n)).tolist())
    return holds(_between(found), 20 / shape * float(gammaincinv(shape, 0.5)))


def _share_of_activities(low: float, high: float, alike: float, n: int, rng: np.random.Generator) -> bool | None:
    truth, size = rng.uniform(low, high), (1 - alike) / alike
    whole = 3 + rng.poisson(9, n)
    hits = rng.binomial(whole, rng.beta(truth * size, (1 - truth) * size, n))
    return holds(_between(fit.share(list(zip(hits.tolist(), whole.tolist(), strict=True)), scale=1)), truth)


def _rate_of_activities(shape: float, n: int, rng: np.random.Generator) -> bool | None:
    """Contributions per hour; activities of one to three hours differ by a gamma of this shape."""
    hours = rng.choice((1.0, 1.5, 2.0, 3.0), n)
    counts = rng.poisson(hours * rng.gamma(shape, 6 / shape, n))
    return holds(_between(fit.rate(list(zip(counts.tolist(), hours.tolist(), strict=True)))), 6.0)


@cache
def subjects() -> tuple[Subject, ...]:
    """Every interval method in use, each with the figures it stands beside."""
    plain, bca = bootstrap, partial(bootstrap, bca=True)
    by_gini = _by(resampling.gini_with_error, bootstrap_t)
    even, uneven = populations.groups(0.4, 0.3, 0.2, 0.1), populations.groups(0.8, 0.12, 0.05, 0.03)
    moderate, heavy = populations.contributions(0.7), populations.contributions(1.0)
    return (
        Subject("wilson", "a share", 10, {
            f"{low:.0%} to {high:.0%}": partial(_share, low, high)
            for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 0.98))
        }, ("survey-response-rate",)),
        Subject("poisson", "a count of people", 5, {"about n": _count}),
        Subject("clustered wilson", "a share of trials, n actors", 20, {
            f"{low:.0%} to {high:.0%}, alike {alike}": partial(_clustered, low, high, alike)
            for low, high in ((0.1, 0.3), (0.3, 0.7), (0.7, 0.9)) for alike in (0.1, 0.4)
        }, ("task-success", "channel-mix", "assisted-share")),
        Subject("clustered wilson", "content with the service, n people", 10, {
            f"{low:.0%} to {high:.0%}, alike 0.4": partial(_clustered, low, high, 0.4)
            for low, high in ((0.3, 0.7), (0.7, 0.9))
        }, ("satisfaction-top-2",)),
        Subject("bootstrap-t", "stickiness", 30, {
            f"{often} days of 28": _boot(
                populations.days_active(often), resampling.mean, _by(resampling.mean_with_error, bootstrap_t)
            ) for often in (1.5, 5)
        }, ("stickiness",)),
        Subject("bootstrap", "gained for each one lost", 5, {
            "1 : 1": _growth(populations.growth(0.3, 0.3)), "1 : 2": _growth(populations.growth(0.2, 0.4)),
        }, ("net-growth",)),
        Subject("bootstrap", "median of several values each", 20, {
            "mean 4": _quantile(populations.actions(4, 1.5), 0.5),
        }, ("intensity", "time-to-complete"), (50,)),
        Subject("bootstrap", "median per contributor", 20, {
            "moderate": _boot(moderate, diversity.median, plain),
        }, ("contributions-each",)),
        Subject("bca", "usability score", 15, {
            "mean 68": _boot(populations.sus(68, 18), resampling.mean, bca),
            "mean 85, at the end of the scale": _boot(populations.sus(85, 14), resampling.mean, bca),
        }, ("satisfaction-sus",)),
        Subject("bootstrap-t", "Gini of core actions", 75, {
            "even": _boot(populations.actions(4, 3), resampling.gini, by_gini),
            "uneven": _boot(populations.actions(6, 0.8), resampling.gini, by_gini),
        }, ("concentration",), (200,)),
        *(
            Subject("bootstrap-t", figure, least, {
                "40, 30, 20, 10 %": _boot(even, statistic, _by(logarithm, diversity.interval_of_number)),
                "80, 12, 5, 3 %": _boot(uneven, statistic, _by(logarithm, diversity.interval_of_number)),
            }, (indicator,), (200,))
            for figure, least, statistic, logarithm, indicator in (
                ("effective groups", 50,
                 diversity.effective_number, diversity.effective_number_log, "effective-groups"),
                ("effective groups among 20", 100,
                 diversity.effective_number_of_20, diversity.effective_number_of_20_log, "effective-groups-of-20"),
            )
        ),
        Subject("bootstrap-t", "chance that two differ", 200, {
            "40, 30, 20, 10 %": _boot(even, diversity.gini_simpson, _by(diversity.gini_simpson_logit)),
            "80, 12, 5, 3 %": _boot(uneven, diversity.gini_simpson, _by(diversity.gini_simpson_logit)),
        }, ("gini-simpson",)),
        Subject("bootstrap-t", "Gini of contributions", 100, {
            "moderate": _boot(moderate, resampling.gini, _by(diversity.gini_logit)),
            "heavy": _boot(heavy, resampling.gini, _by(diversity.gini_logit)),
        }, ("contribution-gini",), (200,)),
        Subject("bootstrap-t", "share of the top tenth", 300, {
            "moderate": _boot(moderate, diversity.top_tenth, _by(diversity.top_tenth_logit)),
        }, ("contribution-top-tenth",), ()),
        Subject("kaplan-meier", "not answered after 30 days", 20, {
            f"mean {mean} days": partial(_answers, mean) for mean in (12, 25, 60)
        }),
        Subject("kaplan-meier", "median days to answer", 20, {
            f"mean {mean} days": partial(_median_days, mean) for mean in (12, 25)
        }, ("days-to-answer",)),
        Subject("kaplan-meier", "still there after 4 weeks", 20, {
            f"{weekly:.0%} leave a week": partial(_churn, weekly) for weekly in (0.05, 0.15, 0.35)
        }, ("retention-week-4-or-later",)),
        Subject("order statistics", "median per activity", 5, {
            f"gamma of shape {shape}": partial(_attendance, shape) for shape in (3, 10)
        }),
        Subject("wilson, clustered by activity", "a share over activities", 5, {
            f"{low:.0%} to {high:.0%}, alike 0.1": partial(_share_of_activities, low, high, 0.1)
            for low, high in ((0.1, 0.3), (0.3, 0.7))
        }),
        Subject("ratio, clustered by activity", "contributions per hour", 5, {
            f"gamma of shape {shape}": partial(_rate_of_activities, shape) for shape in (2, 8)
        }),
    )  # fmt: skip
