"""The live board of one pilot: the last hour by minutes, today against its own usual, the health of its feeds.

Promises: an event counts within one look of the store; today's exact counts follow with the exact day; events
known only to the day or hour are on no minute; a silent feed says so, and is never a quiet one.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from config.catalogue import Feed
from pipeline.feed_days import heard_ns
from pipeline.history import History
from pipeline.model import NS_PER_S, Event
from pipeline.partials import HOUR_NS, SERIES
from pipeline.periods import day_bounds, day_of, ordinal
from pipeline.quality import OK
from pipeline.values import FeedNow, NowBoard

MINUTE_NS = 60 * NS_PER_S
AHEAD_NS = 300 * NS_PER_S  # a source's clock may run so much ahead; later times say nothing about life now
WEEKS, LEAST_DAYS, INTERVALS = 8, 3, 3
_TIMED = ("ms", "s", "minute")


class Board:
    """What is known of a pilot right now, in memory."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._minutes: dict[str, dict[int, int]] = {series: {} for series in SERIES}
        self.heard: dict[str, int] = {}
        self._devices: dict[tuple[str, str], int] = {}
        self._synthetic = history.pilot.synthetic
        self.day = ""

    def remember(self) -> None:
        """Take signs of life from the pilot's newest known days."""
        for feed in self._history.pilot.feeds:
            if (last_ns := self._history.newest(feed.id, 1 << 40)) is not None:
                self.heard[feed.id] = max(last_ns, self.heard.get(feed.id, last_ns))

    def to_read(self, now_ns: int, busy: bool) -> tuple[int, int]:
        """What a look at the store must read: the whole day at first, then 61 minutes (3 in a busy hour)."""
        zone = self._history.pilot.zone
        day = day_of(now_ns, zone)
        back = now_ns - (3 if busy else 61) * MINUTE_NS
        if self.day != day:
            back = min(day_bounds(day, zone)[0], now_ns - 61 * MINUTE_NS)
            self.day = day
        return back // MINUTE_NS * MINUTE_NS, (now_ns + AHEAD_NS) // MINUTE_NS * MINUTE_NS

    def take(self, events: Sequence[Event], start_ns: int, end_ns: int, now_ns: int) -> None:
        """All events of [start, end) in place of what was known of those minutes."""
        first, last = start_ns // MINUTE_NS, end_ns // MINUTE_NS
        for known in self._minutes.values():
            for minute in [minute for minute in known if first <= minute < last]:
                del known[minute]
        for event in events:
            if event.stream in self._minutes and event.time_precision in _TIMED:
                known = self._minutes[event.stream]
                minute = event.floor_ns // MINUTE_NS
                known[minute] = known.get(minute, 0) + event.count
            self._synthetic = self._synthetic or event.synthetic
        self._hear(events, now_ns)

    def _hear(self, events: Iterable[Event], now_ns: int) -> None:
        for event in events:
            at_ns = heard_ns(event)
            if event.feed == "" or at_ns > now_ns + AHEAD_NS or event.type.startswith("collector."):
                continue
            self.heard[event.feed] = max(at_ns, self.heard.get(event.feed, at_ns))
            if event.device:
                key = (event.feed, event.device)
                self._devices[key] = max(at_ns, self._devices.get(key, at_ns))

    def board(self, now_ns: int) -> NowBoard:
        """The board as of an instant."""
        pilot = self._history.pilot
        day = day_of(now_ns, pilot.zone)
        start, _ = day_bounds(day, pilot.zone)
        self._forget(min(start, now_ns - 61 * MINUTE_NS) // MINUTE_NS)
        newest = now_ns // MINUTE_NS
        streams = [series for series in SERIES if any(feed.stream == series for feed in pilot.feeds)]
        return NowBoard(
            pilot=pilot.slug,
            day=day,
            as_of_ns=now_ns,
            minutes={
                series: [self._minutes[series].get(newest - back, 0) for back in range(59, -1, -1)]
                for series in streams
            },
            today={
                series: sum(n for minute, n in self._minutes[series].items() if minute >= start // MINUTE_NS)
                for series in streams
            },
            usual={series: self._usual(series, day, now_ns - start, now_ns) for series in streams},
            feeds=[self._feed(feed, now_ns) for feed in pilot.feeds],
            synthetic=self._synthetic,
        )

    def _forget(self, before: int) -> None:
        for series, known in self._minutes.items():
            self._minutes[series] = {minute: n for minute, n in known.items() if minute >= before}

    def _usual(self, series: str, day: str, elapsed_ns: int, now_ns: int) -> float | None:
        """Median count by this time of day on the same weekday of 8 weeks, days with poor feeds left out."""
        number, found = ordinal(day), []
        first = self._history.first_of_stream(series)
        for past in range(number - 7, number - 7 * WEEKS - 1, -7):
            if first is None or past < first:
                continue
            complete = self._history.completeness(series, past, past, now_ns)
            partial = self._history.day(past)
            if (complete is None and partial is None) or (complete is not None and complete < OK):
                continue
            found.append(_by_then(partial.hours.get(series, []) if partial else [], elapsed_ns))
        return float(median(found)) if len(found) >= LEAST_DAYS else None

    def _feed(self, feed: Feed, now_ns: int) -> FeedNow:
        last_ns = self.heard.get(feed.id)
        every = feed.heartbeat_every or feed.expect_every
        expected_s = None if every is None else every.total_seconds()
        age_s = None if last_ns is None else max(0.0, (now_ns - last_ns) / NS_PER_S)
        verdict, sentence = self._judge(feed, age_s, expected_s, now_ns)
        return FeedNow(
            feed=feed.id,
            stream=feed.stream,
            verdict=verdict,
            sentence=sentence,
            last_ns=last_ns,
            age_s=age_s,
            expected_s=expected_s,
        )

    def _judge(self, feed: Feed, age_s: float | None, expected_s: float | None, now_ns: int) -> tuple[str, str]:
        if feed.over(day_of(now_ns, self._history.pilot.zone)):
            return "unknown", f"Out of use since the end of {feed.until}, by the pilot's file."
        if feed.by_hand:
            return "unknown", "People enter it by hand, so it is quiet until somebody records something."
        if age_s is None:
            return "unknown", "No event of this feed has been stored yet."
        if expected_s is None:
            return "unknown", "This feed states no interval, so silence cannot be told from quiet."
        if age_s > INTERVALS * expected_s:
            return "silent", f"Nothing for over {INTERVALS} intervals of {_rhythm(expected_s)}: not the same as nobody."
        devices = {device: at_ns for (of, device), at_ns in self._devices.items() if of == feed.id}
        devices |= dict.fromkeys(set(feed.devices) - set(devices), 0)
        lost = sorted(
            device for device, at_ns in devices.items() if (now_ns - at_ns) / NS_PER_S > INTERVALS * expected_s
        )
        if lost and feed.expect_every is not None:
            return "poor", f"{len(lost)} of {len(devices)} devices are silent: {', '.join(lost[:5])}."
        return "ok", f"Heard within its interval of {_rhythm(expected_s)}."


def _rhythm(seconds: float) -> str:
    """An interval in the largest unit that says it whole.

    >>> _rhythm(60), _rhythm(900), _rhythm(3600), _rhythm(86400)
    ('60 s', '15 min', '1 h', '24 h')
    """
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 60:.0f} min" if seconds > 60 and seconds % 60 == 0 else f"{seconds:.0f} s"


def _by_then(hours: list[int], elapsed_ns: int) -> float:
    """The count of whole elapsed hours and the elapsed share of the current one."""
    whole, rest = divmod(max(elapsed_ns, 0), HOUR_NS)
    share = hours[whole] * rest / HOUR_NS if whole < len(hours) else 0.0
    return sum(hours[:whole]) + share
