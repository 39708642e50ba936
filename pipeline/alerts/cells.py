"""Who is behind a stream's counts: a day's contributions or use by kind and segment at once, with the people.

Cells are made of a day's rows and remembered by their digest, so that asking about half a year again costs little.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from pipeline.alerts.series import KIND, TYPE, WHOLE, methods_of
from pipeline.history import History
from pipeline.rows import Row
from pipeline.segments import ACTIVITY, USE, method_of, named, word_of

ANY: Final = "any"  # every contribution, or every event of use


@dataclass(frozen=True)
class Cell:
    """Contributions, or events of use, that agree in everything. `kind` is their kind or type; `core` says that use
    counts into the total; `method` may be that of an `activity`."""

    kind: str
    group: str
    method: tuple[str, str]
    channel: str
    service: str
    core: bool

    def word(self, dim: str, methods: Mapping[str, str]) -> str:
        """What the cell is in a dimension."""
        if dim != "method":
            return str(getattr(self, KIND if dim == TYPE else dim))
        source, word = self.method
        return methods.get(word, "unknown") if source == ACTIVITY else word


Counted = tuple[Counter[str], dict[str, set[str]]]
Cells = Mapping[Cell, tuple[int, frozenset[str]]]


@dataclass(frozen=True)
class _Day:
    pilot: str
    domain: str
    day: int
    sign: str
    history: History = field(compare=False)


class Behind:
    """Answers about the contributions or the use of one history."""

    def __init__(self, history: History, domain: str) -> None:
        self._history, self._domain = history, domain
        self._methods = methods_of(history)

    def counted(self, days: Iterable[int], dim: str, within: tuple[str, str]) -> Counted:
        """Counts and people of these days by the words of a dimension, within one series (dimension, name)."""
        counts, people = Counter[str](), defaultdict[str, set[str]](set)
        for cell, (number, who) in self._cells(days):
            if self._of(cell, *within):
                word = cell.word(dim, self._methods)
                counts[word] += number
                people[word] |= who
        return counts, people

    def beside(self, days: Iterable[int], within: tuple[str, str], others: Iterable[tuple[str, str]]) -> int:
        """How much of a series belongs to none of the others."""
        wider = tuple(others)
        return sum(
            number
            for cell, (number, _) in self._cells(days)
            if self._of(cell, *within) and not any(self._of(cell, *one) for one in wider)
        )

    def _of(self, cell: Cell, dim: str, name: str) -> bool:
        if dim == WHOLE:
            return cell.core
        if dim == KIND:
            return cell.kind == name
        return dim == ANY or named(USE if dim == TYPE else dim, cell.word(dim, self._methods)) == name

    def _cells(self, days: Iterable[int]) -> Iterator[tuple[Cell, tuple[int, frozenset[str]]]]:
        for day in days:
            known = self._history.day(day)
            if known is not None and known.rows:
                yield from _read(_Day(known.pilot, self._domain, day, known.rows, self._history)).items()


@lru_cache(maxsize=8192)
def _read(one: _Day) -> Cells:
    """The cells of a day; its digest says when it must be read again."""
    counts, people = Counter[Cell](), defaultdict[Cell, set[str]](set)
    use = one.domain == USE
    rows = _use(one) if use else one.history.engagement.of(one.day).get("contribution.made", ())
    for row in rows:
        core = row.data.get("core") is True or not use
        cell = Cell(
            kind=row.type if use else str(row.data.get("kind") or "unknown")[:64],
            group=word_of(row.actor_kind),
            method=method_of(row.data),
            channel=word_of(row.data.get("channel")),
            service=word_of(row.service),
            core=core,
        )
        counts[cell] += row.count
        if row.actor or row.id:
            people[cell].add(row.actor or row.id)
    return {cell: (number, frozenset(people[cell])) for cell, number in counts.items()}


def _use(one: _Day) -> list[Row]:
    known = one.history.day(one.day)
    types = known.counts if known is not None else {}
    return [row for row in one.history.rows(one.day, one.day) if f"{USE}/{row.type}" in types]


def told(
    then: Mapping[str, int], people: Mapping[str, set[str]], seen: Iterable[str], k: int
) -> tuple[list[str], list[str]]:
    """Which words of a dimension may be named, and which are one part with others; `seen` are all that exist.

    Fewer than k people are never named, nor a single word that could be worked out from all others.

    >>> told({"a": 9, "b": 5, "c": 1}, {"a": {"1", "2"}, "b": {"3", "4"}, "c": {"5"}}, "abc", 2)
    (['a'], ['c', 'b'])
    """
    shown = [name for name in then if len(people[name]) >= max(k, 1)]
    if len(shown) < 2:
        return [], list(seen)
    small = [name for name in seen if name not in shown]
    if len(small) == 1:
        shown.sort(key=lambda name: (then[name], name))
        small.append(shown.pop(0))
    return shown, small


def may_be_named(behind: Behind, before: Iterable[int], dim: str, name: str, k: int) -> bool:
    """Whether enough people stood behind a series for its numbers to be told; a total always may."""
    if dim == WHOLE or not k:
        return True
    then, people = behind.counted(before, dim, (ANY, ""))
    shown, _ = told(then, people, then, k)
    return name in {word if dim == KIND else named(USE if dim == TYPE else dim, word) for word in shown}
