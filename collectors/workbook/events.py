"""Pure: a checked row → the CloudEvents it stands for, by part: an activity has its announcement and its outcome.

Promises: an id is made of sheet, the row's own id and the part, so it is the same at every import; a person's code
leaves only as `actor_key`; what a row no longer says is taken back by an event of the same id and type
`record.withdrawn`, which counts nothing. Days have no hour, so their precision is `day`.
Source: indicators.md 3.1 and 3.4.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

import msgspec

from collectors.import_mapping import Pseudonym
from collectors.workbook.form import GROUPS, SCORES, SEVERAL
from collectors.workbook.rules import Row

WITHDRAWN: Final = "record.withdrawn"
Parts = dict[str, dict[str, Any]]


class Part(msgspec.Struct, frozen=True):
    """Where an event that was sent stands in time, so that it can be taken back there."""

    time: str
    precision: str


def parts_of(row: Row, pseudonym: Pseudonym) -> Parts:
    """The row's events by part, without revision."""
    made = _MAKERS[row.sheet.name](row.values, pseudonym)
    for part, event in made.items():
        event["data"] = {key: value for key, value in event["data"].items() if value not in (None, [])}
        event["id"] = f"{row.name}/{part}" if part else row.name
    return {part: _withdrawal(event) for part, event in made.items()} if row.values.get("withdrawn") else made


def withdrawals(row_name: str, sent: Mapping[str, Part], now: Parts) -> Parts:
    """Events that take back what the row said at an earlier import and says no more."""
    return {
        part: _withdrawal({
            "id": f"{row_name}/{part}" if part else row_name, "time": place.time,
            "data": {"time_precision": place.precision},
        })
        for part, place in sent.items() if part not in now
    }  # fmt: skip


def message(event: Mapping[str, Any], pilot: str, synthetic: bool, revision: int) -> bytes:
    """The payload on the wire."""
    data = {"schema": "pe.engagement.v1", "synthetic": synthetic, **event["data"], "revision": revision}
    return msgspec.json.encode({"specversion": "1.0", "source": f"/pilots/{pilot}/workbook", **event, "data": data})


def _withdrawal(event: Mapping[str, Any]) -> dict[str, Any]:
    precision = event["data"]["time_precision"]
    data = {"time_precision": precision, "consent": "none", "count": 0}
    return {"id": event["id"], "type": WITHDRAWN, "time": event["time"], "data": data}


def _event(kind: str, day: date, hour: time | None = None, /, **data: Any) -> dict[str, Any]:
    when = day.isoformat() if hour is None else datetime.combine(day, hour).isoformat(timespec="minutes")
    precision = "day" if hour is None else "minute"
    return {"type": kind, "time": when, "data": {"time_precision": precision, "consent": "none", **data}}


def _activity(v: dict[str, Any], _pseudonym: Pseudonym) -> Parts:
    fields = {name: v[name] for name in _ACTIVITY_FIELDS}
    fields |= {f"{name}s": _several(v, name) for name in ("tool", "technique")}
    fields |= {"skills_needed": _several(v, "skill_needed"), "skills_present": _several(v, "skill_present")}
    met = {"obstacles": _several(v, "obstacle"), "lessons": _several(v, "lesson")}
    own: dict[str, Any] = {"actor_kind": "government", "evidence": v["evidence"] or "facilitator_record"}
    parts: Parts = {}
    if v["announced_on"] is not None:
        parts["announced"] = _event("activity.scheduled", v["announced_on"], **own, **fields, starts_on=_iso(v["date"]))
    if v["status"] == "held":
        parts["outcome"] = _event("activity.held", v["date"], v["start"], **own, **fields, **met)
        if v["hours"] is not None:
            spent = {"activity_id": v["activity_id"], "hours": v["hours"], "eur": v["cost_eur"]}
            parts["spent"] = _event("resource.spent", v["date"], **own, **spent)
    elif v["status"] == "cancelled":
        reason = {"activity_id": v["activity_id"], "reason": v["cancel_reason"]}
        parts["outcome"] = _event("activity.cancelled", v["cancelled_on"], **own, **reason)
    return parts


def _attendance(v: dict[str, Any], pseudonym: Pseudonym) -> Parts:
    return {"": _event("attendance", v["date"], **_who(v, pseudonym), activity_id=v["activity_id"])}


def _decision(v: dict[str, Any], _pseudonym: Pseudonym) -> Parts:
    evidence = v["evidence"] or "facilitator_record"
    own = {"decision_id": v["decision_id"], "activity_id": v["activity_id"], "stage": v["stage"], "evidence": evidence}
    parts: Parts = {}
    if v["opened_on"] is not None:
        parts["opened"] = _event("decision.opened", v["opened_on"], **own, actor_kind="government")
    for group in GROUPS:
        if role := v[f"role_{group}"]:
            day = v["closed_on"] or v["opened_on"]
            parts[f"role-{group}"] = _event("decision.participated", day, **own, actor_kind=group, role=role)
    if v["closed_on"] is not None:
        result = {name: v[name] for name in ("level_delivered", "outcome", "inputs_considered", "inputs_adopted")}
        parts["closed"] = _event("decision.closed", v["closed_on"], **own, actor_kind="government", **result)
    return parts


def _contribution(v: dict[str, Any], pseudonym: Pseudonym) -> Parts:
    own = {"contribution_id": v["contribution_id"], "activity_id": v["activity_id"]}
    office = {"actor_kind": "government", "evidence": v["evidence"] or "facilitator_record"}
    parts = {"made": _event("contribution.made", v["date"], **_who(v, pseudonym), **own, kind=v["kind"])}
    if v["disposition"] is not None:
        parts["disposition"] = _event("contribution.disposition", v["disposition_on"], **office, **own,
                                      disposition=v["disposition"], reason=v["disposition_reason"],
                                      recorded_by=v["recorded_by"])  # fmt: skip
    if v["answered_on"] is not None:
        ids = [v["contribution_id"]]
        parts["response"] = _event("response.published", v["answered_on"], **office, contribution_ids=ids)
    return parts


def _survey(v: dict[str, Any], _pseudonym: Pseudonym) -> Parts:
    return {"": _event(
        "survey.response", v["date"], evidence="self_report", respondent="project_manager", instrument=v["instrument"],
        activity_id=v["activity_id"], scores=_scores(v),
        skills_needed=_several(v, "skill_needed"), skills_present=_several(v, "skill_present"),
        obstacles=_several(v, "obstacle"), lessons=_several(v, "lesson"),
    )}  # fmt: skip


def _scores(v: dict[str, Any]) -> list[int | None]:
    """The items in order up to the last answered one; an unanswered one between is null."""
    scores = [v[f"item_{n}"] for n in range(1, SCORES + 1)]
    return scores[: max(n for n, score in enumerate(scores, 1) if score is not None)]


def _who(v: dict[str, Any], pseudonym: Pseudonym) -> dict[str, Any]:
    """People as a count of their group, or one consenting person by pseudonym."""
    evidence = v["evidence"] or "facilitator_record"
    group = {"actor_kind": v["actor_kind"], "represents": v["represents"], "evidence": evidence}
    if v["code"] is not None:
        return {**group, "consent": "cohort", "actor_key": pseudonym(v["code"])}
    return {**group, "consent": "count_only", "count": 1 if v["count"] is None else v["count"]}


def _several(v: dict[str, Any], name: str) -> list[str]:
    given = [v[f"{name}_{n}"] for n in range(1, SEVERAL + 1)]
    return list(dict.fromkeys(code for code in given if code is not None))


def _iso(day: date) -> str:
    return day.isoformat()


_ACTIVITY_FIELDS: Final = (
    "activity_id", "challenge_id", "service_id", "stage", "level_declared", "method", "facilitators_n", "mode", "open",
    "duration_min", "lang", "timing_basis", "cost_eur", "place",
)  # fmt: skip
_MAKERS: Final[Mapping[str, Callable[[dict[str, Any], Pseudonym], Parts]]] = {
    "activities": _activity,
    "attendance": _attendance,
    "decisions": _decision,
    "contributions": _contribution,
    "surveys": _survey,
}
