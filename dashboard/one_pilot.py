"""The frames of page *Pilot*: its series with activities on them, its activities, feeds and incidents."""

from typing import Any

from dash import html

from config.catalogue import Pilot
from dashboard import baseline, notices, sentences, wording
from dashboard.components import attributes, notice, table
from dashboard.figures import graph, trends
from dashboard.frame import Framed, facts_of, frame
from dashboard.methods import INTERVALS
from dashboard.multiples import value_text
from dashboard.palette import Scheme
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.values import Activity, DecisionRole, IndicatorValue

_ROWS = 60


def series_frames(
    queries: Queries, who: Viewer, selection: Selection, pilot: Pilot, bounds: tuple[str, str], scheme: Scheme
) -> list[Any]:
    """One frame per chosen indicator and segment that has values."""
    shown = queries.shown(selection)
    ids = [one.id for one in shown]
    values = queries.series(who, [pilot.slug], ids, selection.period, *bounds)
    first = queries.baseline_values(who, pilot.slug, ids, selection.period)
    activities = queries.activities(who, pilot.slug, *bounds)
    found: list[Any] = []
    for definition in shown:
        mine = [one for one in values if one.indicator == definition.id]
        segments = (
            [""] if definition.family != "context" else sorted({one.segment for one in mine if one.value is not None})
        )
        for segment in segments:
            row = [one for one in mine if one.segment == segment]
            early = [one for one in first if one.indicator == definition.id and one.segment == segment]
            found.append(
                _series_frame(queries, selection, pilot, definition, segment, row, early, activities, bounds, scheme)
            )
    return found


def _series_frame(
    queries: Queries,
    selection: Selection,
    pilot: Pilot,
    definition: Any,
    segment: str,
    row: list[IndicatorValue],
    early: list[IndicatorValue],
    activities: list[Activity],
    bounds: tuple[str, str],
    scheme: Scheme,
) -> Any:
    unit = queries.unit(definition, segment)
    base = baseline.baseline(early, row)
    last = sentences.latest(row)
    said = sentences.of_one(pilot.name, last, baseline.as_index(last, base) if last and base else None, unit)
    name = f"{definition.id}-{segment}".strip("-")
    look = trends.Look(
        scheme,
        scheme.hue(queries.hue(pilot.slug)),
        unit,
        queries.disclosure_k,
        selection.period,
        reference=base.mean if base else None,
        wide=True,
    )
    if any(one.value is not None for one in row):
        title = _(definition.title)
        body: Any = html.Div(
            graph({"type": "trend", "row": name}, trends.trend(row, *bounds, look, activities), 250),
            role="img",
            **attributes({"aria-label": f"{title}, {pilot.name}. {said}"}),
        )
    else:
        body = notice("empty", _("Nothing to draw"), _why(queries, row, pilot, bounds))
    query = selection.to_query(pilot=pilot.slug)
    rows = [[wording.days(one.start, one.end), value_text(one, unit, queries.disclosure_k)] for one in reversed(row)][
        :_ROWS
    ]
    facts = [(_("Unit"), _(unit)), *facts_of(row, queries.disclosure_k, INTERVALS)]
    if base:
        facts.append((_("Own baseline"), _("{mean}, the dotted line", mean=wording.number(base.mean, unit))))
    if activities:
        facts.append((_("Marked"), _n("{n} activity", "{n} activities", len(activities))))
    return frame(
        Framed(
            name=name,
            eyebrow=_(definition.family.capitalize()),
            title=_(definition.title) + (f" · {segment}" if segment else ""),
            sentence=said,
            body=body,
            facts=facts,
            table=table(
                [_("Days"), pilot.name],
                rows,
                _("{title}, in {unit}, newest first", title=_(definition.title), unit=_(unit)),
            )
            if rows
            else None,
            csv=f"/download/series.csv{query}{'&' if query else '?'}only={definition.id}",
            definition=f"/definitions{query}#{definition.id}",
        )
    )


def _why(queries: Queries, row: list[IndicatorValue], pilot: Pilot, bounds: tuple[str, str]) -> str:
    reasons = list(
        dict.fromkeys(one.reason or wording.status(one, queries.disclosure_k) for one in row if one.value is None)
    )
    if not reasons:
        return _("No data from {name} for {days}.", name=pilot.name, days=wording.days(*bounds))
    return _("No value for {days}: {reasons}.", days=wording.days(*bounds), reasons="; ".join(reasons[:2]).rstrip("."))


def activity_frame(queries: Queries, who: Viewer, selection: Selection, pilot: Pilot, bounds: tuple[str, str]) -> Any:
    """The activities of the period, newest first."""
    found = sorted(queries.activities(who, pilot.slug, *bounds), key=lambda one: one.day, reverse=True)
    if not found:
        body: Any = notice(
            "empty",
            _("No activity in this period"),
            _("No activity of {name} was recorded for {days}.", name=pilot.name, days=wording.days(*bounds)),
        )
        said = _("Nothing was recorded, which does not say that nothing was held.")
    else:
        rows = [
            [
                wording.day(one.day),
                trends.plain(one.method),
                trends.plain(one.stage),
                _("not known") if one.attendance is None else wording.number(one.attendance),
            ]
            for one in found
        ]
        body = table(
            [_("Day"), _("Method"), _("Stage"), _("People who came")], rows, _("Activities held, newest first")
        )
        last = found[0]
        said = _n(
            "{n} activity was held; the last one on {day} ({method}).",
            "{n} activities were held; the last one on {day} ({method}).",
            len(found),
            day=wording.day(last.day),
            method=trends.plain(last.method),
        )
    query = selection.to_query(pilot=pilot.slug)
    return frame(
        Framed(
            name="activities",
            eyebrow=_("Engagement"),
            title=_("Activities held"),
            sentence=said,
            body=body,
            facts=[
                (_("n"), wording.number(len(found))),
                (_("Interval"), _("none: a full count")),
                (_("Status"), _("as recorded by the pilot")),
            ],
            csv=f"/download/activities.csv{query}",
            definition=f"/definitions{query}#activities-held",
        )
    )


def decision_frame(
    queries: Queries, who: Viewer, selection: Selection, pilot: Pilot, bounds: tuple[str, str]
) -> list[Any]:
    """The decisions of the period with who took which part, newest first; nothing where none was made."""
    found = sorted(queries.decisions(who, pilot.slug, *bounds), key=lambda one: one.day, reverse=True)
    if not found:
        return []
    rows = [
        [
            wording.day(one.day),
            trends.plain(one.outcome).replace(" ", "\N{NO-BREAK SPACE}"),
            trends.plain(one.level_delivered),
            "\n".join(_role(role) for role in one.roles) or _("not recorded"),
            "" if one.inputs_considered is None else f"{one.inputs_adopted or 0} / {one.inputs_considered}",
        ]
        for one in found[:_ROWS]
    ]
    head = [_("Day"), _("Outcome"), _("Level delivered"), _("Who took which part"), _("Adopted / considered")]
    said = _n(
        "{n} decision was made; the last one on {day} ({outcome}).",
        "{n} decisions were made; the last one on {day} ({outcome}).",
        len(found),
        day=wording.day(found[0].day),
        outcome=trends.plain(found[0].outcome),
    )
    return [
        frame(
            Framed(
                name="decisions",
                eyebrow=_("Engagement"),
                title=_("Decisions"),
                sentence=said,
                body=table(head, rows, _("Decisions made, newest first")),
                facts=[
                    (_("n"), wording.number(len(found))),
                    (_("Interval"), _("none: a full count")),
                    (_("Status"), _("as recorded by the pilot")),
                ],
            )
        )
    ]


def _role(role: DecisionRole) -> str:
    people = "" if role.people is None else f" ({wording.number(role.people)})"
    return f"{trends.plain(role.group)}: {trends.plain(role.role)}{people}".replace(" ", "\N{NO-BREAK SPACE}")


def feed_frame(queries: Queries, who: Viewer, selection: Selection, pilot: Pilot, bounds: tuple[str, str]) -> Any:
    """What each feed delivered in the period, and how it is now."""
    values = [
        one
        for one in queries.figures(who, [pilot.slug], *bounds)
        if queries.definitions()[one.indicator].family == "quality"
    ]
    definitions = [one for one in queries.definitions().values() if one.family == "quality"]
    sources = list(dict.fromkeys((one.dim, one.segment) for one in values))
    known = {(one.indicator, one.dim, one.segment): one for one in values}
    board = queries.now(who, pilot.slug)
    verdicts = {feed.feed: feed for feed in board.feeds} if board else {}
    rows = []
    for dim, segment in sources:
        now = verdicts.get(segment) if dim == "feed" else None
        rows.append(
            [
                (_("device {id}", id=segment) if dim == "device" else segment) + (f"\n{now.sentence}" if now else ""),
                *[_quality(known.get((one.id, dim, segment)), one.unit, queries.disclosure_k) for one in definitions],
            ]
        )
    poor = [
        segment
        for dim, segment in sources
        if dim == "feed"
        and (one := known.get(("completeness", dim, segment)))
        and one.value is not None
        and one.value < 90
    ]
    said = (
        _("Below 90 % complete, so that values on them are drawn hollow: {feeds}.", feeds=wording.listing(poor))
        if poor
        else _("No feed whose rhythm is known delivered less than 90 % in this period.")
    )
    body = (
        html.Div(
            table([_("Feed"), *[_(one.title) for one in definitions]], rows, _("Feeds and devices in the period")),
            className="feeds-numbers",
        )
        if rows
        else notice("empty", _("No feed heard yet"), _("Nothing has arrived from {name}.", name=pilot.name))
    )
    query = selection.to_query(pilot=pilot.slug)
    return frame(
        Framed(
            name="feeds",
            eyebrow=_("Quality"),
            title=_("Feeds"),
            sentence=said,
            body=body,
            facts=[
                (_("n"), _n("{n} feed or device", "{n} feeds and devices", len(rows))),
                (_("Interval"), _("none: a full count")),
                (_("Status"), _("of the whole period")),
            ],
            csv=f"/download/period.csv{query}",
            definition=f"/definitions{query}#completeness",
        )
    )


def _quality(value: IndicatorValue | None, unit: str, k: int) -> str:
    if value is not None and value.value is not None and unit == "s":
        return wording.age(value.value)
    return value_text(value, unit, k)


def incident_frame(queries: Queries, who: Viewer, pilot: Pilot) -> Any:
    """Every incident of the pilot, open ones first."""
    found = sorted(
        queries.incidents(who, [pilot.slug], open_only=False),
        key=lambda one: (one.closed_ns is not None, -one.opened_ns),
    )
    still_open = sum(one.closed_ns is None for one in found)
    said = (
        _("None has been recorded.")
        if not found
        else _n("{n} incident is open.", "{n} incidents are open.", still_open)
    )
    rows = []
    for one in found[:_ROWS]:
        state = (
            _("open")
            if one.closed_ns is None
            else _("closed {day}", day=wording.day(wording.local(one.closed_ns, pilot.zone).date().isoformat()))
        )
        rows.append(
            [
                wording.day(wording.local(one.opened_ns, pilot.zone).date().isoformat()),
                notices.kind(one),
                wording.prose(one.sentence),
                state,
            ]
        )
    body = (
        html.Div(
            table([_("Opened"), _("Kind"), _("What happened"), _("State")], rows, _("Incidents, open ones first")),
            className="incidents-numbers",
        )
        if rows
        else ""
    )
    return frame(
        Framed(
            name="incidents",
            eyebrow=_("Alerts"),
            title=_("Incidents"),
            sentence=said,
            body=body,
            facts=[(_("n"), wording.number(len(found))), (_("Judged"), notices.evaluated(queries))],
        )
    )
