"""F13: a pilot's user publishes where it may not, and says what it is not; no event may appear under another pilot.

The broker runs with deploy's access list and one user per pilot, as in service.
"""

import json
import shutil
import subprocess

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from config.settings import Mqtt
from tests.chaos.harness import ROOT, Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import CATALOGUE
from tests.services.process import wait_until

DEPLOY = ROOT / "deploy/mosquitto"
MALMO = CATALOGUE.replace("bremen", "malmo").replace("Bremen", "Malmö").replace("DE", "SE", 1)
_MAY_NOT = {
    "another pilot": "pilots/malmo/usage/app",
    "20 levels below another": "pilots/malmo/usage/app" + "/x" * 16,
    "an empty pilot": "pilots//usage/app",
    "look-alike letters": "pilots/brem\u0435n/usage/app",  # a Cyrillic e
    "upper case": "pilots/Bremen/usage/app",
    "the collector's own": "periscope/ops/main/malmo",
    "the broker's own": "$SYS/broker/uptime",
    "a shared name": "$share/pilots/malmo/usage/app",
    "another $": "$pilots/malmo/usage/app",
    "64 KiB": "pilots/malmo/usage/" + "x" * (65_535 - len("pilots/malmo/usage/")),
    "a leading slash": "/pilots/malmo/usage/app",
}
_MAY = {
    "20 levels": "pilots/bremen/usage/app" + "/x" * 16,
    "an empty level": "pilots/bremen//app",
    "64 KiB of its own": "pilots/bremen/usage/" + "x" * (65_535 - len("pilots/bremen/usage/")),
    "an unknown feed": "pilots/bremen/usage/ap\u0440",  # a Cyrillic er
}


def run(place: Place, scale: Scale) -> Outcome:
    total = scale.pick(300, 2000)
    passwords = place.folder / "passwords"
    made = [str(DEPLOY / "passwords.sh"), str(place.folder / "secrets"), str(passwords), "bremen", "malmo", "collector"]
    subprocess.run(made, check=True, capture_output=True)
    place.begin(
        profile="crash-safe", broker_options=("--passwords", str(passwords), "--acl", _acl(place)),
        catalogue={"bremen": CATALOGUE, "malmo": MALMO}, mqtt__username="collector",
        mqtt__password=_secret(place, "collector"),
    )  # fmt: skip
    bremen = Mqtt(
        host=place.broker.host, port=place.broker.port, username="bremen", password=_secret(place, "bremen")
    )  # fmt: skip
    oracle = place.oracle(total, rate=500, settings=bremen)
    place.start()
    place.wait_ready()
    oracle.start()
    oracle.open_to(total)
    for name, topic in (_MAY_NOT | _MAY).items():
        _publish(bremen, topic, _event(name, "bremen"))
    _publish(bremen, "pilots/bremen/usage/app", _event("payload of another pilot", "malmo"))
    problems: list[str] = []
    try:
        wait_until(lambda: place.totals()["dead_lettered"] >= len(_MAY) + 1, 30, "the dead letters", look_s=0.1)
    except TimeoutError as error:
        problems.append(f"{error}: {place.totals()['dead_lettered']} of {len(_MAY) + 1}")
    text = place.get("/metrics")[1]
    place.fault_ends()
    verdict = settle(place, oracle)
    problems += (
        [] if 'reason="identity_mismatch"' in text else ["the payload's pilot was not compared with the topic's"]
    )
    problems += _elsewhere(place)
    return outcome(
        "F13", "topics of others, of 20 levels and of 64 KiB, with look-alikes, $ and empty levels",
        len(_MAY_NOT) + len(_MAY) + 1, oracle, verdict, least_obligations=total, problems=problems,
    )  # fmt: skip


def _elsewhere(place: Place) -> list[str]:
    """Whatever the store or the ledger has under another pilot."""
    with place.store() as store:
        events = [
            e.event_id for stream in ("usage", "sensor", "engagement") for e in store.read("malmo", [stream], 0, 2**62)
        ]
    with place.spool() as spool:
        counted = {
            (pilot, feed): n
            for counts in spool.ledger().values()
            for (pilot, feed, _), n in counts.items()
            if pilot != "bremen" and feed != "collector" and n
        }
    return [f"under another pilot: {events}"] * bool(events) + [f"counted elsewhere: {counted}"] * bool(counted)


def _publish(settings: Mqtt, topic: str, body: bytes) -> None:
    """Publish as paho does, whatever the broker answers; one connection each, as the broker may end it."""
    assert settings.password is not None
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    client.username_pw_set(settings.username, settings.password.get_secret_value())
    ended: list[bool] = []
    client.on_publish = client.on_disconnect = lambda *_: ended.append(True)
    connected: list[bool] = []
    client.on_connect = lambda *_: connected.append(True)
    client.connect(settings.host, settings.port)
    client.loop_start()
    wait_until(lambda: bool(connected), 20, "connecting")
    client.publish(topic, body, qos=1)
    wait_until(lambda: bool(ended), 20, f"an answer to {topic[:40]}")
    client.disconnect()
    client.loop_stop()


def _event(name: str, pilot: str) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0", "id": f"abuse {name}", "source": f"/pilots/{pilot}/app", "type": "action.performed",
            "time": "2019-03-01T00:00:00Z", "data": {"synthetic": False},
        }
    ).encode()  # fmt: skip


def _acl(place: Place) -> str:
    return shutil.copy(DEPLOY / "acl", place.folder)


def _secret(place: Place, name: str) -> str:
    return (place.folder / f"secrets/mqtt_{name}").read_text()
