"""One indicator for several pilots side by side: the same time axis, each with its interval and n, none ranked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import html

from config.catalogue import Pilot
from dashboard import baseline, sentences, wording
from dashboard.components import attributes, pilot_name, table
from dashboard.figures import graph, trends
from dashboard.frame import Framed, facts_of, frame
from dashboard.methods import INTERVALS
from dashboard.palette import Scheme
from dashboard.texts import _
from pipeline.values import IndicatorValue

if TYPE_CHECKING:
    from pipeline.indicators import Indicator

_ROWS = 60


@dataclass(frozen=True)
class Column:
    """One pilot's values of the indicator; `base` None means that no baseline is known.

    `segment` is what a sensor measures there ("" elsewhere), and may differ between the columns of a row.
    """

    pilot: Pilot
    hue: int
    segment: str
    unit: str
    values: list[IndicatorValue]
    base: baseline.Baseline | None
    missing: str

    @property
    def measured(self) -> bool:
        """Whether the pilot has what the definition needs; a value may still be hidden or missing."""
        return any(value.status != "not_defined" for value in self.values)

    def drawn(self, scale: str) -> list[IndicatorValue]:
        """The values on the chosen scale; an index without a baseline is nothing, and not the plain value."""
        if scale != "own":
            return self.values
        return [baseline.as_index(one, self.base) for one in self.values] if self.base else []


@dataclass(frozen=True)
class Row:
    """What the columns have in common."""

    definition: "Indicator"
    number: int
    columns: Sequence[Column]
    start: str
    end: str
    period: str
    scale: str
    scheme: Scheme
    k: int
    query: str

    def unit(self, column: Column) -> str:
        return "index" if self.scale == "own" else column.unit

    @property
    def measured(self) -> list[Column]:
        return [column for column in self.columns if column.measured] or list(self.columns)

    @property
    def units(self) -> str:
        """The units of the columns' own values, for people."""
        measured = [_(column.unit) for column in self.measured]
        return ", ".join(dict.fromkeys(measured)) or _(self.definition.unit)

    @property
    def shared(self) -> bool:
        """Whether the pilots have one vertical scale: an index has, and what the definition calls comparable."""
        kinds = {found.kind for column in self.columns if (found := column.pilot.denominator())}
        return self.scale == "own" or (self.definition.comparable == "yes" and len(kinds) < 2)

    @property
    def name(self) -> str:
        return self.definition.id if self.number == 1 else f"{self.definition.id}-{self.number}"


def multiples(row: Row) -> html.Section:
    """The frame of one indicator."""
    drawn = {column.pilot.slug: column.drawn(row.scale) for column in row.columns}
    common = trends.top_of(value for values in drawn.values() for value in values) if row.shared else None
    cells = [_cell(row, column, drawn[column.pilot.slug], common) for column in row.columns]
    told = [
        sentences.Told(column.pilot.name, sentences.latest(column.values), sentences.latest(column.drawn("own")))
        for column in (row.measured if row.definition.family == "context" else row.columns)
    ]
    said = (
        sentences.against_baselines(told) if row.scale == "own" else sentences.in_own_units(told, row.columns[0].unit)
    )
    return frame(
        Framed(
            name=row.name,
            eyebrow=_(row.definition.family.capitalize()),
            title=_(row.definition.title),
            sentence=said,
            body=html.Div(cells, className="multiples", style={"--columns": str(min(6, len(cells)))}),
            facts=[
                (_("Unit"), _unit_words(row)),
                *facts_of([one for column in row.measured for one in column.values], row.k, INTERVALS),
            ],
            notes=_notes(row),
            table=_table(row),
            csv=f"/download/series.csv{_with(row.query, 'only', row.definition.id)}",
            definition=f"/definitions{row.query}#{row.definition.id}",
        )
    )


def _cell(row: Row, column: Column, values: list[IndicatorValue], common: float | None) -> html.Div:
    last = sentences.latest(values)
    shown = wording.number(last.value, row.unit(column)) if last and last.value is not None else wording.NOTHING
    n = _("n {n}", n=wording.number(last.n)) if last and last.n is not None else ""
    segment = [html.Span(column.segment, className="quiet multiple-n")] if column.segment else []
    head = html.Div(
        [
            html.Span([pilot_name(column.pilot, column.hue), *segment]),
            html.Span([html.Strong(shown), " ", html.Span(n, className="quiet multiple-n")]),
        ],
        className="multiple-head",
    )
    if not any(value.value is not None for value in values):
        known = any(value.value is not None for value in column.values)
        why = _("No baseline yet: too few complete values.") if known else column.missing
        return html.Div([head, html.P(why, className="multiple-empty")], className="multiple")
    look = trends.Look(
        row.scheme,
        row.scheme.hue(column.hue),
        row.unit(column),
        row.k,
        row.period,
        reference=100 if row.scale == "own" else None,
        top=common,
    )
    figure = trends.trend(values, row.start, row.end, look)
    chart = graph({"type": "multiple", "row": row.name, "pilot": column.pilot.slug}, figure, 132)
    said = _(
        "{title}, {pilot}: last complete value {value}",
        title=_(row.definition.title),
        pilot=column.pilot.name,
        value=shown,
    )
    return html.Div(
        [head, html.Div(chart, role="img", **attributes({"aria-label": said}))],
        className="multiple",
        **attributes({"data-pilot": column.pilot.slug}),
    )


def _unit_words(row: Row) -> str:
    if row.scale != "own":
        return row.units
    return _("index, 100 = the pilot's own baseline")


def _notes(row: Row) -> list[str]:
    notes = []
    if row.scale == "own":
        late = [column.pilot.name for column in row.columns if column.base and column.base.basis == "first_third"]
        if late:
            notes.append(_("Baseline from the first third of the period shown: {names}.", names=wording.listing(late)))
    elif not row.shared and len(row.columns) > 1:
        notes.append(_("Each pilot has its own vertical scale: here it is not compared with the others."))
    if row.scale == "per1000":
        notes += [_denominator(column.pilot) for column in row.columns]
    return notes


def _denominator(pilot: Pilot) -> str:
    found = pilot.denominator()
    if found is None:
        return _("{name}: no population is documented, so no rate is given.", name=pilot.name)
    said = _(
        "{name}: per 1,000 {kind} ({value}, {year}; {source})",
        name=pilot.name,
        kind=wording.population(found.kind),
        value=wording.number(float(found.value)),
        year=found.year,
        source=found.source,
    )
    return said + (_(", made up for the simulation.") if found.synthetic else ".")


def _table(row: Row) -> Any:
    starts = sorted({value.start for column in row.columns for value in column.values}, reverse=True)[:_ROWS]
    ends = {value.start: value.end for column in row.columns for value in column.values}
    known = {(column.pilot.slug, value.start): value for column in row.columns for value in column.values}
    rows = [
        [
            wording.days(start, ends[start]),
            *[value_text(known.get((column.pilot.slug, start)), column.unit, row.k) for column in row.columns],
        ]
        for start in starts
    ]
    caption = _(
        "{title}, in {unit}, newest first; n and 95 % interval under each value",
        title=_(row.definition.title),
        unit=row.units,
    )
    names = [f"{column.pilot.name}\n{column.segment}".strip() for column in row.columns]
    return table([_("Days"), *names], rows, caption)


def value_text(value: IndicatorValue | None, unit: str, k: int) -> str:
    """A value and, on a second line, what it rests on; or the reason why there is none."""
    if value is None:
        return wording.NOTHING
    if value.value is None:
        return f"\u200b\n{wording.status(value, k)}"
    under = [_("n {n}", n=wording.number(value.n))] if value.n is not None else []
    if value.lower is not None and value.upper is not None:
        under.append(wording.interval(value, unit))
    lines = [wording.number(value.value, unit), " · ".join(under)]
    if value.status != "ok":
        lines.append(wording.status(value, k))
    return "\n".join(line for line in lines if line)


def _with(query: str, key: str, value: str) -> str:
    return f"{query}{'&' if query else '?'}{key}={value}"
