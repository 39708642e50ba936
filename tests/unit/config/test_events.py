"""Each event type takes what it should, refuses the rest with a remedy, and its schema agrees with it."""

from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from config.catalogue import Pilot, load_catalogue
from config.events import EVENT_TYPES, OPS_TYPES, check
from config.events.codes import CLOSED
from config.events.schemas import meaning, schemas
from config.lint import lint
from config.settings import PACKAGED_PILOTS
from config.vocabulary import load_vocabulary

SCHEMAS = schemas()
ACTIVITY: dict[str, Any] = {"activity_id": "w-3", "stage": "co_design", "method": "survey", "tools": ["map"]}
# One good event of each type, and what makes it a bad one with the code of the refusal.
SAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "service.exposed": ({"channel": "kiosk"}, {"channel": "At the desk"}, "bad_channel"),
    "service.registered": ({"assisted": True}, {"assisted": "yes"}, "bad_assisted"),
    "session.started": ({"session_id": "s-1"}, {"session_id": ["s-1"]}, "bad_session_id"),
    "session.ended": ({"duration_ms": 1200}, {"duration_ms": -1}, "bad_duration_ms"),
    "action.performed": ({"core": True, "channel": "app"}, {"core": "true"}, "bad_core"),
    "task.started": ({"task_id": "t"}, {"task_id": 1.5}, "bad_task_id"),
    "task.completed": ({"task_family": "booking", "duration_ms": 30.5}, {"duration_ms": "30"}, "bad_duration_ms"),
    "task.failed": ({"attempt_id": 2}, {"attempt_id": True}, "bad_attempt_id"),
    "task.abandoned": ({"outcome": "abandoned"}, {"outcome": 3}, "bad_outcome"),
    "service.released": ({"service_version": "1.2"}, {"service_version": {"major": 1}}, "bad_service_version"),
    "service.outage": ({"start": "2026-03-01T10:00:00Z"}, {"end": 5}, "bad_end"),
    "survey.response": ({"instrument": "sus", "scores": [1, None, 5]}, {"scores": ["good"]}, "bad_scores"),
    "activity.scheduled": ({**ACTIVITY, "timing_basis": "unknown"}, {"timing_basis": None}, "bad_timing_basis"),
    "activity.held": ({**ACTIVITY, "attendance": 0, "lang": ["it"]}, {"stage": "co-design"}, "bad_stage"),
    "activity.cancelled": ({"activity_id": "w-3", "reason": "weather"}, {"reason": "It rained"}, "bad_reason"),
    "invitation.sent": ({"channel": "web"}, {"evidence": "hearsay"}, "bad_evidence"),
    "registration": ({"activity_id": 7}, {"represents": "nobody"}, "bad_represents"),
    "attendance": ({"activity_id": "w-3", "counted": 14}, {"counted": 1.5}, "bad_counted"),
    "contribution.made": ({"kind": "idea"}, {"kind": "thought"}, "bad_kind"),
    "contribution.disposition": ({"disposition": "none"}, {"disposition": "lost"}, "bad_disposition"),
    "response.published": ({"contribution_ids": ["c-1"]}, {"contribution_ids": "c-1"}, "bad_contribution_ids"),
    "decision.opened": ({"decision_id": "d"}, {"stage": 1}, "bad_stage"),
    "decision.participated": ({"decision_id": "d", "role": "decider"}, {"role": "boss"}, "bad_role"),
    "decision.closed": ({"inputs_considered": 9}, {"level_delivered": "obey"}, "bad_level_delivered"),
    "fieldtest.signup": ({"fieldtest_id": "f"}, {"fieldtest_id": {}}, "bad_fieldtest_id"),
    "fieldtest.task_assigned": ({"deadline": "2026-03-01"}, {"deadline": 3}, "bad_deadline"),
    "fieldtest.task_done": ({"duration_ms": 9}, {"duration_ms": -9}, "bad_duration_ms"),
    "fieldtest.withdrawn": ({"kind": "participant", "reason": "no-time"}, {"kind": "bored"}, "bad_kind"),
    "resource.spent": ({"hours": 2.5, "eur": 300}, {"hours": -1}, "bad_hours"),
    "skill.assessed": ({"skill": "facilitation", "level": 4, "assessed_by": "self"}, {"level": 6}, "bad_level"),
    "record.withdrawn": ({}, {"attrs": []}, "bad_attrs"),
    "reading": ({"device": "d", "quantity": "pm10", "value": 3}, {"value": "3"}, "bad_value"),
    "population.snapshot": ({"kind": "students", "value": 900, "year": 2018}, {"value": -1}, "bad_value"),
    "definition.changed": ({"indicator": "reach", "version": 2}, {"version": []}, "bad_version"),
    "calendar.closure": ({"first": "2026-08-01", "last": "2026-08-15"}, {"last": "2026-02-30"}, "bad_last"),
    "feed.heartbeat": ({"seq": 9, "counts": {"attendance": 3}}, {"counts": 3}, "bad_counts"),
    "collector.ledger": ({"collector": "main", "total": {"written": 3}}, {"total": {"written": -3}}, "bad_total"),
    "collector.session_lost": ({"collector": "main", "since": "unknown"}, {"since": 0}, "bad_since"),
}  # fmt: skip
REQUIRED = [
    ("activity.scheduled", "timing_basis"), ("calendar.closure", "first"), ("calendar.closure", "last"),
    ("contribution.disposition", "disposition"), ("decision.participated", "decision_id"),
    ("decision.participated", "role"), ("population.snapshot", "kind"), ("population.snapshot", "value"),
    ("reading", "device"), ("reading", "quantity"), ("reading", "value"), ("response.published", "contribution_ids"),
    ("skill.assessed", "skill"), ("skill.assessed", "level"),
]  # fmt: skip


def valid(kind: str, data: dict[str, Any], synthetic: bool | None = True) -> bool:
    told = {} if synthetic is None else {"synthetic": synthetic}
    event = {"specversion": "1.0", "id": "e", "source": "/pilots/a/b", "type": kind, "time": "2026-03-01T10:00:00Z"}
    checker = Draft202012Validator(SCHEMAS[kind], format_checker=Draft202012Validator.FORMAT_CHECKER)
    return bool(checker.is_valid({**event, "data": {**told, **data}}))


def test_every_type_has_a_sample_and_every_field_a_meaning() -> None:
    assert set(SAMPLES) == set(EVENT_TYPES)
    assert set(EVENT_TYPES) > OPS_TYPES
    for name, kind in EVENT_TYPES.items():
        assert all(meaning(name, field) for field in kind.__struct_fields__)
        assert str(kind.__doc__).endswith(".")


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_a_type_and_its_schema_take_the_same_and_refuse_the_same(kind: str) -> None:
    good, change, code = SAMPLES[kind]
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert check(kind, dict(good)) is None
    assert valid(kind, good)
    refused = check(kind, good | change)
    assert refused is not None
    assert refused.code == code
    assert refused.sentence.startswith(code.removeprefix("bad_") + " has to be ")
    assert not valid(kind, good | change)


@pytest.mark.parametrize(("kind", "field"), REQUIRED)
def test_what_an_indicator_cannot_do_without_is_asked_for_by_name(kind: str, field: str) -> None:
    data = {key: value for key, value in SAMPLES[kind][0].items() if key != field}
    refused = check(kind, data)
    assert refused is not None
    assert refused.code == f"missing_{field}"
    assert f"{field} is missing: give " in refused.sentence
    assert not valid(kind, data)


def test_nothing_else_is_required() -> None:
    found = {(name, field) for name, schema in SCHEMAS.items() for field in schema["properties"]["data"]["required"]}
    assert found == {*REQUIRED, *((name, "synthetic") for name in EVENT_TYPES)}
    assert not valid("attendance", {}, synthetic=None)


def test_unknown_fields_and_nulls_are_taken_and_stay_as_they_are() -> None:
    data = {**ACTIVITY, "weather": {"rain": True}, "Stage": "x", "cost_eur": None}
    kept = dict(data)
    assert check("activity.held", data) is None
    assert data == kept
    assert valid("activity.held", data)


def test_a_whole_number_with_a_fraction_of_zero_is_whole_afterwards() -> None:
    data: dict[str, Any] = {"attendance": 31.0, "note": 2.0, "cost_eur": 1e300}
    assert check("activity.held", data) is None
    assert {key: type(value) for key, value in data.items()} == {"attendance": int, "note": float, "cost_eur": float}
    assert data["attendance"] == 31
    assert valid("activity.held", {"attendance": 31.0})


@pytest.mark.parametrize(
    ("sent", "near"),
    [("activity.hold", "activity.held"), ("atendance", "attendance"), ("contribution_made", "contribution.made"),
     ("decision.close", "decision.closed"), ("feed.heart_beat", "feed.heartbeat")],
)  # fmt: skip
def test_an_unknown_type_is_told_the_nearest_and_never_repeated(sent: str, near: str) -> None:
    refused = check(sent, {})
    assert refused is not None
    assert refused.code == "unknown_type"
    assert f"did you mean {near}?" in refused.sentence
    assert sent not in refused.sentence.replace(near, "")


def test_a_type_like_none_is_told_where_they_are_listed_and_a_pilots_own_is_near_too() -> None:
    refused, near = check("xyzzy", {}), check("bike.lend", {}, ["bike.lent"])
    assert refused is not None
    assert near is not None
    assert "docs/schemas/README.md" in refused.sentence
    assert "did you mean bike.lent?" in near.sentence


def test_of_a_pilots_own_type_the_common_fields_are_checked() -> None:
    assert check("bike.lent", {"stage": "anything", "channel": "kiosk"}, ["bike.lent"]) is None
    refused = check("bike.lent", {"channel": "The Kiosk"}, ["bike.lent"])
    assert refused is not None
    assert refused.code == "bad_channel"


def test_a_line_break_at_the_end_of_a_code_is_refused() -> None:
    assert check("activity.held", {"method": "survey\n"}) is not None
    assert not valid("activity.held", {"method": "survey\n"})


def test_closed_lists_are_those_of_the_vocabulary() -> None:
    words = {name: set(terms.codes) for name, terms in load_vocabulary().items() if terms.closed}
    del words["activity_status"]  # it is said by the type of the event
    assert {name: set(get_args(codes)) for name, codes in CLOSED.items()} == words


def test_lint_warns_of_a_core_type_that_looks_misspelt(tmp_path: Path) -> None:
    catalogue = load_catalogue(Path(PACKAGED_PILOTS))
    pilot = catalogue.pilots["malmo"]
    feeds = [pilot.feeds[0].model_copy(update={"extra_types": ["bike.lent", "session.start"]}), *pilot.feeds[1:]]
    changed: Pilot = pilot.model_copy(update={"core_types": ["action.preformed"], "feeds": feeds})
    found = lint(catalogue.model_copy(update={"pilots": {"malmo": changed}}))
    keys = {finding.key for finding in found if "misspelt" in finding.what}
    assert keys == {"core_types", f"feeds.{feeds[0].id}.extra_types"}
