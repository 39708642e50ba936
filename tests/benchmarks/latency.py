"""From publish to queryable, at a steady rate.

The n-th message counts as queryable at the first answer that shows at least n points: one publisher, one session and
one collector keep their order. Looking every 50 ms adds up to that much to each figure.
"""

import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from tests.benchmarks.ingest import Bench
from tests.benchmarks.traffic import Publisher, event
from tests.services.process import wait_until

LOOK_S = 0.05
RATE, RUN_S = 500, 20


@dataclass(frozen=True)
class Latency:
    """Seconds from publish to queryable, and the rate that was really published."""

    p50_s: float
    p95_s: float
    rate: float
    messages: int


def figures(bench: Bench) -> dict[str, float | None]:
    """The keys of build/bench.json."""
    delay = measure(bench, RATE, RUN_S)
    print(
        f"publish to queryable at {delay.rate:.0f} msg/s, {delay.messages} messages: "
        f"p50 {delay.p50_s:.2f} s, p95 {delay.p95_s:.2f} s"
    )
    return {"ingest.latency_p50_s": round(delay.p50_s, 3), "ingest.latency_p95_s": round(delay.p95_s, 3)}


def measure(bench: Bench, rate: float, run_s: float) -> Latency:
    """Publish at `rate` for `run_s` seconds to a running collector and watch the store."""
    published: list[float] = []
    looks: list[tuple[float, int]] = []
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as state:
        raw, derived = bench.influx.fresh_buckets()
        with bench.collector(Path(state), raw, derived) as process:
            process.said("connected to broker", 60)
            with Publisher(bench.broker.port, window=5000) as publisher:
                watcher = threading.Thread(target=_watch, args=(bench, raw, looks, stop))
                watcher.start()
                try:
                    _publish(publisher, rate, run_s, published)
                    wait_until(lambda: bool(looks) and looks[-1][1] >= len(published), 60, "storing all points")
                finally:
                    stop.set()
                    watcher.join()
    waits = sorted(_waits(published, looks))
    cuts = quantiles(waits, n=20)
    return Latency(cuts[9], cuts[18], (len(published) - 1) / (published[-1] - published[0]), len(published))


def _publish(publisher: Publisher, rate: float, run_s: float, published: list[float]) -> None:
    began = time.monotonic()
    for number in range(int(rate * run_s)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        published.append(time.monotonic())
        publisher.publish(number, event(number, time.time_ns()))


def _watch(bench: Bench, bucket: str, looks: list[tuple[float, int]], stop: threading.Event) -> None:
    while not stop.wait(LOOK_S):
        count = bench.points(bucket, "usage", "event_id")
        looks.append((time.monotonic(), count))


def _waits(published: list[float], looks: list[tuple[float, int]]) -> list[float]:
    waits, place = [], 0
    for number, at in enumerate(published, 1):
        while looks[place][1] < number:
            place += 1
        waits.append(looks[place][0] - at)
    return waits
