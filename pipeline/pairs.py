"""Which days two pilots are compared over: whole ISO weeks that are over for all, and followed as long as is needed.

Promises: within the dates asked for; the same days for every pilot of a pair. A pilot whose data begin later, or end
before the last of these weeks, is not set beside others as if it had them all: its own days are told instead.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from config.catalogue import Catalogue, Pilot
from pipeline import compare
from pipeline.findings import Pair
from pipeline.indicators import INDICATORS
from pipeline.indicators.registry import Indicator
from pipeline.model import NS_PER_S
from pipeline.periods import WEEK, day_of, iso, monday, ordinal
from pipeline.values import IndicatorValue

Days = tuple[int, int]  # ordinals, both included


class Source(Protocol):
    """What is asked of `pipeline.answers.Answers`."""

    def span(self, pilot: str) -> tuple[str, str] | None: ...
    def as_of_ns(self) -> int: ...
    def chosen(
        self, pilots: Sequence[str], indicators: Sequence[str] | None, start: str | None = None, end: str | None = None
    ) -> list[IndicatorValue]: ...


def pairs(
    source: Source,
    catalogue: Catalogue,
    pilots: Sequence[str],
    indicators: Sequence[str] | None = None,
    start: str | None = None,
    end: str | None = None,
) -> list[Pair]:
    """Each two of these pilots on each indicator, in order of the registry; without `indicators` on all that may be
    compared. None for `start` is the first day that all of them have, for `end` the last that is over."""
    spans = {
        slug: (ordinal(span[0]), ordinal(span[1]))
        for slug in dict.fromkeys(pilots)
        if slug in catalogue.pilots and (span := source.span(slug))
    }
    if len(spans) < 2:
        return []
    over = min(_over(catalogue.pilots[slug], source.as_of_ns()) for slug in spans)
    first = ordinal(start) if start else max(span[0] for span in spans.values())
    last = min(over, ordinal(end)) if end else over
    kinds = {slug: _kind(catalogue.pilots[slug]) for slug in spans}
    asked = [one for one in INDICATORS.values() if _is_asked(one, indicators)]
    values = _values(source, asked, spans, first, last, over)
    return [
        pair
        for one in asked
        for pair in compare.pairs([value for value in values if value.indicator == one.id], one, kinds)
    ]


def _is_asked(one: Indicator, indicators: Sequence[str] | None) -> bool:
    return one.comparable == "yes" if indicators is None else one.id in indicators


def _values(
    source: Source, asked: Sequence[Indicator], spans: dict[str, Days], first: int, last: int, over: int
) -> list[IndicatorValue]:
    """Totals of the indicators, each over the weeks that could be followed as long as its definition waits."""
    by_weeks: dict[Days, list[str]] = {}
    for one in asked:
        weeks = whole_weeks(first, min(last, over - one.look_ahead))
        if weeks is not None:
            by_weeks.setdefault(weeks, []).append(one.id)
    return [
        _of_its_days(value, spans[value.pilot], weeks)
        for weeks, ids in by_weeks.items()
        for value in source.chosen(list(spans), ids, iso(weeks[0]), iso(weeks[1]))
        if value.dim == ""
    ]


def whole_weeks(first: int, last: int) -> Days | None:
    """The whole ISO weeks from day `first` to `last`, None where there is none.

    >>> weeks = whole_weeks(ordinal("2026-05-29"), ordinal("2026-11-24"))
    >>> [iso(day) for day in weeks]
    ['2026-06-01', '2026-11-22']
    >>> whole_weeks(ordinal("2026-06-02"), ordinal("2026-06-13"))
    """
    begin, after = monday(first + WEEK - 1), monday(last + 1)
    return (begin, after - 1) if begin < after else None


def _of_its_days(value: IndicatorValue, span: Days, weeks: Days) -> IndicatorValue:
    """A value with the days that its pilot has of these weeks; a last week with any day counts as a whole one."""
    end = weeks[1] if span[1] > weeks[1] - WEEK else span[1]
    return replace(value, start=iso(max(weeks[0], span[0])), end=iso(end))


def _over(pilot: Pilot, as_of_ns: int) -> int:
    """The last day of a pilot that is over, with the time allowed to late events."""
    late = max((feed.lateness.total_seconds() for feed in pilot.feeds), default=0.0)
    return ordinal(day_of(as_of_ns - int(late) * NS_PER_S, pilot.zone)) - 1


def _kind(pilot: Pilot) -> str:
    denominator = pilot.denominator()
    return denominator.kind if denominator is not None else ""
