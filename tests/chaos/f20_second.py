"""F20: a second collector on the same spool ends with a sentence; one with the same session, but another folder, is
noticed.

Mosquitto 2.0.11 does not say that a session was taken over, so the second cannot be refused there: both say what is
suspected, on /readyz. What the second took meanwhile it committed to its own spool, from which it reaches the store.
"""

import json

from tests.chaos.harness import Collector, Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.services.process import free_port, wait_until


def run(place: Place, scale: Scale) -> Outcome:
    tries, total = scale.pick((1, 1500), (5, 6000))
    place.begin(store="influx")
    oracle = place.oracle(total, rate=150)
    first = place.start()
    place.wait_ready()
    oracle.start()
    oracle.open_to(total)
    problems: list[str] = []
    for _ in range(tries):
        second = _second(place, health_port=0)
        code = second.process.wait(30)
        if code != 1 or "another collector already delivers from this spool" not in place.collector.text:
            problems.append(f"a second one on the same spool ended with {code}: {place.collector.text[-300:]}")
        if not first.running:
            problems.append("the first one ended when a second was started")
    problems += _same_session(place, first)
    place.fault_ends()
    verdict = settle(place, oracle)
    return outcome(
        "F20", "a second collector: same spool, then same session", tries + 1, oracle, verdict,
        least_obligations=total, problems=problems,
    )  # fmt: skip


def _same_session(place: Place, first: Collector) -> list[str]:
    """Both share a session until it is noticed; then all that one says is taken in, and the second is stopped."""
    second = _second(place, health_port=free_port(), state=place.folder / "other")
    suspected = False

    def noticed() -> bool:
        nonlocal suspected
        sentence = json.loads(place.get("/readyz")[1] or "{}").get("sentence", "")
        suspected = "another client" in sentence
        return suspected or not first.running or not second.running

    problems = []
    try:
        wait_until(noticed, 90, "the shared session being noticed", look_s=0.1)
    except TimeoutError as error:
        problems.append(str(error))
    ended = [c.process.returncode for c in (first, second) if not c.running]
    second.stop()
    # What the second one took is its own to deliver, as long as it takes; no broker adds to it.
    last = _second(place, health_port=0, state=place.folder / "other", mqtt__port=free_port())
    wait_until(lambda: _nothing_pending(place), 60, "the second one's writing", look_s=0.2)
    last.stop()
    return problems if suspected or any(ended) or problems else ["nobody said that the session is shared"]


def _second(place: Place, **settings: object) -> Collector:
    """One more, not counted as the place's own."""
    more = {f"PERISCOPE_{key.upper()}": str(value) for key, value in settings.items()}
    return Collector(["-m", "periscope", "collect"], place.environment | more, place.folder / "collector.log")


def _nothing_pending(place: Place) -> bool:
    from collectors.spool import Spool
    from config.settings import Spool as SpoolSettings

    spool = Spool(place.folder / "other/spool/main", SpoolSettings(), lease=False)
    try:
        return spool.totals()["pending"] == 0
    finally:
        spool.close()
