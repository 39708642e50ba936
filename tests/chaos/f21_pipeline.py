"""F21: the pipeline is killed in the middle of its work while late and unordered data come, and is run twice.

In the end every value is that of a computation from scratch by another process, and of the brute force of
tests/unit/pipeline/brute.py. Erasure has tests of its own (docs/chaos.md).
"""

import json
import random
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from collectors.mqtt import MqttPublisher
from pipeline.store.sqlite import SQLiteStore
from pipeline.values import IndicatorValue, PeriodValues
from tests.chaos.harness import ROOT, Collector, Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.integration.oracle import CATALOGUE
from tests.services.process import wait_until
from tests.unit.pipeline.brute import Brute

ZONE = "Europe/Stockholm"
EVER = (-(1 << 62), 1 << 62)
MALMO = f"""
slug = "malmo"
name = "Malmö"
country = "SE"
time_zone = "{ZONE}"
[[feeds]]
id = "app"
topic = "pilots/malmo/usage/app"
stream = "usage"
consent = "cohort"
[[feeds]]
id = "talk"
topic = "pilots/malmo/engagement/talk"
stream = "engagement"
consent = "cohort"
"""
COMMON = "disclosure_k = 0\n"
CHECKED = ("people", "core-actions", "contributions", "contributors", "new-people", "returning-people")


def run(place: Place, scale: Scale) -> Outcome:
    parts, number = scale.pick((3, 600), (12, 6_000))
    place.begin(catalogue={"bremen": CATALOGUE, "malmo": MALMO, "catalogue": COMMON})
    chance = random.Random(scale.seed)
    messages = _messages(chance, number)
    oracle = place.oracle(scale.pick(500, 5_000), rate=1000)
    oracle.start()
    place.start()
    place.wait_ready()
    _only_malmo(place)
    problems: list[str] = []
    kills = 0
    for part in range(parts):
        _publish(place, messages[part::parts])
        kills += _killed(place, chance, problems)
    place.fault_ends()
    verdict = settle(place, oracle)
    if not kills:
        problems.append("the pipeline was never killed at work")
    _once(place, place.folder / "var")
    problems += _against_brute(place, messages)
    first = _documents(place.folder / "var")
    _once(place, place.folder / "var")
    if _documents(place.folder / "var") != first:
        problems.append("one more run changed values")
    if not _as_from_scratch(place):
        problems.append("the values are not those of a computation from scratch")
    return outcome(
        "F21", "pipeline killed, late and unordered data", kills, oracle, verdict,
        least_obligations=scale.pick(400, 4_000), problems=problems,
    )  # fmt: skip


def _messages(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """Events of two closed months, in no order; the first day holds one of each kind, so that zeros are known."""
    first = datetime(2026, 8, 1, 6, tzinfo=UTC)
    rows = []
    for n in range(number):
        at = first + timedelta(seconds=0 if n < 2 else chance.randrange(60 * 86_400))
        kind = ("action.performed", "contribution.made")[n % 2]
        data = {"actor_key": f"pseudonym-of-{chance.randrange(40):04}"} | ({"kind": "idea"} if n % 2 else {})
        data |= {"synthetic": False}
        source = ("app", "talk")[n % 2]
        rows.append({"specversion": "1.0", "id": f"f21-{n}", "source": f"/pilots/malmo/{source}", "type": kind,
                     "time": at.isoformat(), "data": data})  # fmt: skip
    chance.shuffle(rows)
    return rows


def _publish(place: Place, messages: list[dict[str, Any]]) -> None:
    before = place.totals()["written"]
    with MqttPublisher(place.mqtt) as publisher:
        for message in messages:
            stream, source = (("usage", "app"), ("engagement", "talk"))[message["type"] != "action.performed"]
            publisher.publish(f"pilots/malmo/{stream}/{source}", json.dumps(message).encode())
    wait_until(lambda: place.totals()["written"] >= before + len(messages), 60, "writing", look_s=0.1)


def _only_malmo(place: Place) -> None:
    """The pipeline's catalogue: seven years of the other pilot's days would show nothing more."""
    folder = place.folder / "malmo-only"
    folder.mkdir()
    for name in ("malmo.toml", "catalogue.toml"):
        shutil.copy(place.folder / "pilots" / name, folder)


def _environment(place: Place, state: Path) -> dict[str, str]:
    changed = {"PERISCOPE_CATALOGUE": str(place.folder / "malmo-only"), "PERISCOPE_STATE": str(state)}
    return place.environment | changed | {"PERISCOPE_HEALTH_PORT": "0"}


def _killed(place: Place, chance: random.Random, problems: list[str]) -> int:
    """Kill a running pipeline after a few of its commits; 0 when it was at rest before."""
    state = place.folder / "var"
    running = Collector(["-m", "periscope", "pipeline"], _environment(place, state), place.folder / "pipeline.log")
    seen, left, idle_since = _last_commit(state), chance.randrange(2, 12), time.monotonic()
    while left and running.running and time.monotonic() - idle_since < 6:
        time.sleep(0.002)  # looking for the next commit
        if (now := _last_commit(state)) != seen:
            seen, left, idle_since = now, left - 1, time.monotonic()
    if not running.running:
        problems.append(f"the pipeline ended by itself: {running.text[-300:]}")
        return 0
    running.kill()
    return int(not left)


def _last_commit(state: Path) -> int:
    log = state / "store/derived.db-wal"
    return log.stat().st_mtime_ns if log.exists() else 0


def _once(place: Place, state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "periscope", "pipeline", "--once"], cwd=ROOT, env=_environment(place, state),
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _documents(state: Path) -> dict[tuple[str, int], bytes]:
    """Every stored period without the run that wrote it."""
    store = SQLiteStore(state / "store", mode="read")
    try:
        records = store.get("values", "malmo", *EVER)
    finally:
        store.close()
    found = {}
    for record in records:
        document = msgspec.json.decode(record.body, type=PeriodValues)
        if document.values:
            found[record.key, record.time_ns] = msgspec.json.encode((document.start, document.end, document.values))
    return found


def _as_from_scratch(place: Place) -> bool:
    """Compare with a place that has the same events and has computed nothing yet.

    What is over is judged at quarters of an hour: where one ends between both runs, both are made again.
    """
    for attempt in range(2):
        fresh = place.folder / f"fresh-{attempt}"
        (fresh / "store").mkdir(parents=True)
        with_log = sorted((place.folder / "var/store").glob("raw.db*"))
        for path in with_log:
            shutil.copy(path, fresh / "store")
        _once(place, fresh)
        if attempt:
            _once(place, place.folder / "var")
        if _documents(fresh) == _documents(place.folder / "var"):
            return True
    return False


def _against_brute(place: Place, messages: list[dict[str, Any]]) -> list[str]:
    """One sentence where a value of a closed period is not what sets and lists give."""
    rows = [
        SimpleNamespace(
            type=message["type"], time_ns=int(datetime.fromisoformat(message["time"]).timestamp()) * 10**9,
            actor_key=message["data"]["actor_key"], count=1, data=message["data"],
        )
        for message in messages
    ]  # fmt: skip
    brute = Brute(rows, ZONE)
    wrong, checked = [], 0
    for body in _documents(place.folder / "var").values():
        start, end, values = msgspec.json.decode(body, type=tuple[str, str, list[IndicatorValue]])
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        if last > date(2026, 9, 20) or first < date(2026, 8, 3):
            continue
        before = (first - (last - first) - timedelta(days=1), first - timedelta(days=1))
        expected = brute.values(first, last, before)
        for value in values:
            if value.dim or value.status != "ok" or value.indicator not in CHECKED:
                continue
            if value.indicator == "returning-people" and (value.period == "month" or before[0] < date(2026, 8, 1)):
                continue  # the month before has another length
            checked += 1
            if value.value != expected[value.indicator]:
                wrong.append(f"{value.indicator} {value.period} {start}: {value.value}, {expected[value.indicator]}")
    if not checked:
        wrong.append("no value could be compared with brute force")
    return wrong[:5]
