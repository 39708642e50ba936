"""Checks of the event types that a pilot's file names beside those of the vocabulary."""

from collections.abc import Iterator

from config.catalogue import Pilot
from config.events import EVENT_TYPES, nearest

_NEARLY = 0.85


def type_problems(pilot: Pilot) -> Iterator[tuple[str, str, str]]:
    """(key, what, remedy) of each name that is likely a slip: a misspelt core type would make every use nothing."""
    named = [("core_types", name) for name in pilot.core_types]
    named += [(f"feeds.{feed.id}.extra_types", name) for feed in pilot.feeds for name in feed.extra_types]
    for key, name in named:
        near = None if name in EVENT_TYPES else nearest(name, cutoff=_NEARLY)
        if near is not None:
            yield key, f'names a type "{name}" that looks like {near} misspelt', f"write {near}, or another name"
