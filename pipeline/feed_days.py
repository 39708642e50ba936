"""What one feed delivered on one day, as counted from what is stored; `quality` judges it."""

import itertools
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from config.catalogue import Feed, Pilot
from pipeline.delays import delays_of
from pipeline.model import NS_PER_S, Event

COARSE: Final = ("day", "month")
HEARTBEAT: Final = "feed.heartbeat"
AHEAD_NS: Final = 600 * NS_PER_S  # a heartbeat speaks for time that was over when it was sent, clocks aside
_NONE: Final[Mapping[str, int]] = {}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Track(msgspec.Struct, frozen=True):
    """When something was heard within a day: first and last (ns), times heard, longest silence between, in s."""

    first_ns: int
    last_ns: int
    n: int
    gap_s: float


class DeviceDay(msgspec.Struct, frozen=True):
    """One device's distinct samples (distinct times, however many quantities each carried)."""

    device: str
    track: Track


class FeedDay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One feed's day. Times are those the sources named, in ns.

    `messages` counts stored events, heartbeats apart. `heard` is made of events. `beats` is made of
    heartbeats: each covers `since` to `until`, and the track's gaps are what no heartbeat covers; its first
    instant may lie before the day. `covered_s` is the time covered within the day. `announced` and `stored`
    compare what heartbeats that lie wholly within the day announced with what is stored of that time; what an erasure
    took out of it is no longer announced.
    `delays` counts events whose own time is precise to a second or better by the class of their receipt − time
    (`pipeline.delays`).
    """

    feed: str
    stream: str
    messages: int = 0
    heard: Track | None = None
    beats: Track | None = None
    covered_s: float = 0.0
    announced: int = 0
    stored: int = 0
    devices: list[DeviceDay] = []
    delays: dict[int, int] = {}

    @property
    def last_ns(self) -> int:
        """The newest sign of life, in ns."""
        return max(track.last_ns for track in (self.heard, self.beats) if track is not None)


def feed_days(
    pilot: Pilot, events: Iterable[Event], start: int, end: int, erased: Mapping[str, int] = _NONE
) -> list[FeedDay]:
    """Every catalogued feed of which anything was heard, in order of id; `erased` are announced events taken out."""
    heard: dict[str, list[Event]] = defaultdict(list)
    beats: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.type == HEARTBEAT:
            beats[event.feed].append(event)
        elif event.stream != "ops":
            heard[event.feed].append(event)
    feeds = {feed.id: feed for feed in pilot.feeds}
    ids = sorted((set(heard) | set(beats)) & set(feeds))
    return [
        _feed_day(feeds[feed_id], heard[feed_id], beats[feed_id], start, end, erased.get(feed_id, 0)) for feed_id in ids
    ]


def announced_of(pilot: Pilot, gone: Iterable[Event], others: Iterable[Event], start: int) -> dict[str, int]:
    """How many of the events `gone` of a day its heartbeats, among `others`, speak for, by feed."""
    found = {}
    by_feed: dict[str, list[Event]] = defaultdict(list)
    for event in gone:
        by_feed[event.feed].append(event)
    for feed in pilot.feeds:
        beats = [event for event in others if event.type == HEARTBEAT and event.feed == feed.id]
        if n := _reconcile(by_feed[feed.id], _spans(feed, beats), start)[1]:
            found[feed.id] = n
    return found


def heard_ns(event: Event) -> int:
    """When an event was a sign of life: one known to the day or month lies anywhere in it, so not after its receipt."""
    if event.time_precision in COARSE and event.received_ns:
        return min(event.time_ns, event.received_ns)
    return event.floor_ns


def track(times: Sequence[int]) -> Track | None:
    """The track of sorted instants; None of none."""
    if not times:
        return None
    gap = max((later - earlier for earlier, later in itertools.pairwise(times)), default=0)
    return Track(times[0], times[-1], len(times), gap / NS_PER_S)


def _spans(feed: Feed, beats: Iterable[Event]) -> list[tuple[int, int, Event]]:
    return sorted(((*_span(feed, beat), beat) for beat in beats), key=lambda found: found[:2])


def _feed_day(feed: Feed, heard: list[Event], beats: list[Event], start: int, end: int, erased: int) -> FeedDay:
    devices: dict[str, set[int]] = defaultdict(set)
    if feed.stream == "sensor":
        for event in heard:
            devices[event.device].add(event.floor_ns)
    spans = _spans(feed, beats)
    announced, stored = _reconcile(heard, spans, start)
    return FeedDay(
        feed=feed.id,
        stream=feed.stream,
        messages=len(heard),
        heard=track(sorted({heard_ns(event) for event in heard})),
        beats=_cover_track([(since, until) for since, until, _ in spans]),
        covered_s=_covered_s([(since, until) for since, until, _ in spans], start, end),
        announced=max(0, announced - erased),
        stored=stored,
        delays=delays_of(heard),
        devices=[DeviceDay(device, found) for device in sorted(devices) if (found := track(sorted(devices[device])))],
    )


def _span(feed: Feed, beat: Event) -> tuple[int, int]:
    """The time a heartbeat speaks for; without `since` and `until` it is one interval up to its own time.

    What it says of times to come is left out: a feed with a wrong clock must not seem alive ahead of time.
    """
    every = int(feed.heartbeat_every.total_seconds() * NS_PER_S) if feed.heartbeat_every else 0
    until = min(instant(beat.data.get("until"), beat.floor_ns), beat.floor_ns + AHEAD_NS)
    since = instant(beat.data.get("since"), until - every)
    return max(min(since, until), 0), max(until, 0)


def instant(value: object, default: int) -> int:
    """An ISO 8601 text, epoch seconds, ms or ns as ns; anything else is the default.

    >>> instant("1970-01-01T00:00:01Z", 0)
    1000000000
    """
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return default
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(microseconds=1) * 1000
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        for limit, factor in ((1e11, NS_PER_S), (1e14, 1_000_000), (1e17, 1000)):
            if value < limit:
                return int(value * factor)
        return int(value)
    return default


def _cover_track(spans: list[tuple[int, int]]) -> Track | None:
    if not spans:
        return None
    gap, reach = 0, spans[0][1]
    for since, until in spans:
        gap, reach = max(gap, since - reach), max(reach, until)
    return Track(spans[0][0], reach, len(spans), gap / NS_PER_S)


def _covered_s(spans: list[tuple[int, int]], start: int, end: int) -> float:
    covered, reach = 0, start
    for since, until in spans:
        since, until = max(since, reach), min(until, end)
        if until > since:
            covered, reach = covered + until - since, until
    return covered / NS_PER_S


def _reconcile(heard: list[Event], spans: list[tuple[int, int, Event]], start: int) -> tuple[int, int]:
    """Announced and stored events of the time that heartbeats wholly within the day speak for."""
    within = [(since, until, beat) for since, until, beat in spans if since >= start and until > since]
    if not within:
        return 0, 0
    announced = sum(sum(_numbers(beat.data.get("counts"))) for _, _, beat in within)
    sinces = [since for since, _, _ in within]
    stored: Counter[bool] = Counter()
    for event in heard:
        place = bisect_right(sinces, event.floor_ns) - 1
        stored[place >= 0 and event.floor_ns < within[place][1]] += 1
    return announced, stored[True]


def _numbers(counts: object) -> list[int]:
    if not isinstance(counts, dict):
        return []
    return [int(value) for value in counts.values() if isinstance(value, int | float) and not isinstance(value, bool)]
