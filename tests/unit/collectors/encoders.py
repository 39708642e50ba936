"""Readings and events as payloads of each format, written from the specifications and not from the decoders."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import cbor2

from collectors.clock_rules import floor_and_span
from config.catalogue import Feed
from pipeline.model import Event
from pipeline.store.line_protocol import fields, prefix

BERLIN = ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOPIC = "pilots/bremen/sensor/s"
# Two known quantities, one of the feed's own.
UNITS = {"temperature": "Cel", "no2": "ug/m3", "mood": "smiles"}
_CBOR = {"bn": -2, "bt": -3, "n": 0, "u": 1, "v": 2, "t": 6}


class Sample(NamedTuple):
    """What one device measured at one moment, in whole milliseconds."""

    device: str
    time_ms: int
    values: dict[str, float]


def iso(time_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def flat_json(samples: Sequence[Sample]) -> bytes:
    (one,) = samples
    return json.dumps({"at": iso(one.time_ms), "device": one.device, **one.values}).encode()


def things_stack(samples: Sequence[Sample]) -> bytes:
    (one,) = samples
    ids = {"device_id": one.device, "dev_eui": "0004A30B001C0530"}
    uplink = {"session_key_id": "AXA5", "f_cnt": 3, "decoded_payload": one.values, "received_at": iso(one.time_ms)}
    return json.dumps({"end_device_ids": ids, "received_at": iso(one.time_ms + 5), "uplink_message": uplink}).encode()


def chirpstack(samples: Sequence[Sample]) -> bytes:
    (one,) = samples
    info = {"devEui": one.device, "deviceName": "d"}
    body = {"deduplicationId": "3ac7", "time": iso(one.time_ms), "deviceInfo": info, "object": one.values}
    return json.dumps(body).encode()


def senml(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """A pack whose records take name, time and unit from base fields where they can."""
    pack: list[dict[str, Any]] = []
    for one in samples:
        start = {"bn": one.device + "/", "bt": one.time_ms / 1000 - 1}
        for name, value in one.values.items():
            pack.append({**start, "n": name, "t": 1, "v": value, "u": UNITS[name]})
            start = {}
    return pack


def senml_json(samples: Sequence[Sample]) -> bytes:
    return json.dumps(senml(samples)).encode()


def senml_cbor(samples: Sequence[Sample]) -> bytes:
    return cbor2.dumps([{_CBOR[label]: value for label, value in record.items()} for record in senml(samples)])


def ngsi_v2(samples: Sequence[Sample]) -> bytes:
    def entity(one: Sample) -> dict[str, Any]:
        stamp = {"TimeInstant": {"type": "DateTime", "value": iso(one.time_ms)}}
        attributes = {name: {"type": "Number", "value": v, "metadata": stamp} for name, v in one.values.items()}
        return {"id": one.device, "type": "Room", **attributes}

    return json.dumps({"subscriptionId": "5c", "data": [entity(one) for one in samples]}).encode()


def ngsi_v2_key_values(samples: Sequence[Sample]) -> bytes:
    return json.dumps(
        [{"id": one.device, "type": "Room", "TimeInstant": iso(one.time_ms), **one.values} for one in samples]
    ).encode()


def ngsi_ld(samples: Sequence[Sample]) -> bytes:
    def entity(one: Sample) -> dict[str, Any]:
        said = {"observedAt": iso(one.time_ms)}
        return {"id": one.device, "type": "Room"} | {
            name: {"type": "Property", "value": value, **said} for name, value in one.values.items()
        }

    body = {"id": "urn:n:1", "type": "Notification", "notifiedAt": iso(0), "data": [entity(one) for one in samples]}
    return json.dumps({"metadata": {"Content-Type": "application/json"}, "body": body}).encode()


def ngsi_ld_concise(samples: Sequence[Sample]) -> bytes:
    return json.dumps(
        [
            {"id": one.device, "type": "Room"}
            | {name: {"value": value, "observedAt": iso(one.time_ms)} for name, value in one.values.items()}
            for one in samples
        ]
    ).encode()


def line_protocol(samples: Sequence[Sample]) -> bytes:
    lines = [
        f"{prefix('climate', [('device', one.device)])} {fields(list(one.values.items()))} {one.time_ms * 1_000_000}"
        for one in samples
    ]
    return "\n".join(lines).encode()


def cloudevent(event: Event) -> bytes:
    """An event in structured mode; its id has to be of the form source/id."""
    source, _, id_ = event.event_id.partition("/")
    floor_ns, _ = floor_and_span(event.time_ns, event.time_precision, BERLIN)
    local = (EPOCH + timedelta(milliseconds=floor_ns // 1_000_000)).astimezone(BERLIN)
    kept = ("time_precision", "synthetic", "revision", "count", "consent", "actor_kind")
    given = ("actor_key", "service_id", "device", "quantity", "value", "unit")
    data = {name: getattr(event, name) for name in kept} | {
        name: getattr(event, name) for name in given if getattr(event, name) not in (None, "")
    }
    body = {"specversion": "1.0", "id": id_, "source": f"/pilots/{event.pilot}/{source}", "type": event.type}
    return json.dumps({**body, "time": local.isoformat(), "data": {**event.data, **data}}).encode()


def feed(decoder: str, **mapping: Any) -> Feed:
    values = {name: {"quantity": name, "unit": unit} for name, unit in UNITS.items()}
    table = {"id": "s", "topic": TOPIC, "stream": "sensor", "decoder": decoder}
    return Feed.model_validate({**table, "map": {"values": values, "sparse": True, **mapping}})


class Format(NamedTuple):
    """How to write a format, a feed that reads it, and whether a message holds several samples."""

    encode: Callable[[Sequence[Sample]], bytes]
    feed: Feed
    several: bool = True


FORMATS = {
    "flat_json": Format(flat_json, feed("flat_json", time="at", device="device"), several=False),
    "things_stack": Format(things_stack, feed("things_stack"), several=False),
    "chirpstack": Format(chirpstack, feed("chirpstack"), several=False),
    "senml in JSON": Format(senml_json, feed("senml")),
    "senml in CBOR": Format(senml_cbor, feed("senml")),
    "ngsi_v2, a notification": Format(ngsi_v2, feed("ngsi_v2")),
    "ngsi_v2, key-values": Format(ngsi_v2_key_values, feed("ngsi_v2")),
    "ngsi_ld, a notification": Format(ngsi_ld, feed("ngsi_ld")),
    "ngsi_ld, concise": Format(ngsi_ld_concise, feed("ngsi_ld")),
    "line_protocol": Format(line_protocol, feed("line_protocol", device="device")),
}
