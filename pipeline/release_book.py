"""The release decisions of one pilot and one limit: which running totals may be read on which days.

Families of totals: `use` (people who ever did a core action), `back-7` and `back-1` (of them, by the day of their
first, those who came back within 7 days or the next day, and those who did not) and `visits` (attendances beyond those
that the list of activities tells, `pipeline.release_visits`). A week is decided when it and the lateness of its feeds,
and the follow-up, are over. `back-7` is read only where `use` is, and `back-1` only where `back-7` is, so that their
differences are safe too.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Final, Literal

from pipeline.history import History
from pipeline.indicators.window import Window
from pipeline.periods import Period, iso
from pipeline.release_parts import Counts, parts_told
from pipeline.release_points import NOTHING_DECIDED, Decided, decide
from pipeline.release_visits import Visits
from pipeline.sketches import OtherKeyEpoch

Family = Literal["use", "back-7", "back-1", "visits"]
FAMILIES: Final[tuple[Family, ...]] = ("use", "back-7", "back-1", "visits")
_WITHIN: Final[tuple[Family, ...]] = ("use", "back-7", "back-1")  # each among the days of the one before
FOLLOWED: Final = 7
Kept = Mapping[Family, Decided]


class Book:
    """Decisions as of an instant, given what was `kept` of earlier ones; with k below 2 every day may be read."""

    def __init__(self, history: History, as_of_ns: int, k: int, kept: Kept | None = None) -> None:
        self.history, self.as_of_ns, self.k = history, as_of_ns, k
        self._kept = dict(kept or {})
        self._found: dict[Family, Decided] = {}
        self._chosen: dict[Family, frozenset[int]] = {}
        self._totals: dict[str, list[int]] = {}
        self._parts: dict[str, dict[int, Counts]] = {}
        self.visits = Visits(history, k)
        span = history.span(as_of_ns)
        self.first, self.last = span if span is not None else (0, -1)
        self._look = Window(history, Period("day", iso(max(self.first, 1)), iso(max(self.first, 1))), as_of_ns)

    @cached_property
    def began(self) -> int:
        """The first day on which somebody did a core action; the day after the series where nobody did."""
        days = range(self.first, self.last + 1)
        return next((day for day in days if not self.history.people("active", day).nobody), self.last + 1)

    def decided(self, family: Family) -> Decided:
        """The days on which the family's totals may be read, and up to which day that is decided."""
        if family not in self._found:
            until = self._until(family)
            place = _WITHIN.index(family) if family in _WITHIN else 0
            among = self.decided(_WITHIN[place - 1]).points if place else None
            kept = self._kept.get(family, NOTHING_DECIDED)
            self._found[family] = decide(kept, self.first, until, self._reader(family), self.k, among)
            self._chosen[family] = frozenset(self._found[family].points)
        return self._found[family]

    def everything(self) -> dict[Family, Decided]:
        """The decisions of every family."""
        return {family: self.decided(family) for family in FAMILIES}

    def take_totals(self, other: "Book", changed: int | None) -> None:
        """Spare counting again what was counted for another limit or instant; days from `changed` on differ."""
        if other.first != self.first:
            return
        keep = None if changed is None else max(0, changed - FOLLOWED - self.first)
        last = min(self.last, other.last) - FOLLOWED - self.first
        keep = last if keep is None else min(keep, last)
        # What is listed of an activity, and with it the totals of visits, depends on k and on days to come.
        self._totals = {name: known[: max(0, keep)] for name, known in other._totals.items() if "visits" not in name}

    def parts(self, dim: str) -> dict[int, Counts]:
        """The ends of months of which a dimension's parts of the people are told, with their counts up to then."""
        if dim not in self._parts:
            readable = partial(self.readable, "use")
            self._parts[dim] = parts_told(self.history, dim, self.first, self.last, self.k, readable)
        return self._parts[dim]

    def verdict(self, family: Family, after: int, upto: int) -> Literal["shown", "waiting", "hidden"]:
        """Whether what a total grew by from the end of day `after` to the end of day `upto` may be told."""
        if self.k < 2:
            return "shown"
        found = self.decided(family)
        ends = (after, upto)
        if all(self.readable(family, day) for day in ends):
            return "shown"
        return "waiting" if any(self.first <= day <= self.last and found.until < day for day in ends) else "hidden"

    def readable(self, family: Family, day: int) -> bool:
        """True where a total may be read at the end of a day; before the first day it is 0 for all to know."""
        if self.k < 2 or day < self.first:
            return True
        decided = self.decided(family)
        day = min(day, max(self.last, decided.until))
        return day in self._chosen[family] or (family == "visits" and day > decided.until and self._nothing_new(day))

    def readable_days(self, family: Family) -> list[int]:
        """The days of the series on which a total may be read."""
        decided = self.decided(family)
        later = range(max(self.first, decided.until + 1), self.last + 1) if family == "visits" else ()
        return [*decided.points, *(day for day in later if self._nothing_new(day))]

    def _nothing_new(self, day: int) -> bool:
        """Whether an undecided day adds nothing to the last total that may be read: it will be readable too, whatever
        else comes, so it need not wait."""
        points = self.decided("visits").points
        read = self._reader("visits")
        return read(day) == (read(points[-1]) if points else (0, 0))

    def total(self, name: str, day: int) -> int:
        """A running total at the end of a day."""
        if day < self.first:
            return 0
        known = self._totals.setdefault(name, [])
        step = self._steps()[name]
        while len(known) <= min(day, max(self.last, self.first)) - self.first:
            known.append((known[-1] if known else 0) + step(self.first + len(known)))
        return known[min(day - self.first, len(known) - 1)]

    def grew(self, name: str, after: int, upto: int) -> int:
        """What a total grew by."""
        return self.total(name, upto) - self.total(name, after)

    def _steps(self) -> dict[str, Callable[[int], int]]:
        return {
            "back-1": lambda day: self._back(day, 1),
            "back-7": lambda day: self._back(day, FOLLOWED),
            "visits-small": lambda day: self.visits.unlisted(day)[0],
            "visits-long": lambda day: self.visits.unlisted(day)[1],
            "use": self._new,
        }

    def _new(self, day: int) -> int:
        known = self._totals["use"]
        try:
            return self.history.before("active", day + 1).count - (known[-1] if known else 0)
        except OtherKeyEpoch:
            return 0

    def _back(self, day: int, within: int) -> int:
        try:
            fresh = self.history.newcomers(day)
            return 0 if fresh.nobody else (fresh & self.history.union("active", day + 1, day + within)).count
        except OtherKeyEpoch:
            return 0

    def _reader(self, family: Family) -> Callable[[int], tuple[int, ...]]:
        def read(day: int) -> tuple[int, ...]:
            if family == "use":
                return (self.total("use", day),)
            if family == "visits":
                return self.total("visits-small", day), self.total("visits-long", day)
            use, week = self.total("use", day), self.total("back-7", day)
            if family == "back-7":
                return week, use - week
            following = self.total("back-1", day)
            return following, week - following, use - following

        return read

    def _until(self, family: Family) -> int:
        """The last Sunday that is over, with its follow-up and the time allowed to late events."""
        if self.last < self.first:
            return self.first - 1  # no day is known yet
        streams = ("engagement",) if family == "visits" else ("usage",)
        ahead = FOLLOWED if family in ("back-7", "back-1") else 0
        day = self.last + (-self.last) % 7
        while day >= self.first and not self._look.closed_on(day + ahead, streams):
            day -= 7
        return max(day, self.first - 1)
