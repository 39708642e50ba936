"""The complete grid of one period: compute every indicator, set its status, release it.

A status is the first that applies: suppressed, not_defined, incomplete, insufficient_n, feed_poor, ok.
Promise: what was not computed has no value; 0 is only said where feeds were healthy or state no rhythm.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from pipeline.history import History
from pipeline.indicators.intervals import poisson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import INDICATORS, Indicator
from pipeline.indicators.window import Window
from pipeline.periods import Period, iso, ordinal
from pipeline.quality import OK
from pipeline.release import hidden, reason, rounded
from pipeline.release_book import Book
from pipeline.release_rules import judge
from pipeline.release_verdict import Verdict, Withheld, because
from pipeline.sketches import OtherKeyEpoch
from pipeline.values import IndicatorValue

NARROWER: Final = "narrower"  # told of fewer activities
SHORTER: Final = "shorter"  # told of fewer days


def evaluate(
    history: History,
    period: Period,
    as_of_ns: int,
    k: int,
    ids: Iterable[str] | None = None,
    book: Book | None = None,
    base: int = 0,
) -> list[IndicatorValue]:
    """Values of all indicators (or of `ids`) for one pilot and period, in registry order.

    `as_of_ns` decides what is over; `k` is the catalogue's `disclosure_k`. `book` holds the release decisions for
    that limit; without one they are made from what is known now. Counts of people are rounded to a multiple of
    `base`, where one is given.
    """
    window = Window(history, period, as_of_ns)
    book = book or Book(history, as_of_ns, k)
    chosen = INDICATORS if ids is None else {key: INDICATORS[key] for key in INDICATORS if key in set(ids)}
    synthetic = history.pilot.synthetic or any(day.synthetic for day in window.days)
    gates: dict[tuple[str, ...], float | None] = {}
    found: list[IndicatorValue] = []
    for definition in chosen.values():
        if definition.streams not in gates:
            gates[definition.streams] = _gate(definition, window)
        for measure, told in _released(definition, window, book):
            measure = rounded(measure, base, definition.unit)
            found.append(_value(definition, window, measure, gates[definition.streams], told, synthetic))
    return found


Told = tuple[str, str] | None  # the status and reason that the release gives, None where it changes nothing


def _released(definition: Indicator, window: Window, book: Book) -> list[tuple[Measure, Told]]:
    """Figures of an indicator with what the release says of each."""
    measures = _measures(definition, window)
    totals = [judge(definition.id, book, window, measure) for measure in measures]
    narrower: dict[int, tuple[Measure, Told]] = {}
    if window.period.name in ("all", "chosen"):
        for measure, verdict in zip(measures, totals, strict=True):
            if not measure.dim and verdict is not None and verdict.told is not None:
                return _narrower(definition, window, book, verdict)
        narrower = _narrower_parts(definition, window, book, measures, totals)
    totals = [one and msgspec.structs.replace(one, told=None) for one in totals]
    withheld = {place for place, one in enumerate(totals) if one is not None and one.instead is None}
    concealed = hidden(measures, book.k, withheld)
    found: list[tuple[Measure, Told]] = []
    for place, (measure, verdict) in enumerate(zip(measures, totals, strict=True)):
        told = None
        if place in narrower:
            measure, told = narrower[place]
        elif verdict is not None and verdict.instead is not None:
            measure = _counted_as(measure, verdict.instead)
            told = NARROWER, because(verdict, book.k)
        elif verdict is not None:
            told = "incomplete" if verdict.waiting else "suppressed", because(verdict, book.k)
        elif place in concealed:
            told = "suppressed", reason(book.k)
        found.append((measure, told))
    return found


def _counted_as(measure: Measure, count: int) -> Measure:
    lower, upper = poisson(count) if measure.interval == "poisson" else (None, None)
    return replace(measure, value=float(count), n=count, people=(count,), lower=lower, upper=upper)


def _narrower(definition: Indicator, window: Window, book: Book, verdict: Withheld) -> list[tuple[Measure, Told]]:
    """The figures of the widest window within the period for which they may be told, marked as such."""
    first, last = verdict.told or (window.first, window.last)
    assert last - first < window.last - window.first, "what may be told is less than what was asked"
    shorter = Window(window.history, Period(window.period.name, iso(first), iso(last)), window.as_of_ns)
    found = _released(definition, shorter, book)
    why = because(verdict, book.k)
    return [(measure, _also(told, why) if told else (SHORTER, why)) for measure, told in found]


def _also(told: tuple[str, str], why: str) -> tuple[str, str]:
    """What is said of a figure of a narrower window; one of a still narrower one names that alone."""
    return told if told[0] == SHORTER else (told[0], f"{why}; {told[1]}")


def _narrower_parts(
    definition: Indicator, window: Window, book: Book, measures: Sequence[Measure], totals: Sequence[Verdict]
) -> dict[int, tuple[Measure, Told]]:
    """Parts that may be told of a narrower window than their total, by place."""
    found: dict[int, tuple[Measure, Told]] = {}
    for told in {verdict.told: verdict for verdict in totals if verdict is not None and verdict.told}.values():
        parts = {(one[0].dim, one[0].segment): one for one in _narrower(definition, window, book, told)}
        for place, (measure, verdict) in enumerate(zip(measures, totals, strict=True)):
            if verdict is not None and verdict.told == told.told and (measure.dim, measure.segment) in parts:
                found[place] = parts[measure.dim, measure.segment]
    return found


def _measures(definition: Indicator, window: Window) -> list[Measure]:
    try:
        return definition.compute(window)
    except OtherKeyEpoch as error:
        return [not_defined(f"{error}, so people cannot be told apart")]


def _gate(definition: Indicator, window: Window) -> float | None:
    """Completeness of the worst stream beneath, over the period; None where none states a rhythm."""
    first, last = max(window.first, window.span[0]), min(window.last, window.span[1])
    known = [
        found
        for stream in definition.streams
        if (found := window.history.completeness(stream, first, last, window.as_of_ns)) is not None
    ]
    return min(known) if known else None


def _value(
    definition: Indicator, window: Window, measure: Measure, gate: float | None, told: Told, synthetic: bool
) -> IndicatorValue:
    period = window.period
    status, why = _status(definition, window, measure, gate)
    value, n = measure.value, measure.n
    lower, upper, interval = measure.lower, measure.upper, measure.interval
    withheld = told is not None and told[0] not in (NARROWER, SHORTER)
    if told is not None and told[0] not in (NARROWER, SHORTER):
        status, why = told
        n = None
    elif told is not None:
        status, why = ("incomplete", told[1]) if status == "ok" else (status, f"{told[1]}; {why}")
    empty = withheld or status in ("not_defined", "insufficient_n") or _too_few(definition, measure)
    if empty or _silence(measure, gate):
        value, lower, upper, interval = None, None, None, ""
    return IndicatorValue(
        pilot=window.pilot.slug,
        indicator=definition.id,
        version=definition.version,
        period=period.name,
        start=period.start,
        end=period.end,
        dim=measure.dim,
        segment=measure.segment,
        value=value,
        n=n,
        lower=lower,
        upper=upper,
        interval=interval,
        status=status,
        completeness=measure.completeness if measure.completeness is not None else gate,
        synthetic=synthetic,
        reason=why,
        open=not window.closed_on(window.last, definition.streams),
    )


def _status(definition: Indicator, window: Window, measure: Measure, gate: float | None) -> tuple[str, str]:
    if measure.status == "not_defined":
        return measure.status, measure.reason
    if not window.closed_on(window.last, definition.streams):
        return "incomplete", f"the period to {period_end(window)} and the time allowed to late events are not over"
    if measure.status == "incomplete":
        return measure.status, measure.reason
    if _too_few(definition, measure):
        return "insufficient_n", measure.reason or f"rests on {measure.n}; at least {definition.min_n} are needed"
    if measure.status != "ok":
        return measure.status, measure.reason
    if measure.gate and gate is not None and gate < OK:
        return "feed_poor", f"its feeds delivered {gate:.0%} of what they should"
    return "ok", ""


def period_end(window: Window) -> str:
    """The period's last local day."""
    return iso(ordinal(window.period.end))


def _too_few(definition: Indicator, measure: Measure) -> bool:
    return measure.n is not None and definition.min_n > 0 and measure.n < definition.min_n


def _silence(measure: Measure, gate: float | None) -> bool:
    """Nothing counted while the feed was poor: that is not knowing, and not 0."""
    return measure.gate and gate is not None and gate < OK and measure.value == 0
