"""A collector as a process of its own that ends at a named point: `python -m tests.integration.collector_process`.

Arguments: the point (a name of Hooks, or "day_change", "unlink": the folder's sync after a day file was made or
removed), how many passages it survives, then words: "early" for the build that acknowledges before the commit, which
the kill test must catch; "hold=FILE" waits after each commit until that file is there, so that acknowledgements are
late; "ahead=SECONDS" moves its clock, "later=SECONDS" with "once=FILE" moves it on once that file is there. The
settings come from the environment, as always.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
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


def main(point: str, passages: int, words: list[str]) -> None:
    options = dict(word.split("=", 1) for word in words if "=" in word)
    settings = load_settings()
    end = ending(passages)
    hooks = Hooks(**({point: end} if point in Hooks.__dataclass_fields__ else {}))
    if "hold" in options:
        hooks = Hooks(after_commit=lambda: _wait_for(Path(options["hold"])))
    clock = _clock(float(options.get("ahead", 0)), float(options.get("later", 0)), Path(options.get("once", "/")))
    collector = Collector(settings, load_catalogue(settings.catalogue), open_store(settings, "raw"), clock, hooks)
    sync, seen = collector.spool.sync_folder, set(collector.spool.days())

    def synced() -> None:
        here = set(collector.spool.days())
        # An old day may be removed before the new one is made, so names tell, and not how many there are.
        if (point == "day_change" and seen and here - seen) or (point == "unlink" and seen - here):
            end()
        seen.update(here)
        sync()

    collector.spool.sync_folder = synced  # type: ignore[method-assign]
    if "early" in words:
        collector.receiver.queue = _AcksAtOnce(collector.receiver)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    collector.run(stop)


def _clock(ahead_s: float, later_s: float, once: Path) -> Callable[[], int]:
    ahead, later = int(ahead_s * 10**9), int(later_s * 10**9)
    return lambda: time.time_ns() + ahead + (later if once.exists() else 0)


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
