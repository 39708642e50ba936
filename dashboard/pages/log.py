"""Log: an operator records what happened, step by step, on a phone; it is on the pages within a minute.

What is typed stays on the device until it is saved (`assets/log.js`); what is saved is kept here until it is sent. The
server draws the form once and is asked again only to save, to correct, and how far each record has come.
"""

import logging
import secrets
from collections.abc import Mapping
from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from flask import current_app

from dashboard.access.access import Access
from dashboard.components import answered, attributes, heading, icon, notice, skeleton, unless_drawn
from dashboard.log.controls import FIELD
from dashboard.log.desk import Desk
from dashboard.log.draft import Wrong, fields_in
from dashboard.log.listing import OPEN, WITHDRAW, listing
from dashboard.log.qr import code_panel
from dashboard.log.steps import form_layout
from dashboard.log.words import for_browser
from dashboard.queries import AnswersAway, Queries
from dashboard.security import viewer
from dashboard.texts import _, _n

PATH, TITLE = "/log", "Log"
log = logging.getLogger(__name__)
_TICK_MS: Final = 2_000


def id_(name: str) -> str:
    return f"log-{name}"


def layout(**chosen: str) -> html.Div:
    return html.Div(
        [
            dcc.Store(id=id_("draft"), storage_type="local"),
            *[
                dcc.Store(id=id_(name))
                for name in ("answer", "load", "sink", "drawn", "sink-2", "sink-3", "mount", "words")
            ],
            dcc.Interval(id=id_("tick"), interval=_TICK_MS),
            heading(_("Log"), _("Record what happened: an activity, who came, what came out of it.")),
            html.Div(
                [
                    html.Div(skeleton([60, 420]), id=id_("body")),
                    html.Section(
                        [
                            html.H2(_("Recorded")),
                            html.Div(id=id_("told"), role="status"),
                            html.Div(id=id_("records")),
                        ],
                        className="log-side",
                    ),
                ],
                className="log-page",
                id="log",
            ),
        ]
    )


def every_part(desk: Desk | None) -> list[Any]:
    """What the form holds, so that Dash can check the callbacks before it is drawn."""
    return [form_layout(desk.form, {})] if desk else []


def register(app: Dash, queries: Queries, desk: Desk | None = None) -> None:
    """The callbacks; without a desk, on a server that can publish nothing, the page says so."""
    body = answered(_body)

    @app.callback(
        Output(id_("body"), "children"),
        Output(id_("mount"), "data"),
        Output(id_("words"), "data"),
        Input("url", "pathname"),
    )
    def draw(path: str | None) -> tuple[Any, Any, Any]:
        # The mount is new each time, so that the browser fills the new form with what it has kept.
        words = for_browser(desk.form, _names(desk), str(viewer().account or viewer().name)) if desk else {}
        return body(desk), secrets.token_hex(4), words

    if desk is None:
        return
    _register_browser(app)
    _register_saving(app, desk)
    _register_check_in(app, desk)
    _register_records(app, queries, desk)


def _body(desk: Desk | None) -> Any:
    if desk is None:
        return notice(
            "empty", _("Nothing can be recorded here"), _("This server was started without a way to the broker.")
        )
    names = _names(desk)
    if not names:
        return notice(
            "empty", _("No pilot to record for"), _("Your account may record for no pilot that takes records by hand.")
        )
    return form_layout(desk.form, names)


def _names(desk: Desk) -> dict[str, str]:
    """The pilots that the reader may record for."""
    return {slug: pilot.name for slug, (pilot, _feed) in desk.places(viewer()).items()}


def _register_browser(app: Dash) -> None:
    """What the browser does alone: keep the draft, show errors beside their fields, take a record up again."""
    kept = (Input({"type": FIELD, "name": ALL}, "value"), State({"type": FIELD, "name": ALL}, "id"),
            State(id_("mount"), "data"), State(id_("draft"), "data"), State(id_("words"), "data"))  # fmt: skip
    for name, output, inputs in (
        ("keep", id_("sink"), kept),
        ("answer", id_("sink-2"), (Input(id_("answer"), "data"),)),
        ("load", id_("sink-3"), (Input(id_("load"), "data"),)),
    ):
        app.clientside_callback(ClientsideFunction("periscopeLog", name), Output(output, "data"), *inputs)  # type: ignore[no-untyped-call]


def _register_saving(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(id_("answer"), "data"),
        Output(id_("said"), "children"),
        Input(id_("save"), "n_clicks"),
        State(id_("draft"), "data"),
        running=[(Output(id_("save"), "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def save(clicks: int | None, draft: Any) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update
        try:
            record = desk.save(viewer(), draft)
        except Wrong as error:
            return {"errors": error.sentences}, _problem(error)
        see = html.Button(
            _("See it in the list"), type="button", className="log-link", **attributes({"data-log-list": ""})
        )
        done: list[Any] = [icon("log-ok"), html.Span([_("Saved as {id}.", id=record.id), " ", see])]
        return {"saved": record.id}, html.P(done, className="log-done")


def _register_check_in(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(id_("qr"), "children"),
        Input(id_("qr-open"), "n_clicks"),
        State(id_("draft"), "data"),
        prevent_initial_call=True,
    )
    def show(clicks: int | None, draft: Any) -> Any:
        if not clicks:
            return no_update
        access: Access = current_app.extensions["periscope_access"]
        try:
            return code_panel(desk.invite(viewer(), draft), desk, access.web.public_url)
        except Wrong as error:
            return html.P([icon("alert"), " ".join(error.sentences.values())], className="log-problem", role="alert")

    @app.callback(Output(id_("coming"), "children"), Input(id_("tick"), "n_intervals"), State(id_("draft"), "data"))
    def count(ticks: int | None, draft: Any) -> Any:
        record = fields_in(draft).get("id")
        n = desk.codes(viewer(), record) if isinstance(record, str) else 0
        return _n("{n} person has checked in.", "{n} people have checked in.", n) if n else ""


def _register_records(app: Dash, queries: Queries, desk: Desk) -> None:
    rows = answered(_records)

    @app.callback(
        Output(id_("records"), "children"),
        Output(id_("drawn"), "data"),
        Input(id_("tick"), "n_intervals"),
        Input(id_("answer"), "data"),
        Input(id_("told"), "children"),
        State(id_("drawn"), "data"),
    )
    def draw(ticks: int | None, answer: Any, told: Any, drawn: str | None) -> Any:
        return unless_drawn(rows(queries, desk), drawn if isinstance(drawn, str) else None)

    @app.callback(
        Output(id_("load"), "data"),
        Output(id_("told"), "children"),
        Input({"type": OPEN, "record": ALL}, "n_clicks"),
        Input({"type": WITHDRAW, "record": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def act(opened: Any, withdrawn: Any) -> tuple[Any, Any]:
        asked = ctx.triggered_id
        if not isinstance(asked, dict) or not any(one.get("value") for one in ctx.triggered):
            return no_update, no_update
        try:
            if asked.get("type") == WITHDRAW:
                gone = desk.withdraw(viewer(), str(asked.get("record")))
                return no_update, html.P(_("{id} was withdrawn.", id=gone.id), className="log-done")
            return desk.draft(viewer(), str(asked.get("record"))), ""
        except Wrong as error:
            return no_update, _problem(error)


def _records(queries: Queries, desk: Desk) -> Any:
    who = viewer()
    pilots = {slug: pilot for slug, (pilot, _feed) in desk.places(who).items()}

    def recorded(slug: str, days: list[str]) -> Mapping[str, int]:
        try:
            return queries.recorded(who, slug, days)
        except AnswersAway:
            return {}  # unknown is not arrived; the next look may know

    there = {one.record.id: desk.note_arrivals(one.record, recorded) for one in desk.kept(who)}
    return listing(desk.kept(who), desk.form, pilots, there, desk.post.problem)


def _problem(error: Wrong) -> html.P:
    general = error.sentences.get("")
    said = general or _n("{n} field needs another look.", "{n} fields need another look.", len(error.sentences))
    return html.P([icon("alert"), said], className="log-problem", role="alert")
