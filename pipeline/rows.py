"""Stage 1, in detail: what single events of a day say, row by row, for indicators that sums cannot answer.

Promises: rows depend on the day's events alone, not on their order of arrival; staff, bots and test accounts
are in none; a pseudonym stands only in rows of consenting people. Rows are personal data like the events:
after an erasure the day is summarised again, and its rows with it. Core actions, sessions and exposures are
summed per person, service and channel, so that a busy day stays small.
"""

import base64
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from config.catalogue import Pilot
from pipeline.model import Event, Record
from pipeline.periods import date_ns, iso, ordinal
from pipeline.store.port import Store

KIND: Final = "detail"
STREAMS: Final = ("usage", "engagement")
BESIDES: Final = frozenset({"population.snapshot", "definition.changed"})
WITHDRAWN: Final = "record.withdrawn"
# Summed per person, service, channel and help: of these only how many matters, never which.
SUMMED: Final = frozenset({"action.performed", "session.started", "session.ended", "service.exposed"})
# What a row keeps of an event's data; everything else stays in the raw event.
KEPT: Final = frozenset((
    "activity_id", "challenge_id", "stage", "level_declared", "level_delivered", "method", "tools",
    "techniques", "skills_needed", "skills_present", "facilitators_n", "mode", "open", "duration_min", "lang",
    "timing_basis", "cost_eur", "place", "starts_on", "starts_at", "declared_on", "reason", "obstacles",
    "lessons", "represents", "org_key", "age_band", "gender", "area", "channel", "assisted", "kind",
    "contribution_id", "contribution_ids", "disposition", "recorded_by", "decision_id", "role", "outcome",
    "inputs_considered", "inputs_adopted", "fieldtest_id", "fieldtest_stage", "task_id", "task_family",
    "attempt_id", "duration_ms", "deadline", "service_version", "instrument", "item", "scores", "respondent",
    "invited", "hours", "eur", "skill", "level", "assessor", "since", "until", "start", "end", "value",
    "by_group", "year", "source_url", "natural_cadence", "indicator", "version", "attendance", "counted",
    "core", "first", "last",
))  # fmt: skip
OF_SUMS: Final = ("activity_id", "channel", "natural_cadence", "age_band", "gender", "area")
_TEXT: Final = 200
_ITEMS: Final = 1000  # as many as the ids of one published answer
_CHUNK: Final = 600_000  # bytes before base64, so that a record stays below what a store takes
_LEVEL: Final = 3  # of compression: takes 0.4 of the time of level 6 for a fifth more bytes


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One event, or the sum of a person's like events of a day.

    `at_ns` is the time that the source named (floored to its precision; of a sum the first one), `id` the event's
    (of a sum ""), `actor` a pseudonym or None, `count` how many it stands for, `data` the fields of `KEPT`.
    """

    type: str
    at_ns: int
    id: str
    actor: str | None
    actor_kind: str
    count: int
    service: str
    synthetic: bool
    data: dict[str, Any]


class _Chunk(msgspec.Struct):
    of: int
    body: str


_DECODER: Final = msgspec.json.Decoder(list[Row])


def rows_of(pilot: Pilot, events: Iterable[Event]) -> list[Row]:
    """The rows of one local day, in order of time and id."""
    single: list[Row] = []
    summed: dict[tuple[Any, ...], list[Any]] = {}
    for event in events:
        if event.actor_key in pilot.excluded or event.type == WITHDRAWN:
            continue
        if event.stream not in STREAMS and event.type not in BESIDES:
            continue
        actor = event.actor_key if event.consent == "cohort" else None
        service = event.service_id or pilot.service
        if event.type in SUMMED or event.type in pilot.core_types:
            data = _summed_data(pilot, event)
            key = (event.type, actor, event.actor_kind, service, event.synthetic, *data.items())
            known = summed.get(key)
            if known is None:
                summed[key] = [event.floor_ns, event.count, data]
            else:
                known[0], known[1] = min(known[0], event.floor_ns), known[1] + event.count
        else:
            single.append(
                Row(
                    event.type,
                    event.floor_ns,
                    event.event_id,
                    actor,
                    event.actor_kind,
                    event.count,
                    service,
                    event.synthetic,
                    _kept(event.data),
                )
            )
    sums = [
        Row(type_, at_ns, "", actor, kind, count, service, synthetic, data)
        for (type_, actor, kind, service, synthetic, *_), (at_ns, count, data) in summed.items()
    ]
    return sorted(single + sums, key=_order)


def _order(row: Row) -> tuple[Any, ...]:
    return row.at_ns, row.type, row.id, row.actor or "", row.service, "" if row.id else str(row.data)


def _summed_data(pilot: Pilot, event: Event) -> dict[str, Any]:
    """Channel, rhythm, what a person declared, help, its activity, and whether it is a core action."""
    known = event.data
    data: dict[str, Any] = {
        field: word[:_TEXT] for field in OF_SUMS if field in known and isinstance(word := known[field], str)
    }
    if isinstance(helped := event.data.get("assisted"), bool):
        data["assisted"] = helped
    if event.stream == "usage" and event.type in pilot.core_types and event.data.get("core", True) is not False:
        data["core"] = True
    return data


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    return {key: _short(data[key]) for key in sorted(data) if key in KEPT and data[key] is not None}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_TEXT]
    if isinstance(value, list):
        return [_short(one) for one in value[:_ITEMS]]
    if isinstance(value, dict):
        return {str(key)[:_TEXT]: _short(value[key]) for key in sorted(value, key=str)[:_ITEMS]}
    return value


def encode(rows: Sequence[Row]) -> bytes:
    """The rows of a day as they are stored; b"" of none."""
    return msgspec.json.encode(rows) if rows else b""


def digest(encoded: bytes) -> str:
    """What tells two days' rows apart; "" of none."""
    return hashlib.sha256(encoded).hexdigest()[:16] if encoded else ""


def records(pilot: str, day: str, encoded: bytes, before: int = 0) -> list[Record]:
    """The encoded rows of a day as records: as many as are needed, and empty ones in place of what stood beyond.

    `before` is how many records the day had; none of what was said before, persons above all, must stay.
    """
    packed = zlib.compress(encoded, _LEVEL) if encoded else b""
    pieces = [packed[at : at + _CHUNK] for at in range(0, len(packed), _CHUNK)]
    needed = len(pieces)
    pieces += [b""] * (before - needed)
    return [
        Record(
            kind=KIND,
            pilot=pilot,
            key=str(number),
            time_ns=date_ns(day),
            body=msgspec.json.encode(_Chunk(needed, base64.b64encode(piece).decode())),
        )
        for number, piece in enumerate(pieces)
    ]


def load(store: Store, pilot: str, first: str, last: str) -> dict[str, list[Row]]:
    """The rows of every day of a span (both included) that has any, by day; the days' order is theirs."""
    chunks: dict[int, dict[int, _Chunk]] = {}
    for record in store.get(KIND, pilot, date_ns(first), date_ns(last) + 1):
        chunks.setdefault(record.time_ns, {})[int(record.key)] = msgspec.json.decode(record.body, type=_Chunk)
    days = {date_ns(day): day for day in _days(first, last)} if chunks else {}
    return {days[time_ns]: _unpack(found) for time_ns, found in sorted(chunks.items()) if time_ns in days}


def _unpack(chunks: dict[int, _Chunk]) -> list[Row]:
    of = chunks[0].of
    if not of:
        return []
    packed = b"".join(base64.b64decode(chunks[number].body) for number in range(of))
    return _DECODER.decode(zlib.decompress(packed))


def _days(first: str, last: str) -> Iterable[str]:
    return (iso(day) for day in range(ordinal(first), ordinal(last) + 1))


class Shelf:
    """The rows of one pilot's days, read when first asked for and kept while there is room."""

    def __init__(self, store: Store, pilot: str, room: int = 300_000) -> None:
        self._store, self._pilot, self._room = store, pilot, room
        self._days: OrderedDict[int, tuple[str, list[Row]]] = OrderedDict()
        self._held = 0

    def get(self, wanted: Mapping[int, str]) -> dict[int, list[Row]]:
        """Rows of days by number; `wanted` gives the digest of each, so that a changed day is read again."""
        found = {day: self._days[day][1] for day, sign in wanted.items() if self._days.get(day, ("",))[0] == sign}
        for day in found:
            self._days.move_to_end(day)
        for first, last in _stretches(sorted(set(wanted) - set(found))):
            read = load(self._store, self._pilot, iso(first), iso(last))
            for day in range(first, last + 1):
                found[day] = read.get(iso(day), [])
                self._keep(day, wanted[day], found[day])
        return found

    def _keep(self, day: int, sign: str, found: list[Row]) -> None:
        if day in self._days:
            self._held -= len(self._days.pop(day)[1])
        self._days[day] = (sign, found)
        self._held += len(found)
        while self._held > self._room and len(self._days) > 1:
            self._held -= len(self._days.popitem(last=False)[1][1])


def _stretches(days: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Runs of consecutive days, at most a month at once."""
    begin = 0
    for place in range(1, len(days) + 1):
        if place == len(days) or days[place] != days[place - 1] + 1 or place - begin == 31:
            yield days[begin], days[place - 1]
            begin = place
