"""Every indicator, once: the screen, the export, the alerts and the codebook read this registry.

Promises: no indicator without all of its words, no id twice; a changed definition needs a higher version.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, Literal

from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window

Compute = Callable[[Window], list[Measure]]


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A definition. `streams` are those whose feeds gate it. Look-back and look-ahead are in days, beyond
    the period itself; a look-back of None is all history. `min_n` is the least denominator of a rate."""

    id: str
    version: int
    family: Literal["uptake", "engagement", "context", "quality"]
    title: str
    unit: str
    direction: Literal["up", "down", "none"]
    formula: str
    window: str
    min_n: int
    interval_method: Literal[
        "poisson", "wilson", "clustered wilson", "bootstrap", "bootstrap-t", "bca", "kaplan-meier", "none"
    ]
    comparable: Literal["yes", "within", "no"]
    needs: tuple[str, ...]
    caveat: str
    source: str
    compute: Compute
    streams: tuple[str, ...]
    dims: tuple[str, ...] = ()
    look_back: int | None = 0
    look_ahead: int = 0


INDICATORS: Final[dict[str, Indicator]] = {}
_MAY_BE_EMPTY: Final = {"dims", "look_back", "look_ahead", "min_n", "streams"}


class BadIndicator(Exception):
    """A definition with a blank or an id that is taken."""


def register(found: Indicator, registry: dict[str, Indicator] = INDICATORS) -> None:
    """Add a definition; raises BadIndicator."""
    for field in fields(found):
        if field.name not in _MAY_BE_EMPTY and not getattr(found, field.name):
            raise BadIndicator(f'indicator "{found.id}" says nothing about {field.name}')
    if found.id in registry:
        raise BadIndicator(f'there are two indicators with the id "{found.id}"')
    registry[found.id] = found


def indicator(**words: object) -> Callable[[Compute], Compute]:
    """Register the function below with its words."""

    def add(compute: Compute) -> Compute:
        register(Indicator(compute=compute, **words))  # type: ignore[arg-type]
        return compute

    return add
