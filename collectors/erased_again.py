"""Who came back: people who were erased and are in what was put back from a backup that is older than their erasure.

Promise: whatever tombstone covers a pseudonym of the store's events, of the journal, the dead letters or the Log, its
person is named. Tombstones tell nobody, so every word is asked; damaged files and copies elsewhere are not looked at.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from collectors.dead_letters import Selection, each, plain
from collectors.spool import Spool
from collectors.spool_archive import Archived
from collectors.tombstones import Tombstones
from config.catalogue import Pilot
from pipeline.logbook import Logbook
from pipeline.periods import day_bounds, ordinal
from pipeline.store.port import Store

_WORD: Final = re.compile(rb"[A-Za-z0-9_-]+")
_BODIES: Final = "SELECT payload, actor_key FROM message WHERE pilot = ?"
_PERSONAL: Final = ("usage", "engagement")  # streams whose events are of people
_DAYS: Final = 10  # read at once


def returned(
    pilot: Pilot, store: Store, spools: Iterable[Spool], logbook: Logbook | None, stones: Tombstones
) -> list[str]:
    """The pseudonyms of a pilot that are kept somewhere though their people were erased, in order."""
    found, asked = set(), set()
    for word in _words(pilot, store, spools, logbook):
        if word not in asked:
            asked.add(word)
            if stones.covers(pilot.slug, word):
                found.add(word)
    return sorted(found)


def _words(pilot: Pilot, store: Store, spools: Iterable[Spool], logbook: Logbook | None) -> Iterator[str]:
    for first, last in _stretches(touch.day for touch in store.touches() if touch.pilot == pilot.slug):
        start, end = day_bounds(first, pilot.zone)[0], day_bounds(last, pilot.zone)[1]
        yield from (event.actor_key for event in store.read(pilot.slug, _PERSONAL, start, end) if event.actor_key)
    for spool in spools:
        for day in spool.days():
            with suppress(Archived):
                for payload, actor_key in spool.read(day, lambda of: of.execute(_BODIES, (pilot.slug,)).fetchall()):
                    yield actor_key or ""
                    yield from _of(payload)
        for which in (Selection(pilot=pilot.slug), Selection(code="unknown_pilot")):
            for letter in each(spool, which):
                yield letter.actor_key or ""
                yield from _of(letter.payload or b"")
    for payload in logbook.payloads(pilot.slug) if logbook is not None else ():
        yield from _of(payload)


def _of(payload: bytes) -> Iterator[str]:
    return (word.decode() for word in _WORD.findall(plain(payload)))


def _stretches(days: Iterable[str]) -> Iterator[tuple[str, str]]:
    """First and last of days that follow on each other, a few at once."""
    known = sorted(set(days))
    begin = 0
    for place in range(1, len(known) + 1):
        more = place < len(known) and ordinal(known[place]) == ordinal(known[place - 1]) + 1
        if not more or place - begin == _DAYS:
            yield known[begin], known[place - 1]
            begin = place
