"""The only importer of paho: a client for one session, its errors as sentences, and a publisher.

Promises of MqttPublisher: QoS 1; at most 20 messages are unacknowledged; `flush` returns when all are. Receiving is
in `receiver`.
"""

import secrets
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collectors.message import BrokerAway, BrokerRefused, CertificateRefused, LoginRefused
from collectors.publish import Head, Received, take
from config.settings import Mqtt

_READ_BYTES = 65_536
_READS = 16
_IN_FLIGHT = 20  # paho ignores the broker's Receive Maximum; 20 is safe everywhere
_MOST_STUCK = 2
_REMEDIES = {
    "Not authorized": "check PERISCOPE_MQTT__USERNAME and PERISCOPE_MQTT__PASSWORD",
    "Bad user name or password": "check PERISCOPE_MQTT__USERNAME and PERISCOPE_MQTT__PASSWORD",
    "Unsupported protocol version": "set PERISCOPE_MQTT__PROTOCOL=3.1.1",
    "Client identifier not valid": "give this collector another name with PERISCOPE_COLLECTOR",
}
_LOGIN = ("Not authorized", "Bad user name or password")
_PASSING = frozenset(
    {
        "Server unavailable",
        "Server busy",
        "Server shutting down",
        "Quota exceeded",
        "Connection rate exceeded",
        "Use another server",
    }
)


class _ReadBuffer:
    """A socket that reads ahead: paho asks for one byte at a time, and each system call would cost a thread switch."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._data = b""
        self._at = 0
        self._partial = False  # what is here is no whole packet, so there is nothing to do before more comes
        self._error: OSError | None = None

    def recv(self, size: int) -> bytes:
        """For paho: at most `size` bytes, as a socket gives them."""
        if self._at >= len(self._data):
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            self._data, self._at = self._sock.recv(_READ_BYTES), 0
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        self._partial = False
        return piece

    def take(self, most: int, v5: bool, epoch: int, clock: Callable[[], int]) -> list[Received]:
        """At most `most` messages of plain packets, with one read of the socket when no whole packet is here."""
        if self._partial or self._at >= len(self._data):
            try:
                more = self._sock.recv(_READ_BYTES)
            except OSError as error:
                self._error = error  # for paho to meet
                more = b""
            self._data, self._at = self._data[self._at :] + more, 0
            if not more:
                self._partial = False
                return []
        messages, self._at, head = take(self._data, self._at, most, v5, epoch, clock)
        self._partial = head is Head.PART
        return messages

    @property
    def exhausted(self) -> bool:
        """Whether only a part of a packet, or nothing, is left of a sound read."""
        return self._partial

    def pending(self) -> int:
        """Bytes to work on before the socket has to be waited for."""
        here = 0 if self._partial else len(self._data) - self._at
        return here or (self._sock.pending() if hasattr(self._sock, "pending") else 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Client(paho.Client):
    """paho's client with a read buffer, out of which plain PUBLISH packets are read many at a time.

    All other packets, and every PUBLISH that is not plain, go through paho. `room` says how many messages may be
    taken now; while it is 0 nothing is read, and the broker waits. `on_messages` gets what was taken.
    """

    room: Callable[[], int] = staticmethod(lambda: 0)
    epoch: Callable[[], int] = staticmethod(lambda: 0)
    clock: Callable[[], int] = staticmethod(lambda: 0)
    on_messages: Callable[[list[Received]], None] | None = None

    def _create_socket(self) -> Any:
        self._buffer = _ReadBuffer(super()._create_socket())
        return self._buffer

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        if self.on_messages is None:  # a publisher: what it reads is few and small
            return self._read_by_paho(max_packets)
        for _ in range(_READS):  # then let writes and keep-alive have their turn
            if self._sock is None:
                return MQTTErrorCode.MQTT_ERR_NO_CONN
            room = self.room()
            if room <= 0:
                # The broker waits when nothing is read. Receive Maximum alone is no bound: Mosquitto 2.0.11 was seen
                # to send 2,000 messages into a window of 500 when a queue of a past session drains.
                time.sleep(0.01)
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            if self._in_packet["command"] == 0:  # else paho is in the middle of a packet
                messages = self._buffer.take(room, self._protocol == paho.MQTTv5, self.epoch(), self.clock)
                if messages:
                    self.on_messages(messages)
                    with self._msgtime_mutex:
                        self._last_bytes_received = time.monotonic()
                if self._buffer.exhausted:
                    return MQTTErrorCode.MQTT_ERR_SUCCESS
                if len(messages) == room:
                    continue
            rc = super().loop_read(max_packets)
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS or self._sock is None or not self._buffer.pending():
                return rc
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _read_by_paho(self, max_packets: int) -> MQTTErrorCode:
        for _ in range(500):
            rc = super().loop_read(max_packets)
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS or self._sock is None or not self._buffer.pending():
                return rc
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def thread_alive(self) -> bool:
        """Whether the network thread lives; `is_connected` stays True when it died."""
        return self._thread is not None and self._thread.is_alive()

    def certificate_ends_s(self) -> float | None:
        """When the broker's certificate ends, in seconds since 1970; None without TLS or connection."""
        ask = getattr(self.socket(), "getpeercert", None)
        found = ask() if ask is not None else None
        return ssl.cert_time_to_seconds(found["notAfter"]) if found else None

    on_puback: Callable[[int, int], None] | None = None

    def write_packets(self, packets: bytes) -> None:
        """Send PUBLISH packets of QoS 1 that the caller made and looks after, with one write."""
        self._packet_queue(paho.PUBLISH, packets, 0, 1)

    def _handle_pubackcomp(self, cmd: Any) -> MQTTErrorCode:
        if self.on_puback is None:
            return super()._handle_pubackcomp(cmd)
        packet = self._in_packet["packet"]
        self.on_puback(packet[0] << 8 | packet[1], packet[2] if len(packet) > 2 else 0)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def puback_all(self, mids: Sequence[int]) -> None:
        """Acknowledge many QoS 1 messages with one write."""
        self._packet_queue(paho.PUBACK, b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids), 0, 0)


def new_client(settings: Mqtt, client_id: str, keep_session: bool) -> Client:
    protocol = MQTTProtocolVersion.MQTTv5 if settings.protocol == "5" else MQTTProtocolVersion.MQTTv311
    v5 = settings.protocol == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=protocol,
        manual_ack=True,
        clean_session=None if v5 else not keep_session,
    )
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password.get_secret_value() if settings.password else None)
    if settings.ca is not None:
        try:
            client.tls_set(
                ca_certs=str(settings.ca),
                certfile=str(settings.cert) if settings.cert else None,
                keyfile=str(settings.key) if settings.key else None,
            )
        except (OSError, ValueError) as error:
            raise BrokerRefused(
                f"TLS: the certificate files cannot be used ({error}); check PERISCOPE_MQTT__CA, "
                "PERISCOPE_MQTT__CERT and PERISCOPE_MQTT__KEY"
            ) from error
    client.reconnect_delay_set(1, 20)
    client.max_inflight_messages_set(_IN_FLIGHT)
    properties = None
    if v5:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = settings.session_expiry_s if keep_session else 0
        properties.ReceiveMaximum = settings.receive_maximum
    clean = not keep_session if v5 else paho.MQTT_CLEAN_START_FIRST_ONLY
    client.connect_async(settings.host, settings.port, settings.keepalive_s, clean_start=clean, properties=properties)
    return client


def subscribe(client: Client, filters: Sequence[str], v5: bool) -> None:
    """Ask for topics with QoS 1; retained messages come once, at the first subscription, and keep their flag."""
    options = SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=1)
    if v5:
        client.subscribe([(f, options) for f in filters])
    else:
        client.subscribe([(f, 1) for f in filters])


def is_passing(reason: Any) -> bool:
    """Whether a refusal may be over in a moment."""
    return str(reason) in _PASSING


def refusal(settings: Mqtt, reason: str) -> BrokerRefused:
    kind = LoginRefused if reason in _LOGIN else BrokerRefused
    remedy = _REMEDIES.get(reason, "see the broker's log")
    user = f' user "{settings.username}"' if settings.username else " a client without user name"
    return kind(f"broker {settings.host}:{settings.port} refuses{user}: {reason.lower()}; {remedy}")


def absence(settings: Mqtt, error: BaseException | None) -> BrokerAway | BrokerRefused:
    place = f"broker {settings.host}:{settings.port}"
    if isinstance(error, socket.gaierror):
        return BrokerAway(f"{place}: no such host is known; check PERISCOPE_MQTT__HOST")
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateRefused(
            f"{place}: its certificate is not trusted ({error.verify_message}); check PERISCOPE_MQTT__CA"
        )
    if isinstance(error, ConnectionRefusedError):
        return BrokerAway(f"{place}: nothing listens there; start the broker or check PERISCOPE_MQTT__PORT")
    return BrokerAway(f"{place}: cannot be reached ({error or 'no answer'}); check host, port and TLS settings")


class MqttPublisher:
    """A publisher for importer and simulator: QoS 1, at most 20 in flight, MQTT as in the settings."""

    def __init__(
        self,
        settings: Mqtt,
        client_id: str | None = None,
        patience_s: float = 60,
        on_puback: Callable[[Any], None] | None = None,
    ) -> None:
        self._settings, self._patience_s, self._on_puback = settings, patience_s, on_puback
        self._room = threading.Condition()
        self._waiting: dict[int, Any] = {}
        self._early: set[int] = set()
        self._largest: int | None = None
        self._problem: Exception | None = None
        self._connected = threading.Event()
        self.acked = 0
        self._stuck, self._acked_before = 0, -1
        self._client = new_client(
            settings, client_id or f"periscope-publisher-{secrets.token_hex(6)}", keep_session=False
        )
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail, self._client.on_publish = self._on_connect_fail, self._on_publish
        self._client.on_disconnect = self._on_disconnect

    def __enter__(self) -> "MqttPublisher":
        """Connect; raises BrokerRefused or BrokerAway with the sentence to show."""
        self._client.loop_start()
        deadline = time.monotonic() + 10
        while not self._connected.wait(0.02):
            if self._problem is not None or time.monotonic() > deadline:
                self._client.disconnect()
                self._client.loop_stop()
                raise self._problem or absence(self._settings, None)
        return self

    def __exit__(self, kind: Any, *_rest: Any) -> None:
        try:
            if kind is None:
                self.flush(self._patience_s)
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, retain: bool = False, token: Any = None) -> None:
        """Send one message; waits while 20 are unacknowledged. `token` is handed to `on_puback` at its PUBACK."""
        if self._largest is not None and len(payload) + len(topic.encode()) + 16 > self._largest:
            raise BrokerRefused(
                f"{topic}: a message of {len(payload)} bytes is larger than the broker takes ({self._largest})"
            )
        self._wait_for(lambda: len(self._waiting) < _IN_FLIGHT, self._patience_s)
        try:
            info = self._client.publish(topic, payload, qos=1, retain=retain)
        except ValueError as error:
            raise BrokerRefused(f"{topic}: this topic cannot be published ({error})") from error
        with self._room:
            early = info.mid in self._early
            self._early.discard(info.mid)
            if not early:
                self._waiting[info.mid] = token
        if early:
            self._finish(token)

    def flush(self, timeout: float) -> bool:
        """True when the broker has acknowledged everything; raises BrokerAway when it does not in time."""
        self._wait_for(lambda: not self._waiting, timeout)
        return True

    def _wait_for(self, condition: Callable[[], bool], timeout: float) -> None:
        with self._room:
            done = self._room.wait_for(lambda: self._problem is not None or condition(), timeout)
        if self._problem is not None:
            raise self._problem
        if not done:
            raise absence(self._settings, None)

    def _finish(self, token: Any) -> None:
        self.acked += 1
        if self._on_puback is not None:
            self._on_puback(token)

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _props: Any) -> None:
        with self._room:
            known = mid in self._waiting
            token = self._waiting.pop(mid, None)
            if not known:
                self._early.add(mid)
            if reason.is_failure:
                self._problem = BrokerRefused(
                    f"broker {self._settings.host}:{self._settings.port} refuses a message: {str(reason).lower()}; "
                    f'let its user "{self._settings.username or ""}" write that topic'
                )
            self._room.notify_all()
        if known and not reason.is_failure:
            self._finish(token)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        """Mosquitto 2.0 refuses what is beyond its message_size_limit by a code that MQTT does not know in that place;
        paho then ends the connection and sends the message again, for ever."""
        with self._room:
            stands_still = bool(self._waiting) and self.acked == self._acked_before
            self._stuck = self._stuck + 1 if stands_still and str(reason) == "Protocol error" else 0
            self._acked_before = self.acked
        if self._stuck >= _MOST_STUCK:
            self._stop_with(
                BrokerRefused(
                    f"broker {self._settings.host}:{self._settings.port} ends the connection whenever a message is "
                    "sent again; is one larger than it takes? Send smaller ones, or raise message_size_limit there"
                )
            )

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, props: Any) -> None:
        if reason.is_failure:
            self._stop_with(refusal(self._settings, str(reason)))
            return
        self._largest = getattr(props, "MaximumPacketSize", None)
        self._connected.set()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        if not self._connected.is_set():
            self._stop_with(absence(self._settings, sys.exc_info()[1]))

    def _stop_with(self, problem: Exception) -> None:
        with self._room:
            self._problem = self._problem or problem
            self._room.notify_all()
