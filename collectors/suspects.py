"""Which message was being judged when the process ended: a payload that kills its decoder gets three tries.

Promises: naming the message costs no system call and outlives any end of the process (a shared mapping of a file
beside the spool; only a power failure forgets it, and a power failure is no payload's doing); how often the process
ended at a message is on disk before that message is judged again.
"""

import json
import logging
import mmap
import os
import struct
import time
from pathlib import Path

log = logging.getLogger(__name__)
MOST_TRIES = 3
_PLACE = struct.Struct("<?7x10s6xq")  # busy, day, seq


class Suspects:
    """Two small files beside the spool, used by the delivering thread alone."""

    def __init__(self, folder: Path) -> None:
        self._counts = folder / "suspects.json"
        self._since: float | None = None
        self._tries = _read(self._counts)
        handle = os.open(folder / "judging", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(handle, mmap.PAGESIZE)
            self._place = mmap.mmap(handle, mmap.PAGESIZE)
        finally:
            os.close(handle)
        busy, day, seq = _PLACE.unpack_from(self._place)
        if busy:
            self._blame(day.decode(errors="replace"), seq)
        self.clear()

    def judging(self, day: str, seq: int) -> None:
        """Say that this message is about to be judged."""
        self._since = time.monotonic()
        _PLACE.pack_into(self._place, 0, True, day.encode(), seq)

    def clear(self) -> None:
        """Say that nothing is being judged."""
        self._since = None
        _PLACE.pack_into(self._place, 0, False, b"", 0)

    @property
    def busy_s(self) -> float:
        """Seconds for which the message in hand is being judged; 0 between messages."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def condemned(self, day: str, seq: int) -> bool:
        """Whether the process ended at this message as often as a message may end it."""
        return bool(self._tries) and self._tries.get(_name(day, seq), 0) >= MOST_TRIES

    def forget(self, day: str, seqs: list[int]) -> None:
        """These messages have their fate; requeued ones begin anew."""
        if self._tries and [self._tries.pop(name) for seq in seqs if (name := _name(day, seq)) in self._tries]:
            self._write()

    def close(self) -> None:
        self._place.close()

    def _blame(self, day: str, seq: int) -> None:
        name = _name(day, seq)
        self._tries[name] = self._tries.get(name, 0) + 1
        log.error(
            "the last run ended while it judged message %d of %s (%d of %d tries)",
            seq, day, self._tries[name], MOST_TRIES,
        )  # fmt: skip
        self._write()

    def _write(self) -> None:
        fresh = self._counts.with_suffix(".new")
        with fresh.open("w") as file:
            json.dump(self._tries, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._counts)
        handle = os.open(self._counts.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _name(day: str, seq: int) -> str:
    return f"{day} {seq}"


def _read(path: Path) -> dict[str, int]:
    """Damaged counts are no counts: the message gets its tries again."""
    try:
        found = json.loads(path.read_text())
        return {str(name): int(tries) for name, tries in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
