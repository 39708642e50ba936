"""NGSI-v2 entities, normalized or as key-values, alone, in a list or in a notification, as FIWARE brokers send them.

Promises: normalized and key-values are told per attribute, so that simplified forms without id and type are read too;
the form `values`, a bare list, is refused because nothing in it says which value is which.
Source: FIWARE NGSI-v2 specification, "JSON Attribute Representation" and "Notification Messages".
"""

from typing import Any

from collectors.decoders import Decoded
from collectors.decoders.limits import parse_value
from collectors.decoders.ngsi import IDENTITY, Attribute, readings_of
from collectors.message import RawMessage
from collectors.topics import Place

_NORMALIZED = frozenset({"value", "type", "metadata"})


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of a message, one per mapped attribute of each entity."""
    return readings_of(parse_value(message.payload, IDENTITY), _attribute, message, place)


def _attribute(given: Any) -> list[Attribute]:
    if not isinstance(given, dict) or "value" not in given or not given.keys() <= _NORMALIZED:
        return [Attribute(given, {})]
    metadata = given.get("metadata")
    said = metadata if isinstance(metadata, dict) else {}
    return [Attribute(given["value"], {name: one.get("value") if isinstance(one, dict) else one
                                       for name, one in said.items()})]  # fmt: skip
