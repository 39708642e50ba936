"""Takes what waits in the log book to the broker, in a thread of its own.

Promises: a letter is marked as sent only after the broker acknowledged it, so that a stop or a broker that is away
loses none; a second delivery of one event is recognised by its id further on.
"""

import logging
import threading
from collections.abc import Callable

from dashboard.log.publisher import Publisher, Undelivered
from pipeline.logbook import Logbook

log = logging.getLogger(__name__)
_LONGEST_WAIT_S = 15.0


class Post:
    """`wake` after something was written; `problem` is the sentence why nothing goes out, None while it does."""

    def __init__(self, logbook: Logbook, publisher: Publisher, clock: Callable[[], int]) -> None:
        self._logbook, self._publisher, self._clock = logbook, publisher, clock
        self._woken, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-post", daemon=True)
        self.problem: str | None = None

    def start(self) -> None:
        """Begin with what is left from the last run."""
        self._woken.set()
        self._thread.start()

    def wake(self) -> None:
        """There is something to send."""
        self._woken.set()

    def close(self) -> None:
        """Stop after what is being sent; the rest waits for the next start."""
        self._stop.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.is_set():
            # Of a broker that is away there is no news to wait for, so it is asked again at growing intervals.
            self._woken.wait(pause or None)
            self._woken.clear()
            if self._stop.is_set():
                return
            pause = 0.0 if self.deliver() else min(_LONGEST_WAIT_S, max(0.5, 2 * pause))

    def deliver(self) -> bool:
        """Send everything that waits; False where that did not work."""
        while waiting := self._logbook.waiting():
            try:
                self._publisher([(one.topic, one.payload) for one in waiting])
            except Undelivered as error:
                if self.problem is None:
                    log.warning("Records wait for the broker: %s", error)
                self.problem = str(error)
                return False
            self._logbook.sent([one.id for one in waiting], self._clock())
        self.problem = None
        return True
