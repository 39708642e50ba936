"""F2: the collector ends at each named point of a message's way, and around a change of days.

The points are arguments of a helper process (tests/integration/collector_process.py); the shipped code knows none.
"""

import random

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import Oracle
from tests.services.process import wait_until

POINTS = ("before_commit", "after_commit", "after_ack", "after_claim", "after_write", "after_touch", "after_mark")
ENDED_ITSELF = 137
_DAY_S = 86_400


def run(place: Place, scale: Scale) -> Outcome:
    rounds, each = scale.pick((1, 250), (4, 500))
    chance = random.Random(scale.seed)
    place.begin(spool__journal_h=1)
    oracle = place.oracle((rounds * len(POINTS) + 3) * each, rate=1500)
    oracle.start()
    problems = _change_of_days(place, oracle, each)
    for point in POINTS * rounds:
        place.start_ending(point, chance.randrange(0, 3))
        problems += _ends(place, oracle, each, point)
    place.fault_ends()
    verdict = settle(place, oracle)
    return outcome(
        "F2", "kill at named points, at midnight, after unlink", rounds * len(POINTS) + 2, oracle, verdict,
        least_obligations=oracle.total, needs_duplicates=True, problems=problems,
    )  # fmt: skip


def _ends(place: Place, oracle: Oracle, each: int, point: str) -> list[str]:
    """Let a share of the flow pass; what is wrong when the process does not end at its point."""
    oracle.open_to(oracle.published + each)
    code = place.collector.process.wait(180)
    return [] if code == ENDED_ITSELF else [f"at {point} it ended with {code}: {place.collector.text[-300:]}"]


def _change_of_days(place: Place, oracle: Oracle, each: int) -> list[str]:
    """Old messages whose day is removed, an end right after; then midnight under load, an end in the middle of it."""
    place.start_ending("nowhere", 0, f"ahead={-3 * _DAY_S}")
    oracle.open_to(each)
    oracle.wait_for(each, 60)
    wait_until(lambda: place.totals()["written"] >= each, 60, "writing of old messages", look_s=0.1)
    place.collector.stop()
    problems = []
    turn = place.folder / "turn"
    place.start_ending("unlink", 0, "later=120", f"once={turn}")
    place.wait_ready()
    turn.touch()  # more than the minute that lies between two looks for old days
    if (code := place.collector.process.wait(180)) != ENDED_ITSELF:
        problems.append(f"at unlink it ended with {code}: {place.collector.text[-300:]}")
    with place.spool() as spool:
        if len(spool.days()) != 0:
            problems.append(f"no day file was removed: {spool.days()}")
    midnight = place.folder / "midnight"
    place.start_ending("day_change", 0, f"ahead={-_DAY_S}", f"later={_DAY_S}", f"once={midnight}")
    oracle.open_to(2 * each)
    wait_until(lambda: place.totals()["received"] >= 2 * each, 60, "receiving before midnight", look_s=0.1)
    midnight.touch()
    return problems + _ends(place, oracle, each, "day_change")
