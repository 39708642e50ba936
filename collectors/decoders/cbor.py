"""CBOR from strangers: a walk over its heads first, then one parser.

Promises: the bounds of `limits` hold before the parser sees a byte; tags other than decimal fractions, NaN, infinities,
map keys other than texts and whole numbers, and keys given twice are refused; nothing but Undecodable is raised.
Source: RFC 8949, sections 3 and 3.2; RFC 8428, section 6, for the one tag.
"""

import math
from decimal import Decimal
from typing import Any

import cbor2

from collectors.decoders.limits import MAX_DEPTH, MAX_ITEMS, MAX_STRING, check_size, refuse_excess
from collectors.message import Undecodable

_NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = 1, 2, 3, 4, 5, 6
_INDEFINITE = 31
_DECIMAL_FRACTION = 4
_KEYS = frozenset({str, int})  # the exact types: a flag is an int to isinstance
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}


def parse_cbor(payload: bytes) -> Any:
    """The one CBOR item in `payload`, of plain values."""
    check_size(payload)
    suspect = _check_heads(payload)
    try:
        found = cbor2.loads(payload, allow_indefinite=False, allow_duplicate_keys=False, max_depth=MAX_DEPTH + 1)
    except (cbor2.CBORDecodeError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise Undecodable("decode", "not_cbor", f"the payload is not CBOR: {type(error).__name__}") from None
    found = _plain(found)
    if suspect:
        refuse_excess(found)
    return found


def _check_heads(payload: bytes) -> bool:
    """Read every head, and no value, so that no bound is broken by what the parser is about to build.

    True when a bound that counts parsed values could be broken: that of items, or that of integers.
    """
    at, items, suspect = 0, 0, False
    waiting = 1  # items that the innermost open array, map or tag still waits for
    outer: list[int] = []
    while True:
        while not waiting:
            if not outer:
                if at != len(payload):
                    raise Undecodable("decode", "not_cbor", "the payload is not one whole CBOR item")
                return suspect or items > MAX_ITEMS
            waiting = outer.pop()
        waiting -= 1
        items += 1
        if items > 2 * MAX_ITEMS:  # keys of maps are items here
            raise Undecodable("decode", "too_many_items", f"more than {MAX_ITEMS} values in one payload")
        if at >= len(payload):
            raise Undecodable("decode", "not_cbor", "the payload ends within a CBOR item")
        major, argument = payload[at] >> 5, payload[at] & 31
        at += 1
        if argument >= 24:
            argument, at = _argument(payload, argument, at)
            suspect = suspect or (major <= _NEGATIVE and argument >= 2**63)
        if major in (_TEXT, _BYTES):
            if argument > MAX_STRING:
                raise Undecodable("decode", "long_string", f"a text of more than {MAX_STRING} bytes")
            at += argument
        elif major in (_ARRAY, _MAP, _TAG):
            outer.append(waiting)
            waiting = _within(major, argument, len(outer))


def _argument(payload: bytes, short: int, at: int) -> tuple[int, int]:
    """An argument of more than one byte, and the place after it."""
    if short == _INDEFINITE:
        raise Undecodable("decode", "indefinite_length", "an item of indefinite length; send definite lengths")
    width = _WIDTHS.get(short)
    if width is None or at + width > len(payload):
        raise Undecodable("decode", "not_cbor", "the payload ends within a CBOR item")
    return int.from_bytes(payload[at : at + width], "big"), at + width


def _within(major: int, argument: int, depth: int) -> int:
    """How many items an array, map or tag at this depth holds."""
    if major == _TAG and argument != _DECIMAL_FRACTION:
        raise Undecodable("decode", "cbor_tag", f"tag {argument} is not read; send plain values")
    if major != _TAG and argument > MAX_ITEMS:
        raise Undecodable("decode", "too_many_items", f"more than {MAX_ITEMS} values in one payload")
    if depth > MAX_DEPTH:
        raise Undecodable("decode", "too_deep", f"more than {MAX_DEPTH} levels")
    return 1 if major == _TAG else argument * (2 if major == _MAP else 1)


def _plain(value: Any) -> Any:
    """The value with decimal fractions as floats; refuses what JSON could not say, bytes excepted."""
    kind = type(value)
    if kind is str or kind is int or (kind is float and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        if not _KEYS.issuperset(map(type, value)):
            raise Undecodable("decode", "not_cbor", "a key of a map is neither a text nor a whole number")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        value = _float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise Undecodable("decode", "number_too_large", "a number that is not finite")
    if value is None or isinstance(value, str | int | float | bytes):
        return value
    raise Undecodable("decode", "not_cbor", f"a {type(value).__name__} is not read; send plain values")


def _float(value: Decimal) -> float:
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.inf
