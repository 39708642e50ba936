"""What a feed says about itself: the interval it was up, and how many events of each type it sent in it.

One heartbeat covers [since, until). Those of one feed tile its time without gap or overlap, so the share of a
day that they cover is the share of the day in which silence means that people were silent.
"""

from collections import Counter
from collections.abc import Mapping

from collectors.simulator.chance import NS_PER_MS, iso
from collectors.simulator.envelope import Simulated, cloud_event, source_of, topic_of
from collectors.simulator.world import City
from config.catalogue import Feed


def beat(city: City, feed: Feed, seq: int, since_ns: int, until_ns: int, counts: Mapping[str, int]) -> Simulated:
    """A `feed.heartbeat` on the feed's own topic; its event time is the last ms that it covers."""
    at = max(since_ns, until_ns - NS_PER_MS)
    data = {"seq": seq, "since": iso(since_ns), "until": iso(until_ns), "counts": dict(counts), "consent": "none"}
    event_id = f"{city.world}-{city.pilot.slug}-{feed.id}-beat-{since_ns // NS_PER_MS}-{until_ns // NS_PER_MS}"
    return Simulated(topic_of(feed), cloud_event(event_id, source_of(city.pilot, feed), "feed.heartbeat", at, data), at)


def beats(feed: Feed) -> bool:
    """Whether a feed sends heartbeats: it declares an interval and its format can carry them."""
    return feed.heartbeat_every is not None and feed.decoder == "cloudevents"


def counted(types: list[str]) -> dict[str, int]:
    return dict(sorted(Counter(types).items()))
