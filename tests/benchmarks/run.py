"""`make bench`: what the machine in front of you does, side by side in one run.

    python -m tests.benchmarks.run [--messages 50000] [--rounds 5] [--only decode ...]

Prints what was measured with versions and the broker's profile, and writes build/bench.json: one flat object of
numbers with their units in the key; null is "not measured here". docs/benchmarks.md says what each key means.
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

from tests.benchmarks import comparing, decoding, importing, latency, people, pipeline
from tests.benchmarks.comparing import Figures
from tests.benchmarks.ingest import Bench, Void
from tests.services import influxdb, telegraf
from tests.services import mosquitto as broker

REPORT = Path(__file__).parents[2] / "build/bench.json"

# Each takes the bench, the options and the figures so far, and returns {key: figure}; a new benchmark is one line here.
BENCHMARKS: dict[str, Callable[[Bench, argparse.Namespace, Figures], Figures]] = {
    "drains": lambda bench, options, _: comparing.drains(bench, options.rounds),
    "parts": lambda bench, _options, _: comparing.parts(bench),
    "latency": lambda bench, _options, _: latency.figures(bench),
    "decode": lambda _bench, _options, _: dict(decoding.figures()),
    "import": lambda bench, options, known: importing.measure(
        options.rows, bench.influx, bench.broker, known.get("ingest.periscope_msgs_per_s")
    ),
    "people": lambda bench, _options, _: people.figures(bench),
    "pipeline": lambda _bench, options, _: pipeline.figures(options.year),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each import")
    parser.add_argument("--year", type=int, default=5_000_000, help="events of the year that is computed from nothing")
    parser.add_argument("--profile", choices=["throughput", "crash-safe"], default="throughput")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    options = parser.parse_args()
    os.environ["PERISCOPE_REQUIRE_SERVICES"] = "1"
    # A time limit ends us with SIGTERM, which would leave the servers running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        mosquitto = _broker(Path(folder) / "mosquitto", options.profile)
        influx = influxdb.Influx(Path(folder) / "influx")
        try:
            mosquitto.start()
            influx.start()
            _introduce(options.messages, options.rounds, options.profile)
            for name in options.only:
                figures |= BENCHMARKS[name](Bench(mosquitto, influx, options.messages), options, figures)
        except KeyboardInterrupt:
            return 1
        except (Void, importing.Void) as error:
            print(f"bench: void: {error}; this run says nothing", file=sys.stderr)
            return 1
        finally:
            influx.stop()
            mosquitto.stop()
    if REPORT.exists() and set(options.only) < set(BENCHMARKS):
        figures = json.loads(REPORT.read_text()) | figures
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written to {REPORT.relative_to(Path.cwd()) if REPORT.is_relative_to(Path.cwd()) else REPORT}")
    return 0


def _broker(folder: Path, profile: str) -> broker.Mosquitto:
    """Our own configuration, with the window that the published comparison gave to all."""
    mosquitto = broker.Mosquitto(folder, profile)
    text = mosquitto.config.read_text()
    assert "max_inflight_messages 500" in text
    mosquitto.config.write_text(text.replace("max_inflight_messages 500", "max_inflight_messages 1000"))
    return mosquitto


def _introduce(messages: int, rounds: int, profile: str) -> None:
    def first_line(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).splitlines()[0].strip()

    print(
        f"{messages:,} messages of about 200 bytes, QoS 1, rounds: {rounds}, on {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, paho-mqtt {version('paho-mqtt')}"
    )
    print(
        f"broker: {first_line(broker.program(), '-h')}, profile {profile}, max_inflight_messages 1000; "
        f"store: influxd {_influxd_version()}"
    )
    print("periscope: MQTT 5 and 3.1.1, synchronous=FULL, default settings; bare: MQTT 5, acknowledges, stores nothing")
    found = telegraf.program()
    print(
        f"telegraf: {telegraf.version(found)}, persistent session, metric_batch_size 5000, flush 1 s, "
        "max_undelivered_messages 10000"
        if found
        else f"telegraf: {telegraf.REMEDY}"
    )


def _influxd_version() -> str:
    """A build from the Go module does not know its version, but its folder does."""
    path = influxdb.program()
    return influxdb.VERSION if influxdb.VERSION in path else f"at {path}"


if __name__ == "__main__":
    sys.exit(main())
