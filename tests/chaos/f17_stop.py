"""F17: SIGTERM under load, told twice, and while InfluxDB does not answer: exit code 0 within 10 s each time.

A second SIGTERM ends the collector at once with 1, which is as safe as a kill.
"""

import random
import signal
import time

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.chaos.proxy import Proxy
from tests.services.process import wait_until

LIMIT_S = 10


def run(place: Place, scale: Scale) -> Outcome:
    plain, hanging, twice = scale.pick((2, 2, 1), (14, 6, 4))
    kinds = ["plain"] * plain + ["hanging"] * hanging + ["twice"] * twice
    each = 400
    chance = random.Random(scale.seed)
    place.begin(store="influx")
    oracle = place.oracle(len(kinds) * each, rate=800)
    oracle.start()
    problems: list[str] = []
    slowest = 0.0
    assert place.influx is not None
    with Proxy(place.influx.port) as way:
        place.set(influx__url=f"http://127.0.0.1:{way.port}")
        for number, kind in enumerate(kinds):
            before = place.totals()["received"]
            place.start()
            oracle.open_to((number + 1) * each)
            wait_until(lambda b=before: place.totals()["received"] > b, 60, "receiving", look_s=0.05)  # type: ignore[misc]
            if kind == "hanging":
                way.hold()
            oracle.wait_for(number * each + chance.randrange(each // 4, each), 60)
            took, code = _stopped(place, kind == "twice")
            way.flow()
            slowest = max(slowest, took)
            if code not in ((0, 1) if kind == "twice" else (0,)):
                problems.append(f"{kind}: it ended with {code}: {place.collector.text[-300:]}")
            if took > LIMIT_S:
                problems.append(f"{kind}: it took {took:.1f} s to stop")
        place.fault_ends()
        verdict = settle(place, oracle)
    return outcome(
        "F17", f"SIGTERM under load {plain}, InfluxDB hanging {hanging}, twice {twice}; slowest {slowest:.1f} s",
        len(kinds), oracle, verdict, least_obligations=oracle.total, problems=problems,
    )  # fmt: skip


def _stopped(place: Place, twice: bool) -> tuple[float, int]:
    """Seconds and exit code; all of its processes are told, as a service manager does."""
    began = time.monotonic()
    place.collector.signal(signal.SIGTERM)
    if twice:
        time.sleep(0.05)
        place.collector.signal(signal.SIGTERM)
    code = place.collector.process.wait(60)
    return time.monotonic() - began, code
