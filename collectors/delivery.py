"""From the spool to the store: while one batch is written, the next is judged and claimed.

Promises: a message is marked written only after its points are queryable and its days are touched; whatever step
is cut off is repeated without effect; the store's absence loses nothing and never stops receiving; a point that
the store refuses is set aside alone. One write never mixes pilots.
"""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from collectors import timing
from collectors.clock_rules import LocalDays, utc_day
from collectors.index import FORGOTTEN_AT_ONCE, KEEP_DAYS, Candidate, Claim, EventIndex, Verdict
from collectors.ingest import Ingest, Judged
from collectors.ledger import DEAD, DROPPED, DUPLICATE, WRITTEN
from collectors.message import CollectorError, Fault, RawMessage, SpoolFull
from collectors.spool import NOTHING, Span, Spool
from collectors.spool_day import LIVE, REPLAY, Fate, Record
from collectors.spool_file import Corrupt
from collectors.suspects import Suspects
from collectors.topics import Roster
from pipeline.model import Event, Touch
from pipeline.store.port import PENDING_DELETION, Store, StoreAway, StoreHeld, StoreRefused

log = logging.getLogger(__name__)
Clock = Callable[[], int]
_LEAST_WAIT_S = 0.05  # whoever says "try again after 0 s" is not asked in a tight loop
_MINUTE_NS = 60_000_000_000
_MOST_POISON = 3  # so many of one batch may fail alone; more is no message's fault
_KNOWN = (CollectorError, Corrupt, StoreAway, StoreRefused)  # no message's fault
_DELETION_NS = 60_000_000_000  # a shard that is being deleted is gone by then
_POISON = Fault("decode", "poison", "the process ended three times while it judged this message; mend its decoder")
_DAMAGED = Fault("decode", "damaged", "the record on disk is not what was received; check the disk under the spool")
_REFUSALS = {
    Verdict.REUSED: Fault("identity", "id_reused", "another event has this id; a correction needs a higher revision"),
    Verdict.CROWDED: Fault("write", "time_collision", "no free nanosecond is left for this event"),
}


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Hooks:
    """Where a test may cut the way of a message; in service nothing happens here."""

    before_commit: Callable[[], None] = _nothing
    after_commit: Callable[[], None] = _nothing
    after_ack: Callable[[], None] = _nothing
    after_claim: Callable[[], None] = _nothing
    after_write: Callable[[], None] = _nothing
    after_touch: Callable[[], None] = _nothing
    after_mark: Callable[[], None] = _nothing


@dataclass
class _Work:
    """One message under way: what it holds and what became of each part."""

    record: Record
    judged: Judged
    claims: list[Claim] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    put_off: bool = False


@dataclass
class _Batch:
    """Messages that were judged and claimed together, to be written and marked together."""

    span: Span
    works: list[_Work]
    written: Future[bool] | None = None

    @property
    def places(self) -> Set[tuple[str, int]]:
        return {(self.span.day, work.record.seq) for work in self.works}


class Delivery:
    """Delivers until `stop` is set. `state` says in one word how the store is: ok, away or held."""

    def __init__(
        self,
        spool: Spool,
        index: EventIndex,
        ingest: Ingest,
        roster: Roster,
        store: Store,
        clock: Clock,
        hooks: Hooks,
        write_batch: int,
    ) -> None:
        self._spool, self._index, self._ingest, self._roster = spool, index, ingest, roster
        self._store, self._clock, self._hooks, self._write_batch = store, clock, hooks, write_batch
        self._suspects = Suspects(spool.folder)
        spool.missing(index.days())
        self._days: dict[str, LocalDays] = {}
        self._put_off: dict[tuple[str, int], int] = {}  # (day, seq) of what waits for a shard, and until when
        self._tried_again: set[tuple[str, int]] = set()
        self._refused: Counter[str] = Counter()  # by pilot, in its last batch
        self._touch_seq = 0
        self._old_ids = False  # whether more of them may be left
        self.state = "ok"
        self.sentence = ""
        self.written = 0
        self.beat_ns = self._kept_house_ns = clock()

    def run(self, stop: threading.Event, wake: threading.Event) -> None:
        """Deliver what is pending, then wait for more."""
        with ThreadPoolExecutor(1, "write") as writer:
            while not stop.is_set():
                self.beat_ns = self._clock()
                try:
                    if self._flow(stop, writer):
                        continue
                except SpoolFull as full:  # what was written is marked later; writing it again has no effect
                    log.error("%s", full)
                    stop.wait(1)
                except BaseException:
                    stop.set()  # else the writer would go on trying
                    raise
                wake.wait(0.2)
                wake.clear()

    def _flow(self, stop: threading.Event, writer: ThreadPoolExecutor) -> bool:
        """Deliver all that is pending, each batch prepared while the one before is written; False when nothing was."""
        under_way: _Batch | None = None
        try:
            while not stop.is_set():
                self.beat_ns = self._clock()
                try:
                    self._housekeeping()
                    ahead = self._prepare(under_way)
                except SpoolFull:
                    self._settle(under_way)
                    raise
                self._settle(under_way)
                if ahead is None:
                    return under_way is not None
                ahead.written = writer.submit(self._write, ahead.span.day, ahead.works, stop)
                under_way = ahead
            self._settle(under_way)
            return True
        except _KNOWN:
            raise
        except Exception as error:
            log.error("a batch failed (%s); it is delivered alone", type(error).__name__)
            if under_way is not None and under_way.written is not None:
                wait([under_way.written])
            return self.step(stop)

    def _settle(self, batch: "_Batch | None") -> None:
        """Wait until a batch is written, and mark it; it stays pending where writing was stopped."""
        if batch is not None and batch.written is not None and batch.written.result():
            self._mark(batch)

    def step(self, stop: threading.Event) -> bool:
        """Deliver one batch, one thing after the other; False when nothing was pending."""
        found = self._pending(NOTHING)
        if found is None:
            return False
        day, records = found
        try:
            self._deliver(day, records, stop)
            return True
        except _KNOWN:
            raise
        except Exception as error:  # one message must not stop the others: find it
            log.error("a batch of %d messages failed (%s); each is tried alone", len(records), type(error).__name__)
            return self._one_by_one(day, records, stop, error)

    def _one_by_one(self, day: str, records: Sequence[Record], stop: threading.Event, first: Exception) -> bool:
        """Deliver each alone and set aside those that fail alone; where many do, it is our mistake: raise."""
        failed: list[Fate] = []
        for record in records:
            try:
                if not self._deliver(day, [record], stop):
                    return True
            except _KNOWN:
                raise
            except Exception as error:
                fault = Fault("write", "poison", f"this message alone cannot be delivered: {type(error).__name__}")
                failed.append(Fate(record, DEAD, faults=(fault,)))
                if len(failed) > _MOST_POISON:
                    raise first from error
        self._spool.mark(day, failed, self._clock())
        return True

    def _deliver(self, day: str, records: Sequence[Record], stop: threading.Event) -> bool:
        """Judge, claim, write, touch and mark; False when stopped before the mark."""
        batch = self._claimed(day, records, frozenset())
        if not self._write(day, batch.works, stop):
            return False
        self._mark(batch)
        return True

    def _prepare(self, under_way: "_Batch | None") -> "_Batch | None":
        """Judge and claim the next messages, passing over those that are being written."""
        found = self._pending(NOTHING if under_way is None else under_way.span)
        return None if found is None else self._claimed(*found, frozenset() if under_way is None else under_way.places)

    def _pending(self, under_way: Span) -> tuple[str, list[Record]] | None:
        found = self._spool.pending(self._write_batch, self._waiting(), under_way)
        while self._spool.reduced:
            lost, counted = self._spool.reduced.popitem()
            gone = self._index.release(lost, self._spool.day(lost).seqs() if lost in self._spool.days() else ())
            self._spool.forgotten(gone, counted)
        return found

    def _claimed(self, day: str, records: Sequence[Record], under_way: Set[tuple[str, int]]) -> "_Batch":
        works = self._judge(day, records)
        self._claim(day, works, under_way)
        self._hooks.after_claim()
        return _Batch(Span(day, records[0].seq, records[-1].seq), works)

    def _judge(self, day: str, records: Sequence[Record]) -> list[_Work]:
        works = []
        for record in records:
            if self._suspects.condemned(day, record.seq):
                works.append(_Work(record, Judged([], fault=_POISON)))
                continue
            if not record.sound:
                works.append(_Work(record, Judged([], fault=_DAMAGED)))
                continue
            self._suspects.judging(day, record.seq)
            works.append(_Work(record, self._ingest.judge(_message(record))))
        self._suspects.clear()
        return works

    def _mark(self, batch: "_Batch") -> None:
        day = batch.span.day
        done = [(work, fate) for work in batch.works if (fate := _fate(work)) is not None]
        fates = [fate for _, fate in done]
        now_ns = self._clock()
        erased = {work.record.seq for work, _ in done if work.judged.erased}
        self._spool.mark(day, fates, now_ns, timing.measured(_live_and_written(done), now_ns), erased)
        self._suspects.forget(day, [fate.record.seq for fate in fates if fate.state == DEAD])
        self.written += sum(1 for fate in fates if fate.state == WRITTEN)
        self._hooks.after_mark()

    @property
    def judging_s(self) -> float:
        """Seconds for which one message is being judged."""
        return self._suspects.busy_s

    def close(self) -> None:
        self._suspects.close()

    def _housekeeping(self) -> None:
        """At most once a minute, and while messages flow too: old days and old ids go, requeued messages are found.

        Ids go a bounded number at a time, so that nobody waits long, until none is left.
        """
        now_ns = self._clock()
        due = abs(now_ns - self._kept_house_ns) >= _MINUTE_NS
        if due:
            self._kept_house_ns = now_ns
            self._spool.look_again()
            self._spool.unlink_old(now_ns)
            with suppress(StoreAway, StoreRefused):  # somebody may have changed it
                if (kept_ns := self._store.retention_ns()) is not None:
                    self._ingest.window = replace(self._ingest.window, retention_ns=kept_ns)
        if due or self._old_ids:
            gone = self._index.forget_before(utc_day(now_ns - KEEP_DAYS * 1440 * _MINUTE_NS))
            self._old_ids = gone >= FORGOTTEN_AT_ONCE

    def _claim(self, day: str, works: Sequence[_Work], under_way: Set[tuple[str, int]]) -> None:
        asked = [
            (
                work,
                Candidate(
                    event,
                    day,
                    work.record.seq,
                    self._roster.place(work.record.topic).zone,
                    work.record.priority == REPLAY,
                ),
            )
            for work in works
            for event in work.judged.events
        ]
        claims = self._index.claim([candidate for _, candidate in asked], under_way)
        for (work, _), claim in zip(asked, claims, strict=True):
            work.claims.append(claim)

    def _waiting(self) -> Collection[tuple[str, int]]:
        """What still waits for a shard; the rest of it is tried once more."""
        if self._put_off:
            now_ns = time.monotonic_ns()
            due = [place for place, until_ns in list(self._put_off.items()) if until_ns <= now_ns]  # the writer adds
            for place in due:
                del self._put_off[place]
            self._tried_again.update(due)
        return self._put_off

    def _take(self, day: str, work: _Work, faults: list[Fault]) -> None:
        """Faults of a message's points; those that may pass put the message off, once."""
        place = (day, work.record.seq)
        if any(fault.code == PENDING_DELETION for fault in faults) and place not in self._tried_again:
            self._put_off[place] = time.monotonic_ns() + _DELETION_NS
            work.put_off = True
            return
        self._tried_again.discard(place)
        work.faults += faults

    def _write(self, day: str, works: Sequence[_Work], stop: threading.Event) -> bool:
        """Write, then touch; False when stopped before all of it was done."""
        pilots: dict[str, list[_Work]] = {}
        for work in works:
            if _waits(work):
                continue
            if any(claim.verdict in (Verdict.NEW, Verdict.REVISION) for claim in work.claims):
                pilots.setdefault(work.record.pilot, []).append(work)
        touches: list[Touch] = []
        # Where points were refused, finding the bad ones takes many requests: that pilot's turn is last.
        for pilot, group in sorted(pilots.items(), key=lambda item: self._refused[item[0]]):
            events = [c.event for w in group for c in w.claims if c.verdict in (Verdict.NEW, Verdict.REVISION)]
            old = [(s, t) for w in group for c in w.claims for s, t in c.superseded]
            refused = self._patiently(stop, partial(self._put, pilot, events, old))
            if refused is None:
                return False
            self._refused[pilot] = len(refused)
            for work in group:
                self._take(day, work, [refused[id_] for c in work.claims if (id_ := c.event.event_id) in refused])
            touches += self._touches(pilot, events, old)
        self._hooks.after_write()
        if touches and self._patiently(stop, partial(self._touch, touches)) is None:
            return False
        self._hooks.after_touch()
        return True

    def _put(self, pilot: str, events: list[Event], old: list[tuple[str, int]]) -> dict[str, Fault]:
        mine = {event.event_id for event in events} if old else set()
        for stream, time_ns in old:  # a place that was left long ago may be another event's by now
            there = self._store.read(pilot, [stream], time_ns, time_ns + 1)
            self._store.delete([event for event in there if event.event_id in mine])
        return {r.event_id: Fault("write", r.code, r.reason[:512], r.event_id) for r in self._store.write(events)}

    def _touch(self, touches: list[Touch]) -> dict[str, Fault]:
        self._store.touch(touches)
        return {}

    def _touches(self, pilot: str, events: Sequence[Event], old: Sequence[tuple[str, int]]) -> list[Touch]:
        days = self._days.get(pilot)
        if days is None:
            found = self._roster.pilot(pilot)
            assert found is not None  # events are made for known pilots only
            days = self._days[pilot] = LocalDays(found.zone)
        touched = {days.of(event.time_ns) for event in events} | {days.of(time_ns) for _, time_ns in old}
        self._touch_seq = max(self._clock(), self._touch_seq + 1)
        return [Touch(pilot=pilot, day=day, seq=self._touch_seq) for day in sorted(touched)]

    def _patiently(self, stop: threading.Event, act: Callable[[], dict[str, Fault]]) -> dict[str, Fault] | None:
        """Try until it succeeds, with full jitter; None when stopped meanwhile."""
        attempt = 0
        while True:
            try:
                answer = act()
                if attempt:
                    log.warning("the store is back")
                self.state, self.sentence = "ok", ""
                return answer
            except StoreAway as error:
                held = isinstance(error, StoreHeld)
                self.state, self.sentence = ("held" if held else "away"), str(error)
                wait = 60.0 if held else random.uniform(0, min(60.0, 0.5 * 2 ** min(attempt, 10)))
                if error.retry_after_s is not None:
                    wait = min(600.0, max(_LEAST_WAIT_S, error.retry_after_s))
                if attempt == 0 or held:
                    log.warning("the store is %s: %s; messages stay in the spool", self.state, error)
                attempt += 1
            self.beat_ns = self._clock()
            if stop.wait(wait):
                return None


def _message(record: Record) -> RawMessage:
    return RawMessage(
        topic=record.topic,
        payload=record.payload,
        received_ns=record.received_ns,
        content_type=record.content_type,
        retained=bool(record.retained),
    )


def _live_and_written(done: Iterable[tuple[_Work, Fate]]) -> Iterator[tuple[str, str, int, Event]]:
    """What tells how soon messages are stored: not those that waited behind others or came again."""
    for work, fate in done:
        record = work.record
        if fate.state == WRITTEN and record.priority == LIVE and not record.attempts:
            yield record.pilot, record.feed, record.received_ns, work.claims[0].event


def _waits(work: _Work) -> bool:
    return any(claim.verdict is Verdict.LATER for claim in work.claims)


def _fate(work: _Work) -> Fate | None:
    """What became of a message; None leaves it pending."""
    judged = work.judged
    if work.put_off:
        return None
    if len(work.claims) == 1 and work.claims[0].verdict is Verdict.NEW and not work.faults and not judged.faults:
        event = work.claims[0].event
        return Fate(
            work.record,
            WRITTEN,
            "",
            event.event_id,
            event.time_ns,
            event.actor_key,
            1,
            0,
            work.record.replaced,
            judged.empty,
        )
    if _waits(work):
        return None
    if judged.fault is not None:
        return Fate(work.record, DEAD, faults=(judged.fault,))
    if judged.dropped:
        return Fate(work.record, DROPPED, judged.dropped, empty=judged.empty)
    faults = [*judged.faults, *work.faults] + [
        Fault(f.stage, f.code, f.text, claim.event.event_id)
        for claim in work.claims
        if (f := _REFUSALS.get(claim.verdict)) is not None
    ]
    points = len(judged.faults) + sum(1 for claim in work.claims if claim.verdict is not Verdict.DUPLICATE)
    if not points:
        return Fate(work.record, DUPLICATE)
    first = work.claims[0].event if work.claims else None
    state = DEAD if faults else WRITTEN
    replaced = sum(1 for claim in work.claims if claim.verdict is Verdict.REVISION)
    if work.record.priority == REPLAY:  # what it replaced then may be told by a later correction by now
        replaced = work.record.replaced
    return Fate(
        work.record,
        state,
        "",
        first.event_id if first else None,
        first.time_ns if first else None,
        first.actor_key if first else None,
        points,
        len(faults),
        replaced,
        judged.empty,
        tuple(faults),
    )
