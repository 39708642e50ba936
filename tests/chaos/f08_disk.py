"""F8: the spool's disk is full, its quota is used up, or it answers with an error; its own limit is reached.

Full (ENOSPC, EDQUOT, the limit in bytes): nothing more is acknowledged, readiness is 503, and it resumes by itself
when there is room. An error (EIO): it ends, acknowledging nothing more, and what it acknowledged is there afterwards.
ENOSPC is a real small file system (mounting one needs root); the others are SQLite's answers to a commit.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.harness import Place, Scale
from tests.chaos.judgement import outcome, settle
from tests.chaos.outcome import Outcome
from tests.chaos.tampered import FAILING_COMMITS, tamper
from tests.integration.oracle import Oracle
from tests.services.process import wait_until

DISK_MIB = 24


def run(place: Place, scale: Scale) -> Outcome:
    place.begin(session=False)
    spool = place.folder / "var/spool"
    spool.mkdir(parents=True)
    problems: list[str] = []
    with _small_disk(spool, problems) as mounted:
        tamper(place, FAILING_COMMITS)
        place.environment["FAULT_FILE"] = str(place.folder / "fault")
        oracle = place.oracle(scale.pick(3_000, 12_000), rate=400)
        place.start()
        place.wait_ready()
        oracle.start()
        faults = 0
        if mounted:  # before the day has a file: as at midnight
            _full(place, oracle, "ENOSPC at the first message", _filled(spool), problems, calm=False)
            faults += 1
        for _ in range(scale.pick(1, 3)):
            if mounted:
                _full(place, oracle, "ENOSPC", _filled(spool), problems)
            _full(place, oracle, "EDQUOT", _commits_fail(place, "edquot"), problems)
            _failing(place, oracle, problems)
            faults += 2 + mounted
        place.fault_ends()
        verdict = settle(place, oracle)
    return outcome(
        "F8", "spool disk full, quota, I/O error", faults, oracle, verdict,
        least_obligations=scale.pick(2_000, 8_000), problems=problems,
    )  # fmt: skip


def _full(
    place: Place,
    oracle: Oracle,
    name: str,
    fault: Callable[[], Callable[[], None]],
    problems: list[str],
    calm: bool = True,
) -> None:
    if calm:
        _calm(place, oracle)
    repair = fault()
    oracle.open_to(oracle.published + 400)
    wait_until(lambda: place.get("/readyz")[0] == 503, 30, f"{name}: readiness of 503", look_s=0.1)
    acks, kept = place.metric("collector_mqtt_acks"), place.metric("spool_appended")
    oracle.wait_for(min(oracle.published + 200, oracle.total), 30)
    if place.metric("collector_mqtt_acks") != acks:
        problems.append(f"{name}: acknowledged without room")
    if acks > kept:
        problems.append(f"{name}: {acks:.0f} acknowledged of {kept:.0f} kept")
    if not place.collector.running:
        problems.append(f"{name}: it ended, though room may come")
    repair()
    wait_until(place.ready, 30, f"{name}: readiness with room again", look_s=0.1)


def _calm(place: Place, oracle: Oracle) -> None:
    """Let some messages through and wait until nothing is under way."""
    goal = min(oracle.published + 200, oracle.total)
    oracle.open_to(goal)
    wait_until(lambda: len(oracle.acked) >= goal, 30, "publishing", look_s=0.05)
    wait_until(lambda: place.totals()["written"] >= goal, 30, "a calm start", look_s=0.1)


def _failing(place: Place, oracle: Oracle, problems: list[str]) -> None:
    """EIO ends the collector with a sentence; started again on a good disk it goes on."""
    _calm(place, oracle)
    repair = _commits_fail(place, "eio")()
    oracle.open_to(oracle.published + 200)
    code = place.collector.process.wait(30)
    if code != 1 or "the disk answered with an error" not in place.collector.text:
        problems.append(f"EIO: ended with {code}: {place.collector.text[-300:]}")
    repair()
    place.start()
    place.wait_ready()


def _commits_fail(place: Place, how: str) -> Callable[[], Callable[[], None]]:
    fault = Path(place.environment["FAULT_FILE"])

    def begin() -> Callable[[], None]:
        fault.write_text(how)
        return fault.unlink

    return begin


def _filled(disk: Path) -> Callable[[], Callable[[], None]]:
    """Fill what is left of the disk with ballast."""

    def begin() -> Callable[[], None]:
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                os.fsync(file.fileno())
        return ballast.unlink

    return begin


@contextmanager
def _small_disk(folder: Path, problems: list[str]) -> Iterator[bool]:
    """Mount a file system of DISK_MIB there; where that is not allowed the row says so."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        problems.append(f"no small disk could be mounted, so ENOSPC was not tried ({done.stderr.strip()}); run as root")
    try:
        yield not done.returncode
    finally:
        if not done.returncode:
            subprocess.run(["umount", "-l", str(folder)], check=False)
