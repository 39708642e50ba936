"""Pure: one value with its interval as a dot on a line, in plain HTML, and the table of such cells.

Promises: a cell of too few activities is hatched and has no dot; the interval is drawn wherever the value has one; rows
stand in the order of the vocabulary and columns in that of the catalogue, whatever the numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html

from config.catalogue import Pilot
from dashboard import finding_words, wording
from dashboard.components import pilot_name, scrolling
from dashboard.palette import LIGHT
from dashboard.texts import _, _n
from pipeline.findings import Figure, FitCell

FEW = 5  # below this many activities a cell has no figure (E14)


@dataclass(frozen=True)
class Scale:
    """From 0 to `top`, in the unit of the figure."""

    top: float

    def at(self, value: float) -> str:
        """Where a value stands, as CSS."""
        return f"{100 * min(1.0, max(0.0, value / self.top)):.1f}%"


def scale(figures: Sequence[Figure]) -> Scale:
    """0 to 100 for shares; else from 0 to the highest point of these figures."""
    if any(one.unit == "%" for one in figures):
        return Scale(100.0)
    highest = [point for one in figures for point in (one.value, one.upper) if point is not None]
    return Scale(max(highest, default=1.0) * 1.04 or 1.0)


def dot(figure: Figure, scaled: Scale) -> html.Div:
    """The dot and the line of its interval; decoration, since the cell says the same in words."""
    value = figure.value or 0.0
    low = value if figure.lower is None else figure.lower
    high = value if figure.upper is None else figure.upper
    style = {"--at": scaled.at(value), "--low": scaled.at(low), "--high": scaled.at(high)}
    return html.Div(className="dot", style=style)


@dataclass(frozen=True)
class Column:
    """One pilot's cells by code."""

    pilot: Pilot
    hue: int
    cells: dict[str, FitCell]


def table(columns: Sequence[Column], names: dict[str, str], figure: str, head: str, k: int) -> html.Div:
    """`names` are the rows, by code, in their order; `head` names what they are."""
    scales = {
        column.pilot.slug: scale([cell.figures[figure] for cell in column.cells.values() if figure in cell.figures])
        for column in columns
    }
    top = [html.Th(head, scope="col")]
    top += [html.Th(pilot_name(column.pilot, column.hue), scope="col") for column in columns]
    body = [
        dmc.TableTr(
            [
                html.Th(name, scope="row"),
                *[
                    _cell(column, column.cells.get(code), code, figure, scales[column.pilot.slug], k)
                    for column in columns
                ],
            ]
        )
        for code, name in names.items()
    ]
    caption = _("{what} by pilot: value, 95 % interval and number of activities", what=head)
    children = [html.Caption(caption), dmc.TableThead(dmc.TableTr(top)), dmc.TableTbody(body)]
    return scrolling(dmc.Table(children, className="numbers figures-table dots-table"), caption)


def _cell(column: Column, cell: FitCell | None, code: str, name: str, scaled: Scale, k: int) -> Any:
    pilot = column.pilot.slug
    if cell is None:
        return dmc.TableTd(
            html.Span(_("not used"), className="dot-none"),
            **finding_words.marks(None, pilot=pilot, code=code, figure=name),
        )
    figure = cell.figures.get(name, Figure(status="not_defined"))
    parts: list[Any] = []
    if figure.value is not None:
        parts = [dot(figure, scaled)]
    counted = _n("{n} activity", "{n} activities", cell.activities)
    words = finding_words.said(Figure(**_without_n(figure)), k)
    value, _newline, under = words.partition("\n")
    parts += [html.Strong(value), html.Small(f"{under}, {counted}" if under else counted)]
    best = cell.best.get(name)
    if best is not None and best.value is not None:
        parts.append(html.Small(best_words(best), className="dot-best"))
    return dmc.TableTd(
        parts,
        className="is-few" if cell.activities < FEW else "",
        style={"--hue": f"var(--hue-{column.hue % len(LIGHT.hues)})"},
        **finding_words.marks(figure, pilot=pilot, code=code, figure=name),
    )


def _without_n(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "lower": figure.lower, "upper": figure.upper, "status": figure.status,
            "unit": figure.unit}  # fmt: skip


def best_words(best: Figure) -> str:
    """P(best) with its interval, both as shares of 1."""
    said = _("P(best) {p}", p=wording.number(best.value))
    if best.lower is None or best.upper is None:
        return said
    return said + _(", {low} to {high}", low=wording.number(best.lower), high=wording.number(best.upper))


def apart(cells: Sequence[FitCell], figure: str) -> list[tuple[str, str]]:
    """Pairs of codes of one pilot whose intervals do not overlap, the higher value first."""
    known = [
        (cell.code, one)
        for cell in cells
        if (one := cell.figures.get(figure))
        and one.value is not None
        and one.lower is not None
        and one.upper is not None
    ]
    return [
        (above, below)
        for above, high in known
        for below, low in known
        if high.lower is not None and low.upper is not None and high.lower > low.upper
    ]
