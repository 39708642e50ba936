"""Delivering beside receiving: in a thread of the collector, or in a process of its own over the same spool.

Promises of DeliveryProcess: the process ends with us, however we end; asked to stop it finishes the batch under way and
is ended when that takes too long, as every step can be repeated; one that ends by itself is started again, with a
sentence, and a few such ends within a minute end the collector. What ends delivering for good is told to `on_failure`.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from collectors.clock_rules import Window
from collectors.delivery import Delivery, Hooks
from collectors.index import EventIndex
from collectors.ingest import Ingest
from collectors.message import CollectorError, SpoolFailed, SpoolFull
from collectors.spool import Spool
from collectors.tombstones import Tombstones
from collectors.topics import Roster
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.store.port import Store, StoreAway, StoreRefused

log = logging.getLogger(__name__)
Clock = Callable[[], int]
_WAKE, _STOP = b"w", b"s"
_REPORT_S = 0.2
_MOST_ENDS, _WITHIN_S = 3, 60.0
_LEASE_S = 10.0


class Status(NamedTuple):
    """How delivering is: ok, away or held, the sentence to it, the last sign of life, and what damage it met.

    Of a process of its own also what became of the room for dead letters' bodies there.
    """

    state: str = "ok"
    sentence: str = ""
    beat_ns: int = 0
    judging_s: float = 0.0
    corrupt_files: int = 0
    lost_records: int = 0
    dead_full: str = ""
    bodies_dropped: int = 0


class Job(NamedTuple):
    """All that delivering needs, in a form that can be sent to another process.

    `reduced` are days that lost records before delivering began (`Spool.reduced`).
    """

    settings: Settings
    folder: Path
    catalogue: Catalogue
    clock: Clock
    retention_ns: int | None
    reduced: dict[str, bool]


def deliver(
    job: Job, spool: Spool, store: Store, hooks: Hooks, stop: threading.Event, wake: threading.Event,
    show: Callable[[Delivery, EventIndex], None],
) -> None:  # fmt: skip
    """Deliver until `stop`; raises what trying again cannot mend. `show` is given the Delivery, to be looked at."""
    roster = Roster(job.catalogue, job.settings.collector)
    with spool.delivering(_LEASE_S), closing(EventIndex(spool.folder)) as index:
        spool.reduced.update(job.reduced)
        erased = Tombstones(job.settings.state)  # nobody is erased while a collector runs
        ingest = Ingest(roster, Window(job.retention_ns or _kept_ns(store)), is_erased=erased.covers)
        delivery = Delivery(spool, index, ingest, roster, store, job.clock, hooks, job.settings.spool.write_batch)
        show(delivery, index)
        with closing(delivery):
            delivery.run(stop, wake)


def _kept_ns(store: Store) -> int | None:
    """The store's retention, so that what it would refuse is set aside before the write; None while it is away."""
    try:
        return store.retention_ns()
    except (StoreAway, StoreRefused):
        return None


class DeliveryThread:
    """Delivers in this process, within `run`, which tells what ended it; what must end it is told to `on_failure`."""

    def __init__(
        self, job: Job, spool: Spool, store: Store, hooks: Hooks, run: Callable[[Callable[[], None]], None],
        on_failure: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        self._stop, self._wake, self._on_failure = threading.Event(), threading.Event(), on_failure
        self._delivery: Delivery | None = None
        self._index: EventIndex | None = None
        work = lambda: deliver(job, spool, store, hooks, self._stop, self._wake, self._show)  # noqa: E731
        self._thread = threading.Thread(target=run, args=(work,), name="deliver", daemon=True)

    def _show(self, delivery: Delivery, index: EventIndex) -> None:
        self._delivery, self._index = delivery, index

    def give_up(self) -> None:
        """A message is being judged without end: the collector has to end, as a thread cannot be ended."""
        self._on_failure(
            CollectorError(
                "one message is being judged without end; nothing is lost, start again: after three such ends it is "
                "set aside as poison"
            )
        )

    def start(self) -> None:
        self._thread.start()

    def wait_ready(self, patience_s: float) -> None:
        """A thread delivers at once."""

    def wake(self) -> None:
        """There is something to deliver."""
        self._wake.set()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def status(self) -> Status:
        now, index = self._delivery, self._index
        if now is None or index is None:
            return Status()
        return Status(now.state, now.sentence, now.beat_ns, now.judging_s, index.corrupt_files)

    def ask_to_stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def stop(self, patience_s: float) -> None:
        self.ask_to_stop()
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(patience_s)


class DeliveryProcess:
    """Delivers in a process of its own, watched by a thread of ours; `opener` opens the store there."""

    def __init__(self, job: Job, opener: Callable[[], Store], on_failure: Callable[[Exception], None]) -> None:
        self._job, self._opener, self._on_failure = job, opener, on_failure
        self._status = Status()
        self._heard = 0.0  # the time of the last report of this process; 0 before its first
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._ends: deque[float] = deque(maxlen=_MOST_ENDS)
        self._line: Connection | None = None
        self._process: Any = None
        self._thread = threading.Thread(target=self._watch, name="deliver", daemon=True)

    def start(self) -> None:
        self._begin()
        self._thread.start()

    def wait_ready(self, patience_s: float) -> None:
        """Return once the process delivers, has failed, or patience is over: it then goes on starting meanwhile."""
        deadline = time.monotonic() + patience_s
        while not self._heard and self._thread.is_alive() and time.monotonic() < deadline:
            self._stopping.wait(0.02)

    def wake(self) -> None:
        self._tell(_WAKE)

    def alive(self) -> bool:
        return self._thread.is_alive()

    def status(self) -> Status:
        """As last reported; a process that keeps silent is in the middle of judging something."""
        silent_s = time.monotonic() - self._heard if self._heard else 0.0
        return self._status._replace(judging_s=max(self._status.judging_s, silent_s))

    def give_up(self) -> None:
        """A message is being judged without end: end the process; after three such ends the message is set aside."""
        log.error("one message is being judged without end")
        with self._lock:
            if self._process is not None and not self._stopping.is_set():
                self._process.kill()

    def ask_to_stop(self) -> None:
        self._stopping.set()
        self._tell(_STOP)

    def stop(self, patience_s: float) -> None:
        self.ask_to_stop()
        if self._process is None:
            return
        self._process.join(patience_s)
        if self._process.is_alive():
            log.warning("the delivering process was ended in the middle of a batch; it will be repeated")
            self._process.kill()
            self._process.join()
        if self._thread is not threading.current_thread():
            self._thread.join(2)

    def _begin(self) -> None:
        """Start the process, unless we are stopping."""
        context = multiprocessing.get_context("spawn")  # a fork would copy our threads' locks
        with self._lock:
            if self._stopping.is_set():
                return
            self._line, theirs = context.Pipe()
            self._process = context.Process(target=_work, args=(theirs, self._job, self._opener), name="deliver")
            self._heard = 0.0
            self._process.start()
            theirs.close()

    def _tell(self, word: bytes) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._line is not None:
                self._line.send_bytes(word)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            problem = self._listen()
            self._process.join()
            if problem is None and not self._stopping.is_set():
                problem = self._begin_again()
            if problem is not None:
                self._on_failure(problem)
                return

    def _listen(self) -> Exception | None:
        """Take in reports until the process has gone; returns what it ended with, if it could say so."""
        assert self._line is not None
        try:
            while True:
                report = self._line.recv()
                if isinstance(report, Exception):
                    return report
                self._status, self._heard = report, time.monotonic()
        except (EOFError, OSError):
            return None
        finally:
            with self._lock:
                self._line.close()
                self._line = None

    def _begin_again(self) -> Exception | None:
        """Start the process anew after it ended by itself; returns what to tell when that happens too often."""
        code = self._process.exitcode or 0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        now = time.monotonic()
        if len(self._ends) == _MOST_ENDS and now - self._ends[0] < _WITHIN_S:
            return SpoolFailed(
                f"the delivering process {how}, again and again; nothing that was acknowledged is lost: see its "
                "last words above, then start the collector again"
            )
        self._ends.append(now)
        log.error("the delivering process %s; it is started again, nothing is lost", how)
        self._begin()
        return None


def _work(line: Connection, job: Job, opener: Callable[[], Store]) -> None:
    """The delivering process: its end is the collector's to decide, so signals to the group are not heard here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stop, wake, ended = threading.Event(), threading.Event(), threading.Event()
    sending = threading.Lock()
    threading.Thread(target=_obey, args=(line, stop, wake), name="obey", daemon=True).start()
    try:
        with closing(opener()) as store, closing(Spool(job.folder, job.settings.spool, lease=False)) as spool:

            def show(delivery: Delivery, index: EventIndex) -> None:
                def now() -> Status:
                    damaged = spool.corrupt_files + index.corrupt_files
                    return Status(
                        delivery.state, delivery.sentence, delivery.beat_ns, delivery.judging_s, damaged,
                        spool.lost_records, spool.dead_room.full, spool.dead_room.dropped,
                    )  # fmt: skip

                threading.Thread(target=_report, args=(line, sending, now, ended), name="report", daemon=True).start()

            while not stop.is_set():
                try:
                    deliver(job, spool, store, Hooks(), stop, wake, show)
                    break
                except SpoolFull as full:  # not even the index can be opened: receiving waits as well
                    log.error("%s", full)
                    stop.wait(1)
    except (CollectorError, StoreAway, StoreRefused) as error:
        _say(line, sending, error)
    except Exception as error:  # the outermost frame: an unknown mistake ends the collector, not silently
        log.exception("the delivering process ended")
        _say(line, sending, unexpected(error))
    finally:
        ended.set()


def _obey(line: Connection, stop: threading.Event, wake: threading.Event) -> None:
    try:
        while True:
            if line.recv_bytes() == _STOP:
                stop.set()
            wake.set()
    except (EOFError, OSError):
        os._exit(1)  # the collector has gone; whatever is under way is repeated by the next one


def _report(line: Connection, sending: threading.Lock, now: Callable[[], Status], ended: threading.Event) -> None:
    while not ended.wait(_REPORT_S):
        _say(line, sending, now())


def _say(line: Connection, sending: threading.Lock, word: object) -> None:
    with sending, contextlib.suppress(OSError):
        line.send(word)


def unexpected(error: Exception) -> SpoolFailed:
    """An unknown mistake as a sentence."""
    return SpoolFailed(
        f"an unexpected error ended the collector ({type(error).__name__}: {error}); "
        "nothing that was acknowledged is lost, start it again"
    )
