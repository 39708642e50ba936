"""Pilot: one city. What is documented about it, its series with its activities marked on them, its feeds."""

from typing import Any

from dash import Dash, Input, Output, State, dcc, html

from config.catalogue import Fact, Pilot
from dashboard import palette, wording
from dashboard.components import (
    answered,
    attributes,
    heading,
    holding_still,
    icon,
    notice,
    outside,
    pilot_name,
    skeleton,
    unless_drawn,
)
from dashboard.one_pilot import activity_frame, decision_frame, feed_frame, incident_frame, series_frames
from dashboard.queries import Queries
from dashboard.revision_frame import revision_frame
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.texts import _
from dashboard.viewer import Viewer

PATH, TITLE = "/pilot", "Pilot"


def id_(name: str) -> str:
    return f"pilot-{name}"


def layout(**chosen: str) -> html.Div:
    return html.Div(
        [
            dcc.Store(id=id_("drawn")),
            html.Div(skeleton([90, 160]), id=id_("head"), className="stack"),
            html.Div(skeleton([340, 340]), id=id_("body"), className="stack"),
        ]
    )


def register(app: Dash, queries: Queries) -> None:
    head, body = answered(_head), answered(_body)

    @app.callback(Output(id_("head"), "children"), Input("url", "search"))
    def draw_head(search: str | None) -> Any:
        who = viewer()
        return head(queries, who, queries.select(who, search))

    @app.callback(
        Output(id_("body"), "children"),
        Output(id_("drawn"), "data"),
        Input("url", "search"),
        Input("version", "data"),
        Input("scheme", "data"),
        State(id_("drawn"), "data"),
        running=holding_still(),
    )
    def draw_body(search: str | None, version: str | None, scheme: str | None, drawn: str | None) -> Any:
        who = viewer()
        return unless_drawn(body(queries, who, queries.select(who, search), palette.scheme(scheme)), drawn)


def _head(queries: Queries, who: Viewer, selection: Selection) -> Any:
    pilot = queries.pilot(who, selection)
    if pilot is None:
        return notice("empty", _("No pilot to show"), _("Choose at least one in the bar above."))
    return [heading(pilot.name, _tagline(pilot)), _switch(queries, who, selection, pilot), _facts(pilot)]


def _body(queries: Queries, who: Viewer, selection: Selection, scheme: palette.Scheme) -> Any:
    pilot = queries.pilot(who, selection)
    if pilot is None:
        return []
    bounds = queries.bounds(who, selection, [pilot.slug])
    incidents = incident_frame(queries, who, pilot)
    if bounds is None:
        return [
            notice(
                "empty",
                _("No data yet"),
                _("No event from {name} has arrived. Figures appear here by themselves.", name=pilot.name),
            ),
            incidents,
        ]
    return [
        *series_frames(queries, who, selection, pilot, bounds, scheme),
        activity_frame(queries, who, selection, pilot, bounds),
        *decision_frame(queries, who, selection, pilot, bounds),
        feed_frame(queries, who, selection, pilot, bounds),
        revision_frame(queries, who, selection, pilot),
        incidents,
    ]


def _tagline(pilot: Pilot) -> str:
    known = [
        pilot.facts[name].value
        for name in ("arena", "tagline")
        if name in pilot.facts and pilot.facts[name].evidence != "unknown"
    ]
    return ", ".join(str(one) for one in known) or pilot.country


def _switch(queries: Queries, who: Viewer, selection: Selection, shown: Pilot) -> html.Nav:
    links = []
    for pilot in queries.pilots(who, selection):
        here = " is-here" if pilot.slug == shown.slug else ""
        links.append(
            dcc.Link(
                pilot_name(pilot, queries.hue(pilot.slug)),
                href=f"/pilot{selection.to_query(pilot=pilot.slug)}",
                className=f"switch-link{here}",
            )
        )
    return html.Nav(links, className="switch", **attributes({"aria-label": _("Choose a pilot")}))


def _facts(pilot: Pilot) -> html.Details:
    rows = [
        html.Div([html.Dt(_(name.replace("_", " ").capitalize())), html.Dd(_fact(fact))])
        for name, fact in pilot.facts.items()
    ]
    denominator = pilot.denominator()
    population: list[Any] = [html.Em(_("not documented"), className="quiet")]
    if denominator is not None:
        made_up = [html.Span(_("made up for the simulation"), className="evidence")] if denominator.synthetic else []
        population = [
            _(
                "{n} {kind}, {year} ({source})",
                n=f"{denominator.value:,}",
                kind=wording.population(denominator.kind),
                year=denominator.year,
                source=denominator.source,
            ),
            *made_up,
        ]
    rows.append(html.Div([html.Dt(_("Population for rates")), html.Dd(population)]))
    rows.append(html.Div([html.Dt(_("Time zone")), html.Dd(pilot.time_zone)]))
    unknown = sum(fact.evidence == "unknown" for fact in pilot.facts.values())
    said = _("What is documented about {name}", name=pilot.name)
    return html.Details(
        [
            html.Summary(
                [
                    said,
                    html.Span(
                        _(
                            "{known} facts with a source, {unknown} not documented",
                            known=len(pilot.facts) - unknown,
                            unknown=unknown,
                        ),
                        className="quiet",
                    ),
                ]
            ),
            html.Dl(rows, className="definition in-columns"),
        ],
        className="frame facts-frame",
        open=True,
    )


def _fact(fact: Fact) -> list[Any]:
    if fact.evidence == "unknown":
        return [html.Em(_("not documented"), className="quiet")]
    said = html.Span("; ".join(fact.value) if isinstance(fact.value, list) else fact.value)
    words = {"verified": _("verified"), "reported": _("reported")}
    return [
        said,
        html.Span(
            [icon(f"evidence-{fact.evidence}"), words[fact.evidence], " · ", outside(fact.source_url, _("source"))],
            className="evidence",
        ),
    ]
