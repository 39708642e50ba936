"""Decoders against payloads as standards and projects publish them; the recorded files are not in the repository."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cbor2
import pytest

from collectors.decoders import DECODERS, senml
from collectors.decoders.limits import parse_value
from collectors.decoders.line_protocol_points import Point, points
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed
from config.quantities import known_quantity
from pipeline.store.line_protocol import fields, prefix
from tests.unit.collectors.places import NOW_NS

SENML = [f"ex{number}" for number in range(1, 8)]
_LABELS = {label: number for number, label in senml._LABELS.items()}


def _resolved(pack: list[dict[str, Any]], now_s: float) -> list[dict[str, Any]]:
    """Records in the resolved form of RFC 8428; a record of bytes is left out there."""
    rows = []
    for record in senml.resolved(pack):
        kind = "vb" if isinstance(record.value, bool) else "vs" if isinstance(record.value, str) else "v"
        time_s = record.time_s if record.own_time else now_s + record.time_s
        row = {"n": record.name, "u": record.unit, "t": pytest.approx(time_s, abs=1e-6), kind: record.value}
        rows.append({key: value for key, value in row.items() if value is not None})
    return [row for row in rows if set(row) - {"n", "u", "t"}]


@pytest.mark.parametrize("name", SENML)
@pytest.mark.parametrize("binary", [False, True], ids=["json", "cbor"])
def test_senml_is_resolved_as_the_standard_says(data_dir: Path, name: str, binary: bool) -> None:
    folder = data_dir / "payloads/senml"
    expected = json.loads((folder / f"{name}.gen.resolved.json").read_bytes())
    pack = parse_value((folder / f"{name}.json").read_bytes())
    if binary:
        pack = cbor2.loads(cbor2.dumps([{_LABELS[label]: value for label, value in row.items()} for row in pack]))
    assert _resolved(pack, expected[0]["t"]) == expected


def _read(decoder: str, payload: bytes, **mapping: Any) -> list[tuple[str, str, float | None, int]]:
    """(device, quantity, value, second) of each reading; a field's quantity is its name in lower case."""
    named = {name: name.lower().replace("_", "-") for name in mapping.pop("fields")}
    fields = {  # a known quantity has its own unit, which the payload's unitCode has to agree with
        name: {"quantity": quantity, "unit": getattr(known_quantity(quantity), "unit", "1")}
        for name, quantity in named.items()
    }
    feed = Feed.model_validate(
        {"id": "feed", "topic": "a/b", "stream": "sensor", "decoder": decoder, "map": {"values": fields, **mapping}}
    )
    message = RawMessage(topic="a/b", payload=payload, received_ns=NOW_NS)
    events = DECODERS[decoder](message, Place("madrid", "feed", feed, ZoneInfo("Europe/Madrid"))).events
    return [(one.device, one.quantity, one.value, one.time_ns // 1_000_000_000) for one in events]


# Of each data model: the fields that all its examples share, their values, and where the time stands.
MODELS = {
    "AirQualityObserved": ({"co": 500, "no": 45, "nox": 139, "so2": 11}, "dateObserved", 1458036000),
    "NoiseLevelObserved": ({"LAeq": 67.8, "LAmax": 94.5}, "dateObservedFrom", 1482922800),
    "TrafficFlowObserved": ({"intensity": 197, "occupancy": 0.76}, "dateObserved", 1481105400),
    "BikeHireDockingStation": ({"availableBikeNumber": 20, "totalSlotNumber": 100}, "observationDate", 1615458062),
    "KeyPerformanceIndicator": ({"kpiValue": 20}, None, 1467215949),
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_every_form_of_a_smart_data_model_gives_the_same_readings(data_dir: Path, model: str) -> None:
    values, time, second = MODELS[model]
    forms = [path for path in sorted((data_dir / "payloads/smart_data_models" / model).glob("example*"))
             if "geojson" not in path.name]  # fmt: skip
    assert len(forms) >= 2
    for form in forms:
        decoder = "ngsi_ld" if form.suffix == ".jsonld" else "ngsi_v2"
        found = _read(decoder, form.read_bytes(), fields=list(values), time=time)
        assert {name: value for _, name, value, _ in found} == {name.lower(): value for name, value in values.items()}
        assert {device for device, *_ in found} == {json.loads(form.read_bytes())["id"]}
        assert {at for *_, at in found} == {second}, form.name


def test_a_geojson_form_is_read_like_the_others(data_dir: Path) -> None:
    payload = (data_dir / "payloads/smart_data_models/AirQualityObserved/example-geojsonfeature.json").read_bytes()
    (found,) = _read("ngsi_ld", payload, fields=["NOx"], time="dateObserved")
    assert found[2:] == (139, 1458036000)


def test_the_uplinks_that_the_things_stack_publishes_are_read_or_refused_with_the_remedy(data_dir: Path) -> None:
    lines = (data_dir / "payloads/lorawan/things_stack_v3_uplinks.jsonl").read_bytes().splitlines()
    for line in lines[:2]:
        with pytest.raises(Undecodable, match="add a payload formatter"):
            _read("things_stack", line, fields=["occupied"])
    with pytest.raises(Undecodable, match="value of occupied is not a number"):  # a flag, without words for it
        _read("things_stack", lines[2], fields=["occupied"])


def test_the_uplink_of_jenas_forest_is_read(data_dir: Path) -> None:
    payload = (data_dir / "payloads/lorawan/jena_soil_moisture_uplink.json").read_bytes()
    found = _read("chirpstack", payload, fields=["temp_SOIL", "water_SOIL_f", "temp_DS18B20"])
    assert found == [
        ("a8404187d187106e", "temp-soil", 13.25, 1718873318),
        ("a8404187d187106e", "water-soil-f", 13.74, 1718873318),
        ("a8404187d187106e", "temp-ds18b20", 0.0, 1718873318),
    ]


# What InfluxData's decoder answers otherwise, and why ours differs.
OTHERWISE: dict[str, str] = {}


def test_line_protocol_is_read_as_the_corpus_says(data_dir: Path) -> None:
    with gzip.open(data_dir / "payloads/line_protocol/corpus.json.gz") as file:
        cases = json.load(file)["decode"]
    differing = {key for key, case in cases.items() if _points(case["input"]) != case["output"].get("result")}
    assert len(cases) > 5000
    assert differing == set(OTHERWISE)
    assert len(OTHERWISE) <= len(cases) / 100


# Points of the corpus that our encoder, which knows no unsigned numbers, writes as numbers beyond 63 bits.
UNSIGNED = {
    "27fd209742d33a19ea3cbf54268c025b", "37b82de81acdd74c72d6ec702e4ef075", "46545fbfb2e1e8b404e0e75c66028e9c",
    "c2d6a608f3179aa48138ed8b460a94e5", "d00f6348ff30faffe56d97abccfef3cc", "eb1d4076931acb9941cb712fc3574b55",
}  # fmt: skip


def test_each_point_of_the_corpus_is_the_same_after_being_written_and_read_again(data_dir: Path) -> None:
    with gzip.open(data_dir / "payloads/line_protocol/corpus.json.gz") as file:
        cases = json.load(file)["decode"]
    lost, tried = set(), 0
    for key, case in cases.items():
        try:
            found = list(points(_text_of(case["input"])))
        except Undecodable:
            continue
        for point in found:
            tried += 1
            written = f"{prefix(point.name, list(point.tags.items()))} {fields(point.fields)}"
            line = written if point.time is None else f"{written} {point.time}"
            if [one[:4] for one in _read_again(line)] != [point[:4]]:
                lost.add(key)
    assert lost == UNSIGNED
    assert tried > 300
    assert len(UNSIGNED) <= len(cases) / 100


def _read_again(line: str) -> list[Point]:
    try:
        return list(points(line.encode()))
    except Undecodable:
        return []


def _text_of(given: dict[str, Any]) -> bytes:
    text = given["text"]
    return base64.b64decode(text["binary"]) if isinstance(text, dict) else text.encode()


def _points(given: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Points in the corpus's own form, None where the text is refused."""
    payload = _text_of(given)
    scale = {"1ns": 1, "1µs": 1000, "1ms": 1_000_000, "1s": 1_000_000_000}[given["precision"]]
    try:
        found = list(points(payload))
    except Undecodable:
        return None
    default = given["defaultTime"] - given["defaultTime"] % scale
    return [
        {
            "time": default if one.time is None else one.time * scale,
            "name": one.name,
            "tags": [{"key": key, "value": value} for key, value in sorted(one.tags.items())],
            "fields": [{"key": key, "value": _kind(value)} for key, value in one.fields],
        }
        for one in found
    ]


def _kind(value: Any) -> Any:
    """A value that equals the corpus's tagged one; int and uint are one kind here."""
    if isinstance(value, bool):
        return {"bool": value}
    if isinstance(value, str):
        return {"string": value}
    return {"float": value} if isinstance(value, float) else _Whole(value)


class _Whole(int):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and set(other) <= {"int", "uint"} and list(other.values()) == [int(self)]

    __hash__ = int.__hash__
