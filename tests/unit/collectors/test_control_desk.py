"""What requests from pages do, and what becomes of those that are none."""

import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.control_desk import MOST_BYTES, Answer, Desk
from collectors.message import Fault
from collectors.spool import Spool
from collectors.topics import Roster
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import app, catalogue, pilot
from tests.unit.collectors.test_spool import entry, payloads


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    for body, code in ((b"one", "not_json"), (b"two", "not_json"), (b"three", "bad_time")):
        spool.append([entry(body, fault=Fault("decode", code, "no"))])
    return spool


@pytest.fixture
def desk(spool: Spool) -> Desk:
    return Desk(spool, Roster(catalogue(pilot(app())), "main"))


def ask(desk: Desk, id_: str = "r-1", by: str = "Ada", **more: Any) -> Answer:
    answer = desk.answer(json.dumps({"id": id_, "by": by, **more}).encode())
    assert answer is not None
    assert len(answer) <= MOST_BYTES
    return msgspec.json.decode(answer, type=Answer)


def test_a_requeue_is_done_and_told(desk: Desk, spool: Spool) -> None:
    answer = ask(desk, do="requeue", pilot="bremen", code="not_json")
    assert (answer.ok, answer.done, answer.skipped) == (True, 2, {})
    assert answer.sentence == "Requeued 2 messages."
    assert payloads(spool) == [b"one", b"two"]


def test_the_same_request_again_is_answered_alike_and_done_once(desk: Desk) -> None:
    first = ask(desk, do="purge", ids=["2019-03-02/1"])
    assert (first.done, ask(desk, do="purge", ids=["2019-03-02/1"])) == (1, first)
    assert ask(desk, "r-2", do="purge", ids=["2019-03-02/1"]).done == 0
    assert desk.counts == {"done": 2, "refused": 0, "repeated": 1, "malformed": 0, "failed": 0, "overrun": 0}


def test_letters_are_shown_newest_first_with_their_body(desk: Desk) -> None:
    answer = ask(desk, do="show", pilot="bremen")
    assert [(x.id, x.body, x.code) for x in answer.letters] == [
        ("2019-03-02/3", "three", "bad_time"), ("2019-03-02/2", "two", "not_json"), ("2019-03-02/1", "one", "not_json"),
    ]  # fmt: skip


def test_a_body_that_may_name_a_person_is_withheld(spool: Spool) -> None:
    desk = Desk(spool, Roster(catalogue(pilot(app(person_id="data.person"))), "main"))
    answer = ask(desk, do="show", ids=["2019-03-02/1"])
    assert (answer.letters[0].body, answer.letters[0].why_not) == (None, "withheld: this feed may name persons")
    assert [x.body for x in ask(desk, "r-2", do="sample").samples] == [None, None]


def test_one_sample_of_each_kind_is_given(desk: Desk) -> None:
    samples = ask(desk, do="sample", pilot="bremen").samples
    assert {(x.code, x.count, x.body) for x in samples} == {("not_json", 2, "two"), ("bad_time", 1, "three")}
    assert ask(desk, "r-2", do="sample", pilot="milan").samples == []


def test_an_answer_is_bounded_and_says_that_it_was_cut(desk: Desk, spool: Spool) -> None:
    spool.append([entry(b"\x01" * 60_000, fault=Fault("decode", f"c{n}", "\\" * 500)) for n in range(30)])
    for number, do in enumerate(("show", "sample")):
        answer = ask(desk, f"r-{number}", do=do, pilot="bremen")
        assert answer.cut
        assert answer.letters or answer.samples


@pytest.mark.parametrize(
    "more",
    [
        {"do": "requeue"},
        {"do": "purge", "pilot": "bremen"},
        {"do": "requeue", "ids": ["nonsense"]},
        {"do": "requeue", "ids": ["2019-03-02/1"] * 201},
        {"do": "requeue", "pilot": "bremen", "by": ""},
        {"do": "requeue", "pilot": "bremen", "by": "x" * 129},
    ],
)
def test_too_much_or_too_little_is_refused_with_a_sentence(desk: Desk, more: dict[str, Any]) -> None:
    answer = ask(desk, **more)
    assert (answer.ok, answer.done) == (False, 0)
    assert answer.sentence.endswith(".")
    assert desk.counts["refused"] == 1


@pytest.mark.parametrize(
    ("payload", "answered"),
    [
        (b"", False), (b"{", False), (b"[]", False), (b"[" * 10_000, False), (b'{"id": 7}', False),
        (b'{"id": "r", "do": "format the disk", "by": "Ada"}', True),
        (b'{"id": "r", "do": "show", "by": "Ada", "and": 1}', True), (b'{"id": "r"}', True),
        (b'{"id": "r", "do": "show", "by": "Ada", "pilot": 7}', True),
        (b'{"id": "r", "do": "show", "by": "' + b"x" * 20_000 + b'"}', False), (b'{"id":"\xff"}', False),
    ],
)  # fmt: skip
def test_what_is_no_request_is_counted_logged_and_answered_where_it_has_an_id(
    desk: Desk, payload: bytes, answered: bool, caplog: pytest.LogCaptureFixture
) -> None:
    answer = desk.answer(payload)
    assert (answer is not None) is answered
    if answer is not None:
        assert msgspec.json.decode(answer, type=Answer).ok is False
    assert desk.counts["malformed"] == 1
    (record,) = caplog.records
    assert "cannot be read" in record.message


@given(payload=st.binary(max_size=200) | st.builds(lambda v: json.dumps(v).encode(), st.recursive(
    st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["id", "do", "by", "ids", "pilot"]), inner), max_leaves=9)))  # fmt: skip
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_that_arrives_raises(desk: Desk, payload: bytes) -> None:
    desk.answer(payload)


def test_who_asked_stands_in_the_log_on_one_line(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ask(desk, by="Ada\nroot: all is well\x1b[2J", do="requeue", pilot="bremen")
    (record,) = caplog.records
    assert "Ada·root" in record.message
    assert "requeue" in record.message
    assert record.message.isprintable()


def test_a_request_that_fails_costs_only_itself(desk: Desk, spool: Spool) -> None:
    (spool.folder / "archive.db").mkdir()
    answer = ask(desk, do="show", pilot="bremen")
    assert (answer.ok, desk.counts["failed"]) == (False, 1)
    assert "archive.db" in answer.sentence, "the sentence of a known error, not its name"
    (spool.folder / "archive.db").rmdir()
    assert ask(desk, "r-2", do="show", pilot="bremen").ok
