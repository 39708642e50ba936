"""Differences between pilots: two at a time, with interval and the probability of their order; never a league table.

Promises: only indicators that their definition calls comparable, of values of the same days that are ok and have an
interval; rates per inhabitant only where the same kind of people is counted; an order only where its probability is at
least 0.8.
The interval of a difference is put together from the two intervals (MOVER). Source: Newcombe 1998, method 10; Zou and
Donner 2008.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import Final

from scipy.special import ndtr

from pipeline.findings import Figure, Pair
from pipeline.indicators.intervals import Z
from pipeline.indicators.registry import Indicator
from pipeline.values import IndicatorValue

OPEN: Final = (0.2, 0.8)
INTERVAL: Final = "from both intervals"
PER_PEOPLE: Final = "population.snapshot"
POINTS: Final = {"%": "percentage points"}  # a difference of shares is no share


def pairs(values: Sequence[IndicatorValue], definition: Indicator, kinds: Mapping[str, str]) -> list[Pair]:
    """Each pair of pilots among values of one indicator, period and segment, in order of pilot.

    `kinds` is the kind of denominator of each pilot ("" for none); it matters for rates per inhabitant only.
    """
    ordered = sorted(values, key=lambda one: one.pilot)
    return [_pair(one, other, definition, kinds) for one, other in combinations(ordered, 2)]


def order(probability: float | None) -> str:
    """What may be said of the order of two: "higher", "lower", or "open" where 0.2 < P < 0.8."""
    if probability is None or OPEN[0] < probability < OPEN[1]:
        return "open"
    return "higher" if probability >= OPEN[1] else "lower"


def _pair(one: IndicatorValue, other: IndicatorValue, definition: Indicator, kinds: Mapping[str, str]) -> Pair:
    difference, probability = _difference(one, other, definition, kinds)
    return Pair(
        pilot=one.pilot,
        other=other.pilot,
        indicator=one.indicator,
        start=min(one.start, other.start),
        end=max(one.end, other.end),
        difference=difference,
        higher=probability,
        order=order(probability),
        figure=_figure(one, definition),
        other_figure=_figure(other, definition),
        denominator=kinds.get(one.pilot, "") if PER_PEOPLE in definition.needs else "",
        synthetic=one.synthetic or other.synthetic,
    )


def _figure(value: IndicatorValue, definition: Indicator) -> Figure:
    return Figure(
        value=value.value,
        n=value.n,
        lower=value.lower,
        upper=value.upper,
        interval=value.interval,
        status=value.status,
        reason=value.reason,
        unit=definition.unit,
    )


def _difference(
    one: IndicatorValue, other: IndicatorValue, definition: Indicator, kinds: Mapping[str, str]
) -> tuple[Figure, float | None]:
    unit = POINTS.get(definition.unit, definition.unit)
    if reason := _why_not(one, other, definition, kinds):
        return Figure(status="not_defined", reason=reason, unit=unit), None
    a, low, high = _three(one)
    b, other_low, other_high = _three(other)
    gap = a - b
    below, above = sqrt((a - low) ** 2 + (other_high - b) ** 2), sqrt((high - a) ** 2 + (b - other_low) ** 2)
    near = below if gap > 0 else above  # the side on which no difference lies
    probability = float(ndtr(Z * gap / near)) if near > 0 else 0.5 if gap == 0 else float(gap > 0)
    figure = Figure(value=gap, lower=gap - below, upper=gap + above, interval=INTERVAL, unit=unit)
    return figure, probability


def _why_not(one: IndicatorValue, other: IndicatorValue, definition: Indicator, kinds: Mapping[str, str]) -> str:
    if definition.comparable != "yes":
        return "its definition does not allow comparison between pilots"
    if (one.start, one.end) != (other.start, other.end):
        return f"{one.pilot} covers {one.start} to {one.end}, {other.pilot} {other.start} to {other.end}"
    for value in (one, other):
        if value.status != "ok":
            return f"{value.pilot}: {value.reason or value.status}"
        if value.value is None or value.lower is None or value.upper is None:
            return f"{value.pilot} has no interval"
    kind, other_kind = kinds.get(one.pilot, ""), kinds.get(other.pilot, "")
    if PER_PEOPLE in definition.needs and kind != other_kind:
        return f"{one.pilot} counts per {kind or 'unknown'}, {other.pilot} per {other_kind or 'unknown'}"
    return ""


def _three(one: IndicatorValue) -> tuple[float, float, float]:
    """Value and bounds of one that has them."""
    assert one.value is not None
    assert one.lower is not None
    assert one.upper is not None
    return one.value, one.lower, one.upper
