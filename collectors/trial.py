"""What would become of messages: decoded and checked as the collector does it, and nothing written.

Promises: intake, decoders and checks are the collector's own; no store or state folder is touched, so what the store
keeps, and what it has already, is not asked; a person's id is replaced with a key that is thrown away.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from collectors.clock_rules import Window
from collectors.decoders import DECODERS
from collectors.ingest import Ingest
from collectors.intake import Intake
from collectors.message import Fault, RawMessage, Undecodable
from collectors.pseudonym import PseudonymKeys
from collectors.topics import Place, Roster
from collectors.trial_advice import advice, fixed_advice
from config.catalogue import Catalogue, Feed, Pilot
from config.problems import ConfigError, Problem
from config.quantities import known_quantity
from pipeline.model import Event

_LINES = (".jsonl", ".ndjson")
_EXAMPLE_LEVEL = "example"
_MOST_IDS = 100_000
_UNNAMED = "one event"
_OTHERS = (("dead_lettered", "dead-lettered"), ("dropped", "dropped by a rule"), ("duplicate", "duplicates"))


class Tried(NamedTuple):
    """One message and what would become of it; `events` are also given where only a check refuses them."""

    where: str
    size: int
    fate: str  # as the ledger names it: written, duplicate, dead_lettered or dropped
    events: list[Event]
    empty: int = 0
    fault: Fault | None = None
    rule: str = ""
    remedy: str = ""
    points: tuple[tuple[Fault, str], ...] = ()  # faults of single points, each with its remedy
    hidden: int = 0  # events that are not shown, as their feed names persons

    def without_bodies(self) -> "Tried":
        """The same with no value, id or field name that a payload holds: its events are only counted."""
        remedy = fixed_advice(self.fault.code) if self.fault is not None else self.remedy
        points = tuple((replace(one, point=_UNNAMED), fixed_advice(one.code)) for one, _ in self.points)
        return self._replace(events=[], hidden=len(self.events), remedy=remedy, points=points)

    def facts(self) -> dict[str, Any]:
        return {
            "message": self.where, "bytes": self.size, "fate": self.fate, "rule": self.rule,
            "fault": {} if self.fault is None else _told(self.fault),
            "remedy": self.remedy, "empty": self.empty, "events": msgspec.to_builtins(self.events),
            "points": [{"point": one.point, **_told(one), "remedy": remedy} for one, remedy in self.points],
            "remarks": list(self.remarks()),
            "hidden": self.hidden,
        }  # fmt: skip

    def lines(self) -> Iterator[str]:
        """For people: the fate, each event, and what to change."""
        why = f" ({self.rule})" if self.rule else f": {self.fault.stage}/{self.fault.code}" if self.fault else ""
        yield f"{self.where}, {self.size} bytes: {self.fate.replace('_', '-')}{why}"
        if self.fault is not None:
            yield f"  why: {self.fault.text}"
        if self.remedy:
            yield f"  change: {self.remedy}"
        for event in self.events:
            said = f"{event.device} {event.quantity} = {event.value:g} {event.unit}" if event.value is not None else (
                f"count {event.count}")  # fmt: skip
            yield f"  {_iso(event.floor_ns)}  {event.type}  {said}  time by {event.time_rule}  id {event.event_id}"
        for fault, remedy in self.points:
            yield f"  {fault.point}: {fault.stage}/{fault.code}: {fault.text}"
            if remedy:
                yield f"    change: {remedy}"
        for remark in self.remarks():
            yield f"  note: {remark}"
        if self.hidden:
            yield f"  {self.hidden} events, not shown because this feed names persons"
        if self.empty:
            yield f"  {self.empty} mapped fields hold no reading"

    def remarks(self) -> Iterator[str]:
        """What is not refused and yet hardly true."""
        for event in self.events:
            known = known_quantity(event.quantity) if event.value is not None else None
            if known is None or known.plausible is None or event.value is None:
                continue
            low, high = known.plausible
            if not low <= event.value <= high:
                yield (
                    f"{event.device} {event.quantity} is outside what is plausible, {low:g} to {high:g} {known.unit};"
                    " correct unit or factor, or add the device's sign for no reading to missing"
                )


class Judge:
    """Decodes and checks one message after the other; remembers the ids of the last ones, for duplicates."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.roster = Roster(catalogue, "trial")
        self._intake, self._ingest = Intake(self.roster, _ThrownAway()), Ingest(self.roster, Window())
        self._seen: set[str] = set()

    def tried(
        self, where: str, topic: str | bytes, payload: bytes, now_ns: int, *, retained: bool = False,
        content_type: str = "", properties: Sequence[tuple[str, str]] = (),
    ) -> Tried:  # fmt: skip
        """What would become of a message that came now on this topic."""
        entry = self._intake.entry(topic, payload, now_ns, content_type, retained, properties=properties)
        feed = self.roster.place(entry.topic).feed
        message = RawMessage(
            topic=entry.topic, payload=entry.payload, received_ns=now_ns, content_type=entry.content_type,
            retained=entry.retained,
        )  # fmt: skip
        if entry.fault is not None:
            return _refused(where, len(payload), entry.payload, entry.fault, feed, [])
        judged = self._ingest.judge(message)
        if judged.fault is not None:
            events = _decoded(message, self.roster.place(entry.topic))
            return _refused(where, len(payload), entry.payload, judged.fault, feed, events)
        if judged.dropped:
            remedy = advice(judged.dropped, feed, entry.payload) if feed is not None else ""
            return Tried(where, len(payload), "dropped", [], judged.empty, rule=judged.dropped, remedy=remedy)
        ids = {event.event_id for event in judged.events}
        fate = "dead_lettered" if judged.faults else "duplicate" if ids <= self._seen else "written"
        if len(self._seen) > _MOST_IDS:
            self._seen.clear()
        self._seen |= ids
        points = tuple(
            (one, advice(one.code, feed, entry.payload) if feed is not None else "") for one in judged.faults
        )
        return Tried(where, len(payload), fate, judged.events, judged.empty, points=points)


class Trial:
    """Tries messages as if they came now on one feed's topic; `topic` is needed only for what its levels name."""

    def __init__(self, catalogue: Catalogue, pilot: str, feed: str, topic: str | None, now_ns: int) -> None:
        self.feed = known_feed(catalogue, pilot, feed)
        self.topic = topic or "/".join(
            _EXAMPLE_LEVEL if part in ("+", "#") else part for part in self.feed.topic.split("/")
        )
        self._now_ns, self._judge = now_ns, Judge(catalogue)
        self.place = self._judge.roster.place(self.topic)
        if (self.place.pilot, self.place.feed_id) != (pilot, feed):
            whose = f"belongs to {self.place.pilot}'s feed {self.place.feed_id}" if self.place.feed else "is no feed's"
            remedy = f"give --topic one that {self.feed.topic} takes, and see periscope lint"
            raise ConfigError([Problem("try", self.topic, f"this topic {whose}", remedy)])

    def run(self, messages: Iterable[tuple[str, bytes]]) -> Iterator[Tried]:
        for where, payload in messages:
            yield self._judge.tried(where, self.topic, payload, self._now_ns)


class Tally:
    """Counts fates, so that a long listening keeps no messages."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.events = 0
        self._partly: Counter[str] = Counter()

    def add(self, one: Tried) -> None:
        self.fates[one.fate] += 1
        shown = len(one.events) + one.hidden
        self.events += shown if one.fate == "written" else 0
        if one.points and shown:
            self._partly += Counter(messages=1, good=shown, bad=len(one.points))

    def sentence(self) -> str:
        parts = [f"{self.fates['written']} of {self.fates.total()} messages would be written, as {self.events} events"]
        if partly := self._partly:
            parts.append(
                f"of {partly['messages']} messages {partly['good']} events would be written and {partly['bad']} points "
                "dead-lettered"
            )
        for fate, word in _OTHERS:
            if count := self.fates[fate]:
                parts.append(f"{count} {word}")
        return "; ".join(parts)


def summary(tried: Iterable[Tried]) -> str:
    """One sentence over all messages."""
    tally = Tally()
    for one in tried:
        tally.add(one)
    return tally.sentence()


def _told(fault: Fault) -> dict[str, str]:
    return {"stage": fault.stage, "code": fault.code, "text": fault.text}


def messages_of(path: Path, by_line: bool = False) -> Iterator[tuple[str, bytes]]:
    """The one message of a file, or one per line of JSON Lines; raises ConfigError where there is no such file."""
    try:
        with path.open("rb") as file:
            if not by_line and path.suffix not in _LINES:
                yield path.name, file.read()
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{path.name} line {number}", line.rstrip(b"\r\n")
    except OSError as error:
        raise ConfigError([Problem("try", str(path), f"cannot be read: {error.strerror}", "give a file of one message")]
                          ) from None  # fmt: skip


class _ThrownAway(PseudonymKeys):
    """Keys that no folder holds."""

    def __init__(self) -> None:
        super().__init__(Path())

    def _key(self, pilot: str) -> bytes:
        return self._keys.setdefault(pilot, secrets.token_bytes(32))


def known_pilot(catalogue: Catalogue, pilot: str) -> Pilot:
    """The pilot of that slug; raises ConfigError with those to choose from."""
    known = catalogue.pilots.get(pilot)
    if known is None:
        raise ConfigError([Problem("--pilot", "", f"there is no pilot {pilot}",
                                   f"choose from {', '.join(catalogue.pilots)}")])  # fmt: skip
    return known


def known_feed(catalogue: Catalogue, pilot: str, feed: str) -> Feed:
    """The feed of that id; raises ConfigError with those to choose from."""
    known = known_pilot(catalogue, pilot)
    found = known.feed(feed)
    if found is None:
        raise ConfigError([Problem("--feed", "", f"{pilot} has no feed {feed}",
                                   f"choose from {', '.join(one.id for one in known.feeds)}")])  # fmt: skip
    return found


def _refused(where: str, size: int, payload: bytes, fault: Fault, feed: Feed | None, events: list[Event]) -> Tried:
    remedy = advice(fault.code, feed, payload) if feed is not None else ""  # what no feed takes says so itself
    return Tried(where, size, "dead_lettered", events, fault=fault, remedy=remedy)


def _decoded(message: RawMessage, place: Place) -> list[Event]:
    """The events of a message that a check refused, none where the decoder did or no feed is known."""
    if place.feed is None:
        return []
    try:
        return DECODERS[place.feed.decoder](message, place).events
    except Undecodable:
        return []
    except Exception:  # a decoder's own mistake, which the verdict tells already
        return []


def _iso(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{time_ns} ns"
