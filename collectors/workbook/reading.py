"""A filled workbook → rows of named cells, whatever kind of file it is.

Promises: nothing that holds data is passed over in silence: a sheet or column that is not known is named; empty rows
and the marked example are left out; a sheet without a needed column refuses the whole file before anything is sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collectors.import_mapping import WrongInput
from collectors.workbook.cells import Cell
from collectors.workbook.csv_files import read_csv
from collectors.workbook.form import EXAMPLE, REASON, SHEETS, Column, Sheet, sheet_named
from collectors.workbook.xlsx_reading import read_xlsx

_OURS = ("read me", "lists")


@dataclass(frozen=True)
class FilledRow:
    """One row as it was filled in; a column that the file does not have is an empty cell."""

    sheet: Sheet
    number: int
    cells: Mapping[str, Cell]


@dataclass
class Reading:
    """All rows, activities first, and what was not read."""

    rows: list[FilledRow] = field(default_factory=list)
    examples: int = 0
    ignored: list[str] = field(default_factory=list)


def is_xlsx(path: Path) -> bool:
    return not path.is_dir() and path.suffix.lower() != ".csv"


def read_workbook(path: Path) -> Reading:
    """Read a workbook; raises WrongInput."""
    if not path.exists():
        raise WrongInput(f"{path} is not there; correct the name of the workbook.")
    pages = read_xlsx(path) if is_xlsx(path) else read_csv(path)
    reading = Reading()
    found: dict[str, tuple[Sheet, Iterable[list[Cell]]]] = {}
    for name, rows in pages.items():
        sheet = sheet_named(name)
        if sheet is not None:
            found[sheet.name] = (sheet, rows)
        elif name.casefold() not in _OURS:
            reading.ignored.append(f"the sheet «{name}»")
    if not found:
        names = ", ".join(sheet.title if is_xlsx(path) else f"{sheet.name}.csv" for sheet in SHEETS)
        raise WrongInput(f"{path} has none of the sheets {names}; make a workbook with: periscope workbook FILE.xlsx")
    for sheet in SHEETS:
        if sheet.name in found:
            _sheet(path, *found[sheet.name], reading)
    return reading


def _sheet(path: Path, sheet: Sheet, rows: Iterable[list[Cell]], reading: Reading) -> None:
    numbered = enumerate(rows, 1)
    _, head = next(numbered, (0, []))
    columns = _columns(path, sheet, head, reading)
    for number, row in numbered:
        if not any(cell.text for cell in row):
            continue
        cells = {column.field: cell for column, cell in zip(columns, row, strict=False) if column is not None}
        key = cells.get(sheet.key.field)
        if key is not None and key.text.upper().startswith(EXAMPLE):
            reading.examples += 1
            continue
        for column in sheet.columns:
            cells.setdefault(column.field, Cell(None, f"row {number}"))
        reading.rows.append(FilledRow(sheet, number, cells))


def _columns(path: Path, sheet: Sheet, head: list[Cell], reading: Reading) -> list[Column | None]:
    columns = [sheet.column(cell.text) if cell.text else None for cell in head]
    known = [column for column in columns if column is not None]
    missing = [column.title for column in sheet.columns if column.required and column not in known]
    if missing:
        raise WrongInput(
            f"{path}: the sheet {sheet.title} has no column {', '.join(missing)}; its first row must be the headings "
            f"of the template."
        )
    for column in known:
        if known.count(column) > 1:
            raise WrongInput(f"{path}: the sheet {sheet.title} has the column {column.title} twice; remove one.")
    strangers = [c.text for c, column in zip(head, columns, strict=True) if c.text and column is None]
    reading.ignored += [f"{sheet.title}: the column «{name[:60]}»" for name in strangers if name.casefold() != REASON]
    return columns
