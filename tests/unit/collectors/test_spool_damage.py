"""Damage to the files of a spool: what survives is exact for each kind, and the loss is counted."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors import dead_letters, timing
from collectors.dead_changes import purge, requeue
from collectors.ledger_report import LedgerReport
from collectors.message import SpoolFull
from collectors.replay import replay
from collectors.spool import Spool
from collectors.spool_file import disk_errors
from collectors.spool_salvage import passed_over
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import NOW_NS, action, app, catalogue, pilot
from tests.unit.collectors.test_delivery import Bench
from tests.unit.collectors.test_spool import entry

DAY, NEXT = "2019-03-02", "2019-03-03"
DAY_NS = 86_400_000_000_000
TOTAL = 300  # of which the first 100 are written


def flip(path: Path, text: bytes) -> None:
    """Flip one bit of the last place that holds this text."""
    content = bytearray(path.read_bytes())
    content[content.rindex(text)] ^= 1
    path.write_bytes(content)


def zero_page_with(path: Path, text: bytes) -> None:
    content = bytearray(path.read_bytes())
    page = content.rindex(text) // 4096 * 4096
    content[page : page + 4096] = bytes(4096)
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed spool of one day with TOTAL messages."""
    bench = Bench(tmp_path, catalogue(pilot(app(), slug="bremen")))
    bench.send(*[action(f"e-{n:03}", note="x" * 600) for n in range(100)])
    bench.deliver()
    bench.send(*[action(f"e-{n:03}", note="x" * 600) for n in range(100, TOTAL)])
    bench.end()
    return tmp_path


@pytest.fixture
def again(folder: Path) -> Iterator[Callable[[], Bench]]:
    opened: list[Bench] = []

    def start() -> Bench:
        opened.append(Bench(folder, catalogue(pilot(app()))))
        return opened[0]

    yield start
    for bench in opened:
        assert bench.spool.ledger() == bench.spool.derived_ledger()


def ids(bench: Bench) -> list[int]:
    return [int(event.event_id[-3:]) for event in sorted(bench.stored(), key=lambda event: event.event_id)]


def test_without_damage_the_rest_is_delivered(again: Callable[[], Bench]) -> None:
    bench = again()
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))
    assert (bench.spool.corrupt_files, bench.spool.lost_records) == (0, 0)


def test_a_flipped_bit_in_a_payload_costs_that_message(folder: Path, again: Callable[[], Bench]) -> None:
    flip(folder / f"spool-{DAY}.db", b"e-150")
    bench = again()
    bench.deliver()
    assert ids(bench) == [n for n in range(100, TOTAL) if n != 150]
    assert [letter.code for letter in dead_letters.listed(bench.spool)] == ["damaged"]


@pytest.mark.parametrize("text", [b"pilots/bremen/usage/app{", b"bremenapp"])
@pytest.mark.parametrize("bits", [1, 0x80])
def test_a_flipped_bit_in_a_name_costs_that_message(
    folder: Path, again: Callable[[], Bench], text: bytes, bits: int
) -> None:
    path = folder / f"spool-{DAY}.db"
    content = bytearray(path.read_bytes())
    content[content.rindex(text, 0, content.rindex(b"e-150"))] ^= bits
    path.write_bytes(content)
    bench = again()
    bench.deliver()
    assert ids(bench) == [n for n in range(100, TOTAL) if n != 150]
    assert bench.fates()["dead_lettered"] == 1


def test_a_zeroed_page_costs_the_messages_on_it(folder: Path, again: Callable[[], Bench]) -> None:
    path = folder / f"spool-{DAY}.db"
    content = path.read_bytes()
    page = content.rindex(b"e-150") // 4096 * 4096
    on_it = [n for n in range(TOTAL) if b"e-%03d" % n in content[page : page + 4096]]
    assert 2 <= len(on_it) <= 6
    zero_page_with(path, b"e-150")
    bench = again()
    bench.deliver()
    assert ids(bench) == [n for n in range(100, TOTAL) if n not in on_it]
    assert (bench.spool.corrupt_files, bench.spool.lost_records) == (1, len(on_it))
    bench.send(action("e-150", note="x" * 600))  # its source sends it again
    bench.deliver()
    assert 150 in ids(bench)


def test_a_damaged_index_of_pending_messages_costs_nothing(folder: Path, again: Callable[[], Bench]) -> None:
    path = folder / f"spool-{DAY}.db"
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pending'").fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = bytes(4096)
    path.write_bytes(content)
    bench = again()
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))
    assert (bench.spool.corrupt_files, bench.spool.lost_records) == (1, 0)


def test_an_emptied_file_is_counted_by_what_the_index_knows(folder: Path, again: Callable[[], Bench]) -> None:
    (folder / f"spool-{DAY}.db").write_bytes(b"")
    bench = again()
    bench.deliver()
    assert (ids(bench), bench.spool.lost_records) == ([], 100)
    bench.send(action("e-007", note="x" * 600))
    bench.deliver()
    assert ids(bench) == [7]


def test_a_missing_file_is_noticed_and_its_messages_may_come_again(folder: Path, again: Callable[[], Bench]) -> None:
    (folder / f"spool-{DAY}.db").unlink()
    bench = again()
    bench.deliver()
    assert (bench.spool.corrupt_files, bench.spool.lost_records) == (1, 100)
    bench.send(action("e-007", note="x" * 600))
    bench.deliver()
    assert ids(bench) == [7]


def test_a_doubled_file_doubles_no_event(folder: Path, again: Callable[[], Bench]) -> None:
    shutil.copy(folder / f"spool-{DAY}.db", folder / f"spool-{NEXT}.db")
    bench = again()
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))
    assert (bench.fates()["written"], bench.fates()["duplicate"]) == (100 + 100 + 200, 200)


@pytest.mark.parametrize("damage", ["gone", "empty", "garbage", "zeroed pages"])
def test_a_lost_index_loses_and_doubles_nothing(folder: Path, again: Callable[[], Bench], damage: str) -> None:
    path = folder / "index.db"
    match damage:
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "garbage":
            path.write_bytes(b"no database at all" * 1000)
        case _:
            path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096))
    bench = again()
    bench.deliver()
    bench.send(action("e-299", note="x" * 600))
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))
    assert bench.fates()["duplicate"] == 1


def test_a_stale_index_loses_and_doubles_nothing(folder: Path, again: Callable[[], Bench]) -> None:
    """An index from before the last 100 messages, as a backup would bring it."""
    connection = sqlite3.connect(folder / "index.db")
    connection.execute("DELETE FROM event WHERE seq > 50")
    connection.commit()
    connection.close()
    bench = again()
    bench.send(action("e-299", note="x" * 600))
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))
    assert bench.fates()["duplicate"] == 1


def test_an_index_ahead_of_the_spool_withholds_nothing(folder: Path, again: Callable[[], Bench]) -> None:
    """Claims of messages that a restored, older spool has not: when they come again they are new."""
    bench = again()
    bench.deliver()
    bench.end()
    content = (folder / f"spool-{DAY}.db").read_bytes()
    (folder / f"spool-{DAY}.db").write_bytes(b"\xff" * 100 + content[100:])
    bench = Bench(folder, catalogue(pilot(app())))
    bench.deliver()
    assert bench.spool.lost_records == TOTAL
    bench.send(*[action(f"e-{n:03}", note="x" * 600) for n in range(TOTAL)])
    bench.deliver()
    assert ids(bench) == list(range(TOTAL))
    bench.spool.close()


@pytest.mark.parametrize("damage", ["garbage", "empty"])
def test_a_damaged_archive_stops_nothing(folder: Path, again: Callable[[], Bench], damage: str) -> None:
    (folder / "archive.db").write_bytes(b"no database" * 1000 if damage == "garbage" else b"")
    bench = again()
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))
    assert bench.fates()["written"] == TOTAL
    assert (folder / "archive.db.damaged-0").exists() == (damage == "garbage")


def live_copy(folder: Path, to: Path, wal: Callable[[bytearray], bytearray]) -> int:
    """Ten commits of one message each, copied while they are in the log alone, with the log changed."""
    spool = Spool(folder, SpoolSettings(), lease=True)
    for n in range(10):
        spool.append([entry(b"m%d" % n)])
    to.mkdir()
    for path in folder.glob(f"spool-{DAY}.db"):
        shutil.copy(path, to)
    log = to / f"spool-{DAY}.db-wal"
    log.write_bytes(wal(bytearray((folder / log.name).read_bytes())))
    assert passed_over(folder / log.name) == 0
    spool.close()
    return passed_over(log)


def payloads(folder: Path) -> tuple[list[bytes], int, int]:
    spool = Spool(folder, SpoolSettings(), lease=True)
    found = spool.pending(100)
    spool.close()
    return [record.payload for record in found[1]] if found else [], spool.corrupt_files, spool.lost_records


def test_a_torn_log_keeps_every_whole_commit(tmp_path: Path) -> None:
    assert live_copy(tmp_path / "a", tmp_path / "b", lambda wal: wal[:-1000]) == 0
    assert payloads(tmp_path / "b") == ([b"m%d" % n for n in range(9)], 0, 0)


def test_a_flipped_bit_in_the_log_is_counted(tmp_path: Path) -> None:
    def flipped(wal: bytearray) -> bytearray:
        wal[wal.index(b"m7")] ^= 1
        return wal

    assert live_copy(tmp_path / "a", tmp_path / "b", flipped) == 3
    assert payloads(tmp_path / "b") == ([b"m%d" % n for n in range(7)], 1, 3)


def test_a_salvage_that_was_cut_off_is_finished(folder: Path, again: Callable[[], Bench]) -> None:
    path = folder / f"spool-{DAY}.db"
    path.rename(path.with_suffix(".salvage"))  # the damaged file has its new name already, the rescued one not yet
    bench = again()
    bench.deliver()
    assert ids(bench) == list(range(100, TOTAL))


def test_a_used_up_quota_is_no_failing_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.spool_file._no_room", lambda folder: True)
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    with pytest.raises(SpoolFull, match="quota"), disk_errors(tmp_path / "x.db"):
        raise error


def test_ids_of_old_days_are_told_without_reading_them_all(folder: Path, again: Callable[[], Bench]) -> None:
    bench = again()
    bench.now = NOW_NS + DAY_NS
    bench.send(action("later"))
    bench.deliver()
    assert bench.index.days() == [DAY, NEXT]


@pytest.mark.parametrize(
    "change",
    [
        "payload = CAST(payload AS TEXT)", "payload = 7", "pilot = CAST(pilot AS BLOB)", "feed = 5",
        "topic = CAST(topic AS BLOB)", "received_ns = 'x'", "attempts = 'x'", "replaced = 'x'", "retained = 'x'",
    ],
)  # fmt: skip
def test_a_flipped_bit_that_makes_a_text_of_a_number_costs_that_message(
    folder: Path, again: Callable[[], Bench], change: str
) -> None:
    with sqlite3.connect(folder / f"spool-{DAY}.db") as connection:
        connection.execute(f"UPDATE message SET {change} WHERE seq = 151")
    connection.close()
    bench = again()
    bench.deliver()
    assert ids(bench) == [n for n in range(100, TOTAL) if n != 150]
    (letter,) = dead_letters.listed(bench.spool)
    assert (letter.code, letter.parked) == ("damaged", False)
    assert bench.fates() == {
        "received": TOTAL, "written": TOTAL - 1, "dead_lettered": 1, "points_in": TOTAL - 1,
        "points_written": TOTAL - 1,
    }  # fmt: skip
    assert report(bench) == 1


def list_them(bench: Bench) -> int:
    return len(dead_letters.listed(bench.spool))


def report(bench: Bench) -> int:
    (_, payload), *_ = LedgerReport("main", bench.roster, bench.spool).changed(NOW_NS)
    return int(json.loads(payload)["data"]["total"]["dead_lettered"])


ASK: dict[str, Callable[[Bench], int]] = {
    "list": list_them,
    "count": lambda bench: dead_letters.counted(bench.spool).total(),
    "report": report,
    "requeue": lambda bench: requeue(bench.spool).done,
    "purge": lambda bench: purge(bench.spool, dead_letters.ALL).done,
    "replay": lambda bench: TOTAL - bench.spool.lost_records - replay(bench.spool, 0, 2**62).done,
}


@pytest.mark.parametrize("what", ASK)
def test_damage_that_a_report_or_an_operator_meets_first_is_mended_at_once(tmp_path: Path, what: str) -> None:
    """It ended the collector, again at each start, as the file can still be opened."""
    bench = Bench(tmp_path, catalogue(pilot(app())))
    bench.send(*[b"no json %03d %s" % (n, b"x" * 600) for n in range(TOTAL)])
    bench.deliver()
    bench.end()
    zero_page_with(tmp_path / f"spool-{DAY}.db", b"no json 150")
    bench = Bench(tmp_path, catalogue(pilot(app())))
    found = ASK[what](bench)
    if what not in ("replay", "report"):  # these count before, or without, what was lost
        assert found == TOTAL - bench.spool.lost_records
    assert bench.spool.corrupt_files == 1
    assert 1 <= bench.spool.lost_records <= 7
    assert bench.spool.ledger() == bench.spool.derived_ledger()


def test_the_log_of_a_damaged_file_is_not_read_into_what_was_saved_of_it(
    folder: Path, again: Callable[[], Bench]
) -> None:
    path = folder / f"spool-{DAY}.db"
    log = path.with_name(path.name + "-wal")
    bench = Bench(folder, catalogue(pilot(app())))
    bench.send(action("late"))
    content = log.read_bytes()
    bench.deliver()
    bench.end()
    path.rename(path.with_suffix(".salvage"))
    log.write_bytes(content)  # a cut between the new names of the damaged file and of its log
    bench = again()
    assert bench.fates()["written"] == TOTAL + 1
    assert [found.name for found in folder.glob("*damaged*")] == [f"{path.name}.damaged-0-wal"]


def test_how_soon_messages_came_is_still_known_of_a_damaged_day(folder: Path, again: Callable[[], Bench]) -> None:
    zero_page_with(folder / f"spool-{DAY}.db", b"e-150")
    bench = again()
    bench.deliver()
    assert bench.spool.corrupt_files == 1
    with bench.spool.reading(DAY) as connection:
        assert timing.heard(connection)["bremen", "app"].last_ns == NOW_NS
        assert timing.read(connection)
