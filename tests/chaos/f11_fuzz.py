"""F11: hostile payloads over all decoders through the real collector: it lives, and each message has one fate."""

from collections import Counter

from collectors import dead_letters
from collectors.mqtt import MqttPublisher
from tests.chaos.fuzz import PILOT, fuzz, pilot_file
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import CATALOGUE
from tests.services.process import wait_until

MOST_GROWTH = 50 << 20
LONGEST_LINE = 2048
OURS = {"decoder_error", "poison", "damaged"}  # our mistakes, not the payload's


def run(place: Place, scale: Scale) -> Outcome:
    number = scale.pick(5_000, 100_000)
    place.begin(catalogue={"bremen": CATALOGUE, PILOT: pilot_file()}, log_level="INFO")
    place.start()
    place.wait_ready()
    acked: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    memory: list[int] = []
    with MqttPublisher(place.mqtt, on_puback=lambda topic: acked.update([topic])) as publisher:
        for count, message in enumerate(fuzz(scale.seed, number), 1):
            publisher.publish(message.topic, message.payload, token=message.topic)
            sent[message.topic] += 1
            if count % (number // 10) == 0:
                wait_until(lambda c=count: _ended(place) >= c, 300, "a fate for each", look_s=0.2)  # type: ignore[misc]
                memory.append(sum(process.memory_info().rss for process in place.collector.members()))
    problems = _judged(place, acked, memory)
    oracle = place.oracle(scale.pick(500, 5_000), rate=2000)
    oracle.start()
    place.fault_ends()
    verdict = settle(place, oracle)
    long_lines = [line for line in place.collector.text.splitlines() if len(line.encode()) > LONGEST_LINE]
    if long_lines:
        problems.append(f"{len(long_lines)} log lines of more than {LONGEST_LINE} bytes")
    if sum(acked.values()) != number:
        problems.append(f"{sum(acked.values())} of {number} were acknowledged")
    if len(place.collectors) != 2:
        problems.append("the collector had to be started again")
    return outcome(
        "F11", f"{number:,} fuzzed payloads, all decoders", number, oracle, verdict,
        least_obligations=scale.pick(400, 4_000), problems=problems,
    )  # fmt: skip


def _ended(place: Place) -> int:
    """Messages of the hostile feeds that have their fate."""
    with place.spool() as spool:
        counts = list(spool.ledger().values())
    fates = Counter[str]()
    for one in counts:
        for (pilot, _, fate), n in one.items():
            fates[fate] += n if pilot == PILOT else 0
    return fates["received"] - fates["pending"]


def _judged(place: Place, acked: Counter[str], memory: list[int]) -> list[str]:
    """What is wrong with the fates of the hostile messages: per feed as many as were acknowledged, none doubled."""
    problems = []
    received: Counter[str] = Counter()
    with place.spool() as spool:
        for counts in spool.ledger().values():
            for (pilot, feed, fate), n in counts.items():
                received[feed] += n if pilot == PILOT and fate == "received" else 0
        ours = {code: n for (_, _, code), n in dead_letters.counted(spool).items() if code in OURS}
    for topic, n in acked.items():
        feed = topic.rsplit("/", 1)[1][:40].strip("-")
        if received[feed] != n:
            problems.append(f"{feed}: {n} acknowledged, {received[feed]} received")
    if ours:
        problems.append(f"our own mistakes: {ours}")
    if memory[-1] - memory[0] > MOST_GROWTH:
        problems.append(f"memory grew by {(memory[-1] - memory[0]) >> 20} MiB")
    return problems
