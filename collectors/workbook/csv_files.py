"""A workbook as CSV: a folder with one file for each sheet, such as attendance.csv, or one such file alone.

Promises: comma or semicolon, with or without byte order mark; text that a spreadsheet would compute is written with a
leading apostrophe, which is taken off again when read.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path

from collectors.import_mapping import WrongInput
from collectors.workbook.cells import Cell, Plain, as_text, is_formula_like
from collectors.workbook.form import sheet_named
from collectors.workbook.template import Filled
from pipeline.spreadsheet import FORMULA_STARTS

_ENCODING = "utf-8-sig"


def read_csv(path: Path) -> dict[str, Iterator[list[Cell]]]:
    """The rows of each sheet, by its file's name; raises WrongInput."""
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    return {file.stem: iter(_rows(file)) for file in files if sheet_named(file.stem) or not path.is_dir()}


def write_csv(folder: Path, filled: Filled) -> list[Path]:
    """Write the sheets as CSV with field names as headers; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for sheet in filled.sheets():
        columns = filled.columns(sheet)
        path = folder / f"{sheet.name}.csv"
        with path.open("w", newline="", encoding=_ENCODING) as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow([column.field for column in columns])
            for cells in filled.rows.get(sheet.name, ()):
                writer.writerow([_safe(cells.get(column.field)) for column in columns])
        written.append(path)
    return written


def _rows(path: Path) -> list[list[Cell]]:
    try:
        text = path.read_text(encoding=_ENCODING)
    except UnicodeDecodeError:
        raise WrongInput(f"{path} is not UTF-8; save it as «CSV UTF-8».") from None
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}; correct its name or rights.") from None
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise WrongInput(f"{path} is no CSV file: {error}.") from None
    return [_cells(path.name, number, row) for number, row in enumerate(found, 1)]


def _cells(name: str, number: int, row: Sequence[str]) -> list[Cell]:
    cells = []
    for at, raw in enumerate(row, 1):
        value = raw[1:] if raw.startswith("'") and raw[1:].startswith(FORMULA_STARTS) else raw
        cells.append(Cell(value or None, f"{name}, row {number}, column {at}", value.strip().startswith("=")))
    return cells


def _safe(value: Plain) -> str:
    text = value if isinstance(value, str) else as_text(value)
    if isinstance(value, bool | int | float | date | datetime | time):
        return text
    return f"'{text}" if is_formula_like(text) else text
