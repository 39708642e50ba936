"""Impact: a pilot's dated targets against what was measured; moved as intended, not so, or cannot tell.

Baseline are the 12 complete weeks before the target was declared (where it was declared before the first data, the
first 12 weeks); reached are the last 12 complete weeks up to its date, or up to now, all after it was declared. Weeks
that are not "ok" (feeds poor, hidden, not over) are left out; below 8 in either window nothing is said.

The change is a ratio of weekly means (a difference where one is not above 0), with a t interval that allows for weeks
being alike: the correlation of neighbouring weeks is estimated in both windows together, corrected upwards for its bias
in so few weeks, and widens the interval as in a first-order autoregression. `tests/coverage/comparing.py` measures it.
A change is no effect: nothing here says why it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, sqrt
from typing import Final

from scipy import stats

from config.catalogue import Target
from pipeline.findings import Figure, Verdict
from pipeline.periods import ordinal, period_of, shift
from pipeline.values import IndicatorValue

WEEKS: Final = 12
LEAST: Final = 8
LEAST_FREEDOM: Final = 1.5  # below it the interval of a mean holds nearly every number
ALIKE: Final = "its weeks follow each other so closely that together they count as too few to say how sure this is"
MARGIN: Final = 1.1  # a rise below a tenth, told apart from a tenth, is no movement as intended
INTERVAL: Final = "t, weeks autocorrelated"
AS_INTENDED, NOT_AS_INTENDED, CANNOT_TELL = "as_intended", "not_as_intended", "cannot_tell"


@dataclass(frozen=True)
class Span:
    """Weeks of a window: the whole calendar span, and (day number of Monday, value) of those that are ok."""

    first: str
    last: str
    weeks: tuple[tuple[int, float], ...]

    @property
    def mean(self) -> float:
        return sum(value for _, value in self.weeks) / len(self.weeks)


def verdict(
    pilot: str, target: Target, weeks: Sequence[IndicatorValue], title: str, synthetic: bool = False
) -> Verdict:
    """What became of a target; `weeks` are the pilot's weekly totals of its indicator, of every status, in order."""
    before, after = spans(target, weeks)
    reason = _lacking(target, before, after, weeks)
    baseline, reached = _mean(before), _mean(after)
    change = (
        change_of(before, after) if before and after and not reason else Figure(status="not_defined", reason=reason)
    )
    found = CANNOT_TELL if reason else judged(change, target.direction)
    achieved = None if reason else _achieved(target, reached)
    return Verdict(
        pilot=pilot,
        indicator=target.indicator,
        direction=target.direction,
        declared=target.declared.isoformat(),
        by=target.by.isoformat(),
        target=target.value,
        verdict=found,
        sentence=_sentence(target, title, found, baseline, reached, change, achieved, after, weeks),
        baseline=baseline,
        reached=reached,
        change=change,
        baseline_days=(before.first, before.last) if before else None,
        reached_days=(after.first, after.last) if after else None,
        achieved=achieved,
        synthetic=synthetic or any(one.synthetic for one in weeks),
    )


def spans(target: Target, weeks: Sequence[IndicatorValue]) -> tuple[Span | None, Span | None]:
    """The two windows; None for one that has no week at all."""
    over = [one for one in weeks if one.status != "incomplete"]
    if not over:
        return None, None
    declared, by, began = target.declared.isoformat(), target.by.isoformat(), over[0].start
    monday = period_of("week", declared).start
    if declared <= began:
        before = _span(over, began, shift(began, 7 * WEEKS - 1))
    else:
        before = _span(over, shift(monday, -7 * WEEKS), shift(monday, -1))
    ended = [one.end for one in over if one.end <= by]
    if not ended:
        return before, None
    free = max(monday if monday >= declared else shift(monday, 7), shift(before.last, 1) if before else "")
    return before, _span(over, max(shift(ended[-1], 1 - 7 * WEEKS), free), ended[-1])


def _span(weeks: Sequence[IndicatorValue], first: str, last: str) -> Span | None:
    within = [one for one in weeks if first <= one.start and one.end <= last]
    good = tuple((ordinal(one.start), one.value) for one in within if one.status == "ok" and one.value is not None)
    return Span(first, last, good) if within else None


def change_of(before: Span, after: Span) -> Figure:
    """Ratio of the means after / before, or their difference where one is not above 0, with its interval.

    >>> steady = tuple((7 * week, 10.0 + week % 2) for week in range(12))
    >>> found = change_of(Span("", "", steady), Span("", "", steady))
    >>> found.value, found.unit, found.lower < 1 < found.upper
    (1.0, 'ratio', True)
    """
    ratio = before.mean > 0 and after.mean > 0
    error, freedom = standard_error([before, after], relative=ratio)
    half = error * float(stats.t.ppf(0.975, freedom))
    n = len(before.weeks) + len(after.weeks)
    if ratio:
        middle = log(after.mean / before.mean)
        lower, upper = exp(middle - min(half, 700)), exp(min(middle + half, 700))
        return Figure(value=exp(middle), n=n, lower=lower, upper=upper, interval=INTERVAL, unit="ratio")
    gap = after.mean - before.mean
    return Figure(value=gap, n=n, lower=gap - half, upper=gap + half, interval=INTERVAL, unit="difference")


def standard_error(windows: Sequence[Span], relative: bool = False) -> tuple[float, float]:
    """Standard error of the mean of one window, or of the difference of two, and its degrees of freedom.

    `relative` measures weeks as shares of their window's mean. The variance is common to the windows.
    """
    series = [[(day, (x - one.mean) / (one.mean if relative else 1)) for day, x in one.weeks] for one in windows]
    squares = sum(x * x for one in series for _, x in one)
    rho = _correlation(series, squares)
    sizes = [len(one) for one in series]
    factors = [_inflation(n, rho) for n in sizes]
    # The sum of squares around a window's own mean loses what the weeks share.
    variance = squares / sum(n - factor for n, factor in zip(sizes, factors, strict=True))
    effective = [n / factor for n, factor in zip(sizes, factors, strict=True)]
    return sqrt(variance * sum(1 / n for n in effective)), max(1.0, sum(effective) - len(series))


def _correlation(series: Sequence[Sequence[tuple[int, float]]], squares: float) -> float:
    """First-order correlation of weeks, at least 0; estimates from n weeks are low by about (1 + 4ρ) / n, and the
    further tenth keeps the coverage of intervals near 95 % where ρ is 0.6."""
    if not squares:
        return 0.0
    products = sum(now * then for one in series for (day, then), (next_, now) in pairwise(one) if next_ == day + 7)
    rho, n = products / squares, sum(len(one) for one in series) / len(series)
    return min(0.9, max(0.0, rho + (1 + 4 * max(rho, 0.0)) / n + 0.1))


def _inflation(n: int, rho: float) -> float:
    """Variance of a mean of n autocorrelated weeks over that of independent ones."""
    return 1 + 2 * sum((1 - lag / n) * rho**lag for lag in range(1, n))


def judged(change: Figure, direction: str) -> str:
    """The verdict that an interval allows."""
    if change.lower is None or change.upper is None:
        return CANNOT_TELL
    low, high, still = change.lower, change.upper, 1.0 if change.unit == "ratio" else 0.0
    margin = MARGIN if change.unit == "ratio" else 0.0
    if direction == "down":
        low, high = (1 / high, 1 / low if low > 0 else inf) if change.unit == "ratio" else (-high, -low)
    if low > still:
        return AS_INTENDED
    return NOT_AS_INTENDED if high < max(still, margin) else CANNOT_TELL


def _achieved(target: Target, reached: Figure) -> bool | None:
    if target.value is None or reached.lower is None or reached.upper is None:
        return None
    low, high = reached.lower, reached.upper
    if target.direction == "up":
        return True if low >= target.value else False if high < target.value else None
    return True if high <= target.value else False if low > target.value else None


def _mean(window: Span | None) -> Figure:
    if window is None or len(window.weeks) < LEAST:
        n = len(window.weeks) if window else 0
        return Figure(n=n, status="insufficient_n", reason=f"{n} usable weeks; at least {LEAST} are needed")
    mean, n = window.mean, len(window.weeks)
    relative = mean > 0
    error, freedom = standard_error([window], relative)
    if freedom < LEAST_FREEDOM:
        return Figure(value=mean, n=n, reason=ALIKE)
    half = error * float(stats.t.ppf(0.975, freedom))
    # As with the ratio, on the scale of logarithms: what is counted is never below 0.
    lower, upper = (mean * exp(-half), mean * exp(half)) if relative else (mean - half, mean + half)
    return Figure(value=mean, n=n, lower=lower, upper=upper, interval=INTERVAL)


def _lacking(target: Target, before: Span | None, after: Span | None, weeks: Sequence[IndicatorValue]) -> str:
    """Why nothing can be said; "" where something can."""
    if not weeks:
        return "nothing was measured"
    for window, what in ((before, f"before it was declared on {target.declared}"), (after, "since it was declared")):
        n = len(window.weeks) if window else 0
        if n < LEAST:
            return f"only {n} usable weeks {what}; at least {LEAST} of {WEEKS} are needed"
    return ""


def _sentence(
    target: Target,
    title: str,
    found: str,
    baseline: Figure,
    reached: Figure,
    change: Figure,
    achieved: bool | None,
    after: Span | None,
    weeks: Sequence[IndicatorValue],
) -> str:
    if change.value is None or change.lower is None or change.upper is None or after is None:
        return f"Cannot tell: {change.reason}."
    sign = "× " if change.unit == "ratio" else ""
    moved = {
        AS_INTENDED: "moved as intended",
        NOT_AS_INTENDED: "did not move as intended",
        CANNOT_TELL: "may or may not have moved as intended",
    }[found]
    parts = [
        f"{title} {moved}: {_number(baseline)} a week before, {_number(reached)} in the weeks to {after.last}, "
        f"{sign}{_plain(change.value)} ({_plain(change.lower)} to {_plain(change.upper)})"
    ]
    if achieved is not None:
        parts.append(f"the target of {target.value:g} is {'' if achieved else 'not '}reached")
    if after.last < shift(target.by.isoformat(), -6):
        parts.append(f"this is so far, as the target runs to {target.by}")
    known = sum(one.end < target.declared.isoformat() for one in weeks)
    if known:
        parts.append(f"it was declared when {known} weeks had been measured")
    return "; ".join(parts) + "."


def _number(figure: Figure) -> str:
    return "unknown" if figure.value is None else _plain(figure.value)


def _plain(number: float) -> str:
    """Three telling digits, never with an exponent: bounds of a ratio may be far out.

    >>> _plain(0.8079), _plain(0.000128), _plain(5103.4), _plain(-12.34)
    ('0.808', '0.00', '5,103', '-12.3')
    """
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) >= 0.005 or number == 0 else "0.00"
