"""F14: messages that end, hang or upset their decoder get three tries at most; others lose nothing meanwhile.

A supervisor starts the collector again whenever it ended, as systemd or Docker would.
"""

import json
import time

from collectors import dead_letters, ledger
from collectors.mqtt import MqttPublisher
from collectors.spool import Spool
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.chaos.tampered import POISONED_DECODER, tamper
from tests.integration.oracle import CATALOGUE
from tests.services.process import wait_until

MALMO = CATALOGUE.replace("bremen", "malmo").replace("Bremen", "Malmö")
TRIES = 3
BLAMED = "ended while it judged"  # what is logged at each start after such an end
FATES = {"kill": "poison", "hang": "poison", "raise": "decoder_error", "memory": "decoder_error"}


def run(place: Place, scale: Scale) -> Outcome:
    place.begin(catalogue={"bremen": CATALOGUE, "malmo": MALMO})
    tamper(place, POISONED_DECODER)
    kinds = scale.pick(["raise", "kill"], ["raise", "memory", "kill", "hang", "kill"])
    oracle = place.oracle(scale.pick(2_000, 20_000), rate=500)
    oracle.start()
    place.start()
    place.wait_ready()
    problems: list[str] = []
    for number, kind in enumerate(kinds):
        oracle.open_to(oracle.published + oracle.total // (len(kinds) + 1))
        _publish(place, number, kind)
        before = place.collector.text.count(BLAMED)
        _supervised(place, number)
        ends, wanted = place.collector.text.count(BLAMED) - before, TRIES if FATES[kind] == "poison" else 0
        if ends != wanted:
            problems.append(f"{kind}: the delivering process ended {ends} times, {wanted} expected")
    place.fault_ends()
    verdict = settle(place, oracle)
    with place.spool() as spool:
        letters = [x for x in dead_letters.listed(spool) if x.pilot == "malmo"]
        written = _fates(spool, "written")
    if [letter.code for letter in letters] != [FATES[kind] for kind in kinds]:
        problems.append(f"dead letters {[letter.code for letter in letters]} for {kinds}")
    if written != 2 * len(kinds):
        problems.append(f"{written} of {2 * len(kinds)} neighbours of poison were written")
    return outcome(
        "F14", "messages that end their decoder", len(kinds), oracle, verdict,
        least_obligations=scale.pick(1_500, 15_000), problems=problems,
    )  # fmt: skip


def _publish(place: Place, number: int, kind: str) -> None:
    """A good message, the poison, a good message: all of one feed."""
    with MqttPublisher(place.mqtt) as publisher:
        for name in (f"before-{number}", f"poison-{kind}-{number}", f"after-{number}"):
            event = {
                "specversion": "1.0", "id": name, "source": "/pilots/malmo/app", "type": "action.performed",
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "data": {"synthetic": False},
            }  # fmt: skip
            publisher.publish("pilots/malmo/usage/app", json.dumps(event).encode())


def _supervised(place: Place, number: int) -> None:
    """Start the collector again should it end, until the message after this poison is written."""

    def over() -> bool:
        if not place.collector.running:
            place.start()
        with place.spool() as spool:
            return _fates(spool, "written", "dead_lettered") >= 3 * (number + 1)

    wait_until(over, 240, "a fate for poison and its neighbours", look_s=0.1)


def _fates(spool: Spool, *fates: str) -> int:
    """How many messages of the poisoned feed have one of these fates."""
    counts = ledger.total(spool.ledger().values())
    return sum(n for (pilot, feed, fate), n in counts.items() if (pilot, feed) == ("malmo", "app") and fate in fates)
