"""Who knows what must be in the store: publishes numbered messages and counts each from its PUBACK on."""

import hashlib
import json
import threading
import time
from typing import Any

from collectors.mqtt import MqttPublisher
from config.settings import Mqtt

TOPIC = "pilots/bremen/usage/app"
CATALOGUE = """
slug = "bremen"
name = "Bremen"
country = "DE"
time_zone = "Europe/Berlin"
[[feeds]]
id = "app"
topic = "pilots/bremen/usage/app"
stream = "usage"
accept_since = 2019-01-01
"""
_FIRST_NS = 1_551_398_400_000_000_000
# A page of SQLite and the longest text that a decoder takes: lengths at its edge find buffers that are cut.
_B = 4096
_LENGTHS = (0, 1, _B // 4, _B // 2, _B - 1, _B, _B + 1, 3 * _B)
LARGEST = 65_536


def payload(number: int) -> bytes:
    """A function of the number alone, of varying length, so that a corrupted body shows.

    One in five has a filler whose length straddles a limit, one in a thousand is as large as is taken.
    """
    moment = _FIRST_NS // 1_000_000 + number * 40
    event = {
        "specversion": "1.0", "id": f"n-{number}", "source": "/pilots/bremen/app", "type": "action.performed",
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 1000)) + f".{moment % 1000:03d}Z",
        "data": {"synthetic": False, "filler": _filler(number, _length(number))},
    }  # fmt: skip
    if number % 1000 == 500:
        event["data"] = {"synthetic": False, "filler": _filler(number, LARGEST - 1000)}
        short = LARGEST - len(json.dumps(event).encode()) - len(', "end": ""')
        event["data"] |= {"end": "e" * short}  # type: ignore[operator]
    return json.dumps(event).encode()


def _length(number: int) -> int:
    return _LENGTHS[number // 5 % len(_LENGTHS)] if number % 5 == 4 else 64 * (1 + number % 7)


def _filler(number: int, length: int) -> list[str]:
    """Texts of at most one limit each, `length` characters in all."""
    text = (hashlib.sha256(b"%d" % number).hexdigest() * (1 + length // 64))[:length]
    return [text[at : at + _B] for at in range(0, length, _B)]


class Oracle:
    """Publishes `total` messages at most `rate` a second, never beyond the gate; `acked` are its obligations."""

    def __init__(self, settings: Mqtt, total: int, rate: float) -> None:
        self._settings, self.total, self._rate = settings, total, rate
        self._gate = 0
        self._moved = threading.Condition()
        self.published = self._probes = 0
        self.acked: set[int] = set()
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="oracle", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def open_to(self, number: int) -> None:
        """Let the flow go on to this number of messages."""
        with self._moved:
            self._gate = min(number, self.total)
            self._moved.notify_all()

    @property
    def gate(self) -> int:
        """How far the flow may go for now."""
        return self._gate

    @property
    def done(self) -> bool:
        """Whether nothing more will be published."""
        return not self._thread.is_alive()

    def finish(self, deadline_s: float) -> None:
        self.open_to(self.total)
        self._thread.join(deadline_s)
        assert not self._thread.is_alive(), f"only {self.published} of {self.total} were published"
        if self.failure is not None:
            raise self.failure

    def wait_for(self, number: int, deadline_s: float) -> None:
        """Return when that many messages were published."""
        with self._moved:
            assert self._moved.wait_for(lambda: self.published >= number or self.failure is not None, deadline_s)

    def probe(self) -> None:
        """One more message, after the flow; an obligation like the others."""
        number = self.total + self._probes
        self._probes += 1
        with MqttPublisher(self._settings, on_puback=self.acked.add) as publisher:
            publisher.publish(TOPIC, payload(number), token=number)

    def number(self, event_id: str) -> int | None:
        """Which message an event of the store is; None when it was never published here."""
        word, _, text = event_id.rpartition("-")
        if word != "app/n" or not text.isdigit():
            return None
        number = int(text)
        return number if number < self.published or self.total <= number < self.total + self._probes else None

    def _run(self) -> None:
        try:
            with MqttPublisher(self._settings, on_puback=self.acked.add) as publisher:
                begun = time.monotonic()
                for number in range(self.total):
                    with self._moved:
                        if number >= self._gate:
                            self._moved.wait_for(lambda n=number: n < self._gate)  # type: ignore[misc]
                            begun = time.monotonic() - number / self._rate
                    publisher.publish(TOPIC, payload(number), token=number)
                    with self._moved:
                        self.published = number + 1
                        self._moved.notify_all()
                    ahead = (number + 1) / self._rate - (time.monotonic() - begun)
                    if ahead > 0:
                        time.sleep(ahead)  # pacing the load, not waiting for an outcome
        except Exception as error:
            self.failure = error
        finally:
            with self._moved:
                self._moved.notify_all()


def same(event: Any, number: int) -> bool:
    """Whether a stored event is exactly what message `number` said."""
    sent = json.loads(payload(number))
    told = {**event.data, "synthetic": event.synthetic}
    return bool(event.event_id == f"app/n-{number}" and told == sent["data"] and event.type == sent["type"])
