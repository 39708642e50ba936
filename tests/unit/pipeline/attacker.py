"""Somebody who reads everything that is told and solves for what is not: a linear programme over kinds of people.

A kind of people is a set of days on which they use the service, so every count of people is a sum over kinds, and all
relations between counts are known to the attacker. Nothing here comes from the code under test; windows are first and
last day by number, counted from 0, both included.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from tests.unit.pipeline.sums import Row, Sums

Cell = tuple[str, int, int]  # what is counted, first day, last day


def within(kind: int, first: int, last: int) -> int:
    """The days of a kind, as bits, from the first to the last."""
    return kind >> max(first, 0) << max(first, 0) & ((1 << (last + 1)) - 1 if last >= 0 else 0)


def began(kind: int) -> int:
    return (kind & -kind).bit_length() - 1


def back(kind: int, days: int, first: int, last: int) -> bool:
    start = began(kind)
    return first <= start <= last and within(kind, start + 1, start + days) != 0


Counted = Callable[[int, int, int], bool]  # kind, first day, last day
COUNTED: dict[str, Counted] = {
    "active": lambda kind, first, last: within(kind, first, last) != 0,
    "several": lambda kind, first, last: within(kind, first, last).bit_count() > 1,
    "new": lambda kind, first, last: first <= began(kind) <= last,
    "returning": lambda kind, first, last: (
        within(kind, first, last) != 0 and within(kind, 2 * first - last - 1, first - 1) != 0
    ),
    "back-1": lambda kind, first, last: back(kind, 1, first, last),
    "back-7": lambda kind, first, last: back(kind, 7, first, last),
}


class Attacker:
    """Knows what kinds of people there may be and takes in what is told; then says between what a cell must lie."""

    def __init__(self, kinds: Iterable[int], counted: Mapping[str, Counted] = COUNTED) -> None:
        self._kinds, self._counted = list(kinds), counted
        self._rows: dict[Cell, Row] = {}
        self._sums = Sums()

    def learn(self, cell: Cell, count: float) -> None:
        self._sums.learn(self._row(cell), count, cell)

    def bounds(self, cell: Cell) -> tuple[float, float]:
        """The least and the most that the cell can be, given all that was told."""
        return self._sums.bounds(self._row(cell))

    def room(self, cell: Cell) -> float:
        return self._sums.room(self._row(cell))

    def _row(self, cell: Cell) -> Row:
        if cell not in self._rows:
            name, first, last = cell
            counted = self._counted[name]
            self._rows[cell] = np.array([float(counted(kind, first, last)) for kind in self._kinds])
        return self._rows[cell]


def count(cell: Cell, people: Iterable[int], counted: Mapping[str, Counted] = COUNTED) -> int:
    """The truth: how many of these people (each a set of days as bits) the cell counts."""
    name, first, last = cell
    return sum(counted[name](kind, first, last) for kind in people)
