"""Which periods of a pilot must be computed again, in order and in bounded portions.

Promises: every period whose window holds a changed day is taken at least once after the change; a day counts
as processed only when all of them have been; the newest come first. Nothing here reads or writes.
"""

from collections.abc import Collection, Iterable, Iterator

from pipeline.history import History
from pipeline.model import NS_PER_S
from pipeline.periods import Period, day_bounds, day_of, iso, ordinal, period_of, periods_between

CALENDAR = ("day", "week", "month")
# Days after its own for which some indicator waits; a week's cohort waits from its days to a later Sunday.
LOOK_AHEAD = (0, 1, *range(7, 14), *range(28, 35), 60)
REACH = max(LOOK_AHEAD) + 1  # a period may depend on days so much later; all may depend on any earlier day


def everything(history: History, as_of_ns: int) -> Period | None:
    """The pilot's whole series up to its last closed day (to its last day where none is closed)."""
    span = history.span(as_of_ns)
    if span is None:
        return None
    first, last = span
    late_ns = int(max(feed.lateness.total_seconds() for feed in history.pilot.feeds)) * NS_PER_S
    closed = last
    while closed >= first and day_bounds(iso(closed), history.pilot.zone)[1] + late_ns > as_of_ns:
        closed -= 1
    return Period("all", iso(first), iso(closed if closed >= first else last))


def grid(history: History, as_of_ns: int, since: int, touched: Collection[int] = ()) -> Iterator[Period]:
    """Every period of the pilot that ends on or after day `since`, newest first, the whole series at last.

    `touched` days count though the series no longer holds them: when its first or last day was taken out, as by an
    erasure, what was said of the quiet days beside it is withdrawn.
    """
    ends = [*(history.span(as_of_ns) or ()), *touched]
    if not ends:
        return
    first, last = iso(min(ends)), iso(max(ends))
    for name in reversed(CALENDAR):
        yield from reversed([one for one in periods_between(name, first, last) if ordinal(one.end) >= since])
    yield everything(history, as_of_ns) or Period("all", first, last)


def moved_by_clock(history: History, before_ns: int, as_of_ns: int) -> list[Period]:
    """Periods whose statuses may differ between two looks at the clock: those that hold a day which ended, closed
    or was followed long enough in between, today and what lies after it, and what a finished series left behind."""
    span = history.span(as_of_ns)
    if span is None or as_of_ns <= before_ns:
        return []
    zone = history.pilot.zone
    late = {0, *(int(feed.lateness.total_seconds()) for feed in history.pilot.feeds)}
    today = ordinal(day_of(as_of_ns, zone))
    # The last week and month may end after the series does, and close later still.
    last = max(ordinal(period_of(name, iso(span[1])).end) for name in CALENDAR)
    days = {
        day
        for day in range(span[0], last + 1)
        if day >= today
        or any(
            before_ns < day_bounds(iso(day + ahead), zone)[1] + seconds * NS_PER_S <= as_of_ns
            for ahead in LOOK_AHEAD
            for seconds in late
        )
    }
    if (earlier := history.span(before_ns)) is not None:
        days |= set(range(span[1] + 1, earlier[1] + 1))
    if not days:
        return []
    whole = everything(history, as_of_ns)
    return [*([whole] if whole else []), *holding(days)]


def holding(days: Iterable[int]) -> list[Period]:
    """The calendar periods that hold any of these days, newest first."""
    found = {period_of(name, iso(day)) for day in days for name in CALENDAR}
    return sorted(found, key=lambda one: (one.end, one.start), reverse=True)


def outside(history: History, period: Period, as_of_ns: int) -> bool:
    """True where a period holds no day of the pilot's series: what was said of it is withdrawn."""
    span = history.span(as_of_ns)
    return span is None or ordinal(period.start) > span[1] or ordinal(period.end) < span[0]


class Work:
    """What is left to compute for one pilot.

    A few `changed` days are answered at once by the periods that hold them; all later periods follow in a pass
    over the grid. A pass covers the changes that came before it began: its end is what makes their days processed.
    """

    def __init__(self) -> None:
        self.fresh: dict[Period, None] = {}
        self.since: int | None = None
        self.began_ns = -(1 << 62)
        self._passing: list[Period] | None = None
        self._waiting: dict[str, int] = {}
        self._covered: dict[str, int] = {}

    @property
    def idle(self) -> bool:
        """True where nothing is left to compute."""
        return not self.fresh and self.since is None and self._passing is None and not self._waiting

    @property
    def answering(self) -> bool:
        """True while periods that hold changed days are left."""
        return any(period.name != "all" for period in self.fresh)

    @property
    def ready(self) -> bool:
        """True where something other than the whole series is left that needs no new event."""
        return self.answering or (self._passing is not None and [one.name for one in self._passing] != ["all"])

    @property
    def passing(self) -> bool:
        """True while a pass is under way."""
        return self._passing is not None

    @property
    def passed(self) -> bool:
        """True where a pass has taken its last period and is not yet finished."""
        return self._passing == []

    def changed(self, day: int, seq: int, differs: bool, at_once: bool = True, after: int | None = None) -> None:
        """A day was summarised up to touch `seq`; `differs` False where its document stayed the same.

        `after` is the last known day before it: a series that went on after a long silence holds the days between.
        """
        self._waiting[iso(day)] = seq
        if differs:
            if at_once:
                self.fresh.update(dict.fromkeys(holding([day])))
            since = day - REACH if after is None else min(day - REACH, after)
            self.since = since if self.since is None else min(since, self.since)

    def everything(self) -> None:
        """Every period is stale."""
        self.since = 0

    def begin(self, history: History, as_of_ns: int, now_ns: int) -> None:
        """Begin a pass over what is stale, unless one is under way."""
        if self._passing is not None or (self.since is None and not self._waiting):
            return
        since = self.since
        touched = [ordinal(day) for day in self._waiting]
        self._passing = [] if since is None else list(grid(history, as_of_ns, since, touched))[::-1]
        self._covered, self._waiting = self._waiting, {}
        self.since, self.began_ns = None, now_ns

    def take(self, limit: int, whole: bool = True) -> list[Period]:
        """The next periods to compute, at most so many; the whole series, which is a pass's last, only if `whole`."""
        found = [period for period in self.fresh if whole or period.name != "all"][:limit]
        for period in found:
            del self.fresh[period]
        while self._passing and len(found) < limit and (whole or self._passing[-1].name != "all"):
            found.append(self._passing.pop())
        return found

    def finish(self) -> dict[str, int]:
        """The days (with their seq) whose periods have all been computed, once a pass is over."""
        if self._passing is None or self._passing:
            return {}
        covered, self._covered, self._passing = self._covered, {}, None
        return covered
