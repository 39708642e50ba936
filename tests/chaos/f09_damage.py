"""F9: the spool's files are damaged between two runs of the collector: it starts each time, keeps what can be read,
and counts what cannot.

Each kind of damage happens to a spool of its own with a known number of pending messages, entered as `import --direct`
enters them; the exact survivors of more kinds are in tests/unit/collectors/test_spool_damage.py.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from collectors import ledger
from collectors.clock_rules import utc_day
from collectors.intake import Intake
from collectors.pseudonym import PseudonymKeys
from collectors.spool import Spool
from collectors.topics import Roster
from config.catalogue import load_catalogue
from config.settings import Spool as SpoolSettings
from tests.chaos.harness import Place, Scale
from tests.chaos.outcome import Outcome
from tests.integration.oracle import TOPIC, payload, same
from tests.services.process import wait_until

PAGE = 4096


class Damaged(NamedTuple):
    """What a damage costs: these messages, and how many the collector must count as lost or set aside."""

    gone: set[int]
    counted: int | None = None  # as many as are gone, unless said otherwise


Damage = Callable[[Path, list[int]], Damaged]


def run(place: Place, scale: Scale) -> Outcome:
    number = scale.pick(600, 6_000)
    place.begin()
    problems: list[str] = []
    lost, spurious, corrupted, seen, slowest = 0, 0, 0, 0, 0.0
    kinds = _SHORT if scale.short else _KINDS
    for at, (name, damage) in enumerate(kinds.items()):
        numbers = list(range(at * number, (at + 1) * number))
        place.set(state=place.folder / f"var-{at}")
        folder = place.folder / f"var-{at}" / "spool/main"
        _enter(place, folder, numbers)
        cost = damage(folder, numbers)
        began = time.monotonic()
        place.start()
        try:
            place.wait_ready(30)
            slowest = max(slowest, time.monotonic() - began)
            wait_until(lambda: place.metric("spool_records") == 0, 60, "draining", look_s=0.1)
            counted = int(place.metric("spool_corrupt_records") + place.metric("deadletter_records"))
        except (AssertionError, TimeoutError) as error:
            problems.append(f"{name}: {error}")
            continue
        if place.collector.stop() != 0:
            problems.append(f"{name}: it did not stop in order")
        stored, foreign, wrong = _stored(place, folder, numbers)
        missing = set(numbers) - stored
        lost += len(missing - cost.gone)
        spurious += foreign
        corrupted += wrong
        seen += len(numbers)
        if cost.gone - missing:
            problems.append(f"{name}: {len(cost.gone - missing)} that were damaged were stored all the same")
        if counted != (len(cost.gone) if cost.counted is None else cost.counted):
            problems.append(f"{name}: {len(cost.gone)} are gone, {counted} are counted")
        problems += [f"{name}: {sentence}" for sentence in _ledger(folder)]
    return Outcome(
        "F9", f"spool damage, {len(kinds)} kinds", len(kinds), seen, lost, spurious, corrupted, 0, slowest,
        least_obligations=number * len(kinds), problems=tuple(problems),
    )  # fmt: skip


def _enter(place: Place, folder: Path, numbers: list[int]) -> None:
    """Put messages into the spool as a second process may, and leave them pending."""
    catalogue = load_catalogue(place.folder / "pilots")
    intake = Intake(Roster(catalogue, "main"), PseudonymKeys(folder.parent.parent / "keys"))
    spool = Spool(folder, SpoolSettings(), lease=False)
    for at in range(0, len(numbers), 100):
        spool.append([intake.entry(TOPIC, payload(n), time.time_ns()) for n in numbers[at : at + 100]])
    spool.close()


def _stored(place: Place, folder: Path, numbers: list[int]) -> tuple[set[int], int, int]:
    """Which of the messages the store has, how many others, and how many that are not what was sent."""
    from pipeline.store.sqlite import SQLiteStore

    store = SQLiteStore(folder.parent.parent / "store", mode="read")
    events = {int(event.event_id.rpartition("-")[2]): event for event in store.read("bremen", ["usage"], 0, 2**62)}
    store.close()
    wrong = sum(not same(event, n) for n, event in events.items())
    return set(events), len(events.keys() - set(numbers)), wrong


def _ledger(folder: Path) -> list[str]:
    spool = Spool(folder, SpoolSettings(), lease=False)
    try:
        counts, derived = spool.ledger(), spool.derived_ledger()
    finally:
        spool.close()
    wrong = ["the ledger is not what the records say"] if counts != derived else []
    return wrong + ledger.broken(ledger.total(counts.values()))


def _day(folder: Path) -> Path:
    [path] = folder.glob("spool-????-??-??.db")
    return path


def _holding(content: bytes, number: int) -> int:
    """Where the id of a message stands."""
    return content.index(b'"n-%d"' % number)


def _flipped_bit(folder: Path, numbers: list[int]) -> Damaged:
    path = _day(folder)
    content = bytearray(path.read_bytes())
    content[_holding(content, numbers[7]) + 1] ^= 1
    path.write_bytes(content)
    return Damaged({numbers[7]})


def _zeroed_page(folder: Path, numbers: list[int]) -> Damaged:
    """A page with whole messages on it; one that only begins there is lost with it."""
    path = _day(folder)
    content = bytearray(path.read_bytes())
    page = next(
        at for at in range(0, len(content), PAGE)
        if content[at] == 0x0D and sum(b'"n-%d"' % n in content[at : at + PAGE] for n in numbers) > 1
    )  # fmt: skip
    gone = {n for n in numbers if b'"n-%d"' % n in content[page : page + PAGE]}
    content[page : page + PAGE] = bytes(PAGE)
    path.write_bytes(content)
    return Damaged(gone)


def _broken_header(folder: Path, numbers: list[int]) -> Damaged:
    path = _day(folder)
    path.write_bytes(b"\xff" * 100 + path.read_bytes()[100:])
    return Damaged(set(numbers), counted=0)  # not even their number can be read; the file is counted


def _emptied(folder: Path, numbers: list[int]) -> Damaged:
    _day(folder).write_bytes(b"")
    return Damaged(set(numbers), counted=0)


def _doubled(folder: Path, numbers: list[int]) -> Damaged:
    shutil.copy(_day(folder), folder / f"spool-{utc_day(time.time_ns() - 86_400_000_000_000)}.db")
    return Damaged(set())


def _no_index(folder: Path, numbers: list[int]) -> Damaged:
    (folder / "index.db").write_bytes(b"this is no database" * 500)
    return Damaged(set())


def _no_archive(folder: Path, numbers: list[int]) -> Damaged:
    (folder / "archive.db").write_bytes(b"this is no database" * 500)
    return Damaged(set())


def _untouched(folder: Path, numbers: list[int]) -> Damaged:
    return Damaged(set())


def _with_live_log(change: Callable[[bytearray], bytearray], gone: int, counted: bool) -> Damage:
    """Ten more commits that are in the log alone, as after a kill, with the log changed."""

    def damage(folder: Path, numbers: list[int]) -> Damaged:
        last, rest = numbers[-10:], numbers[:-10]
        shutil.rmtree(folder)
        elsewhere = folder.with_name("elsewhere")
        intake = Intake(Roster(load_catalogue(folder.parents[2] / "pilots"), "main"), PseudonymKeys(folder / "keys"))
        _fill(elsewhere, intake, rest)
        spool = Spool(elsewhere, SpoolSettings(), lease=False)
        for n in last:
            spool.append([intake.entry(TOPIC, payload(n), time.time_ns())])
        shutil.copytree(elsewhere, folder, ignore=shutil.ignore_patterns("*-shm", "lease"), dirs_exist_ok=True)
        spool.close()
        log = next(folder.glob("*.db-wal"))
        log.write_bytes(change(bytearray(log.read_bytes())))
        return Damaged(set(last[10 - gone :]), None if counted else 0)

    return damage


def _fill(folder: Path, intake: Intake, numbers: list[int]) -> None:
    spool = Spool(folder, SpoolSettings(), lease=False)
    spool.append([intake.entry(TOPIC, payload(n), time.time_ns()) for n in numbers])
    spool.close()


def _flip_in_log(log: bytearray) -> bytearray:
    """A bit of the third commit from the end."""
    starts = [at for at in range(32, len(log), PAGE + 24) if int.from_bytes(log[at + 4 : at + 8], "big")]
    log[starts[-3] + 24 + 2000] ^= 1
    return log


_KINDS: dict[str, Damage] = {
    "none": _untouched, "flipped bit": _flipped_bit, "zeroed page": _zeroed_page,
    "torn log": _with_live_log(lambda log: log[:-1000], gone=1, counted=False),
    "bit of the log": _with_live_log(_flip_in_log, gone=3, counted=True), "broken header": _broken_header,
    "emptied file": _emptied, "doubled file": _doubled, "no index": _no_index, "no archive": _no_archive,
}  # fmt: skip
_SHORT = {name: _KINDS[name] for name in ("zeroed page", "bit of the log", "no index")}
