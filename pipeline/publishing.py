"""One pilot's way from computed to published: release decisions, frozen values, revisions.

Promises: what is written counts as published once every known day but today is in; from then on a change is a revision;
decisions are made once, from closed weeks, and only ever withdrawn. A kill at any point repeats work and loses none.
"""

from collections.abc import Sequence

import msgspec

from pipeline.freeze import closed, content, reason, revise
from pipeline.frozen import Frozen
from pipeline.history import History
from pipeline.model import Record
from pipeline.periods import date_ns, ordinal, shift
from pipeline.release import profile
from pipeline.release_book import Book, Family
from pipeline.release_points import NOTHING_DECIDED, Decided
from pipeline.store.port import Store
from pipeline.values import PeriodValues
from pipeline.work import REACH


def record_time(document: PeriodValues) -> int:
    """Where a period's document lies on the time axis."""
    return 0 if document.period == "all" else date_ns(document.start)


class Publisher:
    """The decisions and frozen values of one pilot under the catalogue's limit `k`."""

    def __init__(self, store: Store, frozen: Frozen, history: History, k: int) -> None:
        self._store, self._frozen, self._history, self._k = store, frozen, history, k
        self._slug = history.pilot.slug
        self._used: dict[Family, Decided] = frozen.kept(self._slug, k) if k > 1 else {}
        self._book: Book | None = None
        self._changed: int | None = None
        self._written = False
        self._causes: dict[str, set[str]] = {}
        self.rebuilt = False

    def changed(self, day: str, how: str | None) -> None:
        """A day's document changed; `how` is a cause of `freeze`, None where that is nobody's news (today)."""
        self._changed = min(ordinal(day), self._changed) if self._changed is not None else ordinal(day)
        if how is not None:
            self._causes.setdefault(how, set()).add(day)

    def decide(self, as_of_ns: int) -> int | None:
        """Decide from what is known now; the first day of which another decision stands than before, if any."""
        if self._k < 2:
            self._book = Book(self._history, as_of_ns, self._k)
            return None
        if self._book is None or self._changed is not None or self._book.as_of_ns != as_of_ns:
            earlier, self._book = (
                self._book,
                Book(self._history, as_of_ns, self._k, self._frozen.kept(self._slug, self._k)),
            )
            if earlier is not None:
                self._book.take_totals(earlier, self._changed)
            self._changed = None
        now = self._book.everything()
        days = [_first_change(self._used.get(family, NOTHING_DECIDED), found) for family, found in now.items()]
        self._used = now
        return min((day for day in days if day is not None), default=None)

    def book(self, as_of_ns: int) -> Book:
        """The decisions made when the present pass began."""
        if self._book is None:
            self.decide(as_of_ns)
        assert self._book is not None, "decide makes one"
        return self._book

    def write(self, documents: Sequence[PeriodValues], now_ns: int) -> list[PeriodValues]:
        """The documents as they must be stored: with their revisions against what was published."""
        published_ns, bases = self._frozen.published_ns(self._slug), self._frozen.bases(self._slug)
        known = self._stored(documents)
        found, held = [], []
        for fresh in documents:
            old = known.get((fresh.period, fresh.start))
            base = bases.get((fresh.period, fresh.start))
            if base is None and old is not None and 0 < old.since_ns <= published_ns:
                base = old
            final = revise(base, fresh)
            same = old is not None and old.end == final.end and _contents(old) == _contents(final)
            if base is not None and base is old and not same:
                held.append(old)
            since_ns = old.since_ns if same and old is not None else now_ns
            found.append(msgspec.structs.replace(final, since_ns=since_ns))
        if held:
            self._frozen.hold(held)
        self._written = True
        return found

    def publish(self, now_ns: int) -> None:
        """Everything of the pilot is in: what was written is published, and what changed has its revision."""
        if not self._written:
            return
        bases = self._frozen.bases(self._slug)
        known = self._stored(list(bases.values()))
        causes = {**self._causes, "erased": set(self._frozen.erasures(self._slug))}
        changes = []
        for key, before in bases.items():
            if (after := known.get(key)) is not None:
                changes.append((before, after, reason(causes, shift(before.end, REACH), self.rebuilt)))
        if self._book is not None and self._k > 1:
            self._frozen.keep(self._slug, self._k, self._book.everything())
            if (k := profile("strict", self._k).k) != self._k:  # decided beside the catalogue's own, for its exports
                strict = Book(self._history, self._book.as_of_ns, k, self._frozen.kept(self._slug, k))
                strict.take_totals(self._book, None)
                self._frozen.keep(self._slug, k, strict.everything())
        self._frozen.publish(self._slug, changes, now_ns)
        self._causes, self._written, self.rebuilt = {}, False, False

    def _stored(self, documents: Sequence[PeriodValues]) -> dict[tuple[str, str], PeriodValues]:
        """What is stored of the same periods, by period and start; of the whole series whatever start it has."""
        found = {}
        for name in {one.period for one in documents}:
            times = sorted(record_time(one) for one in documents if one.period == name)
            wanted = set(times)
            for record in self._store.get("values", self._slug, times[0], times[-1] + 1, key=name):
                if record.time_ns in wanted:
                    document = msgspec.json.decode(record.body, type=PeriodValues)
                    found[name, document.start] = document
        return found


def as_record(document: PeriodValues, body: bytes) -> Record:
    """A period's document as it is stored."""
    return Record(kind="values", pilot=document.pilot, key=document.period, time_ns=record_time(document), body=body)


def _contents(document: PeriodValues) -> dict[tuple[str, str, str], tuple[object, ...]]:
    return {key: content(value) for key, value in closed(document).items()}


def _first_change(before: Decided, now: Decided) -> int | None:
    days = set(before.points) ^ set(now.points)
    if before.until != now.until:
        days.add(min(before.until, now.until) + 1)
    return min(days, default=None)
