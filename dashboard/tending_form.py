"""Pure: the buttons at an incident, and the form that each opens, with what it will do in words."""

from collections.abc import Mapping
from typing import Any, Final

import dash_mantine_components as dmc
from dash import html

from dashboard.texts import _, _n
from pipeline.alerts.care import Quiet
from pipeline.values import Incident

ACT, DO, FIELD = "alerts-act", "alerts-do", "alerts-field"
EVERY: Final = "*"  # of a choice that means all
_DAYS: Final = (1, 3, 7, 14, 30)
_SHORT: Final = 12


def kinds() -> dict[str, str]:
    return {"drop_off": _("drop-off"), "feed_silent": _("feed silent"), "evaluation_failed": _("not evaluated")}


def button(act: str, of: str, words: str) -> html.Button:
    """Opens the form of an act; `of` is the number of an incident or a silence, "" for neither."""
    return html.Button(words, id={"type": ACT, "act": act, "of": of}, className="kind-button", type="button")


def buttons(one: Incident, acceptable: bool) -> list[Any]:
    """What can be done about an open incident."""
    found = [button("acknowledge", str(one.id), _("Acknowledge…")), button("silence", str(one.id), _("Silence…"))]
    return [*found, button("accept", str(one.id), _("Accept as new normal…"))] if acceptable else found


def acknowledge(one: Incident, who: str) -> tuple[str, list[Any]]:
    """Title and content of the form."""
    said = _("{who} will be named as looking after it. Until then nobody is reminded of it; its end is told.", who=who)
    days = [{"value": EVERY, "label": _("until it is over")}, *_spans()]
    return _("Acknowledge incident {n}", n=one.id), _form("acknowledge", str(one.id), said, [
        _note(_("What is being done")), _select("days", _("For how long"), days, "7"),
    ], _("Acknowledge"))  # fmt: skip


def accept(one: Incident) -> tuple[str, list[Any]]:
    """Title and content of the form."""
    said = _(
        "What is usual is learned anew from today on, and the incident is closed once today has been judged. For four "
        "weeks no fall can be found. This cannot be undone."
    )
    return _("Accept the level of incident {n} as the new normal", n=one.id), _form(
        "accept", str(one.id), said, [_note(_("Why it will stay so"))], _("Accept as new normal")
    )


def silence(one: Incident | None, pilots: Mapping[str, str], every: bool, streams: list[str]) -> tuple[str, list[Any]]:
    """Title and content of the form; `every`: the reader may silence every pilot at once."""
    said = _(
        "Notifications of what fits all three are kept back. Incidents are recorded and shown as ever; what is still "
        "open when the silence ends is told then."
    )
    whose = [{"value": slug, "label": name} for slug, name in pilots.items()]
    return _("Silence notifications"), _form("silence", "", said, [
        _select("pilot", _("Pilot"), [*_all(every, _("every pilot")), *whose], one.pilot if one else whose[0]["value"]),
        _select("kind", _("Kind"), [*_all(True, _("every kind")),
                                    *({"value": code, "label": name} for code, name in kinds().items())],
                one.kind if one else EVERY),
        _select("series", _("Stream or feed"), [*_all(True, _("every stream")),
                                                *({"value": name, "label": name} for name in streams)],
                one.series if one else EVERY),
        _note(_("Reason")), _select("days", _("For how long"), _spans(), "7"),
    ], _("Silence"))  # fmt: skip


def end(one: Quiet) -> tuple[str, list[Any]]:
    """Title and content of the form."""
    said = _("Of {who}, for: {reason}. What it held back and is still open is told at once.",
             who=one.who, reason=one.reason)  # fmt: skip
    return _("End the silence"), _form("end", str(one.id), said, [], _("End the silence now"))


def _form(act: str, of: str, said: str, fields: list[Any], words: str) -> list[Any]:
    press = html.Button(words, id={"type": DO, "act": act, "of": of}, className="log-button", type="button")
    return [html.P(said), *fields, press]


def _all(there: bool, label: str) -> list[dict[str, str]]:
    return [{"value": EVERY, "label": label}] if there else []


def _spans() -> list[dict[str, str]]:
    return [{"value": str(days), "label": _n("{n} day", "{n} days", days)} for days in _DAYS]


def _note(label: str) -> dmc.TextInput:
    return dmc.TextInput(
        id={"type": FIELD, "name": "note"}, label=label, value="", size="md", className="log-field",
        autoComplete="off", required=True,
    )  # fmt: skip


def _select(name: str, label: str, data: list[dict[str, str]], value: str) -> dmc.Select:
    return dmc.Select(
        id={"type": FIELD, "name": name}, label=label, data=data, value=value, size="md", className="log-field",
        allowDeselect=False, searchable=len(data) > _SHORT, nothingFoundMessage=_("None of the choices"),
    )  # fmt: skip
