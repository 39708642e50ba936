"""A collector as a process of its own that ends at a named point: `python -m tests.integration.collector_process`.

Arguments: the point (a name of Hooks), how many passages it survives, and "early" for the build that acknowledges
before the commit, which the kill test must catch. The settings come from the environment, as always.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from collectors.collector import Collector
from collectors.delivery import Hooks
from collectors.publish import Received
from collectors.receiver import MqttReceiver
from config.catalogue import load_catalogue
from config.settings import load_settings
from pipeline.store import open_store


class _AcksAtOnce(SimpleQueue[Received]):
    """What a careless collector does: the broker is told "done" while the message is in memory alone."""

    def __init__(self, receiver: MqttReceiver) -> None:
        self._receiver = receiver

    def put(self, item: Received, block: bool = True, timeout: float | None = None) -> None:
        self._receiver.ack([item])
        super().put(item)


def ending(passages: int) -> Callable[[], None]:
    """What ends the process, without any cleaning up, when it is passed once more than `passages` times."""
    left = [passages]

    def passed() -> None:
        left[0] -= 1
        if left[0] < 0:
            os._exit(137)

    return passed


def main(point: str, passages: int, early: bool) -> None:
    settings = load_settings()
    hooks = Hooks(**({point: ending(passages)} if point != "nowhere" else {}))
    collector = Collector(
        settings, load_catalogue(settings.catalogue), open_store(settings, "raw"), time.time_ns, hooks
    )
    if early:
        collector.receiver.queue = _AcksAtOnce(collector.receiver)
    collector.run(threading.Event())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), "early" in sys.argv[3:])
