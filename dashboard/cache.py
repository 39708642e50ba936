"""A small cache of answers, keyed by the version of the data, so that an answer is never older than its data."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any


class VersionedCache:
    """Keeps the latest `size` answers of one version; a new version empties it. Threads may share it."""

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._version = ""
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version: str, key: Hashable, compute: Callable[[], Any]) -> Any:
        """The answer to `key`; `compute` runs outside the lock, so a slow answer delays no other reader."""
        with self._lock:
            if version != self._version:
                self._kept.clear()
                self._version = version
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        answer = compute()
        with self._lock:
            if version == self._version:
                self._kept[key] = answer
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
        return answer
