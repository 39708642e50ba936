"""ChirpStack v4 uplinks with their decoded object, as its MQTT integration sends them in JSON.

Promises: a map's keys are paths within `object`; deduplicationId is the event's identity; a tag `pilot` of the device
may not contradict the topic; a time that is none or before LoRaWAN existed gives way to the receipt.
Source: ChirpStack v4 documentation, "Events", and its integration.proto, UplinkEvent.
"""

from collectors.decoders import Decoded
from collectors.decoders.limits import parse
from collectors.decoders.readings import Readings, as_name, at
from collectors.decoders.things_stack import believed_time
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place

_IDENTITY = (b'"deduplicationId"', b'"devEui"', b'"time"', b'"object"')


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of an uplink, one per mapped field of its decoded object."""
    readings = Readings(message, place)
    body = parse(message.payload, _IDENTITY)
    info = body.get("deviceInfo")
    if not isinstance(info, dict):
        if "devEUI" in body or "applicationID" in body:
            raise Undecodable("decode", "old_format", "the message is of ChirpStack v3; only v4 is read")
        raise Undecodable("validate", "no_uplink", "the message is no uplink; let the feed's topic end in /event/up")
    readings.refuse_other_pilot(at(info, "tags.pilot"))
    fields = body.get("object")
    if not isinstance(fields, dict):
        raise Undecodable(
            "validate", "no_decoded_payload", "the uplink has no object; add a codec to the device's profile"
        )
    device = readings.device(body, info.get("devEui") or "")
    when = believed_time(body, ("time",), readings)
    given_id = body.get("deduplicationId")
    base = as_name(given_id, "deduplicationId") if given_id else readings.base(when)
    for path, quantity in readings.map.values.items():
        given = at(fields, path)
        if given is None and readings.map.sparse:
            continue
        try:
            readings.add(quantity, given, device, base, when)
        except Undecodable as error:
            readings.set_aside(error, quantity.quantity)
    return readings.decoded()
