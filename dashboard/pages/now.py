"""Now: each pilot's last hour, today against its own usual, the health of its feeds. Draws again when data change."""

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, dcc, html

from config.catalogue import Pilot
from dashboard import notices, sentences, wording
from dashboard.components import answered, attributes, heading, holding_still, icon, notice, pilot_name, skeleton
from dashboard.figures import sparkline
from dashboard.palette import LIGHT
from dashboard.queries import Queries
from dashboard.security import viewer
from dashboard.texts import _
from dashboard.viewer import Viewer
from pipeline.values import FeedNow, Incident, NowBoard

PATH, TITLE = "/", "Now"


def id_(name: str) -> str:
    return f"now-{name}"


def layout(**chosen: str) -> html.Div:
    return html.Div(
        [
            heading(_("Now"), _("What is happening in each city, and whether its feeds can be trusted to tell.")),
            html.Div(skeleton([300, 300, 300]), id=id_("cards"), className="cards", **attributes({"aria-live": "off"})),
        ]
    )


def register(app: Dash, queries: Queries) -> None:
    @app.callback(
        Output(id_("cards"), "children"), Input("url", "search"), Input("version", "data"), running=holding_still()
    )
    @answered
    def draw(search: str | None, version: str | None) -> Any:
        who = viewer()
        selection = queries.select(who, search)
        pilots = queries.pilots(who, selection)
        if not pilots:
            return notice("empty", _("No pilot to show"), _("Choose at least one in the bar above."))
        incidents = queries.incidents(who, [pilot.slug for pilot in pilots])
        return [
            _card(
                queries,
                who,
                pilot,
                [one for one in incidents if one.pilot == pilot.slug],
                f"/pilot{selection.to_query(pilot=pilot.slug)}",
            )
            for pilot in pilots
        ]


def _card(queries: Queries, who: Viewer, pilot: Pilot, incidents: list[Incident], page: str) -> html.Article:
    board = queries.now(who, pilot.slug)
    hue = queries.hue(pilot.slug)
    arena = pilot.facts.get("arena")
    subtitle = str(arena.value) if arena and arena.evidence != "unknown" else pilot.country
    head = html.Div(
        [
            html.Div(
                [
                    html.H2(dcc.Link(pilot_name(pilot, hue), href=page)),
                    html.Span(subtitle, className="quiet"),
                ]
            ),
            html.Span(_fresh(board, pilot), className="fresh"),
        ],
        className="card-head",
    )
    if board is None:
        known = queries.known(who, [pilot.slug])
        said = sentences.no_data(pilot.name, known[1] if known else None, [])
        body: list[Any] = [notice("empty", _("Nothing yet"), said)]
    else:
        body = [
            _stream(board, name, title, pilot)
            for name, title in (("usage", _("Uses of the service")), ("engagement", _("Engagement")))
        ]
        body.append(_feeds(board, pilot))
    warned = [html.P([icon("alert"), said], className="card-incident") for said in _warnings(incidents, pilot)]
    return html.Article(
        [head, *warned, *body],
        className="card",
        id=id_(f"card-{pilot.slug}"),
        style={"--hue": f"var(--hue-{hue % len(LIGHT.hues)})"},
        **attributes({"data-pilot": pilot.slug}),
    )


def _warnings(incidents: list[Incident], pilot: Pilot) -> list[Any]:
    """A sentence per open incident; several of one kind in one, since a card is read at a glance."""
    found: list[Any] = []
    for name in dict.fromkeys(one.kind for one in incidents):
        same = [one for one in incidents if one.kind == name]
        if len(same) == 1:
            found.append(html.A(wording.prose(same[0].sentence), href=f"/alerts?incident={same[0].id}"))
            continue
        said = _(
            "{n} open incidents ({kind}), the first since {day}: {series}.",
            n=len(same),
            kind=notices.kind(same[0]),
            day=wording.day(min(one.since[:10] for one in same)),
            series=wording.listing(sorted(one.series for one in same)),
        )
        found.append(html.A(said, href=f"/alerts?pilots={pilot.slug}"))
    return found


def _fresh(board: NowBoard | None, pilot: Pilot) -> str:
    if board is None:
        return _("no data yet")
    return _(
        "as of {time}, {zone}",
        time=wording.clock_time(board.as_of_ns, pilot.zone),
        zone=pilot.time_zone.split("/")[-1].replace("_", " "),
    )


def _stream(board: NowBoard, name: str, title: str, pilot: Pilot) -> html.Div:
    minutes = board.minutes.get(name)
    if minutes is None:
        return html.Div([html.H3(title), html.P(_("not measured here"), className="quiet")], className="stream")
    feeds = [feed for feed in board.feeds if feed.stream == name]
    if not sum(minutes) and any(feed.verdict == "silent" for feed in feeds) and not _trusted(feeds):
        said = _("The feed is silent, so nothing can be said of the last hour or of today.")
        return _untold(title, pilot, name, said)
    if not sum(minutes) and not board.today.get(name) and all(feed.last_ns is None for feed in feeds):
        return _untold(title, pilot, name, _("Nothing has arrived yet, so nothing can be said."))
    total, today, usual = sum(minutes), board.today.get(name, 0), board.usual.get(name)
    mask = sparkline.bars(minutes)
    said = _("{n} in the last 60 minutes, at most {top} in one minute", n=wording.number(total), top=max([0, *minutes]))
    return html.Div(
        [
            html.H3(title),
            html.Div(
                [
                    html.Div(
                        [
                            html.Span(
                                wording.number(total), className="big", **_marks(pilot.slug, name, "hour", total)
                            ),
                            html.Span(_("last hour"), className="quiet"),
                        ],
                        className="stream-figure",
                    ),
                    html.Div(
                        className="spark",
                        role="img",
                        style={"--bars": mask},
                        **attributes({"aria-label": said}),
                    ),
                ],
                className="stream-row",
            ),
            _today(today, usual, pilot.slug, name),
        ],
        className="stream",
    )


def _trusted(feeds: Sequence[FeedNow]) -> bool:
    """Whether any of a stream's feeds can be taken at its word that nothing happened; one entered by hand cannot."""
    return any(feed.verdict in ("ok", "poor") for feed in feeds)


def _untold(title: str, pilot: Pilot, name: str, said: str) -> html.Div:
    """A silent feed is not a silent public: nothing is counted, so no 0 is shown."""
    figure = html.Div(
        [
            html.Span(wording.NOTHING, className="big", **_marks(pilot.slug, name, "hour", None)),
            html.Span(_("last hour"), className="quiet"),
        ],
        className="stream-figure",
    )
    why = html.P(said, className="quiet stream-why")
    return html.Div([html.H3(title), html.Div([figure, why], className="stream-row")], className="stream")


def _today(today: int, usual: float | None, slug: str, name: str) -> html.Div:
    words = html.P(
        [
            html.Strong(wording.number(today), **_marks(slug, name, "today", today)),
            " ",
            _("today"),
            " – ",
            sentences.today_against_usual(today, usual),
        ],
        className="today-words",
    )
    if not usual:
        return html.Div(words, className="today")
    full = max(today, usual) * 1.15
    bar = html.Div(
        [
            html.Div(className="today-bar", style={"width": f"{100 * today / full:.1f}%"}),
            html.Div(className="today-mark", style={"left": f"{100 * usual / full:.1f}%"}),
        ],
        className="today-scale",
        **attributes({"aria-hidden": "true"}),
    )
    return html.Div([bar, words], className="today")


def _marks(slug: str, stream: str, what: str, value: int | None) -> dict[str, Any]:
    return {
        "data-pilot": slug,
        "data-stream": stream,
        "data-what": what,
        "data-value": "" if value is None else str(value),
    }


def _feeds(board: NowBoard, pilot: Pilot) -> html.Div:
    if not board.feeds:
        return html.Div(html.P(_("No feed is known yet."), className="quiet"), className="feeds")
    return html.Div([html.H3(_("Feeds")), html.Ul([_feed(feed, pilot) for feed in board.feeds])], className="feeds")


def _feed(feed: FeedNow, pilot: Pilot) -> html.Li:
    words = {"ok": _("healthy"), "silent": _("silent"), "poor": _("incomplete"), "unknown": _("not known")}
    last = (
        _("last {time}", time=wording.clock_time(feed.last_ns, pilot.zone)[:5])
        if feed.last_ns and (feed.age_s or 0) < 86_400
        else (_("last {age} ago", age=wording.age(feed.age_s)) if feed.age_s is not None else _("never heard"))
    )
    return html.Li(
        [
            icon(f"feed-{feed.verdict if feed.verdict in words else 'unknown'}"),
            html.Span(feed.feed, className="feed-id"),
            html.Strong(words.get(feed.verdict, words["unknown"])),
            html.Span(last, className="quiet feed-last"),
        ],
        className=f"feed feed-{feed.verdict}",
        title=feed.sentence,
        **attributes({"data-feed": feed.feed, "data-verdict": feed.verdict}),
    )
