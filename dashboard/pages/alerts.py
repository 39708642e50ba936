"""Alerts: what has fallen or broken, why it fired, since when, and what became of it."""

from typing import Any

from dash import Dash, Input, Output, State, dcc, html

from config.catalogue import Pilot
from dashboard import palette, wording
from dashboard.components import (
    answered,
    attributes,
    heading,
    holding_still,
    icon,
    notice,
    skeleton,
    table,
    unless_drawn,
)
from dashboard.figures import fall, graph
from dashboard.frame import Framed, frame
from dashboard.notices import kind
from dashboard.queries import Queries
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.alerts.explanation import Explanation
from pipeline.alerts.stories import Day, Story

PATH, TITLE = "/alerts", "Alerts"
_PAST = 12  # incidents that are over, of each pilot


def layout(**chosen: str) -> html.Div:
    lead = _(
        "People who stop taking part, and feeds that fall silent. A broken feed is never told as a fall. "
        "Acknowledge, silence or accept a new level with: periscope alerts"
    )
    return html.Div(
        [
            heading(_("Alerts"), lead),
            dcc.Store(id="alerts-drawn"),
            html.Div(skeleton([320, 320]), id="alerts-body", className="stack over-all"),
        ]
    )


def register(app: Dash, queries: Queries) -> None:
    body = answered(_body)

    @app.callback(
        Output("alerts-body", "children"),
        Output("alerts-drawn", "data"),
        Input("url", "search"),
        Input("version", "data"),
        Input("scheme", "data"),
        State("alerts-drawn", "data"),
        running=holding_still(),
    )
    def draw_body(search: str | None, version: str | None, scheme: str | None, drawn: str | None) -> Any:
        who = viewer()
        return unless_drawn(body(queries, who, queries.select(who, search), palette.scheme(scheme)), drawn)


def _body(queries: Queries, who: Viewer, selection: Selection, scheme: palette.Scheme) -> Any:
    pilots = queries.pilots(who, selection)
    if not pilots:
        return notice("empty", _("No pilot to show"), _("Choose at least one in the bar above."))
    stories = [(pilot, story) for pilot in pilots for story in queries.stories(who, pilot.slug)]
    still = [(pilot, story) for pilot, story in stories if story.incident.closed_ns is None]
    still.sort(key=lambda one: (one[1].incident.kind != "drop_off", -one[1].incident.opened_ns))
    over = [(pilot, story) for pilot, story in stories if story.incident.closed_ns is not None]
    frames: list[Any] = [_open_frame(queries, pilot, story, scheme) for pilot, story in still]
    if not still:
        said = _("No incident of the chosen pilots is open. Alerts are evaluated by the pipeline: see the bar above.")
        frames.append(notice("empty", _("Nothing open"), said))
    for pilot in pilots:
        if mine := [story for one, story in over if one is pilot][:_PAST]:
            frames.append(_past_frame(pilot, mine))
    return frames


def severities() -> dict[str, str]:
    return {"critical": _("critical"), "warning": _("warning"), "notice": _("notice")}


def reasons() -> dict[str, str]:
    """Why a day is left out."""
    return {
        "held": _("a feed could not be trusted"),
        "holiday": _("public holiday"),
        "closure": _("closure"),
        "activity": _("activity, or soon after"),
    }


def _open_frame(queries: Queries, pilot: Pilot, story: Story, scheme: palette.Scheme) -> html.Section:
    one, why = story.incident, story.explanation
    body: list[Any] = []
    if story.days and story.threshold is not None:
        hue = scheme.hue(queries.hue(pilot.slug))
        figure = fall.fall(story.days, story.threshold, one.since, why.since if why else None, scheme, hue)
        label = _("{series}, {pilot}: each day against what was expected, and the evidence below. {said}",
                  series=_series(story), pilot=pilot.name, said=wording.prose(one.sentence))  # fmt: skip
        body.append(
            html.Div(
                graph({"type": "fall", "row": str(one.id)}, figure, 340),
                role="img",
                **attributes({"aria-label": label}),
            )
        )
    if why is not None:
        body.append(html.Dl([html.Div([html.Dt(term), html.Dd(said)]) for term, said in _evidence(why)],
                            className="evidence-list"))  # fmt: skip
        if why.parts:
            body.append(_parts(why))
    body.append(html.Ul([html.Li(said) for said in _history(story)], className="quiet"))
    return frame(
        Framed(
            name=f"incident-{one.id}",
            eyebrow=f"{pilot.name} · {kind(one)} · {severities().get(one.severity, one.severity)}",
            title=_series(story),
            sentence=[icon("alert"), " ", wording.prose(one.sentence)],
            body=body,
            facts=[(_("Incident"), str(one.id)), (_("Open since"), wording.prose(one.since))]
            + ([(_("Data"), _("simulated"))] if one.synthetic else []),
            table=_table(story.days) if story.days else None,
            notes=[_("Hollow: left out. Solid line: it fired. Dotted: the evidence began. Dashed: the threshold.")]
            if story.days
            else [],
        )
    )


def _series(story: Story) -> str:
    one = story.incident
    if one.kind == "feed_silent":
        return _("Feed {feed}", feed=one.series)
    return _("Contributions") if one.series == "contributions" else _("Contributions: {kind}", kind=one.series)


def _evidence(why: Explanation) -> list[tuple[str, str]]:
    band = _("{expected} (90 % band {low} to {high})", expected=wording.number(round(why.expected, 1)),
             low=wording.number(round(why.low)), high=wording.number(round(why.high)))  # fmt: skip
    seen = (
        _("too few events to judge within two weeks")
        if why.sees_half is None
        else _n("about {n} day", "about {n} days", round(why.sees_half))
    )
    left = [f"{days} {reasons().get(reason, reason)}" for reason, days in sorted(why.left_out.items())]
    return [
        (_("Observed"), _n("{seen} in {n} judged day", "{seen} in {n} judged days", why.judged, seen=why.observed)),
        (_("Expected"), band),
        (_("Since about"), wording.day(why.since)),
        (_("Evidence"), _("{evidence}, alert at {threshold}", evidence=f"{why.evidence:.1f}",
                          threshold=f"{why.threshold:.1f}")),
        (_("Feeds"), _("{share} complete", share=f"{why.completeness:.0%}")),
        (_("Left out"), ", ".join(left) or _("no day")),
        (_("A fall by half is seen here in"), seen),
    ]  # fmt: skip


def _parts(why: Explanation) -> Any:
    head = [_("Part"), _("Observed"), _("Expected"), _("Of what is missing")]
    rows = [
        [f"{part.dim}: {part.name.replace('_', ' ')}", str(part.observed), f"{part.expected:.1f}", f"{part.share:.0%}"]
        for part in why.parts
    ]
    return table(head, rows, _("Who stayed away"))


def _history(story: Story) -> list[str]:
    what = {"opened": _("opened"), "closed": _("closed")}
    found = [
        _("{day}: {what}, {reason}", day=wording.day(moment.day[:10]), what=what.get(moment.what, moment.what),
          reason=moment.reason) + ("" if moment.told else f" ({_('nobody was notified')})")
        for moment in story.moments
    ]  # fmt: skip
    if story.acknowledged is not None:
        found.append(_("{who} looks after it: {note}", who=story.acknowledged.who, note=story.acknowledged.note))
    return found


def _table(days: list[Day]) -> Any:
    head = [_("Day"), _("Observed"), _("Expected"), _("90 % band"), _("Evidence"), _("Left out")]
    return table(
        head,
        [
            [
                wording.day(one.day),
                str(one.observed),
                "" if one.expected is None else f"{one.expected:.1f}",
                "" if one.low is None or one.high is None else f"{one.low:.0f}–{one.high:.0f}",
                "" if one.evidence is None else f"{one.evidence:.1f}",
                reasons().get(one.why, one.why),
            ]
            for one in reversed(days)
        ],
        _("Each day of the series"),
    )


def _past_frame(pilot: Pilot, stories: list[Story]) -> html.Section:
    rows = []
    for story in stories:
        one = story.incident
        ended = [moment for moment in story.moments if moment.what == "closed"]
        rows.append([
            str(one.id), kind(one), _series(story), wording.prose(one.since),
            wording.day(ended[-1].day[:10]) if ended else "", ended[-1].reason if ended else "",
        ])  # fmt: skip
    head = [_("Incident"), _("Kind"), _("Series"), _("Since"), _("Over"), _("Reason")]
    return frame(
        Framed(
            name=f"past-{pilot.slug}",
            eyebrow=pilot.name,
            title=_("Over"),
            sentence=_n("{n} incident is over.", "{n} incidents are over.", len(rows)),
            body=table(head, rows, _("Incidents that are over, {pilot}", pilot=pilot.name)),
        )
    )
