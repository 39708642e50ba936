"""Pure: findings as flat rows, the same for the tables of pages, the downloads and the CSV of the API.

A figure becomes the columns value, n, lower, upper, interval, status, reason and unit, with the figure's name before
them where a row has several. None is an empty cell, never 0.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pipeline.findings import Effect, Figure, FitCell
from pipeline.values import Decision

Row = list[object]
_FIGURE = tuple(msgspec.structs.fields(Figure))
_FIT = ("pilot", "stage", "dim", "code", "activities", "figure")
_BEST = ("best", "best_lower", "best_upper")


def columns(kind: type[msgspec.Struct]) -> list[str]:
    """The columns of rows of this type, in the order of its fields."""
    if kind is FitCell:
        return [*_FIT, *[one.name for one in _FIGURE], *_BEST, "synthetic"]
    return [name for field in msgspec.structs.fields(kind) for name in _names(kind, field)]


def rows(kind: type[msgspec.Struct], found: Iterable[Any]) -> list[Row]:
    """One row per finding; of a method-fit cell one per figure, of a decision one per group and role."""
    if kind is FitCell:
        return [row for cell in found for row in _fit_rows(cell)]
    return [
        [value for field in msgspec.structs.fields(kind) for value in _values(kind, field, one)]
        for whole in found
        for one in _parted(whole)
    ]


def _parted(one: Any) -> Sequence[Any]:
    """A decision with several roles as so many decisions with one."""
    if isinstance(one, Decision) and one.roles:
        return [msgspec.structs.replace(one, roles=[role]) for role in one.roles]
    return [one]


def _names(kind: type[msgspec.Struct], field: Any) -> list[str]:
    if field.type is Figure:
        prefix = "" if _figures(kind) == 1 else f"{field.name}_"
        return [f"{prefix}{one.name}" for one in _FIGURE]
    if kind is Effect and field.name == "conditions":
        return [f"condition_{letter}" for letter in "abcdefgh"]
    if kind is Decision and field.name == "roles":
        return ["group", "role", "people"]
    return [field.name]


def _figures(kind: type[msgspec.Struct]) -> int:
    return sum(field.type is Figure for field in msgspec.structs.fields(kind))


def _values(kind: type[msgspec.Struct], field: Any, one: Any) -> Row:
    value = getattr(one, field.name)
    if field.type is Figure:
        return figure_cells(value)
    if kind is Effect and field.name == "conditions":
        told = {each.letter: "holds" if each.holds else f"fails: {each.sentence}" for each in value}
        return [told.get(letter, "") for letter in "abcdefgh"]
    if kind is Decision and field.name == "roles":
        return [cell(part) for part in (value[0].group, value[0].role, value[0].people)] if value else ["", "", ""]
    return [cell(value)]


def _fit_rows(one: FitCell) -> list[Row]:
    begin: Row = [one.pilot, one.stage, one.dim, one.code, one.activities]
    found = []
    for name, figure in one.figures.items():
        best = one.best.get(name, Figure())
        probability = [cell(part) for part in (best.value, best.lower, best.upper)]
        found.append([*begin, name, *figure_cells(figure), *probability, cell(one.synthetic)])
    return found


def figure_cells(figure: Figure) -> Row:
    """The cells of one figure."""
    return [cell(getattr(figure, one.name)) for one in _FIGURE]


def cell(value: object) -> object:
    """A value as a CSV cell: whole numbers without a point, lists joined by "|", anything nested as JSON.

    >>> cell(None), cell(True), cell(12.0), cell(0.5), cell(["a", "b"])
    ('', 'true', 12, 0.5, 'a|b')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, int | str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str | int) for one in value):
        return "|".join(str(one) for one in value)
    return msgspec.json.encode(value).decode()
