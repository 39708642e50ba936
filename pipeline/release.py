"""The one place that hides small numbers of people, for pages and exports alike.

Rules: a figure that rests on 1 to k-1 people, or a rate with such a numerator or denominator, is shown as
"suppressed" without value, n or interval; 0 is shown. Where exactly one part of a shown total is hidden,
the smallest other part is hidden too, since the difference would tell it. k of 0 hides nothing.
"""

from collections.abc import Collection, Sequence

from pipeline.indicators.measure import Measure


def small(measure: Measure, k: int) -> bool:
    """True where the figure would disclose a count of 1 to k-1 people."""
    return any(0 < count < k for count in measure.people)


def hidden(measures: Sequence[Measure], k: int, already: Collection[int] = ()) -> set[int]:
    """Which figures of one indicator and period must be hidden, by place in the sequence; `already` are so."""
    if k < 2 or not any(measure.people for measure in measures):
        return set(already)
    found = {place for place, measure in enumerate(measures) if small(measure, k)} | set(already)
    total_shown = any(measure.dim == "" and place not in found for place, measure in enumerate(measures))
    for dim in {measure.dim for measure in measures} - {""}:
        parts = [
            place for place, measure in enumerate(measures) if measure.dim == dim and measure.people and measure.value
        ]
        concealed = [place for place in parts if place in found]
        others = sorted(
            (place for place in parts if place not in found),
            key=lambda place: (measures[place].value or 0, measures[place].segment),
        )
        if total_shown and len(concealed) == 1 and others:
            found.add(others[0])
    return found


def reason(k: int) -> str:
    """The sentence beside a hidden figure: the limit is public."""
    return f"hidden because it would tell of fewer than {k} people"
