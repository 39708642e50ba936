"""What is published of a record, of its correction, of people who check in; what is kept while the broker is away."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors.clock_rules import Window
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.topics import Roster
from config.catalogue import Catalogue
from config.settings import PACKAGED_PILOTS
from config.vocabulary import load_vocabulary
from dashboard.log.desk import Desk
from dashboard.log.draft import Wrong
from dashboard.log.post import Post
from dashboard.log.publisher import Undelivered
from dashboard.log.tokens import Invitation, invitation_in, token_of
from dashboard.viewer import Viewer
from pipeline.logbook import Logbook
from tests.dashboard.made_up import NOW_NS
from tests.dashboard.test_log_draft import CLOSURE, HELD
from tests.schemas import against_schemas

OPERATOR = Viewer("operator", name="op")
HOUR_NS = 3600 * 10**9
DECISION = {
    "outcome": "approved",
    "level_delivered": "consult",
    "role_citizen": "consulted",
    "role_government": "decider",
}


class Town:
    """A desk, its broker, and what the collector makes of everything that was published."""

    def __init__(self, catalogue: Catalogue, logbook: Logbook) -> None:
        self.catalogue, self.logbook, self.now_ns, self.away = catalogue, logbook, NOW_NS, False
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.notes: list[tuple[str, str]] = []
        self.post = Post(logbook, self._publish, lambda: self.now_ns)
        self.desk = Desk(
            logbook, catalogue, load_vocabulary(PACKAGED_PILOTS), self.post, lambda: self.now_ns,
            lambda pilot, code: f"k1{pilot}{code}".ljust(20, "0"), lambda who, what: self.notes.append((who, what)),
        )  # fmt: skip

    def _publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        if self.away:
            raise Undelivered("broker 127.0.0.1:1883: nothing listens there")
        self.messages += [(topic, json.loads(payload)) for topic, payload in messages]

    def save(self, who: Viewer = OPERATOR, base: int | None = None, **fields: Any) -> str:
        record = self.desk.save(who, {"fields": HELD | fields, "base": base}).id
        self.post.deliver()
        return record

    def stated(self) -> dict[str, dict[str, Any]]:
        """The newest revision of each event by part, as data with its type, without what was taken back."""
        newest: dict[str, dict[str, Any]] = {}
        for _, event in self.messages:
            part, data = event["id"].rpartition("/")[2], {**event["data"], "type": event["type"], "time": event["time"]}
            assert data["revision"] == newest[part]["revision"] + 1 if part in newest else data["revision"] == 0
            newest[part] = data
        return {part: data for part, data in newest.items() if data["type"] != "record.withdrawn"}

    def attendances(self) -> int:
        return sum(one.get("count", 1) for one in self.stated().values() if one["type"] == "attendance")

    def invite(self, **fields: Any) -> Invitation:
        return self.desk.invite(OPERATOR, {"fields": HELD | fields})

    def check_in(self, invitation: Invitation, code: str, group: str = "citizen") -> bool:
        new = self.desk.check_in(invitation, code, group)
        self.post.deliver()
        return new


@pytest.fixture
def town(catalogue: Catalogue) -> Town:
    return Town(catalogue, Logbook(":memory:"))


def test_a_whole_record_is_taken_by_the_collector_as_it_stands(town: Town) -> None:
    outcome = {"made_idea": 7, "became_adopted": 2, "disposition_reason": "budget", "recorded_by": "city", **DECISION}
    more = {"obstacles": ["silos"], "lessons": ["start_earlier"], "place": "16157", "lang": ["it"]}
    town.save(count_citizen=12, count_business=3, **outcome, **more)
    town.desk.save(OPERATOR, {"fields": CLOSURE})
    town.check_in(town.invite(), "B" * 16)
    ingest = Ingest(Roster(town.catalogue, "main"), Window())
    for topic, event in town.messages:
        payload = msgspec.json.encode(event)
        judged = ingest.judge(RawMessage(topic=topic, payload=payload, received_ns=NOW_NS + HOUR_NS))
        assert judged.fault is None, (event, judged.fault)
        assert against_schemas(payload) == []
        assert len(judged.events) == 1
        assert judged.events[0].synthetic is True
        assert judged.events[0].stream == ("ops" if event["type"] == "calendar.closure" else "engagement")


def test_what_a_record_says_is_said_once(town: Town) -> None:
    record = town.save(count_citizen=12, made_idea=7, **DECISION)
    said = town.stated()
    assert set(said) == {"held", "attendance-citizen", "made-idea", "role-citizen", "role-government", "decided"}
    assert said["held"]["time"] == "2026-05-12T09:30+02:00"
    assert (said["held"]["activity_id"], said["held"]["stage"]) == (record, "co_design")
    assert (said["attendance-citizen"]["count"], said["attendance-citizen"]["consent"]) == (12, "count_only")
    assert (said["role-citizen"]["count"], said["role-citizen"]["role"]) == (12, "consulted")
    assert (said["role-government"]["consent"], "count" in said["role-government"]) == ("none", False)
    town.save(count_citizen=12, made_idea=7, **DECISION)
    assert len(town.messages) == 6
    assert town.notes[0] == ("op", f"record {record} of genoa, revision 1")


def test_a_correction_says_only_what_is_different_and_takes_back_what_is_gone(town: Town) -> None:
    town.save(count_citizen=12, count_business=3)
    before = len(town.messages)
    town.save(base=1, count_citizen=10)
    changed = {event["id"].rpartition("/")[2]: event for _, event in town.messages[before:]}
    assert set(changed) == {"attendance-citizen", "attendance-business"}
    assert changed["attendance-business"]["type"] == "record.withdrawn"
    assert changed["attendance-business"]["data"]["count"] == 0
    assert town.attendances() == 10
    town.save(base=2, count_citizen=10, count_business=4)
    assert town.stated()["attendance-business"]["revision"] == 2


def test_a_withdrawn_record_says_nothing_and_stays_so(town: Town) -> None:
    town.check_in(town.invite(), "B" * 16)
    record = town.save(count_citizen=12)
    town.desk.withdraw(OPERATOR, record)
    town.post.deliver()
    assert town.stated() == {}
    for act in (lambda: town.save(count_citizen=1), lambda: town.desk.withdraw(OPERATOR, record), town.invite):
        with pytest.raises(Wrong, match="withdrawn"):
            act()


def test_of_two_corrections_at_once_the_second_is_told(town: Town) -> None:
    town.save(count_citizen=12)
    town.save(base=1, count_citizen=13)
    with pytest.raises(Wrong, match="meanwhile"):
        town.save(base=1, count_citizen=14)
    assert town.attendances() == 13


def test_what_was_announced_stays_announced_at_its_time(town: Town) -> None:
    town.save(what="scheduled", date="2026-05-20")
    announced = town.stated()["scheduled"]
    town.now_ns += 9 * 24 * HOUR_NS
    town.save(base=1, date="2026-05-20", count_citizen=5)
    assert town.stated()["scheduled"] == announced
    assert town.stated()["held"]["time"].startswith("2026-05-20")
    assert (announced["starts_on"], announced["timing_basis"]) == ("2026-05-20", "calendar")


@pytest.mark.parametrize("first", ["scan", "save"])
def test_whoever_checks_in_is_not_counted_again_with_the_group(town: Town, first: str) -> None:
    invitation = town.invite()
    if first == "save":
        town.save(count_citizen=12, count_business=3)
    town.check_in(invitation, "B" * 16)
    town.check_in(invitation, "C" * 16, "business")
    town.check_in(invitation, "D" * 16, "unknown")
    if first == "scan":
        town.save(count_citizen=12, count_business=3)
    assert town.attendances() == 15
    people = [one for one in town.stated().values() if one.get("actor_key")]
    assert {one["consent"] for one in people} == {"cohort"}
    assert len({one["actor_key"] for one in people}) == 3


def test_more_codes_than_were_counted_are_all_counted(town: Town) -> None:
    town.save(count_citizen=1)
    for letter in "BCDE":
        town.check_in(town.invite(), letter * 16)
    assert town.attendances() == 4


def test_checking_in_twice_counts_once_and_can_be_taken_back(town: Town) -> None:
    invitation = town.invite()
    town.save(count_citizen=12)
    assert [town.check_in(invitation, "B" * 16), town.check_in(invitation, "B" * 16)] == [True, False]
    assert town.desk.check_out(invitation, "B" * 16) is True
    assert town.desk.check_out(invitation, "B" * 16) is False
    town.post.deliver()
    assert town.attendances() == 12
    assert [one for one in town.stated().values() if one.get("actor_key")] == []
    assert town.check_in(invitation, "B" * 16) is True
    assert town.desk.codes(OPERATOR, HELD["id"]) == 1


def test_check_in_is_open_around_the_activity_only(town: Town) -> None:
    invitation = town.invite(time="20:00")
    for later, is_open in ((0, False), (2 * HOUR_NS, True), (19 * HOUR_NS, False)):
        town.now_ns = NOW_NS + later
        if is_open:
            assert town.check_in(invitation, "B" * 16)
        else:
            with pytest.raises(Wrong, match="open from three hours before"):
                town.check_in(invitation, "C" * 16)


@pytest.mark.parametrize("slipped", ["0026-05-12", "1970-01-01", "9999-12-31"])
def test_no_check_in_is_opened_on_a_day_whose_year_slipped(town: Town, slipped: str) -> None:
    with pytest.raises(Wrong, match="Choose day and hour first"):
        town.invite(date=slipped)


@pytest.mark.parametrize(
    "who",
    [Viewer("viewer"), Viewer("evaluator"), Viewer("operator", frozenset({"athens"})), Viewer("admin", frozenset())],
)
def test_who_may_not_record_for_a_pilot_changes_nothing(town: Town, who: Viewer) -> None:
    record = town.save(count_citizen=12)
    town.check_in(town.invite(), "B" * 16)
    assert town.desk.codes(who, record) == 0
    before = len(town.messages)
    for act in (
        lambda: town.save(who, count_citizen=1), lambda: town.desk.withdraw(who, record),
        lambda: town.desk.draft(who, record), lambda: town.desk.invite(who, {"fields": HELD}),
    ):  # fmt: skip
        with pytest.raises(Wrong):
            act()
    assert town.desk.kept(who) == []
    assert len(town.messages) == before


def test_a_record_stays_with_its_pilot(town: Town) -> None:
    town.save(count_citizen=12)
    with pytest.raises(Wrong, match="stays with its pilot"):
        town.save(pilot="athens", count_citizen=12)


def test_while_the_broker_is_away_letters_wait_and_a_restart_sends_them_in_order(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    first = Town(catalogue, Logbook(tmp_path / "log.db"))
    first.away = True
    first.save(count_citizen=12)
    first.save(base=1, count_citizen=14)
    assert first.messages == []
    assert first.post.problem is not None
    assert first.desk.kept(OPERATOR)[0].waiting == 2
    first.logbook.close()
    second = Town(catalogue, Logbook(tmp_path / "log.db"))
    assert second.post.deliver() is True
    assert second.attendances() == 14
    assert second.desk.secret
    assert second.desk.kept(OPERATOR)[0].waiting == 0


def test_a_record_has_arrived_when_all_of_it_has_in_its_newest_revision(town: Town) -> None:
    town.save(count_citizen=12)
    there: dict[str, int] = {}

    def arrived() -> bool:
        return town.desk.note_arrivals(town.desk.kept(OPERATOR)[0].record, lambda pilot, days: there)

    assert not arrived()
    there[f"log/{HELD['id']}/held"] = 0
    assert not arrived()
    there[f"log/{HELD['id']}/attendance-citizen"] = 0
    assert arrived()
    town.save(base=1, count_citizen=13)
    assert not arrived()
    there[f"log/{HELD['id']}/attendance-citizen"] = 1
    assert arrived()
    assert town.desk.kept(OPERATOR)[0].record.arrived_ns == NOW_NS


def test_what_was_sent_leaves_no_pseudonym_behind(catalogue: Catalogue, tmp_path: Path) -> None:
    town = Town(catalogue, Logbook(tmp_path / "log.db"))
    town.check_in(town.invite(), "B" * 16)
    key = next(one["actor_key"] for one in town.stated().values())
    town.logbook.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("log.db*"))
    assert b"code-" in kept
    assert key.encode() not in kept


def test_a_token_holds_only_as_it_was_signed() -> None:
    invitation = Invitation("genoa", "20260512-abcdefgh", 60_000_000_000, 120_000_000_000)
    token = token_of(invitation, b"secret")
    assert invitation_in(token, b"secret") == invitation
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), token.replace("genoa", "milan"),
                   token.replace(".1.2.", ".1.zzz."), token + "x", "", "genoa", "é" * 40):  # fmt: skip
        assert invitation_in(forged, b"secret") is None
    assert invitation_in(token, b"other") is None


def test_what_people_checked_in_to_does_not_become_something_that_was_not_held(town: Town) -> None:
    town.save(count_citizen=12)
    invitation = town.invite()
    town.check_in(invitation, "B" * 16)
    reason = next(iter(town.desk.form.terms("cancel_reason")))
    for fields in ({**HELD, "what": "cancelled", "cancel_reason": reason}, {**CLOSURE, "id": HELD["id"]}):
        with pytest.raises(Wrong, match="People have checked in"):
            town.desk.save(OPERATOR, {"fields": fields})
    town.desk.check_out(invitation, "B" * 16)
    town.save(what="cancelled", cancel_reason=reason)
    assert town.attendances() == 0


def test_who_is_erased_leaves_the_log_and_nobody_else_does(town: Town) -> None:
    invitation = town.invite()
    town.check_in(invitation, "B" * 16)
    town.check_in(invitation, "C" * 16, "business")
    town.away = True
    town.desk.check_out(invitation, "B" * 16)
    hers = f"k1{invitation.pilot}{'B' * 16}".ljust(20, "0")
    assert town.logbook.told_of(invitation.pilot, hers) == 2
    assert town.logbook.forget(invitation.pilot, hers) == 2
    assert town.logbook.told_of(invitation.pilot, hers) == 0
    assert town.logbook.codes(invitation.record) == {"business": 1}
