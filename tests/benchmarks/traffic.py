"""Messages for benchmarks: made, published at a rate or flat out, waiting in a session."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, Self

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.services.process import wait_until

TOPIC = "pilots/bremen/usage/app"
WEEK_S = 604_800


def event(number: int, at_ns: int) -> bytes:
    """One usage event of about 200 bytes; its id tells its number."""
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ns // 1_000_000_000))
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"bench-{number:08d}",
            "source": "/pilots/bremen/app",
            "type": "action.performed",
            "time": f"{text}.{at_ns // 1_000_000 % 1000:03d}Z",
            "data": {"service_id": "app", "action": "vote", "actor_kind": "citizen", "synthetic": True},
        }
    )


def session_properties(receive_maximum: int = 500) -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = WEEK_S
    properties.ReceiveMaximum = receive_maximum
    return properties


def open_session(port: int, client_id: str, topic_filter: str) -> None:
    """Leave a persistent session behind, in which the broker queues what matches."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.subscribe(topic_filter, qos=1)
    _once(client, port, "on_subscribe", clean_start=False, properties=session_properties())


def remove_session(port: int, client_id: str) -> None:
    """End a session with all that waits in it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
    _once(client, port, "on_connect", clean_start=True)


def _once(client: mqtt.Client, port: int, callback: str, **options: Any) -> None:
    """Connect, wait for one callback, disconnect."""
    came = threading.Event()
    setattr(client, callback, lambda *_: came.set())
    client.connect("127.0.0.1", port, **options)
    client.loop_start()
    if not came.wait(20):
        raise TimeoutError(f"the broker did not answer within 20 s ({callback})")
    client.disconnect()
    client.loop_stop()


def waiting(port: int, wanted: int, deadline_s: float = 15) -> int:
    """Messages that the broker holds by its own count, which it renews every five seconds; `wanted` ends the wait."""
    counts = [0]
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.subscribe("$SYS/broker/store/messages/count")
    client.on_message = lambda _client, _data, message: counts.append(int(message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: counts[-1] >= wanted, deadline_s, "queueing")
    client.disconnect()
    client.loop_stop()
    return counts[-1]


class Publisher:
    """Publishes at QoS 1 and knows which numbers the broker acknowledged, and when."""

    def __init__(self, port: int, window: int = 200) -> None:
        self.acknowledged: dict[int, float] = {}
        self.sent = 0
        self._numbers: dict[int, int] = {}
        self._answers: deque[tuple[int, float]] = deque()
        self._room = threading.Semaphore(window)
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        self._client.max_inflight_messages_set(window)
        self._client.on_publish = self._on_publish
        self._port = port

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._settle()

    def publish(self, number: int, payload: bytes, topic: str = TOPIC) -> None:
        """Blocks while the window is full; raises ConnectionError when the broker has gone."""
        while not self._room.acquire(timeout=0.2):
            if not self._client.is_connected():
                raise ConnectionError("the broker has gone")
        self._numbers[self._client.publish(topic, payload, qos=1).mid] = number
        self.sent += 1
        self._settle()

    def publish_all(self, payloads: Iterable[bytes], first: int = 0) -> None:
        for number, payload in enumerate(payloads, first):
            self.publish(number, payload)

    def wait(self, deadline_s: float = 120) -> None:
        """Return when every message is acknowledged."""
        wait_until(lambda: self._settle() == self.sent, deadline_s, "acknowledging all messages")

    def _settle(self) -> int:
        """Taken in by the publishing thread: paho calls back under its own lock, often before `publish` returns."""
        while self._answers:
            mid, at = self._answers.popleft()
            self.acknowledged[self._numbers.pop(mid)] = at
        return len(self.acknowledged)

    def _on_publish(self, _client: Any, _data: Any, mid: int, *_: Any) -> None:
        self._answers.append((mid, time.monotonic()))
        self._room.release()
