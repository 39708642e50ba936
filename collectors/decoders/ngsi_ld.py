"""NGSI-LD entities, normalized, concise or as key-values, alone, in a list or in a notification, over HTTP or MQTT.

Promises: the wrapper of the MQTT binding is taken off; `@context` is never resolved; of an attribute with several
datasets the one without a datasetId is read, and any other by `name@datasetId`.
Source: ETSI GS CIM 009 V1.8.1, clauses 4.5 and 5.8.6, annex C for the MQTT binding.
"""

from typing import Any

from collectors.decoders import Decoded
from collectors.decoders.limits import parse_value
from collectors.decoders.ngsi import IDENTITY, Attribute, readings_of
from collectors.message import RawMessage
from collectors.topics import Place

_NULL = "urn:ngsi-ld:null"  # stands for a deleted attribute in a notification
_VALUES = ("value", "object", "languageMap", "vocab", "json")


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of a message, one per mapped attribute of each entity."""
    body = parse_value(message.payload, IDENTITY)
    if isinstance(body, dict) and "body" in body and isinstance(body.get("metadata"), dict):
        body = body["body"]
    return readings_of(body, _attribute, message, place)


def _attribute(given: Any) -> list[Attribute]:
    if isinstance(given, list) and given and all(isinstance(one, dict) and _has_value(one) for one in given):
        return [_instance(one) for one in given]
    if isinstance(given, dict) and isinstance(given.get("dataset"), dict):  # key-values of several datasets
        sets = given["dataset"].items()
        return [Attribute(_plain(value), {}, "" if name == "@none" else name) for name, value in sets]
    if isinstance(given, dict) and _has_value(given):
        return [_instance(given)]
    return [Attribute(_plain(given), {})]


def _has_value(given: dict[str, Any]) -> bool:
    return any(name in given for name in _VALUES)


def _instance(given: dict[str, Any]) -> Attribute:
    value = next(given[name] for name in _VALUES if name in given)
    said = {name: _plain(_inner(one)) for name, one in given.items() if name not in _VALUES}
    dataset = given.get("datasetId")
    return Attribute(_plain(value), said, dataset if isinstance(dataset, str) else "")


def _inner(given: Any) -> Any:
    return given["value"] if isinstance(given, dict) and "value" in given else given


def _plain(value: Any) -> Any:
    """The value of a typed literal, None for a deleted one."""
    if isinstance(value, dict) and "@value" in value:
        value = value["@value"]
    return None if value == _NULL else value
