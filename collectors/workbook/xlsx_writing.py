"""Cells → XLSX: the only place that writes with openpyxl. Drop-downs, comments, a frozen heading, dates as dates.

Promises: text is written as text, so that no reader computes it, whatever it begins with; words of the vocabulary are
offered by title.
"""

from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from collectors.workbook.cells import Plain
from collectors.workbook.form import Column, Sheet
from collectors.workbook.template import Filled
from config.vocabulary import Vocabulary

_ROWS: Final = 2000
_LISTS: Final = "Lists"
_FORMATS: Final = {"date": "yyyy-mm-dd", "time": "hh:mm"}
_NEEDED, _MAY, _EXAMPLE = PatternFill("solid", "1F3A5F"), PatternFill("solid", "C9D6E6"), PatternFill("solid", "EEEEEE")
_BOX: Final = {"width": 320, "height": 120}


def write_xlsx(path: Path, filled: Filled, vocabulary: Vocabulary) -> None:
    """Write a workbook; raises OSError where it cannot be written."""
    book = Workbook()
    front = book.active
    assert front is not None
    front.title = "Read me"
    front.column_dimensions["A"].width = 110
    for number, line in enumerate(filled.about, 1):
        _put(front.cell(number, 1), line)
        front.cell(number, 1).alignment = Alignment(wrap_text=True)
    front["A1"].font = Font(bold=True, size=14)
    ranges = _lists(book, vocabulary)
    for sheet in filled.sheets():
        _sheet(book.create_sheet(sheet.title), sheet, filled, vocabulary, ranges)
    book.move_sheet(_LISTS, len(book.sheetnames))
    book.save(path)


def _lists(book: Any, vocabulary: Vocabulary) -> Mapping[str, str]:
    """The hidden sheet of words; returns the range of each list."""
    hidden, ranges = book.create_sheet(_LISTS), {}
    for number, (name, words) in enumerate(vocabulary.items(), 1):
        letter = get_column_letter(number)
        _put(hidden.cell(1, number), name)
        for row, term in enumerate(words.codes.values(), 2):
            _put(hidden.cell(row, number), term.title)
        ranges[name] = f"{_LISTS}!${letter}$2:${letter}${len(words.codes) + 1}"
    hidden.sheet_state = "hidden"
    return ranges


def _sheet(page: Any, sheet: Sheet, filled: Filled, vocabulary: Vocabulary, ranges: Mapping[str, str]) -> None:
    columns = filled.columns(sheet)
    for number, column in enumerate(columns, 1):
        head, letter = page.cell(1, number), get_column_letter(number)
        _put(head, column.title)
        head.font = Font(bold=True, color="FFFFFF" if column.required else "1F3A5F")
        head.fill = _NEEDED if column.required else _MAY
        head.alignment = Alignment(wrap_text=True, vertical="top")
        needed = " Needed." if column.required else ""
        head.comment = Comment(f"{column.help}{needed}{_choices(column, vocabulary)}", "Periscope", **_BOX)
        page.column_dimensions[letter].width = max(14, min(30, len(column.title) + 4))
        if check := _validation(column, ranges):
            page.add_data_validation(check)
            check.add(f"{letter}2:{letter}{_ROWS}")
    for row, cells in enumerate(filled.rows.get(sheet.name, ()), 2):
        for number, column in enumerate(columns, 1):
            cell = page.cell(row, number)
            _put(cell, _shown(column, cells.get(column.field), vocabulary, filled))
            if not filled.reasons:
                cell.fill, cell.font = _EXAMPLE, Font(italic=True, color="666666")
    for number, column in enumerate(columns, 1):
        if shape := _FORMATS.get(column.kind):
            for row in range(2, min(_ROWS, 500) + 1):
                page.cell(row, number).number_format = shape
    page.freeze_panes = "B2"


def _shown(column: Column, value: Plain, vocabulary: Vocabulary, filled: Filled) -> Plain:
    """A template shows titles and real dates; a refused cell comes back exactly as it was."""
    if filled.reasons or not isinstance(value, str):
        return value
    if column.words:
        return vocabulary[column.words].title_of(value)
    if column.kind == "date":
        return date.fromisoformat(value)
    return time.fromisoformat(value) if column.kind == "time" else value


def _choices(column: Column, vocabulary: Vocabulary) -> str:
    if not column.words or len(vocabulary[column.words].codes) > 8:
        return ""
    return "\n\n" + "\n".join(f"{term.title}: {term.help}" for term in vocabulary[column.words].codes.values())


def _validation(column: Column, ranges: Mapping[str, str]) -> DataValidation | None:
    match column.kind:
        case "code":
            check = DataValidation("list", formula1=ranges[column.words])
            check.error = "Choose a word from the list."
        case "date":
            check = DataValidation("date", operator="greaterThan", formula1="36526")
            check.error = "Write a day such as 2026-03-14."
        case "whole" | "number":
            check = DataValidation("whole" if column.kind == "whole" else "decimal", operator="between")
            check.formula1, check.formula2 = f"{column.least:g}", f"{column.most:.0f}"
            check.error = f"Write a number from {column.least:g} to {column.most:.0f}."
        case "activity":
            check = DataValidation("list", formula1=f"Activities!$A$2:$A${_ROWS}", errorStyle="warning")
            check.error = "This id is not in the sheet Activities. Is it from an earlier workbook?"
        case "flag":
            check = DataValidation("list", formula1='"yes"')
            check.error = "Write yes or leave it empty."
        case _:
            return None
    check.allow_blank = True
    check.promptTitle, check.prompt = column.title[:32], column.help[:255]
    return check


def _put(cell: Any, value: Plain) -> None:
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # a text that begins with "=" would be taken for a formula
