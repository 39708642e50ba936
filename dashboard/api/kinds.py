"""The types of items that only the API has; all others are those of `pipeline.values` and `pipeline.findings`."""

from typing import Any, Generic, TypeVar

import msgspec

from pipeline.values import IndicatorValue

Item = TypeVar("Item")


class Listing(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """An answer: `count` items, as of `data_version`, which changes when the data do."""

    data_version: str
    count: int
    items: list[Item]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer, after RFC 9457: `detail` says in a sentence what would help."""

    title: str
    status: int
    detail: str


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """A population that rates are computed per; None is unknown."""

    kind: str
    value: int | None
    year: int | None
    source: str
    synthetic: bool


class PilotFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A pilot, and the first and last local day of its data (None when none has arrived)."""

    pilot: str
    name: str
    country: str
    time_zone: str
    service: str
    synthetic: bool
    first_day: str | None
    last_day: str | None
    populations: list[Population]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator as the registry defines it. `comparable`: yes, within (a pilot only) or no."""

    indicator: str
    version: int
    family: str
    title: str
    unit: str
    direction: str
    formula: str
    window: str
    min_n: int
    interval: str
    comparable: str
    dims: list[str]
    needs: list[str]
    caveat: str
    source: str


class Value(IndicatorValue, frozen=True, kw_only=True):
    """A value of an indicator, with its unit."""

    unit: str


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of a feed had one fate over all days, as its collector told; `kind` of those set aside."""

    pilot: str
    collector: str
    feed: str
    told_at: str
    fate: str
    kind: str
    n: int


class SessionLoss(msgspec.Struct, frozen=True, kw_only=True):
    """A broker forgot what it held for a collector: messages from `since` (None is unknown) to `found_at` may be
    missing."""

    pilot: str
    collector: str
    found_at: str
    since: str | None


def plain(value: Any) -> Any:
    """A value for JSON with every field, also those that have their default: a reader need not know defaults."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
