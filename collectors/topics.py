"""Pure: a topic and the catalogue's feeds → the pilot and feed it belongs to.

The pilot comes from the topic alone. `pilots/{pilot}/{stream}/{source}` names it; a feed with a foreign
topic belongs to the pilot whose file declares it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from config.catalogue import Catalogue, Feed, Pilot

LEDGER_FEED = "collector"
UNKNOWN = "unknown"
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Place:
    """Where a message belongs. `feed` is None when the topic names no declared feed; `code` then says why.

    `extra_types` are event types beside those of the vocabulary that the pilot's file names.
    """

    pilot: str
    feed_id: str
    feed: Feed | None
    zone: ZoneInfo
    code: str = ""
    extra_types: frozenset[str] = frozenset()


class Roster:
    """Every feed of a catalogue, asked by topic; answers are remembered up to a bound."""

    def __init__(self, catalogue: Catalogue, collector: str) -> None:
        self._ledger_root = f"periscope/ops/{collector}/"
        self._pilots = catalogue.pilots
        self._exact: dict[str, Place] = {}
        self._patterns: list[tuple[list[str], Place]] = []
        for pilot in catalogue.pilots.values():
            for feed in pilot.feeds:
                own = frozenset((*feed.extra_types, *pilot.core_types))
                place = Place(pilot.slug, feed.id, feed, pilot.zone, extra_types=own)
                if "+" in feed.topic or "#" in feed.topic:
                    self._patterns.append((feed.topic.split("/"), place))
                else:
                    self._exact.setdefault(feed.topic, place)
        self._known: dict[str, Place] = {}
        self._by_id = {(p.pilot, p.feed_id): p for p in [*self._exact.values(), *(p for _, p in self._patterns)]}
        self._personal = self.needs_pseudonyms()

    def place(self, topic: str) -> Place:
        found = self._known.get(topic)
        if found is None:
            found = self._find(topic)
            if len(self._known) < 10_000:  # a hostile publisher must not fill memory with topic names
                self._known[topic] = found
        return found

    def filters(self) -> list[str]:
        """What to subscribe to: all of `pilots/`, so that an unknown pilot is seen, and every foreign topic."""
        foreign = {f.topic for p in self._pilots.values() for f in p.feeds if not f.topic.startswith("pilots/")}
        return ["pilots/#", f"{self._ledger_root}+", *sorted(foreign)]

    def pilot(self, slug: str) -> Pilot | None:
        return self._pilots.get(slug)

    def needs_pseudonyms(self) -> set[tuple[str, str]]:
        """(pilot, feed) of each feed whose payloads name persons."""
        return {key for key, place in self._by_id.items() if place.feed is not None and place.feed.person_id}

    def may_name_persons(self, pilot: str) -> bool:
        """Whether a message of this pilot with a mistyped topic could be one that names a person."""
        return any(pilot in (slug, UNKNOWN) for slug, _ in self._personal)

    def _find(self, topic: str) -> Place:
        if exact := self._exact.get(topic):
            return exact
        levels = topic.split("/")
        for pattern, place in self._patterns:
            if matches(pattern, levels):
                return place
        if topic.startswith(self._ledger_root) and (pilot := self._pilots.get(levels[-1])):
            return Place(pilot.slug, LEDGER_FEED, _ledger_feed(topic), pilot.zone)
        slug = levels[1] if levels[0] == "pilots" and len(levels) > 1 else ""
        if pilot := self._pilots.get(slug):
            return Place(pilot.slug, UNKNOWN, None, pilot.zone, "unknown_feed")
        return Place(UNKNOWN, UNKNOWN, None, _UTC, "unknown_pilot")


def matches(pattern: list[str], levels: list[str]) -> bool:
    """Whether an MQTT filter takes a topic, both split into levels.

    >>> matches("pilots/+/usage/#".split("/"), "pilots/bremen/usage/app".split("/"))
    True
    >>> matches("#".split("/"), "$SYS/broker".split("/"))
    False
    """
    if levels[0].startswith("$") and pattern[0] in ("+", "#"):
        return False
    for number, wanted in enumerate(pattern):
        if wanted == "#":
            return True
        if number >= len(levels) or wanted not in ("+", levels[number]):
            return False
    return len(pattern) == len(levels)


def removed(before: Iterable[str], now: Iterable[str]) -> list[str]:
    """Filters that the session still holds and the catalogue no longer wants."""
    return sorted(set(before) - set(now))


def _ledger_feed(topic: str) -> Feed:
    return Feed(id=LEDGER_FEED, topic=topic, stream="ops", synthetic=False, drop=[])
