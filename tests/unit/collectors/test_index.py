"""Duplicate, correction, misuse or new: what the index says of an id."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collectors import index as index_module
from collectors.index import Candidate, Claim, EventIndex, Verdict
from pipeline.model import Event, place_in_time

ZONE = ZoneInfo("Europe/Berlin")


def event(id_: str = "app/e-1", floor_ns: int = 5_000_000, **more: Any) -> Event:
    return Event(event_id=id_, pilot="bremen", feed="app", stream="usage", type="action.performed",
                 time_ns=place_in_time(floor_ns, 1_000_000, id_), **more)  # fmt: skip


def claim(index: EventIndex, event_: Event, seq: int, day: str = "2019-03-02") -> Claim:
    return index.claim([Candidate(event_, day, seq, ZONE)])[0]


def test_a_new_id_is_new_and_again_a_duplicate(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    assert claim(index, event(), 1).verdict is Verdict.NEW
    assert claim(index, event(), 2).verdict is Verdict.DUPLICATE
    assert claim(index, event(received_ns=99), 3).verdict is Verdict.DUPLICATE


def test_a_restart_that_finds_its_own_claim_goes_on(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    claim(index, event(), 1)
    index.close()
    again = EventIndex(tmp_path)
    assert claim(again, event(), 1).verdict is Verdict.NEW
    assert claim(again, event(), 1, "2019-03-03").verdict is Verdict.DUPLICATE


def test_other_content_without_a_higher_revision_is_a_reused_id(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    claim(index, event(data={"kind": "idea"}), 1)
    assert claim(index, event(data={"kind": "vote"}), 2).verdict is Verdict.REUSED
    assert claim(index, event(data={"kind": "idea"}), 3).verdict is Verdict.DUPLICATE


def test_a_higher_revision_replaces_and_says_what(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    old = claim(index, event(), 1).event
    new = claim(index, event(floor_ns=9_000_000, revision=1), 2)
    assert (new.verdict, new.superseded) == (Verdict.REVISION, [("usage", old.time_ns)])
    assert claim(index, event(floor_ns=9_000_000, revision=1), 2).superseded == [("usage", old.time_ns)]
    assert claim(index, event(floor_ns=9_000_000, revision=1), 3).verdict is Verdict.DUPLICATE
    assert claim(index, event(), 4).verdict is Verdict.REUSED


def test_a_correction_older_than_what_was_confirmed_comes_too_late(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    claim(index, event(), 1)
    assert claim(index, event(revision=2), 2).verdict is Verdict.DUPLICATE
    assert claim(index, event(revision=1, count=2), 3).verdict is Verdict.REUSED


def test_a_correction_waits_for_what_it_corrects(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    both = [Candidate(event(), "d", 1, ZONE), Candidate(event(revision=1, count=2), "d", 2, ZONE)]
    assert [c.verdict for c in index.claim(both)] == [Verdict.NEW, Verdict.LATER]
    assert index.claim(both[1:])[0].verdict is Verdict.REVISION


def test_key_order_and_receipt_are_no_content() -> None:
    one, other = event(data={"a": 1, "b": 2}), event(data={"b": 2, "a": 1}, received_ns=5)
    assert index_module.content_hash(one) == index_module.content_hash(other)
    late = event(time_rule="receipt", floor_ns=7_000_000)
    assert index_module.content_hash(late) == index_module.content_hash(event(time_rule="receipt"))


def test_two_ids_never_share_a_nanosecond(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    first = claim(index, event("app/a"), 1).event
    other = Event(event_id="app/b", pilot="bremen", feed="app", stream="usage", type="x", time_ns=first.time_ns)
    moved = claim(index, other, 2)
    assert moved.verdict is Verdict.NEW
    assert moved.event.time_ns == place_in_time(5_000_000, 1_000_000, "app/b", 1)
    assert claim(index, other, 2).event.time_ns == moved.event.time_ns
    assert claim(index, other, 3).verdict is Verdict.DUPLICATE


def test_the_same_nanosecond_in_another_pilot_or_stream_is_free(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    first = claim(index, event("app/a"), 1).event
    for seq, (pilot, stream) in enumerate([("malmo", "usage"), ("bremen", "ops")], start=2):
        other = Event(event_id="b", pilot=pilot, feed="app", stream=stream, type="x", time_ns=first.time_ns)
        assert claim(index, other, seq).event.time_ns == first.time_ns


def test_a_crowded_moment_is_told_and_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_ATTEMPTS", 1)
    index = EventIndex(tmp_path)
    first = claim(index, event("app/a"), 1).event
    other = Event(event_id="app/b", pilot="bremen", feed="app", stream="usage", type="x", time_ns=first.time_ns)
    assert claim(index, other, 2).verdict is Verdict.CROWDED


def test_ids_are_forgotten_by_day_of_receipt(tmp_path: Path) -> None:
    index = EventIndex(tmp_path)
    claim(index, event(), 1, "2019-03-02")
    assert index.forget_before("2019-03-02") == 0
    assert index.forget_before("2019-03-03") == 1
    assert claim(index, event(), 1, "2019-03-12").verdict is Verdict.NEW


def test_ids_are_forgotten_a_bounded_number_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "FORGOTTEN_AT_ONCE", 2)
    index = EventIndex(tmp_path)
    for n in range(3):
        claim(index, event(f"app/{n}"), n)
    assert [index.forget_before("2019-03-09") for _ in range(3)] == [2, 1, 0]
