"""F16: 200 clients lose their connections and come back at once, and the collector's own is cut every two seconds."""

import socket
import time

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.chaos.proxy import Proxy

CLIENTS, EVERY_S = 200, 2


def run(place: Place, scale: Scale) -> Outcome:
    seconds, rate = scale.pick((12, 200), (60, 300))
    total = seconds * rate
    place.begin()
    oracle = place.oracle(total, rate=rate)
    problems: list[str] = []
    with Proxy(place.broker.port) as way, Proxy(place.broker.port) as others:
        place.set(mqtt__port=way.port)
        place.start()
        place.wait_ready()
        oracle.start()
        oracle.open_to(total)
        storms, refused, taken = 0, 0, [place.totals()["received"]]
        crowd = _crowd(others.port)
        refused += CLIENTS - len(crowd)
        for number in range(seconds // EVERY_S):
            time.sleep(EVERY_S)  # the fault's own rhythm
            if number % 5 == 1:
                others.cut()
                crowd, storms = _crowd(others.port), storms + 1
                refused += CLIENTS - len(crowd)
            way.cut()
            taken.append(place.totals()["received"])
        place.fault_ends()
        stalls = [i for i in range(3, len(taken)) if taken[i] == taken[i - 3]]
        if stalls:
            problems.append(f"no progress within {3 * EVERY_S} s, {len(stalls)} times: {taken}")
        if refused:
            problems.append(f"{refused} clients were not let in, in {storms} storms")
        verdict = settle(place, oracle)
        for client in crowd:
            client.close()
    return outcome(
        "F16", f"{CLIENTS} clients reconnect at once, {storms} times; cut every {EVERY_S} s for {seconds} s",
        storms + seconds // EVERY_S, oracle, verdict, least_obligations=total, needs_duplicates=True,
        problems=problems,
    )  # fmt: skip


def _crowd(port: int) -> list[socket.socket]:
    """Many clients that connect at once (MQTT 3.1.1, clean); those that the broker let in."""
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(CLIENTS)]
    for number, client in enumerate(clients):
        name = b"crowd-%03d" % number
        body = b"\x00\x04MQTT\x04\x02\x00\x3c" + len(name).to_bytes(2, "big") + name
        client.sendall(b"\x10" + bytes([len(body)]) + body)
    return [client for client in clients if _answer(client) == b"\x20\x02\x00\x00"]


def _answer(client: socket.socket) -> bytes:
    try:
        return client.recv(4)
    except OSError:
        return b""
