"""/healthz, /readyz and /metrics of a collector, on loopback.

Promises: /healthz depends on nothing outside the process; /readyz says in a sentence what is missing; metrics have
small fixed sets of labels, never a topic, a pseudonym or a user.
"""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from collectors.message import CollectorError


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


class HealthServer:
    """Serves until closed. Port 0 takes a free one; `port` says which."""

    def __init__(self, port: int, look: Callable[[], Health]) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Metrics(look))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4", generate_latest(registry))
                    return
                now = look()
                good = {"/healthz": now.alive, "/readyz": now.ready}.get(self.path)
                if good is None:
                    self._answer(404, "text/plain", b"there are /healthz, /readyz and /metrics here\n")
                    return
                status = "degraded" if good and now.degraded else "ok" if good else "not ready"
                body = json.dumps({"status": status, "sentence": now.sentence}).encode()
                self._answer(200 if good else 503, "application/json", body)

            def _answer(self, code: int, kind: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                """Requests are no news."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise CollectorError(
                f"port {port} cannot be used ({error.strerror}); free it or set PERISCOPE_HEALTH_PORT "
                "to another port, 0 to go without"
            ) from error
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2)
