"""Records and touched days: what the port promises of them, on every adapter."""

import msgspec
import pytest

from pipeline.model import Record, Touch
from pipeline.store.port import Store, StoreAway, StoreRefused
from tests.contract.places import Place
from tests.contract.samples import EVER, HOSTILE, T0

DAY_NS = 86_400_000_000_000


def record(
    kind: str = "values", pilot: str = "milan", key: str = "day", time_ns: int = T0, body: bytes = b"{}"
) -> Record:
    return Record(kind=kind, pilot=pilot, key=key, time_ns=time_ns, body=body)


def test_the_latest_touch_of_a_day_wins(store: Store) -> None:
    store.touch([Touch(pilot="milan", day="2026-03-29", seq=1), Touch(pilot="milan", day="2026-03-30", seq=2)])
    store.touch([Touch(pilot="milan", day="2026-03-29", seq=3)])
    store.touch([])
    assert store.touches() == [
        Touch(pilot="milan", day="2026-03-29", seq=3),
        Touch(pilot="milan", day="2026-03-30", seq=2),
    ]


def test_two_touches_of_a_day_in_one_call_leave_the_higher(store: Store) -> None:
    store.touch([Touch(pilot="milan", day="2026-03-29", seq=seq) for seq in (4, 6, 5)])
    assert store.touches() == [Touch(pilot="milan", day="2026-03-29", seq=6)]


def test_touches_keep_every_digit_of_the_sequence_and_every_day(store: Store) -> None:
    days = ["1969-12-31", "1970-01-01", "2024-02-29", "2026-11-25", "2199-12-31"]
    told = [Touch(pilot="athens", day=day, seq=2**62 + place) for place, day in enumerate(days)]
    store.touch(told)
    assert store.touches() == told


@pytest.mark.parametrize("day", ["", "2026-02-30", "20260101", "2026-01-01T00:00", "today"])
def test_a_touch_of_no_day_is_refused_with_a_sentence(store: Store, day: str) -> None:
    with pytest.raises(StoreRefused, match="milan"):
        store.touch([Touch(pilot="milan", day=day, seq=1)])


def test_putting_a_record_again_replaces_all_of_it(store: Store) -> None:
    store.put([record(body=b'{"a":1,"b":2}')])
    store.put([record(body=b'{"b":3}')])
    assert store.get("values", "milan", *EVER) == [record(body=b'{"b":3}')]


def test_records_are_found_by_kind_pilot_key_and_time(store: Store) -> None:
    told = [
        record(pilot=pilot, key=key, time_ns=T0 + place * DAY_NS, body=f'"{pilot} {key} {place}"'.encode())
        for pilot in ("athens", "milan")
        for key in ("day", "week")
        for place in range(3)
    ]
    store.put([*reversed(told), record(kind="partial")])
    assert store.get("values", None, *EVER) == told
    assert store.get("values", "milan", *EVER) == told[6:]
    assert store.get("values", None, *EVER, key="week") == told[3:6] + told[9:]
    assert store.get("values", "milan", T0, T0 + 2 * DAY_NS, "week") == told[9:11]
    assert store.get("values", "milan", T0 + 1, T0 + DAY_NS + 1, "day") == [told[7]]
    assert store.get("values", "milan", T0, T0) == []
    assert store.get("partial", None, *EVER) == [record(kind="partial")]
    assert store.get("done", None, *EVER) == []
    store.put([])


def test_a_record_at_time_zero_and_a_late_one_are_found(store: Store) -> None:
    told = [record(time_ns=time_ns) for time_ns in (-1, 0, 1, 7_258_118_400_000_000_001)]
    store.put(told)
    assert store.get("values", "milan", *EVER) == told
    assert store.get("values", "milan", 0, 1) == [told[1]]


def test_a_record_of_a_million_bytes_comes_back_whole(store: Store) -> None:
    body = ('{"text":"' + 'é\\"' * 249_997).encode()[:999_997].removesuffix(b"\xc3").removesuffix(b"\\") + b'"}'
    store.put([record(body=body), record(key="empty", body=b"")])
    assert [found.body for found in store.get("values", "milan", *EVER)] == [body, b""]


def test_hostile_texts_in_records_and_touches_come_back_as_they_were(store: Store) -> None:
    texts = sorted([*HOSTILE, ""])
    told = [record(pilot=text, key=text, body=msgspec.json.encode(text)) for text in texts]
    store.put(told)
    assert store.get("values", None, *EVER) == told
    for one in told:
        assert store.get("values", one.pilot, *EVER, key=one.key) == [one]
    touched = [Touch(pilot=text, day="2026-01-01", seq=1) for text in sorted(HOSTILE)]
    store.touch(touched)
    assert store.touches() == touched


@pytest.mark.parametrize(
    "wrong",
    [
        record(kind="usage"),
        record(kind="touch"),
        record(kind=""),
        record(kind='x"y'),
        record(pilot="x" * 129),
        record(key="\ud800"),
        record(body=b"\xff"),
        record(body=b"x" * 1_000_001),
        record(body=b"{\n}"),
        record(body=b"{\r}"),
        record(time_ns=2**63 - 1),
    ],
)
def test_a_record_that_cannot_be_kept_is_refused_before_anything_is_written(store: Store, wrong: Record) -> None:
    with pytest.raises(StoreRefused, match="record"):
        store.put([record(), wrong])
    assert store.get("values", None, *EVER) == []


def test_records_and_touches_wait_for_a_store_that_is_away(place: Place) -> None:
    store = place.open("all")
    with place.interrupt():
        with pytest.raises(StoreAway):
            store.put([record()])
        with pytest.raises(StoreAway):
            store.touch([Touch(pilot="milan", day="2026-01-01", seq=1)])
    store.put([record()])
    store.touch([Touch(pilot="milan", day="2026-01-01", seq=1)])
    assert store.get("values", None, *EVER) == [record()]
    assert len(store.touches()) == 1
    store.close()
