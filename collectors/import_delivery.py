"""Straight into the spool, and on to the store: by the collector that runs, or by a process of our own where none does.

Promises: while we deliver no collector can start on the same spool; our process ends with us, however we end, and what
it was doing is repeated by the next one; leaving the block without an error returns when all is delivered, or raises
Undelivered when nothing moved for a while.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from collectors.collector import spool_folder
from collectors.delivery_process import DeliveryProcess, Job
from collectors.message import CollectorError, SpoolHeld
from collectors.spool import Spool
from collectors.ways_in import Clock, Way, at_the_spool, into_spool
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.store.port import Store

_POLL_S = 0.1
_STILL_S = 60.0
_BATCH = 5000  # nobody waits for the first of them, and larger writes cost less each


class Undelivered(CollectorError):
    """All is safe in the spool, but the store did not take it in time."""


@contextmanager
def straight_in(
    settings: Settings, catalogue: Catalogue, clock: Clock, opener: Callable[[], Store], stop: threading.Event,
    show: Callable[[str], None], patience_s: float = _STILL_S,
) -> Iterator[Way]:  # fmt: skip
    """A way into the spool; `opener` opens the store in another process. `show` is told what is left to deliver."""
    try:
        spool = Spool(spool_folder(settings), settings.spool, lease=True)
    except SpoolHeld:
        with at_the_spool(settings, catalogue, clock, stop) as way:
            yield way
        return
    failures: list[Exception] = []
    larger = settings.spool.model_copy(update={"write_batch": max(_BATCH, settings.spool.write_batch)})
    with closing(spool):
        for day in spool.days():
            spool.day(day)  # before another process does: only who opens a damaged log first can see it
        own = settings.model_copy(update={"spool": larger})
        job = Job(own, spool.folder, catalogue, clock, None, dict(spool.reduced))
        delivery = DeliveryProcess(job, opener, failures.append)
        _start(delivery)
        try:
            yield into_spool(spool, settings, catalogue, clock, stop)
            _until_delivered(spool, failures, stop, show, patience_s)
        finally:
            delivery.stop(5)


def _start(delivery: DeliveryProcess) -> None:
    """The process ignores signals to our group once it runs; this keeps them from it until then."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        delivery.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _until_delivered(
    spool: Spool, failures: list[Exception], stop: threading.Event, show: Callable[[str], None], patience_s: float
) -> None:
    left, moved = -1, time.monotonic()
    while spool.has_pending():
        if failures:
            raise CollectorError(str(failures[0]))
        now = spool.totals()["pending"]
        if now != left:
            left, moved = now, time.monotonic()
        show(f"delivering: {left:,} messages left")
        if stop.wait(_POLL_S):
            raise Undelivered(f"{left:,} messages wait in {spool.folder}; periscope collect delivers them too")
        if time.monotonic() - moved > patience_s:
            raise Undelivered(
                f"{left:,} messages wait in {spool.folder} and none was delivered for {patience_s:.0f} s; look "
                "whether the store answers; periscope collect delivers them too"
            )
