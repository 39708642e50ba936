"""What the pages of findings share: their layout, their one callback, and what they say when there is nothing."""

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, dcc, html

from config.catalogue import Pilot
from dashboard.components import answered, heading, holding_still, notice, skeleton, unless_drawn
from dashboard.queries import Queries
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.texts import _
from dashboard.viewer import Viewer

Draw = Callable[[Queries, Viewer, Selection, list[Pilot]], Any]


def layout(name: str, title: str, lead: str) -> html.Div:
    """The page before anything is read. `over-all` takes away the controls of the bar that change nothing here."""
    return html.Div(
        [
            heading(title, lead),
            dcc.Store(id=f"{name}-drawn"),
            html.Div(skeleton([320, 320]), id=f"{name}-body", className="stack over-all"),
        ]
    )


def register(app: Dash, queries: Queries, name: str, draw: Draw) -> None:
    """`draw` gets the chosen pilots of which there is at least one, and of which at least one has data."""
    body = answered(_drawn)

    @app.callback(
        Output(f"{name}-body", "children"),
        Output(f"{name}-drawn", "data"),
        Input("url", "search"),
        Input("version", "data"),
        State(f"{name}-drawn", "data"),
        running=holding_still(),
    )
    def show(search: str | None, version: str | None, drawn: str | None) -> Any:
        who = viewer()
        return unless_drawn(body(queries, who, queries.select(who, search), draw), drawn)


def _drawn(queries: Queries, who: Viewer, selection: Selection, draw: Draw) -> Any:
    pilots = queries.pilots(who, selection)
    if not pilots:
        return notice("empty", _("No pilot to show"), _("Choose at least one in the bar above."))
    if queries.known(who, [pilot.slug for pilot in pilots]) is None:
        return notice(
            "empty",
            _("Nothing yet"),
            _("No event of the chosen pilots has arrived. What follows from them appears here by itself."),
        )
    return draw(queries, who, selection, pilots)
