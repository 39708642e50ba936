"""Pure: the form in five steps. All of it is in the page at once, so that nobody waits for a server between them."""

from collections.abc import Mapping

import dash_mantine_components as dmc
from dash import html

from config.vocabulary import Term
from dashboard.components import attributes, icon
from dashboard.log.controls import cards, code, counter, day, field_id, hour, number, pick
from dashboard.log.fields import Form
from dashboard.log.languages import LANGUAGES
from dashboard.log.outcome import outcome
from dashboard.log.parts import cards_of, not_held, only, part, several_of, step
from dashboard.log.words import labels, whats
from dashboard.texts import _


def form_layout(form: Form, pilots: Mapping[str, str]) -> html.Div:
    """The whole form for these pilots (names by slug)."""
    named = labels(form)
    steps = [_what(form, named, pilots), _activity(form, named), _attendance(form), outcome(form, named), _review()]
    return html.Div(
        [
            _progress(),
            html.P(_("You correct a record; saving replaces what it said."), className="log-correcting"),
            *steps,
            _bar(),
        ],
        id="log-form",
        className="log-form",
        **attributes({"data-step": "1"}),
    )


def _progress() -> html.Nav:
    names = [_("What"), _("Activity"), _("People"), _("Outcome"), _("Save")]
    steps = [
        html.Li(
            html.Button(
                [html.Span(str(n), className="log-dot"), html.Span(name)],
                type="button",
                **attributes({"data-log-step": str(n)}),
            )
        )
        for n, name in enumerate(names, 1)
    ]
    return html.Nav(html.Ol(steps), className="log-progress", **attributes({"aria-label": _("Steps")}))


def _what(form: Form, named: dict[str, str], pilots: Mapping[str, str]) -> html.Section:
    helps = {
        "held": _("A workshop, walk, survey, vote or anything else in which people took part."),
        "scheduled": _("A date that is fixed; recorded before, it can later say what it changed."),
        "cancelled": _("Something that was announced and does not take place."),
        "closure": _("Nobody can take part on these days, so alerts leave them out: a quiet day is no drop-off then."),
    }
    choices = {one: Term(title=title, help=helps[one]) for one, title in whats().items()}
    places = dmc.RadioGroup(
        html.Div(
            [
                dmc.Radio(label=name, value=slug, className="log-card is-short", size="md")
                for slug, name in pilots.items()
            ],
            className="log-cards log-row",
        ),
        id=field_id("pilot"),
        label=named["pilot"],
        className="log-field",
    )
    pair = html.Div(
        [day("date", named["date"]), hour("time", named["time"])],
        className="log-pair",
        **only("held scheduled cancelled"),
    )
    span = html.Div(
        [day("first", named["first"]), day("last", named["last"], _("This day is closed too."))],
        className="log-pair",
        **only("closure"),
    )
    return step(
        1,
        _("What happened?"),
        _("Everything is by code; no name of a person belongs here."),
        places,
        cards("what", named["what"], choices),
        pair,
        span,
        html.Div(cards_of(form, "cancel_reason", "cancel_reason", named), **only("cancelled")),
        html.Div(cards_of(form, "closure_reason", "closure_reason", named), **only("closure")),
    )


def _activity(form: Form, named: dict[str, str]) -> html.Section:
    languages = dmc.MultiSelect(
        id=field_id("lang"),
        label=named["lang"],
        description=_("In which it was held."),
        value=[],
        size="md",
        clearable=True,
        data=[{"value": one, "label": name} for one, name in LANGUAGES.items()],
        searchable=True,
        hidePickedOptions=True,
        className="log-field",
        placeholder=_("Choose any number"),
    )
    main = html.Div(
        [
            pick("method", named["method"], form.terms("method"), _(form.vocabulary["method"].help)),
            cards_of(form, "stage", "stage", named),
            cards(
                "level_declared", named["level_declared"], form.terms("level"), _("How much say people were promised.")
            ),
            cards_of(form, "open", "open", named),
            cards_of(form, "mode", "mode", named),
            cards_of(form, "timing_basis", "timing_basis", named),
        ],
        className="log-stack",
    )
    with_ = part(
        _("How it was done"),
        several_of(form, "tools", "tool", named),
        several_of(form, "techniques", "technique", named),
        several_of(form, "skills_needed", "skill", named, _("What those who led it had to be able to do.")),
        html.Div(several_of(form, "skills_present", "skill", named, _("What of it they could do.")), **only("held")),
    )
    where = part(
        _("Where, how long, what it cost"),
        html.Div(
            [
                code("place", named["place"], _("Of a district or postal area, such as 16157; no address.")),
                code(
                    "challenge_id", named["challenge_id"], _("The code of the matter it belongs to, if there is one.")
                ),
                number("duration_min", named["duration_min"], unit=_("min")),
                number("facilitators_n", named["facilitators_n"], _("How many people led it.")),
                number("cost_eur", named["cost_eur"], unit="€"),
                languages,
            ],
            className="log-pairs",
        ),
        help=_("All of this may stay empty."),
    )
    nothing = html.P(
        _("There is nothing to say here about this; go on to the last step."),
        className="note",
        **only("cancelled closure"),
    )
    return step(
        2,
        _("The activity"),
        _("What kind of activity it was."),
        nothing,
        html.Div([main, with_, where], className="log-stack", **only("held scheduled")),
    )


def _attendance(form: Form) -> html.Section:
    groups = [counter(f"count_{group}", term) for group, term in form.terms("actor_kind").items()]
    code_box = html.Div(
        [
            html.Button(
                [icon("qr"), _("Show the check-in code")],
                id="log-qr-open",
                type="button",
                n_clicks=0,
                className="log-button is-second",
            ),
            html.Div(id="log-qr"),
            html.Div(id="log-coming", role="status"),
        ],
        className="log-check-in",
    )
    return step(
        3,
        _("Who came?"),
        _("Count everybody in the room, by group. Readers never see small numbers."),
        not_held(),
        html.Div(
            [
                html.Div(groups, className="log-counters"),
                part(
                    _("Check-in by code"),
                    code_box,
                    help=_(
                        "People who agree scan this with their own phone. They get a code instead of a name, which "
                        "lets the evaluation see who comes back. They are part of the counts above and are not "
                        "counted twice."
                    ),
                ),
            ],
            className="log-stack",
            **only("held"),
        ),
    )


def _review() -> html.Section:
    return step(
        5,
        _("Right so?"),
        _("Saving sends it on its way; a mistake can be corrected or withdrawn at any time."),
        html.Div(id="log-review"),
    )


def _bar() -> html.Div:
    lost = html.Span(
        [icon("alert"), _("No connection. What you typed is kept on this device; save when it is back.")],
        className="log-lost",
    )
    kept = html.Span(id="log-kept", className="log-kept")
    return html.Div(
        [
            html.Div(id="log-said", role="status", className="log-said"),
            html.Div(
                [
                    html.Button(
                        _("Back"),
                        type="button",
                        className="log-button is-second log-back",
                        **attributes({"data-log-go": "-1"}),
                    ),
                    html.Div([kept, lost], className="log-state"),
                    html.Button(
                        _("Next"), type="button", className="log-button log-next", **attributes({"data-log-go": "1"})
                    ),
                    html.Button(_("Save"), id="log-save", type="button", n_clicks=0, className="log-button log-save"),
                ],
                className="log-bar-row",
            ),
        ],
        className="log-bar",
    )
