"""Every value is data: hostile texts in every field and every parameter, on every adapter."""

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace as changed

from pipeline.model import STREAMS, Event
from pipeline.store.port import Store
from tests.contract.samples import EVER, HOSTILE, T0, action, reading

TEXT_FIELDS = (
    "event_id",
    "pilot",
    "feed",
    "type",
    "time_precision",
    "time_rule",
    "consent",
    "actor_key",
    "actor_kind",
    "service_id",
    "device",
    "quantity",
    "unit",
)


def random_texts(count: int) -> list[str]:
    """Texts over all of Unicode, control characters and surroundings of escapes included."""
    chance = random.Random(11)
    ranges = [(0, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xA0, 0xD800), (0xE000, 0x110000)]
    return [
        "".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randint(1, 12)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_hostile_texts_in_any_field_come_back_as_they_were(store: Store, field: str) -> None:
    texts = [*HOSTILE, *dict.fromkeys(random_texts(60))]
    told = [changed(action(f"e{place}", T0 + place), **{field: text}) for place, text in enumerate(texts)]
    assert store.write(told) == []
    found = [event for pilot in {event.pilot for event in told} for event in store.read(pilot, ["usage"], *EVER)]
    assert sorted(found, key=lambda event: event.time_ns) == told


@pytest.mark.parametrize("field", ["feed", "type", "device", "quantity"])
def test_a_hostile_identity_is_deleted_without_its_neighbours(store: Store, field: str) -> None:
    make: Callable[..., Event] = action if field in ("feed", "type") else reading
    texts = [*HOSTILE, *([""] if field != "feed" else [])]
    told = [make(f"e{place}", **{field: text}) for place, text in enumerate(texts)]
    store.write(told)
    while told:
        store.delete([told.pop()])
        left = store.read("milan", ["usage"], *EVER) + store.read("athens", ["sensor"], *EVER)
        assert sorted(event.event_id for event in left) == sorted(event.event_id for event in told)


@pytest.mark.parametrize("hostile", [*HOSTILE, "\ud800"])
def test_no_parameter_is_ever_a_query(store: Store, hostile: str) -> None:
    kept = [action("e", T0), action("f", T0 + 1, stream="engagement"), action("g", T0 + 2, pilot="genoa")]
    store.write(kept)
    assert store.read(hostile, STREAMS, *EVER) == []
    assert store.read("milan", [hostile], *EVER) == []
    assert store.count(hostile, "usage", *EVER) == 0
    assert store.count("milan", hostile, *EVER) == 0
    assert store.erase(hostile, "k-1") == []
    assert store.erase("milan", hostile) == []
    assert store.get(hostile, None, *EVER) == []
    assert store.get("values", hostile, *EVER) == []
    assert store.get("values", None, *EVER, key=hostile) == []
    for field in ("pilot", "stream", "feed", "type"):
        store.delete([changed(kept[0], **{field: hostile})])
    assert store.read("milan", STREAMS, *EVER) == kept[:2]
    assert store.read("genoa", STREAMS, *EVER) == kept[2:]


def test_a_hostile_actor_is_erased_alone(store: Store) -> None:
    told = [action(f"e{place}", T0 + place, actor_key=text) for place, text in enumerate(HOSTILE)]
    store.write(told)
    while told:
        assert store.erase("milan", told[-1].actor_key or "") == [told.pop()]
        assert store.read("milan", ["usage"], *EVER) == told
