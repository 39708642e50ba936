"""Publishing many messages at once: QoS 1, many packets in one write, and no thread beside the caller's.

Promises: `send` returns when the broker has acknowledged every message; no more are unacknowledged than the broker
allows (Receive Maximum of MQTT 5), else 100; after a broken connection what is unacknowledged is sent again.
Source: MQTT 5.0, sections 3.3, 3.4 and 4.9.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any

from collectors.message import BrokerAway, BrokerRefused
from collectors.mqtt import absence, new_client, refusal
from config.settings import Mqtt

_WITHOUT_LIMIT, _MOST = 100, 1000
_PUBLISH, _AGAIN, _FAILURE = 0x32, 0x3A, 0x80
_REASONS = {
    0x87: 'not authorized; let its user "{user}" write that topic',
    0x90: "it does not take that topic; correct the feed's topic",
    0x97: "its quota is exceeded; raise it, or import in smaller parts",
}


class BatchPublisher:
    """A connection to publish on. `largest` is the most bytes of topic and payload together, None without limit."""

    def __init__(self, settings: Mqtt, patience_s: float = 60) -> None:
        self._settings, self._patience_s = settings, patience_s
        self._client = new_client(settings, f"periscope-import-{secrets.token_hex(6)}", keep_session=False)
        self._client.on_connect, self._client.on_puback = self._on_connect, self._on_puback
        self._v5 = settings.protocol == "5"
        self._waiting: dict[int, bytes] = {}
        self._mid = 0
        self._window = _WITHOUT_LIMIT
        self._connected = False
        self._problem: Exception | None = None
        self.largest: int | None = None

    def __enter__(self) -> "BatchPublisher":
        """Connect; raises BrokerRefused or BrokerAway with the sentence to show."""
        self._connect()
        return self

    def __exit__(self, *_: Any) -> None:
        self._client.disconnect()
        self._client.loop(0)

    def send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish all and wait for the acknowledgements; raises BrokerAway after a time without any."""
        sent, heard = 0, time.monotonic()
        while sent < len(messages) or self._waiting:
            # Half a window at a time, so that few writes carry many packets while the broker works on the other half.
            room = self._window - len(self._waiting)
            if sent < len(messages) and room >= min(max(1, self._window // 2), len(messages) - sent):
                part = messages[sent : sent + room]
                self._client.write_packets(b"".join([self._packet(topic, payload) for topic, payload in part]))
                sent += len(part)
            before = len(self._waiting)
            if self._client.loop(0.2) != 0:
                self._connect_again()
            if self._problem is not None:
                raise self._problem
            if len(self._waiting) < before:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._patience_s:
                raise absence(self._settings, None)

    def _packet(self, topic: str, payload: bytes) -> bytes:
        name = topic.encode()
        if self.largest is not None and len(name) + len(payload) > self.largest:
            raise BrokerRefused(
                f"{topic}: a message of {len(payload)} bytes is larger than the broker takes ({self.largest})"
            )
        self._mid = mid = self._mid % 65_535 + 1
        body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + (b"\0" if self._v5 else b"") + payload
        self._waiting[mid] = packet = _length(len(body)) + body
        return bytes((_PUBLISH,)) + packet

    def _connect(self, deadline_s: float = 10) -> None:
        self._connected = False
        deadline = time.monotonic() + deadline_s
        try:
            self._client.reconnect()
        except (OSError, ValueError) as error:
            raise absence(self._settings, error) from None
        while not self._connected:
            rc = self._client.loop(0.2)
            if self._problem is not None:
                raise self._problem
            if rc != 0 or time.monotonic() > deadline:
                raise absence(self._settings, None)

    def _connect_again(self) -> None:
        """Until the broker is back or patience ends; then what it did not acknowledge goes once more."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                self._connect()
                break
            except BrokerAway:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        if self._waiting:
            self._client.write_packets(b"".join(bytes((_AGAIN,)) + packet for packet in self._waiting.values()))

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, props: Any) -> None:
        if reason.is_failure:
            self._problem = refusal(self._settings, str(reason))
            return
        largest = getattr(props, "MaximumPacketSize", None)
        self.largest = None if largest is None else largest - 16
        self._window = min(_MOST, getattr(props, "ReceiveMaximum", _MOST)) if self._v5 else _WITHOUT_LIMIT
        self._connected = True

    def _on_puback(self, mid: int, code: int) -> None:
        self._waiting.pop(mid, None)
        if code >= _FAILURE:
            why = _REASONS.get(code, f"reason code {code:#x} of MQTT 5").format(user=self._settings.username or "")
            place = f"{self._settings.host}:{self._settings.port}"
            self._problem = BrokerRefused(f"broker {place} refuses a message: {why}")


def _length(value: int) -> bytes:
    """A variable byte integer.

    >>> _length(127), _length(128)
    (b'\\x7f', b'\\x80\\x01')
    """
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)
