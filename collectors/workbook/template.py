"""Rows of cells for a workbook that is written: the empty template, and refused rows that come back.

Promises: what is written can be read again; the example row is marked and never imported; a refused row comes back as
it was typed, with its reason in a column of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.workbook.cells import Plain
from collectors.workbook.form import EXAMPLE, REASON, SHEETS, Column, Sheet
from config.vocabulary import Vocabulary

Cells = Mapping[str, Plain]


@dataclass(frozen=True)
class Filled:
    """What a workbook holds: rows by sheet name; `reasons` adds the column that says why a row was refused."""

    rows: Mapping[str, Sequence[Cells]]
    about: Sequence[str] = field(default_factory=tuple)
    reasons: bool = False

    def sheets(self) -> list[Sheet]:
        """All sheets of a template; of refused rows, only those that have any."""
        return [sheet for sheet in SHEETS if not self.reasons or self.rows.get(sheet.name)]

    def columns(self, sheet: Sheet) -> list[Column]:
        reason = Column(REASON, "Reason", "Why this row was not imported. Mend the row and import this file.", "text")
        return [*sheet.columns, *([reason] if self.reasons else [])]


def template(vocabulary: Vocabulary, pilot: str | None, command: str) -> Filled:
    """The empty workbook: one example row on each sheet, with titles as people choose them."""
    return Filled({sheet.name: [_example(sheet, vocabulary)] for sheet in SHEETS}, _about(pilot, command))


def refused(rows: Mapping[str, Sequence[Cells]]) -> Filled:
    """The rows that were not imported."""
    about = ("These rows were not imported; the last column of each sheet says why.",
             "Mend them here and import this file; the rows that were imported need not be in it.")  # fmt: skip
    return Filled(rows, about, reasons=True)


def _example(sheet: Sheet, vocabulary: Vocabulary) -> Cells:
    found: dict[str, Plain] = {}
    for column in sheet.columns:
        known = not column.words or column.example in vocabulary[column.words].codes
        if column.example != "" and known:
            found[column.field] = column.example
    return found


def _about(pilot: str | None, command: str) -> tuple[str, ...]:
    return (
        "Periscope workbook" + (f" of {pilot}" if pilot else ""),
        "",
        *(f"{sheet.title}: {sheet.help}" for sheet in SHEETS),
        "",
        "Dark headings are needed, the others may be left empty. Point at a heading to read what belongs under it.",
        "Cells with a list take one of its words. Days are the city's own, written as 2026-03-14.",
        "Type values, not formulas: a row with a formula comes back.",
        "Every row has an id of your own in its first column. Keep it: to correct a row, change it and import again.",
        "To take back a row, write yes in its last column and import again; deleting the row changes nothing.",
        f"The row whose id begins with {EXAMPLE} is an example; it is not imported, and may be deleted.",
        "Never write names, e-mail addresses, private addresses or anything on a person's health.",
        "",
        f"To import: {command}",
        "The rows that could not be imported come back in a file of their own, with the reasons.",
    )
