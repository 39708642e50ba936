"""Straight into the spool, and on to the store: by the collector that runs, or by a process of our own where none does.

Promises: while we deliver no collector can start on the same spool; our process ends with us, however we end, and what
it was doing is repeated by the next one; leaving the block without an error returns when all is delivered, or raises
Undelivered when nothing moved for a while.
"""

import contextlib
import fcntl
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from collectors.clock_rules import Window
from collectors.collector import spool_folder
from collectors.delivery import Delivery, Hooks
from collectors.index import EventIndex
from collectors.ingest import Ingest
from collectors.message import CollectorError, SpoolHeld
from collectors.spool import Spool
from collectors.topics import Roster
from collectors.ways_in import Clock, Way, at_the_spool, into_spool
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.store.port import Store, StoreAway, StoreRefused

log = logging.getLogger(__name__)
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
    with closing(spool), _Deliverer(settings, catalogue, clock, opener) as deliverer:
        yield into_spool(spool, settings, catalogue, clock, stop)
        _until_delivered(spool, deliverer, stop, show, patience_s)


def _until_delivered(
    spool: Spool, deliverer: "_Deliverer", stop: threading.Event, show: Callable[[str], None], patience_s: float
) -> None:
    left, moved = -1, time.monotonic()
    while spool.has_pending():
        deliverer.check()
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


class _Deliverer:
    """The process that delivers, from start to stop."""

    def __init__(self, settings: Settings, catalogue: Catalogue, clock: Clock, opener: Callable[[], Store]) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, settings, catalogue, clock, opener), name="deliver")
        # It hears signals to our group only when it is told; here also before it can say so itself.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def check(self) -> None:
        """Raise what ended it."""
        if self._process.is_alive() and not self._line.poll():
            return
        said: Any = None
        with contextlib.suppress(EOFError, OSError):
            said = self._line.recv()
        raise CollectorError(str(said or f"the delivering process ended with code {self._process.exitcode}"))

    def __enter__(self) -> "_Deliverer":
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()  # its sign to stop
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(
    line: Connection, settings: Settings, catalogue: Catalogue, clock: Clock, opener: Callable[[], Store]
) -> None:
    """The delivering process."""
    stop, wake = threading.Event(), threading.Event()
    threading.Thread(target=_obey, args=(line, stop, wake), daemon=True).start()
    roster = Roster(catalogue, settings.collector)
    try:
        with (
            closing(opener()) as store,
            closing(Spool(spool_folder(settings), settings.spool, lease=False)) as spool,
            _alone(spool.folder),
            closing(EventIndex(spool.folder)) as index,
        ):
            ingest = Ingest(roster, Window(None))
            Delivery(
                spool, index, ingest, roster, store, clock, Hooks(), max(_BATCH, settings.spool.write_batch)
            ).run(stop, wake)  # fmt: skip
    except (CollectorError, StoreAway, StoreRefused) as error:
        with contextlib.suppress(OSError):
            line.send(str(error))


@contextmanager
def _alone(folder: Path, patience_s: float = 10) -> Iterator[None]:
    """Be the only one that delivers; the process of an import that was killed needs a moment to end."""
    with (folder / "delivering").open("a") as held:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SpoolHeld(f"{folder}: another process still delivers from this spool; stop it") from None
                time.sleep(0.05)
        yield


def _obey(line: Connection, stop: threading.Event, wake: threading.Event) -> None:
    """The other end closes when the import is over, or was killed."""
    with contextlib.suppress(EOFError, OSError):
        line.recv()
    stop.set()
    wake.set()
    threading.main_thread().join(4)
    os._exit(0)  # whatever is under way is repeated by the next one
