"""What to change in a feed's file so that a message that was refused is read.

Promises: pure; names fields and formats that were found in the payload itself, never a value of it, and at most eight.
"""

from collections.abc import Iterator
from typing import Any

from collectors.decoders import senml
from collectors.decoders.cbor import parse_cbor
from collectors.decoders.limits import parse_value
from collectors.decoders.line_protocol_points import points
from collectors.decoders.ngsi import attribute_names
from collectors.decoders.readings import at
from collectors.message import Undecodable
from config.catalogue import Feed
from config.quantities import nearest_quantity

_MOST = 8
_WITHIN = {"things_stack": "uplink_message.decoded_payload", "chirpstack": "object"}
_FIXED = {
    "clock_skew": "mend the sender's clock; for a back-fill set accept_since = 2024-01-31, its first day, on the feed",
    "beyond_retention": "let the store keep data for longer; accept_since cannot reach beyond it",
    "identity_mismatch": "publish on the topic of the pilot that the payload names, or mend the payload",
    "consent": 'set consent = "cohort" on the feed, if these people agreed to it',
    "count": 'set consent = "count_only" on the feed, if that is what was agreed',
    "no_person": "set person_id to the path of the person's id, or remove it from the feed",
    "other_unit": "set unit, factor and sent_unit of this quantity in [feeds.map.values] to what the sender uses",
    "unknown_unit": "write the unit as in docs/units.md, or set sent_unit to it if it means the quantity's own unit",
    "unit_mismatch": "correct the unit or the quantity in [feeds.map.values]; docs/units.md has both",
    "implausible": 'widen range, add the device\'s sign for no reading to missing, or set outside = "no_reading"',
    "doubled_quantity": "give each of the two fields a quantity of its own in [feeds.map.values]",
    "simulated": 'remove "simulated" from drop, to keep simulated readings marked as such',
    "too_large": "send fewer readings in one message",
    "too_many_items": "send fewer readings in one message",
    "bad_value": "add the device's sign for no reading to missing, or what its words and flags stand for to words",
    "unknown_type": "write the type as in docs/schemas/README.md, or name it in extra_types of the feed",
    "missing_synthetic": 'send "synthetic": true or false in data, or set synthetic on the feed for all its events',
    "no_map": "add [feeds.map] with values that name the fields",
}


def advice(code: str, feed: Feed, payload: bytes) -> str:
    """The remedy for a code of a fault or rule, empty where the fault's own text says it all."""
    if feed.decoder == "cloudevents" and code == "bad_value":
        return ""  # no map reads it
    if code in _FIXED:
        return _FIXED[code]
    other = format_of(payload)
    if other not in ("", "json", feed.decoder):
        return f'this looks like {other}: set decoder = "{other}" on the feed'
    if other == "json" and feed.decoder != "flat_json":
        return 'this is JSON of no format known here: set decoder = "flat_json" with a [feeds.map]'
    names = list(_fields(feed.decoder, payload))
    if code in ("no_reading", "no_time", "no_device", "no_id") and names and feed.map is not None:
        shown = ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
        if code == "no_reading":
            known = ", ".join(list(feed.map.values)[:_MOST])
            return f"none of {known} holds a number here; this message has {shown}{_guess(names)}"
        return f"name another path in [feeds.map] ({code[3:]} = ...); this message has {shown}"
    if code == "bad_time":
        return "set time_format in [feeds.map]: iso, epoch_s, epoch_ms, epoch_us or epoch_ns"
    return ""


def fixed_advice(code: str) -> str:
    """The remedy for a code where it names nothing of the payload, else empty."""
    return _FIXED.get(code, "")


def _guess(names: list[str]) -> str:
    """A line for the feed's map, where a name of the payload is one under which a known quantity is sent."""
    for name in names:
        known = nearest_quantity(name.partition(" (")[0].rsplit(".", 1)[-1])
        if known is not None:
            return f'; write for example "{name.partition(" (")[0]}" = {{quantity = "{known.name}"}}'
    return ""


def format_of(payload: bytes) -> str:
    """The decoder that a payload looks made for, "json" for other JSON, empty where nothing is known."""
    try:
        body = parse_cbor(payload) if payload[:1] >= b"\x80" else parse_value(payload)
    except Undecodable:
        return "line_protocol" if _is_line_protocol(payload) else ""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return "json" if isinstance(body, dict | list) else ""
    if isinstance(body, list) and first.keys() & {"bn", "n", -2, 0}:
        return "senml"
    inner = first["result"] if isinstance(first.get("result"), dict) else first
    if "end_device_ids" in inner:
        return "things_stack"
    if "deviceInfo" in first:
        return "chirpstack"
    kind = first.get("type")  # of an event in lower case, of an entity with a capital: both may have a source
    if "specversion" in first or (
        isinstance(kind, str) and kind.islower() and first.keys() & {"source", "data", "time"}
    ):
        return "cloudevents"
    return _ngsi(first)


def _ngsi(body: dict[str, Any]) -> str:
    if isinstance(body.get("body"), dict) and "metadata" in body:
        body = body["body"]
    text = str(body)
    if body.get("type") == "Notification" or "@context" in body or "'Property'" in text:
        return "ngsi_ld"
    entity = isinstance(body.get("id"), str) and isinstance(body.get("type"), str)
    return "ngsi_v2" if "subscriptionId" in body or entity else "json"


def _is_line_protocol(payload: bytes) -> bool:
    try:
        return next(points(payload), None) is not None
    except Undecodable:
        return False


def _fields(decoder: str, payload: bytes) -> Iterator[str]:
    """Names under which a feed's map could know what is in a payload."""
    try:
        if decoder == "line_protocol":
            for point in points(payload):
                yield from (f"{point.name}.{name}" for name, _ in point.fields)
        elif decoder == "senml":
            pack = parse_cbor(payload) if payload[:1] >= b"\x80" else parse_value(payload)
            yield from (f"{record.name} ({record.unit or 'no unit'})" for record in senml.resolved(pack))
        else:
            body = parse_value(payload)
            if decoder in ("ngsi_v2", "ngsi_ld"):
                yield from attribute_names(body)
                return
            if decoder == "things_stack" and isinstance(body, dict) and isinstance(body.get("result"), dict):
                body = body["result"]
            yield from _leaves(at(body, _WITHIN[decoder]) if decoder in _WITHIN else body, "")
    except Undecodable:
        return


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}.{number}" if path else str(number))
    elif path:
        yield path
