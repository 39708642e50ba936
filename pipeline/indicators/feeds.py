"""Quality: what each feed and device delivered, how fresh it was, and its longest silence."""

from collections.abc import Iterator

from config.catalogue import Feed
from pipeline.feed_days import Track
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import indicator
from pipeline.indicators.window import Window
from pipeline.model import NS_PER_S
from pipeline.periods import day_bounds, iso

NEVER = "this feed had not been heard by then"


def feeds_with_days(window: Window) -> Iterator[tuple[Feed, int, int]]:
    """Feeds with their first and last day in the period, beginning with the day they were first heard."""
    for feed in window.pilot.feeds:
        began = window.history.first_of_feed(feed.id)
        first = window.last + 1 if began is None else max(began, window.first)
        yield feed, first, min(window.last, window.span[1])


def _bounds(window: Window, first: int, last: int) -> tuple[int, int]:
    """The elapsed part of a stretch of days, in ns."""
    zone = window.pilot.zone
    return day_bounds(iso(first), zone)[0], min(day_bounds(iso(last), zone)[1], window.as_of_ns)


@indicator(
    id="completeness",
    version=1,
    family="quality",
    title="Completeness",
    unit="%",
    direction="up",
    formula="100 · distinct samples received / expected for devices with a stated interval; for feeds with heartbeats "
    "the mean over days of the lesser of time covered by heartbeats and announced events that are stored",
    window="the period from the feed's first day",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("feed.heartbeat", "reading"),
    streams=(),
    dims=("feed", "device"),
    caveat="A feed that states no rhythm has none; n is the number of samples or heartbeats received.",
    source="Q1 completeness",
)
def completeness(window: Window) -> list[Measure]:
    found = []
    for feed, first, last in feeds_with_days(window):
        if last < first:
            found.append(not_defined(NEVER, "feed", feed.id))
            continue
        verdicts = [window.history.verdict(feed, day, window.as_of_ns).completeness for day in range(first, last + 1)]
        known = [one for one in verdicts if one is not None]
        if not known:
            found.append(not_defined("this feed states neither an interval nor heartbeats", "feed", feed.id))
            continue
        days = [one for day in range(first, last + 1) if (one := window.history.feed_day(feed.id, day))]
        beats = feed.heartbeat_every is not None and feed.stream != "sensor"
        n = sum(
            (one.beats.n if one.beats else 0) if beats else sum(device.track.n for device in one.devices)
            for one in days
        )
        found.append(Measure(value=100 * sum(known) / len(known), n=n, dim="feed", segment=feed.id, gate=False))
        found += _devices(window, feed, first, last)
    return found


def _devices(window: Window, feed: Feed, first: int, last: int) -> list[Measure]:
    if feed.stream != "sensor" or feed.expect_every is None:
        return []
    start, end = _bounds(window, first, last)
    expected = (end - start) / NS_PER_S / feed.expect_every.total_seconds()
    found = []
    for device in sorted(window.history.devices(feed, last)):
        n = sum(track.n for _, track in _tracks(window, feed, first, last, device))
        share = min(1.0, n / expected) if expected > 0 else None
        found.append(
            Measure(value=None if share is None else 100 * share, n=n, dim="device", segment=device, gate=False)
        )
    return found


@indicator(
    id="freshness",
    version=1,
    family="quality",
    title="Freshness",
    unit="s",
    direction="down",
    formula="seconds from the newest sign of life (event or heartbeat) to the end of the period, or to now in an "
    "open one",
    window="up to the period's end",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("feed.heartbeat",),
    streams=(),
    dims=("feed",),
    look_back=None,
    caveat="Event time, not time of receipt; a source with a wrong clock looks fresher or older than it is.",
    source="Q2 timeliness: age of the newest event",
)
def freshness(window: Window) -> list[Measure]:
    found = []
    for feed, first, last in feeds_with_days(window):
        newest = window.history.newest(feed.id, window.last)
        if newest is None or last < first:
            found.append(not_defined(NEVER, "feed", feed.id))
            continue
        _, end = _bounds(window, first, last)
        found.append(Measure(value=max(0.0, (end - newest) / NS_PER_S), n=1, dim="feed", segment=feed.id, gate=False))
    return found


@indicator(
    id="longest-gap",
    version=1,
    family="quality",
    title="Longest gap",
    unit="s",
    direction="down",
    formula="longest stretch of the period without a sample, or not covered by a heartbeat where the feed has them; "
    "the edges of the period count",
    window="the period from the feed's first day",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("feed.heartbeat", "reading"),
    streams=(),
    dims=("feed", "device"),
    caveat="For a feed without a rhythm a gap may only mean that nothing happened.",
    source="Q5 continuity",
)
def longest_gap(window: Window) -> list[Measure]:
    found = []
    for feed, first, last in feeds_with_days(window):
        if last < first:
            found.append(not_defined(NEVER, "feed", feed.id))
            continue
        found.append(_gap(window, feed, first, last, None))
        if feed.stream == "sensor":
            found += [_gap(window, feed, first, last, device) for device in sorted(window.history.devices(feed, last))]
    return found


def _gap(window: Window, feed: Feed, first: int, last: int, device: str | None) -> Measure:
    start, end = _bounds(window, first, last)
    longest, reach, n = 0.0, start, 0
    for day, track in _tracks(window, feed, first, last + 1, device):
        longest = max(longest, (min(track.first_ns, end) - reach) / NS_PER_S)
        if day > last:
            reach = max(reach, min(end, track.last_ns) if track.first_ns < end else reach)
            break
        longest, reach, n = max(longest, track.gap_s), max(reach, track.last_ns), n + track.n
    longest = max(longest, (end - reach) / NS_PER_S)
    dim, segment = ("feed", feed.id) if device is None else ("device", device)
    return Measure(value=longest, n=n, dim=dim, segment=segment, gate=False)


def _tracks(window: Window, feed: Feed, first: int, last: int, device: str | None) -> Iterator[tuple[int, Track]]:
    for day in range(first, last + 1):
        found = window.history.feed_day(feed.id, day)
        if found is None:
            continue
        track = found.beats if feed.heartbeat_every is not None and feed.stream != "sensor" else found.heard
        if device is not None:
            track = next((one.track for one in found.devices if one.device == device), None)
        if track is not None:
            yield day, track
