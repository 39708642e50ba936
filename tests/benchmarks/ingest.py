"""The contestants that drain a pre-filled session: Periscope, a bare subscriber, and Telegraf where it is installed.

One broker and one InfluxDB serve all of them. Each run gets a session of its own, filled anew and counted before it
starts; a queue that is too short ends the benchmark. The clock runs from the connection to the last point that can be
queried (bare: to the last acknowledgement). Who has not stored each of the distinct points has a void run.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.process import Contestant
from tests.benchmarks.traffic import TOPIC, Publisher, event, open_session, remove_session, waiting
from tests.command import environment
from tests.services import telegraf
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import wait_until

NS_PER_MS = 1_000_000
MEASURED = Path(__file__).with_name("measured")
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
# As in the published comparison: acknowledged after the write. Of each event only its id is stored beside the time,
# which is less than Periscope keeps; its client speaks MQTT 3.1.1.
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


class Void(Exception):
    """A run that lost or doubled messages has no speed; the message says what was seen."""


@dataclass(frozen=True)
class Drain:
    """One contestant's run."""

    messages_per_s: float
    cpu_s: float  # of the whole tree, from the connection on
    peak_mib: float
    wall_s: float
    cpu_by_process: dict[int, float]  # seconds by process id
    cpu_before: dict[int, float]  # the same up to the connection


@dataclass
class Bench:
    """Where everything is and how much is drained; `ended_ns` is the time of the last message of the run."""

    broker: Mosquitto
    influx: Influx
    messages: int
    ended_ns: int = 0

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
            before = process.cpu_by_process()
            ended = process.said("drained", 300)
            return self._drain(process, began, ended, before)

    def drain_periscope(self, protocol: str = "5", parts: Path | None = None) -> Drain:
        """The real command with everything durable: spool at synchronous=FULL, points in InfluxDB.

        With `parts` the collector measures its own steps, which costs a little, and leaves them in that folder.
        """
        with tempfile.TemporaryDirectory() as state, self._filled("periscope-bench") as _:
            raw, derived = self.influx.fresh_buckets()
            with self.collector(Path(state), raw, derived, protocol, parts) as process:
                return self._until_stored(process, "connected to broker", raw, "usage", "event_id")

    def drain_telegraf(self) -> Drain | None:
        """None where Telegraf is not installed."""
        program = telegraf.program()
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
                return self._until_stored(process, "Connected", raw, "mqtt_consumer", "id")

    def collector(
        self, state: Path, raw: str, derived: str, protocol: str = "5", parts: Path | None = None
    ) -> Contestant:
        """`periscope collect`, not yet started, with one pilot and default settings for all that matters."""
        (state / "catalogue").mkdir(exist_ok=True)
        (state / "catalogue/bremen.toml").write_text(CATALOGUE)
        settings = environment(
            catalogue=state / "catalogue",
            state=state,
            collector="bench",
            store="influx",
            mqtt__port=self.broker.port,
            mqtt__protocol=protocol,
            influx__url=self.influx.url,
            influx__org=self.influx.org,
            influx__token=self.influx.token,
            influx__raw_bucket=raw,
            influx__derived_bucket=derived,
        )
        if parts is not None:
            settings |= {"BENCH_PARTS": str(parts), "PYTHONPATH": f"{settings['PYTHONPATH']}{os.pathsep}{MEASURED}"}
        return Contestant([sys.executable, "-m", "periscope", "collect"], settings, state)

    def points(self, bucket: str, measurement: str, name: str) -> int:
        """How many points can be queried at this moment."""
        return self.influx.count(bucket, measurement, name)

    def _until_stored(self, process: Contestant, sign: str, bucket: str, measurement: str, name: str) -> Drain:
        began = process.said(sign, 60)
        before = process.cpu_by_process()
        # Asking for the last ones first: to count all again and again would cost more than what is measured.
        near_ns = self.ended_ns - 50 * NS_PER_MS
        few = min(45, self.messages)
        wait_until(lambda: self.influx.count(bucket, measurement, name, near_ns) >= few, 300, "storing the last", 0.05)
        wait_until(lambda: self.points(bucket, measurement, name) >= self.messages, 300, "storing all points", 0.1)
        drain = self._drain(process, began, time.monotonic(), before)
        if (stored := self.points(bucket, measurement, name)) != self.messages:
            raise Void(f"{stored} points are stored of {self.messages} distinct messages")
        return drain

    def _drain(self, process: Contestant, began: float, ended: float, before: dict[int, float]) -> Drain:
        spent = {pid: cpu - before.get(pid, 0.0) for pid, cpu in process.cpu_by_process().items()}
        wall_s = ended - began
        return Drain(self.messages / wall_s, sum(spent.values()), process.peak_mib(), wall_s, spent, before)

    @contextmanager
    def _filled(self, session: str) -> Iterator[str]:
        """A persistent session in which `messages` events wait; it is removed afterwards."""
        open_session(self.broker.port, session, "pilots/#")
        self.ended_ns = time.time_ns()
        begin_ns = self.ended_ns - self.messages * NS_PER_MS
        with Publisher(self.broker.port) as publisher:
            publisher.publish_all(event(number, begin_ns + number * NS_PER_MS) for number in range(self.messages))
            publisher.wait()
        try:
            if (held := waiting(self.broker.port, self.messages)) < self.messages:
                raise Void(f"{held} messages wait in the broker of {self.messages} that were published")
            yield session
        finally:
            with contextlib.suppress(OSError):  # when the run was ended, the broker may have gone first
                remove_session(self.broker.port, session)
