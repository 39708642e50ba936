"""/healthz, /readyz and /metrics of a collector, on loopback.

Promises: /healthz depends on nothing outside the process; /readyz says in a sentence what is missing; metrics have
small fixed sets of labels, never a topic, a pseudonym or a user.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from collectors.message import CollectorError
from pipeline.probes import Answer, ProbeServer


@dataclass(frozen=True)
class Health:
    """What is known at one moment. `ledger` counts by (pilot, feed, fate), `dead` by (pilot, stage, reason)."""

    alive: bool
    ready: bool
    degraded: bool
    sentence: str
    gauges: dict[str, float]
    counters: dict[str, float]
    ledger: dict[tuple[str, str, str], int]
    dead: dict[tuple[str, str, str], int]


class _Metrics:
    def __init__(self, look: Callable[[], Health]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        now = self._look()
        for name, value in now.gauges.items():
            yield GaugeMetricFamily(name, name.replace("_", " "), value=value)
        for name, value in now.counters.items():
            yield CounterMetricFamily(name, name.replace("_", " "), value=value)
        fates = CounterMetricFamily("ledger", "messages and points by fate", labels=["pilot", "feed", "fate"])
        for key, n in now.ledger.items():
            fates.add_metric(key, n)
        yield fates
        dead = GaugeMetricFamily("deadletter_records", "dead letters", labels=["pilot", "stage", "reason"])
        for key, n in now.dead.items():
            dead.add_metric(key, n)
        yield dead


class HealthServer(ProbeServer):
    """Serves until closed. Port 0 takes a free one; `port` says which."""

    def __init__(self, port: int, look: Callable[[], Health]) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Metrics(look))

        def answer(path: str) -> Answer:
            if path == "/metrics":
                return 200, "text/plain; version=0.0.4", generate_latest(registry)
            now = look()
            good = {"/healthz": now.alive, "/readyz": now.ready}.get(path)
            if good is None:
                return 404, "text/plain", b"there are /healthz, /readyz and /metrics here\n"
            status = "degraded" if good and now.degraded else "ok" if good else "not ready"
            body = json.dumps({"status": status, "sentence": now.sentence}).encode()
            return (200 if good else 503), "application/json", body

        try:
            super().__init__(port, answer)
        except OSError as error:
            raise CollectorError(
                f"port {port} cannot be used ({error.strerror}); free it or set PERISCOPE_HEALTH_PORT "
                "to another port, 0 to go without"
            ) from error
