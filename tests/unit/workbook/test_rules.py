"""Each rule of a row, and between rows, broken alone, is told alone."""

from pathlib import Path

import pytest

from tests.unit.workbook.test_run import Wire, book, run

HEADS = {
    "activities": "activity_id,status,date,stage,method,start,announced_on,timing_basis,cancelled_on,cancel_reason",
    "attendance": "row_id,activity_id,date,actor_kind,count,code",
    "decisions": "decision_id,activity_id,opened_on,closed_on,role_citizen,level_delivered,outcome,inputs_considered,"
    "inputs_adopted",
    "contributions": "contribution_id,date,kind,actor_kind,count,code,disposition,disposition_on,disposition_reason,"
    "answered_on",
    "surveys": "response_id,date,instrument,item_1,item_2",
}  # fmt: skip
RIGHT = {
    "activities": ["A,held,2026-03-14,co_design,survey,18:30,2026-02-01,calendar,,",
                   "B,scheduled,2027-03-14,co_design,survey,,2026-02-01,unknown,,",
                   "C,cancelled,2027-03-14,co_design,survey,,2026-02-01,calendar,2026-03-01,weather"],
    "attendance": ["1,A,,citizen,0,", "2,A,2026-03-15,citizen,,card-1"],
    "decisions": ["D,A,2026-03-01,2026-03-28,consulted,consult,approved,3,3", "E,,2026-03-01,,consulted,,,,"],
    "contributions": ["X,2026-03-14,idea,citizen,,,adopted,2026-03-15,budget,2026-03-15",
                      "Y,2026-03-14,vote,citizen,3,,,,,"],
    "surveys": ["S,2026-03-14,sus,,5"],
}  # fmt: skip
WRONG = [
    ("activities", "W,scheduled,2027-03-14,co_design,survey,,,,,", "needs the day of announcement and the reason"),
    ("activities", "W,held,2026-03-14,co_design,survey,,2026-02-01,,,", "needs the reason why at this time"),
    (
        "activities",
        "W,cancelled,2027-03-14,co_design,survey,,2026-02-01,calendar,,",
        "the day on which it was cancelled",
    ),
    ("activities", "W,held,2026-03-14,co_design,survey,,,,2026-03-01,", "but the state is not cancelled"),
    ("activities", "W,held,2026-03-14,co_design,survey,,2026-03-15,calendar,,", "lies before its announcement"),
    ("activities", "W,held,2026-03-29,co_design,survey,02:30,,,,", "02:30 does not exist on 2026-03-29"),
    ("activities", "W,held,2026-05-02,co_design,survey,,,,,", "Date 2026-05-02 lies in the future"),
    ("activities", "W,scheduled,2027-03-14,co_design,survey,,2026-05-02,calendar,,", "Announced on 2026-05-02 lies in"),
    (
        "activities",
        "W,held,2014-12-31,co_design,survey,,,,,",
        "The collector would not take this row: the event is too old",
    ),
    ("activities", "A,held,2026-03-14,co_design,survey,,,,,", 'The id "A" is already used in row 2'),
    ("attendance", "9,Z,,citizen,1,", 'There is no activity "Z"'),
    ("attendance", "9,A,,citizen,,", "Give either a count"),
    ("attendance", "9,A,,citizen,1,card-1", "Give either a count"),
    ("attendance", "9,B,,citizen,1,", "Date 2027-03-14 lies in the future"),
    ("decisions", "W,,,,consulted,,,,", "needs the day it was opened or the day it was decided"),
    ("decisions", "W,,2026-03-02,2026-03-01,consulted,consult,approved,,", "was decided before it was opened"),
    ("decisions", "W,,,2026-03-01,consulted,consult,,,", "needs the level delivered and the outcome"),
    ("decisions", "W,,2026-03-01,,consulted,consult,,,", "but no day on which it was decided"),
    ("decisions", "W,,,2026-03-01,,consult,approved,,", "No group has a role"),
    ("decisions", "W,,,2026-03-01,consulted,consult,approved,,1", "More contributions were adopted than considered"),
    ("contributions", "W,2026-03-14,idea,citizen,1,card-1,,,,", "not both"),
    ("contributions", "W,2026-03-14,idea,citizen,,,adopted,,,", "go together"),
    ("contributions", "W,2026-03-14,idea,citizen,,,,,budget,", "There is a reason, but not what became of it"),
    ("contributions", "W,2026-03-14,idea,citizen,,,adopted,2026-03-13,,", "decided on before it was given"),
    ("contributions", "W,2026-03-14,idea,citizen,,,,,,2026-03-13", "answered before it was given"),
    ("surveys", "W,2026-03-14,sus,,", "No item has a score"),
]


@pytest.mark.parametrize(("sheet", "line", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_a_row_that_breaks_one_rule_is_refused_for_it_and_all_others_go(
    tmp_path: Path, sheet: str, line: str, said: str
) -> None:
    lines = {name: [*rows, *([line] if name == sheet else [])] for name, rows in RIGHT.items()}
    book(tmp_path, **{name: "\n".join([HEADS[name], *rows]) + "\n" for name, rows in lines.items()})
    report = run(tmp_path, Wire())
    (refused,) = [fate for fate in report.fates if fate.fate == "refused"]
    assert said in refused.reason
    assert refused.row == len(RIGHT[sheet]) + 2
    assert report.counts["new"] == sum(map(len, RIGHT.values()))


def test_what_speaks_of_a_refused_activity_is_told_where_to_mend(tmp_path: Path) -> None:
    book(tmp_path, activities=f"{HEADS['activities']}\nW,held,soon,co_design,survey,,,,,\n",
         attendance=f"{HEADS['attendance']}\n1,W,,citizen,5,\n")  # fmt: skip
    reasons = [fate.reason for fate in run(tmp_path, Wire()).fates]
    assert 'The activity "W" was refused in row 2 of Activities; mend that first.' in reasons[1]
