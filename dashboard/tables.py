"""The table of period figures: every indicator for every chosen pilot, over one chosen period."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

from config.catalogue import Pilot
from dashboard.components import attributes, pilot_name, scrolling
from dashboard.multiples import value_text
from dashboard.texts import _
from pipeline.values import IndicatorValue

if TYPE_CHECKING:
    from pipeline.indicators import Indicator

FAMILIES = ("uptake", "engagement", "context")


def period_figures(
    values: Sequence[IndicatorValue],
    definitions: dict[str, "Indicator"],
    pilots: Sequence[tuple[Pilot, int]],
    k: int,
    query: str,
    families: Sequence[str] = FAMILIES,
) -> html.Div:
    """Rows are indicators, columns pilots in the catalogue's order; a cell carries its raw value as data-value."""
    known = {(one.indicator, one.segment, one.pilot): one for one in values}
    body: list[Any] = []
    for family in families:
        rows = [
            _row(
                definition,
                segment,
                [(pilot, known.get((definition.id, segment, pilot.slug))) for pilot, _hue in pilots],
                k,
                query,
            )
            for definition in definitions.values()
            if definition.family == family
            for segment in _segments(definition.id, values)
        ]
        if rows:
            span = html.Th(_(family.capitalize()), colSpan=len(pilots) + 1, scope="colgroup", className="family")
            body += [dmc.TableTr(span), *rows]
    head = dmc.TableTr(
        [html.Th(_("Indicator"), scope="col"), *[html.Th(pilot_name(pilot, hue), scope="col") for pilot, hue in pilots]]
    )
    caption = _("Indicators by pilot for the whole period; n and 95 % interval under each value")
    children = [html.Caption(caption), dmc.TableThead(head), dmc.TableTbody(body)]
    return scrolling(dmc.Table(children, className="numbers figures-table"), caption)


def _segments(indicator: str, values: Sequence[IndicatorValue]) -> list[str]:
    return sorted({one.segment for one in values if one.indicator == indicator})


def _row(
    definition: "Indicator", segment: str, cells: list[tuple[Pilot, IndicatorValue | None]], k: int, query: str
) -> Any:
    name: list[Any] = [
        dcc.Link(_(definition.title), href=f"/definitions{query}#{definition.id}"),
        *([f" · {segment}"] if segment else []),
    ]
    return dmc.TableTr(
        [
            html.Th([html.Span(name), html.Small(_(definition.unit))], scope="row"),
            *[_cell(definition, segment, pilot, value, k) for pilot, value in cells],
        ]
    )


def _cell(definition: "Indicator", segment: str, pilot: Pilot, value: IndicatorValue | None, k: int) -> Any:
    return dmc.TableTd(
        value_text(value, definition.unit, k),
        **attributes(
            {
                "data-pilot": pilot.slug,
                "data-indicator": definition.id,
                "data-segment": segment,
                "data-value": raw(value.value if value else None),
                "data-n": raw(value.n if value else None),
                "data-status": value.status if value else "none",
            }
        ),
    )


def raw(value: float | None) -> str:
    """A number as it was computed, for machines; "" when there is none.

    >>> raw(381.0), raw(0.0123), raw(None)
    ('381', '0.0123', '')
    """
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
