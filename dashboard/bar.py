"""The one selection bar, the same on every page: its controls write the address, and the address sets its controls."""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, html, no_update

from dashboard.components import attributes, icon, swatch
from dashboard.queries import FAMILIES, Queries
from dashboard.security import viewer
from dashboard.selection import ALL, CUSTOM, SPANS, Choices, Selection
from dashboard.texts import _, _n

CONTROLS = ("pilots", "span", "period", "scale", "indicators", "dates")


def layout(queries: Queries, choices: Choices) -> html.Div:
    """The bar with the default selection; the address sets it when the page is open."""
    return html.Div(
        [
            html.Div(
                [
                    _labelled(_("Pilots"), _pilots(queries, choices)),
                    _labelled(_("Period"), _spans()),
                    html.Button(
                        [icon("sliders"), _("More")], id="bar-more", className="bar-more", type="button", n_clicks=0
                    ),
                ],
                className="bar-row",
            ),
            html.Div(
                [
                    _labelled(
                        _("Dates"),
                        dmc.DatePickerInput(
                            id="bar-dates",
                            type="range",
                            clearable=True,
                            size="xs",
                            valueFormat="D MMM YYYY",
                            w=220,
                            placeholder=_("Any two days"),
                            allowSingleDateInRange=True,
                        ),
                    ),
                    _labelled(
                        _("One value per"),
                        _segments(
                            "bar-period", [("day", _("Day")), ("week", _("Week")), ("month", _("Month"))], "week"
                        ),
                    ),
                    _labelled(
                        _("Shown as"),
                        _segments(
                            "bar-scale",
                            [
                                ("own", _("Own baseline")),
                                ("absolute", _("Own units")),
                                ("per1000", _("Per 1,000 people")),
                            ],
                            "own",
                        ),
                    ),
                    _labelled(_("Indicators"), _indicators(queries), "bar-grow"),
                ],
                className="bar-row bar-second",
            ),
        ],
        className="wide bar",
        id="bar",
        role="search",
        **attributes({"aria-label": _("Selection")}),
    )


def _labelled(label: str, control: Any, more: str = "") -> html.Div:
    return html.Div(
        [html.Span(label, className="bar-label"), control],
        className=f"bar-item {more}",
        role="group",
        **attributes({"aria-label": label}),
    )


def _segments(id: str, options: list[tuple[str, str]], value: str) -> dmc.SegmentedControl:
    return dmc.SegmentedControl(
        id=id, value=value, size="xs", data=[{"value": key, "label": label} for key, label in options]
    )


def _spans() -> dmc.SegmentedControl:
    weeks = {"4w": 4, "12w": 12, "26w": 26, "52w": 52}
    options = [(key, _n("{n} week", "{n} weeks", weeks[key])) for key in SPANS]
    return _segments("bar-span", [*options, (ALL, _("All"))], "26w")


def _pilots(queries: Queries, choices: Choices) -> dmc.ChipGroup:
    names = queries.names()
    chips = [
        dmc.Chip(html.Span([swatch(queries.hue(slug)), names[slug]]), value=slug, size="xs", variant="outline")
        for slug in choices.pilots
    ]
    return dmc.ChipGroup(html.Div(chips, className="chips"), id="bar-pilots", multiple=True, value=list(choices.pilots))


def _indicators(queries: Queries) -> dmc.MultiSelect:
    definitions = queries.definitions().values()
    groups = [
        {
            "group": _(family.capitalize()),
            "items": [{"value": one.id, "label": _(one.title)} for one in definitions if one.family == family],
        }
        for family in FAMILIES[:3]
    ]
    return dmc.MultiSelect(
        id="bar-indicators",
        data=[group for group in groups if group["items"]],
        value=[],
        size="xs",
        clearable=True,
        searchable=True,
        placeholder=_("People, contributions and context"),
        hidePickedOptions=True,
        maxDropdownHeight=320,
        **attributes({"aria-label": _("Indicators")}),
    )


def register(app: Dash, queries: Queries) -> None:
    """One callback in both directions, so that neither side can run ahead of the other."""
    values = {name: Output(f"bar-{name}", "value") for name in CONTROLS}
    chosen = {name: Input(f"bar-{name}", "value") for name in CONTROLS}

    @app.callback(
        output={"search": Output("url", "search"), **values},
        inputs={"search": Input("url", "search"), "chosen": chosen},
    )
    def follow(search: str | None, chosen: dict[str, Any]) -> dict[str, Any]:
        choices = queries.choices(viewer())
        current = Selection.from_query(search, choices)
        if ctx.triggered_id in (None, "url"):
            return {"search": no_update, **_as_values(current, choices)}
        dates = chosen["dates"] or [None, None]
        if ctx.triggered_id == "bar-dates" and any(dates) and not all(dates):
            return {"search": no_update, **dict.fromkeys(CONTROLS, no_update)}
        if ctx.triggered_id == "bar-span" or not isinstance(dates, list) or len(dates) != 2:
            dates = [None, None]
        selection = Selection.from_mapping(
            {**chosen, "start": dates[0], "end": dates[1], **current.beside_the_bar}, choices
        )
        query = selection.to_query()
        return {"search": no_update if query == (search or "") else query, **_as_values(selection, choices)}

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("periscope", "more"),
        Output("bar", "className"),
        Input("bar-more", "n_clicks"),
        State("bar", "className"),
    )


def _as_values(selection: Selection, choices: Choices) -> dict[str, Any]:
    return {
        "pilots": list(selection.pilots or choices.pilots),
        "span": selection.span,
        "period": selection.period,
        "scale": selection.scale,
        "indicators": list(selection.indicators),
        "dates": [selection.start, selection.end] if selection.span == CUSTOM else [None, None],
    }
