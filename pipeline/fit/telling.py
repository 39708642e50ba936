"""Which sums of people over activities may be told one after the other: those from which no small count follows.

A figure of the method-fit table is a sum over the activities of its cell, and cells overlap: stages, methods, tools.
What follows from told sums for certain is a linear combination of them (over activities that have any: 0 is told).
Promise: no activity's count, no cell's as of any day, and none of what a cell grew by in a month,
of 1 to k-1 people is such a combination; and of two told sums one within the other, the rest is 0 or at least k.
Cells are offered in their order, at each end of a month, and what was told once is taken into account for ever.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.fit.activities import Gathered, HeldActivity
from pipeline.fit.batches import month_end
from pipeline.fit.intervals import LEAST

Key = TypeVar("Key", bound=Hashable)
Counts = Callable[[HeldActivity], tuple[int, ...]]
Told = tuple[list[HeldActivity], int]  # the activities of a sum, and the end of the month as of which it is told
_NOTHING: Final = 1e-9


def told_sums(
    seen: Gathered, cells: Mapping[Key, Sequence[HeldActivity]], counts: Counts, delay: int, k: int
) -> dict[Key, Told]:
    """For each cell the activities whose sum may be told; a cell of which nothing may be told is missing.

    `counts` are the numbers of people of an activity, `delay` the days after it in which they still come in.
    """
    usable = list(dict.fromkeys(one.id for mine in cells.values() for one in mine))
    place = {key: at for at, key in enumerate(usable)}
    of = {one.id: one for mine in cells.values() for one in mine}
    ripe = {key: month_end(one.day + delay) for key, one in of.items()}
    ends = sorted({end for end in ripe.values() if end <= seen.last})
    masks = {key: _mask(place[one.id] for one in mine) for key, mine in cells.items()}
    upto = {end: _mask(place[key] for key in usable if ripe[key] <= end) for end in ends}
    days = [_mask(place[key] for key in usable if of[key].day <= day) for day in {one.day for one in of.values()}]
    hidden = _open(masks.values(), list(upto.values()), days)
    told, found = _Told([counts(of[key]) for key in usable], hidden, k), {}
    for end, over in upto.items():
        for key, mask in masks.items():
            now = mask & over
            if now.bit_count() >= LEAST and told.tell(now):
                found[key] = now, end
    return {key: ([one for one in cells[key] if now >> place[one.id] & 1], end) for key, (now, end) in found.items()}


def _mask(places: Iterable[int]) -> int:
    return sum(1 << at for at in places)


def _open(cells: Iterable[int], upto: Sequence[int], days: Sequence[int]) -> set[int]:
    """What must not follow: each cell up to each day on which an activity was held, and between two ends of months."""
    spans = [*days, *(later & ~earlier for earlier, later in pairwise(upto))]
    return {cell & span for cell in cells for span in spans} - {0}


class _Told:
    """The sums that are told so far, over activities by their place, as bits."""

    def __init__(self, counts: Sequence[tuple[int, ...]], hidden: Iterable[int], k: int) -> None:
        self._k = k
        self._kinds = [np.array(column) for column in zip(*counts, strict=True)]
        kept = {*hidden, *(1 << at for at in range(len(counts)))}
        self._spaces = [_Space(column, [self._row(one) for one in kept if self._few(one, column)])
                        for column in self._kinds]  # fmt: skip
        self._known: set[int] = set()

    def tell(self, one: int) -> bool:
        """Whether a sum may be told beside those told before; if so, it is."""
        if one in self._known:
            return True
        beside = [one & ~other or other & ~one for other in self._known if one & other in (one, other)]
        if any(self._few(rest, column) for rest in (one, *beside) for column in self._kinds):
            return False
        if not all(space.allows(self._row(one)) for space in self._spaces):
            return False
        for space in self._spaces:
            space.add(self._row(one))
        self._known.add(one)
        return True

    def _row(self, one: int) -> npt.NDArray[np.float64]:
        return np.array([float(one >> at & 1) for at in range(len(self._kinds[0]))])

    def _few(self, one: int, column: npt.NDArray[np.int64]) -> bool:
        return 0 < int(self._row(one) @ column) < self._k


class _Space:
    """All that follows from told sums of one kind, as an orthonormal basis; activities of 0 are known to be so."""

    def __init__(self, column: npt.NDArray[np.int64], hidden: Sequence[npt.NDArray[np.float64]]) -> None:
        self._any = column > 0
        width = int(self._any.sum())
        self._hidden = np.array([row[self._any] for row in hidden]).reshape(len(hidden), width)
        self._left = (self._hidden**2).sum(axis=1)  # how much of each is not told, as a square of a length
        self._basis = np.zeros((0, width))

    def allows(self, row: npt.NDArray[np.float64]) -> bool:
        """False where a hidden sum would follow."""
        left = self._left - (self._hidden @ self._new(row)) ** 2
        return not bool((left < _NOTHING).any())

    def add(self, row: npt.NDArray[np.float64]) -> None:
        new = self._new(row)
        self._left = self._left - (self._hidden @ new) ** 2
        if new.any():
            self._basis = np.vstack([self._basis, new])

    def _new(self, row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The direction that a sum adds, of length 1; 0 where it follows from those told."""
        left = row[self._any]
        for _ in range(2):  # the second time takes away what rounding left
            left = left - self._basis.T @ (self._basis @ left)
        length = float(np.linalg.norm(left))
        return left / length if length > _NOTHING else np.zeros_like(left)
