"""The event vocabulary: one type per kind of event, what it may say and what it has to say.

`common` holds what any event may say, `usage`, `engagement` and `ops` one type each for every kind, `codes` the
values; `faults` turns a refusal into a sentence with its remedy; `schemas` and `page` publish all of it under
docs/schemas. Promises: fields that a type does not know are kept and not checked; a name that is no type gets the
nearest that is. Source: indicators.md 3.3 to 3.5.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from config.events import engagement, ops, usage
from config.events.envelope import Common
from config.events.faults import Refused, refused

EVENT_TYPES: Final[dict[str, type[Common]]] = {**usage.TYPES, **engagement.TYPES, **ops.TYPES}
_WHOLE: Final = 2.0**53  # beyond it a float holds no whole number exactly, and JSON no integer
OPS_TYPES: Final = frozenset({"feed.heartbeat", "collector.ledger", "collector.session_lost", "calendar.closure"})


def check(kind: str, data: dict[str, Any], extra_types: Iterable[str] = ()) -> Refused | None:
    """Why an event may not come in, None where it may. `extra_types` are those that the pilot's file names."""
    known = EVENT_TYPES.get(kind)
    if known is None:
        if kind not in extra_types:
            return unknown_type(kind, extra_types)
        known = Common
    try:
        msgspec.convert(data, known)
    except msgspec.ValidationError:
        return _second_look(known, data)
    return None


def _second_look(known: type[Common], data: dict[str, Any]) -> Refused | None:
    """The same, once whole numbers that were written with a fraction, such as 31.0, are whole numbers in `data`."""
    for field in known.__struct_fields__:
        value = data.get(field)
        if isinstance(value, float) and abs(value) < _WHOLE and value.is_integer():
            data[field] = int(value)
    try:
        msgspec.convert(data, known)
    except msgspec.ValidationError as error:
        return refused(known, str(error))
    return None


def unknown_type(kind: str, extra_types: Iterable[str] = ()) -> Refused:
    """The sentence for a type that nobody declared; it names the nearest known one, never what was sent."""
    near = nearest(kind, extra_types)
    meant = f"; did you mean {near}?" if near else " (docs/schemas/README.md);"
    return Refused(
        "unknown_type",
        f"the event's type is not in the vocabulary{meant} if it is your own, name it in extra_types of the feed",
    )


def nearest(kind: str, extra_types: Iterable[str] = (), cutoff: float = 0.6) -> str | None:
    """The known type that a misspelt one is most like.

    >>> nearest("activity.hold"), nearest("xyz")
    ('activity.held', None)
    """
    return next(iter(get_close_matches(kind, [*EVENT_TYPES, *extra_types], n=1, cutoff=cutoff)), None)
