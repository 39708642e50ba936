"""Any bytes become events or one reason, with every decoder; nothing else ever leaves it."""

import json
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.decoders import DECODERS
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed
from tests.unit.collectors.places import NOW_NS

FOLDER = Path(__file__).parents[2] / "data/decoders"
SEEDS = {name: sorted((FOLDER / name).glob("*/input.*")) for name in DECODERS}
HARD = [None, True, -1, 2**63 - 1, 1e308, "", "NaN", "a/b", "9" * 30, [], {}, [[]], {"value": None}, {"value": {}}]


def _feed(name: str, seed: Path) -> Feed:
    return Feed.model_validate({"decoder": name, **tomllib.loads((seed.parent / "feed.toml").read_text())})


def _decode(name: str, feed: Feed, payload: bytes) -> None:
    message = RawMessage(topic=feed.topic, payload=payload, received_ns=NOW_NS)
    try:
        decoded = DECODERS[name](message, Place("bremen", feed.id, feed, ZoneInfo("Europe/Berlin")))
    except Undecodable:
        return
    ids = [event.event_id for event in decoded.events]
    assert len(ids) == len(set(ids))
    assert all(event.pilot == "bremen" and event.feed == feed.id for event in decoded.events)


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_case_with_bytes_changed_is_decoded_or_refused(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS[name]))
    payload = bytearray(seed.read_bytes()[:4096])
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(payload)))
        payload[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    _decode(name, _feed(name, seed), bytes(payload))


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_case_with_values_changed_is_decoded_or_refused(name: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(SEEDS[name]))
    try:
        body = json.loads(seed.read_bytes()[:4096])
    except ValueError:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        body = _changed(body, data)
    _decode(name, _feed(name, seed), json.dumps(body).encode())


def _changed(value: Any, data: st.DataObject) -> Any:
    """The value with one part of it, at any depth, replaced or left out."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.integers(0, 4)) == 0:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _changed(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 3)):
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _changed(value[at], data), *value[at + 1 :]]
    return data.draw(st.sampled_from(HARD))


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize(
    "payload",
    [b" =", b"\x00", b"[" * 60_000, b'{"a":' * 5000, b"\x9b" + b"\xff" * 8, b"\x81" * 60_000, b"x" * 70_000,
     b"\xff\xfe", b"\xc1" * 60_000, b"," * 60_000, b"a=1," * 15_000, b"m " + b"a=1," * 15_000,
     b"\\" * 60_000, b'm a="' * 9_000, b'm a="' + b"\\" * 60_001,
     b"[" * 33 + b'"' + b'\\"' * 30_000],
    ids=range(16),
)  # fmt: skip
def test_hostile_bytes_are_refused(name: str, payload: bytes) -> None:
    feed = _feed(name, SEEDS[name][0])
    message = RawMessage(topic=feed.topic, payload=payload, received_ns=NOW_NS)
    with pytest.raises(Undecodable):
        DECODERS[name](message, Place("bremen", feed.id, feed, ZoneInfo("Europe/Berlin")))
