"""The complete grid of one period: compute every indicator, set its status, release it.

A status is the first that applies: suppressed, not_defined, incomplete, insufficient_n, feed_poor, ok.
Promise: what was not computed has no value; 0 is only said where feeds were healthy or state no rhythm.
"""

from collections.abc import Iterable

from pipeline.history import History
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import INDICATORS, Indicator
from pipeline.indicators.window import Window
from pipeline.periods import Period, iso, ordinal
from pipeline.quality import OK
from pipeline.release import hidden, reason
from pipeline.sketches import OtherKeyEpoch
from pipeline.values import IndicatorValue


def evaluate(
    history: History, period: Period, as_of_ns: int, k: int, ids: Iterable[str] | None = None
) -> list[IndicatorValue]:
    """Values of all indicators (or of `ids`) for one pilot and period, in registry order.

    `as_of_ns` decides what is over; `k` is the catalogue's `disclosure_k`.
    """
    window = Window(history, period, as_of_ns)
    chosen = INDICATORS if ids is None else {key: INDICATORS[key] for key in INDICATORS if key in set(ids)}
    synthetic = history.pilot.synthetic or any(day.synthetic for day in window.days)
    gates: dict[tuple[str, ...], float | None] = {}
    found: list[IndicatorValue] = []
    for definition in chosen.values():
        measures = _measures(definition, window)
        if definition.streams not in gates:
            gates[definition.streams] = _gate(definition, window)
        concealed = hidden(measures, k)
        for place, measure in enumerate(measures):
            found.append(
                _value(
                    definition,
                    window,
                    measure,
                    gates[definition.streams],
                    reason(k) if place in concealed else None,
                    synthetic,
                )
            )
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
    definition: Indicator, window: Window, measure: Measure, gate: float | None, concealed: str | None, synthetic: bool
) -> IndicatorValue:
    period = window.period
    status, why = _status(definition, window, measure, gate)
    value, n = measure.value, measure.n
    lower, upper, interval = measure.lower, measure.upper, measure.interval
    if concealed is not None:
        status, why = "suppressed", concealed
        n = None
    empty = status in ("suppressed", "not_defined", "insufficient_n") or _too_few(definition, measure)
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
