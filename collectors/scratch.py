"""A short-lived connection that looks and leaves: for `doctor` and `try --listen`, never the collector's own work.

Promises: it connects once and does not come back by itself; what it heard is handed to `on_message` on the network
thread; a session that it made is gone after `forget`, or by itself after five minutes.
"""

import secrets
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from collectors.message import CollectorError
from collectors.mqtt import absence, new_client, refusal, subscribe
from config.settings import Mqtt

_PATIENCE_S = 10.0
_EXPIRY_S = 300


class Heard(NamedTuple):
    """A message as it came; `mid` is 0 where nothing is to be acknowledged."""

    topic: bytes
    payload: bytes
    retained: bool
    mid: int
    content_type: str = ""
    properties: Sequence[tuple[str, str]] = ()


class Grant(NamedTuple):
    """What the broker gave for one filter: the QoS, or None with its reason."""

    filter: str
    qos: int | None
    reason: str


def fresh_name() -> str:
    """A client id that nobody else uses."""
    return f"periscope-doctor-{secrets.token_hex(6)}"


class Scratch:
    """A context manager; entering connects and raises BrokerRefused or BrokerAway with the sentence to show.

    `keep` keeps the session at the broker, for five minutes, or for as long as the settings say with `expiry_s` None.
    With `ack` each message is acknowledged as it comes, else by `ack`.
    """

    def __init__(
        self,
        settings: Mqtt,
        client_id: str | None = None,
        *,
        keep: bool = False,
        ack: bool = True,
        on_message: Callable[[Heard], None] | None = None,
        expiry_s: int | None = _EXPIRY_S,
    ) -> None:
        if expiry_s is not None:
            settings = settings.model_copy(update={"session_expiry_s": expiry_s})
        self._settings, self._ack_at_once, self._tell = settings, ack, on_message
        self._changed = threading.Condition()
        self._grants: list[Any] | None = None
        self._problem: CollectorError | None = None
        self._connected = self._leaving = False
        self.session_present = False
        self.largest_packet: int | None = None
        self.certificate_ends_s: float | None = None
        self.ended = ""
        self._client = new_client(settings, client_id or fresh_name(), keep_session=keep)
        self._client.on_connect, self._client.on_disconnect = self._on_connect, self._on_disconnect
        self._client.on_connect_fail, self._client.on_subscribe = self._on_connect_fail, self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> "Scratch":
        self._client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._connected or self._problem is not None, _PATIENCE_S)
        if not self._connected:
            self._leave()
            raise self._problem or absence(self._settings, None)
        self.certificate_ends_s = self._client.certificate_ends_s()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def subscribe(self, filters: Sequence[str]) -> list[Grant]:
        """Ask for topics with QoS 1; an answer that does not come counts as a refusal."""
        self._grants = None
        subscribe(self._client, filters, v5=self._settings.protocol == "5")
        with self._changed:
            self._changed.wait_for(lambda: self._grants is not None or bool(self.ended), _PATIENCE_S)
            answers = self._grants
        if answers is None:
            return [Grant(f, None, self.ended or "no answer") for f in filters]
        return [
            Grant(f, None if answer.is_failure else int(answer.value), str(answer))
            for f, answer in zip(filters, answers, strict=False)
        ]

    def ack(self, mids: Sequence[int]) -> None:
        """Acknowledge messages, in the order given."""
        if mids:
            self._client.puback_all(mids)

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """True once `condition` holds, which is looked at after each message; False when the time or the connection
        ended."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or bool(self.ended), max(0.0, timeout_s))
            return condition()

    def wait_quiet(self, count: Callable[[], int], quiet_s: float, timeout_s: float) -> None:
        """Return when `count` has not changed for `quiet_s`."""
        deadline, seen = time.monotonic() + timeout_s, count()
        while time.monotonic() < deadline and not self.ended:
            before = seen
            if not self.wait(lambda: count() != before, quiet_s):  # noqa: B023  # called at once
                return
            seen = count()

    def _leave(self) -> None:
        self._leaving = True
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        mid = message.mid if message.qos else 0
        said = getattr(message, "properties", None)
        heard = Heard(
            message._topic, message.payload, message.retain, mid,
            getattr(said, "ContentType", ""), getattr(said, "UserProperty", ()),
        )  # fmt: skip
        if self._ack_at_once and mid:
            self._client.puback_all([mid])
        with self._changed:
            if self._tell is not None:
                self._tell(heard)
            self._changed.notify_all()

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, props: Any) -> None:
        with self._changed:
            if reason.is_failure:
                self._problem = refusal(self._settings, str(reason))
            else:
                self._connected, self.session_present = True, bool(flags.session_present)
                self.largest_packet = getattr(props, "MaximumPacketSize", None)
            self._changed.notify_all()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        with self._changed:
            self._problem = self._problem or absence(self._settings, sys.exc_info()[1])
            self._changed.notify_all()

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _props: Any) -> None:
        with self._changed:
            self._grants = reasons
            self._changed.notify_all()

    def _on_disconnect(self, client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        with self._changed:
            if not self._leaving:
                self.ended = str(reason)
                client.disconnect()  # else paho would come back, and take the session again
            self._changed.notify_all()


def forget(settings: Mqtt, client_id: str) -> None:
    """Remove a session from the broker."""
    with Scratch(settings, client_id):
        pass
