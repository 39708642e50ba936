"""Which days of a pilot were written, with the digest of each document: readers read again what changed, and no more.

One record per pilot and calendar year. Promise: a day's digest is written after its document, so whoever reads by the
index has each day at least as new as the index says. A store without an index is one that an older version wrote.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from pipeline.model import Record
from pipeline.periods import date_ns, iso, ordinal
from pipeline.store.port import Store

KIND: Final = "index"
KEY: Final = "days"
AT_ONCE: Final = 31  # days
_EVER: Final = (-(1 << 62), 1 << 62)
_Digests = dict[str, str]


def digest(body: bytes) -> str:
    """Of a day's document, as the index holds it."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


class DayIndex:
    """The writer's side, for one pilot."""

    def __init__(self, pilot: str, bodies: Iterable[tuple[str, bytes]]) -> None:
        self._pilot = pilot
        self._days: _Digests = {day: digest(body) for day, body in bodies}

    def records(self, bodies: Iterable[tuple[str, bytes]]) -> list[Record]:
        """The index of the years of these days, once their documents are as given."""
        written = {day: digest(body) for day, body in bodies}
        self._days |= written
        return self._of({day[:4] for day in written})

    def missing(self, store: Store) -> list[Record]:
        """The index of each year that the store does not have as it should be."""
        stored = {record.time_ns: record.body for record in store.get(KIND, self._pilot, *_EVER, key=KEY)}
        return [one for one in self._of({day[:4] for day in self._days}) if stored.get(one.time_ns) != one.body]

    def _of(self, years: Collection[str]) -> list[Record]:
        found: dict[str, _Digests] = {year: {} for year in sorted(years)}
        for day in sorted(self._days):
            if day[:4] in years:
                found[day[:4]][day] = self._days[day]
        return [
            Record(
                kind=KIND,
                pilot=self._pilot,
                key=KEY,
                time_ns=date_ns(f"{year}-01-01"),
                body=msgspec.json.encode(days),
            )
            for year, days in found.items()
        ]


def changed(store: Store, pilot: str, known: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The day and the document of every day whose digest differs from the `known` one."""
    indexes = store.get(KIND, pilot, *_EVER, key=KEY)
    if not indexes:
        wanted: list[tuple[int, int]] = [_EVER]
    else:
        days = [msgspec.json.decode(record.body, type=_Digests) for record in indexes]
        differ = sorted(ordinal(day) for year in days for day, sign in year.items() if known.get(day) != sign)
        wanted = [(date_ns(iso(first)), date_ns(iso(last)) + 1) for first, last in _stretches(differ)]
    for start_ns, end_ns in wanted:
        for record in store.get("partial", pilot, start_ns, end_ns, key="day"):
            day = iso(record.time_ns // date_ns("1970-01-02") + ordinal("1970-01-01"))
            if known.get(day) != digest(record.body):
                yield day, record.body


def _stretches(days: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of days that lie near each other, at most a month at once."""
    begin = 0
    for place in range(1, len(days) + 1):
        if place == len(days) or days[place] - days[begin] >= AT_ONCE or days[place] - days[place - 1] > 2:
            yield days[begin], days[place - 1]
            begin = place
