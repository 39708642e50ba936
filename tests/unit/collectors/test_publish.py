"""PUBLISH packets out of received bytes: whatever they are and however they are cut, paho's own reading judges."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from collectors.mqtt import Client, _ReadBuffer
from collectors.publish import Head, Received, take

CLOCK = 1_551_484_800_000_000_000
PINGRESP = b"\xd0\x00"


class Seen(NamedTuple):
    """What a reading of the bytes gave: the messages, and how it ended."""

    messages: list[tuple[int, bytes, bytes, str, bool, list[tuple[str, str]]]]
    code: MQTTErrorCode


@contextmanager
def connected(client: paho.Client) -> Iterator[socket.socket]:
    """A client that believes itself connected; yields the broker's end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        client._sock = _ReadBuffer(ours) if isinstance(client, Client) else ours
        if isinstance(client, Client):
            client._buffer = client._sock
        yield theirs


def read(client: paho.Client, pieces: Sequence[bytes]) -> MQTTErrorCode:
    with connected(client) as broker:
        for piece in pieces:
            for start in range(0, len(piece), 50_000):  # less than a socket holds
                broker.sendall(piece[start : start + 50_000])
                while client._sock is not None:
                    code = client.loop_read()
                    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                        return code
                    if not waits(client):
                        break
    return MQTTErrorCode.MQTT_ERR_SUCCESS


def waits(client: paho.Client) -> bool:
    """Whether bytes are left to read, in the buffer or in the socket."""
    assert client._sock is not None
    if isinstance(client, Client) and client._buffer.pending():
        return True
    try:
        return bool(client._sock.fileno() >= 0 and _raw(client).recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def _raw(client: paho.Client) -> socket.socket:
    return client._sock._sock if isinstance(client._sock, _ReadBuffer) else client._sock  # type: ignore[return-value]


def by_paho(pieces: Sequence[bytes], v5: bool) -> Seen:
    protocol = MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol, manual_ack=True)
    found: list[Any] = []

    def keep(_client: Any, _data: Any, message: Any) -> None:
        found.append(seen(as_received(message)))

    client.on_message = keep
    return Seen(found, read(client, pieces))


def by_us(pieces: Sequence[bytes], v5: bool, room: int = 10_000) -> Seen:
    protocol = MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311
    client = Client(CallbackAPIVersion.VERSION2, protocol=protocol, manual_ack=True)
    found: list[Any] = []

    def keep(messages: list[Received]) -> None:
        found.extend(seen(message) for message in messages)

    def keep_one(_client: Any, _data: Any, message: Any) -> None:
        keep([as_received(message)])

    client.room, client.clock, client.epoch = lambda: room, lambda: CLOCK, lambda: 1
    client.on_messages, client.on_message = keep, keep_one
    return Seen(found, read(client, pieces))


def as_received(message: Any) -> Received:
    said, mid = message.properties, message.mid if message.qos else 0
    kind, pairs = getattr(said, "ContentType", ""), getattr(said, "UserProperty", ())
    return Received(1, mid, message._topic, message.payload, kind, message.retain, CLOCK, pairs)


def seen(m: Received) -> tuple[int, bytes, bytes, str, bool, list[tuple[str, str]]]:
    return m.mid, m.topic, m.payload, m.content_type, m.retained, list(m.properties)


def packet(header: int, body: bytes) -> bytes:
    return bytes([header]) + VariableByteIntegers.encode(len(body)) + body  # type: ignore[no-untyped-call,no-any-return]


def publish(
    v5: bool, topic: bytes, payload: bytes, qos: int = 1, mid: int = 7, properties: bytes = b"\0", flags: int = 0
) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    return packet(0x30 | qos << 1 | flags, body + (properties if v5 else b"") + payload)


def properties(**named: Any) -> bytes:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in named.items():
        setattr(found, name, value)
    return bytes(found.pack())  # type: ignore[no-untyped-call]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=30)
sound_properties = st.fixed_dictionaries(
    {},
    optional={
        "ContentType": texts, "UserProperty": st.lists(st.tuples(texts, texts), min_size=1, max_size=4),
        "PayloadFormatIndicator": st.integers(0, 1), "MessageExpiryInterval": st.integers(0, 2**32 - 1),
        "ResponseTopic": texts, "CorrelationData": st.binary(max_size=9), "TopicAlias": st.integers(1, 9),
        "SubscriptionIdentifier": st.integers(1, 300_000),
    },
).map(lambda named: properties(**named))  # fmt: skip
any_properties = st.binary(max_size=40).map(lambda body: bytes([len(body)]) + body)
topics = st.one_of(texts.map(str.encode), st.binary(max_size=200))
payloads = st.one_of(st.binary(max_size=300), st.integers(100, 70_000).map(lambda size: b"x" * size))


@st.composite
def streams(draw: st.DrawFn, v5: bool) -> list[bytes]:
    """Packets one after the other, now and then a broken one, cut anywhere."""
    sound = st.builds(
        publish, st.just(v5), topics, payloads, st.sampled_from([0, 1, 1, 1]), st.integers(0, 65_535),
        st.one_of(st.just(b"\0"), sound_properties), st.sampled_from([0, 0, 1, 8, 9]),
    )  # fmt: skip
    unsound = st.one_of(
        st.builds(publish, st.just(v5), topics, payloads, properties=any_properties),
        st.builds(packet, st.sampled_from([0x30, 0x32, 0x33, 0x36, 0x3A]), st.binary(max_size=12)),
        st.just(PINGRESP),
        st.just(b"\x32\x80\x80\x80\x80\x01"),
    )
    data = b"".join(draw(st.lists(st.one_of(sound, sound, sound, unsound), max_size=8)))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if b > a]


@pytest.mark.parametrize("v5", [True, False])
@given(data=st.data(), room=st.sampled_from([1, 3, 10_000]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_cut_anywhere_give_what_paho_gives(v5: bool, data: st.DataObject, room: int) -> None:
    pieces = data.draw(streams(v5))
    assert by_us(pieces, v5, room) == by_paho(pieces, v5)


@pytest.mark.parametrize("v5", [True, False])
def test_plain_packets_are_taken_at_once_and_paho_sees_none_of_them(v5: bool) -> None:
    said = properties(ContentType="application/json", UserProperty=[("a", "1"), ("a", "2")], MessageExpiryInterval=9)
    data = publish(v5, b"t/1", b"one", properties=said) + publish(v5, b"t/2", b"x" * 20_000, qos=0, flags=1)
    data += publish(v5, b"t/3", b"", mid=65_535, flags=8)
    found = take(data, 0, 100, v5, 4, lambda: CLOCK)
    kind, pairs = ("application/json", [("a", "1"), ("a", "2")]) if v5 else ("", ())
    assert found.messages == [
        Received(4, 7, b"t/1", b"one", kind, False, CLOCK, pairs),
        Received(4, 0, b"t/2", b"x" * 20_000, "", True, CLOCK),
        Received(4, 65_535, b"t/3", b"", "", False, CLOCK),
    ]
    assert (found.at, found.head) == (len(data), Head.PART)


def test_no_more_is_taken_than_wanted() -> None:
    data = b"".join(publish(True, b"t", b"%d" % n) for n in range(5))
    first = take(data, 0, 3, True, 1, lambda: CLOCK)
    assert [m.payload for m in first.messages] == [b"0", b"1", b"2"]
    assert first.head is Head.MORE
    rest = take(data, first.at, 3, True, 1, lambda: CLOCK)
    assert [m.payload for m in rest.messages] == [b"3", b"4"]


@pytest.mark.parametrize(
    "head",
    [
        PINGRESP,
        publish(True, b"t", b"x", qos=2),
        publish(True, b"", b"x", properties=properties(TopicAlias=1)),
        publish(True, b"t", b"x", properties=b"\x02\x01\x02"),  # a payload format that does not exist
        publish(True, b"t", b"x", properties=b"\x04\x01\x00\x01\x00"),  # given twice
        publish(True, b"t", b"x", properties=b"\x05\x03\x00\x02\xff\xfe"),  # no UTF-8
        publish(True, b"t", b"x", properties=b"\x04\x03\x00\x01\x00"),  # a NUL in a text
        publish(True, b"t", b"x", properties=b"\x7f\x01\x00"),  # more than the packet holds
        publish(True, b"t", b"x" * 70_000),
    ],
)
def test_what_is_not_plain_is_left_for_paho(head: bytes) -> None:
    found = take(head + publish(True, b"t", b"after"), 0, 100, True, 1, lambda: CLOCK)
    assert found == ([], 0, Head.OTHER)
