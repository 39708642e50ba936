"""The past of the simulated cities, newest day first, so that pages are useful before all of it has arrived.

Promises: the same catalogue, seed, now, weeks and most give the same bytes; never more than `most` messages;
whole days only (a day that would not fit ends the history); no message at or after now; one heartbeat per
feed and day covers [midnight, midnight or now), as heartbeats every minute would be millions.
"""

from collections.abc import Iterator
from datetime import date

from collectors.simulator import engagement, meeting, script, sensors, usage
from collectors.simulator.chance import NS_PER_MS, day_of
from collectors.simulator.envelope import Happening, Simulated, cloud_event, reading, source_of, topic_of
from collectors.simulator.heartbeat import beat, beats, counted
from collectors.simulator.world import City, build
from config.catalogue import Catalogue, Feed

_SENSOR_SHARE = 0.45  # most of the messages that readings may take; beyond it every n-th reading is kept


def history(catalogue: Catalogue, seed: int, now_ns: int, weeks: int = 104, most: int = 400_000) -> Iterator[Simulated]:
    """At most `most` messages of the `weeks` before `now_ns`, over all simulated pilots of the catalogue.

    Days go back from today; within a day, pilots in the catalogue's order, each in order of event time.
    """
    cities = build(catalogue, seed, now_ns)
    now_ns -= now_ns % NS_PER_MS
    stride, left = _stride(cities, weeks * 7, most), most
    for back in range(weeks * 7 + 1):
        made = [message for city in cities for message in of_day(city, _today(city, now_ns) - back, now_ns, stride)]
        if len(made) > left:
            return
        left -= len(made)
        yield from made


def of_day(city: City, day: int, now_ns: int, stride: int = 1) -> list[Simulated]:
    """Everything that one pilot's feeds sent on one local day before `now_ns`, in order of event time."""
    first, after = city.bounds(day)
    found: list[Simulated] = []
    for stream, happenings in (
        ("usage", usage.of_day(city, day) + meeting.of_day(city, day) + script.usage_of(city, day)),
        ("engagement", engagement.of_day(city, day)),
    ):
        found += _people_messages(city, stream, day, happenings, (first, min(after, now_ns)))
    for feed in city.feeds("sensor"):
        found += readings(city, feed, day, first, now_ns, stride)
    found.sort(key=lambda message: message.time_ns)
    return found


def _people_messages(
    city: City, stream: str, day: int, happenings: list[Happening], span: tuple[int, int]
) -> list[Simulated]:
    """Events of one stream and day as messages of its feeds, each feed with its heartbeat.

    Ids are given before a drop-off or an outage takes events away, so an id always means the same event.
    """
    feeds = [feed for feed in city.feeds(stream) if feed.decoder == "cloudevents"]
    if not feeds:
        return []
    happenings.sort(key=lambda happening: (happening.time_ns, happening.type))
    keep = engagement.kept(city, day, len(happenings), stream)
    stamp = f"{city.world}-{city.pilot.slug}-{stream}-{date.fromordinal(day):%Y%m%d}"
    found: list[Simulated] = []
    for k, feed in enumerate(feeds):
        broken = city.silent_after(feed)
        until = span[1] if broken is None else min(span[1], broken)
        topic, source = topic_of(feed), source_of(city.pilot, feed)
        mine = [
            (n, event)
            for n, event in enumerate(happenings)
            if n % len(feeds) == k and event.time_ns < until and (keep[n] or not engagement.loses_interest(city, event))
        ]
        found += [
            Simulated(topic, cloud_event(f"{stamp}-{n}", source, event.type, event.time_ns, event.data), event.time_ns)
            for n, event in mine
        ]
        if beats(feed) and until > span[0]:
            found.append(beat(city, feed, day, span[0], until, counted([event.type for _, event in mine])))
    return found


def readings(city: City, feed: Feed, day: int, since_ns: int, until_ns: int, stride: int = 1) -> list[Simulated]:
    """The readings of a feed's devices on one local day in [since, until); none where a payload has no time."""
    if feed.map is None or feed.map.time is None:
        return []
    broken = city.silent_after(feed)
    until_ns = until_ns if broken is None else min(until_ns, broken)
    found = []
    for device in sensors.devices_of(city, feed):
        topic = topic_of(feed, device)
        for time_ns, values in sensors.of_day(city, feed, device, day, stride):
            if since_ns <= time_ns < until_ns:
                event_id = f"{city.world}-{city.pilot.slug}-{feed.id}-{device}-{time_ns // NS_PER_MS}"
                found.append(Simulated(topic, reading(feed.map, event_id, device, time_ns, values), time_ns))
    return found


def _stride(cities: list[City], days: int, most: int) -> int:
    """1 where all readings fit their share of the messages; n keeps every n-th."""
    per_day = sum(
        len(sensors.devices_of(city, feed)) * 86_400_000_000_000 / every
        for city in cities
        for feed in city.feeds("sensor")
        if (every := sensors.interval_ns(feed))
    )
    return max(1, -(-round(per_day * days) // max(1, round(most * _SENSOR_SHARE))))


def _today(city: City, now_ns: int) -> int:
    return day_of(now_ns, city.pilot.zone)
