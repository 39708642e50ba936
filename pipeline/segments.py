"""What a day's contributions and use were part of, by the feed that brought them: counts beside the totals.

Promise: counts depend on the day's events alone. A contribution that names no method counts under its activity, whose
method may be known from another day only. Of each dimension the most frequent words are kept, the rest is "other".
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from config.catalogue import Pilot
from pipeline.model import Event

DIMENSIONS: Final = ("group", "method", "channel", "service")
ACTIVITY: Final = "activity"
USE: Final = "usage"  # core actions; "usage/<type>" is one type of event of use
UNKNOWN: Final = "unknown"
MOST_WORDS: Final = 50  # of a dimension on a day
WORD: Final = 64

Counts = dict[str, dict[str, int]]


def segments_of(pilot: Pilot, events: Iterable[Event], is_core: Callable[[Pilot, Event], bool]) -> Counts:
    """Counts by feed and "dimension/word"; staff, bots and test accounts are not among the events."""
    alike: dict[tuple[object, ...], list[Any]] = {}  # of events that are part of the same, one, and their number
    for event in events:
        kind = event.type
        if event.stream == USE:
            known = alike.setdefault((event.feed, kind, event.data.get("core", True) is False), [event, 0])
        elif kind == "contribution.made":
            said = (word_of(event.data.get("channel")), event.service_id, *method_of(event.data))
            known = alike.setdefault((event.feed, event.actor_kind, *said), [event, 0])
        else:
            continue
        known[1] += event.count
    found: dict[tuple[str, str, str], int] = defaultdict(int)
    for event, number in alike.values():
        for dim, word in _parts(pilot, event, is_core):
            found[event.feed, dim, word] += number
    kept = _kept(found)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (feed, dim, word), number in found.items():
        counts[feed][named(dim, word if (dim, word) in kept else "other")] += number
    return {feed: dict(sorted(counts[feed].items())) for feed in sorted(counts)}


def named(dim: str, word: str) -> str:
    """A segment's name.

    >>> named("group", "citizen"), named("usage", "")
    ('group/citizen', 'usage')
    """
    return f"{dim}/{word}" if word else dim


def _parts(pilot: Pilot, event: Event, is_core: Callable[[Pilot, Event], bool]) -> Iterable[tuple[str, str]]:
    if event.stream == USE:
        yield USE, event.type
        if is_core(pilot, event):
            yield USE, ""
    elif event.type == "contribution.made":
        yield "group", word_of(event.actor_kind)
        yield method_of(event.data)
        yield "channel", word_of(event.data.get("channel"))
        yield "service", word_of(event.service_id or pilot.service)


def method_of(data: Mapping[str, Any]) -> tuple[str, str]:
    """The method that a contribution names, or else the activity that has one."""
    if "method" not in data and data.get("activity_id"):
        return ACTIVITY, str(data["activity_id"])
    return "method", word_of(data.get("method"))


def word_of(given: object) -> str:
    """A word as the counts have it.

    >>> word_of("app"), word_of(None), word_of(["app"])
    ('app', 'unknown', 'unknown')
    """
    return given[:WORD] if isinstance(given, str) and given else UNKNOWN


def _kept(found: Mapping[tuple[str, str, str], int]) -> set[tuple[str, str]]:
    """The most frequent words of each dimension."""
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, dim, word), number in found.items():
        totals[dim][word] += number
    return {
        (dim, word)
        for dim, words in totals.items()
        for word in sorted(words, key=lambda word: (-words[word], word))[:MOST_WORDS]
    }
