"""F12: payloads at the broker's limit, one byte off it and far beyond, then the same with a broker that has no limit.

At the broker's limit the publisher has to see the failure and may not try again for ever (M14); without that limit the
collector sets what is too large aside with its reason. Mosquitto 2.0.11 neither logs nor counts what it refuses.
"""

from pathlib import Path

from collectors.message import BrokerAway, BrokerRefused
from collectors.mqtt import MqttPublisher
from config.settings import Mqtt
from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.chaos.proxy import Proxy
from tests.integration.oracle import LARGEST, TOPIC, payload
from tests.services.process import wait_until

SIZES = {"-1": LARGEST - 1, "exact": LARGEST, "+1": LARGEST + 1, "10 MiB": 10 << 20}
MOST_TRIES = 5


def run(place: Place, scale: Scale) -> Outcome:
    total = scale.pick(500, 3000)
    place.begin(broker_options=("--anonymous", "--max-payload", str(LARGEST)))
    oracle = place.oracle(total, rate=500)
    place.start()
    oracle.start()
    oracle.open_to(total)
    problems: list[str] = []
    with Proxy(place.broker.port) as way:
        for name, size in SIZES.items():
            problems += _at_the_broker(place.mqtt.model_copy(update={"port": way.port}), name, size)
            if way.accepted > len(SIZES) + MOST_TRIES:
                problems.append(f"{name}: a publisher connected {way.accepted} times: it tries again for ever")
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


def _at_the_broker(settings: Mqtt, name: str, size: int) -> list[str]:
    """Publish one payload; what is wrong with what the publisher was told."""
    message, fits = sized(name, size), size <= LARGEST
    assert len(message) == size
    try:
        with MqttPublisher(settings, patience_s=30) as publisher:
            publisher.publish(TOPIC, message)
        return [] if fits else [f"{name}: the publisher was told that all is well"]
    except BrokerRefused as error:
        return [f"{name}: {error}"] if fits else []
    except BrokerAway as error:
        return [f"{name}: the publisher waited in vain ({error})"]


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
