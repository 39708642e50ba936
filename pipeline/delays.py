"""How late events were received: counts in classes, so that days can be added and quantiles read off any window.

Promises: a quantile is right to 6 % above 1 ms; what its source's clock dated ahead of receipt is a class of its own,
and so is what came more than a week late, which is back-fill and no delay. Source: indicators.md Q2.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import floor, log10
from typing import Final

from pipeline.model import NS_PER_S, Event

PER_DECADE: Final = 20
LEAST_S: Final = 0.001
AHEAD: Final = -1_000
BACKFILLED: Final = 1_000
WEEK_S: Final = 7 * 86_400
PRECISE: Final = ("ms", "s")


def delays_of(events: Iterable[Event]) -> dict[int, int]:
    """Events by class of delay, in order; those without a time of their own or of receipt are left out."""
    found = Counter(
        class_of((event.received_ns - event.floor_ns) / NS_PER_S)
        for event in events
        if event.received_ns and event.time_rule == "payload" and event.time_precision in PRECISE
    )
    return dict(sorted(found.items()))


def class_of(delay_s: float) -> int:
    """The class of a delay in seconds.

    >>> class_of(-2), class_of(0), class_of(1), class_of(1e7)
    (-1000, -60, 0, 1000)
    """
    if delay_s < 0:
        return AHEAD
    if delay_s > WEEK_S:
        return BACKFILLED
    return floor(PER_DECADE * log10(max(delay_s, LEAST_S)))


def quantile(delays: Mapping[int, int], share: float) -> float | None:
    """The delay in seconds below which that share lies, back-fill apart; what is dated ahead counts as 0.

    >>> round(quantile({0: 10, 20: 1}, 0.5), 2)
    1.06
    """
    known = {key: n for key, n in delays.items() if key != BACKFILLED}
    left = share * sum(known.values())
    for key in sorted(known):
        left -= known[key]
        if left <= 1e-9:
            return 0.0 if key == AHEAD else float(10 ** ((key + 0.5) / PER_DECADE))
    return None
