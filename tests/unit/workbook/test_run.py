"""Each row of a workbook gets its fate, and only what is new or changed goes out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
from openpyxl import load_workbook

from collectors.import_mapping import WrongInput
from collectors.ways_in import Message, Send
from collectors.workbook.files import give_back, write_template
from collectors.workbook.form import SHEETS
from collectors.workbook.run import Report, WorkbookImport, feed_of
from collectors.workbook.template import template
from config.catalogue import load_catalogue
from config.vocabulary import load_vocabulary
from tests.schemas import against_schemas
from tests.workbooks import fill, returned

FOLDER = Path(__file__).parents[3] / "config/examples/participation"
TOWN, WORDS = load_catalogue(FOLDER), load_vocabulary(FOLDER)
NOW = int(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
ACTIVITIES = (
    "activity_id,status,date,stage,method,announced_on,timing_basis,start,hours,tool_1,skill_needed_1,obstacle_2\n"
)
HELD = "A,held,2026-03-14,co_design,survey,,,,,,,\n"
ATTENDANCE = "row_id,activity_id,date,actor_kind,count,code\n"


class Wire:
    """A way in that keeps what it was given, and can break."""

    def __init__(self, broken: bool = False) -> None:
        self.messages: list[Message] = []
        self.opened, self.broken = 0, broken

    @contextmanager
    def __call__(self) -> Iterator[Send]:
        self.opened += 1
        yield self.send

    def send(self, messages: Sequence[Message]) -> None:
        assert [fault for _, payload in messages for fault in against_schemas(payload)] == []
        if self.broken:
            raise ConnectionError
        self.messages += messages

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        return {event["id"]: event for event in map(json.loads, (payload for _, payload in self.messages))}


def book(folder: Path, **sheets: str) -> Path:
    (folder / "book").mkdir(exist_ok=True)
    for name, text in sheets.items():
        (folder / "book" / f"{name}.csv").write_text(text)
    return folder / "book"


def run(
    folder: Path,
    wire: Wire,
    now: int = NOW,
    recorded: Mapping[str, date] | None = None,
    path: str = "book",
    **more: Any,
) -> Report:
    work = WorkbookImport(
        TOWN, WORDS, "town", None, folder / "imports", lambda code: f"key-of-person-{code}", lambda: now,
        lambda: recorded or {}, **more,
    )  # fmt: skip
    return work.run(folder / path, wire, Signal())


def fates(report: Report) -> list[str]:
    return [fate.fate for fate in report.fates]


def test_an_activity_becomes_its_announcement_and_its_outcome(tmp_path: Path) -> None:
    wire = Wire()
    book(
        tmp_path,
        activities=ACTIVITIES + "A,Held,2026-03-14,Co-design,Survey,2026-02-01,Calendar,18:30,5,Map,Evaluation,Silos\n",
    )
    assert fates(run(tmp_path, wire)) == ["new"]
    assert {topic for topic, _ in wire.messages} == {"pilots/town/engagement/log"}
    announced, held, spent = (wire.events[f"activities/A/{part}"] for part in ("announced", "outcome", "spent"))
    assert (announced["type"], announced["time"], announced["data"]["starts_on"]) == (
        "activity.scheduled", "2026-02-01", "2026-03-14",
    )  # fmt: skip
    assert held["source"] == "/pilots/town/workbook"
    assert held["time"] == "2026-03-14T18:30"
    assert held["data"] == {
        "schema": "pe.engagement.v1", "synthetic": False, "time_precision": "minute", "consent": "none",
        "actor_kind": "government", "evidence": "facilitator_record", "activity_id": "A", "stage": "co_design",
        "method": "survey", "timing_basis": "calendar", "tools": ["map"], "skills_needed": ["evaluation"],
        "obstacles": ["silos"],
        "revision": NOW // 1_000_000,
    }  # fmt: skip
    assert (spent["type"], spent["data"]["hours"]) == ("resource.spent", 5)


def test_a_count_is_only_counted_and_a_code_becomes_a_pseudonym(tmp_path: Path) -> None:
    wire = Wire()
    book(tmp_path, activities=ACTIVITIES + HELD, attendance=ATTENDANCE + "1,A,,citizen,14,\n2,A,,business,,card-0007\n")
    run(tmp_path, wire)
    counted, person = wire.events["attendance/1"]["data"], wire.events["attendance/2"]["data"]
    assert (counted["consent"], counted["count"], "actor_key" in counted) == ("count_only", 14, False)
    assert (person["consent"], person["actor_key"], "count" in person) == ("cohort", "key-of-person-card-0007", False)
    assert wire.events["attendance/1"]["time"] == "2026-03-14"
    kept = next((tmp_path / "imports").glob("*.json")).read_text()
    assert "card-0007" not in kept


def test_the_same_again_opens_no_connection_and_a_changed_row_has_a_higher_revision(tmp_path: Path) -> None:
    book(tmp_path, activities=ACTIVITIES + HELD)
    first, again, third = Wire(), Wire(), Wire()
    run(tmp_path, first)
    assert fates(run(tmp_path, again, NOW + 1)) == ["unchanged"]
    assert again.opened == 0
    book(tmp_path, activities=ACTIVITIES + HELD.replace("survey", "open_meeting"))
    # Even where the clock stands still or goes back.
    assert fates(run(tmp_path, third, NOW - 10**9)) == ["changed"]
    assert third.events.keys() == first.events.keys()
    revisions = [wire.events["activities/A/outcome"]["data"]["revision"] for wire in (first, third)]
    assert revisions[1] > revisions[0]


def test_a_row_counts_as_sent_only_when_it_was(tmp_path: Path) -> None:
    book(tmp_path, activities=ACTIVITIES + HELD)
    with pytest.raises(ConnectionError):
        run(tmp_path, Wire(broken=True))
    assert fates(run(tmp_path, Wire())) == ["new"]


def test_what_a_row_no_longer_says_is_taken_back(tmp_path: Path) -> None:
    book(tmp_path, decisions="decision_id,closed_on,role_citizen,role_business,level_delivered,outcome\n"
         "D,2026-03-01,consulted,consulted,consult,approved\n")  # fmt: skip
    run(tmp_path, Wire())
    book(tmp_path, decisions="decision_id,closed_on,role_citizen,role_business,level_delivered,outcome\n"
         "D,2026-03-01,consulted,,consult,approved\n")  # fmt: skip
    wire = Wire()
    assert fates(run(tmp_path, wire)) == ["changed"]
    gone = wire.events["decisions/D/role-business"]
    assert (gone["type"], gone["time"], gone["data"]["count"]) == ("record.withdrawn", "2026-03-01", 0)
    again = Wire()
    assert fates(run(tmp_path, again)) == ["unchanged"]


def test_an_activity_recorded_elsewhere_is_known_and_asked_for_only_when_needed(tmp_path: Path) -> None:
    book(tmp_path, attendance=ATTENDANCE + "1,MEET-7,,citizen,14,\n")
    assert "There is no activity" in run(tmp_path, Wire()).fates[0].reason
    wire = Wire()
    assert fates(run(tmp_path, wire, recorded={"MEET-7": date(2026, 4, 1)})) == ["new"]
    assert wire.events["attendance/1"]["time"] == "2026-04-01"


def test_a_refused_row_keeps_no_other_from_going_and_comes_back_to_be_mended(tmp_path: Path) -> None:
    path = book(tmp_path, activities=ACTIVITIES + HELD + "B,held,2026-13-01,co_desing,survey,,,,,,,\n")
    report = run(tmp_path, Wire())
    assert fates(report) == ["new", "refused"]
    # Every wrong cell is named at once.
    assert "is no day" in report.fates[1].reason
    assert 'did you mean "Co-design"' in report.fates[1].reason
    back = give_back(report, path, WORDS)
    assert back == tmp_path / "book-refused"
    assert give_back(report, path, WORDS) == tmp_path / "book-refused-2"
    mended = (back / "activities.csv").read_text(encoding="utf-8-sig").replace("2026-13-01", "2026-03-15")
    (path / "activities.csv").write_text(mended.replace("co_desing", "co_design"))
    assert fates(run(tmp_path, Wire())) == ["new"]


def test_a_workbook_as_xlsx_is_read_by_titles_and_its_refused_rows_can_be_mended_in_place(tmp_path: Path) -> None:
    write_template(tmp_path / "plan.xlsx", None, WORDS, "town")
    activity = {"State": "Held", "Date": date(2026, 3, 14), "Start": time(18, 30), "Method": "Survey"}
    fill(tmp_path / "plan.xlsx", {"Activities": [
        {**activity, "Activity id": "A", "Stage": "Co-design"},
        {**activity, "Activity id": 7, "Stage": "Co-desine", "Cost in euro": "=1+1"},
    ]})  # fmt: skip
    wire = Wire()
    report = run(tmp_path, wire, path="plan.xlsx")
    assert fates(report) == ["new", "refused"]
    assert wire.events["activities/A/outcome"]["time"] == "2026-03-14T18:30"
    back = give_back(report, tmp_path / "plan.xlsx", WORDS)
    assert back == tmp_path / "plan-refused.xlsx"
    (line,) = returned(back)["Activities"]
    assert (line["Activity id"], line["Cost in euro"], line["Start"]) == (7, "=1+1", time(18, 30))
    assert "(R4) holds a formula" in line["Reason"]
    opened = load_workbook(back)
    opened["Activities"]["I2"].value, opened["Activities"]["R2"].value = "Co-design", 2
    opened.save(back)
    assert fates(run(tmp_path, wire, path=back.name)) == ["new"]
    assert wire.events["activities/7/outcome"]["data"]["cost_eur"] == 2


def test_a_stop_leaves_right_rows_waiting_and_the_next_import_sends_them(tmp_path: Path) -> None:
    path, stop, wire = book(tmp_path, activities=ACTIVITIES + HELD), Signal(), Wire()
    stop.set()
    work = WorkbookImport(TOWN, WORDS, "town", None, tmp_path / "imports", str, lambda: NOW)
    report = work.run(path, wire, stop)
    assert (fates(report), report.complete, wire.opened) == (["waiting"], False, 0)
    assert "1 rows waiting; run the same command again" in report.sentence()
    assert fates(run(tmp_path, wire)) == ["new"]


def test_a_day_in_the_pilots_zone_is_today_there(tmp_path: Path) -> None:
    late = int(datetime(2026, 5, 1, 22, 30, tzinfo=UTC).timestamp()) * 1_000_000_000  # half past midnight in Rome
    book(tmp_path, activities=ACTIVITIES + HELD.replace("2026-03-14", "2026-05-02"))
    assert fates(run(tmp_path, Wire(), late)) == ["new"]
    assert "lies in the future" in run(tmp_path / ".", Wire(), late - 3600 * 10**9, again=True).fates[0].reason


def test_the_examples_of_the_template_would_be_accepted_as_rows(tmp_path: Path) -> None:
    filled = template(WORDS, "town", "")
    texts = {}
    for sheet in SHEETS:
        cells = filled.rows[sheet.name][0]
        line = ",".join(f'"{str(cells.get(column.field, "")).replace("EXAMPLE", "REAL")}"' for column in sheet.columns)
        texts[sheet.name] = ",".join(column.field for column in sheet.columns) + "\n" + line + "\n"
    report = run_all(tmp_path, texts)
    assert [(fate.fate, fate.reason) for fate in report.fates] == [("new", "")] * len(SHEETS)


def run_all(folder: Path, texts: dict[str, str]) -> Report:
    book(folder, **texts)
    return run(folder, Wire())


def test_the_feed_is_the_one_for_records_by_hand_or_has_to_be_named() -> None:
    assert feed_of(TOWN, "town", None).id == "log"
    assert feed_of(TOWN, "town", "decidim").id == "decidim"
    with pytest.raises(WrongInput, match='no feed "app" that takes a workbook; choose one with --feed: log, lists'):
        feed_of(TOWN, "town", "app")
    with pytest.raises(WrongInput, match='no pilot "city"'):
        feed_of(TOWN, "city", None)
