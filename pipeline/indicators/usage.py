"""What uptake indicators share: why there may be no figure, people as counts, the lines of single actors."""

from typing import Final

import numpy as np

from pipeline.indicators.measure import Measure, not_defined, of_people
from pipeline.indicators.resampling import Interval
from pipeline.indicators.window import Window
from pipeline.sketches import People
from pipeline.usage_days import Col, Ints

NO_USAGE: Final = "no usage feed had been heard by then"
NO_CONSENT: Final = "usage is counted without pseudonyms, so people cannot be told apart"
NOBODY: Final = "nobody used the service in this period"
LONGER: Final = "said of whole weeks, months and longer periods, not of single days"
THETA: Final = "Apache DataSketches Theta sketch, lg_k 12: exact up to 4,096 people"
RESAMPLED: Final = "bootstrap by actor, 1,000 resamples"

_HALF: Final = 32


def counted(window: Window, people: People) -> list[Measure]:
    """A count of people, unless usage in the period is counted without pseudonyms."""
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if people.nobody and anonymous(window):
        return [not_defined(NO_CONSENT)]
    return [of_people(people)]


def anonymous(window: Window) -> bool:
    """True where core actions of the period carry no pseudonym at all."""
    return any(day.core_actions for day in window.days) and not any(day.core_by_people for day in window.days)


def absent(window: Window) -> list[Measure] | None:
    """Why nothing can be said of single people in the period, None where something can."""
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if window.active.nobody:
        return [not_defined(NO_CONSENT if anonymous(window) else NOBODY)]
    return None


def actors_lines(window: Window, first: int, last: int) -> Ints:
    """Core actions of people with a pseudonym in a window of days, columns as in `Col`.

    Raises OtherKeyEpoch where the window holds pseudonyms of two keys: one person would count as two.
    """
    window.history.union("active", first, last)
    whole = (first, last) == (window.first, window.last)
    lines = window.core if whole else window.history.usage.core(first, last)
    return lines[lines[:, Col.WHO] >= 0]


def actions_each(lines: Ints) -> Ints:
    """Core actions of each person of these lines, ascending: nothing in it tells who it is."""
    _, place = np.unique(lines[:, Col.WHO], return_inverse=True)
    return np.sort(np.bincount(place, weights=lines[:, Col.ACTIONS]).astype(np.int64))


def pairs(left: Ints, right: Ints) -> tuple[Ints, Ints, Ints]:
    """The different pairs of two columns of numbers from 0, and for each line the place of its pair.

    >>> left, right, place = pairs(np.array([2, 1, 2]), np.array([0, 5, 0]))
    >>> left.tolist(), right.tolist(), place.tolist()
    ([1, 2], [5, 0], [1, 0, 1])
    """
    keys, place = np.unique((left << _HALF) | right, return_inverse=True)
    return keys >> _HALF, keys & ((1 << _HALF) - 1), place


def estimated(
    value: float, n: int, interval: Interval, method: str, people: tuple[int, ...], dim: str = "", segment: str = ""
) -> Measure:
    """A figure with the interval that was found for it, None where none could be."""
    lower, upper = (None, None) if interval is None else interval
    return Measure(
        value=value,
        n=n,
        lower=lower,
        upper=None if upper == float("inf") else upper,
        interval="" if interval is None else method,
        people=people,
        dim=dim,
        segment=segment,
    )
