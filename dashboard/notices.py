"""The notices above every page: simulated data, open incidents, and when alerts were last judged."""

from typing import Any

from dash import html

from dashboard import wording
from dashboard.components import icon
from dashboard.queries import AnswersAway, Queries
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.pulse import STALE_S
from pipeline.values import Incident

_SHOWN = 3


def notices(queries: Queries, who: Viewer, selection: Selection) -> list[Any]:
    """What must be said of the chosen pilots on every page; [] when there is nothing to say."""
    pilots = queries.pilots(who, selection)
    made_up = [pilot.name for pilot in pilots if pilot.synthetic or any(feed.synthetic for feed in pilot.feeds)]
    found: list[Any] = []
    if made_up:
        whose = (
            _("All of it is")
            if len(made_up) == len(pilots)
            else _("That of {names} is", names=wording.listing(made_up))
        )
        said = _("{whose} made up by the simulator; no city is described by it.", whose=whose)
        found.append(
            html.Div(
                [icon("flask"), html.Strong(_("Simulated data")), html.Span(said)],
                className="strip strip-synthetic",
                role="note",
                id="synthetic-notice",
            )
        )
    names = {pilot.slug: pilot.name for pilot in pilots}
    try:
        found += _ourselves(queries, who)
        incidents = queries.incidents(who, list(names))
    except AnswersAway:
        return found  # the page itself says that the store is away; what is made up stays said
    if incidents:
        found.append(_incidents(incidents, names))
    return found


def _ourselves(queries: Queries, who: Viewer) -> list[Any]:
    """What keeps alerts from being found or told: nobody looks, or a channel does not deliver."""
    found = []
    if (ago_s := unwatched_s(queries)) is not None:
        when = _("Alerts last evaluated {age} ago", age=wording.age(ago_s))
        found.append((when, _("Nobody is told of anything until the pipeline runs again.")))
    found += [(_("Alerts are not delivered"), one.sentence) for one in queries.own_incidents(who)]
    return [
        html.Div([icon("alert"), html.Strong(title), html.Span(said)], className="strip strip-bad", role="alert")
        for title, said in found
    ]


def unwatched_s(queries: Queries) -> float | None:
    """For how long nobody has looked, in seconds; None while alerts are evaluated, and before the first time."""
    when = queries.alerts_evaluated_ns()
    ago_s = 0.0 if when is None else (queries.now_ns() - when) / 1e9
    return ago_s if ago_s > STALE_S else None


def _incidents(incidents: list[Incident], names: dict[str, str]) -> html.Details:
    incidents = sorted(incidents, key=lambda one: one.opened_ns, reverse=True)
    said = [
        html.Li(
            [
                html.Strong(names[one.pilot]),
                " – ",
                html.A(wording.prose(one.sentence), href=f"/alerts?incident={one.id}"),
            ]
        )
        for one in incidents[:_SHOWN]
    ]
    rest = len(incidents) - _SHOWN
    if rest > 0:
        said.append(html.Li(_n("and {n} more, on its pilot's page", "and {n} more, on their pilots' pages", rest)))
    short = list(dict.fromkeys(f"{names[one.pilot]}: {kind(one)}" for one in incidents))
    title = html.Strong(_n("{n} open incident", "{n} open incidents", len(incidents)))
    summary = html.Summary([icon("alert"), title, html.Span(" · ".join(short), className="strip-short")])
    return html.Details([summary, html.Ul(said)], className="strip strip-warn", id="incident-notice")


def kind(incident: Incident) -> str:
    """The kind of an incident in words."""
    said = {"feed_silent": _("feed silent"), "drop_off": _("drop-off"), "evaluation_failed": _("not evaluated")}
    return said.get(incident.kind, incident.kind)


def evaluated(queries: Queries) -> str:
    """When alerts were last judged, so that no incident can be told from nobody looking."""
    when = queries.alerts_evaluated_ns()
    if when is None:
        return _("Alerts not evaluated yet")
    ago = (queries.now_ns() - when) / 1e9
    if ago < 86_400:
        return _("Alerts evaluated {time} UTC", time=wording.clock_time(when)[:5])
    return _("Alerts last evaluated {day}", day=wording.day(wording.local(when).date().isoformat()))
