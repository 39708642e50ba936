"""The promises of `pipeline/store/port.py`: every case on every adapter, with no branch on the adapter."""

import json
import random
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.model import NS_PER_MS, NS_PER_S, STREAMS, Event, Touch
from pipeline.store.port import Store, StoreAway
from tests.contract.places import Place
from tests.contract.samples import EVER, T0, action, reading

DAY_NS = 86_400 * NS_PER_S


def ids(events: list[Event]) -> list[str]:
    return [event.event_id for event in events]


def test_an_event_comes_back_as_it_was(store: Store) -> None:
    told = action(
        "e",
        count=3,
        consent="count_only",
        revision=2,
        time_precision="s",
        time_rule="TimeInstant",
        actor_kind="citizen",
        data={"nested": {"a": [1, 2.5, None, True, "x"]}, "": ""},
    )
    assert store.write([told]) == []
    assert store.read("milan", ["usage"], *EVER) == [told]


def test_the_same_event_twice_is_one_point(store: Store) -> None:
    for _ in range(3):
        assert store.write([action("e"), action("e")]) == []
    assert store.read("milan", ["usage"], *EVER) == [action("e")]
    assert store.count("milan", "usage", *EVER) == 1


def test_different_events_of_one_millisecond_are_all_kept(store: Store) -> None:
    told = [action(f"e{i}", T0 + i) for i in range(50)]
    store.write(told)
    assert store.read("milan", ["usage"], T0, T0 + NS_PER_MS) == told


def test_the_same_id_in_two_feeds_or_pilots_is_two_events(store: Store) -> None:
    told = [action("1"), action("1", feed="trams"), action("1", pilot="genoa")]
    store.write(told)
    assert store.count("milan", "usage", *EVER) == 2
    assert store.count("genoa", "usage", *EVER) == 1


def test_a_whole_number_and_a_broken_one_are_the_same_kind_of_value(store: Store) -> None:
    told = [reading("a", 22, T0), reading("b", 22.5, T0 + 1), reading("c", -3, T0 + 2), reading("d", 1e300, T0 + 3)]
    assert store.write(told) == []
    assert [event.value for event in store.read("athens", ["sensor"], *EVER)] == [22.0, 22.5, -3.0, 1e300]


def test_no_value_is_not_zero(store: Store) -> None:
    store.write([reading("none", None, T0), reading("zero", 0.0, T0 + 1)])
    assert [event.value for event in store.read("athens", ["sensor"], *EVER)] == [None, 0.0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"value": float("nan")}, "not_finite"),
        ({"value": float("inf")}, "not_finite"),
        ({"stream": "gossip"}, "unknown_stream"),
        ({"pilot": ""}, "empty_tag"),
        ({"feed": ""}, "empty_tag"),
        ({"type": "ä" * 65}, "tag_too_long"),
        ({"device": "x" * 129}, "tag_too_long"),
        ({"event_id": ""}, "bad_id"),
        ({"event_id": "x" * 513}, "bad_id"),
        ({"data": {"text": "x" * 1_000_000}}, "too_large"),
        ({"data": {"deep": json.loads("[" * 200 + "]" * 200)}}, "too_deep"),
        ({"data": {"half": "\ud800"}}, "not_representable"),
        ({"feed": "\ud800"}, "not_representable"),
        ({"count": 10**400}, "not_representable"),
        ({"time_ns": 2**63 - 1}, "time_out_of_range"),
        ({"time_ns": -(2**70)}, "time_out_of_range"),
    ],
)
def test_one_bad_point_never_costs_its_neighbours(store: Store, changes: dict[str, Any], code: str) -> None:
    bad = action(**({"event_id": "bad"} | changes))
    refused = store.write([action("before", T0), bad, action("after", T0 + 1)])
    assert [(refusal.event_id, refusal.code) for refusal in refused] == [(bad.event_id, code)]
    assert refused[0].reason
    assert ids(store.read("milan", ["usage"], *EVER)) == ["before", "after"]


def test_points_older_than_retention_are_refused_one_by_one(new_place: Callable[[int | None], Place]) -> None:
    store = new_place(30 * 86_400).open("all")
    now = time.time_ns()
    told = [action(f"e{i:04}", now - i * NS_PER_S) for i in range(1000)]
    for place in (0, 500, 501, 999):
        told[place] = action(f"old{place}", now - 400 * DAY_NS - place)
    refused = store.write(told)
    assert sorted((refusal.event_id, refusal.code) for refusal in refused) == [
        (f"old{place}", "beyond_retention") for place in (0, 500, 501, 999)
    ]
    assert store.count("milan", "usage", *EVER) == 996
    store.close()


@pytest.mark.parametrize("days", [None, 30])
def test_a_store_tells_how_long_it_keeps_events(new_place: Callable[[int | None], Place], days: int | None) -> None:
    store = new_place(None if days is None else days * 86_400).open("all")
    assert store.retention_ns() == (None if days is None else days * DAY_NS)
    store.close()


def test_a_touch_outlives_the_events_that_it_is_about(new_place: Callable[[int | None], Place]) -> None:
    store = new_place(30 * 86_400).open("all")
    oldest = time.time_ns() - 30 * DAY_NS + 3600 * NS_PER_S
    day = (date(1970, 1, 1) + timedelta(days=oldest // DAY_NS)).isoformat()
    assert store.write([action("just young enough", oldest)]) == []
    store.touch([Touch(pilot="milan", day=day, seq=1)])
    assert store.touches() == [Touch(pilot="milan", day=day, seq=1)]
    store.close()


def test_nothing_is_hidden_because_it_lies_in_the_future(store: Store) -> None:
    far = [action("soon", time.time_ns() + 10 * 365 * DAY_NS), action("2200", 7_258_118_400 * NS_PER_S)]
    assert store.write(far) == []
    assert store.read("milan", ["usage"], *EVER) == far
    assert store.count("milan", "usage", *EVER) == 2


def test_times_before_1970_are_times(store: Store) -> None:
    told = [action("a", -86_400 * NS_PER_S - 1), action("b", -1), action("c", 0), action("d", 1)]
    assert store.write(told) == []
    assert store.read("milan", ["usage"], *EVER) == told
    store.delete([told[1]])
    assert ids(store.read("milan", ["usage"], *EVER)) == ["a", "c", "d"]


def test_100_000_random_times_come_back_to_the_nanosecond(store: Store) -> None:
    chance = random.Random(3)
    times = sorted(chance.sample(range(T0, T0 + 60 * DAY_NS), 100_000))
    shuffled = [action(str(time_ns), time_ns) for time_ns in times]
    chance.shuffle(shuffled)
    assert store.write(shuffled) == []
    assert [event.time_ns for event in store.read("milan", ["usage"], *EVER)] == times
    assert store.count("milan", "usage", *EVER) == 100_000


def test_reads_include_the_start_and_exclude_the_end(store: Store) -> None:
    store.write([action("a", T0), action("b", T0 + 1), action("c", T0 + 2)])
    assert ids(store.read("milan", ["usage"], T0, T0 + 2)) == ["a", "b"]
    assert store.count("milan", "usage", T0, T0 + 2) == 2
    assert store.read("milan", ["usage"], T0 + 1, T0 + 1) == []
    assert store.read("milan", ["usage"], T0 + 2, T0) == []
    assert store.count("milan", "usage", T0 + 2, T0) == 0


def test_streams_are_read_together_in_order_of_time(store: Store) -> None:
    told = [action(stream, T0 + 7 * place, stream=stream) for place, stream in enumerate(STREAMS)]
    store.write(list(reversed(told)))
    assert store.read("milan", STREAMS, *EVER) == told
    assert store.read("milan", ["ops", "sensor", "ops"], *EVER) == [told[0], told[3]]
    assert store.read("milan", [], *EVER) == []


def test_only_the_asked_pilot_is_read(store: Store) -> None:
    store.write([action("a"), action("b", pilot="genoa")])
    assert ids(store.read("genoa", STREAMS, *EVER)) == ["b"]
    assert store.read("palmela", STREAMS, *EVER) == []


def test_deleting_one_event_leaves_its_neighbours(store: Store) -> None:
    victim = action("victim", T0)
    neighbours = [
        action("before", T0 - 1),
        action("after", T0 + 1),
        action("other type", T0, type="session.started"),
        action("other feed", T0, feed="trams"),
        action("other stream", T0, stream="engagement"),
    ]
    elsewhere = action("other pilot", T0, pilot="genoa")
    store.write([victim, *neighbours, elsewhere])
    store.delete([victim])
    assert sorted(ids(store.read("milan", STREAMS, *EVER))) == sorted(ids(neighbours))
    assert store.read("genoa", STREAMS, *EVER) == [elsewhere]


def test_deleting_one_reading_leaves_other_devices_and_quantities(store: Store) -> None:
    victim = reading("victim", 1, device="", quantity="")
    neighbours = [
        reading("d", 2, device="d-1", quantity=""),
        reading("q", 3, device="", quantity="pm10"),
        reading("%", 4, device="%empty", quantity="%empty"),
        reading("-", 5, device="-", quantity="-"),
    ]
    store.write([victim, *neighbours])
    store.delete([victim])
    assert sorted(ids(store.read("athens", STREAMS, *EVER))) == sorted(ids(neighbours))


def test_deleting_what_is_not_there_is_no_error_and_a_deleted_event_can_return(store: Store) -> None:
    store.delete([])
    store.delete([action("never"), action("gossip", stream="gossip"), action("far", 2**80)])
    store.write([action("e"), action("f", T0 + 1)])
    store.delete([action("e"), action("e")])
    assert ids(store.read("milan", ["usage"], *EVER)) == ["f"]
    store.write([action("e")])
    assert ids(store.read("milan", ["usage"], *EVER)) == ["e", "f"]


def test_a_correction_replaces_the_event_when_the_old_one_is_deleted_first(store: Store) -> None:
    old, new = action("e", T0), action("e", T0 + DAY_NS, revision=1, count=4)
    store.write([old])
    store.delete([old])
    store.write([new])
    assert store.read("milan", ["usage"], *EVER) == [new]


def test_erasing_a_person_leaves_a_neighbour_of_the_same_millisecond(store: Store) -> None:
    hers = [
        action("a", T0, actor_key="hers"),
        action("b", T0 + 2, actor_key="hers", stream="engagement"),
        action("c", T0 + 90 * DAY_NS, actor_key="hers", feed="trams"),
    ]
    others = [
        action("d", T0 + 1, actor_key="his"),
        action("e", T0 + 3, actor_key=None),
        action("f", T0, actor_key="hers too", feed="trams"),
    ]
    elsewhere = action("g", T0, pilot="genoa", actor_key="hers")
    store.write([*hers, *others, elsewhere])
    assert store.erase("milan", "hers") == hers
    assert sorted(ids(store.read("milan", STREAMS, *EVER))) == ["d", "e", "f"]
    assert store.read("genoa", STREAMS, *EVER) == [elsewhere]
    assert store.erase("milan", "hers") == []


def test_what_was_written_is_there_for_the_next_process(place: Place) -> None:
    first = place.open("all")
    first.write([action("e")])
    first.close()
    second = place.open("read")
    assert ids(second.read("milan", ["usage"], *EVER)) == ["e"]
    second.close()


def test_an_empty_store_answers_with_nothing(place: Place) -> None:
    store = place.open("read")
    store.ping()
    assert store.read("milan", STREAMS, *EVER) == []
    assert store.count("milan", "usage", *EVER) == 0
    assert store.touches() == []
    assert store.get("now", None, *EVER) == []
    store.close()


def test_one_store_may_be_shared_by_threads(store: Store) -> None:
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(10):
                store.write([action(f"{name}-{number}-{i}", T0 + name * 10**6 + number * 1000 + i) for i in range(20)])
                assert len(store.read("milan", ["usage"], *EVER)) >= 20
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.count("milan", "usage", *EVER) == 800


def test_while_the_store_is_away_nothing_is_lost_and_afterwards_the_same_calls_succeed(place: Place) -> None:
    store = place.open("all")
    store.write([action("before")])
    with place.interrupt():
        for _ in range(2):
            with pytest.raises(StoreAway, match=r".+"):
                store.write([action("during", T0 + 1)])
    assert store.write([action("during", T0 + 1)]) == []
    assert ids(store.read("milan", ["usage"], *EVER)) == ["before", "during"]
    store.ping()
    store.close()
