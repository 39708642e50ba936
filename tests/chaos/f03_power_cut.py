"""F3: the power is cut while messages flow: all processes end and every byte that was not synced vanishes.

A layer below the C library keeps, beside each file of the state folder, a copy that holds what was synced alone
(synced_only.c); the collector is killed and restarted on that copy. It sees no single sector: torn pages are F9.
"""

import random
import shutil
import subprocess
from pathlib import Path

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.services.process import wait_until

SOURCE = Path(__file__).with_name("synced_only.c")


def run(place: Place, scale: Scale) -> Outcome:
    cuts, total = scale.pick((4, 3_000), (20, 30_000))
    chance = random.Random(scale.seed)
    place.begin()
    layer = _built(place.folder)
    oracle = place.oracle(total, rate=1000)
    oracle.start()
    vanished = 0
    for number in range(cuts):
        shadow = _shadow(place, layer)
        place.start()
        oracle.open_to(total * (number + 1) // (cuts + 1))
        # Asked of the collector: whoever opens the spool's files writes to them too, past the layer.
        wait_until(lambda: place.metric("spool_appended") > 0, 60, "receiving again")
        oracle.wait_for(min(oracle.published + chance.randrange(1, total // cuts), oracle.gate), 60)
        place.collector.kill()
        vanished += _cut(place, shadow)
    place.unset("LD_PRELOAD")
    place.fault_ends()
    verdict = settle(place, oracle)
    nothing = [] if vanished else ["no file differed from its synced copy: nothing was ever cut off"]
    return outcome(
        "F3", "power cut: only synced bytes stay", cuts, oracle, verdict, least_obligations=total,
        needs_duplicates=not scale.short, problems=nothing,
    )  # fmt: skip


def _built(folder: Path) -> Path:
    """The layer as a library; raises FileNotFoundError where there is no C compiler."""
    made = folder / "synced_only.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", made, SOURCE, "-ldl", "-lpthread"], check=True)
    return made


def _shadow(place: Place, layer: Path) -> Path:
    """Begin a copy of the state folder, as everything in it is durable now."""
    shadow = place.folder / "synced"
    shutil.copytree(place.folder / "var", shadow)
    place.environment |= {
        "LD_PRELOAD": str(layer), "SYNCED_ROOT": str(place.folder / "var"), "SYNCED_SHADOW": str(shadow),
    }  # fmt: skip
    return shadow


def _cut(place: Place, shadow: Path) -> int:
    """Put the synced copy in the place of the state folder; returns how many files had held more."""
    for file in [*shadow.rglob("*.unlisted"), *shadow.rglob("*-shm")]:
        file.unlink()
    state = place.folder / "var"
    names = [file.relative_to(state) for file in state.rglob("*") if file.is_file() and file.suffix != ".db-shm"]
    more = sum(1 for name in names if not (shadow / name).exists() or not _same(state / name, shadow / name))
    shutil.rmtree(state)
    shadow.rename(state)
    return more


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()
