"""What may be recorded, and the sentence for what may not."""

from typing import Any

import pytest

from config.catalogue import Catalogue
from config.settings import PACKAGED_PILOTS
from config.vocabulary import load_vocabulary
from dashboard.log.draft import Wrong, entry_in
from dashboard.log.fields import form_of
from dashboard.log.letters import feed_of
from tests.dashboard.made_up import LAST, NOW_NS

FORM = form_of(load_vocabulary(PACKAGED_PILOTS))
HELD: dict[str, Any] = {
    "id": "20260512-abcdefgh", "pilot": "genoa", "what": "held", "date": LAST, "time": "09:30", "stage": "co_design",
    "method": "co_design_workshop", "level_declared": "involve", "open": "open", "mode": "in_person",
    "timing_basis": "calendar",
}  # fmt: skip
CLOSURE: dict[str, Any] = {
    "id": "20260512-closures", "pilot": "genoa", "what": "closure", "first": "2026-06-01", "last": "2026-06-07",
    "closure_reason": "holiday",
}  # fmt: skip


def entry(catalogue: Catalogue, fields: dict[str, Any]) -> Any:
    places = {slug: (pilot, feed) for slug, pilot in catalogue.pilots.items() if (feed := feed_of(pilot))}
    return entry_in({"fields": fields}, FORM, places, NOW_NS)


def wrong(catalogue: Catalogue, fields: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Wrong) as told:
        entry(catalogue, fields)
    return told.value.sentences


def test_every_pilot_of_the_demo_takes_records(catalogue: Catalogue) -> None:
    assert all(feed_of(pilot) for pilot in catalogue.pilots.values())


def test_an_activity_with_what_is_needed_is_taken(catalogue: Catalogue) -> None:
    found = entry(
        catalogue, HELD | {"place": " pegli-2 ", "count_citizen": 12, "lang": ["it", "it"], "duration_min": 90.0}
    )
    assert (found.id, found.kind, found.values["place"], found.values["lang"]) == (
        HELD["id"],
        "activity",
        "PEGLI-2",
        ["it"],
    )
    assert found.values["count_citizen"] == 12


@pytest.mark.parametrize("name", [name for name in HELD if name != "id"])
def test_each_needed_field_that_is_missing_is_named(catalogue: Catalogue, name: str) -> None:
    assert set(wrong(catalogue, {**HELD, name: None})) == {name}


@pytest.mark.parametrize("name", [name for name in CLOSURE if name not in ("id", "pilot", "what")])
def test_each_needed_field_of_a_closure_is_named(catalogue: Catalogue, name: str) -> None:
    assert set(wrong(catalogue, {**CLOSURE, name: ""})) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "co_dance"), ("stage", ["co_design"]), ("tools", ["map", "hammer"]), ("tools", "map"),
        ("count_citizen", -1), ("count_citizen", 1.5), ("count_citizen", "12"), ("count_citizen", True),
        ("count_citizen", 20_001), ("duration_min", 0), ("place", "Via Roma 12"), ("place", "Mario Rossi"),
        ("place", "x" * 30), ("place", 16157), ("date", "2026-02-30"), ("date", {"a": 1}), ("time", "25:00"),
        ("time", "9:30"), ("lang", ["klingon"]), ("pilot", "atlantis"), ("pilot", 7), ("what", "party"), ("id", "x"),
        ("id", "../../etc/passwd"), ("id", None),
    ],
)  # fmt: skip
def test_what_is_no_answer_to_a_field_is_told_beside_it(catalogue: Catalogue, name: str, value: object) -> None:
    assert set(wrong(catalogue, {**HELD, name: value})) == {"" if name == "id" else name}


def test_what_was_held_has_begun(catalogue: Catalogue) -> None:
    assert "as planned" in wrong(catalogue, HELD | {"date": "2026-05-13"})["date"]
    assert entry(catalogue, HELD | {"date": "2026-05-13", "what": "scheduled"}).what == "scheduled"


def test_days_that_the_feed_does_not_take_are_told_before_they_are_lost(catalogue: Catalogue) -> None:
    assert "2024-01-01" in wrong(catalogue, HELD | {"date": "2023-12-31"})["date"]


def test_an_hour_that_the_clocks_leave_out_is_refused(catalogue: Catalogue) -> None:
    assert "does not exist" in wrong(catalogue, HELD | {"date": "2026-03-29", "time": "02:30"})["time"]


def test_a_decision_is_whole_or_not_there(catalogue: Catalogue) -> None:
    assert set(wrong(catalogue, HELD | {"outcome": "approved"})) == {"level_delivered", "role_citizen"}
    assert set(wrong(catalogue, HELD | {"role_citizen": "decider"})) == {"outcome", "level_delivered"}
    whole = {"outcome": "approved", "level_delivered": "consult", "role_business": "consulted"}
    assert entry(catalogue, HELD | whole).values["role_business"] == "consulted"
    assert set(wrong(catalogue, HELD | whole | {"inputs_considered": 2, "inputs_adopted": 3})) == {"inputs_adopted"}


def test_what_came_out_is_asked_only_of_what_was_held(catalogue: Catalogue) -> None:
    came_out = {"count_citizen": 4, "outcome": "nonsense", "obstacles": ["silos"], "first": "2026-01-01"}
    assert set(entry(catalogue, HELD | came_out | {"what": "scheduled"}).values) == set(HELD) - {"id", "pilot", "what"}


def test_nothing_that_is_not_asked_is_kept(catalogue: Catalogue) -> None:
    assert "name" not in entry(catalogue, HELD | {"name": "Ada", "__class__": "x"}).values


def test_a_closure_ends_after_it_begins_and_within_a_year(catalogue: Catalogue) -> None:
    assert entry(catalogue, CLOSURE).kind == "closure"
    assert set(wrong(catalogue, CLOSURE | {"last": "2026-05-31"})) == {"last"}
    assert set(wrong(catalogue, CLOSURE | {"last": "2027-07-31"})) == {"last"}


@pytest.mark.parametrize("given", [None, [], "x", 7, {"fields": None}, {"fields": []}, {"fields": {}}])
def test_nonsense_is_no_draft(catalogue: Catalogue, given: object) -> None:
    with pytest.raises(Wrong):
        entry_in(given, FORM, {}, NOW_NS)


@pytest.mark.parametrize("slipped", ["0026-05-12", "0001-01-01", "1969-12-31", "2262-05-12", "9999-12-31"])
def test_a_day_whose_year_slipped_is_refused(catalogue: Catalogue, slipped: str) -> None:
    assert set(wrong(catalogue, HELD | {"date": slipped})) == {"date"}
    assert set(wrong(catalogue, HELD | {"what": "scheduled", "date": slipped})) == {"date"}
    assert set(wrong(catalogue, CLOSURE | {"first": slipped, "last": slipped})) == {"first", "last"}
