"""F4: the broker restarts in order, which may lose nothing, then is killed, which may lose what docs/deploy.md says.

That is one message per kill with the crash-safe profile; a lost one has to be a gap in the numbers just before a kill.
"""

import random

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.services.process import wait_until

RATE, LOST_PER_KILL, NEAR = 150, 1, 40


def run(place: Place, scale: Scale) -> Outcome:
    restarts, kills = scale.pick((1, 1), (5, 5))
    each = scale.pick(300, 600)
    chance = random.Random(scale.seed)
    place.begin(profile="crash-safe")
    oracle = place.oracle((restarts + kills + 1) * each, rate=RATE)
    place.start()
    oracle.start()
    killed_at: list[int] = []
    for number in range(restarts + kills):
        oracle.open_to((number + 1) * each)
        oracle.wait_for(number * each + chance.randrange(each // 4, each), 90)
        if number < restarts:
            place.broker.stop()
        else:
            place.broker.kill()
            killed_at.append(oracle.published)
        place.broker.start()
        place.fault_ends()
        wait_until(place.ready, 60, "the collector's return to the broker", look_s=0.1)
    verdict = settle(place, oracle)
    far = [n for n in verdict.lost if not any(at - NEAR <= n <= at + NEAR for at in killed_at)]
    return outcome(
        "F4", f"broker: {restarts} restarts (0 lost), {kills} kill -9 (crash-safe: {LOST_PER_KILL} each)",
        restarts + kills, oracle, verdict, least_obligations=oracle.total, allowed_lost=kills * LOST_PER_KILL,
        problems=[f"lost far from any kill of the broker: {far}"] if far else [],
    )  # fmt: skip
