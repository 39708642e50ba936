"""The shell: touched days are read, summarised, computed and written; then alerts, then the clock goes on.

Promises: a touch is marked done only after every period whose window holds its day was written, so a kill at
any point repeats work and loses none; each step is bounded, newest days first, so that today stays live while
history loads; what is written equals a computation from scratch at the same time.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from config.catalogue import Catalogue, Pilot
from config.settings import Pipeline as Settings
from pipeline import rows
from pipeline.alerts.evaluate import evaluate_drop_off, evaluate_silence, evaluation_failed, evaluation_succeeded
from pipeline.alerts.states import StateSeries
from pipeline.boards import Boards
from pipeline.day_index import DayIndex
from pipeline.delivery.post import Post
from pipeline.freeze import cause
from pipeline.frozen import Frozen
from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.indicators.evaluate import evaluate
from pipeline.model import NS_PER_S, STREAMS, Event, Record, Touch
from pipeline.operations import Operations, this_process
from pipeline.partials import VERSION, Partial, summarise
from pipeline.periods import Period, date_ns, day_bounds, day_of, ordinal, shift
from pipeline.publishing import Publisher, as_record
from pipeline.pulse import pulse_record, read_pulse
from pipeline.state_file import OperationsRefused
from pipeline.store.limits import MAX_BODY_BYTES
from pipeline.store.port import Store, StoreAway
from pipeline.values import PeriodValues
from pipeline.work import Work, moved_by_clock, outside

Clock = Callable[[], int]
_log = logging.getLogger(__name__)
LEASE: Final = "pipeline"
DAYS_A_STEP: Final = 60
PERIODS_A_STEP: Final = 150
DAYS_A_READ: Final = 10
PASS_EVERY_NS: Final = 10 * NS_PER_S  # while past days keep coming, later periods are computed at most this often
PASS_SHARE: Final = 4  # ... and for at most about a quarter of the time
WHOLE_SHARE: Final = 20  # the whole series, which grows with the years, is computed for about a twentieth of the time
FEW_DAYS: Final = 3  # so few changed days of a pilot are answered before the pass over all later periods
AS_OF_NS: Final = 900 * NS_PER_S  # what is over is judged at quarters of an hour
AGAIN_NS: Final = 60 * NS_PER_S
PULSE_EVERY_NS: Final = 10 * NS_PER_S
ROOM_FOR_REVISIONS: Final = 100_000  # bytes by which numbers of revisions may lengthen a document
_EVER: Final = (-(1 << 62), 1 << 62)


class _Seq(msgspec.Struct):
    seq: int


class Pipeline:
    """The one pipeline on a store and its operational database; a second is refused (OperationsRefused)."""

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        operations: Operations,
        settings: Settings,
        clock: Clock,
        post: Post,
        holder: str | None = None,
    ) -> None:
        self._store, self._catalogue, self._operations = store, catalogue, operations
        self._settings, self._clock, self._post = settings, clock, post
        self._holder = holder or this_process()
        operations.lease(LEASE, self._holder, clock())
        self._pulse = read_pulse(store)
        basis = _basis(catalogue)
        self._known_basis = self._pulse.basis == basis
        self._pulse = msgspec.structs.replace(self._pulse, basis=basis)
        self._as_of_ns = self._pulse.as_of_ns
        self._histories = {slug: History(pilot, rows.Shelf(store, slug)) for slug, pilot in catalogue.pilots.items()}
        self._boards, self._states = Boards(store, self._histories), StateSeries(store)
        k = catalogue.common.disclosure_k
        self._frozen = frozen = Frozen(operations)
        self._publishers = {slug: Publisher(store, frozen, one, k) for slug, one in self._histories.items()}
        self._work = {slug: Work() for slug in catalogue.pilots}
        self._done: dict[tuple[str, str], int] = {}
        self._summarised: dict[tuple[str, str], int] = {}
        self._exact_ns: dict[str, int] = {}
        self._to_judge: set[str] = set(catalogue.pilots)
        self._again_ns: dict[str, int] = {}  # when pilots are judged again whose evaluation failed
        self._pass_ns = 0
        self._today: dict[str, str] = {}
        self._indexes: dict[str, DayIndex] = {}
        self._whole_ns: dict[str, int] = {}
        self.whole_cost_ns: dict[str, int] = {}  # what computing the whole series took last
        self._load()

    def _load(self) -> None:
        for slug, history in self._histories.items():
            bodies = {}
            for record in self._store.get("partial", slug, *_EVER, key="day"):
                partial = msgspec.json.decode(record.body, type=Partial)
                bodies[partial.day] = record.body
                if partial.version == VERSION:
                    history.put(partial)
            self._indexes[slug] = DayIndex(slug, bodies.items())
            self._store.put(self._indexes[slug].missing(self._store))
        if self._known_basis:
            for record in self._store.get("done", None, *_EVER, key="day"):
                day = shift("1970-01-01", record.time_ns // (86_400 * NS_PER_S))
                self._done[record.pilot, day] = msgspec.json.decode(record.body, type=_Seq).seq
        else:
            # Before the pulse names the new basis: after a kill in between, no day may pass for processed.
            known = self._store.get("done", None, *_EVER, key="day")
            self._store.put([msgspec.structs.replace(one, body=msgspec.json.encode(_Seq(-1))) for one in known])
            for slug, work in self._work.items():
                work.everything()
                self._publishers[slug].rebuilt = True
        for slug in self._histories:
            self._boards.remember(slug)

    def run(self, stop: threading.Event, once: bool) -> None:
        """Step until told to stop, or with `once` until no work is left; a store that is away is waited for."""
        if not once:
            self._post.start()
        pause_s = self._settings.interval_s
        try:
            while not stop.is_set():
                try:
                    worked = self.step(hurry=once)
                    pause_s = self._settings.interval_s
                except StoreAway as error:
                    if once:
                        raise
                    pause_s = error.retry_after_s or min(60.0, 2 * pause_s)
                    _log.warning("The store is away (%s); trying again in %.0f s", error, pause_s)
                    stop.wait(pause_s)
                    continue
                if once and not worked:
                    self._post.flush()
                    return
                if not once and not self.behind:
                    stop.wait(pause_s)
        finally:
            self._operations.release_lease(LEASE, self._holder)
            self._post.stop()

    @property
    def behind(self) -> bool:
        """True while work is left that needs no new event."""
        return any(work.ready for work in self._work.values()) or self._more_days

    _more_days = False

    def step(self, hurry: bool = False) -> bool:
        """Do one bounded portion of work; False where there was none. `hurry` does not put off today."""
        now_ns = self._clock()
        self._operations.lease(LEASE, self._holder, now_ns)
        self._today = {slug: day_of(now_ns, pilot.zone) for slug, pilot in self._catalogue.pilots.items()}
        touches = [touch for touch in self._store.touches() if touch.pilot in self._histories]
        pending = [touch for touch in touches if self._done.get((touch.pilot, touch.day)) != touch.seq]
        boarded = self._boards.refresh(touches, self._today, now_ns)
        summarised = self._summarise(pending, now_ns, hurry)
        computed = self._compute(pending, now_ns, hurry)
        judged = self._judge(pending, now_ns)
        self._post.evaluated_ns = now_ns
        wrote = bool(boarded or summarised or computed or judged)
        self._beat(now_ns, wrote, summarised)
        return bool(summarised or computed)

    # Days

    def _summarise(self, pending: Sequence[Touch], now_ns: int, hurry: bool) -> set[str]:
        """Partials of touched days, newest first; the pilots that got any."""
        ready = [
            touch
            for touch in pending
            if self._summarised.get((touch.pilot, touch.day)) != touch.seq and (hurry or self._due(touch, now_ns))
        ]
        ready.sort(key=lambda touch: (touch.day, touch.pilot), reverse=True)
        self._more_days = len(ready) > DAYS_A_STEP
        by_pilot: dict[str, list[Touch]] = {}
        for touch in ready[:DAYS_A_STEP]:
            by_pilot.setdefault(touch.pilot, []).append(touch)
        for pilot, touches in by_pilot.items():
            for run in _runs(touches):
                self._summarise_run(pilot, run, now_ns, few=len(touches) <= FEW_DAYS)
        return set(by_pilot)

    def _due(self, touch: Touch, now_ns: int) -> bool:
        """Today is summarised at most every `today_s`; any other day at once."""
        if touch.day != self._today[touch.pilot]:
            return True
        return now_ns - self._exact_ns.get(touch.pilot, _EVER[0]) >= self._settings.today_s * NS_PER_S

    def _summarise_run(self, slug: str, touches: Sequence[Touch], now_ns: int, few: bool) -> None:
        pilot, history = self._catalogue.pilots[slug], self._histories[slug]
        bounds = [day_bounds(touch.day, pilot.zone) for touch in touches]
        events = self._store.read(slug, STREAMS, bounds[0][0], bounds[-1][1])
        self._boards.hear(events)
        records, place = [], 0
        partials: list[tuple[Touch, Partial, bytes]] = []
        erased = self._frozen.no_longer_announced(slug)
        for touch, (_, end) in zip(touches, bounds, strict=True):
            begin = place
            while place < len(events) and events[place].time_ns < end:
                place += 1
            partial, details = self._day(pilot, touch.day, events[begin:place], erased.get(touch.day, {}))
            body = msgspec.json.encode(partial)
            if len(body) > MAX_BODY_BYTES:  # one city's flood must not stop the others
                _log.error(
                    "%s: %s holds too much to summarise (%d bytes); it is left as it was", slug, touch.day, len(body)
                )
                self._summarised[slug, touch.day] = touch.seq
                continue
            partials.append((touch, partial, body))
            # The rows first: a partial that names them must never be without them.
            records += [*details, Record(kind="partial", pilot=slug, key="day", time_ns=date_ns(touch.day), body=body)]
        self._store.put(records)
        bodies = [(touch.day, body) for touch, _, body in partials]
        self._store.put(self._indexes[slug].records(bodies))
        for touch, partial, _ in partials:
            day = ordinal(touch.day)
            known, earlier = history.day(day), history.last_before(day)
            changed = history.put(partial)
            if changed:
                how = None if touch.day == self._today[slug] else cause(known, partial)
                self._publishers[slug].changed(touch.day, how)
            differs = changed or (slug, touch.day) not in self._summarised
            self._work[slug].changed(day, touch.seq, differs, at_once=few or not partial.feeds, after=earlier)
            self._summarised[slug, touch.day] = touch.seq
        if touches[-1].day == self._today[slug]:
            self._exact_ns[slug] = now_ns
            self._boards.take_day(
                slug, [event for event in events if event.time_ns >= bounds[-1][0]], *bounds[-1], now_ns
            )
        self._boards.remember(slug)

    def _day(
        self, pilot: Pilot, day: str, events: Sequence[Event], erased: Mapping[str, int]
    ) -> tuple[Partial, list[Record]]:
        """A day's document, and the records of its rows where these changed."""
        found = rows.encode(rows.rows_of(pilot, events))
        known = self._histories[pilot.slug].day(ordinal(day))
        digest = rows.digest(found)
        if known is not None and known.rows == digest:
            partial = summarise(pilot, day, events, erased)
            return msgspec.structs.replace(partial, rows=digest, chunks=known.chunks), []
        details = rows.records(pilot.slug, day, found, known.chunks if known else 0)
        partial = summarise(pilot, day, events, erased)
        return msgspec.structs.replace(partial, rows=digest, chunks=len(details)), details

    # Periods

    def _compute(self, pending: Sequence[Touch], now_ns: int, hurry: bool) -> int:
        """Values of what is stale, at most PERIODS_A_STEP periods; how many were written."""
        as_of_ns = now_ns - now_ns % AS_OF_NS
        if as_of_ns != self._as_of_ns:
            for slug, history in self._histories.items():
                moved = moved_by_clock(history, self._as_of_ns, as_of_ns)
                self._work[slug].fresh.update(dict.fromkeys(moved))
            self._as_of_ns = as_of_ns
        waiting = {
            touch.pilot
            for touch in pending
            if self._summarised.get((touch.pilot, touch.day)) != touch.seq and self._due(touch, now_ns)
        }
        left, written = PERIODS_A_STEP, 0
        for slug in sorted(self._work, key=lambda slug: self._work[slug].began_ns):
            work = self._work[slug]
            if work.answering:
                self._decide(slug, as_of_ns)  # what holds the changed days is written before anything else
            elif slug not in waiting or now_ns - work.began_ns >= max(PASS_EVERY_NS, PASS_SHARE * self._pass_ns):
                self._begin(slug, as_of_ns, now_ns)
            due = hurry or now_ns - self._whole_ns.get(slug, _EVER[0]) >= WHOLE_SHARE * self.whole_cost_ns.get(slug, 0)
            periods = work.take(left, due)
            left -= len(periods)
            written += len(periods)
            if periods:
                self._write(slug, periods, as_of_ns, now_ns)
            if work.passed:
                self._pass_ns = self._clock() - work.began_ns
            finished = work.finish()
            if finished:
                self._mark_done(slug, finished)
                self._to_judge.add(slug)
                written += 1
            if work.idle and not any(self._open(touch) for touch in pending if touch.pilot == slug):
                self._publishers[slug].publish(now_ns)
        return written

    def _open(self, touch: Touch) -> bool:
        """True where a past day is not in yet; today never is."""
        done = self._done.get((touch.pilot, touch.day)) == touch.seq
        return not done and touch.day != self._today[touch.pilot]

    def _begin(self, slug: str, as_of_ns: int, now_ns: int) -> None:
        """Begin a pass, from the first day of which another release decision stands than when the last one began."""
        self._decide(slug, as_of_ns)
        self._work[slug].begin(self._histories[slug], as_of_ns, now_ns)

    def _decide(self, slug: str, as_of_ns: int) -> None:
        """Decide what is told, unless a pass goes on, which keeps to what was decided when it began.

        Without it, a first answer would judge new days by the list of activities as it stood before them.
        """
        work = self._work[slug]
        if not work.passing and (since := self._publishers[slug].decide(as_of_ns)) is not None:
            work.since = min(since, work.since) if work.since is not None else since

    def _write(self, slug: str, periods: Sequence[Period], as_of_ns: int, now_ns: int) -> None:
        history, k, publisher = self._histories[slug], self._catalogue.common.disclosure_k, self._publishers[slug]
        book = publisher.book(as_of_ns)
        documents = []
        for period in periods:
            began_ns = self._clock()
            values = [] if outside(history, period, as_of_ns) else evaluate(history, period, as_of_ns, k, book=book)
            documents.append(
                PeriodValues(
                    pilot=slug,
                    period=period.name,
                    start=period.start,
                    end=period.end,
                    run=f"{now_ns}",
                    computed_ns=now_ns,
                    values=values,
                    since_ns=now_ns,
                    k=k,
                )
            )
            if period.name == "all":
                self.whole_cost_ns[slug], self._whole_ns[slug] = self._clock() - began_ns, now_ns
        documents = [_fitting(document) for document in documents]
        self._store.put([as_record(one, msgspec.json.encode(one)) for one in publisher.write(documents, now_ns)])

    def _mark_done(self, slug: str, finished: dict[str, int]) -> None:
        self._store.put(
            [
                Record(kind="done", pilot=slug, key="day", time_ns=date_ns(day), body=msgspec.json.encode(_Seq(seq)))
                for day, seq in sorted(finished.items())
            ]
        )
        self._done.update({(slug, day): seq for day, seq in finished.items()})

    # Alerts, pulse

    def _judge(self, pending: Sequence[Touch], now_ns: int) -> bool:
        """Alerts of the pilots whose past days are all in; the others wait, since a fall may be a missing day.

        A day is in once it is summarised: a feed that always sends late must not keep its pilot from being judged.
        """
        loading = {
            touch.pilot
            for touch in pending
            if touch.day != self._today[touch.pilot] and self._summarised.get((touch.pilot, touch.day)) != touch.seq
        }
        changed = False
        config = self._catalogue.config_hash
        for slug, history in self._histories.items():
            if slug in loading or now_ns < self._again_ns.get(slug, now_ns):
                continue
            try:
                changed |= self._judge_one(history, now_ns)
            except (StoreAway, OperationsRefused):
                raise
            except Exception as error:  # one pilot's fault must neither stop the others nor pass for good news
                _log.exception("%s: the alerts cannot be evaluated; trying again in a minute", slug)
                self._again_ns[slug] = now_ns + AGAIN_NS
                changed |= evaluation_failed(self._operations, history.pilot, error, now_ns, config)
            else:
                self._again_ns.pop(slug, None)
                changed |= evaluation_succeeded(self._operations, history.pilot, now_ns, config)
        return changed

    def _judge_one(self, history: History, now_ns: int) -> bool:
        slug, k, config = history.pilot.slug, self._catalogue.common.disclosure_k, self._catalogue.config_hash
        changed = evaluate_silence(history, self._operations, self._boards.heard(slug), now_ns, config)
        if slug in self._to_judge:
            changed |= evaluate_drop_off(history, self._operations, self._as_of_ns, now_ns, k, config, self._states)
            self._to_judge.discard(slug)
        return changed

    def _beat(self, now_ns: int, wrote: bool, summarised: set[str]) -> None:
        pulse = self._pulse
        partials = {**pulse.partials, **{slug: pulse.partials.get(slug, 0) + 1 for slug in summarised}}
        stale = pulse.alerts_ns is None or now_ns - pulse.alerts_ns >= PULSE_EVERY_NS
        # Were it told before the periods that it moved are written, a kill would leave them as they were.
        as_of_ns = pulse.as_of_ns if any(work.fresh for work in self._work.values()) else self._as_of_ns
        if wrote or stale:
            self._pulse = msgspec.structs.replace(
                pulse, steps=pulse.steps + wrote, partials=partials, alerts_ns=now_ns, as_of_ns=as_of_ns
            )
            self._store.put([pulse_record(self._pulse)])


def _fitting(document: PeriodValues) -> PeriodValues:
    """A period's document; with so many parts that no store takes it, the totals alone."""
    if len(msgspec.json.encode(document)) <= MAX_BODY_BYTES - ROOM_FOR_REVISIONS:
        return document
    _log.error("%s: the %s from %s has too many parts; only its totals are kept", document.pilot, document.period,
               document.start)  # fmt: skip
    return msgspec.structs.replace(document, values=[value for value in document.values if not value.dim])


def _runs(touches: Sequence[Touch]) -> list[list[Touch]]:
    """Touches of one pilot as stretches of consecutive days, oldest first within a stretch."""
    runs: list[list[Touch]] = []
    for touch in sorted(touches, key=lambda touch: touch.day):
        if runs and len(runs[-1]) < DAYS_A_READ and shift(runs[-1][-1].day, 1) == touch.day:
            runs[-1].append(touch)
        else:
            runs.append([touch])
    return runs[::-1]


def _basis(catalogue: Catalogue) -> str:
    """What stored values rest on besides events: another catalogue or definition means computing all again."""
    versions = ",".join(f"{one.id}:{one.version}" for one in INDICATORS.values())
    return f"{catalogue.config_hash}|{VERSION}|{versions}"
