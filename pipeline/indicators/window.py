"""What an indicator function sees: one period of one pilot, and the days around it."""

from functools import cached_property

from config.catalogue import Pilot
from pipeline.attempts import LOOK_AHEAD, LOOK_BACK, Attempt, attempts
from pipeline.history import History
from pipeline.model import NS_PER_S
from pipeline.partials import Partial
from pipeline.periods import Period, day_bounds, iso, ordinal
from pipeline.rows import Row
from pipeline.sketches import NOBODY, People, union
from pipeline.usage_days import Ints


class Window:
    """A period as day numbers `first` to `last` (both included), judged as of an instant.

    Days before the pilot's series began or after it ended hold nothing.
    """

    def __init__(self, history: History, period: Period, as_of_ns: int) -> None:
        self.history = history
        self.period = period
        self.as_of_ns = as_of_ns
        self.first = ordinal(period.start)
        self.last = ordinal(period.end)
        self._zone = history.pilot.zone
        self._late: dict[tuple[str, ...], int] = {}
        self._cohorts: dict[int, tuple[People, People, int]] = {}

    @property
    def pilot(self) -> Pilot:
        return self.history.pilot

    @cached_property
    def days(self) -> list[Partial]:
        """The known days of the period."""
        return self.history.days(self.first, self.last)

    @cached_property
    def _rows(self) -> list[Row]:
        return self.history.rows(max(self.first, self.span[0]), min(self.last, self.span[1]))

    def rows(self, *types: str) -> list[Row]:
        """The rows of the period of these types (of all where none is named), in order of time within a day.

        Core actions, sessions and exposures are summed per person, service and channel (`pipeline.rows`).
        """
        return [row for row in self._rows if not types or row.type in types]

    def rows_between(self, first: int, last: int, *types: str) -> list[Row]:
        """The same for any days, such as those that an indicator looks back on or ahead to."""
        return [row for row in self.history.rows(first, last) if not types or row.type in types]

    @cached_property
    def span(self) -> tuple[int, int]:
        """First and last day of the pilot's series; an empty span before any data."""
        return self.history.span(self.as_of_ns) or (self.last + 1, self.last)

    def known(self, stream: str) -> bool:
        """True where the period holds a day on which a stream could be heard."""
        began = self.history.first_of_stream(stream)
        return began is not None and began <= self.last and self.first <= self.span[1]

    def closed_on(self, day: int, streams: tuple[str, ...]) -> bool:
        """True once a day and the lateness allowed to its feeds are over."""
        if streams not in self._late:
            self._late[streams] = (
                int(
                    max(
                        (
                            feed.lateness.total_seconds()
                            for feed in self.pilot.feeds
                            if not streams or feed.stream in streams
                        ),
                        default=0.0,
                    )
                )
                * NS_PER_S
            )
        return day_bounds(iso(day), self._zone)[1] + self._late[streams] <= self.as_of_ns

    @cached_property
    def active(self) -> People:
        """Who did a core action in the period."""
        return self.history.union("active", self.first, self.last)

    @cached_property
    def core(self) -> Ints:
        """The core actions of the period, columns as in `pipeline.usage_days.Col`."""
        return self.history.usage.core(self.first, self.last)

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The attempts at tasks that began in the period."""
        tasks = self.history.usage.tasks(self.first - LOOK_BACK, self.last + LOOK_AHEAD)
        return attempts(tasks, self.first, self.last, lambda day: self.closed_on(day, ("usage",)))

    @cached_property
    def taking_part(self) -> People:
        """Who contributed or attended in the period."""
        history = self.history
        return history.union("contributors", self.first, self.last) | history.union("attendees", self.first, self.last)

    @cached_property
    def on_several_days(self) -> People:
        """Who did a core action on more than one day of the period."""
        seen, several = NOBODY, []
        for day in self._active_days:
            today = self.history.people("active", day)
            several.append(seen & today)
            seen = seen | today
        return union(several)

    @cached_property
    def newcomers(self) -> People:
        """Who did a core action in the period for the first time ever."""
        return self.active - self.history.before("active", self.first)

    def cohorts(self, within: int) -> tuple[People, People, int]:
        """Of the first-time users of each day: all, those active again 1 to `within` days later, and the
        number of days left out because those days are not over yet."""
        if within not in self._cohorts:
            self._cohorts[within] = self._follow(within)
        return self._cohorts[within]

    def _follow(self, within: int) -> tuple[People, People, int]:
        cohort, back, young = [], [], 0
        for day in self._active_days:
            fresh = self.history.newcomers(day)
            if fresh.nobody:
                continue
            if not self.closed_on(day + within, ("usage",)):
                young += 1
                continue
            cohort.append(fresh)
            back.append(fresh & self.history.union("active", day + 1, day + within))
        return union(cohort), union(back), young

    @cached_property
    def known_days(self) -> list[int]:
        """The numbers of the known days of the period."""
        return [ordinal(partial.day) for partial in self.days]

    @cached_property
    def _active_days(self) -> list[int]:
        return [ordinal(partial.day) for partial in self.days if partial.active]
