"""The fault-free end of every row, and what is then wrong between the obligations and the store.

Recovery may take 180 s, draining 120 s and never 15 s without progress; a fresh probe has to arrive. Then nothing may
be missing, spurious, doubled or corrupted, and the ledger is what the records say.
"""

import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from collectors import ledger
from tests.chaos.harness import Place
from tests.chaos.outcome import Outcome
from tests.integration.oracle import Oracle, same
from tests.services.process import wait_until

RECOVERY_S, DRAIN_S, STANDSTILL_S, PROBE_S = 180, 120, 15, 15


@dataclass
class Verdict:
    """What is wrong, by kind; the numbers are those of the messages."""

    lost: list[int] = field(default_factory=list)
    spurious: list[str] = field(default_factory=list)
    corrupted: list[int] = field(default_factory=list)
    duplicates_seen: int = 0
    recovery_s: float | None = None
    problems: list[str] = field(default_factory=list)


def settle(place: Place, oracle: Oracle) -> Verdict:
    """Let everything drain without faults, send a probe, stop the collector and judge."""
    if not place.fault_ended:
        place.fault_ends()
    before = place.totals()["received"]
    if not place.collectors or not place.collector.running:
        place.start()
    problems: list[str] = []
    place.wait_ready(RECOVERY_S)
    oracle.open_to(oracle.total)
    wait_until(lambda: place.totals()["received"] > before or oracle.done, RECOVERY_S, "progress", look_s=0.1)
    recovery_s = time.monotonic() - place.fault_ended
    oracle.finish(DRAIN_S)
    if not _drained(place, oracle):
        problems.append(f"not drained: {dict(place.totals())}")
    if not _probed(place, oracle):
        problems.append(f"a fresh probe did not arrive within {PROBE_S} s")
    if (code := place.collector.stop()) != 0:
        problems.append(f"the collector ended with {code} when told to stop")
    found = judge(place, oracle)
    found.recovery_s, found.problems = recovery_s, problems + found.problems
    return found


def judge(place: Place, oracle: Oracle) -> Verdict:
    """Compare the store with the obligations, and the ledger with its records; nothing may be running."""
    with place.store() as store:
        events = store.read("bremen", ["usage"], 0, 2**62)
    found = Verdict()
    numbers: dict[int, Any] = {}
    for event in events:
        number = oracle.number(event.event_id)
        if number is None:
            found.spurious.append(event.event_id)
        elif number in numbers:
            found.problems.append(f"{event.event_id} is in the store twice")
        else:
            numbers[number] = event
    found.lost = sorted(oracle.acked - numbers.keys())
    found.corrupted = [number for number, event in numbers.items() if not same(event, number)]
    with place.spool() as spool:
        counts = spool.ledger()
        if any(counts[day] != derived for day, derived in spool.derived_ledger().items()):
            found.problems.append("the ledger is not what the records say")
        found.problems += ledger.broken(ledger.total(counts.values()))
        found.duplicates_seen = spool.totals()["duplicate"]
    return found


def outcome(row: str, fault: str, faults: int, oracle: Oracle, verdict: Verdict, **more: Any) -> Outcome:
    """The row's line; `more` are further fields of Outcome, `problems` are added to the verdict's."""
    problems = (*verdict.problems, *more.pop("problems", ()))
    return Outcome(
        row, fault, faults, len(oracle.acked), len(verdict.lost), len(verdict.spurious), len(verdict.corrupted),
        verdict.duplicates_seen, verdict.recovery_s, problems=problems, **more,
    )  # fmt: skip


def _drained(place: Place, oracle: Oracle) -> bool:
    """Wait until nothing is pending and each obligation has its event, as long as there is progress."""
    end = moved = time.monotonic()
    end += DRAIN_S
    seen: tuple[int, int, int] | None = None
    while time.monotonic() < end:
        totals = place.totals()
        if totals["pending"] == 0 and totals["written"] >= len(oracle.acked):
            return True
        now = (totals["received"], totals["written"], totals["pending"])
        if now != seen:
            seen, moved = now, time.monotonic()
        if time.monotonic() - moved > STANDSTILL_S:
            return totals["pending"] == 0  # what is missing then is lost, which the comparison says
        time.sleep(0.2)
    return False


def _probed(place: Place, oracle: Oracle) -> bool:
    written = place.totals()["written"]
    oracle.probe()
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: place.totals()["written"] > written, PROBE_S, "the probe", look_s=0.1)
        return True
    return False
