"""Attendances that the list of activities does not tell: what a count of attendances leaves over beside it.

Every activity of at least k attendances is listed with its number, at once. A count of attendances may then be told if
what it holds beyond listed numbers is 0 or at least k. Three kinds: `listed` (one day, in the list, at least k),
`small` (1 to k-1, or of an activity that is not in the list) and `long` (listed, but spread over several days).
"""

from collections import Counter, defaultdict
from functools import cached_property

from pipeline.history import History
from pipeline.indicators.window import Window
from pipeline.partials import Partial

NAMELESS = ""


class Visits:
    """The attendances of one pilot as far as they are not listed, given the limit k."""

    def __init__(self, history: History, k: int) -> None:
        self._history, self._k = history, k

    def unlisted(self, day: int) -> tuple[int, int]:
        """Attendances of a day in `small` and in `long` activities."""
        partial = self._history.day(day)
        return (0, 0) if partial is None else self._left(pieces(partial))

    def listed(self, window: Window, dim: str, segment: str) -> tuple[int, int]:
        """Attendances of a segment of a window, by `stage` or `method` of its activities: those of listed activities
        that lie wholly in it, and all others."""
        held = {one.activity_id: getattr(one, dim) for day in window.days for one in day.held}
        found: defaultdict[str, int] = defaultdict(int)
        for day in window.days:
            for key, number in pieces(day).items():
                if held.get(key, "unknown") == segment:
                    found[key] += number
        whole = sum(number for key, number in found.items() if key in self._listed and self._numbers[key] == number)
        return whole, sum(found.values()) - whole

    def _left(self, found: dict[str, int]) -> tuple[int, int]:
        small = sum(number for key, number in found.items() if key not in self._listed)
        return small, sum(number for key, number in found.items() if self._listed.get(key, False))

    @cached_property
    def _numbers(self) -> Counter[str]:
        return sum((Counter(pieces(day)) for day in self._history.all_days()), Counter[str]())

    @cached_property
    def _listed(self) -> dict[str, bool]:
        """Activities that the list tells a number of; True where its attendances are of several days."""
        known = self._history.all_days()
        days = Counter(key for day in known for key in pieces(day))
        held = {one.activity_id for day in known for one in day.held} - {NAMELESS}
        return {key: days[key] > 1 for key in held if self._numbers[key] >= self._k}


def pieces(day: Partial) -> dict[str, int]:
    """Attendances of a day by activity id, NAMELESS for those that name none; what an `activity.held` states counts
    where no attendance of that day names the activity."""
    found = {one.activity_id: one.attendance or 0 for one in day.held} | day.attending
    nameless = day.attendances - sum(day.attending.values())
    if nameless:
        found[NAMELESS] = found.get(NAMELESS, 0) + nameless
    return {key: number for key, number in found.items() if number}
