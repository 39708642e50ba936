"""Draining a pre-filled session: Periscope, a bare subscriber, and Telegraf where its binary is found.

One broker and one InfluxDB serve all of them. Each run gets a session of its own, filled anew and counted before it
starts; a queue that is too short ends the benchmark. The clock runs from the connection to the last point that can be
queried (bare: to the last acknowledgement).
"""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.process import Contestant
from tests.benchmarks.traffic import TOPIC, Publisher, event, open_session, remove_session, waiting
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import wait_until

NS_PER_MS = 1_000_000
CATALOGUE = f'''slug = "bremen"
name = "Bremen"
country = "DE"
time_zone = "Europe/Berlin"
synthetic = true

[[feeds]]
id = "app"
topic = "{TOPIC}"
stream = "usage"
synthetic = true
'''
TELEGRAF = """
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["pilots/#"]
  qos = 1
  persistent_session = true
  client_id = "{session}"
  max_undelivered_messages = 10000
  data_format = "json"
  json_string_fields = ["id"]
  json_time_key = "time"
  json_time_format = "2006-01-02T15:04:05.000Z"
[[outputs.influxdb_v2]]
  urls = ["{url}"]
  token = "{token}"
  organization = "{org}"
  bucket = "{bucket}"
"""


class QueueTooShort(Exception):
    """The broker did not keep all that was published, so that no rate can be told."""


@dataclass(frozen=True)
class Drain:
    """One contestant's run."""

    messages_per_s: float
    cpu_s_per_100k: float
    peak_mib: float
    ledger: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Bench:
    """Where everything is and how much is drained."""

    broker: Mosquitto
    influx: Influx
    messages: int

    def drain_bare(self) -> Drain:
        with (
            self._filled("bare") as session,
            Contestant(
                [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.bare_subscriber",
                    str(self.broker.port),
                    session,
                    str(self.messages),
                ]
            ) as process,
        ):
            began = process.said("connected", 30)
            before = process.cpu_s()
            ended = process.said("drained", 300)
            return self._drain(process, began, ended, before)

    def drain_periscope(self, protocol: str = "5") -> Drain:
        """The real command with everything durable: spool at synchronous=FULL, points in InfluxDB."""
        with tempfile.TemporaryDirectory() as state, self._filled("periscope-bench") as _:
            raw, derived = self.influx.fresh_buckets()
            with self.collector(Path(state), raw, derived, protocol) as process:
                began = process.said("connected to broker", 60)
                before = process.cpu_s()
                self._wait_for_points(raw, "usage", "event_id")
                drain = self._drain(process, began, time.monotonic(), before)
            if (stored := self.points(raw, "usage", "event_id")) != self.messages:
                raise QueueTooShort(f"{stored} points are stored of {self.messages}: this run says nothing")
            return drain

    def drain_telegraf(self) -> Drain | None:
        """None where Telegraf is not installed."""
        program = shutil.which("telegraf")
        if program is None:
            return None
        with tempfile.TemporaryDirectory() as folder, self._filled("telegraf") as session:
            raw, _ = self.influx.fresh_buckets()
            config = Path(folder) / "telegraf.conf"
            config.write_text(
                TELEGRAF.format(
                    port=self.broker.port,
                    session=session,
                    url=self.influx.url,
                    token=self.influx.token,
                    org=self.influx.org,
                    bucket=raw,
                )
            )
            with Contestant([program, "--config", str(config)]) as process:
                began = process.said("Connected", 60)
                before = process.cpu_s()
                self._wait_for_points(raw, "mqtt_consumer", "id")
                return self._drain(process, began, time.monotonic(), before)

    def collector(self, state: Path, raw: str, derived: str, protocol: str = "5") -> Contestant:
        """`periscope collect`, not yet started, with one pilot and default settings for all that matters."""
        (state / "catalogue").mkdir(exist_ok=True)
        (state / "catalogue/bremen.toml").write_text(CATALOGUE)
        others = {name: value for name, value in os.environ.items() if not name.startswith("PERISCOPE_")}
        return Contestant(
            [str(Path(sys.executable).with_name("periscope")), "collect"],
            {
                **others,
                "PERISCOPE_CATALOGUE": str(state / "catalogue"),
                "PERISCOPE_STATE": str(state),
                "PERISCOPE_COLLECTOR": "bench",
                "PERISCOPE_STORE": "influx",
                "PERISCOPE_MQTT__PORT": str(self.broker.port),
                "PERISCOPE_MQTT__PROTOCOL": protocol,
                "PERISCOPE_INFLUX__URL": self.influx.url,
                "PERISCOPE_INFLUX__ORG": self.influx.org,
                "PERISCOPE_INFLUX__TOKEN": self.influx.token,
                "PERISCOPE_INFLUX__RAW_BUCKET": raw,
                "PERISCOPE_INFLUX__DERIVED_BUCKET": derived,
            },
            state,
        )

    def points(self, bucket: str, measurement: str, name: str) -> int:
        """How many points can be queried at this moment."""
        return self.influx.count(bucket, measurement, name)

    def _wait_for_points(self, bucket: str, measurement: str, name: str) -> None:
        wait_until(lambda: self.points(bucket, measurement, name) >= self.messages, 300, "storing all points", 0.1)

    def _drain(self, process: Contestant, began: float, ended: float, cpu_before: float) -> Drain:
        cpu = process.cpu_s() - cpu_before
        return Drain(self.messages / (ended - began), cpu * 100_000 / self.messages, process.peak_mib())

    @contextmanager
    def _filled(self, session: str) -> Iterator[str]:
        """A persistent session in which `messages` events wait; it is removed afterwards."""
        open_session(self.broker.port, session, "pilots/#")
        begin_ns = time.time_ns() - self.messages * NS_PER_MS
        with Publisher(self.broker.port) as publisher:
            publisher.publish_all(event(number, begin_ns + number * NS_PER_MS) for number in range(self.messages))
            publisher.wait()
        try:
            if (held := waiting(self.broker.port, self.messages)) < self.messages:
                raise QueueTooShort(f"{held} messages wait in the broker of {self.messages}: this run says nothing")
            yield session
        finally:
            with contextlib.suppress(OSError):  # when the run was ended, the broker may have gone first
                remove_session(self.broker.port, session)
