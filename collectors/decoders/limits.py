"""JSON from strangers: bounds first, then one strict parser.

Promises: at most 64 KiB, 32 levels, 1,000 items and 4 KiB per string reach a decoder; NaN, infinities, integers
beyond 63 bits and doubled identity keys are refused; nothing but Undecodable is raised. The full walks are made
only when the bytes show that a bound could be broken: most payloads are short, and cannot.
"""

import json
import re
from typing import Any

import msgspec

from collectors.message import Undecodable

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_ITEMS = 1000
MAX_STRING = 4096
MAX_VALUE = 1e100  # beyond it a reading is none; sums of such would leave what a float can hold
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19  # in bytes whose digits are all made 0: far quicker than a pattern for the same
# A text that never ends is taken to the end at once: to try again from each of its quotes would take seconds.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_decode = msgspec.json.Decoder().decode


def parse(payload: bytes, identity: tuple[bytes, ...] = ()) -> dict[str, Any]:
    """The JSON object in `payload`; `identity` are keys, in quotes, that may not be given twice in one object."""
    found = parse_value(payload, identity)
    if not isinstance(found, dict):
        raise Undecodable("decode", "not_an_object", "the payload is JSON but not an object")
    return found


def check_size(payload: bytes) -> None:
    """Raise Undecodable when the payload is larger than any decoder reads."""
    if len(payload) > MAX_BYTES:
        raise Undecodable("decode", "too_large", f"the payload has {len(payload)} bytes; at most {MAX_BYTES} are read")


def parse_value(payload: bytes, identity: tuple[bytes, ...] = ()) -> Any:
    """The JSON value in `payload`, object or not; `identity` as for `parse`."""
    check_size(payload)
    if payload.count(b"[") + payload.count(b"{") > MAX_DEPTH:
        _refuse_depth(payload)
    try:
        found = _decode(payload)
    except UnicodeDecodeError:
        raise Undecodable("decode", "not_utf8", "the payload is not UTF-8") from None
    except RecursionError:
        raise Undecodable("decode", "too_deep", f"more than {MAX_DEPTH} levels of brackets") from None
    except msgspec.DecodeError as error:
        if _is_not_utf8(payload):
            raise Undecodable("decode", "not_utf8", "the payload is not UTF-8") from None
        if "out of range" in str(error):
            raise Undecodable("decode", "number_too_large", "a number beyond what 64 bits hold") from None
        raise Undecodable("decode", "not_json", f"the payload is not JSON: {error}") from None
    if len(payload) > MAX_ITEMS or _LONG_NUMBER in payload.translate(_DIGITS):
        refuse_excess(found)
    if identity and not _all_kept(payload, found):
        _refuse_doubled(payload, identity)
    return found


def _all_kept(payload: bytes, found: Any) -> bool:
    """Whether no key was given twice: of such a key the parser keeps one, so that the bytes show more members.

    Without blanks each member's key is followed by `":`; a text that holds the same only makes the bytes show more.
    """
    members, objects = 0, payload.count(b"{")  # at most so many objects: a text may hold braces too
    waiting = [found]
    for one in waiting:
        kind = type(one)
        if kind is dict:
            members += len(one)
            objects -= 1
            if not objects:
                break
            waiting += one.values()
        elif kind is list:
            waiting += one
    return members == payload.translate(None, b" \t\r\n").count(b'":')


def _is_not_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return True
    return False


def _refuse_depth(payload: bytes) -> None:
    depth = 0
    for mark in re.findall(rb"[\[\]{}]", _STRINGS.sub(b"", payload)):
        depth += 1 if mark in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Undecodable("decode", "too_deep", f"more than {MAX_DEPTH} levels of brackets")


def refuse_excess(found: Any) -> None:
    """Raise Undecodable when a parsed value breaks a bound on items, texts or integers."""
    _walk(found, [0])


def _walk(value: Any, seen: list[int]) -> None:
    seen[0] += 1
    if seen[0] > MAX_ITEMS:
        raise Undecodable("decode", "too_many_items", f"more than {MAX_ITEMS} values in one payload")
    if isinstance(value, str):
        if len(value) > MAX_STRING or len(value.encode()) > MAX_STRING:
            raise Undecodable("decode", "long_string", f"a text of more than {MAX_STRING} bytes")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise Undecodable("decode", "number_too_large", "an integer that does not fit in 64 bits")
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str) and len(key) > MAX_STRING:  # CBOR has numbers as keys too
                raise Undecodable("decode", "long_string", f"a key of more than {MAX_STRING} bytes")
            _walk(item, seen)
    elif isinstance(value, list):
        for item in value:
            _walk(item, seen)


def _refuse_doubled(payload: bytes, identity: tuple[bytes, ...]) -> None:
    wanted = {key.decode().strip('"') for key in identity}

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [key for key, _ in items if key in wanted]
        if len(names) != len(set(names)):
            raise Undecodable("identity", "doubled_key", "a field that identifies the event is given twice")
        return dict(items)

    try:
        json.loads(payload, object_pairs_hook=pairs)
    except ValueError:  # msgspec took it; json may still refuse a huge integer text
        raise Undecodable("decode", "not_json", "the payload is not JSON that two parsers agree on") from None
