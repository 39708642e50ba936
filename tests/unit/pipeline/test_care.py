"""What people do about incidents: it is recorded and audited, and changes what is told, never what is."""

import argparse
import sqlite3
from typing import Any

import pytest

from pipeline.alerts.care import Care, CareRefused
from pipeline.alerts.transition import Transition
from pipeline.alerts_command import run
from pipeline.delivery.routes import SYSTEM
from tests.unit.pipeline.making import City, Clock, pilot
from tests.unit.pipeline.test_run import FEEDS, days

DAY_NS = 86_400 * 10**9


@pytest.fixture
def fallen() -> City:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"))
    city.add([*days(0, 40, 10), *days(40, 50, 2)])
    city.work()
    return city


def command(city: City, *words: str, **options: Any) -> list[str]:
    told: list[str] = []
    args = {"what": words[0], "id": None, "all": False, "pilot": None, "kind": None, "series": None, "who": "ana",
            "note": "", "days": None, "limit": 50}  # fmt: skip
    if len(words) > 1:
        args["id"] = int(words[1])
    given = argparse.Namespace(**{**args, **options})
    run(city.operations, given, ["test"], city.clock.ns, lambda sentence, **_: told.append(sentence))
    return told


def test_an_incident_is_listed_shown_and_explained(fallen: City) -> None:
    [line] = command(fallen, "list")
    assert "critical  test: drop off of contributions since 2026-02-1" in line
    number = line.split()[0]
    shown = command(fallen, "explain", number)
    assert "Contributions: " in shown[0]
    assert "90 % band" in shown[0]
    text = "\n".join(shown)
    assert "change day       2026-02-10" in text
    assert "alert at 6.10" in text
    assert "opened: evidence of" in text


def test_a_channel_that_does_not_deliver_is_listed_and_can_be_looked_after(fallen: City) -> None:
    fallen.operations.record(
        Transition(
            pilot=SYSTEM, kind="channel_failing", series="ops", what="opened", day="2026-02-20", since="2026-02-20",
            at_ns=fallen.clock.ns, sentence="Channel ops does not deliver: it answered 404.", reason="it answered 404",
        ), fallen.clock.ns, synthetic=False,
    )  # fmt: skip
    assert "warning  Periscope: channel failing of ops since 2026-02-20" in "\n".join(command(fallen, "list"))
    assert "it answered 404" in command(fallen, "show", "2")[0]
    command(fallen, "ack", "2", note="new address on its way", days=2)
    assert "ana looks after it" in "\n".join(command(fallen, "list"))


def test_who_looks_after_it_is_named_until_it_runs_out(fallen: City) -> None:
    command(fallen, "ack", "1", note="calling the library", days=2)
    assert "ana looks after it" in command(fallen, "list")[0]
    assert "calling the library" in "\n".join(command(fallen, "show", "1"))
    fallen.clock.ns += 2 * DAY_NS
    assert "looks after it" not in command(fallen, "list")[0]
    assert any("acknowledge incident 1" in what for _, _, what, _ in fallen.operations.audited())


def test_a_silence_keeps_notifications_back_and_nothing_else() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-09T00:30:00"))
    running = city.pipeline()
    city.add(days(0, 40, 10))
    city.work(running)
    command(city, "silence", note="works in the building", pilot="test", kind="drop_off", days=20)
    city.clock.ns += 11 * DAY_NS
    city.add(days(40, 50, 2))
    city.work(running)
    assert [one.series for one in city.operations.incidents(["test"])] == ["contributions"]
    assert city.told() == []
    assert any("Silent until" in line for line in command(city, "list"))


def test_a_fall_that_lasts_can_be_accepted_after_six_weeks(fallen: City) -> None:
    with pytest.raises(CareRefused, match="less than 42 days"):
        command(fallen, "new-normal", "1", note="the library moved out")
    fallen.add(days(50, 100, 2))
    fallen.clock.ns += 50 * DAY_NS
    running = fallen.pipeline()
    fallen.work(running)
    command(fallen, "new-normal", "1", note="the library moved out")
    fallen.add(days(100, 130, 2))
    fallen.clock.ns += 30 * DAY_NS
    fallen.work(running)
    [one] = fallen.operations.incidents(["test"])
    assert one.closed_ns is not None
    letters = [one["reason"] for one in fallen.told()]
    assert letters[-1] == "new normal"
    [deed] = Care(fallen.operations).deeds(one)
    assert (deed.who, deed.what, deed.note) == ("ana", "new normal", "the library moved out")


def test_what_people_did_about_an_incident_is_told_in_order(fallen: City) -> None:
    care, now_ns = Care(fallen.operations), fallen.clock.ns
    [one] = fallen.operations.incidents(["test"])
    before = fallen.operations.version()
    care.acknowledge(1, "ana", "calling the library", now_ns)
    care.silence("ben", "works in the street", now_ns + 1, 3, pilot="test")
    care.silence("ben", "elsewhere", now_ns + 1, 3, kind="feed_silent")
    [here, _] = care.silences(now_ns + 1)
    care.end_silence(here.id, "cleo", now_ns + 2)
    found = [(deed.who, deed.what, deed.note) for deed in care.deeds(one)]
    assert found == [
        ("ana", "acknowledged", "calling the library"),
        ("ben", "silenced", "works in the street"),
        ("cleo", "silence ended", "works in the street"),
    ]
    assert fallen.operations.version() == before + 4  # so that pages are drawn anew
    with pytest.raises(CareRefused, match="over already"):
        care.end_silence(here.id, "cleo", now_ns + 3)


def test_what_was_done_is_in_the_audit_or_was_not_done(fallen: City) -> None:
    with fallen.operations.transaction() as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    care, now_ns = Care(fallen.operations), fallen.clock.ns
    with pytest.raises(sqlite3.Error):
        care.acknowledge(1, "ana", "calling the library", now_ns)
    with pytest.raises(sqlite3.Error):
        care.silence("ana", "works", now_ns, 3)
    assert care.acknowledged(1, now_ns) is None
    assert care.silences(now_ns) == []


@pytest.mark.parametrize(
    ("words", "options", "sentence"),
    [
        (("ack", "9"), {"note": "x"}, "no incident 9"),
        (("ack", "1"), {}, "say a note"),
        (("show",), {}, "name the incident"),
        (("silence",), {"note": "x", "days": 31}, "enter a longer absence as a closure"),
        (("list",), {"pilot": "atlantis"}, "choose from test"),
    ],
)
def test_what_cannot_be_done_says_why(
    fallen: City, words: tuple[str, ...], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CareRefused, match=sentence):
        command(fallen, *words, **options)
    assert Care(fallen.operations).silences(fallen.clock.ns) == []


def test_what_is_on_record_is_not_explained_again(fallen: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.alerts.drop_off.explain", None)
    fallen.add(days(50, 51, 2))
    fallen.clock.ns += DAY_NS
    fallen.work()
    assert len(fallen.operations.incidents(["test"])) == 1
