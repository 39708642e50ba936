"""Answers made up for tests of the pages, flagged synthetic: a real class at the port of `pipeline.answers.Answers`.

The values follow from the arguments alone. `away` makes every question fail as a store does that cannot be reached.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from zlib import crc32

from pipeline.alerts.care import Quiet
from pipeline.alerts.stories import Moment, Story
from pipeline.feed_report import DayReport, FeedReport, Gap, Quantiles, Sample, Skew
from pipeline.indicators import INDICATORS
from pipeline.periods import date_ns
from pipeline.reports import SessionLoss, ToldReport
from pipeline.store.port import StoreAway
from pipeline.values import Activity, Decision, DecisionRole, FeedNow, Incident, IndicatorValue, NowBoard
from tests.dashboard.made_up_findings import MadeUpFindings

LAST = "2026-05-12"
NOW_NS = date_ns(LAST) + 14 * 3600 * 10**9
METHODS = (("workshop", "co_design"), ("vote", "co_decide"), ("repair-cafe", "co_produce"), ("survey", "co_evaluate"))
_FIRST = {"day": 1, "week": 7}
_SCALE = {"people": 140, "core-actions": 900, "contributions": 60, "contributors": 30, "attendance": 24}


def share(*key: object) -> float:
    """A number in [0, 1) that belongs to the key."""
    return crc32("|".join(map(str, key)).encode()) / 2**32


class MadeUpAnswers(MadeUpFindings):
    """`silent` pilots stopped on their day; `empty` ones never began."""

    def __init__(
        self, pilots: Sequence[str], *, silent: dict[str, str] | None = None, empty: Iterable[str] = ()
    ) -> None:
        self.pilots, self.silent, self.empty = list(pilots), dict(silent or {}), set(empty)
        self.away = False
        self.steps = 1
        self.usage_today = {slug: 180 + 40 * at for at, slug in enumerate(self.pilots)}
        self.opened: list[Incident] = []
        self.evaluated_ns = NOW_NS - 40 * 10**9
        self.arrived: dict[str, int] = {}

    def stories(self, pilot: str, now_ns: int, limit: int = 20) -> list[Story]:
        """The incidents that were opened, without a series."""
        self.version()
        mine = [one for one in self.opened if one.pilot == pilot]
        return [Story(one, [Moment(one.opened_ns, "opened", one.since[:10], "made up", True)]) for one in mine]

    def story(self, incident: int, now_ns: int) -> Story | None:
        found = [one for one in self.opened if one.id == incident]
        return Story(found[0], []) if found else None

    def silences(self, now_ns: int) -> list[Quiet]:
        return []

    def version(self) -> str:
        if self.away:
            raise StoreAway("the store at 127.0.0.1:8086 does not answer")
        return str(self.steps)

    def span(self, pilot: str) -> tuple[str, str] | None:
        self.version()
        return None if pilot in self.empty else ("2025-05-14", self.silent.get(pilot, LAST))

    def as_of_ns(self) -> int:
        return NOW_NS

    def values(
        self,
        pilots: Sequence[str],
        indicators: Iterable[str] | None,
        period: str,
        start: str | None = None,
        end: str | None = None,
    ) -> list[IndicatorValue]:
        found = []
        for pilot in pilots:
            known = self.span(pilot)
            for first, last in _periods(period, start or "2025-05-14", end or LAST) if known else []:
                if known and first <= known[1] and last >= known[0]:
                    found += [
                        one for name in indicators or INDICATORS for one in self._of(name, pilot, period, first, last)
                    ]
        return found

    def chosen(
        self, pilots: Sequence[str], indicators: Iterable[str] | None, start: str | None = None, end: str | None = None
    ) -> list[IndicatorValue]:
        return [
            one
            for pilot in pilots
            if (known := self.span(pilot))
            for name in indicators or INDICATORS
            for one in self._of(name, pilot, "chosen", start or known[0], end or known[1])
        ]

    def _of(self, name: str, pilot: str, period: str, start: str, end: str) -> list[IndicatorValue]:
        definition = INDICATORS[name]
        segments = {
            "footfall": ["pedestrians"] if pilot in ("bremen", "milan") else [],
            "sensor-level": ["pm10"],
            "hours-over-limit": ["pm10"],
        }.get(name, [""])
        if definition.family == "quality":
            segments = ["app", "meetings"]
        return [self._value(definition, pilot, period, start, end, segment) for segment in segments]

    def _value(self, definition: object, pilot: str, period: str, start: str, end: str, segment: str) -> IndicatorValue:
        name, unit = definition.id, definition.unit  # type: ignore[attr-defined]
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
        words = {
            "pilot": pilot,
            "indicator": name,
            "version": 1,
            "period": period,
            "start": start,
            "end": end,
            "segment": segment,
            "synthetic": True,
            "dim": "feed" if segment in ("app", "meetings") else "",
        }
        if unit == "%":
            value = 96 * (0.8 + 0.2 * share(name, pilot, segment)) if segment else 18 + 20 * share(name, pilot, start)
            return IndicatorValue(
                **words,
                value=value,
                n=120,
                lower=max(0, value - 4),
                upper=value + 4,
                interval="" if segment else "wilson",
            )
        level = _SCALE.get(name, 40) * (0.5 + share(pilot)) * math.sqrt(days / 7)
        wave = (
            1
            + 0.25 * math.sin(date.fromisoformat(start).toordinal() / 40 + 6 * share(pilot))
            + 0.2 * (share(name, pilot, start) - 0.5)
        )
        value = float(round(level * wave))
        chance = share("status", name, pilot, start)
        if name == "return-participation" or (pilot == "athens" and chance < 0.08 and period != "chosen"):
            return IndicatorValue(**words, status="feed_poor", reason="the feed delivered nothing", completeness=0.0)
        if pilot == "palmela" and name == "contributors" and period != "chosen" and chance < 0.3:
            return IndicatorValue(**words, status="suppressed", reason="fewer than 5 people")
        status = "incomplete" if start <= LAST <= end and period != "chosen" else "feed_poor" if chance > 0.94 else "ok"
        method = definition.interval_method  # type: ignore[attr-defined]
        spread = 2 * math.sqrt(value) if method in ("poisson", "wilson") else None
        return IndicatorValue(
            **words,
            value=value,
            n=round(value),
            lower=value - spread if spread else None,
            upper=value + spread if spread else None,
            interval=method if spread else "",
            status=status,
        )

    def now(self, pilot: str) -> NowBoard | None:
        known = self.span(pilot)
        if known is None:
            return None
        quiet = pilot in self.silent
        minutes = {
            name: [0 if quiet else int(6 * share(name, pilot, at) ** 2) for at in range(60)]
            for name in ("usage", "engagement")
        }
        today = {
            "usage": 0 if quiet else self.usage_today[pilot],
            "engagement": 0 if quiet else round(30 * share("e", pilot)),
        }
        last = date_ns(known[1]) + 13 * 3600 * 10**9
        verdict = "silent" if quiet else "ok"
        feeds = [
            FeedNow(
                feed="app",
                stream="usage",
                verdict=verdict,
                sentence="heartbeats arrive" if not quiet else "nothing heard since then",
                last_ns=last,
                age_s=(NOW_NS - last) / 1e9,
            ),
            FeedNow(
                feed="meetings",
                stream="engagement",
                verdict="poor" if pilot == "athens" else verdict,
                sentence="some heartbeats are missing",
                last_ns=last,
                age_s=(NOW_NS - last) / 1e9,
            ),
        ]
        usual = {"usage": 210.0, "engagement": None if pilot == "milan" else 18.0}
        return NowBoard(
            pilot=pilot,
            day=LAST,
            as_of_ns=NOW_NS,
            minutes=minutes,
            today=today,
            usual=usual,
            feeds=feeds,
            synthetic=True,
        )

    def reports(self, pilot: str) -> list[ToldReport]:
        """Two feeds, of which the second has rejected kinds; an empty pilot has none, a silent one tells no more."""
        if self.span(pilot) is None:
            return []
        told_ns = date_ns(self.silent.get(pilot, LAST)) + 14 * 3600 * 10**9 - 20 * 10**9
        return [self._report(pilot, told_ns, "app", False), self._report(pilot, told_ns, "meetings", True)]

    def _report(self, pilot: str, told_ns: int, feed: str, rejected: bool) -> ToldReport:
        received = 4000 + round(2000 * share("received", pilot, feed))
        total = {"received": received, "written": received - 30, "duplicate": 20, "dropped:retained_replay": 10}
        samples = []
        dead = {"decode:not_json": 4, "validate:consent": 3} if rejected else {}
        if rejected:
            total |= {"written": received - 40, "dead_lettered": 7, "pending": 3}
            where = f"pilots/{pilot}/engagement/meetings"
            first, last = "2026-05-12T08:30:00.000000Z", "2026-05-12T11:58:01.000000Z"
            samples = [
                Sample("2026-05-12/17", "decode", "not_json", "the payload is not JSON: line 1, column 8", where,
                       first, last, 4, '{"at": <b>now', 13),
                Sample("2026-05-12/9", "validate", "consent", "an actor_key came without consent = cohort", where,
                       first, last, 3, None, 410),
            ]  # fmt: skip
        latency, skew = Quantiles(0.06, 0.11, received), Skew(0.9, -3.2 if rejected else 0.4, 1.4, received, 2)
        gap, last_at = Gap(3650.0, "2026-05-11T22:10:00.000000Z"), "2026-05-12T11:59:40.000000Z"
        day = DayReport(fates=total, latency_s=latency, skew_s=skew, longest_gap=gap, last_received=last_at)
        report = FeedReport(collector="main", feed=feed, total=total, dead=dead, days={"2026-05-12": day},
                            latency_s=latency, skew_s=skew, last_received=last_at, longest_gap=gap,
                            samples=samples)  # fmt: skip
        return ToldReport(told_ns, report)

    def session_losses(self, pilot: str) -> list[SessionLoss]:
        """Genoa's broker forgot twice."""
        self.version()
        if pilot != "genoa" or pilot in self.empty:
            return []
        known, unknown = NOW_NS - 15 * 3600 * 10**9, NOW_NS - 2 * 3600 * 10**9
        since = "2026-05-11T22:00:00.000000Z"
        return [SessionLoss(pilot, "main", known, since), SessionLoss(pilot, "main", unknown, "")]

    def activities(self, pilot: str, start: str | None = None, end: str | None = None) -> list[Activity]:
        self.version()
        found = []
        for at in range(12):
            day = (date.fromisoformat(LAST) - timedelta(days=round(30 * at + 20 * share(pilot, at)))).isoformat()
            if (start or "") <= day <= (end or "9999"):
                method, stage = METHODS[(at + len(pilot)) % 4]
                found.append(
                    Activity(
                        pilot=pilot,
                        activity_id=f"{pilot}-{at}",
                        day=day,
                        stage=stage,
                        method=method,
                        attendance=None if at == 3 else 8 + at * 3,
                        synthetic=True,
                    )
                )
        return sorted(found, key=lambda one: one.day)

    def decisions(self, pilot: str, start: str | None = None, end: str | None = None) -> list[Decision]:
        self.version()
        day = (date.fromisoformat(LAST) - timedelta(days=9)).isoformat()
        roles = [
            DecisionRole(group="citizen", role="co_decider", people=14),
            DecisionRole(group="government", role="decider"),
        ]
        if pilot in self.empty or not (start or "") <= day <= (end or "9999"):
            return []
        return [
            Decision(
                pilot=pilot,
                decision_id=f"{pilot}-d",
                day=day,
                level_delivered="collaborate",
                outcome="approved",
                inputs_considered=9,
                inputs_adopted=4,
                roles=roles,
                synthetic=True,
            )
        ]

    def recorded(self, pilot: str, days: Iterable[str]) -> dict[str, int]:
        self.version()
        return dict(self.arrived)

    def incidents(self, pilots: Sequence[str], open_only: bool = False) -> list[Incident]:
        return [one for one in self.opened if one.pilot in pilots and not (open_only and one.closed_ns)]

    def own_incidents(self) -> list[Incident]:
        return [one for one in self.opened if one.pilot == "-"]

    def alerts_evaluated_ns(self) -> int | None:
        return self.evaluated_ns


def _periods(period: str, start: str, end: str) -> list[tuple[str, str]]:
    one, last = date.fromisoformat(start), date.fromisoformat(end)
    one = one - timedelta(days=one.weekday()) if period == "week" else one.replace(day=1) if period == "month" else one
    found = []
    while one <= last:
        following = (
            one + timedelta(days=_FIRST[period]) if period in _FIRST else (one + timedelta(days=31)).replace(day=1)
        )
        found.append((one.isoformat(), (following - timedelta(days=1)).isoformat()))
        one = following
    return found
