"""F15: the same event 100,000 times is one event, and taking it costs at most twice what as many different ones cost.

Both are drained from a queue that the broker holds, one after the other in the same run.
"""

import time

from tests.benchmarks.traffic import Publisher
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import payload
from tests.services.process import wait_until

LEAST_SHARE = 0.5


def run(place: Place, scale: Scale) -> Outcome:
    repeats, total = scale.pick((5_000, 5_000), (100_000, 30_000))
    place.begin()
    oracle = place.oracle(total, rate=1e9)
    oracle.start()
    oracle.open_to(total)
    oracle.finish(300)
    normal = total / _drain(place, total)
    with Publisher(place.broker.port) as publisher:
        for number in range(repeats):
            publisher.publish(number, payload(0))
        publisher.wait(300)
    repeated = repeats / _drain(place, repeats)
    place.fault_ends()
    verdict = settle(place, oracle)
    share = repeated / normal
    problems = (
        [] if share >= LEAST_SHARE else [f"repeats are taken at {share:.2f} of the normal rate, not {LEAST_SHARE}"]
    )
    if place.totals()["duplicate"] < repeats:
        problems.append(f"only {place.totals()['duplicate']} of {repeats} repeats were counted as duplicates")
    return outcome(
        "F15", f"one event {repeats:,} times: {repeated:,.0f}/s, normal {normal:,.0f}/s", repeats, oracle, verdict,
        least_obligations=total, needs_duplicates=True, problems=problems,
    )  # fmt: skip


def _drain(place: Place, messages: int) -> float:
    """Start the collector, let it finish with that many messages, stop it; seconds from its readiness."""
    place.start()
    place.wait_ready()
    began = time.monotonic()
    # Asked of the collector at first: opening the spool's files ten times a second would be part of the measurement.
    wait_until(lambda: place.metric("spool_appended") >= messages, 180, "receiving", look_s=0.2)
    wait_until(lambda: not place.totals()["pending"], 180, "writing", look_s=0.1)
    passed = time.monotonic() - began
    place.collector.stop()
    return passed
