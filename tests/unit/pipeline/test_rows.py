"""The rows of a day: independent of order, without the excluded, replaced whole, and read again when they changed."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import rows
from pipeline.model import Event
from pipeline.periods import ordinal
from pipeline.rows import Shelf, digest, load, records, rows_of
from pipeline.store.sqlite import SQLiteStore
from tests.unit.pipeline.making import City, Clock, act, event, pilot

ANNA, BO = "k1" + "A" * 26, "k1" + "B" * 26


def day_of_events() -> list[Event]:
    return [
        act("2026-05-12T08:00", ANNA, data={"channel": "app"}),
        act("2026-05-12T09:00", ANNA, data={"channel": "app"}),
        act("2026-05-12T09:30", ANNA, data={"channel": "desk", "assisted": True}),
        act("2026-05-12T10:00", BO, data={"channel": "app", "core": False}),
        event("contribution.made", "2026-05-12T11:00", ANNA, data={"kind": "idea", "note": "not kept"}),
        event("contribution.made", "2026-05-12T11:00", count=3, data={"kind": "vote"}),
    ]


def test_core_actions_are_summed_per_person_and_channel_and_other_events_stand_alone() -> None:
    found = rows_of(pilot(), day_of_events())
    core = [(row.actor, row.count, row.data) for row in found if row.type == "action.performed"]
    assert core == [
        (ANNA, 2, {"channel": "app", "core": True}),
        (ANNA, 1, {"channel": "desk", "assisted": True, "core": True}),
        (BO, 1, {"channel": "app"}),
    ]
    made = [(row.actor, row.count, row.data) for row in found if row.type == "contribution.made"]
    assert sorted(made, key=str) == [(ANNA, 1, {"kind": "idea"}), (None, 3, {"kind": "vote"})]
    assert all("note" not in row.data for row in found)


@settings(max_examples=30)
@given(st.permutations(day_of_events()))
def test_rows_depend_on_no_order(events: list[Event]) -> None:
    assert rows_of(pilot(), events) == rows_of(pilot(), day_of_events())


def test_excluded_people_and_withdrawn_records_have_no_row() -> None:
    taken_back = event("record.withdrawn", "2026-05-12T11:00", count=0)
    found = rows_of(pilot(excluded=[ANNA]), [*day_of_events(), taken_back])
    assert {row.actor for row in found} == {BO, None}
    assert "record.withdrawn" not in {row.type for row in found}


def test_a_day_that_shrank_keeps_nothing_of_what_it_said() -> None:
    store = SQLiteStore(":memory:")
    many = rows_of(pilot(), [event("contribution.made", "2026-05-12T11:00", f"k1{n:026d}") for n in range(60_000)])
    long = records("test", "2026-05-12", rows.encode(many))
    assert len(long) > 1
    store.put(long)
    assert load(store, "test", "2026-05-12", "2026-05-12") == {"2026-05-12": many}
    few = rows_of(pilot(), day_of_events())
    store.put(records("test", "2026-05-12", rows.encode(few), before=len(long)))
    assert load(store, "test", "2026-05-01", "2026-05-31") == {"2026-05-12": few}
    left = [record for record in store.get(rows.KIND, "test", 0, 1 << 62) if len(record.body) > 100]
    assert len(left) == 1


def test_a_correction_that_only_rows_show_is_computed_again() -> None:
    city = City(pilot(), Clock("2026-05-14T10:00:00"))
    running = city.pipeline()
    made = event("contribution.made", "2026-05-12T11:00", ANNA, data={"kind": "idea", "stage": "co_design"})
    city.add([made])
    city.work(running)
    day, shelf = ordinal("2026-05-12"), Shelf(city.store, "test")
    history = running._histories["test"]
    assert [row.data["stage"] for row in history.rows(day, day)] == ["co_design"]
    city.add([msgspec.structs.replace(made, data={"kind": "idea", "stage": "co_produce"}, revision=1)])
    city.work(running)
    assert [row.data["stage"] for row in history.rows(day - 3, day + 3)] == ["co_produce"]
    assert digest(rows.encode(shelf.get({day: "x"})[day])) == history.day(day).rows  # type: ignore[union-attr]


def test_a_shelf_forgets_the_oldest_and_reads_it_again() -> None:
    city = City(pilot(), Clock("2026-06-14T10:00:00"))
    city.add([event("contribution.made", f"2026-05-{day:02d}T11:00", ANNA) for day in range(1, 29)])
    running = city.pipeline()
    city.work(running)
    signs = {
        day: running._histories["test"].day(day).rows for day in range(ordinal("2026-05-01"), ordinal("2026-05-29"))
    }  # type: ignore[union-attr]
    shelf = Shelf(city.store, "test", room=5)
    assert all(len(found) == 1 for found in shelf.get(signs).values())
    assert len(shelf._days) == 5
    assert len(shelf.get(signs)) == 28
