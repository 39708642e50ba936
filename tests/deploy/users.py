"""One user's connection to the broker, for tests of access."""

import queue
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

DEADLINE_S = 20


class User:
    """A connected MQTT 5 client that remembers what it received, as (topic, payload)."""

    def __init__(
        self, port: int, name: str | None, password: str | None, host: str = "127.0.0.1", ca_certs: str | None = None
    ) -> None:
        self.host, self.port = host, port
        self.received: list[tuple[str, str]] = []
        self._arrived: queue.Queue[tuple[str, str]] = queue.Queue()
        self._answers: queue.Queue[Any] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        if name is not None:
            self.client.username_pw_set(name, password)
        if ca_certs is not None:
            self.client.tls_set(ca_certs)
        self.client.on_connect = lambda *args: self._answers.put(args[3])
        self.client.on_subscribe = lambda *args: self._answers.put(args[3])
        self.client.on_publish = lambda *args: self._answers.put(args[3])
        self.client.on_message = lambda _c, _u, message: self._arrived.put((message.topic, message.payload.decode()))

    def __enter__(self) -> Self:
        self.client.connect(self.host, self.port, keepalive=60)
        self.client.loop_start()
        answer = self._answers.get(timeout=DEADLINE_S)
        if answer.is_failure:
            self.__exit__()
            raise ConnectionRefusedError(str(answer))
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic: str, payload: str) -> None:
        """Returns when the broker has answered, whatever the answer."""
        self.client.publish(topic, payload, qos=1)
        self._answers.get(timeout=DEADLINE_S)

    def subscribe(self, topic_filter: str) -> None:
        self.client.subscribe(topic_filter, qos=1)
        self._answers.get(timeout=DEADLINE_S)

    def received_until(self, last: str) -> list[tuple[str, str]]:
        """All that arrived up to the payload `last`: messages of one broker queue keep their order."""
        while not self.received or self.received[-1][1] != last:
            self.received.append(self._arrived.get(timeout=DEADLINE_S))
        return self.received

    def ping(self) -> None:
        """A round trip, so that what the broker sent before it has been taken in."""
        self.publish("nowhere", "ping")
        while not self._arrived.empty():
            self.received.append(self._arrived.get())


def refused(user: User) -> bool:
    """Whether the broker turns this user away."""
    try:
        with user:
            return False
    except (ConnectionRefusedError, OSError):
        return True
