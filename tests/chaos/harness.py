"""Where a row of the fault matrix happens: own broker, store and collector, and what is seen of them.

A row is one module `fNN_name.py` with `run(place, scale) -> Outcome`. It calls `place.begin(...)`, starts a flow with
`place.oracle(...)`, does its faults, and ends with `judgement.settle(place, oracle)` and `judgement.outcome(...)`.
The collector is the real command in a process group of its own; `kill` takes all of it, or one of its processes.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import psutil

from collectors.spool import Spool
from config.settings import Mqtt
from config.settings import Spool as SpoolSettings
from pipeline.store.port import Store
from tests.integration.oracle import CATALOGUE, Oracle
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """How much a row does: short for CI, else long; `seed` decides what is left to chance."""

    short: bool = False
    seed: int = 1

    def pick(self, short: T, long: T) -> T:
        return short if self.short else long


class Collector:
    """One run of `periscope collect`, or of the helper that ends itself at a named point."""

    def __init__(self, command: list[str], environment: dict[str, str], output: Path) -> None:
        self.output = output
        with output.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def members(self) -> list[psutil.Process]:
        """The processes of its group, the first one it started from first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.process.pid)
            return [main, *main.children(recursive=True)]
        return []

    def kill(self, which: str = "all", deadline_s: float = 20) -> int:
        """End all its processes without any cleaning up, or the "first" alone; returns when none is left.

        Who loses the first has to end by itself; what does not is killed after the deadline.
        """
        members = self.members()
        if which == "all":
            self.signal(signal.SIGKILL)
        elif self.running:
            self.process.kill()
        code = self.process.wait(deadline_s)  # by subprocess alone, which else would lose the exit code
        _, left = psutil.wait_procs(members[1:], deadline_s)
        if left:
            self.signal(signal.SIGKILL)
            raise AssertionError("a process of the collector outlived the first one by more than it may")
        return code

    def kill_delivery(self) -> bool:
        """End the delivering process alone, which the first has to start anew; False where there is none."""
        for process in self.members()[1:]:
            with contextlib.suppress(psutil.Error):
                if "resource_tracker" not in " ".join(process.cmdline()):
                    process.kill()
                    return True
        return False

    def signal(self, number: signal.Signals) -> None:
        """To all of its processes, as a terminal or a service manager does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def stop(self, deadline_s: float = 20) -> int:
        """SIGTERM to the first process, as `docker stop` does; the exit code. None left is part of it."""
        members = self.members()
        if self.running:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait(5)
            raise
        psutil.wait_procs(members[1:], 5)
        return code

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")


class Place:
    """The servers and folders of one row; leaving the block ends all that was started here."""

    def __init__(self, folder: Path, influx: Callable[[], Influx]) -> None:
        self.folder, self.influx_of = folder, influx
        self.influx: Influx | None = None
        self.environment: dict[str, str] = {}
        self.collectors: list[Collector] = []
        self.fault_ended = 0.0
        self.health_port = 0

    def begin(
        self,
        store: str = "sqlite",
        profile: str = "throughput",
        broker_options: tuple[str, ...] | None = None,
        catalogue: dict[str, str] | None = None,
        session: bool = True,
        **settings: object,
    ) -> Self:
        """Start broker and store, write the pilots, and let the collector open its session once.

        `store` is "sqlite" or "influx"; `catalogue` is text by file name; `settings` as `mqtt__keepalive_s=5`.
        """
        self.broker = Mosquitto(self.folder / "broker", profile, broker_options)
        self.broker.start()
        pilots = self.folder / "pilots"
        pilots.mkdir()
        for name, text in (catalogue or {"bremen": CATALOGUE}).items():
            (pilots / f"{name}.toml").write_text(text)
        self.health_port = free_port()
        kept = {k: v for k, v in os.environ.items() if not k.upper().startswith("PERISCOPE_")}
        self.environment = kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.set(
            catalogue=pilots, state=self.folder / "var", mqtt__host=self.broker.host, mqtt__port=self.broker.port,
            log_level="WARNING", health_port=self.health_port, store=store,
        )  # fmt: skip
        if store == "influx":
            self._take_influx()
        self.set(**settings)
        if session:
            self.start()
            self.wait_ready(60)
            assert self.collector.stop() == 0, self.collector.text
        return self

    def set(self, **settings: object) -> None:
        """Change what collectors started from now on are told."""
        self.environment |= {f"PERISCOPE_{key.upper()}": str(value) for key, value in settings.items()}

    def unset(self, *names: str) -> None:
        """Take variables of the environment away again, under their full names."""
        for name in names:
            self.environment.pop(name, None)

    def _take_influx(self) -> None:
        self.influx = self.influx_of()
        raw, derived = self.influx.fresh_buckets()
        self.set(
            influx__url=self.influx.url, influx__org=self.influx.org, influx__token=self.influx.token,
            influx__raw_bucket=raw, influx__derived_bucket=derived, influx__timeout_s=5,
        )  # fmt: skip

    @property
    def mqtt(self) -> Mqtt:
        return Mqtt(host=self.broker.host, port=self.broker.port)

    @property
    def collector(self) -> Collector:
        """The one started last."""
        return self.collectors[-1]

    def start(self, *words: str) -> Collector:
        """Start the real command."""
        return self._run(["-m", "periscope", "collect", *words])

    def start_ending(self, point: str, passages: int, *words: str) -> Collector:
        """Start the helper that ends itself at a named point (a name of Hooks) once passed more often than that."""
        return self._run(["-m", "tests.integration.collector_process", point, str(passages), *words])

    def _run(self, command: list[str]) -> Collector:
        self.collectors.append(Collector(command, self.environment, self.folder / "collector.log"))
        return self.collector

    def oracle(self, total: int, rate: float, settings: Mqtt | None = None) -> Oracle:
        return Oracle(settings or self.mqtt, total, rate)

    def fault_ends(self) -> None:
        """Remember the moment from which recovery is timed."""
        self.fault_ended = time.monotonic()

    def get(self, path: str) -> tuple[int, str]:
        """Code and body of the health server; (0, "") when nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def wait_ready(self, deadline_s: float = 60) -> None:
        def look() -> bool:
            if not self.collector.running:
                raise AssertionError(
                    f"it ended with {self.collector.process.returncode}: {self.collector.text[-2000:]}"
                )
            return self.ready()

        try:
            wait_until(look, deadline_s, "readiness of the collector", look_s=0.05)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {self.get('/readyz')[1]} {self.collector.text[-1000:]}") from None

    def metric(self, name: str) -> float:
        """One number of /metrics, labels left out of account (added up)."""
        lines = [line for line in self.get("/metrics")[1].splitlines() if not line.startswith("#")]
        named = [line for line in lines if line.split("{")[0].split(" ")[0].removesuffix("_total") == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in named)

    @contextlib.contextmanager
    def spool(self) -> Iterator[Spool]:
        """The spool, for looking; the collector may run meanwhile."""
        spool = Spool(self.folder / "var/spool/main", SpoolSettings(), lease=False)
        try:
            yield spool
        finally:
            spool.close()

    def totals(self) -> Counter[str]:
        """Messages by fate, over all days."""
        with self.spool() as spool:
            return spool.totals()

    @contextlib.contextmanager
    def store(self) -> Iterator[Store]:
        """The store, for reading."""
        if self.influx is not None:
            from pipeline.store.influx import InfluxStore

            name = {k.removeprefix("PERISCOPE_INFLUX__").lower(): v for k, v in self.environment.items()}
            store: Store = InfluxStore(
                self.influx.url, name["org"], name["token"], name["raw_bucket"], name["derived_bucket"], mode="read",
                timeout_s=60,
            )  # fmt: skip
        else:
            from pipeline.store.sqlite import SQLiteStore

            store = SQLiteStore(self.folder / "var/store", mode="read")
        try:
            yield store
        finally:
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for collector in self.collectors:
            if collector.running:
                collector.signal(signal.SIGCONT)
                collector.kill()
        if hasattr(self, "broker"):
            self.broker.stop()
        if self.influx is not None and not self.influx.running:
            self.influx.start()
