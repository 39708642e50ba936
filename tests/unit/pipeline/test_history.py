"""Windows of a history are what their days say, whatever was asked and changed before; readers read what changed."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.answers import Answers
from pipeline.day_index import KEY, KIND, DayIndex, changed, digest
from pipeline.history import BLOCKS, History
from pipeline.model import Record
from pipeline.partials import Partial
from pipeline.periods import date_ns, iso, ordinal
from pipeline.sketches import People
from pipeline.store.sqlite import SQLiteStore
from tests.unit.pipeline.making import City, Clock, act, pilot
from tests.unit.pipeline.test_freeze import EVER

FIRST = ordinal("2024-02-25")
SPAN = 2 * BLOCKS[0] + 30


def day_of(number: int, who: set[int]) -> Partial:
    return Partial(pilot="test", day=iso(number), active=People.of(f"p{one}" for one in who).dump())


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_window_holds_whoever_is_in_one_of_its_days(order: random.Random) -> None:
    history, truth = History(pilot()), dict[int, set[int]]()
    for _ in range(60):
        number = FIRST + order.randrange(SPAN)
        truth[number] = {order.randrange(300) for _ in range(order.randrange(4))}
        history.put(day_of(number, truth[number]))
        first = FIRST + order.randrange(SPAN)
        last = first + int(order.random() ** 2 * SPAN)
        found = set[int]().union(*(who for day, who in truth.items() if first <= day <= last))
        assert history.union("active", first, last).count == len(found)


def written(store: SQLiteStore) -> dict[str, bytes]:
    return {iso(FIRST + place): f'{{"n":{place}}}'.encode() for place in range(0, 400, 3)}


def put(store: SQLiteStore, bodies: dict[str, bytes]) -> None:
    store.put([Record(kind="partial", pilot="test", key="day", time_ns=date_ns(day), body=body)
               for day, body in bodies.items()])  # fmt: skip


def test_a_reader_reads_each_changed_day_and_no_other() -> None:
    store = SQLiteStore(":memory:")
    bodies = written(store)
    put(store, bodies)
    index = DayIndex("test", bodies.items())
    store.put(index.missing(store))
    assert index.missing(store) == []
    found = dict(changed(store, "test", {}))
    assert found == bodies
    known = {day: digest(body) for day, body in found.items()}
    assert dict(changed(store, "test", known)) == {}
    later = {iso(FIRST + 6): b'{"n":-1}', iso(FIRST + 1000): b'{"n":7}'}
    put(store, later)
    assert dict(changed(store, "test", known)) == {}, "the index comes last"
    store.put(index.records(later.items()))
    assert dict(changed(store, "test", known)) == later


def test_a_store_without_an_index_is_read_whole() -> None:
    store = SQLiteStore(":memory:")
    bodies = written(store)
    put(store, bodies)
    assert dict(changed(store, "test", {})) == bodies


def test_the_pipeline_writes_the_index_and_mends_one_that_is_missing() -> None:
    city = City(pilot(), Clock("2026-06-01T00:00:00"))
    city.add([act("2025-12-31T10:00:00", "a"), act("2026-01-01T10:00:00", "b")])
    city.work()
    kept = city.store.get(KIND, "test", *EVER, key=KEY)
    assert [msgspec.json.decode(one.body).keys() for one in kept] == [{"2025-12-31"}, {"2026-01-01"}]
    city.store.put([msgspec.structs.replace(one, body=b"{}") for one in kept])
    city.pipeline()
    assert city.store.get(KIND, "test", *EVER, key=KEY) == kept


def test_pages_see_a_day_that_changed() -> None:
    city = City(pilot(), Clock("2026-06-01T00:00:00"))
    city.add([act("2026-03-02T10:00:00", "a"), act("2026-03-05T10:00:00", "b")])
    city.work()
    answers = Answers(city.store, city.catalogue, city.operations)
    [before] = answers.chosen(["test"], ["people"], "2026-03-02", "2026-03-05")
    city.add([act("2026-03-02T12:00:00", "c")])
    city.work()
    [after] = answers.chosen(["test"], ["people"], "2026-03-02", "2026-03-05")
    assert (before.value, after.value) == (2, 3)


def test_the_whole_series_waits_its_turn_and_is_not_forgotten() -> None:
    city = City(pilot(), Clock("2026-06-01T00:00:00"))
    city.add([act("2026-03-02T10:00:00", "a"), act("2026-03-05T10:00:00", "b")])
    running = city.pipeline()
    city.work(running)
    answers = Answers(city.store, city.catalogue, city.operations)

    def people(period: str) -> float | None:
        return answers.values(["test"], ["people"], period, "2026-03-02", "2026-03-02")[0].value

    running.whole_cost_ns["test"] = 60 * 10**9
    city.clock.ns += 10**9
    city.add([act("2026-03-02T12:00:00", "c")])
    for _ in range(10):
        running.step()
    assert (people("day"), people("week"), people("all")) == (2, 3, 2)
    assert not running.behind, "waiting is no work"
    city.clock.ns += 20 * 60 * 10**9
    for _ in range(3):
        running.step()
    assert people("all") == 3
    running.whole_cost_ns["test"] = 60 * 10**9
    city.add([act("2026-03-02T13:00:00", "d")])
    for _ in range(10):
        running.step()
    assert people("all") == 3
    city.work()  # another process, after a kill
    assert people("all") == 4
