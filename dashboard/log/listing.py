"""Pure: what was recorded, and how far each record has come on its way to the store."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from config.catalogue import Pilot
from dashboard import wording
from dashboard.components import attributes, icon
from dashboard.log.desk import Kept
from dashboard.log.fields import Form
from dashboard.log.words import whats
from dashboard.texts import _, _n
from pipeline.logbook import Record

OPEN, WITHDRAW = "log-open", "log-withdraw"


def listing(
    found: Sequence[Kept], form: Form, pilots: Mapping[str, Pilot], there: Mapping[str, bool], problem: str | None
) -> list[Any]:
    """The newest records; `there` says by id which have arrived whole; `problem` why the broker takes nothing."""
    if not found:
        return [html.P(_("Nothing has been recorded here yet."), className="note")]
    return [
        html.Ul(
            [_row(one, form, pilots[one.record.pilot], there.get(one.record.id, False), problem) for one in found],
            className="log-records",
        )
    ]


def _row(one: Kept, form: Form, pilot: Pilot, is_there: bool, problem: str | None) -> html.Li:
    record = one.record
    people = (
        [html.Span(_n("{n} checked in by code", "{n} checked in by code", one.codes), className="quiet")]
        if one.codes
        else []
    )
    head = html.Div(
        [
            html.Strong(_title(one, form)),
            html.Span(f"{pilot.name} · {wording.day(record.day)}", className="quiet"),
            html.Code(record.id),
            *people,
        ],
        className="log-record-head",
    )
    said = {"data-record": record.id, "data-state": _state(one, is_there)}
    return html.Li(
        [head, _way(one, pilot, is_there, problem), *_actions(record)], className="log-record", **attributes(said)
    )


def _title(one: Kept, form: Form) -> str:
    if one.entry is None or one.record.state == "open":
        return _("Check-in is open, nothing else is recorded")
    if one.entry.what == "closure":
        return _("Closed to {day}", day=wording.day(one.entry.values["last"]))
    method = str(one.entry.values.get("method"))
    named = form.terms("method")
    return _(named[method].title) if method in named else whats()[one.entry.what]


def _state(one: Kept, is_there: bool) -> str:
    if one.waiting:
        return "waiting"
    if one.record.state == "open":
        return "open"
    return "arrived" if is_there else "sent"


def _way(one: Kept, pilot: Pilot, is_there: bool, problem: str | None) -> html.P:
    """How far it has come, in a sentence."""
    record = one.record
    gone = _("Withdrawn; it counts no more. ") if record.state == "withdrawn" else ""
    again = _("Corrected. ") if record.revision > 1 and not gone else ""
    match _state(one, is_there):
        case "waiting":
            why = (
                _("The broker does not answer; it is tried again by itself.")
                if problem
                else _("On its way to the broker.")
            )
            shown, said = "wait", _("Kept here, nothing is lost. {why}", why=why)
        case "open":
            shown, said = "open", _("People can check in. Go on with it to say what happened.")
        case "arrived":
            at = record.arrived_ns
            when = "" if at is None else wording.clock_time(at, pilot.zone)[:5]
            shown, said = "ok", _("In the store since {time}.", time=when) if when else _("In the store.")
        case _:
            shown, said = "wait", _("Sent; it arrives in the store within a minute.")
    return html.P([icon(f"log-{shown}"), f"{gone}{again}{said}"], className=f"log-way is-{shown}")


def _actions(record: Record) -> list[Any]:
    if record.state == "withdrawn":
        return []
    go_on = _("Go on with it") if record.state == "open" else _("Correct")
    return [
        html.Div(
            [
                html.Button(
                    go_on,
                    id={"type": OPEN, "record": record.id},
                    type="button",
                    n_clicks=0,
                    className="log-button is-second",
                ),
                html.Details(
                    [
                        html.Summary(_("Withdraw")),
                        html.P(_("Everything that it said is taken back, check-ins too."), className="note"),
                        html.Button(
                            _("Yes, withdraw it"),
                            id={"type": WITHDRAW, "record": record.id},
                            type="button",
                            n_clicks=0,
                            className="log-button is-bad",
                        ),
                    ],
                    className="log-withdraw",
                ),
            ],
            className="log-actions",
        )
    ]
