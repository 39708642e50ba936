"""Pure: what the steps of the form are made of."""

from typing import Any

import dash_mantine_components as dmc
from dash import html

from dashboard.components import attributes
from dashboard.log.controls import cards, several
from dashboard.log.fields import Form
from dashboard.texts import _


def step(n: int, title: str, lead: str, *content: Any) -> html.Section:
    """One step, with a title that takes the focus when the step opens."""
    head = html.Div([html.H2(title, id=f"log-step-{n}", tabIndex=-1), html.P(lead, className="lead")])
    said = {"data-log-of": str(n), "aria-labelledby": f"log-step-{n}"}
    return html.Section([head, *content], className="log-step", **attributes(said))


def part(title: str, *content: Any, help: str = "") -> html.Div:
    """Fields that belong together."""
    lead = [html.P(help, className="note")] if help else []
    return html.Div([html.H3(title), *lead, *content], className="log-part")


def only(what: str) -> dict[str, Any]:
    """The attribute of what shows only while this is recorded; `what` holds codes of it, with spaces between."""
    return attributes({"data-log-only": what})


def cards_of(form: Form, name: str, words: str, named: dict[str, str]) -> dmc.RadioGroup:
    """One code of a list of the vocabulary, with the list's own help."""
    return cards(name, named[name], form.terms(words), _(form.vocabulary[words].help))


def several_of(form: Form, name: str, words: str, named: dict[str, str], help: str = "") -> dmc.MultiSelect:
    """Any number of codes of a list of the vocabulary."""
    return several(name, named[name], form.terms(words), help or _(form.vocabulary[words].help))


def not_held() -> html.P:
    """What a step says instead of asking, when nothing was held."""
    return html.P(
        _("This is asked only of an activity that was held."), className="note", **only("scheduled cancelled closure")
    )
