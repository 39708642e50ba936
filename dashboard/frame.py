"""The one frame that every figure sits in.

Promises: a title that says what is shown; a sentence, computed from the data, that says what it says; n, interval and
status; the numbers as a table and as CSV; the definition one click away. A page gives content, never its own frame.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dash import html

from dashboard import wording
from dashboard.components import attributes, icon
from dashboard.texts import _
from pipeline.values import IndicatorValue


@dataclass(frozen=True)
class Framed:
    """What a frame shows. `name` is unique on its page; `csv` and `definition` are addresses on this server."""

    name: str
    title: str
    sentence: Any
    body: Any
    eyebrow: str = ""
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    table: Any = None
    csv: str | None = None
    definition: str | None = None
    notes: Sequence[str] = field(default_factory=tuple)


def frame(shown: Framed) -> html.Section:
    """The frame around one figure or table."""
    title_id = f"title-{shown.name}"
    head = [html.Span(shown.eyebrow, className="eyebrow")] if shown.eyebrow else []
    links = []
    if shown.definition:
        links.append(html.A([icon("book"), _("Definition")], href=shown.definition, className="frame-link"))
    if shown.csv:
        links.append(html.A([icon("download"), _("CSV")], href=shown.csv, className="frame-link", download=""))
    return html.Section(
        [
            html.Div(
                [html.Div([*head, html.H2(shown.title, id=title_id)]), html.Div(links, className="frame-links")],
                className="frame-head",
            ),
            html.P(shown.sentence, className="frame-sentence"),
            html.Div(shown.body, className="frame-body"),
            _foot(shown),
        ],
        className="frame",
        id=f"frame-{shown.name}",
        **attributes({"aria-labelledby": title_id}),
    )


def _foot(shown: Framed) -> html.Div:
    facts = html.Dl([html.Div([html.Dt(term), html.Dd(said)]) for term, said in shown.facts], className="facts")
    notes = [html.P(note, className="note") for note in shown.notes]
    numbers = (
        [html.Details([html.Summary(_("Numbers as table")), shown.table], className="frame-table")]
        if shown.table
        else []
    )
    return html.Div([*([facts] if shown.facts else []), *notes, *numbers], className="frame-foot")


def facts_of(values: Iterable[IndicatorValue], k: int, methods: dict[str, str]) -> list[tuple[str, str]]:
    """n, interval method and status of the values in a figure; `methods` names interval methods for readers."""
    values = list(values)
    counts = [value.n for value in values if value.n is not None]
    named = list(dict.fromkeys(methods.get(value.interval, value.interval) for value in values if value.interval))
    statuses = Counter(wording.status(value, k) for value in values)
    spread = _("not stated")
    if counts:
        low, high = wording.number(min(counts)), wording.number(max(counts))
        spread = low if low == high else _("{low} to {high} per value", low=low, high=high)
    return [
        (_("n"), spread),
        (_("Interval"), _("95 %, {method}", method=", ".join(named)) if named else _("none: a full count")),
        (_("Status"), ", ".join(f"{n} {words}" for words, n in statuses.most_common()) or _("no value")),
    ]
