"""The people behind sums that add up over days and are no counts of people: attempts, core actions, answers, sign-ups.

A week's attempts less those of its other days are those of the day left out. So such sums are told between readable
days only, after which each part of what was added rests on 0 or on at least k people (`pipeline.release_points`).
Somebody counts in each part that holds anything of theirs; what has no pseudonym is one person each, but for tasks and
core actions, of which it is public that they are counted without people. A part is named "family/part".
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from pipeline.attempts import LOOK_AHEAD, LOOK_BACK, attempts
from pipeline.history import History
from pipeline.indicators.engagement_giving import FOLLOWED, Signups
from pipeline.indicators.engagement_views import ITEMS, TOP, answers_among, score
from pipeline.indicators.uptake_surveys import CONTENT, SUS, SUS_ITEMS, of_users, scores_of
from pipeline.indicators.usage import pairs
from pipeline.indicators.window import Window
from pipeline.periods import Period, iso
from pipeline.release_points import Grew
from pipeline.rows import Row
from pipeline.usage_days import HELPED, NO_WORD, Col

Told = tuple[int, str, Hashable]  # day, part, person
AT_ONCE: Final = 28  # days that are read in one go
BLOCK: Final = 64  # days that one sign stands for


class Source(NamedTuple):
    """Where parts come from, and how many days before and after a day decide what it holds."""

    read: Callable[[History, int, int, int], Iterator[Told]]
    back: int = 0
    ahead: int = 0


def _tasks(history: History, first: int, last: int, _: int) -> Iterator[Told]:
    rows = history.usage.tasks(first - LOOK_BACK, last + LOOK_AHEAD)
    for one in attempts(rows, first, last, lambda day: True):
        if one.actor is not None:
            for part in (
                "done" if one.outcome == "completed" else "not done",
                *(["timed"] if one.seconds is not None else []),
            ):
                yield one.day, f"tasks/{part}", one.actor
                yield one.day, f"task-parts/{one.family}/{part}", one.actor


def _actions(history: History, first: int, last: int, k: int) -> Iterator[Told]:
    lines = history.usage.core(first, last)
    lines = lines[lines[:, Col.WHO] >= 0]
    helped, named = lines[:, Col.ASSISTED] == HELPED, lines[:, Col.CHANNEL] > 0
    parts = {"assisted/helped": lines[helped], "assisted/alone": lines[~helped]}
    parts |= {"channels/named": lines[named], "channels/unnamed": lines[~named]}
    for word in np.unique(lines[:, Col.CHANNEL]):
        if (name := history.usage.word(int(word))) != NO_WORD:
            parts[f"channel-parts/{name}"] = lines[lines[:, Col.CHANNEL] == word]
    for part, some in parts.items():
        days, people, _ = pairs(some[:, Col.DAY], some[:, Col.WHO])
        begins = np.searchsorted(days, days)  # of each day's first person
        for place in np.flatnonzero(np.arange(len(days)) - begins < k):
            yield int(days[place]), part, int(people[place])


def _questionnaires(history: History, first: int, last: int, k: int) -> Iterator[Told]:
    for day in range(first, last + 1):
        for row in history.usage.answers(day, day):
            if not of_users(row):
                continue
            instrument, given = str(row.data.get("instrument", "")), scores_of(row)
            for who in _respondents(row, k):
                if instrument.startswith((SUS, *CONTENT)):
                    yield day, "answered/any", who
                if instrument.startswith(SUS) and len(given) == SUS_ITEMS:
                    yield day, "sus/any", who
                if instrument.startswith(CONTENT):
                    if any(one >= TOP for one in given):
                        yield day, "content/some", who
                    if any(one < TOP for one in given):
                        yield day, "content/not all", who


def _views(history: History, first: int, last: int, k: int) -> Iterator[Told]:
    for day in history.days_with(("engagement/survey.response", "usage/survey.response"), first, last):
        for row in answers_among(history.engagement.of(day).get("survey.response", ())):
            for who in _respondents(row, k):
                yield day, "asked/any", who
                for item in ITEMS:
                    if (given := score(row, item)) is not None and 1 <= given <= 5:
                        yield day, f"{item}/{'top' if given >= TOP else 'rest'}", who


def _respondents(row: Row, k: int) -> Iterator[Hashable]:
    """Who answered, k at most: what was counted without pseudonyms is as many people."""
    if row.actor is not None:
        yield row.actor
    else:
        yield from ((row.id, row.at_ns, number) for number in range(min(row.count, k)))


def _signups(history: History, first: int, last: int, _: int) -> Iterator[Told]:
    for day in history.days_with(["engagement/fieldtest.signup"], first, last):
        signups = Signups(Window(history, Period("day", iso(day), iso(day)), 0))
        for who, (_, stage) in signups.began.items():
            out = not signups.completed(who)
            yield day, f"sign-ups/{'out' if out else 'done'}", who[1]
            yield day, f"sign-up-parts/{stage}/{'out' if out else 'done'}", who[1]
            if out:
                yield day, f"sign-up-parts/{signups.kind(who)}", who[1]


SOURCES: Final = {
    "tasks": Source(_tasks, LOOK_BACK, LOOK_AHEAD),
    "actions": Source(_actions),
    "questionnaires": Source(_questionnaires),
    "views": Source(_views),
    "sign-ups": Source(_signups, ahead=FOLLOWED),
}
_known: WeakKeyDictionary[History, dict[int, "Crowds"]] = WeakKeyDictionary()
Parts = dict[str, frozenset[Hashable] | None]
Days = dict[int, tuple[str, Parts]]


def crowds(history: History, k: int) -> "Crowds":
    """The people behind the sums of a history as far as they were looked for, given the limit k."""
    return _known.setdefault(history, {}).setdefault(k, Crowds(k))


def sign(history: History, first: int, last: int) -> str:
    """A sign of the events of some days."""
    body = "|".join(known.rows if (known := history.day(day)) is not None else "" for day in range(first, last + 1))
    return body if first == last else blake2b(body.encode(), digest_size=8).hexdigest()


def signs(history: History, first: int, last: int) -> dict[int, str]:
    """A sign of the events of each block of days."""
    return {
        block: sign(history, max(first, block * BLOCK), min(last, (block + 1) * BLOCK - 1))
        for block in range(first // BLOCK, last // BLOCK + 1)
    }


class Crowds:
    """By source and day: of each part its people, None where they are k or more. A day is read again when anything that
    decides it changed."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._days: dict[str, Days] = defaultdict(dict)
        self._when: dict[str, dict[str, list[int]]] = {}

    def grew(self, history: History, source: str, family: str, first: int, last: int) -> Grew:
        """How many people, k at most, stand behind each part of a family after a day and up to another; days before
        `first` and after `last` hold nobody."""
        self._load(history, source, first, last)
        if source not in self._when:
            self._when[source] = _places(self._days[source])
        days, when = self._days[source], self._when[source]
        found = [(part, when[part]) for part in when if part.startswith(f"{family}/")]

        def grew(after: int, upto: int) -> Iterator[int]:
            for part, known in found:
                within = known[bisect_right(known, after) : bisect_right(known, upto)]
                yield self._together(days[day][1][part] for day in within)

        return grew

    def _together(self, found: Iterable[frozenset[Hashable] | None]) -> int:
        people: set[Hashable] = set()
        for some in found:
            if some is None:
                return self._k
            people |= some
            if len(people) >= self._k:
                return self._k
        return len(people)

    def _load(self, history: History, source: str, first: int, last: int) -> None:
        how, known, stale = SOURCES[source], self._days[source], []
        for day in range(first, last + 1):
            now = sign(history, day - how.back, day + how.ahead)
            if day not in known or known[day][0] != now:
                known[day] = (now, {})
                stale.append(day)
        for begin in range(0, len(stale), AT_ONCE):
            self._read(history, how, known, stale[begin : begin + AT_ONCE])
        if stale:
            self._when.pop(source, None)

    def _read(self, history: History, how: Source, known: Days, days: list[int]) -> None:
        people: dict[int, dict[str, set[Hashable]]] = {day: defaultdict(set) for day in days}
        for day, part, who in how.read(history, days[0], days[-1], self._k):
            if day in people:
                people[day][part].add(who)
        for day, parts in people.items():
            few = {part: frozenset(some) if len(some) < self._k else None for part, some in parts.items()}
            known[day] = (known[day][0], few)


def _places(days: Days) -> dict[str, list[int]]:
    """The days of each part, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for day in sorted(days):
        for part in days[day][1]:
            found[part].append(day)
    return dict(found)
