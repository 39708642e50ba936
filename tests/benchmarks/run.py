"""`make bench`: what the machine in front of you does, side by side in one run.

    python -m tests.benchmarks.run [--messages 50000] [--rounds 3]

Prints what was measured with versions and the broker's profile, and writes build/bench.json: one flat object of
numbers with their units in the key; null is "not measured here".
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median

from tests.benchmarks import latency
from tests.benchmarks.ingest import Bench, Drain, QueueTooShort
from tests.services import influxdb
from tests.services import mosquitto as broker

REPORT = Path(__file__).parents[2] / "build/bench.json"
LATENCY_RATE, LATENCY_RUN_S = 500, 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", choices=["throughput", "crash-safe"], default="throughput")
    options = parser.parse_args()
    os.environ["PERISCOPE_REQUIRE_SERVICES"] = "1"
    # A time limit ends us with SIGTERM, which would leave the servers running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        mosquitto = broker.Mosquitto(Path(folder) / "mosquitto", options.profile)
        influx = influxdb.Influx(Path(folder) / "influx")
        try:
            mosquitto.start()
            influx.start()
            _introduce(options.messages, options.rounds, options.profile)
            figures = _measure(Bench(mosquitto, influx, options.messages), options.rounds)
        except KeyboardInterrupt:
            return 1
        except QueueTooShort as error:
            print(f"bench: void: {error}", file=sys.stderr)
            return 1
        finally:
            influx.stop()
            mosquitto.stop()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written to {REPORT.relative_to(Path.cwd()) if REPORT.is_relative_to(Path.cwd()) else REPORT}")
    return 0


def _measure(bench: Bench, rounds: int) -> dict[str, float | None]:
    contestants: dict[str, Callable[[], Drain | None]] = {
        "periscope": bench.drain_periscope,
        "bare": bench.drain_bare,
        "periscope 3.1.1": lambda: bench.drain_periscope("3.1.1"),
        "telegraf": bench.drain_telegraf,
    }
    runs: dict[str, list[Drain]] = {name: [] for name in contestants}
    for number in range(rounds):
        # Each round turns the order round, so that a warm machine favours nobody.
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            if (drain := contestants[name]()) is not None:
                runs[name].append(drain)
                print(f"  round {number + 1}: {name:16} {drain.messages_per_s:8,.0f} msg/s", flush=True)
    _table(runs)
    delay = latency.measure(bench, LATENCY_RATE, LATENCY_RUN_S)
    print(
        f"publish to queryable at {delay.rate:.0f} msg/s, {delay.messages} messages: "
        f"p50 {delay.p50_s:.2f} s, p95 {delay.p95_s:.2f} s"
    )
    rates = {name: median(d.messages_per_s for d in drains) if drains else None for name, drains in runs.items()}
    ours, ceiling = rates["periscope"], rates["bare"]
    # By rounds: their neighbours in time share what else the machine was doing.
    share = median(a.messages_per_s / b.messages_per_s for a, b in zip(runs["periscope"], runs["bare"], strict=True))
    return {
        "ingest.periscope_msgs_per_s": _rounded(ours),
        "ingest.periscope_mqtt311_msgs_per_s": _rounded(rates["periscope 3.1.1"]),
        "ingest.bare_msgs_per_s": _rounded(ceiling),
        "ingest.telegraf_msgs_per_s": _rounded(rates["telegraf"]),
        "ingest.periscope_share_of_bare": round(share, 3),
        "ingest.latency_p50_s": round(delay.p50_s, 3),
        "ingest.latency_p95_s": round(delay.p95_s, 3),
        "ingest.cpu_s_per_100k": round(median(d.cpu_s_per_100k for d in runs["periscope"]), 2),
        "ingest.peak_mib": round(max(d.peak_mib for d in runs["periscope"]), 1),
    }


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate)


def _table(runs: dict[str, list[Drain]]) -> None:
    print(f"{'':18}{'msg/s median':>14}{'lowest':>10}{'highest':>10}{'CPU s/100k':>12}{'peak MiB':>10}")
    for name, drains in runs.items():
        if not drains:
            print(f"{name:18}{'not installed':>14}")
            continue
        rates = [d.messages_per_s for d in drains]
        print(
            f"{name:18}{median(rates):14,.0f}{min(rates):10,.0f}{max(rates):10,.0f}"
            f"{median(d.cpu_s_per_100k for d in drains):12.2f}{max(d.peak_mib for d in drains):10.1f}"
        )


def _introduce(messages: int, rounds: int, profile: str) -> None:
    def first_line(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).splitlines()[0].strip()

    print(
        f"{messages:,} messages of about 200 bytes, QoS 1, {rounds} rounds, on {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, paho-mqtt {version('paho-mqtt')}"
    )
    print(f"broker: {first_line(broker.program(), '-h')}, profile {profile}; store: influxd {_influxd_version()}")
    print("periscope: MQTT 5, synchronous=FULL, default batches; bare: MQTT 5, manual acknowledgement, no storage")


def _influxd_version() -> str:
    """A build from the Go module does not know its version, but its folder does."""
    path = influxdb.program()
    return influxdb.VERSION if influxdb.VERSION in path else f"at {path}"


if __name__ == "__main__":
    sys.exit(main())
