"""Pure: a pilot against its own beginning.

The baseline is the mean of the pilot's values in its first 8 complete weeks, when at least 3 of them could be
computed; else the mean of the first third of the period shown, when that has at least 3; else there is none, and no
index is drawn. An index of 100 is the baseline. The interval is that of the value, divided by the baseline: the
baseline's own uncertainty is not in it. Source: `docs/dashboard.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from pipeline.values import IndicatorValue

_LEAST = 3


@dataclass(frozen=True)
class Baseline:
    """`mean` is in the indicator's unit; `basis` says which periods it rests on."""

    mean: float
    basis: Literal["first_weeks", "first_third"]
    periods: int


def baseline(first: Sequence[IndicatorValue], shown: Sequence[IndicatorValue]) -> Baseline | None:
    """The baseline of one pilot, indicator and segment; None when too little is known or all of it is 0."""
    if found := _mean(first, "first_weeks"):
        return found
    return _mean(shown[: max(_LEAST, len(shown) // 3)], "first_third")


def _mean(values: Sequence[IndicatorValue], basis: Literal["first_weeks", "first_third"]) -> Baseline | None:
    usable = [value.value for value in values if value.status == "ok" and value.value is not None]
    if len(usable) < _LEAST or not (mean := sum(usable) / len(usable)) > 0:
        return None
    return Baseline(mean, basis, len(usable))


def as_index(value: IndicatorValue, base: Baseline) -> IndicatorValue:
    """The same value with 100 for the baseline; None stays None.

    >>> week = IndicatorValue(pilot="p", indicator="people", version=1, period="week", start="2026-01-05",
    ...                       end="2026-01-11", value=30.0, lower=24.0, upper=36.0)
    >>> index = as_index(week, Baseline(20.0, "first_weeks", 8))
    >>> index.value, index.lower, index.upper
    (150.0, 120.0, 180.0)
    """

    def scaled(x: float | None) -> float | None:
        return None if x is None else 100 * x / base.mean

    return msgspec.structs.replace(
        value, value=scaled(value.value), lower=scaled(value.lower), upper=scaled(value.upper)
    )
