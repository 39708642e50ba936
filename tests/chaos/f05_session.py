"""F5: the broker's database goes while acknowledgements are under way.

The collector holds every message in memory when the broker dies, and acknowledges only after it is back with a new
session: those late acknowledgements may not leave, the loss is counted, and each pilot is told of a gap.
"""

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.services.process import wait_until


def run(place: Place, scale: Scale) -> Outcome:
    faults, each = scale.pick((1, 400), (5, 400))
    place.begin()
    oracle = place.oracle((faults + 1) * each, rate=400)
    oracle.start()
    problems: list[str] = []
    for number in range(faults):
        release = place.folder / f"release-{number}"
        place.start_ending("nowhere", 0, f"hold={release}")
        place.wait_ready()
        oracle.open_to((number + 1) * each)
        oracle.wait_for((number + 1) * each, 60)
        wait_until(lambda: len(oracle.acked) >= oracle.published, 30, "the broker's acknowledgements")
        wait_until(lambda: place.metric("collector_mqtt_messages_received") >= each, 30, "taking all into memory")
        place.broker.kill()
        for file in (place.broker.folder / "data").iterdir():
            file.unlink()
        place.broker.start()
        place.fault_ends()
        wait_until(lambda: place.metric("collector_mqtt_session_lost") >= 1, 60, "the loss being counted", look_s=0.1)
        wait_until(place.ready, 60, "subscribing anew", look_s=0.1)
        release.touch()
        try:
            wait_until(lambda: place.metric("collector_stale_acks") > 0, 20, "holding back what is late", look_s=0.1)
        except TimeoutError:
            problems.append("no acknowledgement was late: the way of late ones was not tried")
        wait_until(
            lambda n=number: place.totals()["written"] >= (n + 1) * each, 60, "writing what was held", look_s=0.1
        )  # type: ignore[misc]
        wait_until(lambda n=number: _told(place) > n, 60, "the gap being told", look_s=0.2)  # type: ignore[misc]
        place.collector.stop()
    verdict = settle(place, oracle)
    return outcome(
        "F5", "the broker's database deleted, acknowledgements late", faults, oracle, verdict,
        least_obligations=oracle.total, problems=problems,
    )  # fmt: skip


def _told(place: Place) -> int:
    """How many gaps were told in the store."""
    with place.store() as store:
        return sum(1 for event in store.read("bremen", ["ops"], 0, 2**62) if event.type == "collector.session_lost")
