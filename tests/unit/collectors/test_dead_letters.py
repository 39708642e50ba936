"""Set aside, counted, tried again at most three times."""

from pathlib import Path

import pytest

from collectors import dead_letters
from collectors.dead_changes import requeue
from collectors.dead_letters import Selection
from collectors.ledger import DEAD, WRITTEN
from collectors.message import Fault
from collectors.spool import Spool
from collectors.spool_day import Fate
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import NOW_NS
from tests.unit.collectors.test_spool import entry, payloads

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
