"""Workbooks as files: the template offers the vocabulary, traps are refused, what comes back can be mended."""

import csv
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from collectors.import_mapping import WrongInput
from collectors.workbook.csv_files import write_csv
from collectors.workbook.files import write_template
from collectors.workbook.form import SHEETS
from collectors.workbook.reading import read_workbook
from collectors.workbook.template import refused
from collectors.workbook.xlsx_reading import read_xlsx
from collectors.workbook.xlsx_writing import write_xlsx
from config.vocabulary import load_vocabulary

WORDS = load_vocabulary()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    write_template(tmp_path / "book.xlsx", tmp_path / "csv", WORDS, "genoa")
    return tmp_path / "book.xlsx"


def test_every_code_column_offers_its_list_and_every_heading_its_help(book: Path) -> None:
    opened = load_workbook(book)
    assert opened["Lists"].sheet_state == "hidden"
    lists = {column[0].value: [cell.value for cell in column[1:] if cell.value] for column in opened["Lists"].columns}
    assert lists == {name: [term.title for term in words.codes.values()] for name, words in WORDS.items()}
    for sheet in SHEETS:
        page = opened[sheet.title]
        assert page.freeze_panes == "B2"
        checks = {str(check.sqref).split(":")[0]: check for check in page.data_validations.dataValidation}
        for column, cell in zip(sheet.columns, page[1], strict=True):
            assert cell.value == column.title
            assert column.help in cell.comment.text
            if column.kind == "code":
                check = checks[f"{cell.column_letter}2"]
                letter = check.formula1.split("$")[1]
                assert opened["Lists"][f"{letter}1"].value == column.words
                assert check.formula1.endswith(f"${len(WORDS[column.words].codes) + 1}")


def test_no_help_is_longer_than_a_spreadsheet_shows(book: Path) -> None:
    for page in load_workbook(book).worksheets:
        for check in page.data_validations.dataValidation:
            assert len(check.promptTitle or "") <= 32
            assert len(check.prompt or "") <= 255
            assert len(check.error or "") <= 225


def test_the_example_rows_are_right_and_are_not_imported(book: Path) -> None:
    for path in (book, book.parent / "csv"):
        reading = read_workbook(path)
        assert (reading.rows, reading.examples, reading.ignored) == ([], len(SHEETS), [])


def test_both_kinds_say_the_same(book: Path) -> None:
    for sheet in SHEETS:
        with (book.parent / "csv" / f"{sheet.name}.csv").open(encoding="utf-8-sig", newline="") as file:
            assert next(csv.reader(file)) == [column.field for column in sheet.columns]


def test_nothing_that_is_there_is_written_over(book: Path) -> None:
    with pytest.raises(WrongInput, match="is there already"):
        write_template(book, None, WORDS, None)
    with pytest.raises(WrongInput, match="holds CSV files already"):
        write_template(None, book.parent / "csv", WORDS, None)
    with pytest.raises(WrongInput, match=r"must end in \.xlsx"):
        write_template(book.with_suffix(".ods"), None, WORDS, None)


@pytest.mark.parametrize("evil", ["=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_no_text_that_comes_back_is_computed(tmp_path: Path, evil: str) -> None:
    back = refused({"attendance": [{"row_id": evil, "activity_id": "A", "reason": "No."}]})
    write_xlsx(tmp_path / "back.xlsx", back, WORDS)
    cell = load_workbook(tmp_path / "back.xlsx")["Attendance"]["A2"]
    assert (cell.data_type, cell.value) == ("s", evil)
    write_csv(tmp_path / "back", back)
    with (tmp_path / "back/attendance.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(iter(csv.DictReader(file)))["row_id"] == f"'{evil}"
    (row,) = read_workbook(tmp_path / "back").rows
    assert row.cells["row_id"].value == evil


def test_a_formula_is_seen_with_its_address_and_never_with_a_value(tmp_path: Path) -> None:
    opened = Workbook()
    page = opened.active
    assert page is not None
    page.title = "attendance"
    page.append(["row_id", "activity_id", "actor_kind", "count"])
    page.append([1, "A", "citizen", "=2*3"])
    opened.save(tmp_path / "f.xlsx")
    (row,) = read_workbook(tmp_path / "f.xlsx").rows
    assert (row.cells["count"].formula, row.cells["count"].address) == (True, "D2")


def test_a_stranger_column_or_sheet_is_named(tmp_path: Path) -> None:
    (tmp_path / "attendance.csv").write_text("row_id;activity_id;actor_kind;count;notes;reason\n1;A;citizen;5;x;y\n")
    reading = read_workbook(tmp_path / "attendance.csv")
    assert reading.ignored == ["Attendance: the column «notes»"]
    assert reading.rows[0].cells["count"].value == "5"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("row_id,actor_kind\n", "has no column Activity id"),
        ("row_id,activity_id,actor_kind,Row id\n", "has the column Row id twice"),
    ],
)
def test_headings_that_cannot_be_read_refuse_the_file(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "attendance.csv").write_text(content)
    with pytest.raises(WrongInput, match=said):
        read_workbook(tmp_path / "attendance.csv")


def test_what_is_no_workbook_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="is not there"):
        read_workbook(tmp_path / "none.xlsx")
    (tmp_path / "a.xlsx").write_text("text")
    with pytest.raises(WrongInput, match="is no XLSX file"):
        read_workbook(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as package:
        package.writestr("nothing.txt", "x")
    with pytest.raises(WrongInput, match="cannot be read as a workbook"):
        read_workbook(tmp_path / "b.xlsx")
    with pytest.raises(WrongInput, match="has none of the sheets"):
        read_workbook(tmp_path)
    (tmp_path / "attendance.csv").write_bytes(b"row_id\n\xff\xfe\n")
    with pytest.raises(WrongInput, match="is not UTF-8"):
        read_workbook(tmp_path)


def test_a_file_that_unpacks_to_too_much_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as package:
        with package.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(210):
                part.write(b"0" * 1_000_000)
    assert (tmp_path / "bomb.xlsx").stat().st_size < 1_000_000
    with pytest.raises(WrongInput, match="unpacks to more than 200 MB"):
        read_workbook(tmp_path / "bomb.xlsx")


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as package:
        package.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    with pytest.raises(WrongInput, match="holds a document type"):
        read_workbook(tmp_path / "x.xlsx")


def test_a_row_is_as_wide_as_what_it_holds(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Attendance"
    book.active.append(["attendance_id", "activity_id", None, "count"])
    book.active.append([None, None])
    book.active.append(["r1", "A1", None, 3])
    book.save(tmp_path / "narrow.xlsx")
    rows = list(read_xlsx(tmp_path / "narrow.xlsx")["Attendance"])
    assert [len(row) for row in rows] == [4, 0, 4]
    assert (rows[2][3].value, rows[2][3].address) == (3, "D3")


def test_a_formatted_cell_in_the_last_row_makes_no_sheet_too_long(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Attendance"
    book.active.append(["row_id", "activity_id", "actor_kind"])
    book.active.append(["r1", "A1", "citizen"])
    book.active["A1048576"].number_format = "0"
    book.save(tmp_path / "formatted.xlsx")
    assert [row.number for row in read_workbook(tmp_path / "formatted.xlsx").rows] == [2]


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_no_sign_within_a_cell_ends_a_row_of_csv(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "attendance.csv"
    path.write_text(f"row_id,activity_id,actor_kind,count\nr1,A{sign}1,citizen,4\n", encoding="utf-8")
    (row,) = read_workbook(path).rows
    assert row.cells["count"].text == "4"
