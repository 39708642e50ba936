"""F22: the store is put back as of last night, after a person was erased, and the journal is replayed.

The erasure is killed on the way and repeated. The backup still has the person: nothing of them may be left in the end,
whatever was put back, replayed or sent again, and no event of anybody else may be missing.
"""

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

from collectors import ledger
from collectors.mqtt import MqttPublisher
from tests.chaos.f21_pipeline import MALMO
from tests.chaos.harness import ROOT, Collector, Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import CATALOGUE
from tests.services.influxdb import Influx
from tests.services.process import wait_until

HERS, OTHERS = "pseudonym-of-hers-0001", "pseudonym-of-others-02"
TOPIC = "pilots/malmo/usage/app"
ERASE = ("erase", "--pilot", "malmo", "--actor-key", HERS, "--reason", "asked", "--yes")


def run(place: Place, scale: Scale) -> Outcome:
    own = Influx(place.folder / "influx")  # its own, since it is stopped and its files are put back
    place.influx_of = lambda: own
    if not scale.short:
        own.start()
    try:
        return _run(place, scale)
    finally:
        own.stop()


def _run(place: Place, scale: Scale) -> Outcome:
    number, kills = scale.pick((900, 1), (9_000, 6))
    chance, problems = random.Random(scale.seed), list[str]()
    place.begin(store=scale.pick("sqlite", "influx"), catalogue={"bremen": CATALOGUE, "malmo": MALMO})
    place.start()
    place.wait_ready()
    oracle = place.oracle(number, scale.pick(400, 800))
    oracle.start()
    _publish(place, range(40))
    oracle.open_to(number // 3)
    oracle.wait_for(number // 3, 120)
    _back_up(place)
    oracle.open_to(number * 2 // 3)
    oracle.wait_for(number * 2 // 3, 120)
    assert place.collector.stop() == 0, place.collector.text
    for _ in range(kills):
        _killed(place, chance)
    _periscope(place, *ERASE)
    place.start()
    place.wait_ready()
    _publish(place, range(30, 50))  # again, and more
    assert place.collector.stop() == 0, place.collector.text
    _put_back(place)
    if not _stored(place, HERS):
        problems.append("the backup did not hold the person: proves nothing")
    _periscope(place, "erase", "--again", "--reason", "the backup was put back", "--yes")
    _periscope(place, "replay", "--since", "24h")
    place.fault_ends()
    verdict = settle(place, oracle)
    return outcome(
        "F22", f"the store of last night put back; an erasure killed {kills} times", kills + 1, oracle, verdict,
        least_obligations=number, problems=[*problems, *_left_of_her(place)],
    )  # fmt: skip


def _publish(place: Place, numbers: range) -> None:
    """Every second one is hers; each is sent twice."""
    with MqttPublisher(place.mqtt) as publisher:
        for n in [*numbers, *numbers]:
            data = {"actor_key": (HERS, OTHERS)[n % 2], "synthetic": False}
            message = {"specversion": "1.0", "id": f"f22-{n}", "source": "/pilots/malmo/app", "data": data}
            message |= {"type": "action.performed", "time": f"2026-08-{1 + n % 28:02}T10:00:{n:02}Z"}
            publisher.publish(TOPIC, json.dumps(message).encode())
    wait_until(lambda: place.totals()["pending"] == 0, 60, "their delivery", look_s=0.1)


def _left_of_her(place: Place) -> list[str]:
    found = [f"{n} events of the erased person are stored"] if (n := _stored(place, HERS)) else []
    if (n := _stored(place, OTHERS)) != 25:
        found.append(f"{n} of 25 events of somebody else are stored")
    state = place.folder / "var"
    files = [path for path in state.rglob("*") if path.is_file() and path.suffix != ".key"]
    found += [f"{path.name} still says who it was" for path in files if HERS.encode() in path.read_bytes()]
    with place.store() as store, place.spool() as spool:
        found += ledger.audit(ledger.total(spool.ledger().values()), store, ["bremen", "malmo"])
    return found


def _stored(place: Place, who: str) -> int:
    with place.store() as store:
        return len(store.of_actor("malmo", who))


def _periscope(place: Place, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "periscope", *words], cwd=ROOT, env=place.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _killed(place: Place, chance: random.Random) -> None:
    """An erasure that ends somewhere between its tombstone and its end, or that was quicker."""
    running = Collector(["-m", "periscope", *ERASE], place.environment, place.folder / "erase.log")
    wait_until(lambda: (place.folder / "var/erasures.db").exists() or not running.running, 60, "the tombstone")
    time.sleep(chance.uniform(0, 0.4))  # a moment to be killed at, not waiting for an outcome
    running.kill()


def _back_up(place: Place) -> None:
    """Of SQLite beside its writer; of InfluxDB by its files, while it is stopped and the collector waits."""
    kept = place.folder / "backup"
    if place.influx is not None:
        place.influx.stop()
        shutil.copytree(place.influx.folder, kept)
        place.influx.start()
        return
    kept.mkdir()
    for name in ("raw.db", "derived.db"):
        source = place.folder / "var/store" / name
        if source.exists():
            with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(kept / name)) as there:
                here.backup(there)


def _put_back(place: Place) -> None:
    kept = place.folder / "backup"
    here = place.folder / "var/store" if place.influx is None else place.influx.folder
    if place.influx is not None:
        place.influx.stop()
    shutil.rmtree(here)
    shutil.copytree(kept, here)
    if place.influx is not None:
        place.influx.start()
