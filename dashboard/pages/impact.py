"""Impact: each declared target against what was measured, with its evidence."""

from typing import Any

from dash import Dash, html

from config.catalogue import Pilot
from dashboard import finding_page, finding_words, wording
from dashboard.components import attributes, icon, table
from dashboard.frame import Framed, frame
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import Figure, Verdict

PATH, TITLE = "/impact", "Impact"
ICONS = {"as_intended": "feed-ok", "not_as_intended": "feed-silent", "cannot_tell": "feed-unknown"}


def layout(**chosen: str) -> html.Div:
    return finding_page.layout(
        "impact",
        _("Impact"),
        _(
            "What each pilot said beforehand that should change, by when, and what was measured. "
            "A movement is not yet an effect of the pilot: see Effects."
        ),
    )


def register(app: Dash, queries: Queries) -> None:
    finding_page.register(app, queries, "impact", _draw)


def verdicts() -> dict[str, str]:
    return {
        "as_intended": _("moved as intended"),
        "not_as_intended": _("did not move as intended"),
        "cannot_tell": _("cannot tell"),
    }


def _draw(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> Any:
    found = queries.impact(who, [pilot.slug for pilot in pilots])
    return [
        _pilot(queries, selection, pilot, [one for one in found if one.pilot == pilot.slug]) for pilot in pilots
    ]  # fmt: skip


def _pilot(queries: Queries, selection: Selection, pilot: Pilot, found: list[Verdict]) -> html.Section:
    words = verdicts()
    if found:
        told = [
            _("{n} {verdict}", n=sum(one.verdict == name for one in found), verdict=said)
            for name, said in words.items()
            if any(one.verdict == name for one in found)
        ]
        sentence = _n("{n} declared target: {told}.", "{n} declared targets: {told}.", len(found),
                      told=", ".join(told))  # fmt: skip
    elif pilot.targets:
        sentence = _("Nothing can be said of the declared targets yet: no value of their periods is known.")
    else:
        sentence = _("The file of {pilot} declares no target, so there is nothing to judge.", pilot=pilot.name)
    return frame(
        Framed(
            name=f"impact-{pilot.slug}",
            eyebrow=pilot.country,
            title=pilot.name,
            sentence=sentence,
            body=html.Ul([_target(queries, selection, one) for one in found], className="verdicts") if found else [],
            table=_table(queries, found) if found else None,
            csv=f"/download/impact.csv{selection.to_query(pilots=(pilot.slug,))}",
            definition=f"/definitions{selection.to_query()}#impact",
        )
    )


def _target(queries: Queries, selection: Selection, one: Verdict) -> html.Li:
    known = queries.definitions().get(one.indicator)
    title: Any = _(known.title) if known else one.indicator
    link = html.A(title, href=f"/definitions{selection.to_query()}#{one.indicator}") if known else title
    aim = _("meant to rise") if one.direction == "up" else _("meant to fall")
    if one.target is not None:
        unit = known.unit if known else ""
        aim += _(" to {target}", target=wording.number(one.target, unit))
    dated = _("{aim} by {by}; declared on {declared}", aim=aim, by=wording.day(one.by),
              declared=wording.day(one.declared))  # fmt: skip
    evidence = [
        (_("Before"), _figure(queries, one.baseline, one.baseline_days)),
        (_("After"), _figure(queries, one.reached, one.reached_days)),
        (_("Change"), _figure(queries, one.change, None)),
    ]
    if one.target is not None:
        reached = {True: _("yes"), False: _("no"), None: _("cannot tell")}[one.achieved]
        evidence.append((_("Target reached"), reached))
    verdict = html.Span(
        [icon(ICONS.get(one.verdict, "feed-unknown")), verdicts().get(one.verdict, one.verdict)],
        className=f"verdict is-{one.verdict}",
    )
    return html.Li(
        [
            html.Div([html.H3(link), verdict], className="verdict-head"),
            html.P(dated, className="quiet"),
            html.P(wording.prose(one.sentence)),
            html.Dl([html.Div([html.Dt(term), html.Dd(said)]) for term, said in evidence], className="evidence-list"),
        ],
        **attributes({"data-pilot": one.pilot, "data-indicator": one.indicator, "data-verdict": one.verdict}),
        **finding_words.marks(one.change),
    )


def _figure(queries: Queries, figure: Figure, days: tuple[str, str] | None) -> str:
    said = finding_words.said(figure, queries.disclosure_k).replace("\n", " (", 1)
    said += ")" if " (" in said else ""
    if figure.value is None and figure.reason:
        said += f": {figure.reason}"
    return f"{said} · {wording.days(*days)}" if days else said


def _table(queries: Queries, found: list[Verdict]) -> Any:
    head = (_("Indicator"), _("Direction"), _("Declared"), _("By"), _("Target"), _("Before"), _("After"), _("Change"),
            _("Verdict"))  # fmt: skip
    k, words, known = queries.disclosure_k, verdicts(), queries.definitions()
    directions = {"up": _("up"), "down": _("down")}
    body = [
        (
            _(known[one.indicator].title) if one.indicator in known else one.indicator,
            directions.get(one.direction, one.direction), one.declared, one.by, wording.number(one.target),
            finding_words.said(one.baseline, k), finding_words.said(one.reached, k), finding_words.said(one.change, k),
            words.get(one.verdict, one.verdict),
        )
        for one in found
    ]  # fmt: skip
    return table(head, body, _("Targets and what was measured"))
