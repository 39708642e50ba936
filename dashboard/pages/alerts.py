"""Alerts: what has fallen or broken, why it fired, since when, what became of it, and what to do about it."""

from typing import Any
from urllib.parse import parse_qsl

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.exceptions import PreventUpdate

from dashboard import palette, tending_form
from dashboard.access.access import called
from dashboard.components import answered, heading, holding_still, icon, notice, skeleton, unless_drawn
from dashboard.incident_frames import group_frame, incident_frame, past_frame, silences_frame, together
from dashboard.queries import Queries
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.tending import NotDone, Tending
from dashboard.tending_form import ACT, DO, EVERY, FIELD
from dashboard.texts import _
from dashboard.viewer import Viewer
from pipeline.alerts.stories import Story

PATH, TITLE = "/alerts", "Alerts"
_PAST = 12  # incidents that are over, of each pilot
_LONGEST = 4_000


def layout(**chosen: str) -> html.Div:
    lead = _("People who stop taking part, and feeds that fall silent. A broken feed is never told as a fall.")
    form = [html.Div(id="alerts-form", className="care-form"), html.Div(id="alerts-problem", role="alert")]
    return html.Div(
        [
            heading(_("Alerts"), lead),
            dcc.Store(id="alerts-drawn"),
            dmc.Modal(form, id="alerts-dialog", title="", opened=False, centered=True, closeButtonProps=_closes()),
            html.Div(id="alerts-said", role="status"),
            html.Div(skeleton([320, 320]), id="alerts-body", className="stack over-all"),
        ]
    )


def _closes() -> dict[str, str]:
    return {"aria-label": _("Close without a change")}


def register(app: Dash, queries: Queries, tending: Tending | None = None) -> None:
    """Without `tending` nothing can be done about incidents, and no button is shown."""
    body = answered(_body)

    @app.callback(
        Output("alerts-body", "children"),
        Output("alerts-drawn", "data"),
        Input("url", "search"),
        Input("version", "data"),
        Input("scheme", "data"),
        Input("alerts-said", "children"),
        State("alerts-drawn", "data"),
        running=holding_still(),
    )
    def draw_body(search: str | None, version: str | None, scheme: str | None, said: Any, drawn: str | None) -> Any:
        who = viewer()
        return unless_drawn(body(queries, tending, who, search, palette.scheme(scheme)), drawn)

    _register_acts(app, queries, tending)


def _register_acts(app: Dash, queries: Queries, tending: Tending | None) -> None:
    @app.callback(
        Output("alerts-dialog", "opened"),
        Output("alerts-dialog", "title"),
        Output("alerts-form", "children"),
        Output("alerts-problem", "children"),
        Output("alerts-said", "children"),
        Input({"type": ACT, "act": ALL, "of": ALL}, "n_clicks"),
        Input({"type": DO, "act": ALL, "of": ALL}, "n_clicks"),
        State({"type": FIELD, "name": ALL}, "value"),
        State({"type": FIELD, "name": ALL}, "id"),
        prevent_initial_call=True,
    )
    def act(opened: Any, done: Any, values: Any, names: Any) -> tuple[Any, Any, Any, Any, Any]:
        asked = ctx.triggered_id
        if tending is None or not isinstance(asked, dict) or not any(one["value"] for one in ctx.triggered):
            raise PreventUpdate  # the buttons were drawn, and none was pressed
        who, what, of = viewer(), str(asked.get("act")), str(asked.get("of"))
        if asked.get("type") == ACT:
            found = _form(queries, tending, who, what, of)
            if found is None:
                gone = notice("bad", _("Nothing to do"), _("This is over already, or is not yours to change."))
                return no_update, no_update, no_update, no_update, gone
            return True, *found, "", ""
        given = {name["name"]: value for name, value in zip(names or [], values or [], strict=True)}
        given = {name: "" if value == EVERY else value for name, value in given.items()}
        try:
            said = tending.do(who, called(who), what, of, given)
        except NotDone as error:
            problem = html.P([icon("alert"), str(error)], className="log-problem")
            return no_update, no_update, no_update, problem, no_update
        return False, no_update, no_update, "", notice("info", _("Done"), said)


def _form(queries: Queries, tending: Tending, who: Viewer, act: str, of: str) -> tuple[str, list[Any]] | None:
    """Title and content of the form that a button opens; None where there is nothing to do any more."""
    if act == "end":
        quiet = tending.silence(who, of)
        return None if quiet is None else tending_form.end(quiet)
    one = tending.incident(who, of)
    if act == "silence":
        mine = {pilot.slug: pilot.name for pilot in queries.pilots(who)}
        feeds = {feed.id for pilot in queries.pilots(who) for feed in pilot.feeds}
        known = {found.series for found in queries.incidents(who, list(mine), open_only=False)}
        streams = sorted({"contributions", "usage"} | feeds | known | ({one.series} if one else set()))
        return tending_form.silence(one, mine, who.pilots is None, streams) if mine else None
    if one is None or one.closed_ns is not None:
        return None
    return tending_form.acknowledge(one, who.name) if act == "acknowledge" else tending_form.accept(one)


def _asked(search: object) -> str | None:
    """The number of the incident that the address asks for."""
    if not isinstance(search, str) or len(search) > _LONGEST:
        return None
    try:
        found = dict(parse_qsl(search.removeprefix("?"), max_num_fields=40)).get("incident")
    except ValueError:
        return None
    return found[:20] if found else None


def _body(
    queries: Queries, tending: Tending | None, who: Viewer, search: str | None, scheme: palette.Scheme
) -> list[Any]:
    number, frames = _asked(search), list[Any]()
    if number is not None:
        story = queries.story(who, number)
        frames.append(_shown(queries, tending, who, story, scheme) if story else _unknown(number))
        rest = html.A(_("All incidents"), href=f"{PATH}{queries.select(who, search).to_query()}")
        frames.append(html.P(rest, className="care-rest"))
        if story is not None:
            return frames
    return frames + _all(queries, tending, who, queries.select(who, search), scheme)


def _unknown(number: str) -> html.Div:
    said = _("None of the pilots that you may see has it. A link may be cut short, or of another installation.")
    return notice("empty", _("There is no incident {n}", n=number), said)


def _all(
    queries: Queries, tending: Tending | None, who: Viewer, selection: Selection, scheme: palette.Scheme
) -> list[Any]:
    pilots = queries.pilots(who, selection)
    if not pilots:
        return [notice("empty", _("No pilot to show"), _("Choose at least one in the bar above."))]
    stories = [(pilot, story) for pilot in pilots for story in queries.stories(who, pilot.slug)]
    still = [story for _pilot, story in stories if story.incident.closed_ns is None]
    still.sort(key=lambda one: (one.incident.kind != "drop_off", -one.incident.opened_ns))
    frames: list[Any] = []
    for group in together(still):
        shown = [_shown(queries, tending, who, story, scheme) for story in group]
        whose = next((pilot for pilot in pilots if pilot.slug == group[0].incident.pilot), None)
        frames += [group_frame(group, whose, shown)] if len(group) > 1 else shown
    if not still:
        said = _("No incident of the chosen pilots is open. Alerts are evaluated by the pipeline: see the bar above.")
        frames.append(notice("empty", _("Nothing open"), said))
    frames.append(_silences(queries, tending, who))
    for pilot in pilots:
        if mine := [story for one, story in stories if one is pilot and story.incident.closed_ns is not None][:_PAST]:
            frames.append(past_frame(pilot, mine))
    return frames


def _shown(
    queries: Queries, tending: Tending | None, who: Viewer, story: Story, scheme: palette.Scheme
) -> html.Section:
    one = story.incident
    pilot = next((pilot for pilot in queries.pilots(who) if pilot.slug == one.pilot), None)
    able = tending is not None and one.closed_ns is None and tending.incident(who, str(one.id)) is not None
    acts = tending_form.buttons(one, tending.acceptable(one)) if tending is not None and able else []
    return incident_frame(story, pilot, queries.hue(pilot.slug) if pilot else 0, scheme, acts)


def _silences(queries: Queries, tending: Tending | None, who: Viewer) -> html.Section:
    found = queries.silences(who)
    names = {pilot.slug: pilot.name for pilot in queries.pilots(who)}
    able = [one.id for one in found if tending is not None and tending.may_end(who, one)]
    may = tending is not None and tending.may_silence(who)
    return silences_frame(
        found, names, able, [tending_form.button("silence", "", _("Silence notifications…"))] if may else []
    )
