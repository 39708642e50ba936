"""When a letter that could not be delivered is tried again, and when it is given up: pure."""

import random
from typing import Final

from pipeline.model import NS_PER_S

GIVE_UP_S: Final = 24 * 3600
LONGEST_S: Final = 600.0
ASKED_S: Final = 3600.0  # the longest pause that a receiver may ask for
AHEAD_S: Final = 2 * ASKED_S  # what is due later than any pause would be was put off by a clock that has gone back
FAILING_S: Final = 900  # a letter that has waited so long means that its channel does not deliver


def pause_ns(attempts: int, asked_s: float | None = None) -> int:
    """How long to wait after so many failed attempts, spread so that receivers are not hit by all at once.

    >>> 1.5 <= pause_ns(1) / 1e9 <= 2.5
    True
    >>> pause_ns(40) / 1e9 <= 750
    True
    >>> pause_ns(1, asked_s=60) / 1e9 >= 60
    True
    """
    pause_s = min(LONGEST_S, 2.0 ** min(attempts, 10)) * random.uniform(0.75, 1.25)
    return int(max(pause_s, min(asked_s or 0.0, ASKED_S)) * NS_PER_S)


def is_hopeless(made_ns: int, now_ns: int) -> bool:
    """True once a letter has been tried for a day."""
    return now_ns - made_ns > GIVE_UP_S * NS_PER_S
