"""F18: the collector stands still for longer than its keep-alive, as in a paused virtual machine, and then goes on."""

import signal
import time

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.services.process import wait_until


def run(place: Place, scale: Scale) -> Outcome:
    pauses, pause_s, keepalive_s, rate = scale.pick((1, 9, 5, 150), (2, 60, 30, 100))
    total = (pause_s + 4) * rate * pauses
    place.begin(mqtt__keepalive_s=keepalive_s)
    oracle = place.oracle(total, rate=rate)
    place.start()
    place.wait_ready()
    oracle.start()
    problems: list[str] = []
    for number in range(pauses):
        oracle.open_to(total * (number + 1) // pauses)
        oracle.wait_for(total * number // pauses + rate, 60)
        place.collector.signal(signal.SIGSTOP)
        time.sleep(pause_s)  # the fault itself
        place.collector.signal(signal.SIGCONT)
        place.fault_ends()
        wait_until(
            lambda n=number: place.metric("collector_mqtt_reconnects") > n and place.ready(),  # type: ignore[misc]
            30, "a new connection", look_s=0.1,
        )  # fmt: skip
    stale, lost = place.metric("collector_stale_acks"), place.metric("collector_mqtt_session_lost")
    if lost:
        problems.append(f"the session was lost {lost:.0f} times")
    verdict = settle(place, oracle)
    return outcome(
        "F18", f"SIGSTOP {pause_s} s, keep-alive {keepalive_s} s, SIGCONT; {stale:.0f} late acknowledgements held back",
        pauses, oracle, verdict, least_obligations=total, problems=problems,
    )  # fmt: skip
