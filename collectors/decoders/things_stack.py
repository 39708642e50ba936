"""The Things Stack v3 uplinks with their decoded payload, as its MQTT server, webhooks and storage send them.

Promises: a map's keys are paths within `decoded_payload`; dev_eui, session_key_id and f_cnt are the event's identity,
and an f_cnt that is left out is 0; a `received_at` that is no time or before LoRaWAN existed gives way to the next.
Source: The Things Stack API reference, ApplicationUp and ApplicationUplink.
"""

from typing import Any

from collectors.decoders import Decoded
from collectors.decoders.limits import parse
from collectors.decoders.readings import Moment, Readings, as_name, at
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place

_IDENTITY = (b'"dev_eui"', b'"device_id"', b'"session_key_id"', b'"f_cnt"', b'"decoded_payload"', b'"simulated"')
_TIMES = ("uplink_message.received_at", "received_at")
LORAWAN_BEGAN_NS = (
    1_420_070_400_000_000_000  # 2015-01-01; devices and gateways without a clock say 1970, 1980 or year 1
)


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of an uplink, one per mapped field of its decoded payload."""
    readings = Readings(message, place)
    body = parse(message.payload, _IDENTITY)
    if isinstance(body.get("result"), dict):  # as the storage integration wraps it
        body = body["result"]
    uplink = body.get("uplink_message")
    if not isinstance(uplink, dict):
        raise _no_uplink(body)
    fields = uplink.get("decoded_payload")
    if not isinstance(fields, dict):
        raise Undecodable(
            "validate", "no_decoded_payload", "the uplink has no decoded_payload; add a payload formatter to the device"
        )
    ids = body.get("end_device_ids")
    device = readings.device(body, at(ids, "device_id") or at(ids, "dev_eui") or "")
    when = believed_time(body, _TIMES, readings)
    base = _identity(ids, uplink) or readings.base(when)
    simulated = body.get("simulated") is True
    for path, quantity in readings.map.values.items():
        given = at(fields, path)
        if given is None and readings.map.sparse:
            continue
        try:
            readings.add(quantity, given, device, base, when, simulated)
        except Undecodable as error:
            readings.set_aside(error, quantity.quantity)
    return readings.decoded()


def believed_time(body: dict[str, Any], paths: tuple[str, ...], readings: Readings) -> Moment:
    """The feed's own choice of time, else the first of `paths` that holds a credible one, else the receipt."""
    if readings.map.time is not None:
        return readings.moment(at(body, readings.map.time))
    for path in paths:
        try:
            found = readings.moment(at(body, path), path)
        except Undecodable:
            continue
        if found.time_ns >= LORAWAN_BEGAN_NS:
            return found
    return readings.receipt()


def _identity(ids: Any, uplink: dict[str, Any]) -> str:
    """The frame's own identity, empty where the message does not hold it."""
    eui, session, count = at(ids, "dev_eui"), uplink.get("session_key_id"), uplink.get("f_cnt", 0)
    if not eui or not session:
        return ""
    return f"{as_name(eui, 'dev_eui')}/{as_name(session, 'session_key_id')}/{as_name(count, 'f_cnt')}"


def _no_uplink(body: dict[str, Any]) -> Undecodable:
    if "payload_fields" in body or "hardware_serial" in body:
        return Undecodable("decode", "old_format", "the message is of The Things Network v2; only v3 is read")
    return Undecodable("validate", "no_uplink", "the message is no uplink; let the feed's topic end in /up")
