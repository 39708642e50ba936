"""Pure: an entry → the CloudEvents it stands for, by part; a correction is the same part said differently.

Promises: an id is made of the record's id and the part, so that saying it again repeats nothing; who checked in by code
is not counted again with the group; what is taken back becomes `record.withdrawn`, which counts nothing. Source:
indicators.md 3.1 and 3.4.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from config.catalogue import Feed, Pilot
from dashboard.log.draft import Entry
from pipeline.logbook import code_part

SOURCE: Final = "log"
WITHDRAWN: Final = "record.withdrawn"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ACTIVITY: Final = (
    "challenge_id", "stage", "level_declared", "method", "tools", "techniques", "skills_needed", "skills_present",
    "facilitators_n", "mode", "open", "duration_min", "lang", "timing_basis", "cost_eur", "place", "obstacles",
    "lessons",
)  # fmt: skip
_RESULT: Final = ("level_delivered", "outcome", "inputs_considered", "inputs_adopted")


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """One event without its revision. `time` is as it is published; `day` is the pilot's."""

    part: str
    type: str
    time: str
    precision: str
    day: str
    data: dict[str, Any]

    @property
    def place(self) -> str:
        """Where it stands in time, to be kept and read again by `place_of`."""
        return f"{self.time}|{self.precision}"

    def digest(self) -> str:
        """What two letters that say the same have in common."""
        return hashlib.sha256(msgspec.json.encode([self.type, self.time, self.precision, self.data])).hexdigest()[:32]


def events_of(
    entry: Entry, pilot: Pilot, now_ns: int, codes: Mapping[str, int], kept: Mapping[str, Stated]
) -> dict[str, Stated]:
    """The events of an entry by part. `codes` is how many of each group checked in. `kept` are events that were sent
    before: what was announced stays announced, at the time at which it was."""
    if entry.what == "closure":
        span = {"first": entry.values["first"], "last": entry.values["last"], "reason": entry.values["closure_reason"]}
        return {"closure": _now("closure", "calendar.closure", now_ns, pilot, kept, span)}
    parts = [*_activity(entry, pilot, now_ns, kept)]
    if entry.what == "held":
        when = _began(entry, pilot)
        parts += [_at(part, type_, when, data) for part, type_, data in _came_out(entry, codes)]
    return {stated.part: stated for stated in parts}


def check_in(actor_key: str, group: str, record: str, pilot: Pilot, now_ns: int) -> Stated:
    """The attendance of one person who consented to a pseudonym."""
    data = {
        "activity_id": record, "consent": "cohort", "actor_key": actor_key, "actor_kind": group, "represents": "self",
        "evidence": "system_log",
    }  # fmt: skip
    return _now(code_part(record, actor_key), "attendance", now_ns, pilot, {}, data, "ms")


def taken_back(part: str, place: str, day: str) -> Stated:
    """What stands in the place of an event that is said no more."""
    time, _, precision = place.partition("|")
    return Stated(
        part=part, type=WITHDRAWN, time=time, precision=precision, day=day, data={"consent": "none", "count": 0}
    )


def payload(event_id: str, stated: Stated, pilot: Pilot, feed: Feed, revision: int) -> bytes:
    """The event on the wire; whatever is recorded for a simulated pilot is flagged as such."""
    data = {
        "schema": "pe.engagement.v1", "synthetic": pilot.synthetic or feed.synthetic, "revision": revision,
        "time_precision": stated.precision, **stated.data,
    }  # fmt: skip
    return msgspec.json.encode({
        "specversion": "1.0", "id": event_id, "source": f"/pilots/{pilot.slug}/{SOURCE}", "type": stated.type,
        "time": stated.time, "data": data,
    })  # fmt: skip


def others(counted: Mapping[str, int], codes: Mapping[str, int]) -> dict[str, int]:
    """How many of each counted group came without a code. Everybody in the room is counted, so those who checked in are
    taken off: off their own group, and those who named none off the largest ones, so that the total is right.

    >>> others({"citizen": 12, "business": 3}, {"citizen": 2, "unknown": 1})
    {'citizen': 9, 'business': 3}
    """
    left = {group: max(0, number - codes.get(group, 0)) for group, number in counted.items()}
    nameless = 0 if "unknown" in counted else codes.get("unknown", 0)
    for group in sorted(left, key=lambda group: -left[group]):
        off = min(left[group], nameless)
        left[group], nameless = left[group] - off, nameless - off
    return left


def _activity(entry: Entry, pilot: Pilot, now_ns: int, kept: Mapping[str, Stated]) -> list[Stated]:
    fields = {"activity_id": entry.id, **_own(entry, _ACTIVITY), "actor_kind": "government",
              "evidence": "facilitator_record"}  # fmt: skip
    if entry.what == "held":
        parts = [_at("held", "activity.held", _began(entry, pilot), fields)]
    elif entry.what == "cancelled":
        reason = {"activity_id": entry.id, "reason": entry.values["cancel_reason"], "evidence": "facilitator_record"}
        parts = [_now("cancelled", "activity.cancelled", now_ns, pilot, kept, reason)]
    else:
        planned = {**fields, "starts_on": entry.values["date"], "starts_at": entry.values["time"]}
        return [_now("scheduled", "activity.scheduled", now_ns, pilot, kept, planned)]
    return [*parts, kept["scheduled"]] if "scheduled" in kept else parts


def _came_out(entry: Entry, codes: Mapping[str, int]) -> list[tuple[str, str, dict[str, Any]]]:
    """Attendance by group, contributions and what became of them, and the decision, as (part, type, data)."""
    own, evidence = {"activity_id": entry.id}, {"evidence": "facilitator_record"}
    people: dict[str, Any] = {**own, **evidence, "consent": "count_only"}
    counted = _by_code(entry, "count_")
    found = [
        (
            f"attendance-{group}",
            "attendance",
            {**people, "actor_kind": group, "count": number, "counted": counted[group]},
        )
        for group, number in others(counted, codes).items()
    ]
    found += [
        (f"made-{kind}", "contribution.made", {**people, "kind": kind, "count": number})
        for kind, number in _by_code(entry, "made_").items()
    ]
    told = {"reason": entry.values.get("disposition_reason"), "recorded_by": entry.values.get("recorded_by")}
    found += [
        (f"became-{code}", "contribution.disposition", {**people, **told, "disposition": code, "count": number})
        for code, number in _by_code(entry, "became_").items()
    ]
    if "outcome" in entry.values:
        decision = {**own, **evidence, "decision_id": f"{entry.id}-decision", "stage": entry.values["stage"]}
        for name, role in entry.values.items():
            if name.startswith("role_"):
                group = name.removeprefix("role_")
                number = counted.get(group, 0)
                who = {"consent": "count_only", "count": number} if number else {"consent": "none"}
                found.append(
                    (f"role-{group}", "decision.participated", {**decision, **who, "actor_kind": group, "role": role})
                )
        found.append(("decided", "decision.closed", {**decision, **_own(entry, _RESULT), "actor_kind": "government"}))
    return found


def _by_code(entry: Entry, prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): value for name, value in entry.values.items() if name.startswith(prefix) and value
    }


def _own(entry: Entry, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: entry.values[name] for name in names if name in entry.values}


def _began(entry: Entry, pilot: Pilot) -> datetime:
    return datetime.fromisoformat(f"{entry.values['date']}T{entry.values['time']}").replace(tzinfo=pilot.zone)


def _at(part: str, type_: str, when: datetime, data: dict[str, Any]) -> Stated:
    known = {key: value for key, value in data.items() if value is not None}
    time, day = when.isoformat(timespec="minutes"), when.date().isoformat()
    return Stated(part=part, type=type_, time=time, precision="minute", day=day, data=known)


def _now(
    part: str, type_: str, now_ns: int, pilot: Pilot, kept: Mapping[str, Stated], data: dict[str, Any],
    precision: str = "ms",
) -> Stated:  # fmt: skip
    """An event of this moment; of the moment at which it was first said, when it was."""
    if part in kept:
        old = kept[part]
        return Stated(part=part, type=type_, time=old.time, precision=old.precision, day=old.day, data=data)
    now = _EPOCH + timedelta(microseconds=now_ns // 1000)
    time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Stated(
        part=part,
        type=type_,
        time=time,
        precision=precision,
        day=now.astimezone(pilot.zone).date().isoformat(),
        data=data,
    )
