"""Incidents as frames: the series, why it fired, what became of it and who did what, and silences in force."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from dash import html

from config.catalogue import Pilot
from dashboard import palette, tending_form, wording
from dashboard.components import attributes, icon, table
from dashboard.figures import fall, graph
from dashboard.frame import Framed, frame
from dashboard.notices import kind
from dashboard.texts import _, _n
from pipeline.alerts.care import Deed, Quiet
from pipeline.alerts.explanation import Explanation
from pipeline.alerts.stories import Day, Moment, Story

_UTC: Final = ZoneInfo("UTC")
_TOGETHER_NS: Final = 14 * 86_400 * 10**9
TOTAL: Final = "contributions"


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


def incident_frame(
    story: Story, pilot: Pilot | None, place: int, scheme: palette.Scheme, acts: Sequence[Any] = ()
) -> html.Section:
    """One incident as a whole; without a pilot it is Periscope's own. `acts` are buttons for those who may."""
    one, why = story.incident, story.explanation
    whose = pilot.name if pilot else "Periscope"
    body: list[Any] = []
    if story.days and story.threshold is not None:
        hue = scheme.hue(place)
        figure = fall.fall(story.days, story.threshold, one.since, why.since if why else None, scheme, hue)
        label = _("{series}, {pilot}: each day against what was expected, and the evidence below. {said}",
                  series=_series(story), pilot=whose, said=wording.prose(one.sentence))  # fmt: skip
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
            body.append(_parts(why, one.id))
    body.append(_history(story, pilot.zone if pilot else _UTC))
    if acts:
        body.append(html.Div(acts, className="care-acts"))
    over = "" if one.closed_ns is None else f" · {_('over')}"
    return frame(
        Framed(
            name=f"incident-{one.id}",
            eyebrow=f"{whose} · {kind(one)} · {severities().get(one.severity, one.severity)}{over}",
            title=_series(story),
            sentence=[icon("alert"), " ", wording.prose(one.sentence)],
            body=body,
            facts=[(_("Incident"), str(one.id)), (_("Since") if over else _("Open since"), wording.prose(one.since))]
            + ([(_("Data"), _("simulated"))] if one.synthetic else []),
            table=_table(story.days, one.id) if story.days else None,
            notes=[_("Hollow: left out. Solid line: it fired. Dotted: the evidence began. Dashed: the threshold.")]
            if story.days
            else [],
        )
    )


def _series(story: Story) -> str:
    one = story.incident
    if one.kind == "feed_silent":
        return _("Feed {feed}", feed=one.series)
    if one.kind == "evaluation_failed":
        return _("Evaluation of alerts")
    if one.series == TOTAL:
        return _("Contributions")
    if one.series == "usage":
        return _("Core actions")
    if one.series.startswith("usage/"):
        return _("Events of use: {type}", type=one.series.partition("/")[2])
    return _("Contributions: {kind}", kind=one.series.replace("/", " "))


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


def _parts(why: Explanation, incident: int) -> Any:
    head = [_("Part"), _("Observed"), _("Expected"), _("Of what is missing")]
    rows = [
        [f"{part.dim}: {part.name.replace('_', ' ')}", str(part.observed), f"{part.expected:.1f}", f"{part.share:.0%}"]
        for part in why.parts
    ]
    return table(head, rows, _("Who stayed away, incident {n}", n=incident))


def _history(story: Story, zone: ZoneInfo) -> html.Div:
    """What became of it and who did what, in order."""
    said = [(moment.at_ns, _moment(moment)) for moment in story.moments]
    said += [(deed.at_ns, _deed(deed, zone)) for deed in story.deeds]
    said.sort(key=lambda one: one[0])
    found: list[Any] = [html.H3(_("History")), html.Ul([html.Li(text) for _at, text in said], className="quiet")]
    if story.acknowledged is not None:
        held = _("{who} looks after it: {note}", who=story.acknowledged.who, note=story.acknowledged.note)
        found.insert(0, html.P([icon("log-ok"), " ", held], className="care-held"))
    return html.Div(found, className="care-history")


def _moment(moment: Moment) -> str:
    known = {"opened": _("opened"), "closed": _("closed"), "worsened": _("worsened"), "revised": _("revised")}
    what = known.get(moment.what, moment.what)
    said = _(
        "{day}: {what}, {reason}", day=wording.day(moment.day[:10]), what=what, reason=wording.prose(moment.reason)
    )
    return said if moment.told else f"{said} ({_('nobody was notified')})"


def _deed(deed: Deed, zone: ZoneInfo) -> str:
    what = {
        "acknowledged": _("{who} looks after it", who=deed.who),
        "silenced": _("{who} silenced it", who=deed.who),
        "silence ended": _("{who} ended the silence", who=deed.who),
        "new normal": _("{who} accepted it as the new normal", who=deed.who),
    }[deed.what]
    until = _(", until {time}", time=wording.moment(deed.until_ns, zone)) if deed.until_ns is not None else ""
    return f"{wording.moment(deed.at_ns, zone)}: {what}{until}: {deed.note}"


def _table(days: list[Day], incident: int) -> Any:
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
        _("Each day of the series, incident {n}", n=incident),
    )


def together(stories: Sequence[Story]) -> list[list[Story]]:
    """Open incidents that may be one event: of one pilot and kind, opened within two weeks; in the order of the first.

    Of several the one of all contributions comes first, since the others are its parts.
    """
    found: list[list[Story]] = []
    for story in stories:
        one = story.incident
        for group in found:
            other = group[0].incident
            near = abs(one.opened_ns - other.opened_ns) <= _TOGETHER_NS
            if (one.pilot, one.kind) == (other.pilot, other.kind) and near:
                group.append(story)
                break
        else:
            found.append([story])
    return [sorted(group, key=lambda one: one.incident.series != TOTAL) for group in found]


def group_frame(group: Sequence[Story], pilot: Pilot | None, frames: Sequence[html.Section]) -> html.Div:
    """Several incidents under one heading that says that they may be one event."""
    whose = pilot.name if pilot else "Periscope"
    title = _("{pilot}: {n} incidents that may be one event", pilot=whose, n=len(group))
    first = min(story.explanation.since if story.explanation else story.incident.since[:10] for story in group)
    said = _(
        "{kind}, since about {day}: {series}. Each is judged by itself; one fall shows in the total and in its parts.",
        kind=kind(group[0].incident).capitalize(),
        day=wording.day(first),
        series=wording.listing([_series(story) for story in group]),
    )
    name = f"together-{group[0].incident.id}"
    head = html.Div([html.H2(title, id=name), html.P(said)], className="together-head")
    return html.Div([head, *frames], className="together", role="group", **attributes({"aria-labelledby": name}))


def past_frame(pilot: Pilot, stories: list[Story]) -> html.Section:
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
            eyebrow=_("Over"),
            title=pilot.name,
            sentence=_n("{n} incident is over.", "{n} incidents are over.", len(rows)),
            body=table(head, rows, _("Incidents that are over, {pilot}", pilot=pilot.name)),
        )
    )


def silences_frame(
    silences: Sequence[Quiet], names: dict[str, str], able: Sequence[int], more: Sequence[Any]
) -> html.Section:
    """Silences in force and when they end; those in `able` can be ended by the reader."""
    rows = []
    for one in silences:
        words = [
            names.get(one.pilot, one.pilot) if one.pilot else _("every pilot"),
            tending_form.kinds().get(one.kind, one.kind) if one.kind else _("every kind"),
            one.series or _("every stream"),
        ]
        until = _("until {time} UTC", time=wording.moment(one.until_ns, _UTC))
        parts: list[Any] = [html.P([html.Strong(" · ".join(words)), " ", until]), html.P(f"{one.who}: {one.reason}")]
        if one.id in able:
            parts.append(
                html.Div(tending_form.button("end", str(one.id), _("End the silence…")), className="kind-acts")
            )
        rows.append(html.Li(parts, className="kind"))
    body: list[Any] = [html.Ul(rows, className="kinds")] if rows else []
    return frame(
        Framed(
            name="silences",
            title=_("Silences"),
            sentence=_n("{n} silence is in force.", "{n} silences are in force.", len(rows))
            if rows
            else _("No notification is kept back."),
            body=[*body, *([html.Div(more, className="care-acts")] if more else [])],
            notes=[_("A silence keeps notifications back; incidents are recorded as ever.")],
        )
    )
