"""F12: payloads at the broker's limit, one byte off it and far beyond, then the same with a broker that has no limit.

At the broker's limit the publisher has to see the failure, the broker to log it, and nobody to try again for ever
(M14); without that limit the collector sets what is too large aside with its reason.
"""

import time
from pathlib import Path

from collectors.message import CollectorError
from collectors.mqtt import MqttPublisher
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import LARGEST, TOPIC, payload
from tests.services.process import wait_until

SIZES = {"-1": LARGEST - 1, "exact": LARGEST, "+1": LARGEST + 1, "10 MiB": 10 << 20}


def run(place: Place, scale: Scale) -> Outcome:
    total = scale.pick(500, 3000)
    place.begin(broker_options=("--anonymous", "--max-payload", str(LARGEST)))
    oracle = place.oracle(total, rate=500)
    place.start()
    oracle.start()
    oracle.open_to(total)
    problems = [
        sentence for name, size in SIZES.items() for sentence in _at_the_broker(place, name, size, size <= LARGEST)
    ]
    problems += _no_loop(place)
    with Place(_folder(place), place.influx_of) as open_place:
        problems += _at_the_collector(open_place)
    place.fault_ends()
    verdict = settle(place, oracle)
    expected = [f"size-{name}" for name in ("-1", "exact")]
    stored = [f"{i}" for i in verdict.spurious]
    verdict.spurious = [i for i in stored if i.removeprefix("app/") not in expected]
    problems += [f"{name} is not in the store" for name in expected if f"app/{name}" not in stored]
    return outcome(
        "F12", "payloads of 64 KiB -1, exact, +1, 10 MiB", len(SIZES), oracle, verdict, least_obligations=total,
        problems=problems,
    )  # fmt: skip


def sized(name: str, size: int) -> bytes:
    """An event of exactly that many bytes."""
    body = payload(0).replace(b'"n-0"', b'"size-%s"' % name.encode())
    start, end = body.split(b'"data"')[0] + b'"data": {"filler": [', b"]}}"
    room = size - len(start) - len(end)
    texts, rest = divmod(room - 2, 4003)
    if rest < 3:  # a text needs its quotes and its comma
        texts, rest = texts - 1, rest + 4003
    return start + (b'"%s",' % (b"x" * 4000)) * texts + b'"%s"' % (b"x" * rest) + end


def _at_the_broker(place: Place, name: str, size: int, fits: bool) -> list[str]:
    """Publish one payload; what is wrong with what the publisher was told."""
    message = sized(name, size)
    assert len(message) == size
    try:
        with MqttPublisher(place.mqtt, patience_s=10) as publisher:
            publisher.publish(TOPIC, message)
        return [] if fits else [f"{name}: the publisher was told that all is well"]
    except CollectorError as error:
        return [f"{name}: refused, {error}"] if fits else []


def _no_loop(place: Place) -> list[str]:
    """The broker's refusals are in its log and do not grow."""
    count = place.broker.log.count("oo large")
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        time.sleep(0.5)
    later = place.broker.log.count("oo large")
    found = [] if count else ["the broker's log does not tell of a payload that was too large"]
    return found + ([f"a publisher tries again for ever: {count} refusals, then {later}"] if later > count else [])


def _at_the_collector(place: Place) -> list[str]:
    """Without a limit of the broker: too large ones become dead letters, cut and with their reason."""
    place.begin()
    place.start()
    with MqttPublisher(place.mqtt) as publisher:
        for name, size in SIZES.items():
            publisher.publish(TOPIC, sized(name, size))
    wait_until(lambda: sum(place.totals()[fate] for fate in ("written", "dead_lettered")) == 4, 60, "four fates")
    dead, reasons = place.totals()["dead_lettered"], place.get("/metrics")[1]
    code = place.collector.stop()
    found = [] if dead == 2 else [f"{dead} of 2 too large payloads became dead letters"]
    found += [] if 'reason="too_large"' in reasons else ["their reason is not too_large"]
    return found + ([] if code == 0 else [f"the collector ended with {code}"])


def _folder(place: Place) -> Path:
    folder = place.folder / "without-limit"
    folder.mkdir()
    return folder
