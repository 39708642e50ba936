"""Two places where a store can live, with what the contract asks of a place: come back, go away, forget the old."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.store.influx import InfluxStore
from pipeline.store.port import Mode, Store
from pipeline.store.sqlite import SQLiteStore
from tests.services.influxdb import Influx


@dataclass(frozen=True)
class Place:
    """`open` gives a store on the same data each time; `interrupt` makes writing impossible while it is open."""

    open: Callable[[Mode], Store]
    interrupt: Callable[[], AbstractContextManager[None]]


def sqlite_place(folder: Path, retention_s: int | None) -> Place:
    def opened(mode: Mode) -> Store:
        return SQLiteStore(folder, retention_s, mode=mode, clock=time.time_ns, busy_ms=200)

    return Place(opened, lambda: _locked_elsewhere(folder))


def influx_place(influx: Influx, retention_s: int | None) -> Place:
    raw, derived = influx.fresh_buckets(retention_s or 0)

    def opened(mode: Mode) -> Store:
        return InfluxStore(influx.url, influx.org, influx.token, raw, derived, mode=mode)

    return Place(opened, lambda: _stopped(influx))


_HOLD = """
import sqlite3, sys
held = [sqlite3.connect(path, isolation_level=None) for path in sys.argv[1:]]
for connection in held:
    connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def _locked_elsewhere(folder: Path) -> Iterator[None]:
    """Another process holds both files, as a stuck one would."""
    paths = [str(folder / "raw.db"), str(folder / "derived.db")]
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, *paths], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.stdin.close()
            holder.wait(30)


@contextmanager
def _stopped(influx: Influx) -> Iterator[None]:
    influx.stop()
    try:
        yield
    finally:
        influx.start()
