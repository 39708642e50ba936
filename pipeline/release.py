"""The one place that hides small numbers of people, for pages and exports alike.

Rules: a figure that rests on 1 to k-1 people, or a rate with such a numerator or denominator, is shown as
"suppressed" without value, n or interval; 0 is shown. Where exactly one part of a shown total is hidden,
the smallest other part is hidden too, since the difference would tell it. k of 0 hides nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import Final

from pipeline.indicators.measure import Measure


@dataclass(frozen=True)
class Profile:
    """How an export is released: counts of people of 1 to k-1 are hidden, others rounded to a multiple of `base`."""

    name: str
    k: int
    base: int = 0

    @property
    def words(self) -> str:
        """As each row says it.

        >>> Profile("strict", 10, 5).words, Profile("usual", 0).words
        ('k=10, counts of people rounded to 5', 'nothing hidden')
        """
        hidden = f"k={self.k}" if self.k > 1 else "nothing hidden"
        return f"{hidden}, counts of people rounded to {self.base}" if self.base else hidden


STRICT_K: Final = 10
STRICT_BASE: Final = 5
PROFILES: Final = ("usual", "strict")


def profile(name: str, k: int) -> Profile:
    """The profile of that name beside the catalogue's limit."""
    return Profile(name, max(k, STRICT_K), STRICT_BASE) if name == "strict" else Profile(name, k)


def near(count: float, base: int) -> int:
    """The nearest multiple of `base`, halves upwards.

    >>> near(12, 5), near(13, 5), near(2.5, 5)
    (10, 15, 5)
    """
    return int((count + base / 2) // base) * base


def rounded(measure: Measure, base: int, unit: str = "") -> Measure:
    """A figure whose counts of people are rounded, and without its interval, which would tell of the exact count.

    `unit` is that of its indicator: what is in percentage points is what a share of people is above another figure.
    """
    if not base or not measure.people or measure.value is None:
        return measure
    count, n, value = measure.people[0], measure.n, measure.value
    about = near(count, base)
    if measure.interval == "kaplan-meier":  # a product of shares, all digits of which leave few possible counts
        value, n = float(round(value)), near(n or 0, base)
    elif n and n in measure.people[1:]:
        value, n = _of_rounded(value, measure.people, n, base, unit), near(n, base)
    elif n == count and value != count:  # people are what is divided by
        value, n = value * count / max(about, base), about
    elif value == count:
        value, n = float(about), about if n == count else n
    else:
        value = value * about / count if count else value
    return replace(measure, value=value, n=n, lower=None, upper=None, interval="")


def _of_rounded(value: float, people: Sequence[int], n: int, base: int, unit: str) -> float:
    """A figure of some of `n` people as the rounded counts give it: a share or ratio of any of the counts, the number
    itself, what a share is above another figure, or else in proportion to the first count.

    >>> _of_rounded(50.0, (12, 12, 24), 24, 5, "%"), _of_rounded(1.5, (30, 9, 39), 26, 5, "ratio")
    (40.0, 1.6)
    >>> _of_rounded(-10.0, (12, 12, 24), 24, 5, "percentage points"), _of_rounded(2.0, (12, 12, 24), 24, 5, "ratio")
    (-20.0, 1.6)
    """
    whole, count = max(near(n, base), base), people[0]
    for scale in (100.0, 1.0):
        for one in people:
            if isclose(value, scale * one / n, abs_tol=1e-9):
                return scale * near(one, base) / whole
    if value == count:
        return float(near(count, base))
    if unit == "percentage points":
        return value + 100 * (near(count, base) / whole - count / n)
    return value * (near(count, base) / whole) / (count / n) if count else value


def small(measure: Measure, k: int) -> bool:
    """True where the figure would disclose a count of 1 to k-1 people."""
    return any(0 < count < k for count in measure.people)


def hidden(measures: Sequence[Measure], k: int, already: Collection[int] = ()) -> set[int]:
    """Which figures of one indicator and period must be hidden, by place in the sequence; `already` are so."""
    if k < 2 or not any(measure.people for measure in measures):
        return set(already)
    found = {place for place, measure in enumerate(measures) if small(measure, k)} | set(already)
    total_shown = any(measure.dim == "" and place not in found for place, measure in enumerate(measures))
    for dim in {measure.dim for measure in measures} - {""}:
        parts = [
            place for place, measure in enumerate(measures) if measure.dim == dim and measure.people and measure.value
        ]
        concealed = [place for place in parts if place in found]
        others = sorted(
            (place for place in parts if place not in found),
            key=lambda place: (measures[place].value or 0, measures[place].segment),
        )
        if total_shown and len(concealed) == 1 and others:
            found.add(others[0])
    return found


def reason(k: int) -> str:
    """The sentence beside a hidden figure: the limit is public."""
    return f"hidden because it would tell of fewer than {k} people"
