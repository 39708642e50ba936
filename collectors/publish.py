"""Pure: whole PUBLISH packets of QoS 0 and 1 out of received bytes, many at a time.

Promises: a packet is taken only when it is complete and plain, and then gives exactly what paho's own reading gives;
whatever else stands at the head of the bytes is left there untouched for paho, which judges it as ever.
Source: MQTT 3.1.1 and MQTT 5.0, sections 2.1, 2.2 and 3.3. Why this exists: docs/decisions/0005-two-processes.md.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

# Longer packets are gathered by paho, piece by piece; joining them here with each read would cost their square.
MOST_BYTES = 64 * 1024
_PLAIN = frozenset({0x30, 0x31, 0x38, 0x39, 0x32, 0x33, 0x3A, 0x3B})
_QOS, _RETAIN = 0x06, 0x01
_FORMAT, _EXPIRY, _CONTENT_TYPE, _USER = 1, 2, 3, 38


class Received(NamedTuple):
    """A message as the network thread saw it; `mid` means something on the connection of `epoch` only."""

    epoch: int
    mid: int
    topic: bytes
    payload: bytes
    content_type: str
    retained: bool
    received_ns: int
    properties: Sequence[tuple[str, str]] = ()


class Head(Enum):
    """What stands where reading ended: nothing or a part of a packet, a packet for paho, or one more than wanted."""

    PART = 0
    OTHER = 1
    MORE = 2


class Taken(NamedTuple):
    """Messages in order, the position of the first byte that was not used, and what is there."""

    messages: list[Received]
    at: int
    head: Head


def take(data: bytes, at: int, most: int, v5: bool, epoch: int, clock: Callable[[], int]) -> Taken:
    """Read at most `most` messages from `data`, starting at the first byte of a packet."""
    found: list[Received] = []
    end = len(data)
    while len(found) < most:
        if at >= end:
            return Taken(found, at, Head.PART)
        header = data[at]
        if header not in _PLAIN:
            return Taken(found, at, Head.OTHER)
        if end - at < 4:  # no sound PUBLISH is shorter, but a broken one is paho's to judge
            whole = end - at >= 2 and data[at + 1] <= end - at - 2
            return Taken(found, at, Head.OTHER if whole else Head.PART)
        length, start = data[at + 1], at + 2
        if length > 127:
            length, start = length - 128 + (data[at + 2] << 7), at + 3
            if data[at + 2] > 127:
                length, start = length - (128 << 7) + (data[at + 3] << 14), at + 4
        if length > MOST_BYTES or length < 2:
            return Taken(found, at, Head.OTHER)
        stop = start + length
        if stop > end:
            return Taken(found, at, Head.PART)
        name = start + 2
        after = name + (data[start] << 8) + data[start + 1]
        body = after + 2 if header & _QOS else after
        if after == name or body > stop or (v5 and body == stop):
            return Taken(found, at, Head.OTHER)
        kind = ""
        pairs: Sequence[tuple[str, str]] = ()
        mid = (data[after] << 8) + data[after + 1] if header & _QOS else 0
        if v5:
            if data[body]:
                said = _properties(data, body, stop)
                if said is None:
                    return Taken(found, at, Head.OTHER)
                kind, pairs, body = said
            else:
                body += 1
        found.append(
            Received(epoch, mid, data[name:after], data[body:stop], kind, bool(header & _RETAIN), clock(), pairs)
        )
        at = stop
    return Taken(found, at, Head.MORE if at < end else Head.PART)


def _properties(data: bytes, at: int, stop: int) -> tuple[str, list[tuple[str, str]], int] | None:
    """Content type, user properties and where the payload begins; None for anything that is not plain."""
    size, at = data[at], at + 1
    if size > 127:
        if at >= stop or data[at] > 127:
            return None
        size, at = size - 128 + (data[at] << 7), at + 1
    end = at + size
    if end > stop:
        return None
    kind = ""
    pairs: list[tuple[str, str]] = []
    seen: set[int] = set()
    while at < end:
        identifier, at = data[at], at + 1
        if identifier in seen:
            return None
        if identifier == _USER:
            name, at = _text(data, at, end)
            value, at = _text(data, at, end)
            if name is None or value is None:
                return None
            pairs.append((name, value))
            continue
        seen.add(identifier)
        if identifier == _CONTENT_TYPE:
            text, at = _text(data, at, end)
            if text is None:
                return None
            kind = text
        elif identifier == _FORMAT and at < end and data[at] <= 1:
            at += 1
        elif identifier == _EXPIRY and at + 4 <= end:
            at += 4
        else:
            return None
    return kind, pairs, end


def _text(data: bytes, at: int, end: int) -> tuple[str | None, int]:
    """A text with its length before it, and the position after it; None where MQTT forbids it."""
    if at + 2 > end:
        return None, end
    stop = at + 2 + (data[at] << 8) + data[at + 1]
    if stop > end:
        return None, end
    try:
        text = data[at + 2 : stop].decode()
    except UnicodeDecodeError:
        return None, end
    return (None if "\0" in text or "\ufeff" in text else text), stop
