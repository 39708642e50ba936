"""How the events beneath an indicator were recorded, by the vocabulary's closed list `evidence`.

Only what events say of themselves counts: what says nothing is "unknown". Source: U4SSC, codes of data quality.
"""

from typing import Final

from config.catalogue import UNKNOWN
from pipeline.history import History
from pipeline.indicators.registry import Indicator

BY_PROGRAM: Final = "system_log"


def evidence_of(history: History, indicator: Indicator, first: int, last: int) -> str:
    """The words of all events that the indicator needs of days `first` to `last` and those that it looks back on or
    ahead to, in the order of the alphabet; what collectors measure of feeds is recorded by a program.

    Events are those of the types named in `needs`, for `action.performed` the pilot's own core types.
    """
    if indicator.family == "quality":
        return BY_PROGRAM
    needed = set(indicator.needs)
    if "action.performed" in needed:
        needed |= set(history.pilot.core_types)
    begin = 0 if indicator.look_back is None else first - indicator.look_back
    found: set[str] = set()
    kinds = [f"{stream}/{kind}" for stream in ("sensor", "usage", "engagement", "ops") for kind in sorted(needed)]
    for day in map(history.day, history.days_with(kinds, begin, last + indicator.look_ahead)):
        if day is not None:
            found.update(word for kind in kinds for word in day.evidence.get(kind, ()))
    return ", ".join(sorted(found)) or UNKNOWN
