import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.alerts.transition import Transition
from pipeline.operations import Operations, this_process
from pipeline.state_file import OperationsRefused

S = 10**9


def transition(what: str = "opened", since: str = "2026-03-01", **more: object) -> Transition:
    said = {
        "pilot": "test",
        "kind": "drop_off",
        "series": "contributions",
        "sentence": "It fell.",
        "reason": "fell",
        "at_ns": 5 * S,
    }
    return Transition(what=what, day="2026-03-01", since=since, **{**said, **more})  # type: ignore[arg-type]


@pytest.fixture
def operations() -> Iterator[Operations]:
    found = Operations(":memory:")
    yield found
    found.close()


def told(operations: Operations) -> list[str]:
    rows = operations.read("SELECT body FROM notification WHERE NOT held ORDER BY id")
    return [json.loads(body)["what"] for (body,) in rows]


def test_a_transition_recorded_twice_is_one_incident_and_one_letter(operations: Operations) -> None:
    assert operations.record(transition(), 10 * S, synthetic=True) is not None
    assert operations.record(transition(), 11 * S, synthetic=True) is None
    [incident] = operations.incidents(["test"])
    assert (incident.opened_ns, incident.closed_ns, incident.synthetic) == (5 * S, None, True)
    assert told(operations) == ["opened"]


def test_closing_ends_the_incident_and_says_so_once(operations: Operations) -> None:
    operations.record(transition(), 10 * S, synthetic=False)
    assert operations.record(transition("closed"), 12 * S, synthetic=False) is not None
    assert operations.record(transition("closed"), 13 * S, synthetic=False) is None
    assert operations.incidents(["test"], open_only=True) == []
    assert told(operations) == ["opened", "closed"]


def test_what_is_back_filled_is_recorded_and_notifies_nobody(operations: Operations) -> None:
    assert operations.record(transition(backfill=True), 10 * S, synthetic=False) is not None
    assert told(operations) == []


def test_a_rise_of_severity_is_told_once_and_a_fall_of_it_never(operations: Operations) -> None:
    operations.record(transition(severity="notice"), 10 * S, synthetic=False)
    for at, severity in enumerate(["warning", "warning", "notice", "critical"]):
        operations.record(transition("worsened", severity=severity), (11 + at) * S, synthetic=False)
    [incident] = operations.incidents(["test"])
    assert incident.severity == "critical"
    assert told(operations) == ["opened", "worsened", "worsened"]
    operations.record(transition("closed"), 20 * S, synthetic=False)
    assert operations.record(transition("worsened", severity="critical"), 21 * S, synthetic=False) is None


def test_incidents_outlive_the_process(tmp_path: Path) -> None:
    first = Operations(tmp_path / "deep" / "operations.db")
    first.record(transition(), 10 * S, synthetic=False)
    first.keep_state("test", "app", "feed_silent", b'["heard"]')
    first.close()
    again = Operations(tmp_path / "deep" / "operations.db")
    assert len(again.incidents(["test"])) == 1
    assert again.state("test", "app", "feed_silent") == b'["heard"]'
    again.close()


def test_a_second_holder_of_a_lease_is_refused_in_a_sentence(operations: Operations) -> None:
    operations.lease("pipeline", "elsewhere/1", 10 * S)
    with pytest.raises(OperationsRefused, match="another pipeline already works on this state"):
        operations.lease("pipeline", this_process(), 11 * S)
    operations.lease("pipeline", this_process(), 100 * S)  # the other one has not renewed it


def test_a_lease_of_a_process_that_is_gone_is_free(operations: Operations) -> None:
    host = this_process().partition("/")[0]
    operations.lease("pipeline", f"{host}/4194304", 10 * S)
    operations.lease("pipeline", this_process(), 11 * S)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "o.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(OperationsRefused, match="newer Periscope"):
        Operations(tmp_path / "o.db")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperationsRefused, match="PERISCOPE_STATE"):
        Operations(tmp_path / "file" / "operations.db")
