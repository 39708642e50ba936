"""What the indicators of engagement share: rows by type, who took part, activities by id, the words in common.

Promises: nothing here depends on the order of rows; of several rows about one thing the latest in time speaks.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final
from weakref import WeakKeyDictionary

from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import Compute, indicator
from pipeline.indicators.window import Window
from pipeline.periods import day_of, ordinal
from pipeline.rows import Row
from pipeline.sketches import OtherKeyEpoch, key_epoch

NO_FEED: Final = "no engagement feed had been heard by then"
NO_CONSENT: Final = "engagement is counted without pseudonyms, so people cannot be told apart"
NOBODY_TOOK_PART: Final = "nobody is known to have taken part in this period"
LOOK_BACK: Final = 90
STAGES: Final = ("co_design", "co_decide", "co_produce", "co_evaluate")
LEVELS: Final = ("inform", "consult", "involve", "collaborate", "empower")
GROUPS: Final = ("academia", "business", "citizen", "civil_society", "government")
# The four helices: citizens and their associations are one.
HELICES: Final = {
    "citizen": "public", "civil_society": "public", "business": "business", "government": "government",
    "academia": "academia",
}  # fmt: skip
_STREAMS: Final = ("engagement", "usage", "ops")
_known: WeakKeyDictionary[Window, dict[tuple[str, int, int], list[tuple[int, Row]]]] = WeakKeyDictionary()
_took_part: WeakKeyDictionary[Window, dict[str, "Person"]] = WeakKeyDictionary()


def found(window: Window, *types: str, back: int = 0, ahead: int = 0) -> list[Row]:
    """The rows of these types in the period, and so many days before and after it, in order of time and id.

    Only days on which such events are counted are read, so that looking far costs little.
    """
    if len(types) == 1:
        return [row for _, row in dated(window, types[0], back, ahead)]
    rows = [row for kind in types for _, row in dated(window, kind, back, ahead)]
    return sorted(rows, key=lambda row: (row.at_ns, row.id))


def dated(window: Window, kind: str, back: int = 0, ahead: int = 0) -> list[tuple[int, Row]]:
    """The same of one type, each with its pilot-local day. Not to be changed."""
    known = _known.setdefault(window, {})
    key = (kind, back, ahead)
    if key not in known:
        names = [f"{stream}/{kind}" for stream in _STREAMS]
        heard = window.history.days_with(names, window.first - back, window.last + ahead)
        known[key] = [(day, row) for day in heard for row in window.history.engagement.of(day).get(kind, ())]
    return known[key]


def day(window: Window, row: Row) -> int:
    """The pilot-local day of a row."""
    return ordinal(day_of(row.at_ns, window.pilot.zone))


def engagement(id: str, **words: Any) -> Callable[[Compute], Compute]:
    """Register an engagement indicator, version 1 unless told; before any of its feeds it is not defined."""
    common: dict[str, Any] = {
        "version": 1, "family": "engagement", "window": "the period", "streams": ("engagement",),
        "interval_method": "none", "min_n": 0,
    }  # fmt: skip

    def add(compute: Compute) -> Compute:
        @wraps(compute)
        def guarded(window: Window) -> list[Measure]:
            heard = any(window.known(stream) for stream in words.get("streams", ("engagement",)))
            return compute(window) if heard else [not_defined(NO_FEED)]

        indicator(id=id, **{**common, **words})(guarded)
        return guarded

    return add


def code(row: Row, name: str) -> str:
    """A word of a row's data, "unknown" where it has none."""
    value = row.data.get(name)
    return value if isinstance(value, str) and value else "unknown"


def number(row: Row, name: str) -> float | None:
    """A number of a row's data that is 0 or more."""
    value = row.data.get(name)
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15
    return float(value) if sound else None  # type: ignore[arg-type]


@dataclass
class Person:
    """What one consenting person's rows say; `said` counts the declared words by field."""

    contributions: int = 0
    said: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def word(self, name: str) -> str:
        """The word most often declared (the first in the alphabet of equals), "unknown" where none was."""
        words = self.said.get(name)
        if not words:
            return "unknown"
        return next(iter(words)) if len(words) == 1 else min(words, key=lambda word: (-words[word], word))


def participants(window: Window) -> dict[str, Person]:
    """P: who contributed or attended in the period, by pseudonym; raises OtherKeyEpoch. Not to be changed."""
    if window not in _took_part:
        _took_part[window] = _participants(window)
    return _took_part[window]


def _participants(window: Window) -> dict[str, Person]:
    people: dict[str, Person] = defaultdict(Person)
    for row in found(window, "attendance", "contribution.made"):
        if row.actor is None:
            continue
        person = people[row.actor]
        person.contributions += row.count if row.type == "contribution.made" else 0
        if row.actor_kind != "unknown":
            person.said["actor_kind"][row.actor_kind] += 1
        for name in ("age_band", "gender", "area"):
            if (word := code(row, name)) != "unknown":
                person.said[name][word] += 1
    one_key(people)
    return dict(people)


def one_key(actors: Iterable[str]) -> None:
    """Raise OtherKeyEpoch where pseudonyms were made with more than one key."""
    if len({key_epoch(actor) for actor in actors}) > 1:
        raise OtherKeyEpoch("the key of the pseudonyms changed within the period")


def nobody(window: Window) -> Measure:
    """Why there is no participant: nobody came, or people were only counted."""
    counted = any(row.actor is None for row in found(window, "attendance", "contribution.made"))
    return not_defined(NO_CONSENT if counted else NOBODY_TOOK_PART)


def latest(rows: Iterable[Row], name: str) -> dict[str, Row]:
    """The last row about each id named in `name`; rows without one are left out."""
    return {row.data[name]: row for row in rows if code(row, name) != "unknown"}


def activities(window: Window, back: int = LOOK_BACK) -> dict[str, Row]:
    """Activities by id as last told of, in the period or up to `back` days before: as held, else as announced."""
    announced = latest(found(window, "activity.scheduled", back=back), "activity_id")
    return {**announced, **latest(found(window, "activity.held", back=back), "activity_id")}


def of_activity(known: Mapping[str, Row], row: Row, name: str) -> str:
    """A word that a row says itself, or else its activity."""
    if (own := code(row, name)) != "unknown":
        return own
    activity = known.get(code(row, "activity_id"))
    return code(activity, name) if activity is not None else "unknown"
