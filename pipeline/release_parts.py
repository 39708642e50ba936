"""Parts of the people of the service: of which months they are told, and up to which month's end of the whole series.

Windows that overlap tell of those who are in one alone, in parts as in totals: a week that a month cuts, or the whole
series a day later. Parts are therefore told of months, and of the whole series as of a month's end. A month's parts are
told where the total is told at its end, and of every part of the dimension the people who were new since the month told
before, those of the month who were not new in it, and those known before who stayed away are each none or at least k.
Taken in the order of time, so what comes later never changes what was told.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from pipeline.history import History
from pipeline.indicators.uptake import SPLIT, part
from pipeline.indicators.usage import pairs
from pipeline.periods import Period, iso, ordinal, period_of
from pipeline.usage_days import Col, Ints

Counts = dict[str, int]
_NOBODY: Final = 0


def parts_told(
    history: History, dim: str, first: int, last: int, k: int, readable: Callable[[int], bool]
) -> dict[int, Counts]:
    """The ends of months of which a dimension's parts are told, each with the people of each part up to then.

    `first` and `last` are days of the series, `readable` says whether the total is told at a day's end.
    """
    lines = history.usage.core(first, last)
    lines = lines[lines[:, Col.WHO] >= 0]
    words = np.unique(lines[:, SPLIT[dim]])
    parts = {int(word): lines[lines[:, SPLIT[dim]] == word] for word in words}
    began = {word: _firsts(one) for word, one in parts.items()}
    told: dict[int, Counts] = {}
    before = dict.fromkeys(parts, _NOBODY)
    for month in _months(first, last):
        begin, end = ordinal(month.start), ordinal(month.end)
        now = {word: int((days <= end).sum()) for word, days in began.items()}
        left = [now[word] - before[word] for word in parts]
        for word, one in parts.items():
            within = one[(one[:, Col.DAY] >= begin) & (one[:, Col.DAY] <= end)]
            known = int((began[word] < begin).sum())
            came_back = len(np.unique(within[:, Col.WHO])) - (now[word] - known)
            left += [came_back, known - came_back]
        if readable(end) and not any(0 < count < k for count in left):
            told[end] = {part(dim, history.usage.word(word)): count for word, count in now.items()}
            before = now
    return told


def _firsts(lines: Ints) -> Ints:
    """The first day of each person of these lines."""
    who, _, place = pairs(lines[:, Col.WHO], np.zeros(len(lines), np.int64))
    first = np.full(len(who), np.iinfo(np.int64).max)
    np.minimum.at(first, place, lines[:, Col.DAY])
    return first


def _months(first: int, last: int) -> Iterator[Period]:
    """Months that end within the series; none of a pilot of which no event is known yet."""
    day = max(first, 1)
    while day <= last and (end := ordinal(period_of("month", iso(day)).end)) <= last:
        yield period_of("month", iso(day))
        day = end + 1
