"""What may be said: Holm's correction over a pilot's tests, and the rung of the wording ladder that is reached.

L0 tells before and after; L1 the rank among placebo dates; L2 a change of level in an interrupted time series; L3 the
same against a control series. "Caused" is said on L3 only. Source: indicators.md 7; Holm 1979.
"""

from collections.abc import Sequence
from math import exp
from typing import Final

from pipeline.effects.estimate import Interval
from pipeline.effects.tests import Ranked

LEVEL: Final = 0.05


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given.

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    found, reached = [0.0] * len(p_values), 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        reached = max(reached, min(1.0, (len(p_values) - place) * p_values[number]))
        found[number] = reached
    return found


def percent(change: float) -> float:
    """A change of logarithms in percent.

    >>> round(percent(0.0953), 1)
    10.0
    """
    return 100 * (exp(change) - 1)


def rung(p_adjusted: float | None, trend: Interval | None, control: bool, direction: str) -> str:
    """L0 to L3: each rung asks for the one below it."""
    if p_adjusted is None or p_adjusted > LEVEL:
        return "L0"
    if trend is None or (trend.lower <= 0 if direction == "up" else trend.upper >= 0):
        return "L1"
    return "L3" if control else "L2"


def wording(
    level: str, before: float, after: float, ranked: Ranked | None, p_adjusted: float | None, tests: int,
    trend: Interval | None, least: float | None, direction: str,
) -> str:  # fmt: skip
    """The sentence of a rung, with the numbers it rests on; it never claims more than the rung allows."""
    said = [f"Uptake was {before:.1f} a week before and {after:.1f} after."]
    more = "larger" if direction == "up" else "smaller"
    if ranked is None:
        said.append("There are too few other dates to compare with.")
    else:
        said.append(
            f"The change was {more} than at {ranked.below} of {ranked.dates} placebo dates"
            f" (p = {ranked.p_value:.3f}; {p_adjusted:.3f} after Holm's correction over"
            f" {tests} {'test' if tests == 1 else 'tests'})."
        )
    if level == "L0":
        said.append("That does not tell it apart from ordinary weeks.")
        if least is not None:
            said.append(f"A change below {abs(percent(least)):.0f} % would hardly show.")
    if level in ("L2", "L3") and trend is not None:
        beside = "" if level == "L2" else " beside the control service"
        said.append(
            f"In an interrupted time series with AR(1) errors the level changed{beside} by"
            f" {percent(trend.value):+.0f} % ({percent(trend.lower):+.0f} to {percent(trend.upper):+.0f})."
        )
    if level == "L3":
        said.append("With a control series and a date fixed beforehand this may be read as caused by the activity.")
    elif level != "L0":
        said.append("This is a coincidence in time, and no proof of a cause.")
    return " ".join(said)
