"""F6: InfluxDB is down, resets, hangs, is slow, or answers what section 6 of the design classes as retry or hold.

The network's faults come from a TCP proxy before the real server, answers that a real server cannot be made to give
from an HTTP front before that proxy. Meanwhile MQTT goes on being acknowledged, memory stays bounded, and the times
of the requests follow the schedule.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.chaos.front import Answer, Front
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.chaos.proxy import Proxy
from tests.integration.oracle import Oracle
from tests.services.process import wait_until

RATE = 200
TIMEOUT_S = 2  # of a request
CAP_S = 60
MOST_GROWTH = 100 << 20


@dataclass
class Stage:
    """What a fault needs, and what was found wrong."""

    place: Place
    oracle: Oracle
    front: Front
    proxy: Proxy
    problems: list[str] = field(default_factory=list)
    faults: int = 0
    slowest_s: float = 0.0

    @contextmanager
    def fault(self, name: str, seconds: float, most_requests: int) -> Iterator[None]:
        """The fault lasts while the block does, `seconds` at least; then the store is written within its cap."""
        self.faults += 1
        acked, before = len(self.oracle.acked), len(self.front.writes)
        end = time.monotonic() + seconds
        self.oracle.open_to(self.oracle.published + int(RATE * seconds))
        yield
        wait_until(lambda: time.monotonic() >= end, seconds + 1, name, look_s=0.05)
        if len(self.oracle.acked) < acked + RATE * seconds / 2:
            self.problems.append(f"{name}: only {len(self.oracle.acked) - acked} messages were acknowledged")
        if len(self.front.writes) - before > most_requests:
            self.problems.append(f"{name}: {len(self.front.writes) - before} requests, at most {most_requests}")

    def back(self, name: str, within_s: float) -> None:
        """The fault is over: how long until a write goes through."""
        since, done = time.monotonic(), len(self._good())
        wait_until(lambda: len(self._good()) > done, within_s + 10, f"a write after {name}", look_s=0.02)
        took = time.monotonic() - since
        self.slowest_s = max(self.slowest_s, took)
        if took > within_s:
            self.problems.append(f"{name}: written again after {took:.1f} s, at most {within_s:.0f} s")
        self.calm()

    def calm(self) -> None:
        """Until the next fault everything is delivered, so that back-off begins anew."""
        wait_until(lambda: self.place.totals()["pending"] == 0, 120, "draining between faults", look_s=0.1)

    def _good(self) -> list[float]:
        return [seen.at for seen in self.front.writes if seen.status == 204]


def run(place: Place, scale: Scale) -> Outcome:
    place.begin(store="influx")
    assert place.influx is not None
    with Proxy(place.influx.port) as proxy, Front(proxy.port) as front:
        place.set(influx__url=f"http://127.0.0.1:{front.port}", influx__timeout_s=TIMEOUT_S)
        place.start()
        place.wait_ready()
        oracle = place.oracle(scale.pick(4_000, 90_000), RATE * 2)
        stage = Stage(place, oracle, front, proxy)
        oracle.start()
        oracle.open_to(200)
        stage.calm()
        before = _memory(place)
        _answers(stage, scale)
        _network(stage, scale)
        if not scale.short:
            _held(stage)
        growth = _memory(place) - before
        if growth > MOST_GROWTH:
            stage.problems.append(f"memory grew by {growth >> 20} MiB")
        place.fault_ends()
        verdict = settle(place, oracle)
        verdict.recovery_s = max(stage.slowest_s, verdict.recovery_s or 0)
    return outcome(
        "F6", "InfluxDB away, slow, refusing", stage.faults, oracle, verdict,
        least_obligations=scale.pick(1_500, 20_000), problems=stage.problems,
    )  # fmt: skip


def _answers(stage: Stage, scale: Scale) -> None:
    """Answers of an overloaded or broken server; after each kind the back-off begins anew."""
    wait = scale.pick(2, 5)
    kinds: list[tuple[str, list[Answer], float]] = [
        ("503", [Answer(503)] * 2, 0), ("500", [Answer(500)] * 2, 0), ("408", [Answer(408)], 0),
        ("429 and seconds", [Answer(429, {"Retry-After": str(wait)})], wait),
        ("429 and a date", [Answer(429, retry_date=wait)], wait - 1),  # a date has whole seconds
        ("a cut answer", [Answer(204, cut=True, through=True)] * 2, 0),
        ("an answer too late", [Answer(204, late=TIMEOUT_S + 1, through=True)], 0),
        ("413", [Answer(413)] * 2, 0),
    ]  # fmt: skip
    for name, answers, gap_s in kinds:
        stage.faults += 1
        first = len(stage.front.writes)
        stage.front.answers.extend(answers)
        stage.oracle.open_to(stage.oracle.published + 60)
        wait_until(lambda: not stage.front.answers, 60, name, look_s=0.02)
        stage.back(name, CAP_S)
        seen = stage.front.writes[first:]
        refused = next(place for place, one in enumerate(seen) if one.status == answers[0].status)
        if seen[refused + 1].at - seen[refused].at < gap_s:
            stage.problems.append(f"{name}: asked again after {seen[refused + 1].at - seen[refused].at:.1f} s")


def _network(stage: Stage, scale: Scale) -> None:
    """Down, reset and half-open connections, and a server that takes 30 s for anything."""
    assert stage.place.influx is not None
    down_s = scale.pick(4, 60)
    with stage.fault("down", down_s, 60):
        stage.place.influx.stop()
    stage.place.influx.start()
    stage.back("down", CAP_S)
    with stage.fault("reset", scale.pick(3, 60), 60):
        stage.proxy.refuse()
        stage.proxy.cut()
    stage.proxy.refuse(False)
    stage.back("reset", CAP_S)
    with stage.fault("half-open", scale.pick(4, 60), 60):
        stage.proxy.hold()
    stage.proxy.flow()
    stage.back("half-open", CAP_S + TIMEOUT_S)
    if not scale.short:
        with stage.fault("slow", 60, 60):
            stage.front.always = Answer(204, late=30, through=True)
        stage.front.always = None
        stage.back("slow", CAP_S + TIMEOUT_S)
        with stage.fault("503 for long", 60, 60):
            stage.front.always = Answer(503)
        stage.front.always = None
        stage.back("503 for long", CAP_S)


def _held(stage: Stage) -> None:
    """A wrong token or bucket: asked once a minute, told, and nothing given up."""
    for status in (401, 404):
        with stage.fault(str(status), 65, 4):
            stage.front.always = Answer(status)
            wait_until(lambda: stage.place.metric("store_away") == 1, 20, "readiness degraded", look_s=0.1)
            if not stage.place.ready():
                stage.problems.append(f"{status}: not ready, though it receives")
        stage.front.always = None
        stage.back(str(status), CAP_S + 5)


def _memory(place: Place) -> int:
    """Bytes that the collector's processes hold."""
    return sum(process.memory_info().rss for process in place.collector.members())
