"""The receiving side: one persistent session, from which messages go into a bounded queue.

Promises: a callback copies and enqueues, it parses nothing, touches no disk and cannot raise; the session outlives
us, so the broker keeps what we have not acknowledged; an acknowledgement leaves only through `ack`, in the order
given, and only on the connection that delivered the message; nothing is unsubscribed at stop.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from collectors.message import BrokerRefused
from collectors.mqtt import Client, absence, is_passing, new_client, refusal, subscribe
from collectors.publish import Received
from config.settings import Mqtt

log = logging.getLogger(__name__)
_TAKEN_OVER = 0x8E
_SHORT_LIFE_S = 10
_SUSPICIOUS_LIVES = 3
# So long a message may stay unacknowledged with nothing left to do before the connection is made anew.
FORGOTTEN_S = 30.0


class MqttReceiver:
    """One persistent session. `on_failure` is told once about what trying again cannot mend."""

    def __init__(
        self,
        settings: Mqtt,
        client_id: str,
        filters: Sequence[str],
        removed: Sequence[str],
        clock: Callable[[], int],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._settings, self._client_id, self.filters, self._removed = settings, client_id, filters, removed
        self._clock, self._on_failure = clock, on_failure
        self._lock = threading.Lock()
        self._epoch = 0
        self._bound = max(1000, 2 * settings.receive_maximum)
        self._needs_type = settings.protocol == "5"
        self.queue: SimpleQueue[Received] = SimpleQueue()
        self.ready = threading.Event()
        self.sentence = "not connected yet"
        self.ever_connected = False
        self.received = self.bytes = self.acks = self.stale_acks = self.connects = self.session_lost = self.errors = 0
        self.unheard = self.session_known = False
        self.forgotten_s, self.whole_until_ns = FORGOTTEN_S, 0
        self._taken_before, self._answered, self._answered_at = 0, 0, time.monotonic()
        self._connected_at, self._short_lives = 0.0, 0
        self._stopping = False
        self._client = self._build()

    def _build(self) -> Client:
        client = new_client(self._settings, self._client_id, keep_session=True)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_subscribe = self._on_connect_fail, self._on_subscribe
        client.on_message, client.on_messages = self._on_message, self._on_messages
        client.room = lambda: self._bound - self.queue.qsize()
        client.epoch, client.clock = lambda: self._epoch, self._clock
        return client

    def start(self) -> None:
        self._client.loop_start()

    def stop(self) -> None:
        """Send what is queued and a plain DISCONNECT; the session and its filters stay."""
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()
        self.ready.clear()

    def ack(self, messages: Sequence[Received]) -> int:
        """Acknowledge in the order given what came on the current connection; returns how many left."""
        with self._lock:
            current = [m for m in messages if m.epoch == self._epoch]
            mids = [m.mid for m in current if m.mid]
            if mids:
                self._client.puback_all(mids)
            self._answered += len(current)
            self._answered_at = time.monotonic()
        self.acks += len(mids)
        self.stale_acks += sum(1 for m in messages if m.mid) - len(mids)
        return len(mids)

    def forgotten(self) -> int:
        """Messages of this connection that nobody acknowledged, once that has not changed for `forgotten_s`.

        The broker sends them again only on another connection, and when they fill its window it sends nothing at all.
        Means something only while none waits in memory.
        """
        with self._lock:
            quiet = time.monotonic() - max(self._answered_at, self._connected_at) > self.forgotten_s
            return max(0, self.received - self._taken_before - self._answered) if quiet else 0

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish beside the session, QoS 1, without waiting."""
        self._client.publish(topic, payload, qos=1)

    def alive(self) -> bool:
        """Whether the network thread lives; `is_connected` stays True when it died."""
        return self._client.thread_alive()

    def revive(self) -> None:
        """Replace a client whose thread died or that failed to take a message; the broker then sends again."""
        log.error("the connection to the broker is made anew")
        self._next_epoch()
        self.errors += 1
        self.unheard = False
        old, self._client = self._client, self._build()
        old.on_disconnect = None
        old.disconnect()
        old.loop_stop()
        self._client.loop_start()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        """What paho read: large packets, and such as are not plain."""
        said = message.properties if self._needs_type else None
        mid, kind, pairs = message.mid, getattr(said, "ContentType", ""), getattr(said, "UserProperty", ())
        if message.qos == 0:
            mid = 0
        self._on_messages(
            [Received(self._epoch, mid, message._topic, message.payload, kind, message.retain, self._clock(), pairs)]
        )

    def _on_messages(self, messages: list[Received]) -> None:
        try:
            put = self.queue.put
            for message in messages:
                put(message)
                self.bytes += len(message.payload)
            self.received += len(messages)
        except BaseException:  # anything raised here would end the network thread while all seems connected
            self.errors += 1
            self.unheard = True  # not acknowledged, so the broker sends it again on the next connection

    def _next_epoch(self) -> None:
        """What came until now can be acknowledged no more."""
        with self._lock:
            self._epoch += 1
            self._taken_before, self._answered = self.received, 0

    def _on_connect(self, client: Any, _data: Any, flags: Any, reason: Any, _props: Any) -> None:
        self._next_epoch()
        if reason.is_failure:
            refused = refusal(self._settings, str(reason))
            self.sentence = str(refused)
            if not self.ever_connected and not is_passing(reason):
                self._fail(refused)
            else:
                log.warning("%s", refused)
            return
        self.connects += 1
        self._connected_at = time.monotonic()
        if self.session_known and not flags.session_present:
            self.session_lost += 1
            log.error("the broker lost our session; what it held for us is gone, look for gaps")
        self.ever_connected = self.session_known = True
        self._subscribe(client)

    def _subscribe(self, client: Any) -> None:
        if self._removed:
            client.unsubscribe(list(self._removed))
        subscribe(client, self.filters, v5=self._settings.protocol == "5")
        self.sentence = "waiting for the broker to grant the topics"

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _props: Any) -> None:
        denied = [f for f, reason in zip(self.filters, reasons, strict=False) if reason.is_failure or reason.value < 1]
        if denied:
            self.sentence = (
                f"the broker does not grant {', '.join(denied)} with QoS 1; let its user "
                f'"{self._settings.username or ""}" read these topics'
            )
            log.error("%s", self.sentence)
            return
        log.info(
            "connected to broker %s:%d, %d topic filters", self._settings.host, self._settings.port, len(self.filters)
        )
        self.sentence = ""
        self.ready.set()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        missing = absence(self._settings, sys.exc_info()[1])
        if isinstance(missing, BrokerRefused) and not self.ever_connected:
            self._fail(missing)
        if str(missing) != self.sentence:
            self.sentence = str(missing)
            log.warning("%s; trying again", missing)

    def _on_disconnect(self, _client: Any, _data: Any, flags: Any, reason: Any, _props: Any) -> None:
        self._next_epoch()
        if self.ready.is_set():
            self.whole_until_ns = self._clock()
        self.ready.clear()
        if self._stopping:
            return
        if flags.is_disconnect_packet_from_server and reason.value == _TAKEN_OVER:
            self._fail(
                BrokerRefused(
                    f"broker {self._settings.host}:{self._settings.port}: another client took over the session "
                    f'"{self._client_id}"; give each collector its own PERISCOPE_COLLECTOR'
                )
            )
        elif self.ever_connected:
            self.sentence = f"connection to the broker lost: {reason}"
            self._count_short_lives()
            log.warning("%s; trying again", self.sentence)

    def _count_short_lives(self) -> None:
        """Mosquitto 2.0.11 does not say that another client took over: connections just end soon after they began."""
        lived_s = time.monotonic() - self._connected_at
        self._short_lives = self._short_lives + 1 if lived_s < _SHORT_LIFE_S else 0
        if self._short_lives >= _SUSPICIOUS_LIVES:
            self.sentence = (
                f"the connection ended {self._short_lives} times within {_SHORT_LIFE_S} s; is another client using the "
                f'session "{self._client_id}"? Give each collector its own PERISCOPE_COLLECTOR'
            )

    def _fail(self, error: Exception) -> None:
        self._stopping = True
        self.sentence = str(error)
        self._client.disconnect()
        self._on_failure(error)
