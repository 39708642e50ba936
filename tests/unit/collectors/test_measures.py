"""What becomes of a number: the unit that it came in, the signs for no reading, the range that a feed sets."""

import json
from typing import Any

import pytest

from collectors.clock_rules import Window
from collectors.ingest import Ingest, Judged
from collectors.topics import Roster
from config.catalogue import Feed
from tests.unit.collectors.places import AIR, air, catalogue, pilot, raw, reading


def judged(payload: bytes, feed: Feed) -> Judged:
    return Ingest(Roster(catalogue(pilot(feed)), "main"), Window()).judge(raw(payload, AIR))


def flat(values: dict[str, Any], **more: Any) -> Feed:
    return air(map={"time": "at", "device": "device", "values": values, **more})


def entity(sent: Any, **quantity: Any) -> Judged:
    """An entity of NGSI whose temperature is 68 in the unit that it names."""
    attribute = {"type": "Number", "value": 68, "metadata": {"unitCode": {"value": sent}}}
    stamp = {"type": "DateTime", "value": "2019-03-01T12:00:00Z"}
    body = {"id": "r", "type": "Room", "TimeInstant": stamp, "t": attribute}
    values = {"t": {"quantity": "temperature", **quantity}}
    return judged(json.dumps(body).encode(), air(decoder="ngsi_v2", map={"values": values}))


def test_the_units_of_a_known_quantity_are_the_registrys() -> None:
    feed = flat({"pm10": {"quantity": "pm10", "unit": "mg/m³"}, "t": {"quantity": "temperature"}})
    found = judged(reading(pm10=0.07, t=20.5), feed).events
    assert [(e.quantity, e.value, e.unit) for e in found] == [("pm10", 70.0, "ug/m3"), ("temperature", 20.5, "Cel")]


def test_a_feeds_unit_that_is_none_of_its_quantity_refuses_each_reading_with_the_remedy() -> None:
    fault = judged(reading(no2=3), flat({"no2": {"quantity": "no2", "unit": "ppb"}})).fault
    assert fault is not None
    assert (fault.stage, fault.code) == ("validate", "unit_mismatch")
    assert 'use the quantity "no2-fraction"' in fault.text


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("FAH", 20.0), ("CEL", 68.0), ("°F", 20.0), (None, 68.0), ("", 68.0), ("LUX", "unit_mismatch"),
     ("XYZ", "unknown_unit"), ("x" * 3000, "unknown_unit")],
)  # fmt: skip
def test_the_unit_that_a_payload_names_is_believed(unit: Any, expected: float | str) -> None:
    found = entity(unit)
    assert (found.fault.code if found.fault else found.events[0].value) == expected
    assert found.fault is None or len(found.fault.text) < 250


def test_sent_unit_and_factor_of_a_feed_say_more_than_the_payload() -> None:
    assert entity("XYZ", sent_unit="XYZ", unit="°F").events[0].value == 20.0
    assert entity("FAH", sent_unit="CEL").fault.code == "other_unit"  # type: ignore[union-attr]
    assert entity("LUX", factor=0.5).events[0].value == 34.0


def test_a_quantity_of_the_feeds_own_keeps_its_unit_as_written() -> None:
    found = entity("XYZ", quantity="mood", unit="smiles/d").events
    assert [(e.value, e.unit) for e in found] == [(68.0, "smiles/d")]
    assert entity("FAH", quantity="mood", unit="smiles/d").fault.code == "unit_mismatch"  # type: ignore[union-attr]
    assert [(e.value, e.unit) for e in entity("FAH", quantity="oven", unit="°C").events] == [(20.0, "°C")]


@pytest.mark.parametrize("sign", [327.67, 327.6700134277344, "327.67", -999, "-999.0", "err"])
def test_a_sign_for_no_reading_is_counted_as_one_in_every_field_of_the_feed(sign: Any) -> None:
    feed = flat({"pm10": {"quantity": "pm10"}, "t": {"quantity": "temperature"}}, missing=[327.67, -999, "err"])
    found = judged(reading(pm10=sign, t=1), feed)
    assert ([e.quantity for e in found.events], found.empty, found.faults) == (["temperature"], 1, ())


def test_a_value_outside_the_feeds_range_is_no_point_and_costs_that_point_alone() -> None:
    feed = flat({"a": {"quantity": "temperature", "unit": "°F", "range": [-40, 60]}, "b": {"quantity": "pm10"}})
    found = judged(reading(a=212, b=3), feed)  # 100 Cel: the range is in the quantity's unit
    assert [e.quantity for e in found.events] == ["pm10"]
    assert [(f.code, f.point) for f in found.faults] == [("implausible", "temperature")]
    assert judged(reading(a=140, b=3), feed).faults == ()


def test_a_value_outside_the_range_may_be_counted_as_no_reading_instead() -> None:
    feed = flat({"a": {"quantity": "temperature", "range": [-40, 60], "outside": "no_reading"}})
    found = judged(reading(a=61), feed)
    assert (found.events, found.empty, found.dropped) == ([], 1, "no_reading")


def test_the_registrys_range_refuses_nothing() -> None:
    assert judged(reading(a=4000), flat({"a": {"quantity": "temperature"}})).events[0].value == 4000.0


def test_a_range_that_is_none_is_told_when_the_file_is_read() -> None:
    with pytest.raises(ValueError, match=r"range is \[lowest, highest\]"):
        flat({"a": {"quantity": "temperature", "range": [60, -40]}})
