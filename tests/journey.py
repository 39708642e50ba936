"""The whole way as real processes: import through a broker, collect, pipeline, export. No fixture writes to a store."""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collectors.spool import Spool
from config.settings import Spool as SpoolSettings
from tests.command import ROOT, Running, periscope
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto

DELIBERATIONS = ROOT / "config/examples/deliberations"
AIR_QUALITY = ROOT / "config/examples/air-quality"


def embedded() -> dict[str, object]:
    """Settings of the embedded store."""
    return {"store": "sqlite"}


def influxdb(server: Influx) -> dict[str, object]:
    """Settings of fresh buckets on a real InfluxDB."""
    raw, derived = server.fresh_buckets()
    return {
        "store": "influx", "influx__url": server.url, "influx__org": server.org, "influx__token": server.token,
        "influx__raw_bucket": raw, "influx__derived_bucket": derived,
    }  # fmt: skip


class Journey:
    """One state folder, one catalogue, one store, one broker."""

    def __init__(self, folder: Path, broker: Mosquitto, catalogue: Path, store: Mapping[str, object]) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.settings: dict[str, object] = {
            "catalogue": catalogue, "state": self.state, "mqtt__host": broker.host, "mqtt__port": broker.port, **store,
        }  # fmt: skip

    @contextmanager
    def collecting(self) -> Iterator[Running]:
        """The real collector; it has to end with exit code 0 when asked to."""
        with Running("collect", cwd=self.folder, **self.settings) as collector:
            collector.says("connected to broker")
            yield collector
            assert collector.stop() == 0, collector.text

    def import_(self, pilot: str, mapping: Path, *files: Path) -> dict[str, Any]:
        """`periscope import`; returns what it reports."""
        words = ["import", *files, "--mapping", mapping, "--pilot", pilot, "--json"]
        done = periscope(*words, cwd=self.folder, timeout_s=300, **self.settings)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def ledger(self) -> Counter[str]:
        """Messages by fate, as the spool's ledger counts them, heartbeats and the collector's own apart."""
        spool = Spool(self.state / "spool" / "main", SpoolSettings(), lease=False)
        try:
            counts: Counter[str] = Counter()
            for table in spool.ledger().values():
                for (_, feed, fate), count in table.items():
                    if feed != "collector":
                        counts[fate] += count
            return counts
        finally:
            spool.close()

    def settled(self, collector: Running, messages: int, timeout_s: float = 240) -> Counter[str]:
        """Wait until every message has its final fate; returns the ledger."""

        def done() -> bool:
            counts = self.ledger()
            return counts["received"] >= messages and counts["pending"] == 0

        collector.until(done, timeout_s)
        return self.ledger()

    def pipeline(self) -> None:
        done = periscope("pipeline", "--once", cwd=self.folder, timeout_s=300, **self.settings)
        assert done.returncode == 0, done.stderr

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The real dashboard; yields its address."""
        with Running("dashboard", cwd=self.folder, **self.settings, dashboard__port=0) as dashboard:
            dashboard.says("Open http")
            yield dashboard.text.split("Open ")[1].split()[0]

    def dead_letters(self) -> list[dict[str, Any]]:
        done = periscope("dead-letters", "count", "--json", cwd=self.folder, **self.settings)
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def export(self, **changed: object) -> list[dict[str, str]]:
        """`periscope export`; the rows of indicators.csv."""
        target = self.folder / "export.zip"
        done = periscope("export", "--out", target, cwd=self.folder, **(self.settings | changed))
        assert done.returncode == 0, done.stderr
        with zipfile.ZipFile(target) as package:
            return list(csv.DictReader(io.StringIO(package.read("indicators.csv").decode(), newline="")))


def whole(rows: list[dict[str, str]], pilot: str, dim: str = "") -> dict[tuple[str, str], dict[str, str]]:
    """The rows of a pilot over its whole time, by (indicator, subgroup)."""
    ours = [row for row in rows if row["pilot"] == pilot]
    # Weeks and months reach beyond the first and last day with data; days do not.
    days = [row["period_start"] for row in ours if row["value"] and row["period_start"] == row["period_end"]]
    first, last = min(days), max(days)
    return {
        (row["indicator_id"], row["subgroup"]): row
        for row in ours
        if (row["period_start"], row["period_end"], row["subgroup_dim"]) == (first, last, dim)
    }
