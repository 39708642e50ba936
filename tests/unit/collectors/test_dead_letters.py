"""Set aside, counted, tried again at most three times."""

import sqlite3
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from collectors import dead_kinds, dead_letters, ledger, spool_archive
from collectors.dead_changes import purge, requeue
from collectors.dead_letters import Selection
from collectors.ledger import DEAD, WRITTEN, Counts
from collectors.letter_body import shown
from collectors.message import Fault
from collectors.spool import Spool
from collectors.spool_day import DayFile, Entry, Fate
from collectors.topics import Roster
from config.catalogue import Feed
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import NOW_NS, app, catalogue, pilot
from tests.unit.collectors.test_spool import entry, finish, payloads

HOUR_NS = 3_600_000_000_000
PERSON = "k1ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FIRST_ARCHIVE = """
CREATE TABLE ledger(day TEXT NOT NULL, pilot TEXT NOT NULL, feed TEXT NOT NULL, fate TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (day, pilot, feed, fate)) WITHOUT ROWID;
CREATE TABLE dead_letter(
  day TEXT NOT NULL, seq INTEGER NOT NULL, point TEXT NOT NULL, pilot TEXT NOT NULL, feed TEXT NOT NULL,
  topic TEXT NOT NULL, payload BLOB NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, size INTEGER NOT NULL,
  sha256 TEXT NOT NULL, PRIMARY KEY (day, seq, point)) WITHOUT ROWID;
INSERT INTO ledger VALUES ('2019-03-02', 'bremen', 'app', 'received', 1);
INSERT INTO ledger VALUES ('2019-03-02', 'bremen', 'app', 'dead_lettered', 1);
INSERT INTO dead_letter VALUES ('2019-03-02', 1, '', 'bremen', 'app', 't', x'78', 'decode', 'not_json', 'no', 1, 1, 1,
  1, '');
"""
REFUSED = Fault("write", "beyond_retention", "too old", "app/e-1")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, SpoolSettings(), lease=True)


def refuse(spool: Spool) -> None:
    day, records = spool.pending(100) or ("", [])
    spool.mark(day, [Fate(r, DEAD, points=2, points_dead=1, faults=(REFUSED,)) for r in records], NOW_NS)


def test_a_dead_letter_says_what_where_and_why(spool: Spool) -> None:
    spool.append([entry(b"body")])
    refuse(spool)
    (letter,) = dead_letters.listed(spool)
    assert (letter.payload, letter.stage, letter.code, letter.text) == (b"body", "write", "beyond_retention", "too old")
    assert (letter.pilot, letter.feed, letter.point, letter.size) == ("bremen", "app", "app/e-1", 4)
    assert dead_letters.counted(spool) == {("bremen", "write", "beyond_retention"): 1}


def test_requeued_and_written_it_is_a_dead_letter_no_more(spool: Spool) -> None:
    spool.append([entry(b"body")])
    refuse(spool)
    assert requeue(spool).done == 1
    assert requeue(spool).done == 0, "asking twice changes nothing"
    assert payloads(spool) == [b"body"]
    day, records = spool.pending(1) or ("", [])
    spool.mark(day, [Fate(records[0], WRITTEN, points=2)], NOW_NS)
    assert dead_letters.listed(spool) == []
    assert dead_letters.counted(spool) == {}
    assert spool.ledger() == spool.derived_ledger()


def test_after_three_requeues_it_is_parked(spool: Spool) -> None:
    spool.append([entry()])
    refuse(spool)
    for _ in range(3):
        assert requeue(spool).done == 1
        refuse(spool)
    assert requeue(spool).done == 0
    assert dead_letters.listed(spool)[0].parked
    assert spool.ledger() == spool.derived_ledger()


def test_what_was_cut_off_is_never_requeued(spool: Spool) -> None:
    spool.append([entry(b"head", fault=Fault("decode", "too_large", "too large"))._replace(size=10_000_000)])
    assert requeue(spool).done == 0


def test_one_reason_can_be_requeued_alone(spool: Spool) -> None:
    spool.append(
        [
            entry(b"a", fault=Fault("decode", "not_json", "no")),
            entry(b"b", fault=Fault("identity", "unknown_feed", "no")),
        ]
    )
    assert requeue(spool, Selection(code="unknown_feed")).done == 1
    assert payloads(spool) == [b"b"]
    assert requeue(spool, Selection(pilot="malmo")).done == 0


def test_a_short_list_holds_the_newest(spool: Spool) -> None:
    spool.append([entry(body, fault=Fault("decode", "not_json", "no")) for body in (b"a", b"b", b"c")])
    assert [letter.payload for letter in dead_letters.listed(spool, limit=2)] == [b"b", b"c"]


def bad(payload: bytes = b"{", code: str = "not_json", received_ns: int = NOW_NS) -> Entry:
    return entry(payload, received_ns, fault=Fault("decode", code, "no"))


def add_up(spool: Spool) -> Counts:
    total = ledger.total(spool.ledger().values())
    assert ledger.broken(total) == []
    return total


def archived(spool: Spool, *entries: Entry) -> None:
    """Entries of a day whose file is gone."""
    spool.append(entries)
    assert spool.unlink_old(NOW_NS + 100 * HOUR_NS)
    assert spool.days() == []


def test_what_was_skipped_is_told_with_its_reason(spool: Spool) -> None:
    spool.append([bad()._replace(size=10_000_000), bad(b"[")])
    for _ in range(3):
        assert requeue(spool).skipped == {"no_body": 1}
        refuse(spool)
    outcome = requeue(spool)
    assert (outcome.done, outcome.skipped) == (0, {"no_body": 1, "parked": 1})
    assert outcome.sentence("Requeued") == (
        "Requeued 0 messages; skipped 1 without their whole body, 1 requeued 3 times already."
    )


def test_letters_are_chosen_by_id_pilot_feed_code_and_age(spool: Spool) -> None:
    spool.append([bad(b"1"), bad(b"2", "not_utf8"), bad(b"3", received_ns=NOW_NS + 10)])
    spool.append([bad(b"4")._replace(pilot="milan", feed="air")])

    def bodies(**which: Any) -> list[bytes]:
        return [letter.payload for letter in dead_letters.listed(spool, Selection(**which))]

    assert bodies(ids=(("2019-03-02", 2), ("2019-03-02", 77))) == [b"2"]
    assert bodies(code="not_json") == [b"1", b"3", b"4"]
    assert bodies(pilot="milan") == bodies(feed="air") == [b"4"]
    assert bodies(before_ns=NOW_NS + 10) == [b"1", b"2", b"4"]


def test_a_letter_of_an_archived_day_comes_back_and_is_received_once(spool: Spool) -> None:
    archived(spool, bad(b"old"), entry(b"never", fault=Fault("decode", "not_json", "no")))
    before = add_up(spool)
    assert requeue(spool, Selection(ids=(("2019-03-02", 1),))).done == 1
    assert requeue(spool, Selection(ids=(("2019-03-02", 1),))).done == 0
    assert payloads(spool) == [b"old"]
    assert spool.ledger() == spool.derived_ledger()
    day, records = spool.pending(1) or ("", [])
    assert (day, records[0].received_ns, records[0].attempts) == ("2019-03-02", NOW_NS, 1)
    spool.mark(day, [Fate(records[0], WRITTEN, points=1)], NOW_NS)
    assert spool.ledger() == spool.derived_ledger()
    assert spool.unlink_old(NOW_NS + 100 * HOUR_NS) == ["2019-03-02"], "its file is not needed any more"
    after = add_up(spool)
    assert after["bremen", "app", "received"] == before["bremen", "app", "received"] == 2
    assert (after["bremen", "app", "written"], after["bremen", "app", "dead_lettered"]) == (1, 1)
    assert [letter.payload for letter in dead_letters.listed(spool)] == [b"never"]


def test_an_archived_letter_that_fails_again_is_one_letter_and_parked_in_the_end(spool: Spool) -> None:
    archived(spool, bad(b"old"))
    for n in range(1, 4):
        assert requeue(spool).done == 1
        refuse(spool)
        spool.unlink_old(NOW_NS + 100 * HOUR_NS)
        (letter,) = dead_letters.listed(spool)
        assert (letter.attempts, letter.code, letter.archived) == (n, "beyond_retention", True)
        assert letter.first_ns == NOW_NS
    assert requeue(spool).skipped == {"parked": 1}
    assert add_up(spool)["bremen", "app", "dead_lettered"] == 1


def test_a_letter_left_in_the_archive_by_a_crash_is_not_tried_twice(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    archived(spool, bad(b"old"))

    class Crash(BaseException):
        pass

    def crash(_folder: Path) -> None:
        raise Crash

    with monkeypatch.context() as cut:
        cut.setattr(spool_archive, "changing", crash)
        with pytest.raises(Crash):
            requeue(spool)
    assert dead_letters.listed(spool) == []
    assert requeue(spool).done == 0
    assert payloads(spool) == [b"old"]
    finish(spool)
    assert spool.unlink_old(NOW_NS + 100 * HOUR_NS)
    assert dead_letters.listed(spool) == []
    assert add_up(spool)["bremen", "app", "received"] == 1


def test_a_requeue_while_a_day_is_archived_waits_and_finds_it_in_the_archive(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process asks between the look for pending messages and the end of the file."""
    spool.append([bad(b"old")])
    other = Spool(spool.folder, SpoolSettings(), lease=False)
    other.day("2019-03-02")
    asked = threading.Event()
    outcomes: list[int] = []

    def ask() -> None:
        asked.set()
        outcomes.append(requeue(other).done)

    def archive_meanwhile(folder: Path, file: DayFile) -> None:
        threads.append(threading.Thread(target=ask))
        threads[0].start()
        asked.wait()
        spool_archive.archive(folder, file)

    threads: list[threading.Thread] = []
    monkeypatch.setattr("collectors.spool.archive", archive_meanwhile)
    spool.unlink_old(NOW_NS + 100 * HOUR_NS)
    threads[0].join(60)
    assert outcomes == [1]
    assert payloads(spool) == [b"old"]
    finish(spool)
    assert add_up(spool)["bremen", "app", "written"] == 1
    other.close()


def test_a_day_whose_file_is_archived_twice_is_counted_once(spool: Spool) -> None:
    spool.append([bad()])
    spool_archive.archive(spool.folder, spool.day("2019-03-02"))
    before = spool.ledger()
    assert len(dead_letters.listed(spool)) == 1
    spool_archive.archive(spool.folder, spool.day("2019-03-02"))
    assert (
        spool.ledger()
        == before
        == {"2019-03-02": {("bremen", "app", "received"): 1, ("bremen", "app", "dead_lettered"): 1}}
    )


def test_a_file_left_over_by_a_cut_after_its_archiving_stands_in_nobodys_way(spool: Spool) -> None:
    spool.append([bad(b"old")])
    assert spool.pending(1) is None
    spool_archive.archive(spool.folder, spool.day("2019-03-02"))
    other = Spool(spool.folder, SpoolSettings(), lease=False)
    assert requeue(other).done == 1
    assert spool.unlink_old(NOW_NS + 100 * HOUR_NS) == [], "what came back is pending"
    assert payloads(spool) == [b"old"]
    finish(spool)
    assert spool.unlink_old(NOW_NS + 100 * HOUR_NS) == ["2019-03-02"]
    assert +add_up(spool) == {
        ("bremen", "app", "received"): 1, ("bremen", "app", "written"): 1,
        ("bremen", "app", "points_in"): 1, ("bremen", "app", "points_written"): 1,
    }  # fmt: skip
    other.close()


def test_an_archive_of_the_first_software_is_read_and_its_letters_cannot_be_requeued(spool: Spool) -> None:
    path = spool.folder / "archive.db"
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(FIRST_ARCHIVE)
    (letter,) = dead_letters.listed(spool)
    assert (letter.payload, letter.received_ns) == (b"x", 0)
    assert requeue(spool).skipped == {"earlier_version": 1}
    assert add_up(spool)["bremen", "app", "dead_lettered"] == 1


def test_a_damaged_archive_is_set_aside_and_counted_and_work_goes_on(spool: Spool) -> None:
    archived(spool, bad())
    for suffix in ("-wal", "-shm"):
        (spool.folder / f"archive.db{suffix}").unlink(missing_ok=True)
    (spool.folder / "archive.db").write_bytes(b"no database " * 1000)
    assert spool.ledger() == {}
    assert spool.corrupt_files == 1
    assert (spool.folder / "archive.db.damaged-0").exists()


def test_of_a_damaged_archive_all_goes_on_that_can_be_read(spool: Spool) -> None:
    archived(spool, *[bad(b"{%03d" % n + b"x" * 600) for n in range(200)])
    ledger_then = add_up(spool)
    path = spool.folder / "archive.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    content = bytearray(path.read_bytes())
    page = content.index(b"{100x") // 4096 * 4096
    on_it = sum(content[page : page + 4096].count(b"{%03dx" % n) for n in range(200))
    content[page : page + 4096] = bytes(4096)
    path.write_bytes(content)
    kept = sum(number.n for number in dead_kinds.kinds(spool).values())  # no report is stopped by it
    assert 200 - on_it - 2 <= kept < 200, "beside the page at most the rows between it and its neighbours"
    assert len(dead_letters.listed(spool)) == kept
    assert add_up(spool) == ledger_then
    assert (spool.corrupt_files, path.with_name("archive.db.damaged-0").exists()) == (1, True)
    assert not path.with_suffix(".salvage").exists()
    assert requeue(spool).done == kept


@pytest.mark.parametrize("gone", [False, True])
def test_what_is_purged_leaves_its_count_and_nothing_else(spool: Spool, gone: bool) -> None:
    secret = b"a-body-that-nobody-may-find"
    entries = [bad(secret), bad(b"kept", "not_utf8")]
    if gone:
        archived(spool, *entries)
    else:
        spool.append(entries)
    before = add_up(spool)
    assert purge(spool, Selection(code="not_json")).done == 1
    assert purge(spool, Selection(code="not_json")).done == 0
    assert add_up(spool) == before
    assert [letter.payload for letter in dead_letters.listed(spool)] == [b"kept"]
    assert [path.name for path in spool.folder.glob("*.db*") if secret in path.read_bytes()] == []


@pytest.mark.parametrize("gone", [False, True])
def test_a_person_is_purged_wherever_the_pseudonym_stands(spool: Spool, gone: bool) -> None:
    entries = [
        bad(b'{"actor_key":"%s"}' % PERSON.encode()),
        bad(b'{"actor_key":"\\u006b' + PERSON[1:].encode() + b'"}'),
        entry(b"{}", fault=Fault("write", "refused", f"of {PERSON}")),
        entry(b"{}", fault=Fault("write", "refused", "no", f"app/{PERSON}")),
        bad(b'{"actor_key":"%s"}' % PERSON[:-1].encode()),
    ]
    if gone:
        archived(spool, *entries)
    else:
        spool.append(entries)
    assert purge(spool, Selection(actor_key=PERSON)).done == 4
    (left,) = dead_letters.listed(spool)
    assert left.payload.endswith(PERSON[:-1].encode() + b'"}')
    assert add_up(spool)["bremen", "app", "dead_lettered"] == 5


def test_a_message_set_aside_for_another_reason_has_only_that_reason(spool: Spool) -> None:
    spool.append([bad(b"{")])
    requeue(spool)
    refuse(spool)
    (letter,) = dead_letters.listed(spool)
    assert (letter.code, letter.first_ns) == ("beyond_retention", NOW_NS)


def test_when_the_room_for_bodies_is_used_up_reasons_and_sums_are_kept_and_it_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, SpoolSettings(dead_letter_bytes=100), lease=True)
    spool.append([bad(b"a" * 60), bad(b"b" * 60)])
    spool.append([entry(b"c" * 60), entry(b"d" * 30)])
    refuse(spool)
    letters = dead_letters.listed(spool)
    assert [(len(x.payload), x.size, x.code) for x in letters] == [
        (60, 60, "not_json"), (0, 60, "not_json"), (0, 60, "beyond_retention"), (30, 30, "beyond_retention"),
    ]  # fmt: skip
    assert letters[1].sha256 == sha256(b"b" * 60).hexdigest()
    assert (spool.dead_room.used, spool.dead_room.dropped) == (90, 2)
    assert "purge" in spool.dead_room.full
    assert len([r for r in caplog.records if "limit of 100 bytes" in r.message]) == 1
    assert requeue(spool).skipped == {"no_body": 2}
    assert spool.ledger() == spool.derived_ledger()


def test_another_process_measures_the_room_from_what_is_on_disk(tmp_path: Path) -> None:
    first = Spool(tmp_path, SpoolSettings(dead_letter_bytes=100), lease=True)
    archived(first, bad(b"a" * 60))
    first.append([bad(b"b" * 30)])
    second = Spool(tmp_path, SpoolSettings(dead_letter_bytes=100), lease=False)
    second.append([bad(b"c" * 20)])
    assert (second.dead_room.used, second.dead_room.dropped) == (90, 1)


def test_kinds_add_up_to_the_messages_and_a_sample_is_the_newest(spool: Spool) -> None:
    archived(spool, bad(b"oldest"))
    spool.append([entry(b"two points")])
    day, records = spool.pending(1) or ("", [])
    faults = (Fault("write", "late", "no", "b"), Fault("write", "early", "no", "a"))
    spool.mark(day, [Fate(records[0], DEAD, points=2, points_dead=2, faults=faults)], NOW_NS)
    spool.append([bad(b"newest", received_ns=NOW_NS + 5)])
    found = dead_kinds.kinds(spool)
    assert {kind[2:]: number.n for kind, number in found.items()} == {("decode", "not_json"): 2, ("write", "early"): 1}
    roster = Roster(catalogue(), "main")
    samples = dead_kinds.samples(spool, list(found.items()), roster)
    assert {x.code: (x.body, x.count) for x in samples} == {"not_json": ("newest", 2), "early": ("two points", 1)}


def test_a_body_is_shown_as_text_or_digits_and_cut_with_its_sum_kept(spool: Spool) -> None:
    spool.append([bad(b"\x1b[31m\xc3\xa9"), bad(b"\xff\x00"), bad(b"x" * 65_536)._replace(size=70_000)])
    roster = Roster(catalogue(), "main")
    texts = [shown(letter, roster) for letter in dead_letters.listed(spool)]
    assert [(x.body, x.encoding, x.truncated) for x in texts[:2]] == [("·[31mé", "text", False), ("ff00", "hex", False)]
    assert (texts[2].truncated, len(texts[2].body or "")) == (True, 65_536)


@pytest.mark.parametrize(
    ("feed", "payload", "kept"),
    [
        (app(), b"{}", True),
        (app(person_id="data.person"), b"{}", False),
        (app(consent="cohort"), b"{}", False),
        (app(), b'{"data":{"actor_key":"abc"}}', False),
        (app(), b'{"data":{"actor\\u005fkey":"abc"}}', False),
        (app(id="another", person_id="data.person", topic="pilots/bremen/usage/another"), b"{}", False),
    ],
)
def test_a_body_that_may_name_a_person_is_shown_nowhere(spool: Spool, feed: Feed, payload: bytes, kept: bool) -> None:
    spool.append([bad(payload)])
    roster = Roster(catalogue(pilot(feed)), "main")
    (letter,) = dead_letters.listed(spool)
    assert (shown(letter, roster).body is not None) is kept
    ((kind, number),) = dead_kinds.kinds(spool).items()
    (sample,) = dead_kinds.samples(spool, [(kind, number)], roster)
    assert (sample.body is not None) is kept


def test_bodies_of_letters_tried_again_in_vain_are_kept(tmp_path: Path) -> None:
    """Their room was counted when they were set aside first: counted once more they would find none."""
    spool = Spool(tmp_path, SpoolSettings(dead_letter_bytes=1000), lease=True)
    spool.append([entry(b"x" * 100) for _ in range(6)])
    refuse(spool)
    for _ in range(2):
        assert requeue(spool).done == 6
        refuse(spool)
    assert [letter.payload for letter in dead_letters.listed(spool)] == [b"x" * 100] * 6
    assert (spool.dead_room.full, spool.dead_room.dropped) == ("", 0)


def test_a_requeue_of_old_letters_stops_no_receiving(spool: Spool) -> None:
    spool.append([bad(received_ns=NOW_NS - 30 * 24 * HOUR_NS)])
    assert requeue(spool).done == 1
    spool._room_checked = 0.0
    spool.append([entry(b"new")])
    assert spool.oldest_pending_ns() == NOW_NS
