"""The judgement of a row fails when it should: nothing moved, no redelivery seen, a message lost, changed or added."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from pipeline.store.sqlite import SQLiteStore
from tests.chaos import judgement
from tests.chaos.__main__ import main, report
from tests.chaos.harness import Place
from tests.chaos.outcome import Outcome
from tests.chaos.rows import FAULTS, found
from tests.integration.oracle import LARGEST, Oracle, payload

GOOD = Outcome("F1", "kill -9", 6, 6000, 0, 0, 0, 12, 1.5, least_obligations=5000, needs_duplicates=True)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path, lambda: pytest.fail("no InfluxDB is needed here")) as place:
        yield place


def judged(place: Place, total: int) -> tuple[Oracle, judgement.Verdict]:
    """A run without any fault."""
    oracle = place.begin().oracle(total, rate=2000)
    oracle.start()
    return oracle, judgement.settle(place, oracle)


def test_a_good_row_has_no_failures() -> None:
    assert GOOD.failures() == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"obligations": 0}, "proves nothing"),
        ({"obligations": 4999}, "only 4999 obligations of at least 5000"),
        ({"duplicates_seen": 0}, "no redelivery was seen"),
        ({"lost": 1}, "1 lost, 0 allowed"),
        ({"lost": 3, "allowed_lost": 2}, "3 lost, 2 allowed"),
        ({"spurious": 1}, "1 spurious"),
        ({"corrupted": 1}, "1 corrupted"),
        ({"problems": ("not drained",)}, "not drained"),
    ],
)
def test_each_broken_promise_alone_fails_a_row(change: dict[str, object], sentence: str) -> None:
    (found,) = replace(GOOD, **change).failures()  # type: ignore[arg-type]
    assert sentence in found


def test_a_run_that_moved_nothing_and_killed_nobody_fails(place: Place) -> None:
    oracle, verdict = judged(place, 20)
    assert (verdict.lost, verdict.problems) == ([], [])
    row = judgement.outcome("F1", "", 0, oracle, verdict, least_obligations=5000, needs_duplicates=True)
    assert len(row.failures()) == 2


def test_what_is_lost_changed_or_added_in_the_store_is_seen(place: Place) -> None:
    oracle, _ = judged(place, 30)
    store = SQLiteStore(place.folder / "var/store", mode="raw")
    events = {event.event_id: event for event in store.read("bremen", ["usage"], 0, 2**62)}
    assert len(events) == 31  # the flow and the probe
    store.delete([events["app/n-7"], events["app/n-8"]])
    store.write(
        [
            structs.replace(events["app/n-8"], data={"filler": "other"}),
            structs.replace(events["app/n-7"], event_id="app/n-31"),
        ]
    )
    store.close()
    verdict = judgement.judge(place, oracle)
    assert (verdict.lost, verdict.corrupted, verdict.spurious) == ([7], [8], ["app/n-31"])


def test_payloads_straddle_the_limits_and_say_their_number() -> None:
    lengths = {len(payload(number)) for number in range(1001)}
    assert max(lengths) == LARGEST
    fillers = {sum(map(len, json.loads(payload(number))["data"]["filler"])) for number in range(200)}
    assert {0, 1, 1024, 2048, 4095, 4096, 4097, 12288} <= fillers
    assert len({payload(number) for number in range(500)}) == 500


def test_every_row_has_its_module() -> None:
    assert set(found()) == set(FAULTS)


def test_the_report_fails_with_any_row_and_without_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "build/chaos.json"
    assert report([GOOD], True, path) == 0
    assert "FAILED" not in capsys.readouterr().out
    assert report([GOOD, replace(GOOD, row="F2", lost=1)], True, path) == 1
    assert "FAILED F2: 1 lost, 0 allowed" in capsys.readouterr().out
    written = json.loads(path.read_text())
    assert [row["failures"] for row in written["rows"]] == [[], ["F2: 1 lost, 0 allowed"]]
    assert report([], True, path) == 1


def test_an_unknown_row_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "F99"]) == 2
    assert "F99" in capsys.readouterr().err
