"""The ledger as events: what a collector tells the pages, through the broker like everything else (docs/ledger.md).

One `collector.ledger` event per pilot and feed on `periscope/ops/{collector}/{pilot}`: soon after dead letters or
drops, at most once a minute for other changes, at least once an hour. The collector's own messages are not counted in
it, else every report would be news.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from collectors import timing
from collectors.dead_kinds import Kind, Number, kinds, samples
from collectors.ledger import Counts, total
from collectors.own_event import own_event
from collectors.spool import Spool
from collectors.spool_archive import Archived
from collectors.timing import Classes, Heard
from collectors.topics import LEDGER_FEED, Roster
from pipeline.feed_report import TYPE, DayReport, FeedReport, Gap, Quantiles, Skew, iso_utc
from pipeline.model import NS_PER_S

MOST_BYTES = 60_000
MOST_SAMPLES = 20
_MOST_KINDS = 60
_KEPT_DAYS = 3
_SOON_NS, _LATE_NS = 60 * NS_PER_S, 3600 * NS_PER_S
FeedKey = tuple[str, str]


@dataclass
class _Told:
    at_ns: int
    fates: dict[str, int]


@dataclass
class _Days:
    """What the day files say beside the ledger, by day and feed; `heard` has one day more, for the silence before."""

    classes: dict[str, dict[FeedKey, dict[str, Classes]]]
    heard: dict[str, dict[FeedKey, Heard]]


class LedgerReport:
    """Remembers what was told last."""

    def __init__(self, collector: str, roster: Roster, spool: Spool) -> None:
        self._collector, self._roster, self._spool = collector, roster, spool
        self._told: dict[FeedKey, _Told] = {}
        self._kinds: dict[Kind, Number] = {}
        self._kinds_of: object = None

    def changed(self, now_ns: int) -> list[tuple[str, bytes]]:
        """(topic, payload) for each feed that has to be told now."""
        ledgers = self._spool.ledger()
        totals = _feeds(total(ledgers.values()))
        announced = self._spool.announced()
        due = [key for key, fates in totals.items() if self._is_due(key, fates, now_ns)]
        if self._look_at_kinds(totals, announced):
            due = sorted({*due, *((k[0], k[1]) for k in self._kinds)} & totals.keys())
        if not due:
            return []
        recent = sorted(ledgers)[-_KEPT_DAYS:]
        days = self._days(sorted(ledgers)[-_KEPT_DAYS - 1 :])
        feeds = {day: _feeds(ledgers[day]) for day in recent}
        messages = []
        for key in due:
            self._told[key] = _Told(now_ns, totals[key])
            report = self._report(key, totals[key], {d: f[key] for d, f in feeds.items() if key in f}, days)
            messages.append(self._event(key, report, now_ns))
        return messages

    def _is_due(self, key: FeedKey, fates: dict[str, int], now_ns: int) -> bool:
        if key[1] == LEDGER_FEED or self._roster.pilot(key[0]) is None:
            return False
        told = self._told.get(key)
        if told is None or now_ns - told.at_ns >= _LATE_NS:
            return True
        if fates == told.fates:
            return False
        return _set_aside(fates) != _set_aside(told.fates) or now_ns - told.at_ns >= _SOON_NS

    def _look_at_kinds(self, totals: Mapping[FeedKey, dict[str, int]], announced: int) -> bool:
        """Count kinds again when it can have changed; True when an operator changed dead letters meanwhile."""
        state = {key: fates.get("dead_lettered", 0) for key, fates in totals.items()}, announced
        if state == self._kinds_of:
            return False
        by_hand = isinstance(self._kinds_of, tuple) and self._kinds_of[1] != announced
        self._kinds_of, self._kinds = state, kinds(self._spool)
        return by_hand

    def _days(self, days: list[str]) -> _Days:
        found = _Days({}, {})
        for day in days:
            with suppress(Archived):
                found.classes[day], found.heard[day] = self._spool.read(
                    day, lambda connection: (timing.read(connection), timing.heard(connection))
                )
        return found

    def _report(
        self, key: FeedKey, fates: dict[str, int], by_day: Mapping[str, dict[str, int]], days: _Days
    ) -> FeedReport:
        mine = sorted(((k, n) for k, n in self._kinds.items() if k[:2] == key), key=lambda one: -one[1].last_ns)
        reports, whole = {}, Counter[tuple[str, int]]()
        for day, day_fates in by_day.items():
            classes = days.classes.get(day, {}).get(key, {})
            whole.update({(kind, number): n for kind, each in classes.items() for number, n in each.items()})
            heard = days.heard.get(day, {}).get(key)
            reports[day] = DayReport(
                day_fates,
                *_timings(classes),
                _gap(key, day, days.heard),
                None if heard is None else iso_utc(heard.last_ns),
            )
        latency, skew = _timings({kind: _of(whole, kind) for kind in (timing.LATENCY, timing.SKEW, timing.OLDER)})
        return FeedReport(
            collector=self._collector,
            feed=key[1],
            total=fates,
            dead=_dead(mine, fates.get("dead_lettered", 0)),
            days=reports,
            latency_s=latency,
            skew_s=skew,
            last_received=max((r.last_received for r in reports.values() if r.last_received), default=None),
            longest_gap=max((r.longest_gap for r in reports.values() if r.longest_gap), key=_length, default=None),
            samples=samples(self._spool, mine[:MOST_SAMPLES], self._roster),
            cut=len(mine) > MOST_SAMPLES,
        )

    def _event(self, key: FeedKey, report: FeedReport, now_ns: int) -> tuple[str, bytes]:
        pilot, feed = key
        while True:
            topic, payload = own_event(self._collector, pilot, TYPE, f"{feed}/{now_ns}", now_ns, report)
            if len(payload) <= MOST_BYTES or not report.samples:
                return topic, payload
            report = msgspec.structs.replace(report, samples=report.samples[:-1], cut=True)


def _feeds(counts: Counts) -> dict[FeedKey, dict[str, int]]:
    feeds: dict[FeedKey, dict[str, int]] = {}
    for (pilot, feed, fate), n in sorted(counts.items()):
        if n:
            feeds.setdefault((pilot, feed), {})[fate] = n
    return feeds


def _set_aside(fates: Mapping[str, int]) -> dict[str, int]:
    return {fate: n for fate, n in fates.items() if fate == "dead_lettered" or fate.startswith("dropped")}


def _of(whole: Counter[tuple[str, int]], kind: str) -> Classes:
    return Counter({number: n for (of, number), n in whole.items() if of == kind})


def _timings(classes: Mapping[str, Classes]) -> tuple[Quantiles | None, Skew | None]:
    empty: Classes = Counter()
    older = classes.get(timing.OLDER, empty).total()
    return (
        timing.quantiles(classes.get(timing.LATENCY, empty)),
        timing.skew(classes.get(timing.SKEW, empty), older),
    )


def _gap(key: FeedKey, day: str, heard: Mapping[str, Mapping[FeedKey, Heard]]) -> Gap | None:
    """The longest silence that ended on a day; it may have begun on an earlier one."""
    here = heard.get(day, {}).get(key)
    if here is None:
        return None
    longest, since = here.gap_ns, here.gap_from_ns
    before = [feeds[key].last_ns for earlier, feeds in sorted(heard.items()) if earlier < day and key in feeds]
    if before and here.first_ns - before[-1] > longest:
        longest, since = here.first_ns - before[-1], before[-1]
    return Gap(round(longest / NS_PER_S, 3), iso_utc(since)) if longest else None


def _length(gap: Gap) -> float:
    return gap.seconds


def _dead(mine: list[tuple[Kind, Number]], every: int) -> dict[str, int]:
    """Messages by `stage:code`; what has no letter any more was purged, and rare kinds beyond the bound are `other`."""
    dead = {f"{stage}:{code}": number.n for (_, _, stage, code), number in mine[:_MOST_KINDS]}
    if other := sum(number.n for _, number in mine[_MOST_KINDS:]):
        dead["other"] = other
    if (purged := every - sum(dead.values())) > 0:
        dead["purged"] = purged
    return dead
