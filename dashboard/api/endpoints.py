"""The table of addresses: what each gives, which parameters it takes, and which query of the pages answers it.

Nothing here adds people up: a count of distinct people over a longer time, several services or several pilots is no sum
of shorter ones, so no address offers one. Ask `chosen` for the whole period instead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

import msgspec

from dashboard import wording
from dashboard.api import kinds
from dashboard.api.asked import Asked, BadQuestion
from dashboard.findings import FINDINGS, Finding
from dashboard.queries import Queries
from dashboard.viewer import Viewer
from pipeline.findings import Pair
from pipeline.values import Activity, Decision, IndicatorValue

MAX_ROWS: Final = 20_000
_DAYS: Final = {"day": 1, "week": 7, "month": 28}
Find = Callable[[Queries, Viewer, Asked], list[Any]]


@dataclass(frozen=True)
class Endpoint:
    """One address: the type of its items, what it gives in one sentence, its parameters, and how it is answered."""

    kind: type[msgspec.Struct]
    title: str
    parameters: tuple[str, ...]
    find: Find


def too_many(rows: int) -> BadQuestion:
    return BadQuestion(
        f"This would give {rows:,} rows; at most {MAX_ROWS:,} are given at once. "
        "Ask for fewer pilots or indicators, a shorter time or longer periods."
    )


def _pilots(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    return [_facts(queries, who, one) for one in queries.pilots(who) if one.slug in asked.pilots]


def _facts(queries: Queries, who: Viewer, pilot: Any) -> kinds.PilotFacts:
    days = queries.known(who, [pilot.slug]) or (None, None)
    populations = [
        kinds.Population(
            kind=one.kind, value=None if one.value == "unknown" else one.value,
            year=None if one.year == "unknown" else one.year, source=one.source, synthetic=one.synthetic,
        )
        for one in pilot.denominators
    ]  # fmt: skip
    return kinds.PilotFacts(
        pilot=pilot.slug, name=pilot.name, country=pilot.country, time_zone=pilot.time_zone, service=pilot.service,
        synthetic=pilot.synthetic, first_day=days[0], last_day=days[1], populations=populations,
    )  # fmt: skip


def _indicators(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    return [
        kinds.Definition(
            indicator=one.id, version=one.version, family=one.family, title=one.title, unit=one.unit,
            direction=one.direction, formula=one.formula, window=one.window, min_n=one.min_n,
            interval=one.interval_method, comparable=one.comparable, dims=list(one.dims), needs=list(one.needs),
            caveat=one.caveat, source=one.source,
        )
        for one in queries.definitions().values()
        if not asked.indicators or one.id in asked.indicators
    ]  # fmt: skip


def _values(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    known = queries.known(who, asked.pilots)
    start, end = asked.start or (known and known[0]), asked.end or (known and known[1])
    if not start or not end or end < start:
        return []
    ids = asked.indicators or tuple(queries.definitions())
    days = (date.fromisoformat(end) - date.fromisoformat(start)).days + 1
    least = len(asked.pilots) * len(ids) * (days // _DAYS[asked.period] if known else 0)
    if least > MAX_ROWS:
        raise too_many(least)
    return list(_with_units(queries, queries.series(who, asked.pilots, ids, asked.period, start, end)))


def _chosen(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    found = queries.figures(who, asked.pilots, asked.start, asked.end)
    return list(
        _with_units(queries, [one for one in found if not asked.indicators or one.indicator in asked.indicators])
    )


def _pairs(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    return queries.pairs(who, asked.pilots, asked.indicators or None, asked.start, asked.end)


def _with_units(queries: Queries, values: list[IndicatorValue]) -> Iterator[kinds.Value]:
    known = queries.definitions()
    for one in values:
        unit = queries.unit(known[one.indicator], one.segment)
        yield kinds.Value(unit=unit, **{name: getattr(one, name) for name in one.__struct_fields__})


def _activities(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    start, end = asked.start or "1970-01-01", asked.end or "2199-12-31"
    return [one for slug in asked.pilots for one in queries.activities(who, slug, start, end)]


def _decisions(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    start, end = asked.start or "1970-01-01", asked.end or "2199-12-31"
    return [one for slug in asked.pilots for one in queries.decisions(who, slug, start, end)]


def _feeds(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    found = []
    for slug in asked.pilots:
        for one in queries.reports(who, slug):
            told = wording.local(one.told_ns).isoformat()
            fates = [(fate, "", n) for fate, n in sorted(one.report.total.items())]
            fates += [("dead_lettered", kind, n) for kind, n in sorted(one.report.dead.items())]
            found += [
                kinds.Fate(pilot=slug, collector=one.report.collector, feed=one.report.feed, told_at=told, fate=fate,
                           kind=kind, n=n)
                for fate, kind, n in fates
            ]  # fmt: skip
    return found


def _session_losses(queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    return [
        kinds.SessionLoss(
            pilot=slug, collector=one.collector, found_at=wording.local(one.found_ns).isoformat(),
            since=one.since or None,
        )
        for slug in asked.pilots
        for one in queries.session_losses(who, slug)
    ]  # fmt: skip


def _finding(finding: Finding, queries: Queries, who: Viewer, asked: Asked) -> list[Any]:
    return finding.ask(queries, who, asked.pilots)


ENDPOINTS: Final[dict[str, Endpoint]] = {
    "pilots": Endpoint(kinds.PilotFacts, "The pilots that you may see.", ("pilots",), _pilots),
    "indicators": Endpoint(kinds.Definition, "What each indicator means.", ("indicators",), _indicators),
    "values": Endpoint(
        kinds.Value,
        "Values per day, week or month, each with n, interval, status and quality.",
        ("pilots", "indicators", "period", "start", "end"),
        _values,
    ),
    "chosen": Endpoint(
        kinds.Value,
        "Values of one period of any length, people counted once over the whole of it.",
        ("pilots", "indicators", "start", "end"),
        _chosen,
    ),
    "pairs": Endpoint(
        Pair,
        "Each two pilots over whole weeks within the dates: difference, and the probability of its order; no ranking.",
        ("pilots", "indicators", "start", "end"),
        _pairs,
    ),
    "activities": Endpoint(Activity, "Engagement activities that were held.", ("pilots", "start", "end"), _activities),
    "decisions": Endpoint(
        Decision, "Closed decisions with the roles of groups in them.", ("pilots", "start", "end"), _decisions
    ),
    "feeds": Endpoint(kinds.Fate, "What became of every message of each feed.", ("pilots",), _feeds),
    "session-losses": Endpoint(
        kinds.SessionLoss, "When a broker forgot what it held for a collector.", ("pilots",), _session_losses
    ),
    **{name: Endpoint(one.kind, one.title, ("pilots",), partial(_finding, one)) for name, one in FINDINGS.items()},
}
