"""The queue probe: how many messages the broker keeps for a client that is away, measured on a session of its own.

Promises: topic and session are random and gone at the end, or after five minutes by themselves; what is sent is told
apart from anything else; no more than PROBE messages and one large one are sent, for at most SEND_S seconds.
"""

import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

from collectors.decoders.limits import MAX_BYTES
from collectors.doctor.finding import Finding
from collectors.message import BrokerAway, BrokerRefused, CollectorError
from collectors.mqtt import MqttPublisher
from collectors.scratch import Heard, Scratch, forget, fresh_name
from config.settings import Mqtt

ROOT = "periscope/doctor/"
PROBE = 2000
SEND_S = 14.0
_ORDINARY = 1000  # Mosquitto's own limit; a probe that is not larger proves nothing
_QUIET_S = 1.0


class Probed(NamedTuple):
    """`sent` were acknowledged by the broker, `window` came before the first acknowledgement, `back` came at all."""

    sent: int
    window: int
    back: int
    large: bool | None
    refused: str = ""


def probe(mqtt: Mqtt, count: int = PROBE) -> Probed:
    """Fill a queue and read it; raises BrokerAway or BrokerRefused when the broker ends that."""
    name, topic = fresh_name(), ROOT + secrets.token_hex(6)
    here: list[Heard] = []
    try:
        with Scratch(mqtt, name, keep=True, on_message=here.append) as scratch:
            if scratch.subscribe([topic])[0].qos != 1:
                return Probed(0, 0, 0, None, f"{ROOT}# is not granted with QoS 1")
            sent, refused = _send(mqtt, topic, 1)
            # What an access list forbids is acknowledged all the same, and is no fault of the queue.
            if not refused and not scratch.wait(lambda: bool(here), 3):
                refused = f"what our user publishes below {ROOT} does not come back to it"
        if refused:
            return Probed(0, 0, 0, None, refused)
        sent, refused = _send(mqtt, topic, count)
        return Probed(0, 0, 0, None, refused) if refused else _read(mqtt, name, topic, sent)
    finally:
        forget(mqtt, name)


def _send(mqtt: Mqtt, topic: str, count: int) -> tuple[int, str]:
    deadline = time.monotonic() + SEND_S
    try:
        with MqttPublisher(mqtt, client_id=fresh_name(), patience_s=10) as publisher:
            for number in range(count):
                if time.monotonic() > deadline:
                    break
                publisher.publish(topic, b"%08d" % number)
            publisher.flush(10)
            return publisher.acked, ""
    except CollectorError as error:
        return 0, str(error)


def _read(mqtt: Mqtt, name: str, topic: str, sent: int) -> Probed:
    waiting: list[int] = []
    seen: set[bytes] = set()
    large = [False]

    def on_message(heard: Heard) -> None:
        if len(heard.payload) > 8:
            large[0] = True
        else:
            seen.add(heard.payload)
        if heard.mid:
            waiting.append(heard.mid)

    with Scratch(mqtt, name, keep=True, ack=False, on_message=on_message) as scratch:
        scratch.wait_quiet(lambda: len(seen), _QUIET_S, 5)
        window = len(seen)
        deadline = time.monotonic() + 15
        while len(seen) < sent and time.monotonic() < deadline and (waiting or not scratch.ended):
            before = len(seen)
            scratch.ack([waiting.pop(0) for _ in range(len(waiting))])
            if not scratch.wait(lambda: len(seen) > before, _QUIET_S):  # noqa: B023  # called at once
                break
        scratch.ack([waiting.pop(0) for _ in range(len(waiting))])
        return Probed(sent, window, len(seen), _takes(mqtt, topic, scratch, lambda: large[0]))


def _takes(mqtt: Mqtt, topic: str, scratch: Scratch, came: Callable[[], bool]) -> bool:
    """Whether the largest message that feeds may send goes through the broker."""
    try:
        with MqttPublisher(mqtt, client_id=fresh_name(), patience_s=5) as publisher:
            publisher.publish(topic, b"x" * MAX_BYTES)
    except (BrokerRefused, BrokerAway):
        return False
    return scratch.wait(came, 3)


def findings(probed: Probed, mqtt: Mqtt, batch: int, said_packet: int | None) -> list[Finding]:
    """What the measurement means."""
    if probed.refused or not probed.sent:
        why = probed.refused or "the broker acknowledged nothing in time"
        return [
            Finding(
                "unknown", "queue", f"cannot be measured: {why}",
                f'let the broker\'s user "{mqtt.username or ""}" write and read {ROOT}#, as deploy/mosquitto/acl does',
            )
        ]  # fmt: skip
    return [_queue(probed, mqtt), *_window(probed, batch), *_size(probed, said_packet)]


def _queue(probed: Probed, mqtt: Mqtt) -> Finding:
    if not probed.back:
        return Finding(
            "problem", "queue", f"none of {probed.sent} messages sent while a client was away came back",
            "let the broker keep sessions and queues: set max_queued_messages to an explicit large number, never 0",
        )  # fmt: skip
    if probed.back < probed.sent:
        return Finding(
            "problem", "queue",
            f"of {probed.sent} messages sent while a client was away {probed.back} came back; the others were "
            "acknowledged to their sender and are lost",
            "set max_queued_messages (Mosquitto) to the messages per second times the seconds that the collector may "
            "be away, such as 2000000, never 0, and max_queued_bytes to match",
        )  # fmt: skip
    if probed.sent <= _ORDINARY:
        return Finding(
            "unknown", "queue", f"this broker took only {probed.sent} messages in {SEND_S:.0f} s, and kept them",
            "see that max_queued_messages is an explicit large number; a broker as slow as this cannot keep up either",
        )  # fmt: skip
    return Finding("ok", "queue", f"all {probed.sent} messages sent while a client was away came back")


def _window(probed: Probed, batch: int) -> list[Finding]:
    if not 0 < probed.window < min(batch, probed.back):
        return []
    return [
        Finding(
            "warn", "window", f"the broker sends {probed.window} messages and waits, but a commit takes up to {batch}",
            f"raise max_inflight_messages (Mosquitto) to 500, or set PERISCOPE_SPOOL__BATCH to {probed.window}",
        )
    ]  # fmt: skip


def _size(probed: Probed, said_packet: int | None) -> list[Finding]:
    if probed.large is None or not probed.back:  # where nothing comes back, size is not what is wrong
        return []
    said = f"; it says that a packet may have {said_packet} bytes" if said_packet is not None else ""
    if probed.large:
        return [Finding("ok", "message-size", f"a message of {MAX_BYTES} bytes goes through{said}")]
    return [
        Finding(
            "warn", "message-size", f"a message of {MAX_BYTES} bytes does not go through{said}",
            f"set message_size_limit to {MAX_BYTES} and max_packet_size to twice that (Mosquitto), unless no feed "
            "sends more: publishers of larger messages see success or connect again without end",
        )
    ]  # fmt: skip
