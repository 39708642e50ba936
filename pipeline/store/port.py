"""Where events and values live: one narrow port, two adapters (`sqlite`, `influx`), one contract test."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol

from pipeline.model import Event, Record, Refusal, Touch

# What this process writes: events (the collector), records (the pipeline), nothing (pages and exports), or both.
Mode = Literal["raw", "derived", "read", "all"]

# The code of a refusal that may pass: the store is removing the time range of this point; try once more after a minute.
PENDING_DELETION: Final = "pending_deletion"


class StoreAway(Exception):
    """Not reachable or overloaded: keep the batch and try again. `retry_after_s` wins over own backoff."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreHeld(StoreAway):
    """Configuration is wrong (bad token, missing bucket): keep everything, tell the operator, try again slowly."""


class StoreRefused(Exception):
    """The request itself can never succeed (schema too new, folder not writable); the sentence names the remedy."""


class Store(Protocol):
    """Raw events and derived records.

    Every adapter promises:
    - `write` is idempotent: the same event written twice is one point. It returns the points that it can
      never take (older than retention, not representable); all others are queryable and durable when it
      returns. One bad point never costs its neighbours. Different events of one millisecond are all kept.
    - Times come back to the nanosecond; reads are ordered by `time_ns`, start included, end excluded, and
      hide nothing that lies in the future.
    - `delete` removes exactly the given points (stream, pilot, feed, type or device and quantity, time) and
      no neighbour; deleting what is not there is no error.
    - `of_actor` gives every event of one actor in one pilot, in order of time.
    - `erase` removes every event of one actor in one pilot and returns what was removed.
    - `touch` is recorded after the points are queryable; the latest `seq` of a pilot-day wins.
    - `put` replaces whole records by identity (kind, pilot, key, time_ns).
    - Every value is data: no string given in any parameter is ever interpreted as a query.
    - One Store may be shared by threads. StoreAway and StoreHeld mean "nothing is lost, try again".
    """

    def write(self, events: Sequence[Event]) -> list[Refusal]: ...

    def read(self, pilot: str, streams: Sequence[str], start_ns: int, end_ns: int) -> list[Event]: ...

    def delete(self, events: Iterable[Event]) -> None: ...

    def of_actor(self, pilot: str, actor_key: str) -> list[Event]: ...
    def erase(self, pilot: str, actor_key: str) -> list[Event]: ...

    def count(self, pilot: str, stream: str, start_ns: int, end_ns: int) -> int:
        """Number of stored raw points, for the audit against the ledger."""
        ...

    def touch(self, touches: Sequence[Touch]) -> None: ...

    def touches(self) -> list[Touch]: ...

    def put(self, records: Sequence[Record]) -> None: ...

    def get(self, kind: str, pilot: str | None, start_ns: int, end_ns: int, key: str | None = None) -> list[Record]:
        """Records by kind, ordered by (pilot, key, time_ns); `pilot` or `key` None means all."""
        ...

    def ping(self) -> None:
        """Return when the store answers and takes our credentials; else raise StoreAway or StoreHeld."""
        ...

    def retention_ns(self) -> int | None:
        """How long raw events are kept, in ns; None for ever, or where our rights do not tell. Raises StoreAway."""
        ...

    def close(self) -> None: ...
