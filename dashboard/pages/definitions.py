"""Definitions: every indicator as the registry defines it, each at its own address."""

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, html

from dashboard import finding_definitions, wording
from dashboard.components import answered, attributes, heading, skeleton
from dashboard.methods import INTERVALS
from dashboard.queries import FAMILIES, Queries
from dashboard.texts import _

if TYPE_CHECKING:
    from pipeline.indicators import Indicator

PATH, TITLE = "/definitions", "Definitions"


def id_(name: str) -> str:
    return f"definitions-{name}"


def layout(**chosen: str) -> html.Div:
    return html.Div(
        [
            heading(
                _("Definitions"),
                _(
                    "What each number means, what it rests on, and where it must not be used. "
                    "Screen, export and alerts read these same definitions."
                ),
            ),
            html.Div(skeleton([180, 180, 180]), id=id_("body"), className="definitions"),
            html.Span(id=id_("place"), hidden=True),
        ]
    )


def register(app: Dash, queries: Queries) -> None:
    @app.callback(Output(id_("body"), "children"), Input("url", "pathname"))
    @answered
    def draw(path: str | None) -> Any:
        found = queries.definitions()
        told = [one for one in finding_definitions.sections() if one.id not in found]
        names = {
            "uptake": _("Uptake"),
            "engagement": _("Engagement"),
            "context": _("Context"),
            "quality": _("Feed quality"),
        }
        contents = html.Nav(
            [
                html.Div(
                    [
                        html.Strong(names[family]),
                        html.Ul(
                            [
                                html.Li(html.A(_(one.title), href=f"#{one.id}"))
                                for one in found.values()
                                if one.family == family
                            ]
                        ),
                    ]
                )
                for family in FAMILIES
                if any(one.family == family for one in found.values())
            ]
            + [_contents(told)],
            className="contents",
            **attributes({"aria-label": _("All definitions")}),
        )
        return [
            contents,
            html.Div(
                [
                    _statuses(queries.disclosure_k),
                    *[
                        _definition(one, names[one.family])
                        for family in FAMILIES
                        for one in found.values()
                        if one.family == family
                    ],
                    *[_told(one) for one in told],
                ],
                className="stack",
            ),
        ]

    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("periscope", "scroll"),
        Output(id_("place"), "children"),
        Input(id_("body"), "children"),
        Input("url", "hash"),
    )


def _contents(told: list[finding_definitions.Told]) -> html.Div:
    links = html.Ul([html.Li(html.A(one.title, href=f"#{one.id}")) for one in told])
    return html.Div([html.Strong(_("Findings")), links])


def _told(one: finding_definitions.Told) -> html.Section:
    label = attributes({"aria-label": _("Address of this definition")})
    title = html.H2([one.title, " ", html.A("#", href=f"#{one.id}", className="anchor", **label)])
    head = [html.Span(_("Findings"), className="eyebrow"), title]
    return html.Section([*head, _list(one.rows)], id=one.id, className="frame")


def _definition(one: "Indicator", family: str) -> html.Section:
    directions = {
        "up": _("more is meant to be better"),
        "down": _("less is meant to be better"),
        "none": _("neither is better"),
    }
    comparable = {
        "yes": _("between pilots, where the denominators are of one kind"),
        "within": _("only within a pilot, over time"),
        "no": _("not at all: a description"),
    }
    method = INTERVALS.get(one.interval_method, one.interval_method)
    rows = [
        (_("Formula"), _(one.formula)),
        (_("Unit"), _(one.unit)),
        (_("Window"), _(one.window)),
        (_("Interval"), _("none") if one.interval_method == "none" else _("95 %, {method}", method=method)),
        (_("Least n"), wording.number(one.min_n) if one.min_n else _("none")),
        (_("Comparable"), comparable[one.comparable]),
        (_("Direction"), directions[one.direction]),
        (_("Needs"), ", ".join(one.needs)),
        (_("Caution"), _(one.caveat)),
        (_("Source"), _(one.source)),
        (_("Version"), _("{version} of {id}", id=one.id, version=one.version)),
    ]
    label = attributes({"aria-label": _("Address of this definition")})
    anchor = html.A("#", href=f"#{one.id}", className="anchor", **label)
    head = [html.Span(family, className="eyebrow"), html.H2([_(one.title), " ", anchor])]
    return html.Section([*head, _list(rows)], id=one.id, className="frame")


def _list(rows: list[tuple[str, str]]) -> dmc.Table:
    """Terms and what is said of them, as one component."""
    return dmc.Table(data={"body": [list(row) for row in rows]}, className="definition-table")


def _statuses(k: int) -> html.Section:
    hidden = (
        _("A count of 1 to {top} people is not shown, on any page or in any file.", top=k - 1)
        if k > 1
        else _("This catalogue hides no counts: its data are openly published.")
    )
    rows = [
        (_("complete"), _("The feeds beneath delivered at least 90 % of what they should.")),
        (
            _("feed incomplete"),
            _("They delivered less. The marker is hollow and the value is not compared: no data is not no people."),
        ),
        (_("incomplete"), _("The period is not over, or its look-ahead is not.")),
        (_("hidden"), hidden),
        (_("too few to say"), _("The denominator is below the definition's least n.")),
        (_("not defined"), _("The pilot does not measure what the definition needs. This is never 0.")),
    ]
    return html.Section(
        [
            html.Div([html.Span(_("Reading a figure"), className="eyebrow"), html.H2(_("Statuses and baselines"))]),
            _list(rows),
            html.P(
                _(
                    "Own baseline: the mean of a pilot's values in its first 8 complete weeks, "
                    "if at least 3 are complete; else of the first third of the period shown. "
                    "An index of 100 is that baseline; its own uncertainty is not in the interval drawn."
                ),
                className="note",
            ),
        ],
        id="statuses",
        className="frame",
    )
