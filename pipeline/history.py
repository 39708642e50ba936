"""Stage 2: the days of one pilot, and sets of people over any window of them.

Promises: answers depend on the days put in, never on the order in which they came; sets are built when
first asked for and forgotten when a day beneath them changes. Days are numbers (`periods.ordinal`).
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

from config.catalogue import Feed, Pilot
from pipeline.engagement_days import EngagementDays
from pipeline.feed_days import FeedDay
from pipeline.partials import Partial
from pipeline.periods import day_bounds, day_of, iso, ordinal
from pipeline.quality import UNKNOWN, FeedVerdict, judge
from pipeline.rows import Row, Shelf
from pipeline.sketches import NOBODY, OtherKeyEpoch, People, union
from pipeline.usage_days import UsageDays

Family = Literal["active", "exposed", "arrived", "contributors", "attendees"]
FAMILIES: Final[tuple[Family, ...]] = ("active", "exposed", "arrived", "contributors", "attendees")
BLOCKS: Final = (512, 64, 8)  # days of the calendar that are united once
UNIONS: Final = 512  # windows that are remembered
LIVE_DAYS: Final = 35  # a gated feed silent for longer is a finished one: its pilot's series ends with its data


class History:
    """One pilot's partials in memory, with memoised set algebra over them."""

    def __init__(self, pilot: Pilot, shelf: Shelf | None = None) -> None:
        self.pilot = pilot
        self._shelf = shelf
        self.usage = UsageDays(self)
        self.engagement = EngagementDays(self)
        self._days: dict[int, Partial] = {}
        self._people: dict[tuple[str, int], People] = {}
        self._blocks: dict[tuple[Family, int, int], People] = {}
        self._unions: OrderedDict[tuple[Family, int, int], People] = OrderedDict()
        self._before: dict[str, tuple[int, list[People | None]]] = {}
        self._newcomers: dict[tuple[Family, int], People] = {}
        self._closures: list[tuple[str, str]] | None = None
        self._verdicts: dict[tuple[str, int], FeedVerdict] = {}
        self._first_heard: dict[str, int] | None = None
        self._first_device: dict[str, dict[str, int]] = {}
        self._first_type: dict[str, int] = {}
        self._type_days: dict[str, list[int]] = {}
        self._first_quantity: dict[tuple[str, bool], int] = {}
        self._extent = (0, -1)
        self._heard_days: dict[str, list[int]] = {}
        self._feed_days: dict[tuple[str, int], FeedDay] = {}

    # Days

    def put(self, partial: Partial) -> bool:
        """Take a day in place of what was known of it; False where nothing changed."""
        day = ordinal(partial.day)
        old = self._days.get(day)
        if old == partial:
            return False
        self._days[day] = partial
        if old is None or old.closures != partial.closures:
            self._closures = None
        for feed in old.feeds if old else []:
            self._feed_days.pop((feed.feed, day), None)
        for feed in partial.feeds:
            self._feed_days[feed.feed, day] = feed
        if old is None or _who(old) != _who(partial):
            self._first_heard = None
            self._verdicts.clear()
        for key in [key for key in self._verdicts if key[1] in (day - 1, day)]:
            del self._verdicts[key]
        self._forget_people(day)
        return True

    def _forget_people(self, day: int) -> None:
        for family in FAMILIES:
            self._people.pop((family, day), None)
            for size in BLOCKS:
                self._blocks.pop((family, size, day // size), None)
            if family in self._before:
                first, chain = self._before[family]
                if day < first:
                    del self._before[family]
                else:
                    del chain[day - first + 1 :]
        for key in [key for key in self._unions if key[1] <= day <= key[2]]:
            del self._unions[key]
        for known in [known for known in self._newcomers if known[1] >= day]:
            del self._newcomers[known]

    def day(self, number: int) -> Partial | None:
        """What is known of a day."""
        return self._days.get(number)

    def last_before(self, number: int) -> int | None:
        """The last known day before a day."""
        if number - 1 in self._days:
            return number - 1
        return max((day for day in self._days if day < number), default=None)

    def days(self, first: int, last: int) -> list[Partial]:
        """The known days of a window, in order."""
        return [self._days[day] for day in range(first, last + 1) if day in self._days]

    def rows(self, first: int, last: int) -> list[Row]:
        """The rows of a window of days, in order of day and time; [] where no shelf holds any."""
        days = {day: self._days[day].rows for day in range(first, last + 1) if day in self._days}
        wanted = {day: sign for day, sign in days.items() if sign}
        found = self._shelf.get(wanted) if self._shelf is not None and wanted else {}
        return [row for day in sorted(found) for row in found[day]]

    def all_days(self) -> list[Partial]:
        """Every known day, in order, whatever the extent of the series is."""
        return [self._days[day] for day in sorted(self._days)]

    def closed(self, day: str) -> bool:
        """True where the pilot's calendar, or a closure that somebody recorded, holds that day."""
        if any(one.first.isoformat() <= day <= one.last.isoformat() for one in self.pilot.calendar.closures):
            return True
        if self._closures is None:
            self._closures = [span for partial in self._days.values() for span in partial.closures]
        return any(first <= day <= last for first, last in self._closures)

    # Extent

    def span(self, as_of_ns: int) -> tuple[int, int] | None:
        """First day and last day of the pilot's series; None before any data.

        The last is today while a feed that states its rhythm was heard within 35 days: silence is then
        shown as silence. Otherwise it is the last day with data.
        """
        if not self._firsts():
            return None
        first, last = self._extent
        gated = any(feed.expect_every or feed.heartbeat_every for feed in self.pilot.feeds)
        today = ordinal(day_of(as_of_ns, self.pilot.zone))
        return first, today if gated and last < today <= last + LIVE_DAYS else last

    def first_of_stream(self, stream: str) -> int | None:
        """The first day on which any feed of a stream was heard."""
        first = self._firsts()
        found = [first[feed.id] for feed in self.pilot.feeds if feed.stream == stream and feed.id in first]
        return min(found) if found else None

    def first_of_feed(self, feed_id: str) -> int | None:
        """The first day on which a feed was heard."""
        first = self._first_heard
        return (self._firsts() if first is None else first).get(feed_id)

    def last_heard(self) -> int:
        """The last day on which any feed was heard; -1 before any."""
        self._firsts()
        return self._extent[1]

    def devices(self, feed: Feed, until: int) -> set[str]:
        """The devices that a feed should have by a day: those declared and those heard so far."""
        self._firsts()
        seen = self._first_device.get(feed.id, {})
        return set(feed.devices) | {device for device, day in seen.items() if day <= until}

    def heard_of(self, stream_and_type: str, until: int) -> bool:
        """True once any event of a "stream/type" was stored, up to a day: before that, none is no zero."""
        self._firsts()
        return self._first_type.get(stream_and_type, until + 1) <= until

    def days_with(self, streams_and_types: Iterable[str], first: int, last: int) -> list[int]:
        """The days of a window on which any event of these was stored, in order."""
        self._firsts()
        found: set[int] = set()
        for kind in streams_and_types:
            days = self._type_days.get(kind, [])
            found.update(days[bisect_left(days, first) : bisect_right(days, last)])
        return sorted(found)

    def quantities(self, until: int, counting: bool) -> set[str]:
        """The quantities that sensors measured up to a day: those that count passages, or the others."""
        self._firsts()
        return {
            quantity for (quantity, counts), day in self._first_quantity.items() if day <= until and counts is counting
        }

    def _firsts(self) -> dict[str, int]:
        """First days by feed; every other first and last is found on the way."""
        if self._first_heard is not None:
            return self._first_heard
        first: dict[str, int] = {}
        self._first_device, self._heard_days, self._first_quantity, self._first_type = {}, {}, {}, {}
        self._type_days = {}
        for (feed_id, day), found in sorted(self._feed_days.items(), key=lambda item: item[0][1]):
            first.setdefault(feed_id, day)
            self._heard_days.setdefault(feed_id, []).append(day)
            for device in found.devices:
                self._first_device.setdefault(feed_id, {}).setdefault(device.device, day)
        for day in sorted(self._days):
            for kind in self._days[day].counts:
                self._first_type.setdefault(kind, day)
                self._type_days.setdefault(kind, []).append(day)
            for sensor in self._days[day].sensors:
                self._first_quantity.setdefault((sensor.quantity, sensor.counts), day)
        heard = [day for _, day in self._feed_days]
        self._extent = (min(heard), max(heard)) if heard else (0, -1)
        self._first_heard = first
        return first

    # People

    def people(self, family: Family, day: int) -> People:
        """Who was active, contributed or attended on a day."""
        key = (family, day)
        if key not in self._people:
            partial = self._days.get(day)
            self._people[key] = NOBODY if partial is None else People.load(getattr(partial, family))
        return self._people[key]

    def union(self, family: Family, first: int, last: int) -> People:
        """Who was so on any day of a window.

        A window is made of whole blocks of 512, 64 and 8 days and the days left at its ends: at most 45 sets, whatever
        its length, each made once from the ones below it.
        """
        if last < first:
            return NOBODY
        if last == first:
            return self.people(family, first)
        key = (family, first, last)
        if key not in self._unions:
            self._unions[key] = union(self._parts(family, first, last, BLOCKS))
            if len(self._unions) > UNIONS:
                self._unions.popitem(last=False)
        return self._unions[key]

    def _parts(self, family: Family, first: int, last: int, sizes: tuple[int, ...]) -> Iterator[People]:
        """The sets that make up a window, of blocks of these sizes and single days."""
        if not sizes:
            yield from (self.people(family, day) for day in range(first, last + 1))
            return
        size, smaller = sizes[0], sizes[1:]
        begin, end = -(-first // size), (last + 1) // size  # whole blocks: from begin up to end
        if begin >= end:
            yield from self._parts(family, first, last, smaller)
            return
        yield from self._parts(family, first, begin * size - 1, smaller)
        for number in range(begin, end):
            yield self._block(family, size, number)
        yield from self._parts(family, end * size, last, smaller)

    def _block(self, family: Family, size: int, number: int) -> People:
        key = (family, size, number)
        if key not in self._blocks:
            smaller = BLOCKS[BLOCKS.index(size) + 1 :]
            self._blocks[key] = union(self._parts(family, number * size, (number + 1) * size - 1, smaller))
        return self._blocks[key]

    def before(self, family: Family, day: int) -> People:
        """Who was so on any earlier day of all history."""
        if not self._days:
            return NOBODY
        first, chain = self._before.setdefault(family, (min(self._days), [NOBODY]))
        place = min(max(day - first, 0), max(self._days) - first + 1)
        while len(chain) <= place:
            earlier = chain[-1]
            try:
                chain.append(None if earlier is None else earlier | self.people(family, first + len(chain) - 1))
            except OtherKeyEpoch:
                chain.append(None)
        found = chain[place]
        if found is None:
            raise OtherKeyEpoch("the key of the pseudonyms changed within the pilot's history")
        return found

    def newcomers(self, day: int, family: Family = "active") -> People:
        """Who did a core action (or is of another family) on a day for the first time ever."""
        key = (family, day)
        if key not in self._newcomers:
            self._newcomers[key] = self.people(family, day) - self.before(family, day)
        return self._newcomers[key]

    # Feeds

    def feed_day(self, feed_id: str, day: int) -> FeedDay | None:
        """What a feed delivered on a day."""
        return self._feed_days.get((feed_id, day))

    def newest(self, feed_id: str, until: int) -> int | None:
        """The newest sign of life of a feed up to a day, in ns."""
        self._firsts()
        days = self._heard_days.get(feed_id, [])
        place = bisect_right(days, until)
        return self._feed_days[feed_id, days[place - 1]].last_ns if place else None

    def verdict(self, feed: Feed, day: int, as_of_ns: int) -> FeedVerdict:
        """The verdict on a feed's day; unknown before it was first heard, after its last day, and for days to come."""
        first = self.first_of_feed(feed.id)
        if first is None or day < first or feed.over(iso(day)):
            return UNKNOWN
        key = (feed.id, day)
        if key in self._verdicts:
            return self._verdicts[key]
        start, end = day_bounds(iso(day), self.pilot.zone)
        found = judge(
            feed,
            self.feed_day(feed.id, day),
            self.feed_day(feed.id, day + 1),
            self.devices(feed, day),
            start,
            min(end, as_of_ns),
        )
        if end <= as_of_ns:
            self._verdicts[key] = found
        return found

    def completeness(self, stream: str, first: int, last: int, as_of_ns: int) -> float | None:
        """Of a stream in a window: the mean over days of its worst feed; None where no feed states a rhythm."""
        return self._worst(lambda feed: feed.stream == stream, first, last, as_of_ns)

    def _worst(self, of: Callable[[Feed], bool], first: int, last: int, as_of_ns: int) -> float | None:
        means = []
        for feed in filter(of, self.pilot.feeds):
            known = [
                found
                for day in range(first, last + 1)
                if (found := self.verdict(feed, day, as_of_ns).completeness) is not None
            ]
            if known:
                means.append(sum(known) / len(known))
        return min(means) if means else None


def _who(partial: Partial) -> tuple[object, ...]:
    """The feeds, devices, quantities and types heard on a day."""
    feeds = [(feed.feed, [device.device for device in feed.devices]) for feed in partial.feeds]
    return feeds, {(sensor.quantity, sensor.counts) for sensor in partial.sensors}, set(partial.counts)
