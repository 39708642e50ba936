"""Stage 1: the events of one pilot-local day as one document.

Promises: the document depends on the day's events alone (and on how many were erased of them), not on their order of
arrival; people are in it only as sketches; `count` of several adds to counts and never to people. Sets of people cannot
be added, so every longer window is built from these days (`history`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec

from config.catalogue import Pilot
from pipeline.decisions import Closed, closed_in, roles_in
from pipeline.fates import ToldDays, told_in
from pipeline.feed_days import COARSE, FeedDay, feed_days
from pipeline.model import NS_PER_S, Event
from pipeline.periods import day_bounds
from pipeline.segments import segments_of
from pipeline.sensor_days import SensorDay, sensor_days
from pipeline.sketches import People

VERSION: Final = 9
HOUR_NS: Final = 3600 * NS_PER_S
ARRIVING: Final = ("service.registered", "session.started")
SERIES: Final = ("usage", "engagement", "sensor")
CLOSURE: Final = "calendar.closure"
# Sources write words freely; a day that holds a text per event would outgrow what a store takes.
MOST_WORDS: Final = 50
WORD: Final = 64
ID: Final = 128
DETAILS: Final = 20
DETAIL: Final = 200
DETAILED: Final = 100  # activities of a day whose details are kept
_NONE: Final[Mapping[str, int]] = {}


class Held(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One `activity.held`; `attendance` only where the event itself states it."""

    activity_id: str
    stage: str = "unknown"
    method: str = "unknown"
    attendance: int | None = None
    synthetic: bool = False
    details: dict[str, str | int | float | bool] = {}


class Partial(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One day of one pilot.

    `counts` is by "stream/type", and so is `evidence`: by which kinds of record they are known. `core_by_people` are
    the core actions that carry a pseudonym. `attending` is the number of attendances per activity id. `hours` counts
    each series by hours elapsed
    since local midnight, without events whose time is known only to the day.
    `contributions` are by kind, and `carried` says which feed brought how many of each. `segments` are contributions
    and events of use by feed and what they were part of (`pipeline.segments`).
    `decided` are the decisions closed, `deciding` the people by "group/role" of each decision id. `closures` are
    first and last day of each `calendar.closure` recorded that day. `recorded` is the revision of each event that
    people entered by hand, so that whoever entered it can see that it arrived.
    `rows` tells whether the day's rows (`pipeline.rows`) changed, `chunks` how many records hold them.
    `told` is what collectors last told that day of each feed's last days.
    Sets of people (`pipeline.sketches`, as text): `active` did a core action, `exposed` met the service, `arrived`
    registered or began a session, `contributors` made a contribution, `attendees` attended.
    """

    pilot: str
    day: str
    version: int = VERSION
    synthetic: bool = False
    counts: dict[str, int] = {}
    evidence: dict[str, list[str]] = {}
    core_actions: int = 0
    core_by_people: int = 0
    contributions: dict[str, int] = {}
    carried: dict[str, dict[str, int]] = {}
    segments: dict[str, dict[str, int]] = {}
    contributions_by_people: int = 0
    attendances: int = 0
    attendances_by_people: int = 0
    active: str = ""
    exposed: str = ""
    arrived: str = ""
    contributors: str = ""
    attendees: str = ""
    held: list[Held] = []
    attending: dict[str, int] = {}
    decided: list[Closed] = []
    deciding: dict[str, dict[str, int]] = {}
    closures: list[tuple[str, str]] = []
    recorded: dict[str, int] = {}
    hours: dict[str, list[int]] = {}
    sensors: list[SensorDay] = []
    feeds: list[FeedDay] = []
    told: list[ToldDays] = []
    rows: str = ""
    chunks: int = 0


def summarise(pilot: Pilot, day: str, events: Sequence[Event], erased: Mapping[str, int] = _NONE) -> Partial:
    """The document of a local day from all its events, in any order.

    `erased` are, by feed, events that heartbeats of the day announced and that were erased since.
    """
    start, end = day_bounds(day, pilot.zone)
    # The one place where staff, bots and test accounts are left out; that a feed brought them still counts for it.
    public = [event for event in events if event.actor_key not in pilot.excluded]
    people = [event for event in public if event.stream in ("usage", "engagement")]
    core = [event for event in people if is_core(pilot, event)]
    contributed = [event for event in people if event.type == "contribution.made"]
    attended = [event for event in people if event.type == "attendance"]
    kinds: Counter[str] = Counter()
    for event in contributed:
        kinds[_word(event.data.get("kind"))] += event.count
    return Partial(
        pilot=pilot.slug,
        day=day,
        synthetic=any(event.synthetic for event in events),
        counts=dict(sorted(_counts(public).items())),
        evidence=_evidence(public),
        core_actions=_total(core),
        core_by_people=_total(_personal(core)),
        contributions=dict(sorted(few(kinds).items())),
        carried=_carried(contributed, set(few(kinds))),
        segments=segments_of(pilot, people, is_core),
        contributions_by_people=_total(_personal(contributed)),
        attendances=_total(attended),
        attendances_by_people=_total(_personal(attended)),
        active=_people(core),
        exposed=_people(event for event in people if event.type == "service.exposed"),
        arrived=_people(event for event in people if event.type in ARRIVING),
        contributors=_people(contributed),
        attendees=_people(attended),
        held=_held(people),
        attending=_attending(attended),
        decided=closed_in(people),
        deciding=roles_in(people),
        closures=_closures(events),
        recorded=_recorded(pilot, events),
        hours=_hours(public, start, end),
        sensors=sensor_days(pilot, events, start, end),
        feeds=feed_days(pilot, events, start, end, erased),
        told=told_in(events),
    )


def _evidence(events: Iterable[Event]) -> dict[str, list[str]]:
    """The words by which events say how they are known, "unknown" for those that do not, by "stream/type"."""
    found: dict[str, list[str]] = {}
    said = {(one.stream, one.type, word if isinstance(word := one.data.get("evidence"), str) else "") for one in events}
    for stream, kind, word in sorted({(stream, kind, _word(word)) for stream, kind, word in said}):
        found.setdefault(f"{stream}/{kind}", []).append(word)
    return found


def _carried(contributed: Iterable[Event], kinds: set[str]) -> dict[str, dict[str, int]]:
    """Contributions by feed and kind, in the same words as by kind alone."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for event in contributed:
        word = _word(event.data.get("kind"))
        found[event.feed][word if word in kinds else "other"] += event.count
    return {feed: dict(sorted(found[feed].items())) for feed in sorted(found)}


def is_core(pilot: Pilot, event: Event) -> bool:
    """A core action: one of the pilot's core types, unless the event itself says `core: false`."""
    return event.stream == "usage" and event.type in pilot.core_types and event.data.get("core", True) is not False


def few(words: Counter[str]) -> Counter[str]:
    """The most frequent words, and all others together as "other".

    >>> few(Counter({str(number): 1 for number in range(60)}))["other"]
    10
    """
    ranked = sorted(words, key=lambda word: (-words[word], word))
    found = Counter({word: words[word] for word in ranked[:MOST_WORDS]})
    for word in ranked[MOST_WORDS:]:
        found["other"] += words[word]
    return found


def _word(given: object) -> str:
    return str(given or "unknown")[:WORD]


def _counts(events: Iterable[Event]) -> Counter[str]:
    found: Counter[str] = Counter()
    for event in events:
        found[f"{event.stream}/{event.type}"] += event.count
    return found


def _total(events: Iterable[Event]) -> int:
    return sum(event.count for event in events)


def _personal(events: Iterable[Event]) -> list[Event]:
    """Those of consenting people; an event without a pseudonym counts as an event and as nobody."""
    return [event for event in events if event.actor_key is not None and event.consent == "cohort"]


def _people(events: Iterable[Event]) -> str:
    return People.of(event.actor_key for event in _personal(events) if event.actor_key is not None).dump()


def _held(events: Iterable[Event]) -> list[Held]:
    """Activities in order of id; of two events about one activity the later revision speaks."""
    found: dict[str, tuple[tuple[int, int, str], Held]] = {}
    for event in events:
        if event.type != "activity.held":
            continue
        data = event.data
        stated = data.get("attendance")
        number = None
        if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 <= stated < 2**53:
            number = int(stated)
        held = Held(
            activity_id=str(data.get("activity_id") or event.event_id)[:ID],
            stage=_word(data.get("stage")),
            method=_word(data.get("method")),
            attendance=number,
            synthetic=event.synthetic,
            details=_details(data),
        )
        order = (event.revision, event.time_ns, event.event_id)
        if held.activity_id not in found or found[held.activity_id][0] < order:
            found[held.activity_id] = (order, held)
    every = [found[key][1] for key in sorted(found)]
    return [*every[:DETAILED], *(msgspec.structs.replace(one, details={}) for one in every[DETAILED:])]


def _details(data: dict[str, Any]) -> dict[str, str | int | float | bool]:
    """What a source says of an activity besides, as far as it is short."""
    plain = {
        key[:WORD]: value[:DETAIL] if isinstance(value, str) else value
        for key, value in sorted(data.items())
        if isinstance(value, str | int | float | bool) and key not in ("activity_id", "stage", "method")
    }
    return dict(list(plain.items())[:DETAILS])


def _attending(attended: Iterable[Event]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for event in attended:
        if activity := event.data.get("activity_id"):
            found[str(activity)[:ID]] += event.count
    return dict(sorted(found.items()))


def _closures(events: Iterable[Event]) -> list[tuple[str, str]]:
    spans = {(str(event.data.get("first")), str(event.data.get("last"))) for event in events if event.type == CLOSURE}
    return sorted((first, last) for first, last in spans if _is_day(first) and _is_day(last))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _recorded(pilot: Pilot, events: Iterable[Event]) -> dict[str, int]:
    feeds = {feed.id for feed in pilot.feeds if feed.by_hand}
    return {
        event.event_id: event.revision
        for event in sorted(events, key=lambda event: event.event_id)
        if event.feed in feeds
    }


def _hours(events: Iterable[Event], start: int, end: int) -> dict[str, list[int]]:
    length = max(1, -(-(end - start) // HOUR_NS))
    found: dict[str, list[int]] = defaultdict(lambda: [0] * length)
    for event in events:
        if event.stream in SERIES and event.time_precision not in COARSE:
            hour = min(max(event.floor_ns - start, 0) // HOUR_NS, length - 1)
            found[event.stream][hour] += event.count
    return {series: found[series] for series in SERIES if series in found}
