"""Fills a workbook as people do: in the template's own sheets, by heading, with titles or codes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def fill(path: Path, rows: Rows) -> None:
    """Write rows below the example of each sheet; a key is a heading."""
    book = load_workbook(path)
    for title, lines in rows.items():
        page = book[title]
        heads = {cell.value: cell.column for cell in page[1]}
        for number, line in enumerate(lines, 3):
            for heading, value in line.items():
                page.cell(number, heads[heading]).value = value
    book.save(path)


def returned(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each sheet, by heading."""
    book = load_workbook(path)
    found = {}
    for page in book.worksheets:
        heads, *lines = page.iter_rows(values_only=True)
        found[page.title] = [dict(zip(heads, line, strict=True)) for line in lines if any(v is not None for v in line)]
    return found
