"""Payloads that nobody should send, for every decoder: recorded and written cases, changed, and bytes made to hurt.

The sequence follows from its seed alone.
"""

import gzip
import json
import os
import random
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cbor2

from collectors.decoders import DECODERS

FOLDER = Path(__file__).parents[1] / "data/decoders"
PILOT = "malmo"
_HEAD = 'slug = "malmo"\nname = "Malmö"\ncountry = "SE"\ntime_zone = "Europe/Stockholm"\n'
_VALUES: list[object] = [
    None, True, False, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 1e308, 5e-324, "", " ", "NaN", "1e999",
    "\0", "\ud800", "é" * 3000, "9" * 5000, "2019-03-01T12:00:00Z", "0001-01-01", "9999-12-31T23:59:60Z", [], {}, [[]],
    {"value": None}, {"value": {}}, {"@type": "DateTime"}, {"$ref": "#"}, "http://example.org/", "../../etc/passwd",
    "'; DROP TABLE message; --", "{{7*7}}", "%s%n", 'a"b\\c\nd', "\u202e", "x" * 5000, [0] * 1500,
]  # fmt: skip
_RAW: list[bytes] = [
    b"NaN", b"Infinity", b"1e999", b"-1e999", b"9" * 5000, b"9223372036854775808", b"\xff", b"\xed\xa0\x80", b"\0",
    b'"\\ud800"', b"[" * 40, b"{", b"}", b",", b":", b'"', b"\\", b"\r\n", b"\xef\xbb\xbf", b"# ", b" ", b"=", b"i",
]  # fmt: skip


class Fuzz(NamedTuple):
    """A payload for a feed's topic; `properties` are MQTT 5 user properties."""

    topic: str
    payload: bytes
    properties: tuple[tuple[str, str], ...] = ()


@cache
def _cases() -> dict[str, list[tuple[str, Path]]]:
    """Per decoder the topics of its feeds, one for each written case, with the case's input."""
    found: dict[str, list[tuple[str, Path]]] = {}
    for decoder in DECODERS:
        for folder in sorted((FOLDER / decoder).iterdir()):
            stream = re.search(r'^stream = "(\w+)"', (folder / "feed.toml").read_text(), re.M)
            assert stream is not None
            [input_] = folder.glob("input.*")
            topic = f"pilots/{PILOT}/{stream[1]}/{decoder}-{folder.name}".replace("_", "-")
            found.setdefault(decoder, []).append((topic, input_))
    return found


def pilot_file() -> str:
    """The pilot that declares a feed for each case, as the text of its file."""
    feeds = []
    for decoder, cases in _cases().items():
        for topic, path in cases:
            text = (path.parent / "feed.toml").read_text()
            text = re.sub(r"^(id|topic|decoder|person_id) = .*\n", "", text, flags=re.M)
            text = re.sub(r"^(\[+)map", r"\1feeds.map", text, flags=re.M)
            name = topic.rsplit("/", 1)[1][:40].strip("-")
            feeds.append(f'[[feeds]]\nid = "{name}"\ntopic = "{topic}"\ndecoder = "{decoder}"\n{text}')
    return _HEAD + "\n".join(feeds)


def fuzz(seed: int, number: int) -> Iterator[Fuzz]:
    """So many payloads, over all decoders alike."""
    chance = random.Random(seed)
    decoders = sorted(_cases())
    recorded = _recorded()
    for place in range(number):
        topic, path = chance.choice(_cases()[decoders[place % len(decoders)]])
        kind = chance.random()
        if kind < 0.08:
            payload = chance.choice(_bombs())
        elif kind < 0.2 and recorded:
            payload = _changed_bytes(chance, chance.choice(recorded))
        elif kind < 0.4:
            payload = _changed_bytes(chance, _input(path)[:8192])
        elif kind < 0.6:
            payload = _changed_digits(chance, _input(path)[:8192])
        else:
            payload = _changed_values(chance, path)
        properties: tuple[tuple[str, str], ...] = ()
        if chance.random() < 0.05:
            words = ("specversion", "id", "source", "type", "time", "datacontenttype")
            properties = tuple((word, chance.choice(("1.0", "", "é", "x" * 5000, "a b"))) for word in words)
        yield Fuzz(topic, payload, properties)


@cache
def _input(path: Path) -> bytes:
    return path.read_bytes().replace(b"bremen", PILOT.encode())


def _changed_digits(chance: random.Random, payload: bytes) -> bytes:
    """Still well-formed, mostly: what the checks behind the parser have to judge."""
    changed = bytearray(payload)
    digits = [at for at, byte in enumerate(changed) if 48 <= byte <= 57]
    for at in chance.sample(digits, min(len(digits), chance.randrange(4))):
        changed[at] = 48 + chance.randrange(10)
    return bytes(changed)


def _changed_bytes(chance: random.Random, payload: bytes) -> bytes:
    changed = bytearray(payload)
    for _ in range(chance.randrange(4)):
        at = chance.randint(0, len(changed))
        match chance.randrange(4):
            case 0:
                changed[at : at + chance.randrange(4)] = chance.choice(_RAW)
            case 1:
                changed[at : at + chance.randrange(4)] = chance.randbytes(chance.randrange(4))
            case 2:
                del changed[at:]
            case _:
                changed[at:at] = changed[max(0, at - 200) : at]
    return bytes(changed[:60_000])


def _changed_values(chance: random.Random, path: Path) -> bytes:
    data = _input(path)
    try:
        value = cbor2.loads(data) if path.suffix == ".cbor" else json.loads(data)
    except (ValueError, RecursionError, cbor2.CBORDecodeError):
        return _changed_bytes(chance, data[:8192])
    for _ in range(chance.randint(1, 3)):
        value = _replaced(chance, value)
    if path.suffix == ".cbor" or chance.random() < 0.03:
        if chance.random() < 0.2:
            value = cbor2.CBORTag(chance.randrange(300), value)
        try:
            return cbor2.dumps(value)[:60_000]
        except (cbor2.CBOREncodeError, UnicodeEncodeError):
            return b"\xc1\xff"
    text = json.dumps(value, ensure_ascii=chance.random() < 0.8).encode(errors="surrogatepass")
    if chance.random() < 0.1:  # a key given twice
        text = text.replace(b"{", b'{"id": "twice", "time": 1, "id": "again", ', 1)
    return text[:60_000]


def _replaced(chance: random.Random, value: object) -> object:
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        if chance.random() < 0.2:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _replaced(chance, value[key])}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], _replaced(chance, value[at]), *value[at + 1 :]]
    return chance.choice(_VALUES)


@cache
def _bombs() -> list[bytes]:
    """Small to send, large or deep to read."""
    deep = b"[" * 30_000
    return [
        b"", b"\0" * 1000, b" " * 60_000, deep, b'{"a":' * 10_000, deep + b"]" * 30_000, b'"' + b"\\" * 50_001,
        gzip.compress(bytes(20_000_000)), zlib.compress(b"[" * 10_000_000), b"\x9b" + b"\xff" * 8, b"\x81" * 60_000,
        b"\xd9\xd9\xf7" * 10_000, b"\xc2\x58\xff" + b"\xff" * 255, b"\xbf" * 30_000, b"\x7b" + b"\xff" * 8,
        b"m " + b"a=1," * 15_000, b"m," + b"t=v," * 15_000, b'm a="' * 10_000, b"x" * 65_535, b"x" * 65_536,
        b"x" * 65_537, b"y" * 300_000, b'{"a":' + b"9" * 60_000 + b"}", b'{"a":1e' + b"9" * 60_000 + b"}",
        b'{"n":"' + b"\\u0000" * 9_000 + b'"}', b'{"\\u0069d":"a","id":"b"}', json.dumps([{}] * 20_000).encode(),
        b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\x80\x04K\x01.", "é".encode("utf-16"),
    ]  # fmt: skip


@cache
def _recorded() -> list[bytes]:
    """Payloads as projects publish them, where the folder of real data is known."""
    folder = Path(os.environ.get("PERISCOPE_DATA") or Path(__file__).parents[3] / "shared/data") / "payloads"
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".gz"]
    return [path.read_bytes()[:8192] for path in files]
