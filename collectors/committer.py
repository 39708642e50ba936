"""From the receive queue to the spool, then the acknowledgement: the first thread.

Promises: no acknowledgement leaves before the commit of its batch returned; a full disk or quota holds everything
back, unacknowledged, and goes on by itself; a failing disk ends the collector.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty

from collectors.delivery import Hooks
from collectors.intake import Intake
from collectors.message import SpoolFull
from collectors.publish import Received
from collectors.receiver import MqttReceiver
from collectors.spool import Spool
from collectors.spool_day import Entry

log = logging.getLogger(__name__)


class Committer:
    """Group commits of at most `batch` messages or `commit_ms`. `full` holds the sentence while there is no room."""

    def __init__(
        self, receiver: MqttReceiver, spool: Spool, intake: Intake, hooks: Hooks, wake: Callable[[], None]
    ) -> None:
        self._receiver, self._spool, self._intake, self._hooks, self._wake = receiver, spool, intake, hooks, wake
        self.full = ""
        self.committed = 0
        self.commit_s = 0.0
        self.last_batch = time.monotonic()
        self.busy = False

    def run(self, stop: threading.Event) -> None:
        """Commit and acknowledge until `stop`, then what is already in memory."""
        while not stop.is_set():
            self._one(stop, 0.2)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and self._one(stop, 0):
            pass

    def _one(self, stop: threading.Event, patience_s: float) -> bool:
        batch = self._gather(patience_s)
        if not batch:
            self.busy = False
            return False
        entries: Sequence[Entry] = [
            self._intake.entry(m.topic, m.payload, m.received_ns, m.content_type, m.retained, properties=m.properties)
            for m in batch
        ]
        self._hooks.before_commit()
        while True:
            try:
                began = time.monotonic()
                self._spool.append(entries)
                self.commit_s += time.monotonic() - began
                break
            except SpoolFull as full:
                entries = full.left or entries
                if not self.full:
                    log.error("%s", full)
                self.full = str(full)
                if stop.wait(1):
                    return False  # never acknowledged: the broker sends it again
        if self.full:
            log.warning("there is room in the spool again")
            self.full = ""
        self._hooks.after_commit()
        self._receiver.ack(batch)
        self._hooks.after_ack()
        self.committed += len(batch)
        self.last_batch = time.monotonic()
        self._wake()
        return True

    def _gather(self, patience_s: float) -> list[Received]:
        queue, most = self._receiver.queue, self._spool.settings.batch
        try:
            batch = [queue.get(timeout=patience_s) if patience_s else queue.get_nowait()]
        except Empty:
            return []
        self.busy = True
        deadline = time.monotonic() + self._spool.settings.commit_ms / 1000
        while len(batch) < most:
            try:
                batch.append(queue.get_nowait())
            except Empty:
                left = deadline - time.monotonic()
                if left <= 0 or patience_s == 0:
                    break
                try:
                    batch.append(queue.get(timeout=left))
                except Empty:
                    break
        return batch
