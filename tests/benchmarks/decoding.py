"""Decoding on one core: from the bytes of a message to its checked events, per payload format.

    python -m tests.benchmarks.decoding [FORMAT ...] [--profile]

Figures are of processor time, which neighbours on the machine hardly change. Each message differs from the last in its
time, so that nothing is remembered that a real feed would not repeat. `judge` is what the collector calls; `decoder`
is the decoder alone, without the look-up of the feed and the clock window.
"""

import argparse
import cProfile
import gc
import pstats
import re
import struct
import time
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.clock_rules import Window
from collectors.decoders import DECODERS
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.topics import Roster
from config.catalogue import Catalogue, Common, Feed, Pilot

CASES = Path(__file__).parents[1] / "data/decoders"
BEGIN_S = 1_551_000_000  # 2019-02-24, within a week of the receipt
RECEIVED_NS = 1_551_484_800_000_000_000
MESSAGES, REPEATS = 3000, 9
_ISO = re.compile(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d")
_EPOCH = re.compile(rb"155\d{7}(?=(?:\d{3}|\d{6}|\d{9})?(?!\d))")  # in s, ms, us or ns
_CBOR_EPOCH = re.compile(rb"\x1a\x5c...", re.DOTALL)  # a whole number of 32 bits in the year 2019


@dataclass(frozen=True)
class Sample:
    """One message of a format: a case of tests/data/decoders, with another payload where one is given."""

    case: str
    payload: bytes | None = None


SAMPLES = {
    "cloudevents": Sample("cloudevents/action_of_a_consenting_person"),
    "flat_json": Sample("flat_json/paths_and_a_sign_for_missing"),
    "sensor_community": Sample("flat_json/sensor_community"),
    "sensorthings": Sample("flat_json/sensorthings"),
    "tasmota": Sample("flat_json/tasmota"),
    "zigbee2mqtt": Sample("flat_json/zigbee2mqtt_with_last_seen"),
    # The same record in JSON and in CBOR, and a pack of two.
    "senml_json": Sample("senml/cbor", b'[{"bn":"hall:","bt":1551398400,"n":"temperature","u":"Cel","v":20.5}]'),
    "senml_json_pack": Sample(
        "senml/base_fields_hold_until_replaced",
        b'[{"bn":"urn:dev:ow:10e2073a01080063/","bt":1551398400.5,"bu":"Cel","n":"temperature","v":20.5},'
        b'{"n":"rh","u":"%RH","v":41.5}]',
    ),
    "senml_cbor": Sample("senml/cbor"),
    "ngsi_v2": Sample("ngsi_v2/key_values"),
    "ngsi_ld": Sample("ngsi_ld/normalized"),
    "things_stack": Sample("things_stack/uplink"),
    "chirpstack": Sample("chirpstack/uplink"),
    "line_protocol": Sample("line_protocol/point"),
}


@dataclass(frozen=True)
class Speed:
    """Of one format: messages per second of processor time, and what a message holds."""

    judged_per_s: float
    decoded_per_s: float
    message_bytes: float
    events: float


def figures(names: Iterable[str] = SAMPLES) -> dict[str, float]:
    """The keys of build/bench.json."""
    found: dict[str, float] = {}
    print(f"{'decoding on one core':22}{'judge msg/s':>12}{'decoder msg/s':>15}{'CPU us':>8}{'bytes':>7}{'events':>8}")
    for name in names:
        speed = measure(name)
        found |= {
            f"decode.{name}_msgs_per_s": round(speed.judged_per_s),
            f"decode.{name}_decoder_msgs_per_s": round(speed.decoded_per_s),
            f"decode.{name}_cpu_us": round(1e6 / speed.judged_per_s, 2),
        }
        print(
            f"  {name:20}{speed.judged_per_s:12,.0f}{speed.decoded_per_s:15,.0f}{1e6 / speed.judged_per_s:8.1f}"
            f"{speed.message_bytes:7.0f}{speed.events:8.0f}",
            flush=True,
        )
    return found


def measure(name: str) -> Speed:
    """The best of several runs: what slows a run of processor time is never the code."""
    # As the delivering process of the collector has it: what a message becomes holds no cycles.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    feed, messages = sample(name)
    roster = roster_of(feed)
    ingest, decode = Ingest(roster, Window()), DECODERS[feed.decoder]
    place = roster.place(messages[0].topic)
    events = 0
    for message in messages:
        judged = ingest.judge(message)
        if judged.fault is not None or not judged.events:
            raise RuntimeError(f"the sample of {name} is not read: {judged}")
        events += len(judged.events)
    return Speed(
        _rate(ingest.judge, messages),
        _rate(lambda message: decode(message, place), messages),
        sum(len(message.payload) for message in messages) / len(messages),
        events / len(messages),
    )


def _rate(act: Callable[[RawMessage], Any], messages: list[RawMessage]) -> float:
    best = 0.0
    for _ in range(REPEATS):
        began = time.process_time()
        for message in messages:
            act(message)
        best = max(best, len(messages) / (time.process_time() - began))
    return best


def sample(name: str, count: int = MESSAGES) -> tuple[Feed, list[RawMessage]]:
    """A feed of the format and messages for it, no two of which are alike."""
    chosen = SAMPLES[name]
    folder = CASES / chosen.case
    feed = Feed.model_validate({"decoder": folder.parent.name, **tomllib.loads((folder / "feed.toml").read_text())})
    topic = feed.topic.replace("+", "level-1")
    payload = chosen.payload or next(folder.glob("input.*")).read_bytes()
    payloads = [_at(payload, BEGIN_S + number) for number in range(count)]
    return feed, [RawMessage(topic=topic, payload=payload, received_ns=RECEIVED_NS) for payload in payloads]


def _at(payload: bytes, second: int) -> bytes:
    """The payload with every time in it replaced by `second`."""
    iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
    payload = _CBOR_EPOCH.sub(lambda _: b"\x1a" + struct.pack(">I", second), _ISO.sub(iso, payload))
    return _EPOCH.sub(str(second).encode(), payload)


def roster_of(feed: Feed) -> Roster:
    pilot = Pilot(slug="bremen", name="Bremen", country="DE", time_zone="Europe/Berlin", feeds=[feed])
    return Roster(Catalogue(common=Common(), pilots={"bremen": pilot}, config_hash="0", folder=Path()), "bench")


def _profile(name: str) -> None:
    feed, messages = sample(name)
    ingest = Ingest(roster_of(feed), Window())
    profile = cProfile.Profile()
    profile.enable()
    for message in messages:
        ingest.judge(message)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(18)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=f"of {', '.join(SAMPLES)}; all without any")
    parser.add_argument("--profile", action="store_true", help="also show where the time goes, by function")
    options = parser.parse_args()
    if unknown := set(options.formats) - set(SAMPLES):
        parser.error(f"unknown format {', '.join(sorted(unknown))}; there are {', '.join(SAMPLES)}")
    names = options.formats or list(SAMPLES)
    figures(names)
    if options.profile:
        for name in names:
            print(name)
            _profile(name)


if __name__ == "__main__":
    main()
