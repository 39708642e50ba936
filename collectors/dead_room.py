"""How much room the bodies of dead letters take, and what happens when there is none left.

Promises: beyond the limit a body is not kept, while the message, its reason, size and SHA-256 are; that is logged once
each time the limit is reached, and shown by `full`. Several processes on one spool may each go beyond the limit by
what the others add within a minute.
"""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
_AGAIN_S = 60.0
_SHARE = 100  # of the time, at most one part in so many goes into measuring


class DeadRoom:
    """Bytes of bodies, measured now and then by `measure` and counted in between."""

    def __init__(self, most: int, measure: Callable[[], int]) -> None:
        self.most = most
        self.used = 0
        self.dropped = 0
        self.full = ""
        self._measure = measure
        self._next = 0.0

    def takes(self, size: int) -> bool:
        """Whether a body of `size` bytes may be kept; if so it is counted."""
        self.look()
        if size == 0:
            return True
        if self.used + size > self.most:
            self.dropped += 1
            self._tell()
            return False
        self.used += size
        return True

    def look(self) -> None:
        """Measure again when it is time."""
        began = time.monotonic()
        if began < self._next:
            return
        self.used = self._measure()
        took = time.monotonic() - began
        self._next = began + max(_AGAIN_S, _SHARE * took)
        if self.full and self.used < 0.9 * self.most:
            log.warning("there is room for the bodies of dead letters again")
            self.full = ""

    def _tell(self) -> None:
        if not self.full:
            self.full = (
                f"the bodies of dead letters have reached their limit of {self.most} bytes, new ones are not kept; "
                "purge with `periscope dead-letters purge` or raise PERISCOPE_SPOOL__DEAD_LETTER_BYTES"
            )
            log.error("%s", self.full)
