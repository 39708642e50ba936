"""XLSX → cells: the only place that reads with openpyxl. Nothing is computed, followed or run.

Promises: a file that would unpack to too much, carries a document type, or is no XLSX is refused in one sentence before
it is read; formulas are given as such.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from collectors.import_mapping import WrongInput
from collectors.workbook.cells import Cell

_MAX_BYTES: Final = 200_000_000
_MAX_ROWS: Final = 100_000
_MAX_COLUMNS: Final = 200


def read_xlsx(path: Path) -> dict[str, Iterator[list[Cell]]]:
    """The rows of each sheet, by its name; raises WrongInput."""
    _refuse_traps(path)
    try:
        with catch_warnings():
            simplefilter("ignore")  # what openpyxl does not know, such as conditional formats, is of no concern here
            book = load_workbook(path, read_only=True, data_only=False, keep_links=False, keep_vba=False)
            return {sheet.title: iter(list(_rows(sheet, path))) for sheet in book.worksheets}
    except WrongInput:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part makes it stumble over
        raise WrongInput(
            f"{path} cannot be read as a workbook ({type(error).__name__}); open it and save it again as XLSX."
        ) from error


def _rows(sheet: Any, path: Path) -> Iterator[list[Cell]]:
    sheet.reset_dimensions()  # a file's own statement of its size is not believed
    blank = None  # the row that stands for all that a file leaves out, up to a formatted cell in the last row
    for number, row in enumerate(sheet.iter_rows(max_col=_MAX_COLUMNS), 1):
        # A row is as wide as the limit, however few of its cells hold anything.
        filled = 0 if row is blank else max((at for at, cell in enumerate(row, 1) if cell.value is not None), default=0)
        if not filled:
            blank = row
        elif number > _MAX_ROWS:
            raise WrongInput(f"{path} has more than {_MAX_ROWS:,} rows in {sheet.title}; split it.")
        yield [_cell(cell, number, at) for at, cell in enumerate(row[:filled], 1)]


def _cell(cell: Any, row: int, column: int) -> Cell:
    formula = cell.data_type == "f"
    value = cell.value
    if value is not None and not isinstance(value, str | int | float | bool) and not hasattr(value, "isoformat"):
        value = str(value)
    return Cell(value, f"{get_column_letter(column)}{row}", formula)


def _refuse_traps(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as package:
            if sum(part.file_size for part in package.infolist()) > _MAX_BYTES:
                raise WrongInput(f"{path} unpacks to more than {_MAX_BYTES // 1_000_000} MB; split it.")
            for part in package.infolist():
                if part.filename.endswith((".xml", ".rels")):
                    with package.open(part) as file:
                        start = file.read(4096)
                    if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                        raise WrongInput(f"{path} holds a document type, as no workbook does; save it again as XLSX.")
    except zipfile.BadZipFile:
        raise WrongInput(f"{path} is no XLSX file; save it as XLSX, or as CSV and give the folder.") from None
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror or error}; correct its name or rights.") from None
