"""Pure: the controls of the form, each at least as large as a thumb, with its sentence of help and room for an error.

A control's id is {"type": "log-field", "name": ...}; its `value` goes into the draft and its `error` comes back.
"""

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html

from config.vocabulary import Term
from dashboard.components import attributes
from dashboard.texts import _

FIELD = "log-field"


def field_id(name: str) -> dict[str, str]:
    return {"type": FIELD, "name": name}


def cards(name: str, label: str, terms: Mapping[str, Term], help: str = "") -> dmc.RadioGroup:
    """One of a few codes; every choice shows what it means."""
    choices = [
        dmc.Radio(label=_(term.title), description=_(term.help), value=code, className="log-card", size="md")
        for code, term in terms.items()
    ]
    return dmc.RadioGroup(
        html.Div(choices, className="log-cards"),
        id=field_id(name),
        label=label,
        description=help,
        className="log-field",
    )


def pick(name: str, label: str, terms: Mapping[str, Term], help: str = "", searchable: bool = True) -> dmc.Select:
    """One of many codes; the list shows what each means."""
    return dmc.Select(
        id=field_id(name),
        label=label,
        description=help,
        data=_options(terms),
        searchable=searchable,
        clearable=True,
        size="md",
        className="log-field",
        maxDropdownHeight=340,
        nothingFoundMessage=_("None of the choices"),
        placeholder=_("Choose"),
        renderOption=_with_help(terms),
    )


def several(name: str, label: str, terms: Mapping[str, Term], help: str = "") -> dmc.MultiSelect:
    """Any number of codes."""
    return dmc.MultiSelect(
        id=field_id(name),
        label=label,
        description=help,
        data=_options(terms),
        value=[],
        searchable=True,
        clearable=True,
        hidePickedOptions=True,
        size="md",
        className="log-field",
        maxDropdownHeight=340,
        nothingFoundMessage=_("None of the choices"),
        placeholder=_("Choose any number"),
        renderOption=_with_help(terms),
    )


def day(name: str, label: str, help: str = "") -> dmc.DatePickerInput:
    """A day, chosen from a calendar."""
    return dmc.DatePickerInput(
        id=field_id(name), label=label, description=help, size="md", className="log-field", firstDayOfWeek=1,
        valueFormat="ddd D MMM YYYY", placeholder=_("Choose"),
    )  # fmt: skip


def hour(name: str, label: str, help: str = "") -> dmc.TimeInput:
    """An hour, by the device's own picker."""
    return dmc.TimeInput(id=field_id(name), label=label, description=help, size="md", className="log-field", value="")


def code(name: str, label: str, help: str) -> dmc.TextInput:
    """A short code; never a name."""
    return dmc.TextInput(
        id=field_id(name), label=label, description=help, size="md", className="log-field", value="", autoComplete="off"
    )


def number(name: str, label: str, help: str = "", unit: str = "") -> dmc.NumberInput:
    """A whole number."""
    return dmc.NumberInput(
        id=field_id(name), label=label, description=help, suffix=f" {unit}" if unit else "", size="md", value="",
        className="log-field", **_WHOLE,
    )  # fmt: skip


def counter(name: str, term: Term) -> html.Div:
    """A number that is counted up and down by thumb: a row with the code's title and sentence."""
    title, label_id = _(term.title), f"log-label-{name}"
    return html.Div(
        [
            html.Div([html.Strong(title, id=label_id), html.Span(_(term.help))], className="log-counter-words"),
            html.Div(
                [
                    _step(name, -1, _("One less: {what}", what=title)),
                    dmc.NumberInput(
                        id=field_id(name), size="md", value="", placeholder="0",
                        **attributes({"aria-labelledby": label_id}), **_WHOLE,
                    ),
                    _step(name, 1, _("One more: {what}", what=title)),
                ],
                className="log-counter-control",
            ),
        ],
        className="log-counter",
    )  # fmt: skip


def _step(name: str, by: int, label: str) -> html.Button:
    said = {"aria-label": label, "data-log-by": str(by), "data-log-name": name}
    return html.Button("+" if by > 0 else "−", type="button", className="log-round", **attributes(said))


def _options(terms: Mapping[str, Term]) -> list[dict[str, str]]:
    return [{"value": code, "label": _(term.title)} for code, term in terms.items()]


def _with_help(terms: Mapping[str, Term]) -> dict[str, Any]:
    return {"function": "periscopeLogOption", "options": {"help": {code: _(term.help) for code, term in terms.items()}}}


_WHOLE: dict[str, Any] = {
    "min": 0, "allowDecimal": False, "allowNegative": False, "hideControls": True, "clampBehavior": "none",
}  # fmt: skip
