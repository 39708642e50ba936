"""`periscope import` of many rows: into each store with --direct, and through the broker beside the collector's drain.

    python -m tests.benchmarks.importing [--rows 1000000] [--drain 50000]

The clock runs from the start of the command to its end, when every event is stored. What can be queried is counted
then, and a run that stored another number is void. Prints rates, processor time and peak memory.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.store.sqlite import SQLiteStore
from tests.benchmarks.ingest import CATALOGUE, Bench
from tests.command import ROOT
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import wait_until

MAPPING = """feed = "app"
[cloudevent]
id = "{file}-{row}"
source = "/pilots/{pilot}/app"
type = "action.performed"
time = "time"
[cloudevent.constants]
service_id = "app"
actor_kind = "citizen"
synthetic = true
[cloudevent.columns]
action = "action"
"""


@dataclass(frozen=True)
class Imported:
    """One import: rows per second until all were stored, processor seconds of all its processes, peak memory of one."""

    events_per_s: float
    cpu_s: float
    peak_mib: float


class Void(Exception):
    """What was stored is not what was imported, so that no rate can be told."""


def measure(
    rows: int, influx: Influx | None, broker: Mosquitto | None = None, drain_per_s: float | None = None
) -> dict[str, float | None]:
    """The figures of one run; None where a service is missing. `drain_per_s` is the collector's of the same run."""
    sqlite = into_sqlite(rows)
    direct = into_influxdb(rows, influx) if influx is not None else None
    through = through_broker(rows, influx, broker) if influx is not None and broker is not None else None
    for name, one in (("SQLite", sqlite), ("InfluxDB", direct), ("broker, InfluxDB", through)):
        if one is not None:
            print(
                f"import {name:17} {one.events_per_s:8,.0f} events/s, {one.cpu_s:6.1f} s of processor, "
                f"{one.peak_mib:6.1f} MiB at most",
                flush=True,
            )
    return {
        "import.sqlite_events_per_s": round(sqlite.events_per_s),
        "import.influxdb_events_per_s": None if direct is None else round(direct.events_per_s),
        "import.broker_events_per_s": None if through is None else round(through.events_per_s),
        "import.broker_over_drain": round(through.events_per_s / drain_per_s, 3) if through and drain_per_s else None,
        "import.peak_mib": round(max(one.peak_mib for one in (sqlite, direct, through) if one is not None), 1),
    }


def into_sqlite(rows: int) -> Imported:
    """--direct, no collector running, into the embedded store."""
    with tempfile.TemporaryDirectory() as folder:
        done = _run(Path(folder), rows, {"STORE": "sqlite"}, "--direct")
        store = SQLiteStore(Path(folder) / "state/store", mode="read")
        try:
            _sound(store.count("bremen", "usage", 0, 2**63 - 1), rows)
        finally:
            store.close()
    return done


def into_influxdb(rows: int, influx: Influx) -> Imported:
    """--direct, no collector running, into a fresh bucket."""
    raw, derived = influx.fresh_buckets()
    with tempfile.TemporaryDirectory() as folder:
        done = _run(Path(folder), rows, _influx(influx, raw, derived), "--direct")
        _sound(influx.count(raw, "usage", "event_id"), rows)
    return done


def through_broker(rows: int, influx: Influx, broker: Mosquitto) -> Imported:
    """Through the broker while the collector takes it out again, until the last point can be queried."""
    raw, derived = influx.fresh_buckets()
    bench = Bench(broker, influx, rows)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        state.mkdir()
        with bench.collector(state, raw, derived) as collector:
            collector.said("connected to broker", 60)
            before = collector.cpu_s()
            began = time.monotonic()
            sent = _run(Path(folder), rows, {"STORE": "sqlite", "MQTT__PORT": broker.port})
            wait_until(lambda: influx.count(raw, "usage", "event_id") >= rows, 600, "storing all points", 0.1)
            spent = time.monotonic() - began
            cpu_s, peak = collector.cpu_s() - before, collector.peak_mib()
        _sound(influx.count(raw, "usage", "event_id"), rows)
    return Imported(rows / spent, sent.cpu_s + cpu_s, max(sent.peak_mib, peak))


def _run(folder: Path, rows: int, settings: Mapping[str, Any], *words: str) -> Imported:
    """The real command, timed."""
    (folder / "catalogue").mkdir()
    (folder / "catalogue/bremen.toml").write_text(CATALOGUE)
    (folder / "mapping.toml").write_text(MAPPING)
    table = folder / "rows.csv"
    _write(table, rows)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PERISCOPE_")}
    ours = {"CATALOGUE": folder / "catalogue", "STATE": folder / "state", **settings}
    env = kept | {f"PERISCOPE_{key}": str(value) for key, value in ours.items()} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "periscope", "import", str(table), "--mapping", str(folder / "mapping.toml"),
               "--pilot", "bremen", "--quiet", "--json", *words]  # fmt: skip
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)
    spent, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise Void(done.stderr or done.stdout)
    report = json.loads(done.stdout)
    _sound(report["files"][0]["sent"], rows)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Imported(rows / spent, cpu_s, after.ru_maxrss / 1024)


def _write(path: Path, rows: int) -> None:
    """Events of a millisecond each that end now."""
    begin = datetime.now(UTC).replace(tzinfo=None) - timedelta(milliseconds=rows)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["time", "action"])
        for number in range(rows):
            moment = begin + timedelta(milliseconds=number)
            table.writerow([f"{moment.isoformat(timespec='milliseconds')}Z", ("vote", "comment", "share")[number % 3]])


def _influx(influx: Influx, raw: str, derived: str) -> dict[str, Any]:
    return {"STORE": "influx", "INFLUX__URL": influx.url, "INFLUX__ORG": influx.org, "INFLUX__TOKEN": influx.token,
            "INFLUX__RAW_BUCKET": raw, "INFLUX__DERIVED_BUCKET": derived}  # fmt: skip


def _sound(found: int, wanted: int) -> None:
    if found != wanted:
        raise Void(f"{found} events of {wanted}: this run says nothing")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--drain", type=int, default=50_000, help="messages of the drain that the broker is compared to"
    )
    options = parser.parse_args()
    os.environ["PERISCOPE_REQUIRE_SERVICES"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        broker, influx = Mosquitto(Path(folder) / "mosquitto"), Influx(Path(folder) / "influx")
        try:
            broker.start()
            influx.start()
            drain = Bench(broker, influx, options.drain).drain_periscope().messages_per_s
            print(f"drain {drain:,.0f} messages/s", flush=True)
            print(json.dumps(measure(options.rows, influx, broker, drain), indent=2))
        finally:
            influx.stop()
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
