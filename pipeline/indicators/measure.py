"""What an indicator function gives: a figure with what it rests on and whom it would disclose."""

from dataclasses import dataclass

from pipeline.indicators.intervals import poisson, wilson
from pipeline.sketches import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure before gates and release.

    `people` are the counts of people that could be read from it: any of 1 to k-1 hides it. `n` is what the
    value rests on, None where that has no sense. `status` is "ok", "not_defined", "incomplete" or
    "insufficient_n" as far as the function itself can tell. `gate` False leaves the feed gate out.
    """

    value: float | None = None
    n: int | None = None
    lower: float | None = None
    upper: float | None = None
    interval: str = ""
    dim: str = ""
    segment: str = ""
    people: tuple[int, ...] = ()
    status: str = "ok"
    reason: str = ""
    completeness: float | None = None
    gate: bool = True


def not_defined(reason: str, dim: str = "", segment: str = "") -> Measure:
    """A figure that has no meaning here, and why."""
    return Measure(status="not_defined", reason=reason, dim=dim, segment=segment)


def of_people(people: People) -> Measure:
    """A count of people with its interval; beyond exact counting the sketch's own bounds are joined to it."""
    count = people.count
    lower, upper = poisson(count)
    if people.exact:
        return Measure(value=float(count), n=count, lower=lower, upper=upper, interval="poisson", people=(count,))
    low, high = people.bounds
    return Measure(
        value=float(count),
        n=count,
        lower=min(lower, low),
        upper=max(upper, high),
        interval="poisson and sketch",
        people=(count,),
    )


def of_total(total: float, n: int, dim: str = "", segment: str = "") -> Measure:
    """A total of events or readings: counted, not estimated, so it has no interval."""
    return Measure(value=float(total), n=n, dim=dim, segment=segment)


def of_share(hits: People, whole: int, scale: float = 100.0, show_n: bool = True) -> Measure:
    """A share of a number of people or inhabitants, times `scale`, with a Wilson interval.

    `show_n` False is for a published denominator, which discloses nobody.
    """
    count = hits.count
    lower, upper = wilson(min(count, whole), whole)
    if not hits.exact:
        low, high = hits.bounds
        lower, upper = min(lower, low / whole), max(upper, min(high / whole, 1.0))
    return Measure(
        value=scale * count / whole,
        n=whole,
        lower=scale * lower,
        upper=scale * upper,
        interval="wilson",
        people=(count, whole, whole - count) if show_n else (count,),
    )
