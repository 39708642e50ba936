"""A filled workbook goes the whole way: template → people's rows → broker → collector → pipeline → export."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, periscope
from tests.journey import Journey, embedded, whole
from tests.services.mosquitto import Mosquitto
from tests.workbooks import fill, returned

TOWN = ROOT / "config/examples/participation"
FIRST = date(2025, 1, 7)
ACTIVITIES, ATTENDANCE, DECISIONS, CONTRIBUTIONS, SURVEYS = 80, 220, 20, 120, 40
METHODS = ("Open meeting", "co_design_workshop", "World café", "survey")
GROUPS = ("Residents", "Business", "civil_society", "Academia")


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def good() -> dict[str, list[dict[str, Any]]]:
    """480 right rows."""
    activities = [
        {"Activity id": f"A{n}", "State": "Held", "Date": day(n), "Announced on": day(n - 30),
         "Why at this time": "Calendar",
         "Stage": ("Co-design", "co_decide", "Co-produce", "co_evaluate")[n % 4], "Method": METHODS[n % 4],
         "Start": "18:30" if n % 2 else None, "Languages": "it, en", "Tool 1": "Neighbourhood box"}
        for n in range(ACTIVITIES)
    ]  # fmt: skip
    attendance: list[dict[str, Any]] = [
        {
            "Row id": n,
            "Activity id": f"A{n % ACTIVITIES}",
            "Stakeholder group": GROUPS[n // ACTIVITIES],
            "Count": 10 + n % 7,
        }
        for n in range(200)
    ] + [
        {"Row id": n, "Activity id": f"A{n % ACTIVITIES}", "Stakeholder group": "citizen", "Code": f"card-{n % 15:04}"}
        for n in range(200, ATTENDANCE)
    ]
    decisions = [
        {"Decision id": f"D{n}", "Activity id": f"A{n}", "Decided on": day(n + 5), "Role of citizens": "Deliberated",
         "Role of government": "decider", "Level delivered": "Involve", "Outcome": "Approved",
         "Contributions considered": 9, "Contributions adopted": 4}
        for n in range(DECISIONS)
    ]  # fmt: skip
    contributions = [
        {"Contribution id": f"C{n}", "Date": day(n), "Kind": ("Idea or statement", "comment")[n % 2], "Count": 2,
         "Stakeholder group": "Residents"}
        for n in range(CONTRIBUTIONS)
    ]  # fmt: skip
    surveys = [
        {"Response id": f"S{n}", "Date": day(n), "Questionnaire": "Project managers, first edition",
         "Item 1": 1 + n % 5,
         "Obstacle 1": "Silos", "Lesson 1": "start_earlier"}
        for n in range(SURVEYS)
    ]  # fmt: skip
    return {"Activities": activities, "Attendance": attendance, "Decisions": decisions, "Contributions": contributions,
            "Surveys": surveys}  # fmt: skip


def wrong() -> dict[str, list[tuple[dict[str, Any], str]]]:
    """20 rows, each wrong in a way of its own, with words of the reason that must come back."""
    activity = {"State": "Held", "Date": day(3), "Stage": "Co-design", "Method": "Open meeting"}
    people = {"Activity id": "A1", "Stakeholder group": "Residents", "Count": 5}
    made = {"Date": day(3), "Kind": "comment", "Stakeholder group": "Residents"}
    decided = {
        "Decided on": day(9),
        "Level delivered": "Consult",
        "Outcome": "Approved",
        "Role of business": "consulted",
    }
    scheduled = {"State": "Scheduled", "Announced on": day(2)}
    return {
        "Activities": [
            ({**activity, "Activity id": "X1", "Method": "Open meting"}, 'did you mean "Open meeting"?'),
            ({**activity, **scheduled, "Activity id": "X2"}, "reason why at this time"),
            ({**activity, "Activity id": "A5"}, 'The id "A5" is already used in row 8'),
            ({**activity, "Activity id": "X4", "Date": "31/12/2025"}, "is no day; write it as 2026-03-14"),
            ({**activity, "Activity id": "X5", "Date": date(2199, 1, 1)}, "lies in the future"),
            ({**activity, "Activity id": "X6", "Stage": None}, "Stage ("),
            ({**activity, "Activity id": "X7", "Cost in euro": "=2*350"}, "holds a formula"),
            ({**activity, "Activity id": "X8", "Date": date(2025, 3, 30), "Start": "02:30"}, "the clocks go forward"),
            ({**activity, "Activity id": "with space"}, "is no id"),
            ({**activity, "Activity id": "X10", "Date": date(2009, 5, 5)}, "the event is too old"),
        ],
        "Attendance": [
            ({**people, "Row id": "Y1", "Activity id": "A999"}, 'There is no activity "A999"'),
            ({**people, "Row id": "Y2", "Count": -3}, "must lie between 0 and 100,000"),
            ({**people, "Row id": "Y3", "Count": 2.5}, "must be a whole number"),
            ({**people, "Row id": "Y4", "Code": "card-0001"}, "Give either a count for the group or the code"),
            ({**people, "Row id": "Y5", "Count": None, "Code": "ada@example.org"}, "looks like an e-mail address"),
            ({**people, "Row id": "Y6", "Activity id": "X1"}, 'The activity "X1" was refused in row'),
        ],
        "Decisions": [
            ({**decided, "Decision id": "Z1", "Contributions considered": 1, "Contributions adopted": 2}, "More contr"),
            ({**decided, "Decision id": "Z2", "Opened on": day(30)}, "decided before it was opened"),
        ],
        "Contributions": [({**made, "Contribution id": "W1", "What became of it": "Adopted"}, "go together")],
        "Surveys": [
            ({"Response id": "V1", "Date": day(1), "Questionnaire": "sus", "Item 1": 6}, "must lie between 1 and 5"),
        ],
    }  # fmt: skip


def lasting(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """What does not depend on the hour of the export."""
    return [row for row in rows if row["indicator_id"] not in ("completeness", "freshness", "longest-gap")]


@pytest.fixture
def journey(tmp_path: Path, mosquitto: Mosquitto) -> Journey:
    return Journey(tmp_path, mosquitto, TOWN, embedded())


def test_of_500_rows_480_arrive_and_20_come_back_with_reasons_and_again_changes_nothing(journey: Journey) -> None:
    folder, mistakes, rows = journey.folder, wrong(), good()
    assert sum(map(len, rows.values())) == 480
    assert sum(map(len, mistakes.values())) == 20
    book = folder / "plan.xlsx"
    assert periscope("workbook", book, "--pilot", "town", cwd=folder, **journey.settings).returncode == 0
    fill(book, {title: [*lines, *(line for line, _ in mistakes[title])] for title, lines in rows.items()})

    with journey.collecting() as collector:
        first = periscope("import", "--workbook", book, "--pilot", "town", cwd=folder, **journey.settings)
        assert first.returncode == 1, first.stderr
        assert "plan.xlsx: 480 of 500 rows sent (480 new), 0 unchanged, 20 refused." in first.stdout
        # Activities are announced and held; decisions have two roles and an end.
        messages = ACTIVITIES * 2 + ATTENDANCE + DECISIONS * 3 + CONTRIBUTIONS + SURVEYS
        ledger = journey.settled(collector, messages)
        assert (ledger["received"], ledger["written"]) == (messages, messages)

        back = returned(folder / "plan-refused.xlsx")
        reasons = {title: [str(line["Reason"]) for line in back[title]] for title in mistakes}
        for title, lines in mistakes.items():
            for (_, said), reason in zip(lines, reasons[title], strict=True):
                assert said in reason

        journey.pipeline()
        before = journey.export()
        values = whole(before, "town")
        assert float(values["activities-held", ""]["value"]) == ACTIVITIES
        assert float(values["contributions", ""]["value"]) == CONTRIBUTIONS * 2
        assert float(values["attendance", ""]["value"]) == sum(10 + n % 7 for n in range(200)) + 20
        held = whole(before, "town", "method")
        assert Counter({key[1]: float(row["value"]) for key, row in held.items() if key[0] == "activities-held"}) == {
            "open_meeting": 20, "co_design_workshop": 20, "world_cafe": 20, "survey": 20,
        }  # fmt: skip

        again = periscope("import", "--workbook", book, "--pilot", "town", cwd=folder, **journey.settings)
        assert again.returncode == 1
        assert "plan.xlsx: 0 of 500 rows sent, 480 unchanged, 20 refused." in again.stdout
        # Without any memory of the first import all goes out once more, and the collector knows it all.
        for memory in (journey.state / "imports").glob("workbook-*"):
            memory.unlink()
        periscope("import", "--workbook", book, "--pilot", "town", cwd=folder, **journey.settings)
        ledger = journey.settled(collector, 2 * messages)
        assert (ledger["written"], ledger["duplicate"]) == (messages, messages)
        assert journey.dead_letters() == []
        journey.pipeline()
        assert lasting(journey.export()) == lasting(before)


def test_a_corrected_row_replaces_what_it_said_and_a_withdrawn_one_is_gone(journey: Journey) -> None:
    folder = journey.folder
    head = "row_id,activity_id,date,actor_kind,count,withdrawn\n"
    acts = folder / "book"
    acts.mkdir()
    book = acts / "attendance.csv"
    (acts / "activities.csv").write_text(
        "activity_id,status,date,stage,method\nA,held,2025-02-01,co_design,survey\nB,held,2025-02-02,co_design,survey\n"
    )
    words = ("import", "--workbook", acts, "--pilot", "town")

    def total(activities: int) -> float:
        journey.pipeline()
        values = whole(journey.export(), "town")
        assert float(values["activities-held", ""]["value"]) == activities
        return float(values["attendance", ""]["value"])

    with journey.collecting() as collector:
        book.write_text(head + "1,A,,citizen,20,\n2,B,,citizen,30,\n")
        assert periscope(*words, cwd=folder, **journey.settings).returncode == 0
        journey.settled(collector, 4)
        assert total(2) == 50
        book.write_text(head + "1,A,,citizen,25,\n2,B,,citizen,30,yes\n")
        done = periscope(*words, cwd=folder, **journey.settings)
        assert "2 of 4 rows sent (1 changed, 1 withdrawn), 2 unchanged, 0 refused." in done.stdout, done.stderr
        journey.settled(collector, 6)
        assert total(2) == 25
        # A state that was set to held by mistake: what it said before is taken back.
        (acts / "activities.csv").write_text(
            "activity_id,status,date,stage,method,announced_on,timing_basis\n"
            "A,held,2025-02-01,co_design,survey,,\nB,scheduled,2025-02-02,co_design,survey,2025-01-02,calendar\n"
        )
        done = periscope(*words, cwd=folder, **journey.settings)
        assert "1 of 4 rows sent (1 changed), 3 unchanged" in done.stdout, done.stdout + done.stderr
        journey.settled(collector, 8)
        assert total(1) == 25
        assert journey.dead_letters() == []
