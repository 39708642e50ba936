"""CloudEvents in binary mode: attributes in MQTT 5 user properties become the structured form, which the spool keeps.

Promises: what is not in binary mode is left as it is; the payload's own bytes stay within the structured form, so that
the decoder's checks see them; an attribute given twice or of a wrong name is refused, never chosen between.
Source: CloudEvents 1.0.2, MQTT protocol binding, section 3.1.
"""

import base64
import re
from collections.abc import Sequence

import msgspec

from collectors.decoders.limits import MAX_STRING, parse_value
from collectors.message import Undecodable

_MOST = 64
_NAME = re.compile(r"[a-z0-9]{1,32}")
_NOT_ATTRIBUTES = ("data", "datacontenttype")
_JSON = re.compile(r"(?:application|text)/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


def is_binary_mode(properties: Sequence[tuple[str, str]], content_type: str) -> bool:
    return not content_type.startswith("application/cloudevents") and any(
        name == "specversion" for name, _ in properties
    )


def structured(properties: Sequence[tuple[str, str]], content_type: str, payload: bytes) -> bytes:
    """The structured form of a message in binary mode; raises Undecodable when there is none."""
    if len(properties) > _MOST:
        raise Undecodable("decode", "too_many_items", f"more than {_MOST} user properties")
    attributes: dict[str, str] = {}
    for name, value in properties:
        if not _NAME.fullmatch(name) or name in _NOT_ATTRIBUTES:
            continue  # a property that is no attribute of CloudEvents
        if name in attributes:
            raise Undecodable("identity", "doubled_key", "an attribute is given twice in the user properties")
        if len(value) > MAX_STRING:
            raise Undecodable("decode", "long_string", f"a user property of more than {MAX_STRING} characters")
        attributes[name] = value
    if content_type:
        attributes["datacontenttype"] = content_type
    envelope = msgspec.json.encode(attributes)[:-1]
    if not payload:
        return envelope + b"}"
    if content_type and not _JSON.fullmatch(content_type):
        return envelope + b',"data_base64":"' + base64.b64encode(payload) + b'"}'
    parse_value(payload)  # only what is one JSON value can stand inside another
    return envelope + b',"data":' + payload + b"}"
