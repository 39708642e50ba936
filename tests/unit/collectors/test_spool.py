"""The queue on disk: what it promises, one promise at a time."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors import ledger, spool_file
from collectors.ledger import DEAD, DROPPED, DUPLICATE, WRITTEN
from collectors.message import Fault, SpoolFailed, SpoolFull, SpoolHeld
from collectors.spool import DIRECT, Spool
from collectors.spool_day import Entry, Fate
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import APP, NOW_NS

DAY_NS = 86_400_000_000_000


def entry(payload: bytes = b"{}", received_ns: int = NOW_NS, priority: int = 0, fault: Fault | None = None) -> Entry:
    return Entry(received_ns, "bremen", "app", APP, payload, priority=priority, fault=fault)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, SpoolSettings(), lease=True)


def payloads(spool: Spool, limit: int = 100) -> list[bytes]:
    found = spool.pending(limit)
    return [record.payload for record in found[1]] if found else []


def finish(spool: Spool, state: int = WRITTEN, rule: str = "", limit: int = 100) -> None:
    found = spool.pending(limit)
    assert found is not None
    day, records = found
    spool.mark(day, [Fate(record, state, rule, points=int(state == WRITTEN)) for record in records], NOW_NS)


def test_what_was_appended_survives_closing_in_order(spool: Spool, tmp_path: Path) -> None:
    spool.append([entry(b"1"), entry(b"2")])
    spool.append([entry(b"3")])
    spool.close()
    assert payloads(Spool(tmp_path, SpoolSettings(), lease=True)) == [b"1", b"2", b"3"]


def test_every_connection_syncs_each_commit(spool: Spool) -> None:
    spool.append([entry()])
    file = spool.day("2019-03-02")
    for connection in (file._append, file._deliver):
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_a_connection_that_does_not_sync_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_file, "_FULL", 3)
    with pytest.raises(SpoolFailed, match="does not keep synchronous=FULL"):
        spool_file.connect(tmp_path / "x.db")


def test_messages_lie_in_the_file_of_their_utc_day_and_older_days_go_first(spool: Spool) -> None:
    spool.append([entry(b"new", NOW_NS), entry(b"old", NOW_NS - 1)])
    assert spool.days() == ["2019-03-01", "2019-03-02"]
    assert payloads(spool) == [b"old"]
    finish(spool)
    assert payloads(spool) == [b"new"]


def test_a_live_message_overtakes_a_back_fill(spool: Spool) -> None:
    spool.append([entry(b"%d" % n, NOW_NS - DAY_NS, DIRECT) for n in range(50)])
    spool.append([entry(b"live")])
    assert payloads(spool, 10) == [b"live"]
    finish(spool, limit=10)
    assert payloads(spool, 2) == [b"0", b"1"]


def test_a_second_deliverer_is_refused_but_another_process_may_append(spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(SpoolHeld, match="another collector already delivers"):
        Spool(tmp_path, SpoolSettings(), lease=True)
    program = (
        "from tests.unit.collectors.test_spool import *\n"
        f"Spool(Path({str(tmp_path)!r}), SpoolSettings(), lease=False).append([entry(b'from afar')])"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[3])
    assert payloads(spool) == [b"from afar"]


def test_a_faulted_message_is_a_dead_letter_at_once(spool: Spool) -> None:
    spool.append([entry(b"x", fault=Fault("decode", "too_large", "too large")), entry(b"y")])
    assert payloads(spool) == [b"y"]
    assert dict(spool.ledger()["2019-03-02"]) == {
        ("bremen", "app", "received"): 2, ("bremen", "app", "pending"): 1, ("bremen", "app", "dead_lettered"): 1,
    }  # fmt: skip


def test_the_ledger_is_what_the_records_say(spool: Spool) -> None:
    for state, rule in ((WRITTEN, ""), (DUPLICATE, ""), (DEAD, ""), (DROPPED, "simulated"), (DROPPED, "no_reading")):
        spool.append([entry(), entry()])
        finish(spool, state, rule)
    spool.append([entry()])
    counts = spool.ledger()["2019-03-02"]
    assert counts == spool.derived_ledger()["2019-03-02"]
    assert ledger.broken(counts) == []
    assert {fate: n for (_, _, fate), n in counts.items()} == {
        "received": 11, "written": 2, "duplicate": 2, "dead_lettered": 2, "dropped:simulated": 2,
        "dropped:no_reading": 2, "pending": 1, "points_in": 2, "points_written": 2,
    }  # fmt: skip


def test_a_ledger_that_does_not_add_up_is_named(spool: Spool) -> None:
    spool.append([entry()])
    with spool.day("2019-03-02").reading() as connection:
        connection.execute("UPDATE ledger SET n = 2 WHERE fate = 'received'")
    counts = spool.ledger()["2019-03-02"]
    assert ledger.broken(counts) == ["bremen/app: 2 received but 1 accounted for"]
    assert counts != spool.derived_ledger()["2019-03-02"]


def test_the_journal_is_kept_72_hours_and_its_ledger_and_dead_letters_beyond(spool: Spool) -> None:
    spool.append([entry(b"bad", fault=Fault("decode", "not_json", "not JSON")), entry(b"good")])
    finish(spool)
    before = spool.ledger()
    assert spool.unlink_old(NOW_NS + 3 * DAY_NS) == []
    assert spool.unlink_old(NOW_NS + 4 * DAY_NS) == ["2019-03-02"]
    assert spool.days() == []
    assert spool.ledger() == before
    archive = sqlite3.connect(spool.folder / "archive.db")
    assert archive.execute("SELECT day, payload, code FROM dead_letter").fetchall() == [
        ("2019-03-02", b"bad", "not_json")
    ]
    archive.close()


def test_a_day_with_a_pending_message_is_never_unlinked(spool: Spool) -> None:
    spool.append([entry()])
    assert spool.unlink_old(NOW_NS + 400 * DAY_NS) == []
    assert payloads(spool) == [b"{}"]


def test_beyond_the_quota_nothing_is_taken_and_nothing_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolSettings(max_bytes=1_000_000), lease=True)
    spool.append([entry(b"x" * 60_000) for _ in range(20)])
    spool._room_checked = 0.0
    with pytest.raises(SpoolFull, match="PERISCOPE_SPOOL__MAX_BYTES"):
        spool.append([entry(b"one more")])
    assert len(payloads(spool)) == 20


def test_beyond_the_age_nothing_is_taken_until_the_oldest_is_delivered(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolSettings(max_age_h=2), lease=True)
    spool.append([entry(b"old")])
    for hours, fits in ((1.9, True), (2.1, False)):
        spool._room_checked = 0.0
        late = entry(b"late", NOW_NS + int(hours * 3600) * 10**9)
        if fits:
            spool.append([late])
        else:
            with pytest.raises(SpoolFull, match="PERISCOPE_SPOOL__MAX_AGE_H"):
                spool.append([late])
    assert spool.oldest_pending_ns() == NOW_NS
    finish(spool, limit=1)
    spool.append([late])
    assert payloads(spool) == [b"late", b"late"]


def test_a_day_that_was_done_is_looked_into_again_when_the_clock_is_set_back(spool: Spool) -> None:
    for days in range(4):
        spool.append([entry(b"%d" % days, NOW_NS + days * DAY_NS)])
    while payloads(spool):
        finish(spool)
    spool.append([entry(b"set back")])
    assert payloads(spool) == [b"set back"]


def test_a_day_that_a_full_disk_lets_nobody_open_stops_no_report(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append([entry(b"before")])
    (spool.folder / "spool-2019-03-03.db").touch()

    def full(*_: object, **__: object) -> None:
        raise SpoolFull("no space")

    monkeypatch.setattr("collectors.spool.DayFile", full)
    assert spool.totals() == {"received": 1, "pending": 1}
    assert spool.oldest_pending_ns() == NOW_NS
    with pytest.raises(SpoolFull):
        spool.append([entry(b"next day", NOW_NS + DAY_NS)])


def test_a_full_disk_takes_nothing_and_goes_on_when_there_is_room(spool: Spool) -> None:
    spool.append([entry(b"before")])
    connection = spool.day("2019-03-02")._append
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}").fetchall()
    with pytest.raises(SpoolFull, match="no space is left"):
        spool.append([entry(b"x" * 60_000)])
    assert payloads(spool) == [b"before"]
    connection.execute("PRAGMA max_page_count=1000000").fetchall()
    spool.append([entry(b"after")])
    assert payloads(spool) == [b"before", b"after"]
    assert spool.ledger() == spool.derived_ledger()


@pytest.mark.parametrize("damage", ["header", "middle", "empty", "not a database"])
def test_a_damaged_file_is_set_aside_and_the_rest_goes_on(tmp_path: Path, damage: str) -> None:
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    spool.append([entry(b"x" * 3000) for _ in range(200)])
    spool.append([entry(b"next day", NOW_NS + DAY_NS)])
    spool.close()
    path = tmp_path / "spool-2019-03-02.db"
    content = bytearray(path.read_bytes())
    assert len(content) > 500_000, "closing the last connection moves the WAL into the file"
    match damage:
        case "header":
            content[:100] = b"\xff" * 100
        case "middle":
            content[8192:-4096] = b"\x07" * (len(content) - 12288)
        case "empty":
            content = bytearray()
        case _:
            content = bytearray(b"not a database at all" * 1000)
    path.write_bytes(content)
    again = Spool(tmp_path, SpoolSettings(), lease=True)
    kept = [b"x" * 3000] if damage == "middle" else []  # the last page, which was left whole, holds one record
    assert payloads(again) == (kept or [b"next day"])
    assert (again.corrupt_files, again.lost_records) == {"empty": (0, 0), "middle": (1, 199)}.get(damage, (1, 0))
    again.append([entry(b"same day again")])
    assert payloads(again) == [*kept, b"same day again"]
    assert again.ledger() == again.derived_ledger()


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolFailed, match="set PERISCOPE_STATE"):
        Spool(tmp_path / "file" / "spool", SpoolSettings(), lease=True)


def test_a_spool_of_a_newer_version_is_refused(spool: Spool, tmp_path: Path) -> None:
    spool.append([entry()])
    with spool.day("2019-03-02").reading() as connection:
        connection.execute("PRAGMA user_version = 99")
    spool.close()
    with pytest.raises(SpoolFailed, match="newer version"):
        payloads(Spool(tmp_path, SpoolSettings(), lease=True))


def test_a_message_is_marked_once_or_the_whole_batch_is_undone(spool: Spool) -> None:
    spool.append([entry(b"1"), entry(b"2")])
    day, records = spool.pending(10) or ("", [])
    spool.mark(day, [Fate(records[0], WRITTEN)], NOW_NS)
    with pytest.raises(SpoolFailed, match="marked by another process"):
        spool.mark(day, [Fate(record, DUPLICATE) for record in records], NOW_NS)
    assert payloads(spool) == [b"2"]
    assert spool.ledger() == spool.derived_ledger()


def other_process(folder: Path) -> Spool:
    return Spool(folder, SpoolSettings(), lease=False)


def set_aside_by(spool: Spool) -> None:
    spool._set_aside("2019-03-02", spool.day("2019-03-02"))


def test_what_another_process_set_aside_is_noticed(spool: Spool, tmp_path: Path) -> None:
    delivering = other_process(tmp_path)
    spool.append([entry(b"a")])
    assert payloads(delivering) == [b"a"]
    set_aside_by(delivering)
    spool.append([entry(b"b")])
    assert payloads(delivering) == payloads(spool) == [b"a", b"b"]
    assert spool.reduced == {"2019-03-02": True}, "whose claims are to be looked through"
    assert len(list(tmp_path.glob("*.damaged-?"))) == 1


def test_a_file_is_not_set_aside_during_an_append_nor_the_other_way_round(spool: Spool, tmp_path: Path) -> None:
    """What is committed after the rest was saved would be lost with the damaged file."""
    spool.append([entry(b"a")])
    file, delivering = spool.day("2019-03-02"), other_process(tmp_path)
    append, other = file.append, threading.Thread(target=set_aside_by, args=(delivering,))

    def slow(entries: Sequence[Entry], monotonic_ns: int) -> None:
        other.start()
        other.join(0.3)
        append(entries, monotonic_ns)
        assert other.is_alive(), "it waits for its turn"

    file.append = slow  # type: ignore[method-assign]  # the other process comes in the middle
    spool.append([entry(b"b")])
    other.join(10)
    assert payloads(delivering) == [b"a", b"b"]


def test_what_two_processes_find_damaged_is_set_aside_once(spool: Spool, tmp_path: Path) -> None:
    spool.append([entry(b"a")])
    delivering = other_process(tmp_path)
    theirs = delivering.day("2019-03-02")
    set_aside_by(spool)
    spool.append([entry(b"b")])
    delivering._set_aside("2019-03-02", theirs)
    assert payloads(delivering) == [b"a", b"b"]
    assert (spool.corrupt_files, delivering.corrupt_files) == (1, 0)


def test_marks_of_messages_that_went_with_a_damaged_file_are_left_out(spool: Spool, tmp_path: Path) -> None:
    spool.append([entry(b"a")])
    day, records = spool.pending(10) or ("", [])
    set_aside_by(other_process(tmp_path))
    spool.append([entry(b"b")])
    spool.mark(day, [Fate(record, WRITTEN) for record in records], NOW_NS)
    assert payloads(spool) == [b"a", b"b"], "they are delivered once more, without effect"


def test_files_that_another_process_removed_are_closed(spool: Spool, tmp_path: Path) -> None:
    spool.append([entry(b"a")])
    file, delivering = spool.day("2019-03-02"), other_process(tmp_path)
    finish(delivering)
    assert delivering.unlink_old(NOW_NS + 100 * 3_600_000_000_000) == ["2019-03-02"]
    spool.forget_gone()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        file._append.execute("SELECT 1")


def test_one_delivers_at_a_time_and_waits_for_the_other_to_end(spool: Spool, tmp_path: Path) -> None:
    other = other_process(tmp_path)
    with spool.delivering(0):
        with pytest.raises(SpoolHeld):
            with other.delivering(0.05):
                pass
    with other.delivering(0):
        pass


def test_what_a_full_disk_cut_off_at_midnight_is_not_taken_twice(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    room, append_to = [True, False], spool._append_to

    def full(day: str, group: list[Entry]) -> None:
        if room and not room.pop(0):
            raise SpoolFull("no space is left")
        append_to(day, group)

    monkeypatch.setattr(spool, "_append_to", full)
    with pytest.raises(SpoolFull) as raised:
        spool.append([entry(b"before", NOW_NS - 1), entry(b"after", NOW_NS)])
    assert raised.value.left == [entry(b"after", NOW_NS)]
    spool.append(raised.value.left)
    assert spool.totals() == {"received": 2, "pending": 2}


def test_a_delivering_process_looks_into_a_done_day_when_the_clock_is_set_back(spool: Spool, tmp_path: Path) -> None:
    for days in range(4):
        spool.append([entry(b"%d" % days, NOW_NS + days * DAY_NS)])
    beside = Spool(tmp_path, SpoolSettings(), lease=False)
    while payloads(beside):
        finish(beside)
    spool.append([entry(b"set back")])
    assert payloads(beside) == [b"set back"]
