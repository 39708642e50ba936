"""The release decisions of one pilot and one limit: which running totals may be read on which days.

Families of totals: `use` (people who ever did a core action), `back-7` and `back-1` (of them, by the day of their
first, those who came back within 7 days or the next day, and those who did not), `visits` (attendances beyond those
that the list of activities tells, `pipeline.release_visits`), `taking-part` (people who ever contributed, attended,
either), `both` (of them, those who ever used the service), and the people behind sums (`pipeline.release_crowds`). A
week is decided when it and the lateness of its feeds, and the follow-up, are over; of sums a month, since in weeks few
people stand behind their parts, and days that are told of weeks would keep those of months from being told. A family
that stands for a part of another is read only where that is, so that their differences are safe too.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from pipeline.attempts import LOOK_AHEAD
from pipeline.history import Family as People
from pipeline.history import History
from pipeline.indicators.engagement_giving import FOLLOWED as TESTED
from pipeline.indicators.window import Window
from pipeline.periods import Period, iso, ordinal, period_of
from pipeline.release_crowds import BLOCK, crowds, signs
from pipeline.release_parts import Counts, parts_told
from pipeline.release_points import BEFORE_ALL, NOTHING_DECIDED, Decided, Grew, decide, growth, month_end
from pipeline.release_visits import Visits
from pipeline.sketches import OtherKeyEpoch, union

FOLLOWED: Final = 7
Family = Literal[
    "use",
    "back-7",
    "back-1",
    "visits",
    "taking-part",
    "both",
    "tasks",
    "task-parts",
    "channels",
    "channel-parts",
    "assisted",
    "sus",
    "content",
    "answered",
    "influence",
    "trust",
    "asked",
    "sign-ups",
    "sign-up-parts",
]


class Kind(NamedTuple):
    """What a family rests on: its streams, the days after one that decide what it counts of it, the family among whose
    days it is read, and where the people behind it come from (`release_crowds.SOURCES`) if it is no total."""

    streams: tuple[str, ...]
    ahead: int = 0
    among: Family | None = None
    source: str = ""


_ASKED: Final = ("usage", "engagement")
KINDS: Final[dict[Family, Kind]] = {
    "use": Kind(("usage",)),
    "back-7": Kind(("usage",), FOLLOWED, "use"),
    "back-1": Kind(("usage",), FOLLOWED, "back-7"),
    "visits": Kind(("engagement",)),
    "taking-part": Kind(("engagement",)),
    "both": Kind(_ASKED, 0, "taking-part"),
    "tasks": Kind(("usage",), LOOK_AHEAD, None, "tasks"),
    "task-parts": Kind(("usage",), LOOK_AHEAD, "tasks", "tasks"),
    "channels": Kind(("usage",), 0, None, "actions"),
    "channel-parts": Kind(("usage",), 0, "channels", "actions"),
    "assisted": Kind(("usage",), 0, None, "actions"),
    "sus": Kind(("usage",), 0, None, "questionnaires"),
    "content": Kind(("usage",), 0, None, "questionnaires"),
    "answered": Kind(("usage",), 0, None, "questionnaires"),
    "influence": Kind(_ASKED, 0, None, "views"),
    "trust": Kind(_ASKED, 0, None, "views"),
    "asked": Kind(_ASKED, 0, None, "views"),
    "sign-ups": Kind(("engagement",), TESTED, None, "sign-ups"),
    "sign-up-parts": Kind(("engagement",), TESTED, "sign-ups", "sign-ups"),
}
FAMILIES: Final[tuple[Family, ...]] = tuple(KINDS)
# Totals that are counted anew only where something changed since they were decided: unions of many people are dear.
_DEAR: Final[tuple[Family, ...]] = ("taking-part", "both")
_EVER: Final[dict[str, tuple[People, ...]]] = {  # who ever did any of these
    "contributors": ("contributors",),
    "attendees": ("attendees",),
    "taking-part": ("contributors", "attendees"),
    "both": ("contributors", "attendees"),
}
Kept = Mapping[Family, Decided]


class Book:
    """Decisions as of an instant, given what was `kept` of earlier ones; with k below 2 every day may be read."""

    def __init__(self, history: History, as_of_ns: int, k: int, kept: Kept | None = None) -> None:
        self.history, self.as_of_ns, self.k = history, as_of_ns, k
        self._kept = dict(kept or {})
        self._found: dict[Family, Decided] = {}
        self._chosen: dict[Family, frozenset[int]] = {}
        self._totals: dict[str, list[int]] = {}
        self._people: dict[tuple[str, int], int] = {}
        self._parts: dict[str, dict[int, Counts]] = {}
        self.visits = Visits(history, k)
        span = history.span(as_of_ns)
        self.first, self.last = span if span is not None else (0, -1)
        self._look = Window(history, Period("day", iso(max(self.first, 1)), iso(max(self.first, 1))), as_of_ns)

    @cached_property
    def began(self) -> int:
        """The first day on which somebody did a core action; the day after the series where nobody did."""
        return self._first_day("active")

    @cached_property
    def part_began(self) -> int:
        """The first day on which somebody took part, in the same way."""
        return self._first_day("contributors", "attendees")

    def _first_day(self, *of: People) -> int:
        days = range(self.first, self.last + 1)
        found = (day for day in days if not all(self.history.people(one, day).nobody for one in of))
        return next(found, self.last + 1)

    def decided(self, family: Family) -> Decided:
        """The days on which the family's totals may be read, and up to which day that is decided."""
        if family not in self._found:
            self._found[family] = self._decide(family)
            self._chosen[family] = frozenset(self._found[family].points)
        return self._found[family]

    def _decide(self, family: Family) -> Decided:
        kind, until = KINDS[family], self._until(family)
        among = None if kind.among is None else self.decided(kind.among).points
        kept = self._kept.get(family, NOTHING_DECIDED)
        if not kind.source and family not in _DEAR:
            return decide(kept, self.first, until, growth(self._reader(family)), self.k, among)
        unchanged = self._unchanged(kept, kind.ahead)
        grew = self._grew(family, kept, until, unchanged)
        found = decide(kept, self.first, until, grew, self.k, among, unchanged, monthly=bool(kind.source))
        return replace(found, seen=self._signs(found, kind.ahead))

    def _grew(self, family: Family, kept: Decided, until: int, unchanged: int) -> Grew:
        source = KINDS[family].source
        if not source:
            return growth(self._reader(family))
        sure = max((day for day in kept.points if day <= unchanged), default=self.first - 1)
        begin = self.first if kept.since is None or self.first < kept.since else sure + 1
        return crowds(self.history, self.k).grew(self.history, source, family, begin, max(until, kept.until))

    def _signs(self, found: Decided, ahead: int) -> dict[int, str]:
        return signs(self.history, self.first, found.until + ahead) if found.until >= self.first else {}

    def _unchanged(self, kept: Decided, ahead: int) -> int:
        """The last day up to which nothing changed since a choice was made; BEFORE_ALL where that is not known."""
        if not kept.seen:
            return BEFORE_ALL
        now = self._signs(kept, ahead)
        differ = [block for block in {*now, *kept.seen} if now.get(block) != kept.seen.get(block)]
        return max(BEFORE_ALL, min(differ) * BLOCK - 1 - ahead) if differ else kept.until

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
        if name in _EVER:
            return self._ever(name, day)
        known = self._totals.setdefault(name, [])
        step = self._steps()[name]
        while len(known) <= min(day, max(self.last, self.first)) - self.first:
            known.append((known[-1] if known else 0) + step(self.first + len(known)))
        return known[min(day - self.first, len(known) - 1)]

    def grew(self, name: str, after: int, upto: int) -> int:
        """What a total grew by."""
        return self.total(name, upto) - self.total(name, after)

    def _ever(self, name: str, day: int) -> int:
        """People who ever took part by the end of a day; 0 where pseudonyms changed, which tells of nobody."""
        key = (name, min(day, self.last))
        if key not in self._people:
            try:
                people = union([self.history.before(of, key[1] + 1) for of in _EVER[name]])
                if name == "both":
                    people = people & self.history.before("active", key[1] + 1)
                self._people[key] = people.count
            except OtherKeyEpoch:
                self._people[key] = 0
        return self._people[key]

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
            if family == "taking-part":
                return tuple(self.total(name, day) for name in ("contributors", "attendees", "taking-part"))
            if family == "both":
                return (self.total("both", day),)
            use, week = self.total("use", day), self.total("back-7", day)
            if family == "back-7":
                return week, use - week
            following = self.total("back-1", day)
            return following, week - following, use - following

        return read

    def _until(self, family: Family) -> int:
        """The last Sunday, of sums the last end of a month, that is over, with its follow-up and the time allowed to
        late events."""
        if self.last < self.first:
            return self.first - 1  # no day is known yet
        kind = KINDS[family]
        day = month_end(self.last) if kind.source else self.last + (-self.last) % 7
        while day >= self.first and not self._look.closed_on(day + kind.ahead, kind.streams):
            day = ordinal(period_of("month", iso(day)).start) - 1 if kind.source else day - 7
        return max(day, self.first - 1)
