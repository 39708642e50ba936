"""`periscope try --listen`: what would become of the messages that come from the broker now.

Promises: a clean session of its own, so that no collector misses a message; nothing is kept or written; what a feed
that names persons sends is judged but never shown.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from collectors.message import BrokerAway, BrokerRefused
from collectors.scratch import Heard, Scratch
from collectors.trial import Judge, Tried, known_feed, known_pilot
from config.catalogue import Catalogue
from config.problems import ConfigError, Problem
from config.settings import Mqtt

_LOOK_S = 0.1
_MOST_WAITING = 10_000


def filters_of(catalogue: Catalogue, pilot: str | None, feed: str | None) -> list[str]:
    """The topic of one feed, or all of a pilot's or of every pilot's, so that a mistyped one is seen too.

    Raises ConfigError for a pilot or feed that is not there.
    """
    if feed is not None:
        if pilot is None:
            raise ConfigError([Problem("--feed", "", "needs the pilot of the feed", "add --pilot SLUG")])
        return [known_feed(catalogue, pilot, feed).topic]
    pilots = list(catalogue.pilots.values()) if pilot is None else [known_pilot(catalogue, pilot)]
    below = "pilots/" if pilot is None else f"pilots/{pilot}/"
    foreign = {one.topic for place in pilots for one in place.feeds if not one.topic.startswith(below)}
    return [f"{below}#", *sorted(foreign)]


def listen(
    mqtt: Mqtt,
    catalogue: Catalogue,
    filters: list[str],
    seconds: float,
    count: int | None,
    stop: threading.Event,
    clock: Callable[[], int],
) -> Iterator[Tried]:
    """Judge messages as they come, until `count`, `seconds` or `stop`; raises BrokerRefused or BrokerAway."""
    judge, waiting = Judge(catalogue), SimpleQueue[Heard]()
    name = f"periscope-try-{secrets.token_hex(6)}"

    def take(heard: Heard) -> None:
        if waiting.qsize() < _MOST_WAITING:  # a look needs no completeness, and memory is not to grow
            waiting.put(heard)

    with Scratch(mqtt, name, on_message=take) as scratch:
        denied = [grant.filter for grant in scratch.subscribe(filters) if grant.qos is None]
        if denied:
            raise BrokerRefused(
                f"broker {mqtt.host}:{mqtt.port} does not grant {', '.join(denied)}; let its user "
                f'"{mqtt.username or ""}" read these topics'
            )
        deadline, left = time.monotonic() + seconds, count
        while (left is None or left > 0) and time.monotonic() < deadline and not stop.is_set():
            try:
                heard = waiting.get(timeout=_LOOK_S)
            except Empty:
                if scratch.ended:
                    raise BrokerAway(
                        f"broker {mqtt.host}:{mqtt.port}: the connection ended ({scratch.ended.lower()}); try again"
                    ) from None
                continue
            yield _tried(judge, heard, clock())
            left = None if left is None else left - 1


def nothing_came(mqtt: Mqtt, filters: list[str], seconds: float) -> str:
    """What to look at when there was no message."""
    shown = ", ".join(filters[:3]) + (f" and {len(filters) - 3} more" if len(filters) > 3 else "")
    return (
        f"Nothing came on {shown} within {seconds:g} s: see that the sender runs and publishes on exactly that topic "
        f'of {mqtt.host}:{mqtt.port}, and that the broker\'s user "{mqtt.username or ""}" may read it (Mosquitto '
        "grants what its access list withholds); a feed that sends seldom needs more --seconds."
    )


def _tried(judge: Judge, heard: Heard, now_ns: int) -> Tried:
    topic = heard.topic.decode("utf-8", "replace")
    tried = judge.tried(
        topic, heard.topic, heard.payload, now_ns, retained=heard.retained, content_type=heard.content_type,
        properties=heard.properties,
    )  # fmt: skip
    place = judge.roster.place(topic)
    personal = place.feed.person_id is not None if place.feed else judge.roster.may_name_persons(place.pilot)
    return tried.without_bodies() if personal else tried
