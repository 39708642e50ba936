"""Two ways for messages that we make ourselves: through the broker, or straight into the spool.

Promises: `send` returns when every message is safe, that is acknowledged by the broker or committed to the spool. Both
ways meet the same intake, decoders, checks and ledger; messages entered at the spool wait behind live ones.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from threading import Event as Signal
from typing import Protocol

from collectors.batch_publisher import BatchPublisher
from collectors.collector import spool_folder
from collectors.decoders.limits import MAX_BYTES
from collectors.intake import Intake
from collectors.message import SpoolFull
from collectors.pseudonym import PseudonymKeys
from collectors.spool import DIRECT, Spool
from collectors.spool_day import Entry
from collectors.topics import Roster
from config.catalogue import Catalogue
from config.settings import Settings

log = logging.getLogger(__name__)
Message = tuple[str, bytes]
Send = Callable[[Sequence[Message]], None]
Clock = Callable[[], int]

# As much as is lost to speed by waiting for the disk or the broker once per batch, and sent again after a kill.
_SPOOL_BATCH, _BROKER_BATCH = 5000, 1000


class Way(Protocol):
    """Called with messages, it returns when they are safe. `largest` bounds topic and payload; `batch` suits it."""

    @property
    def largest(self) -> int: ...

    @property
    def batch(self) -> int: ...

    def __call__(self, messages: Sequence[Message]) -> None: ...


class _BrokerWay:
    batch = _BROKER_BATCH

    def __init__(self, publisher: BatchPublisher) -> None:
        self._publisher = publisher

    @property
    def largest(self) -> int:
        return min(MAX_BYTES, self._publisher.largest or MAX_BYTES)

    def __call__(self, messages: Sequence[Message]) -> None:
        self._publisher.send(messages)


class _SpoolWay:
    batch, largest = _SPOOL_BATCH, MAX_BYTES

    def __init__(self, spool: Spool, intake: Intake, clock: Clock, stop: Signal | None, patience_s: float) -> None:
        self._spool, self._intake, self._clock = spool, intake, clock
        self._stop, self._patience_s = stop or Signal(), patience_s

    def __call__(self, messages: Sequence[Message]) -> None:
        entry, clock = self._intake.entry, self._clock
        entries: Sequence[Entry] = [entry(topic, payload, clock(), priority=DIRECT) for topic, payload in messages]
        deadline, told = time.monotonic() + self._patience_s, False
        while True:
            try:
                self._spool.append(entries)
                return
            except SpoolFull as full:
                entries = full.left or entries
                if time.monotonic() > deadline or self._stop.is_set():
                    raise
                if not told:
                    log.warning("%s; waiting for room", full)
                told = True
                self._stop.wait(0.5)


@contextmanager
def through_broker(settings: Settings) -> Iterator[Way]:
    """Publish with QoS 1 and wait for the acknowledgements; raises BrokerAway or BrokerRefused."""
    with BatchPublisher(settings.mqtt) as publisher:
        yield _BrokerWay(publisher)


@contextmanager
def at_the_spool(
    settings: Settings, catalogue: Catalogue, clock: Clock, stop: Signal | None = None, patience_s: float = 30
) -> Iterator[Way]:
    """Commit to the spool of this machine's collector, which may be running; raises a CollectorError.

    A full spool is waited for up to `patience_s`.
    """
    with closing(Spool(spool_folder(settings), settings.spool, lease=False)) as spool:
        yield into_spool(spool, settings, catalogue, clock, stop, patience_s)


def into_spool(
    spool: Spool, settings: Settings, catalogue: Catalogue, clock: Clock, stop: Signal | None = None,
    patience_s: float = 30,
) -> Way:  # fmt: skip
    """The same for a spool that is open."""
    intake = Intake(Roster(catalogue, settings.collector), PseudonymKeys(settings.state / "keys"))
    return _SpoolWay(spool, intake, clock, stop, patience_s)
