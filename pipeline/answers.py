"""What pages and exports ask: one read side, so that the same number stands on the screen and in the file.

Promises: a chosen period is computed from the same daily documents, by the same functions and under the same
release rule as the stored ones, and judged as of the pipeline's last look at the clock; an empty store gives
empty answers. Nothing here writes.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final, TypeVar

import msgspec

from config.catalogue import UNKNOWN, Catalogue
from pipeline.alerts.care import Care, Quiet
from pipeline.alerts.drop_off import KIND as DROP_OFF
from pipeline.alerts.stories import Story, told, with_series
from pipeline.day_index import changed, digest
from pipeline.decisions import as_decision
from pipeline.delivery.routes import SYSTEM
from pipeline.evidence import evidence_of
from pipeline.findings import RetentionCell, Revision
from pipeline.freeze import keep_hidden, key_of
from pipeline.frozen import Frozen
from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.indicators.evaluate import evaluate
from pipeline.operations import Operations
from pipeline.partials import Partial
from pipeline.periods import Period, date_ns, iso, ordinal, period_of, periods_between
from pipeline.pulse import Pulse, read_pulse
from pipeline.release import Profile, near, profile
from pipeline.release_book import Book
from pipeline.reports import SessionLoss, ToldReport, losses, stored
from pipeline.retention import triangle
from pipeline.revisions import told_revisions
from pipeline.rows import Shelf
from pipeline.store.port import Store
from pipeline.values import Activity, Decision, Incident, IndicatorValue, NowBoard, PeriodValues
from pipeline.work import everything

ALL_NS = (-(1 << 62), 1 << 62)
MOST_ASKED: Final = 100  # chosen periods that are remembered
Version = tuple[int, int]  # of a pilot's days, and the instant as of which periods are judged
Read = TypeVar("Read")


class Answers:
    """Reads of one store under one catalogue; may be shared by threads. Unknown pilots give nothing."""

    def __init__(self, store: Store, catalogue: Catalogue, operations: Operations) -> None:
        self._store = store
        self._catalogue = catalogue
        self._operations = operations
        self._histories: dict[str, tuple[int, History]] = {}
        self._digests: dict[str, dict[str, str]] = {}
        self._books: dict[tuple[str, int], tuple[tuple[int, int], Book]] = {}
        self._asked_before: dict[tuple[str, Period, tuple[str, ...] | None], tuple[Version, list[IndicatorValue]]] = {}
        self._frozen = Frozen(operations)
        # A lock for each pilot: a long computation of one must not hold up a short question about another.
        self._locks = {slug: Lock() for slug in catalogue.pilots}
        self._asked_lock = Lock()

    def values(
        self,
        pilots: Sequence[str],
        indicators: Iterable[str] | None,
        period: str,
        start: str | None = None,
        end: str | None = None,
    ) -> list[IndicatorValue]:
        """Stored values of "day", "week", "month" or "all" periods that overlap the dates, in order of pilot,
        start and registry. None for `start` or `end` leaves that side open; "all" ignores both."""
        if period == "chosen":
            return self.chosen(pilots, indicators, start, end)
        wanted = None if indicators is None else set(indicators)
        first_ns = ALL_NS[0] if start is None or period == "all" else date_ns(start) - date_ns("1970-02-01")
        last_ns = ALL_NS[1] if end is None or period == "all" else date_ns(end) + 1
        found: list[IndicatorValue] = []
        for pilot in self._known(pilots):
            for record in self._store.get("values", pilot, first_ns, last_ns, key=period):
                document = msgspec.json.decode(record.body, type=PeriodValues)
                within = (end is None or document.start <= end) and (start is None or document.end >= start)
                if period == "all" or within:
                    found += [value for value in document.values if wanted is None or value.indicator in wanted]
        return found

    def chosen(
        self, pilots: Sequence[str], indicators: Iterable[str] | None, start: str | None = None, end: str | None = None
    ) -> list[IndicatorValue]:
        """Values of one period from `start` to `end` (both included; None is the pilot's first or last closed day),
        computed now from the daily documents. A pilot without data gives nothing."""
        wanted = None if indicators is None else list(indicators)
        found: list[IndicatorValue] = []
        for pilot in self._known(pilots):
            with self._locks[pilot]:
                history, as_of_ns = self._history(pilot)
                span = history.span(as_of_ns)
                if span is None:
                    continue
                whole = everything(history, as_of_ns) or Period("all", iso(span[0]), iso(span[1]))
                period = Period("chosen", start or whole.start, end or whole.end)
                if period.end >= period.start:
                    found += self._asked(history, period, as_of_ns, wanted)
        return found

    def retention(self, pilots: Sequence[str], weeks: int = 12) -> list[RetentionCell]:
        """The retention triangle of each pilot over its newest `weeks` weekly cohorts, by pilot and cohort."""
        found: list[RetentionCell] = []
        for pilot in self._known(pilots):
            with self._locks[pilot]:
                history, as_of_ns = self._history(pilot)
                k = self._catalogue.common.disclosure_k
                found += triangle(history, as_of_ns, weeks, k, self._book(history, as_of_ns, k))
        return found

    def _asked(
        self, history: History, period: Period, as_of_ns: int, wanted: Sequence[str] | None
    ) -> list[IndicatorValue]:
        """A chosen period, under the decisions that were published; where it is a stored one, what that hides."""
        pilot, k = history.pilot.slug, self._catalogue.common.disclosure_k
        values = self._evaluated(history, period, as_of_ns, k, wanted)
        if k < 2:
            return values
        hidden = {
            key_of(value)
            for name in ("day", "week", "month")
            if period_of(name, period.start) == Period(name, period.start, period.end)
            for value in self.values([pilot], wanted, name, period.start, period.start)
            if value.start == period.start and value.status == "suppressed"
        }
        return [keep_hidden(value) if key_of(value) in hidden else value for value in values]

    def _evaluated(
        self, history: History, period: Period, as_of_ns: int, k: int, wanted: Sequence[str] | None
    ) -> list[IndicatorValue]:
        """Computed again only when the pilot's days or the clock have changed: all of a period takes a second."""
        pilot = history.pilot.slug
        asked = (pilot, period, None if wanted is None else tuple(wanted))
        version = (self._histories[pilot][0], as_of_ns)
        known = self._asked_before.get(asked)
        if known is None or known[0] != version:
            known = (version, evaluate(history, period, as_of_ns, k, wanted, self._book(history, as_of_ns, k)))
        with self._asked_lock:
            self._asked_before.pop(asked, None)
            self._asked_before[asked] = known  # as the newest
            while len(self._asked_before) > MOST_ASKED:
                del self._asked_before[next(iter(self._asked_before))]
        return list(known[1])

    def strict(self, pilot: str, period: str, start: str | None, end: str | None) -> list[IndicatorValue]:
        """Values of a pilot's periods of one kind that overlap the dates under the stricter release, computed now."""
        one = profile("strict", self._catalogue.common.disclosure_k)
        if pilot not in self._catalogue.pilots:
            return []
        with self._locks[pilot]:
            history, as_of_ns = self._history(pilot)
            whole = everything(history, as_of_ns)
            if whole is None:
                return []
            first, last = max(start or whole.start, whole.start), min(end or whole.end, whole.end)
            chosen = [Period("chosen", start or whole.start, end or whole.end)]
            periods = chosen if period == "chosen" else periods_between(period, first, last)
            book = self._book(history, as_of_ns, one.k)
            return [
                value
                for asked in periods
                if asked.start <= asked.end
                for value in evaluate(history, asked, as_of_ns, one.k, None, book, one.base)
            ]

    def _book(self, history: History, as_of_ns: int, k: int) -> Book:
        """The release decisions for a limit, made again only when days or the clock have changed."""
        pilot = history.pilot.slug
        version = (self._histories[pilot][0], as_of_ns)
        known = self._books.get((pilot, k))
        if known is None or known[0] != version:
            known = (version, Book(history, as_of_ns, k, self._frozen.kept(pilot, k) if k > 1 else None))
            self._books[pilot, k] = known
        return known[1]

    def revisions(self, pilots: Sequence[str]) -> list[Revision]:
        """Values of closed periods that changed after they were published, in order of pilot and time."""
        known = self._known(pilots)
        current: dict[tuple[str, str, str], PeriodValues] = {}
        rows = self._frozen.superseded(known)
        for pilot, period, start in {(row.pilot, row.period, row.start) for row in rows}:
            at_ns = 0 if period == "all" else date_ns(start)
            for record in self._store.get("values", pilot, at_ns, at_ns + 1, key=period):
                current[pilot, period, start] = msgspec.json.decode(record.body, type=PeriodValues)
        return told_revisions(rows, current, self._catalogue.common.disclosure_k)

    def span(self, pilot: str) -> tuple[str, str] | None:
        """First and last local day of a pilot's series; None without data."""
        if pilot not in self._catalogue.pilots:
            return None
        with self._locks[pilot]:
            history, as_of_ns = self._history(pilot)
            span = history.span(as_of_ns)
        return None if span is None else (iso(span[0]), iso(span[1]))

    def read(self, pilot: str, ask: Callable[[History, int], Read]) -> Read | None:
        """What `ask` finds in a pilot's history, judged as of an instant in ns; None of a pilot that is not known.

        `ask` is the only one to read that pilot meanwhile, and must not ask `Answers` in turn.
        """
        if pilot not in self._catalogue.pilots:
            return None
        with self._locks[pilot]:
            return ask(*self._history(pilot))

    def evidence(self, value: IndicatorValue) -> str:
        """How the events beneath a value were recorded."""
        first, last, indicator = ordinal(value.start), ordinal(value.end), INDICATORS[value.indicator]
        return self.read(value.pilot, lambda history, _: evidence_of(history, indicator, first, last)) or UNKNOWN

    def edition(self, pilot: str) -> int:
        """A number that changes whenever a pilot's days were written anew; costs one small read."""
        return self._pulse().partials.get(pilot, 0)

    def now(self, pilot: str) -> NowBoard | None:
        """The live board of a pilot, None before the pipeline has written one."""
        records = self._store.get("now", pilot, 0, 1, key="now") if pilot in self._catalogue.pilots else []
        return msgspec.json.decode(records[-1].body, type=NowBoard) if records else None

    def reports(self, pilot: str) -> list[ToldReport]:
        """What collectors last told of each feed of a pilot, in order of collector and feed."""
        return stored(self._store, pilot) if pilot in self._catalogue.pilots else []

    def session_losses(self, pilot: str) -> list[SessionLoss]:
        """Every session that a broker forgot of a pilot's collectors, oldest first."""
        return losses(self._store, pilot) if pilot in self._catalogue.pilots else []

    def activities(
        self, pilot: str, start: str | None = None, end: str | None = None, release: str = "usual"
    ) -> list[Activity]:
        """Activities held, in order of day and id; attendance of 1 to k-1 is hidden (None)."""
        if pilot not in self._catalogue.pilots:
            return []
        how = profile(release, self._catalogue.common.disclosure_k)
        with self._locks[pilot]:
            history, as_of_ns = self._history(pilot)
            span = history.span(as_of_ns)
            days = [] if span is None else history.days(*span)
        attending: dict[str, int] = {}
        for day in days:
            for activity, visits in day.attending.items():
                attending[activity] = attending.get(activity, 0) + visits
        found = []
        for day in days:
            for held in day.held:
                if (start and day.day < start) or (end and day.day > end):
                    continue
                stated = attending.get(held.activity_id, held.attendance)
                number = None if stated is not None and 0 < stated < how.k else stated
                number = near(number, how.base) if number is not None and how.base else number
                details = {key: value for key, value in held.details.items() if key != "attendance"}
                found.append(
                    Activity(
                        pilot=pilot,
                        activity_id=held.activity_id,
                        day=day.day,
                        stage=held.stage,
                        method=held.method,
                        attendance=number,
                        synthetic=held.synthetic,
                        details=dict(details),
                    )
                )
        return found

    def decisions(
        self, pilot: str, start: str | None = None, end: str | None = None, release: str = "usual"
    ) -> list[Decision]:
        """Decisions made, in order of day and id, each with every role that was ever recorded for it."""
        roles: dict[str, dict[str, int]] = {}
        days = self._days(pilot)
        for day in days:
            for decision, parts in day.deciding.items():
                known = roles.setdefault(decision, {})
                for part, people in parts.items():
                    known[part] = known.get(part, 0) + people
        how = profile(release, self._catalogue.common.disclosure_k)
        return [
            as_decision(pilot, day.day, closed, _near(roles.get(closed.decision_id, {}), how), how.k)
            for day in days
            if (not start or day.day >= start) and (not end or day.day <= end)
            for closed in day.decided
        ]

    def recorded(self, pilot: str, days: Iterable[str]) -> dict[str, int]:
        """The revision of each event that people entered by hand for these local days, as far as it has arrived."""
        wanted = set(days)
        return {
            event: revision
            for day in self._days(pilot)
            if day.day in wanted
            for event, revision in day.recorded.items()
        }

    def _days(self, pilot: str) -> list[Partial]:
        """Every known day of a pilot, in order; [] of a pilot that is not known."""
        if pilot not in self._catalogue.pilots:
            return []
        with self._locks[pilot]:
            return self._history(pilot)[0].all_days()

    def incidents(self, pilots: Sequence[str], open_only: bool = False) -> list[Incident]:
        """Incidents of these pilots, newest first."""
        return self._operations.incidents(self._known(pilots), open_only)

    def own_incidents(self) -> list[Incident]:
        """Open incidents of Periscope itself: channels that do not deliver."""
        return self._operations.incidents([SYSTEM], open_only=True)

    def stories(self, pilot: str, now_ns: int, limit: int = 20) -> list[Story]:
        """A pilot's incidents with their history, reasons and series: open ones first, then the newest."""
        if pilot not in self._catalogue.pilots:
            return []
        incidents = sorted(self._operations.incidents([pilot]), key=lambda one: one.closed_ns is not None)[:limit]
        return self._with_series(pilot, told(self._operations, incidents, now_ns))

    def story(self, incident: int, now_ns: int) -> Story | None:
        """One incident the same way, however old it is; of Periscope's own, too."""
        one = self._operations.incident(incident)
        if one is None or one.pilot not in [*self._catalogue.pilots, SYSTEM]:
            return None
        found = told(self._operations, [one], now_ns)
        return (found if one.pilot == SYSTEM else self._with_series(one.pilot, found))[0]

    def _with_series(self, pilot: str, found: list[Story]) -> list[Story]:
        if not any(one.incident.kind == DROP_OFF for one in found):
            return found  # only drop-offs have a series, and it takes a second to compute
        levels = Care(self._operations).levels(pilot)
        with self._locks[pilot]:
            return with_series(*self._history(pilot), levels, found)

    def silences(self, now_ns: int) -> list[Quiet]:
        """Silences in force, oldest first."""
        return Care(self._operations).silences(now_ns)

    def alerts_evaluated_ns(self) -> int | None:
        """When alerts were last evaluated; None if never."""
        return self._pulse().alerts_ns

    def version(self) -> str:
        """A token that changes when anything that pages show may have changed; costs one small read."""
        pulse = self._pulse()
        return f"{pulse.steps}.{self._operations.version()}"

    def as_of_ns(self) -> int:
        """The instant as of which periods are judged closed; 0 before the pipeline ran."""
        return self._pulse().as_of_ns

    def _pulse(self) -> Pulse:
        return read_pulse(self._store)

    def _known(self, pilots: Sequence[str]) -> list[str]:
        return [pilot for pilot in pilots if pilot in self._catalogue.pilots]

    def _history(self, pilot: str) -> tuple[History, int]:
        """The pilot's days, read again only when the pipeline has written new ones. Hold the lock."""
        pulse = self._pulse()
        version = pulse.partials.get(pilot, 0)
        known = self._histories.get(pilot)
        if known is None:
            known = (-1, History(self._catalogue.pilots[pilot], Shelf(self._store, pilot)))
        if known[0] != version:
            digests = self._digests.setdefault(pilot, {})
            for day, body in changed(self._store, pilot, digests):
                known[1].put(msgspec.json.decode(body, type=Partial))
                digests[day] = digest(body)
            known = (version, known[1])
            self._histories[pilot] = known
        return known[1], pulse.as_of_ns


def _near(roles: dict[str, int], how: Profile) -> dict[str, int]:
    """Numbers of people rounded; what is hidden anyway is left for the limit to find."""
    if not how.base:
        return roles
    return {role: near(people, how.base) if people >= how.k else people for role, people in roles.items()}
