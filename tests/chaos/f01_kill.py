"""F1: the collector is killed at random while messages flow; every fifth end is between commit and acknowledgement.

The long form adds restarts of the broker (SIGTERM) and absences of InfluxDB in the same run.
"""

import random

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import Oracle
from tests.services.process import wait_until

KILLED, ENDED_ITSELF = -9, 137


def run(place: Place, scale: Scale) -> Outcome:
    kills, total = scale.pick((6, 6_000), (27, 54_000))
    place.begin(store=scale.pick("sqlite", "influx"))
    oracle = place.oracle(total, rate=1500)
    codes, others = kill_and_flow(place, oracle, kills, random.Random(scale.seed), others=not scale.short)
    verdict = settle(place, oracle)
    strange = {code for code in codes if code not in (KILLED, ENDED_ITSELF)}
    return outcome(
        "F1", "kill -9" + ", broker restarts, InfluxDB away" * (not scale.short), len(codes) + others, oracle, verdict,
        least_obligations=scale.pick(5_000, 50_000), needs_duplicates=True,
        problems=[f"the collector ended by itself with {code}" for code in strange],
    )  # fmt: skip


def _flow_in_drops(place: Place, oracle: Oracle, gate: int) -> None:
    """Let messages in a few at a time until the collector ends, so that each few are a commit however slow it is."""
    process = place.collector.process
    while process.poll() is None and oracle.published < gate:
        seen = place.totals()["received"]
        oracle.open_to(min(gate, oracle.published + 50))
        wait_until(
            lambda before=seen: process.poll() is not None or place.totals()["received"] > before,  # type: ignore[misc]
            60,
            "receiving a few more",
        )


def kill_and_flow(
    place: Place, oracle: Oracle, kills: int, chance: random.Random, others: bool, early: bool = False
) -> tuple[list[int], int]:
    """End the collector `kills` times while messages flow: its exit codes, and how many other faults there were."""
    codes, faults = [], 0
    oracle.start()
    for number in range(kills):
        gate = oracle.total * (number + 1) // (kills + 1)
        if others:
            faults += _others(place, number)
        before = place.totals()["received"]
        oracle.open_to(oracle.published + 100)  # something to be seen alive by
        if early:
            # A burst that waits in the broker is read at once, and nothing is told to the broker meanwhile: what an
            # early acknowledgement loses is seen in a steady flow.
            collector = place.start_ending("before_commit", chance.randrange(8, 12), "early")
            place.wait_ready()
            _flow_in_drops(place, oracle, gate)
            codes.append(collector.process.wait(180))
        elif number % 5 == 4:
            collector = place.start_ending("after_commit", chance.randrange(1, 3))
            oracle.open_to(gate)
            codes.append(collector.process.wait(180))
        else:
            place.start()
            wait_until(lambda b=before: place.totals()["received"] > b, 60, "receiving again")  # type: ignore[misc]
            oracle.open_to(gate)
            oracle.wait_for(min(oracle.published + chance.randrange(1, 1500), gate), 60)
            if number % 3 == 2:
                place.collector.kill_delivery()
            # Receiving and delivering may be processes of their own: all die, or the first alone.
            codes.append(place.collector.kill(("all", "first")[number % 2]))
    place.fault_ends()
    return codes, faults


def _others(place: Place, number: int) -> int:
    """Faults beside the kills: the broker restarts before every fifth, InfluxDB misses every ninth to next."""
    faults = 0
    if number % 5 == 2:
        place.broker.stop()
        place.broker.start()
        faults += 1
    if place.influx is not None and number % 9 == 3:
        place.influx.stop()
        faults += 1
    if place.influx is not None and number % 9 == 6:
        place.influx.start()
    return faults
