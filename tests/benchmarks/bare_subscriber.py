"""A subscriber that only acknowledges: the ceiling that Periscope is compared with. Runs as a process of its own.

python -m tests.benchmarks.bare_subscriber PORT CLIENT_ID COUNT
"""

import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.benchmarks.traffic import session_properties


def main() -> None:
    port, client_id, wanted = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5, manual_ack=True)
    done = threading.Event()
    received = 0

    def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        nonlocal received
        client.ack(message.mid, message.qos)
        received += 1
        if received == wanted:
            print("drained", flush=True)
            done.set()

    client.on_connect = lambda *_: print("connected", flush=True)
    client.on_message = on_message
    client.connect("127.0.0.1", port, keepalive=30, clean_start=False, properties=session_properties())
    client.loop_start()
    done.wait()
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
