"""How often one reader may ask: so many times within a window that slides along. Kept in memory, for one process."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

_MOST_READERS = 10_000


class Throttle:
    """At most `limit` requests within `window_s` seconds for each key; `tick` is a clock in s that never jumps."""

    def __init__(self, limit: int, window_s: float, tick: Callable[[], float]) -> None:
        self._limit, self._window_s, self._tick = limit, window_s, tick
        self._asked: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, key: Hashable) -> bool:
        """Count a request; False when it is one too many, which is not counted."""
        now = self._tick()
        with self._lock:
            asked = self._asked.setdefault(key, deque())
            self._asked.move_to_end(key)
            while asked and now - asked[0] >= self._window_s:
                asked.popleft()
            if len(asked) >= self._limit:
                return False
            asked.append(now)
            while len(self._asked) > _MOST_READERS:
                self._asked.popitem(last=False)
            return True
