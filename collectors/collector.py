"""One collector: a session, a spool, one that receives, one that delivers and one that watches them.

Promises: it starts or says in one sentence why not; while it runs every message is in the broker, in the spool or in
the store; it stops within 10 s with nothing lost; what ends it by itself is in `failure`.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from collectors import dead_letters, ledger
from collectors.committer import Committer
from collectors.control import Control
from collectors.delivery import Hooks
from collectors.delivery_process import DeliveryProcess, DeliveryThread, Job, unexpected
from collectors.gap_report import session_lost
from collectors.health import Health, HealthServer
from collectors.intake import Intake
from collectors.ledger import Counts
from collectors.ledger_report import LedgerReport
from collectors.message import CollectorError
from collectors.pseudonym import PseudonymKeys
from collectors.receiver import MqttReceiver
from collectors.spool import Spool
from collectors.topics import Roster, removed
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.store.port import Store, StoreRefused

log = logging.getLogger(__name__)
Clock = Callable[[], int]
_LATE_S = 600  # an undelivered message older than that is told
_JUDGING_S = 30  # a decoder that takes so long for one message hangs


class Collector:
    """Wires the parts; `hooks` exist for tests that cut the way of a message.

    With a Store, a thread of this process delivers to it; with a function that opens one and can be sent to another
    process, a process of its own does.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        store: Store | Callable[[], Store],
        clock: Clock,
        hooks: Hooks | None = None,
        retention_ns: int | None = None,
    ) -> None:
        self._settings, self._clock = settings, clock
        hooks = hooks or Hooks()
        self.failure: Exception | None = None
        self._ended = threading.Event()
        self._stop_intake = threading.Event()
        roster = Roster(catalogue, settings.collector)
        intake = Intake(roster, PseudonymKeys(settings.state / "keys"))
        self.spool = Spool(spool_folder(settings), settings.spool, lease=True)
        try:
            self._filters = _Filters(self.spool.folder / "filters.json", clock)
            self.receiver = MqttReceiver(
                settings.mqtt,
                f"periscope-{settings.collector}",
                roster.filters(),
                removed(self._filters.read(), roster.filters()),
                clock,
                self._fail,
            )
            self.receiver.session_known = bool(self._filters.read())
            self.receiver.whole_until_ns = self._filters.written_ns()
            for day in self.spool.days():
                self.spool.day(day)  # before another process does: only who opens a damaged log first can see it
            job = Job(settings, self.spool.folder, catalogue, clock, retention_ns, dict(self.spool.reduced))
            self._delivery: DeliveryThread | DeliveryProcess
            if callable(store):
                self._delivery = DeliveryProcess(job, store, self._fail)
            else:
                self._delivery = DeliveryThread(job, self.spool, store, hooks, self._guarded, self._fail)
            self._committer = Committer(self.receiver, self.spool, intake, hooks, self._delivery.wake)
            self._report = LedgerReport(settings.collector, roster, self.spool)
            self.control = Control(settings.mqtt, settings.collector, self.spool, roster)
            self._pilots, self._told_lost, self._suspected = list(catalogue.pilots), 0, -1
            self.health_server = HealthServer(settings.health_port, self.health) if settings.health_port else None
        except BaseException:
            self.spool.close()
            raise
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def start(self, patience_s: float = 5) -> None:
        """Start; raises BrokerRefused when the broker will not have us, and goes on trying when it is away."""
        self._delivery.start()
        self._delivery.wait_ready(patience_s)  # starting both at once would only make each slower
        self.receiver.start()
        self.control.start()
        for name, work in (
            ("commit", lambda: self._committer.run(self._stop_intake)),
            ("watch", self._watch),
        ):
            thread = threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline and not self.receiver.ready.wait(0.05):
            if self.failure is not None:
                self.stop()
                raise self.failure
            if self.receiver.connects == 0 and self.receiver.sentence != "not connected yet":
                return

    def run(self, stop: threading.Event) -> None:
        """Start, work until `stop` or a failure, stop; raises the failure."""
        self.start()
        try:
            while not stop.wait(0.2) and not self._ended.is_set():
                pass
        finally:
            self.stop()
        if self.failure is not None:
            raise self.failure

    def stop(self) -> None:
        """Commit and acknowledge what is in memory, leave the rest to the broker, close everything."""
        if self._stopped:
            return
        self._stopped = True
        self._stop_intake.set()
        self._join("commit", 4)
        self._ended.set()
        self._delivery.stop(4)
        self._join("watch", 1)
        self.control.stop()
        self.receiver.stop()
        if self.health_server is not None:
            self.health_server.close()
        for sentence in ledger.broken(ledger.total(self.spool.ledger().values())):
            log.error("the ledger does not add up: %s", sentence)
        self.spool.close()

    def wait_idle(self, timeout: float) -> bool:
        """True once nothing is waiting in memory or in the spool, and nothing came for a moment."""
        deadline, quiet_since, seen = time.monotonic() + timeout, 0.0, -1
        while time.monotonic() < deadline and self.failure is None:
            idle = self.receiver.queue.empty() and not self._committer.busy and not self.spool.has_pending()
            if not idle or seen != self.receiver.received:
                seen, quiet_since = self.receiver.received, time.monotonic()
            elif time.monotonic() - quiet_since > 0.5:
                return True
            self._ended.wait(0.05)
        return False

    def ledger(self) -> Counts:
        """Fates by (pilot, feed, fate), over all days."""
        return ledger.total(self.spool.ledger().values())

    def health(self) -> Health:
        receiver, now_ns = self.receiver, self._clock()
        counts = self.ledger()
        size, most = self.spool.size(), self._settings.spool.max_bytes
        delivery = self._delivery.status()
        threads = self._delivery.alive() and all(t.is_alive() for t in self._threads)
        alive = receiver.alive() and threads and self.failure is None
        self.spool.dead_room.look()
        dead_full = self.spool.dead_room.full or delivery.dead_full
        oldest = self.spool.oldest_pending_ns()
        age_s = 0.0 if oldest is None else max(0.0, (now_ns - oldest) / 1e9)
        late = f"the oldest message waits for {age_s / 60:.0f} min to be delivered" if age_s > _LATE_S else ""
        sentence = self._committer.full or receiver.sentence or delivery.sentence or late or dead_full
        return Health(
            alive=alive,
            ready=alive and receiver.ready.is_set() and not self._committer.full and size < 0.9 * most,
            degraded=delivery.state != "ok" or bool(late or dead_full or ledger.broken(counts)),
            sentence=sentence,
            gauges={
                "collector_mqtt_connected": float(receiver.ready.is_set()),
                "spool_bytes": size,
                "spool_max_bytes": most,
                "collector_mqtt_inflight": receiver.queue.qsize(),
                "spool_full": float(bool(self._committer.full)),
                "spool_records": sum(n for (_, _, fate), n in counts.items() if fate == "pending"),
                "spool_oldest_age_seconds": age_s,
                "store_away": float(delivery.state != "ok"),
                "deadletter_bytes": self.spool.dead_room.used,
                "deadletter_max_bytes": self.spool.dead_room.most,
                "deadletter_full": float(bool(dead_full)),
            },
            counters={
                "collector_mqtt_messages_received": receiver.received,
                "collector_mqtt_bytes": receiver.bytes,
                "collector_mqtt_reconnects": max(0, receiver.connects - 1),
                "collector_mqtt_acks": receiver.acks,
                "collector_mqtt_session_lost": receiver.session_lost,
                "collector_stale_acks": receiver.stale_acks,
                "spool_appended": self._committer.committed,
                "spool_fsync_seconds": self._committer.commit_s,
                "spool_corrupt_files": self.spool.corrupt_files + delivery.corrupt_files,
                "spool_corrupt_records": self.spool.lost_records + delivery.lost_records,
                **{f"control_requests_{outcome}": n for outcome, n in self.control.desk.counts.items()},
                "deadletter_bodies_dropped": self.spool.dead_room.dropped + delivery.bodies_dropped,
            },
            ledger=dict(counts),
            dead=dict(dead_letters.counted(self.spool)),
        )

    def _watch(self) -> None:
        """Look after the others: a dead network thread, the ledger as events, old days."""
        seconds = 0
        while not self._ended.wait(1):
            seconds += 1
            self._look_at_session()
            if self._delivery.status().judging_s > _JUDGING_S:
                self._delivery.give_up()
            if seconds % 10 == 0 and self.receiver.ready.is_set():
                for topic, payload in self._report.changed(self._clock()):
                    self.receiver.publish(topic, payload)
            if seconds % 60 == 0:
                self.spool.forget_gone()
                for sentence in ledger.broken(self.ledger()):
                    log.error("the ledger does not add up: %s", sentence)

    def _look_at_session(self) -> None:
        """Make a connection anew that does not work; note the session once it is there; tell when one was lost."""
        receiver = self.receiver
        idle = receiver.queue.empty() and not self._committer.busy
        forgotten, before = receiver.forgotten() if idle else 0, self._suspected
        self._suspected = receiver.received if forgotten else -1
        if forgotten and self._suspected == before:  # twice the same, as a message may just be on its way
            log.error("%d messages were not acknowledged for %.0f s", forgotten, receiver.forgotten_s)
            receiver.revive()
        elif not receiver.alive() or (receiver.unheard and receiver.queue.empty()):
            receiver.revive()
        elif receiver.ready.is_set():
            if receiver.session_lost > self._told_lost:
                self._told_lost = receiver.session_lost
                pilots, collector = self._pilots, self._settings.collector
                for topic, payload in session_lost(collector, pilots, receiver.whole_until_ns, self._clock()):
                    receiver.publish(topic, payload)
            self._filters.write(receiver.filters)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (CollectorError, StoreRefused) as error:
            self._fail(error)
        except Exception as error:  # a thread's outermost frame: an unknown mistake ends the collector, not silently
            log.exception("a thread of the collector ended")
            self._fail(unexpected(error))

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or error
        self._ended.set()
        self._stop_intake.set()
        self._delivery.ask_to_stop()

    def _join(self, name: str, timeout: float) -> None:
        for thread in self._threads:
            if thread.name == name and thread is not threading.current_thread():
                thread.join(timeout)


def spool_folder(settings: Settings) -> Path:
    """Where a collector's spool lives."""
    return settings.state / "spool" / settings.collector


class _Filters:
    """The topic filters that the session holds, so that only removed ones are unsubscribed; noted when granted."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock

    def read(self) -> list[str]:
        try:
            return [str(item) for item in json.loads(self._path.read_text())]
        except (OSError, ValueError):
            return []

    def written_ns(self) -> int:
        """When a session was last known to be there; 0 when never."""
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0

    def write(self, filters: Sequence[str]) -> None:
        """At most once a minute while nothing changes: the time of the file is part of what it says."""
        if self.read() != list(filters) or self._clock() - self.written_ns() > 60 * 10**9:
            self._path.write_text(json.dumps(list(filters)))
