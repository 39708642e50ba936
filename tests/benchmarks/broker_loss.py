"""How many acknowledged messages a kill -9 of the broker costs, with our configuration.

    python -m tests.benchmarks.broker_loss [--rounds 10] [--profile crash-safe]

Each round: a persistent session waits, a publisher sends at a rate (and once flat out), the broker is killed at a
random moment and started again, and the session is drained. Lost is what had its PUBACK and did not come.
"""

import argparse
import contextlib
import random
import signal
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.benchmarks.traffic import Publisher, event, open_session, session_properties
from tests.services.mosquitto import Mosquitto

SESSION = "loss"


def publish_until_killed(broker: Mosquitto, rate: float, run_s: float) -> Publisher:
    """Publish at `rate` messages a second (0 is flat out), kill after `run_s` seconds."""
    killer = threading.Timer(run_s, broker.kill)
    with contextlib.suppress(ConnectionError), Publisher(broker.port) as publisher:
        began = time.monotonic()
        killer.start()
        number = 0
        while broker.running:
            publisher.publish(number, event(number, time.time_ns()))
            number += 1
            if rate:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
    killer.join()
    return publisher


def drain(port: int, quiet_s: float = 2.0) -> set[int]:
    """Numbers of all that waits in the session, taken until nothing came for `quiet_s` seconds."""
    got: set[int] = set()
    last = [time.monotonic()]
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=SESSION, protocol=mqtt.MQTTv5)

    def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        got.add(int(message.payload.split(b"bench-")[1][:8]))
        last[0] = time.monotonic()

    client.on_message = on_message
    client.connect("127.0.0.1", port, clean_start=False, properties=session_properties())
    client.loop_start()
    while time.monotonic() - last[0] < quiet_s:
        time.sleep(0.05)
    client.disconnect()
    client.loop_stop()
    return got


def one_round(profile: str, rate: float, run_s: float) -> tuple[int, int]:
    """Acknowledged and lost messages of one kill."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Mosquitto(Path(folder), profile)
        broker.start()
        try:
            open_session(broker.port, SESSION, "pilots/#")
            publisher = publish_until_killed(broker, rate, run_s)
            broker.start()
            got = drain(broker.port)
        finally:
            broker.stop()
    return len(publisher.acknowledged), len(set(publisher.acknowledged) - got)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--profile", default="crash-safe", choices=["crash-safe", "throughput"])
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[100, 300, 0], help="messages a second; 0 is flat out"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    # A time limit ends us with SIGTERM, which would leave the servers running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for rate in options.rates:
        rounds = [one_round(options.profile, rate, moments.uniform(1, 5)) for _ in range(options.rounds)]
        acknowledged = sum(number for number, _ in rounds)
        lost = [number for _, number in rounds]
        print(
            f"{options.profile}, {f'{rate:.0f} msg/s' if rate else 'flat out'}: {options.rounds} kills, "
            f"{acknowledged} acknowledged, lost per kill: {' '.join(map(str, lost))} (most {max(lost)})",
            flush=True,
        )


if __name__ == "__main__":
    main()
