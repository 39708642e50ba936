"""Pure: what became of a pilot's messages, in rows and sentences, from what its collectors told."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from config.catalogue import Pilot
from dashboard import wording
from dashboard.texts import _, _n
from pipeline.feed_report import FeedReport, Sample
from pipeline.reports import ToldReport

UNDECLARED: Final = "unknown"
LATE_S: Final = 3900  # a collector tells at least once an hour
_NS_PER_S: Final = 1_000_000_000
_ENDS: Final = ("written", "duplicate", "dead_lettered", "pending")


@dataclass(frozen=True)
class Feed:
    """One feed of a pilot as one collector tells of it; `told` None where none ever did."""

    id: str
    collector: str
    told: ToldReport | None

    @property
    def report(self) -> FeedReport | None:
        return self.told.report if self.told else None

    def count(self, fate: str) -> int | None:
        return self.told.report.total.get(fate, 0) if self.told else None

    @property
    def dropped(self) -> int | None:
        return sum(n for _rule, n in self.rules) if self.told else None

    @property
    def rules(self) -> list[tuple[str, int]]:
        """What was dropped by each rule of the pilot's file."""
        total = self.told.report.total if self.told else {}
        return [(fate.removeprefix("dropped:"), n) for fate, n in total.items() if fate.startswith("dropped:") and n]

    @property
    def unaccounted(self) -> int:
        """Messages without a fate: 0, or the ledger is broken."""
        if self.told is None:
            return 0
        total = self.told.report.total
        return total.get("received", 0) - sum(total.get(fate, 0) for fate in _ENDS) - (self.dropped or 0)


def feeds(pilot: Pilot, told: Sequence[ToldReport]) -> list[Feed]:
    """Every declared feed in the file's order, one row per collector that tells of it; undeclared ones at the end."""
    known = [feed.id for feed in pilot.feeds]
    found = []
    for feed in known:
        of = [Feed(feed, one.report.collector, one) for one in told if one.report.feed == feed]
        found += of or [Feed(feed, "", None)]
    others = [one for one in told if one.report.feed not in known]
    return found + [Feed(one.report.feed, one.report.collector, one) for one in others]


def sentence(pilot: str, rows: Sequence[Feed], now_ns: int) -> str:
    """What the numbers of a pilot say, the worst first."""
    told = [row for row in rows if row.told]
    if not told:
        return _("No collector has told of {pilot} yet.", pilot=pilot)
    lost = sum(abs(row.unaccounted) for row in told)
    if lost:
        return _n(
            "{n} message of {pilot} has no fate: the ledger does not add up. Run periscope doctor on the collector.",
            "{n} messages of {pilot} have no fate: the ledger does not add up. Run periscope doctor on the collector.",
            lost,
            pilot=pilot,
        )
    total: Counter[str] = Counter()
    for row in told:
        total.update({fate: row.count(fate) or 0 for fate in ("received", *_ENDS)})
        total["dropped"] += row.dropped or 0
    parts = [
        words
        for fate, words in (
            ("written", _("{n} written", n=wording.number(total["written"]))),
            ("duplicate", _("{n} repeated", n=wording.number(total["duplicate"]))),
            ("dead_lettered", _("{n} set aside", n=wording.number(total["dead_lettered"]))),
            ("dropped", _("{n} dropped by rule", n=wording.number(total["dropped"]))),
            ("pending", _("{n} waiting", n=wording.number(total["pending"]))),
        )
        if total[fate]
    ]
    said = (
        _(
            "All {n} messages received are accounted for: {parts}.",
            n=wording.number(total["received"]),
            parts=", ".join(parts),
        )
        if parts
        else _("Nothing has been received.")
    )
    age_s = (now_ns - max(row.told.told_ns for row in told if row.told)) / _NS_PER_S
    if age_s > LATE_S:
        said += " " + _(
            "But no collector has told anything for {age}: it does not run or cannot reach the broker.",
            age=wording.age(age_s),
        )
    return said


def share_set_aside(rows: Iterable[Feed]) -> float | None:
    """Share of received messages that are set aside, 0 to 1; None where nothing was received."""
    received = sum(row.count("received") or 0 for row in rows)
    return sum(row.count("dead_lettered") or 0 for row in rows) / received if received else None


def mostly_without_reading(rows: Iterable[Feed]) -> list[str]:
    """Feeds more than half of whose messages held no reading: their map may name fields that nobody sends."""
    return [row.id for row in rows if (row.count("dropped:no_reading") or 0) > (row.count("received") or 0) / 2]


def kinds(rows: Iterable[Feed]) -> list[tuple[Feed, str, int, Sample | None]]:
    """Each rejected kind (`stage:code`) of each feed with its number and newest sample, most first within a feed."""
    found = []
    for row in rows:
        if row.report is None:
            continue
        samples = {f"{one.stage}:{one.code}": one for one in row.report.samples}
        for kind, n in sorted(row.report.dead.items(), key=lambda item: (-item[1], item[0])):
            if n:
                found.append((row, kind, n, samples.get(kind)))
    return found


def latency(feed: Feed) -> str:
    """Seconds until queryable: half of the messages and 95 % of them."""
    found = feed.report.latency_s if feed.report else None
    if found is None:
        return wording.NOTHING
    return _("{p50}\n95 % within {p95}", p50=wording.lag(found.p50), p95=wording.lag(found.p95))


def skew(feed: Feed) -> str:
    """How far the sources' clocks and the way here set event time apart from receipt."""
    found = feed.report.skew_s if feed.report else None
    if found is None or found.median is None or found.min is None or found.max is None:
        return wording.NOTHING
    spread = _("{low} to {high}", low=wording.lag(found.min), high=wording.lag(found.max))
    ahead = "\n" + _("clock ahead") if found.min < -2 else ""
    return f"{wording.lag(found.median)}\n{spread}{ahead}"


def gap(feed: Feed, pilot: Pilot) -> str:
    """The longest silence that ended in the last days, and when it began."""
    found = feed.report.longest_gap if feed.report else None
    if found is None:
        return wording.NOTHING
    return _(
        "{age}\nfrom {time}",
        age=wording.age(found.seconds),
        time=wording.moment(wording.ns_of(found.since), pilot.zone),
    )
