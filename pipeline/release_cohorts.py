"""Of a weekly cohort: how many were active from one week after it to another, told week by week where that is safe.

Every look at the triangle is one week later than the one before. "In" a week tells of one week, "or later" of all weeks
from one to the last that is over. Promise: no count of 1 to k-1 people is told, nor what one told set leaves of another
that holds it (the cohort holds all), nor how many are in both of two that make up a third, over all looks.
Looks are replayed from the first on, so each decides as it did then, as long as no late event changes what is known.
"""

from collections.abc import Callable, Iterator

Stretch = tuple[int, int]  # first and last week after the cohort's own
Counts = Callable[[int, int], int]


def told_weeks(size: int, weeks: int, count: Counts, k: int) -> dict[Stretch, int]:
    """What may be told of a cohort of `size` in the first `weeks` weeks after its own; `count` says who was active."""
    told = _Told(size, k)
    for last in range(1, weeks + 1):
        for first in range(1, last + 1):
            told.offer(first, last, count(first, last))
    return told.counts


class _Told:
    """The stretches that are told so far, by first and by last week."""

    def __init__(self, size: int, k: int) -> None:
        self._size, self._k = size, k
        self.counts: dict[Stretch, int] = {}

    def offer(self, first: int, last: int, count: int) -> None:
        """Tell of a stretch where nothing small follows from it."""
        if self._k < 2 or not any(0 < one < self._k for one in self._tells(first, last, count)):
            self.counts[first, last] = count

    def _tells(self, first: int, last: int, count: int) -> Iterator[int]:
        yield count
        yield self._size - count
        for (begin, end), other in self.counts.items():
            if first <= begin and end <= last:
                yield count - other
            elif begin <= first and last <= end:
                yield other - count
            if begin <= last + 1 and first <= end + 1:
                union = self.counts.get((min(first, begin), max(last, end)))
                if union is not None:
                    yield count + other - union
        for (begin, end), other in self.counts.items():  # of two that make it up, who is in both
            if begin == first and end < last:
                yield from (
                    other + late - count for (start, to), late in self.counts.items() if to == last and start <= end + 1
                )
