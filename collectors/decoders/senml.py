"""SenML packs in JSON and CBOR, resolved as RFC 8428 section 4.6 says; a feed's map names what is measured.

Promises: base fields hold until replaced; a pack with an unknown field that must be understood, another version than
its reader's or a bad base field is refused whole, a bad record alone. JSON or CBOR is told by the first byte.
A map's key is a whole name, else the longest end of it after one of `:/._-`, else the unit where nothing else names
the measure; what precedes the key is the device. The key of a sum is that of its name with "#sum".
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from collectors.decoders import Decoded
from collectors.decoders.cbor import parse_cbor
from collectors.decoders.limits import parse_value
from collectors.decoders.readings import RECEIPT, Moment, Readings
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place

VERSION = 10
RELATIVE_BELOW = 2**28  # seconds: smaller times count from the receipt
_LABELS = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb",
           5: "s", 6: "t", 7: "ut", 8: "vd"}  # fmt: skip
_LABEL_OF: dict[Any, str] = _LABELS | {label: label for label in _LABELS.values()}
_IDENTITY = tuple(f'"{label}"'.encode() for label in _LABELS.values())
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]{0,255}")
_TEXTS = ("bn", "bu", "n", "u", "vs")
_KINDS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("bt", "bv", "bs", "v", "s", "t", "ut"), (float, int)),
    **dict.fromkeys(_TEXTS, (str,)),
    "vb": (bool,), "vd": (str, bytes), "bver": (int,),
}  # fmt: skip
_VALUES = frozenset({"v", "vs", "vb", "vd"})
_BASES = frozenset({"bver", "bn", "bt", "bu", "bv", "bs"})
_JOINTS = ":/._-"


class Record(NamedTuple):
    """One resolved record. `time_s` counts from 1970, or from the receipt where `own_time` is False."""

    name: str
    unit: str | None
    time_s: float
    own_time: bool
    value: float | str | bool | None
    total: float | None


def decode(message: RawMessage, place: Place) -> Decoded:
    """The readings of a pack, one per record that the feed's map knows."""
    readings = Readings(message, place)
    binary = message.payload[:1] >= b"\x80"
    pack = parse_cbor(message.payload) if binary else parse_value(message.payload, _IDENTITY)
    for number, (place_in_pack, record) in enumerate(_records(pack)):
        if isinstance(record, Undecodable):
            readings.set_aside(record, f"record {place_in_pack}")
            continue
        for given, suffix in ((record.value, ""), (record.total, "#sum")):
            if given is None:
                continue
            try:
                found = _key(record, suffix, readings)
                if found is not None:
                    key, device = found
                    when = Moment(_ns(record, message.received_ns), "payload" if record.own_time else RECEIPT)
                    base = f"{readings.base(when)}/{number}"
                    readings.add(readings.map.values[key], given, device, base, when, unit=record.unit)
            except Undecodable as error:
                readings.set_aside(error, f"record {place_in_pack}{suffix}")
    return readings.decoded()


def resolved(pack: Any) -> Iterator[Record]:
    """The records of a pack with base fields and times resolved, in their order; those with base fields only are none.

    Raises Undecodable at the first bad record.

    >>> [r.name for r in resolved([{"bn": "urn:dev:ow:1:", "n": "a", "v": 1}, {"n": "b", "v": 2}])]
    ['urn:dev:ow:1:a', 'urn:dev:ow:1:b']
    """
    for _, record in _records(pack):
        if isinstance(record, Undecodable):
            raise record
        yield record


def _records(pack: Any) -> Iterator[tuple[int, Record | Undecodable]]:
    """Each record or what is wrong with it, and its place in the pack, from 1; raises what condemns the whole pack."""
    if not isinstance(pack, list) or not pack or not {dict}.issuperset(map(type, pack)):
        raise Undecodable("decode", "not_a_pack", "the payload is not a SenML pack, a list of records")
    base: dict[str, Any] = {"bn": "", "bt": 0, "bv": 0}
    for number, labelled in enumerate(pack, 1):
        record, fault = _own_fields(labelled, base)
        values = record.keys() & _VALUES
        if fault is not None:
            yield number, fault
        elif len(values) > 1:
            yield number, Undecodable("validate", "two_values", "a record has more than one value")
        elif values or "s" in record:
            yield number, _resolve(record, base, values.pop() if values else None)
        elif record:
            yield number, Undecodable("validate", "no_reading", "a record has neither a value nor a sum")


def _resolve(record: dict[str, Any], base: dict[str, Any], label: str | None) -> Record | Undecodable:
    name = base["bn"] + record.get("n", "")
    time_s = base["bt"] + record.get("t", 0)
    own_time = time_s >= RELATIVE_BELOW
    total = record.get("s", 0) + base.get("bs", 0) if "s" in record or "bs" in base else None
    value = None if label is None or label == "vd" else record[label]
    if label == "v":
        value += base["bv"]
    try:
        _ends(name)
    except Undecodable as error:
        return error
    return Record(name, record.get("u", base.get("bu")), time_s, own_time, value, total)


def _own_fields(labelled: dict[Any, Any], base: dict[str, Any]) -> tuple[dict[str, Any], Undecodable | None]:
    """The fields of one record with labels as texts, and what is wrong with one; its base fields go into `base`.

    Raises what is wrong with a base field, which all records that follow would inherit, and what RFC 8428 makes a
    reason to refuse the pack.
    """
    own: dict[str, Any] = {}
    bases: dict[str, Any] = {}
    fault: Undecodable | None = None
    for given, value in labelled.items():
        label = _LABEL_OF.get(given)
        if label is None:
            if isinstance(given, str) and given.endswith("_"):
                raise Undecodable("validate", "must_understand", "a field that has to be understood is unknown", True)
            continue
        fields = bases if label in _BASES else own
        if label in fields:
            raise Undecodable("identity", "doubled_key", "a label is given as a number and as a text", True)
        fields[label] = value
        if type(value) not in _KINDS[label]:  # the exact type: a flag is an int to isinstance
            fault = _of_wrong_kind(label)
            if label in _BASES:
                raise fault
    if bases:
        if not 0 < bases.get("bver", VERSION) <= VERSION:
            raise _of_wrong_kind("bver")
        base |= bases
    return own, fault


def _of_wrong_kind(label: str) -> Undecodable:
    if label == "bver":
        return Undecodable("decode", "other_version", f"bver is not a whole number from 1 to {VERSION}", True)
    if label in _TEXTS or label == "vd":
        return Undecodable("validate", f"bad_{label}", f"{label} is not a text", label in _BASES)
    what = "neither true nor false" if label == "vb" else "not a number"
    return Undecodable("validate", "bad_value", f"{label} is {what}", label in _BASES)


@lru_cache(maxsize=4096)  # a feed names few measures; only good names are remembered, as a refusal is raised
def _ends(name: str) -> list[tuple[str, str]]:
    """A name and what follows each of its joints, the longest first, each with the device that precedes it."""
    if not _NAME.fullmatch(name):
        raise Undecodable(
            "validate", "bad_name", "a record's name is empty, longer than 256, or has other signs than A-Za-z0-9-:./_"
        )
    starts = [0, *(at + 1 for at, sign in enumerate(name) if sign in _JOINTS)]
    return [(name[start:], name[:start].rstrip(_JOINTS)) for start in starts]


def _key(record: Record, suffix: str, readings: Readings) -> tuple[str, str] | None:
    """The key of the feed's map that the record falls under, and the device."""
    values = readings.map.values
    for end, device in _ends(record.name):
        if end + suffix in values:
            return end + suffix, readings.device({}, device or readings.feed.id)
    if record.unit is not None and record.unit + suffix in values:
        return record.unit + suffix, readings.device({}, record.name.rstrip(_JOINTS))
    return None


def _ns(record: Record, received_ns: int) -> int:
    """The record's time in whole microseconds: a float of seconds holds no more."""
    if abs(record.time_s) > 2**33:
        raise Undecodable("validate", "bad_time", "the time is beyond the year 2242")
    time_ns = round(record.time_s * 1_000_000) * 1000
    return time_ns if record.own_time else received_ns + time_ns
