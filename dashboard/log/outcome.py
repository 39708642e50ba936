"""Pure: the step that asks what came out: contributions, what became of them, a decision, what was learnt."""

from typing import Any

from dash import html

from dashboard.log.controls import cards, counter, number, pick
from dashboard.log.fields import Form
from dashboard.log.parts import cards_of, not_held, only, several_of, step
from dashboard.texts import _


def outcome(form: Form, named: dict[str, str]) -> html.Section:
    def counters(prefix: str, words: str) -> html.Div:
        rows = [counter(f"{prefix}{one}", term) for one, term in form.terms(words).items()]
        return html.Div(rows, className="log-counters")

    roles = [
        pick(f"role_{group}", _(term.title), form.terms("decision_role"), searchable=False)
        for group, term in form.terms("actor_kind").items()
    ]
    became = _folded(
        _("What became of contributions"),
        counters("became_", "disposition"),
        pick(
            "disposition_reason",
            named["disposition_reason"],
            form.terms("disposition_reason"),
            _(form.vocabulary["disposition_reason"].help),
        ),
        pick("recorded_by", named["recorded_by"], form.terms("recorded_by"), _(form.vocabulary["recorded_by"].help)),
    )
    decision = _folded(
        _("A decision was made"),
        cards_of(form, "outcome", "decision_outcome", named),
        cards("level_delivered", named["level_delivered"], form.terms("level"), _("How much say people really had.")),
        html.Div(
            [
                html.H4(_("Who took which part")),
                html.P(_(form.vocabulary["decision_role"].help), className="note"),
                html.Div(roles, className="log-pairs"),
            ]
        ),
        html.Div(
            [
                number("inputs_considered", named["inputs_considered"]),
                number("inputs_adopted", named["inputs_adopted"]),
            ],
            className="log-pair",
        ),
    )
    learnt = _folded(
        _("Obstacles and lessons"),
        several_of(form, "obstacles", "obstacle", named),
        several_of(form, "lessons", "lesson", named),
    )
    return step(
        4,
        _("What came out?"),
        _("Open what applies; the rest may stay closed."),
        not_held(),
        html.Div(
            [_folded(_("Contributions"), counters("made_", "contribution_kind")), became, decision, learnt],
            className="log-stack",
            **only("held"),
        ),
    )


def _folded(title: str, *content: Any) -> html.Details:
    return html.Details([html.Summary(title), html.Div(list(content), className="log-stack")], className="log-fold")
