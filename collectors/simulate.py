"""The simulated cities as a process: their history, newest days first, while they already live on.

Promises: live messages go through the broker; history goes through it too, or with `direct` into the spool, where it
waits behind what is live. When one of the two fails, both end and its sentence is raised.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import islice
from threading import Event as Signal

from collectors.mqtt import MqttPublisher
from collectors.simulator import history, live
from collectors.ways_in import Clock, Send, at_the_spool, through_broker
from config.catalogue import Catalogue
from config.settings import Settings

log = logging.getLogger(__name__)
_BATCH = 1000


class Simulation:
    """One seed's cities on one broker."""

    def __init__(self, settings: Settings, catalogue: Catalogue, seed: int, clock: Clock, stop: Signal) -> None:
        self._settings, self._catalogue, self._seed, self._clock, self._stop = settings, catalogue, seed, clock, stop

    def run(self, weeks: int, direct: bool, with_history: bool, with_live: bool) -> None:
        """Return when the history is told, or with `with_live` when told to stop; raises CollectorError."""
        began = self._clock()
        with ThreadPoolExecutor(1, "history") as pool:
            told = pool.submit(self._history, began, weeks, direct) if with_history else None
            if told is not None and with_live:
                told.add_done_callback(lambda done: self._stop.set() if done.exception() else None)
            try:
                if with_live:
                    self._live(began if with_history else None)
            finally:
                if with_live:
                    self._stop.set()
        if told is not None:
            told.result()

    def _history(self, now_ns: int, weeks: int, direct: bool) -> None:
        way: Callable[[], AbstractContextManager[Send]] = (
            (lambda: at_the_spool(self._settings, self._catalogue, self._clock))
            if direct
            else (lambda: through_broker(self._settings))
        )
        messages = history(self._catalogue, self._seed, now_ns, weeks)
        told = 0
        with way() as send:
            while not self._stop.is_set() and (batch := list(islice(messages, _BATCH))):
                send([(message.topic, message.payload) for message in batch])
                told += len(batch)
        log.info("history: %d messages", told)

    def _live(self, since_ns: int | None) -> None:
        with MqttPublisher(self._settings.mqtt) as publisher:
            live(self._catalogue, self._seed, publisher.publish, self._clock, self._stop, since_ns=since_ns)
