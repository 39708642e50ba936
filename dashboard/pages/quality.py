"""Data quality: what became of every message, feed by feed, and a sample of each kind that could not be read."""

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html
from dash.exceptions import PreventUpdate

from config.catalogue import Pilot
from dashboard import fates, wording
from dashboard.access import rules
from dashboard.access.access import called
from dashboard.components import (
    answered,
    attributes,
    heading,
    holding_still,
    icon,
    notice,
    scrolling,
    skeleton,
    unless_drawn,
)
from dashboard.fates import Feed
from dashboard.frame import Framed, frame
from dashboard.mending import Mending, NotAsked
from dashboard.queries import Queries
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.tables import raw
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.feed_report import Sample
from pipeline.reports import SessionLoss
from pipeline.values import FeedNow, IndicatorValue

PATH, TITLE = "/quality", "Data quality"
_MANY = 0.01
_LOST = 3  # as many lost sessions are told on the page
ACT = "quality-act"


def id_(name: str) -> str:
    return f"quality-{name}"


def layout(**chosen: str) -> html.Div:
    return html.Div(
        [
            heading(
                _("Data quality"),
                _(
                    "What became of every message that was received, and what the feeds left out. "
                    "A number on another page is worth what its feed is worth here."
                ),
            ),
            dcc.Store(id=id_("drawn")),
            html.Div(id=id_("said"), role="status"),
            html.Div(skeleton([320, 320]), id=id_("body"), className="stack"),
        ]
    )


def register(app: Dash, queries: Queries, mending: Mending | None = None) -> None:
    """Without `mending` nothing can be asked of collectors, and no button is shown."""
    body = answered(_body)

    @app.callback(
        Output(id_("body"), "children"),
        Output(id_("drawn"), "data"),
        Input("url", "search"),
        Input("version", "data"),
        State(id_("drawn"), "data"),
        running=holding_still(),
    )
    def draw(search: str | None, version: str | None, drawn: str | None) -> Any:
        who = viewer()
        able = mending is not None and rules.may(who.role, "record")
        return unless_drawn(body(queries, who, queries.select(who, search), able), drawn)

    wild = {"type": ACT, "act": ALL, "collector": ALL, "pilot": ALL, "feed": ALL, "kind": ALL}

    @app.callback(Output(id_("said"), "children"), Input(wild, "n_clicks"), prevent_initial_call=True)
    @answered
    def act(clicks: list[int | None]) -> Any:
        asked = ctx.triggered_id
        if mending is None or asked is None or not any(one["value"] for one in ctx.triggered):
            raise PreventUpdate  # the buttons were drawn, and none was pressed
        return _told(mending, viewer(), asked)


def _told(mending: Mending, who: Viewer, asked: Any) -> Any:
    """What became of a request, as a notice."""
    try:
        answer = mending.do(
            who, called(who), *(str(asked[key]) for key in ("act", "collector", "pilot", "feed", "kind"))
        )
    except NotAsked as error:
        return notice("bad", _("The collector could not be asked"), str(error))
    letters = answer.get("letters") or []
    if not answer.get("ok"):
        return notice("bad", _("The collector refused"), str(answer.get("sentence", "")))
    said = [str(answer.get("sentence", ""))]
    if overrun := int(answer.get("overrun") or 0):
        said.append(_n("{n} other request came while too many waited, and was not taken.",
                       "{n} other requests came while too many waited, and were not taken.", overrun))  # fmt: skip
    return [notice("info", _("Done by the collector"), " ".join(said)), *map(_letter, letters)]


def _letter(letter: Any) -> html.Div:
    """One message that is set aside, as far as it may be shown."""
    about = _(
        "{feed} · {code}: {text}. Topic {topic}, seen first {first}, last {last}, tried again {n} times, {size} bytes.",
        feed=letter["feed"], code=letter["code"], text=letter["text"], topic=letter["topic"], first=letter["first"],
        last=letter["last"], n=letter["attempts"], size=wording.number(letter["size"]),
    )  # fmt: skip
    body = letter.get("body")
    shown = html.Pre(body, className="kind-body", tabIndex=0) if body is not None else html.P(letter.get("why_not", ""))
    return html.Div([html.P(about), shown], className="kind")


def _body(queries: Queries, who: Viewer, selection: Selection, able: bool) -> Any:
    pilots = queries.pilots(who, selection)
    if not pilots:
        return notice("empty", _("No pilot to show"), _("Choose at least one in the bar above."))
    glossary = _(
        "Until shown: from receipt until it can be queried. Clock lag: receipt minus the time the source named, "
        "which holds the way here and both clocks; a negative one means that the source's clock is ahead. "
        "Times are those of the last 3 days that had messages."
    )
    return [*[_pilot(queries, who, selection, pilot, able) for pilot in pilots], html.P(glossary, className="note")]


def _pilot(queries: Queries, who: Viewer, selection: Selection, pilot: Pilot, able: bool) -> html.Section:
    rows = fates.feeds(pilot, queries.reports(who, pilot.slug))
    now_ns = queries.now_ns()
    board = queries.now(who, pilot.slug)
    health = {feed.feed: feed for feed in board.feeds} if board else {}
    bounds = queries.bounds(who, selection, [pilot.slug])
    chosen = queries.figures(who, [pilot.slug], *bounds) if bounds else []
    complete = {one.segment: one for one in chosen if one.indicator == "completeness" and one.dim == "feed"}
    days = wording.days(*bounds) if bounds else ""
    return frame(
        Framed(
            name=pilot.slug,
            eyebrow=pilot.country,
            title=pilot.name,
            sentence=fates.sentence(pilot.name, rows, now_ns),
            body=[
                *_lost(pilot, queries.session_losses(who, pilot.slug)),
                _table(pilot, rows, health, complete, days),
                *_kinds(who, pilot, rows, able),
            ],
            notes=_notes(rows),
            csv=f"/download/fates.csv{selection.to_query(pilots=(pilot.slug,))}",
            definition=f"/definitions{selection.to_query()}#completeness",
        )
    )


def _lost(pilot: Pilot, found: list[SessionLoss]) -> list[Any]:
    """When the broker forgot what it held, newest first: the ledger cannot know of messages that never came."""
    if not found:
        return []
    told = [
        _("Between {since} and {found} messages may be missing (collector {name}).", name=one.collector,
          since=wording.moment(wording.ns_of(one.since), pilot.zone) if one.since else _("an unknown time"),
          found=wording.moment(one.found_ns, pilot.zone))
        for one in found[: -_LOST - 1 : -1]
    ]  # fmt: skip
    if len(found) > len(told):
        told.append(_("{n} earlier ones are in the API (session-losses).", n=len(found) - len(told)))
    title = _n("A session with the broker was lost", "{n} sessions with the broker were lost", len(found))
    return [notice("warn", title, " ".join(told), **attributes({"data-lost": str(len(found))}))]


def _table(
    pilot: Pilot, rows: list[Feed], health: dict[str, FeedNow], complete: dict[str, IndicatorValue], days: str
) -> html.Div:
    head = (
        _("Feed"),
        _("Received"),
        _("Written"),
        _("Repeated"),
        _("Set aside"),
        _("Dropped"),
        _("Waiting"),
        _("Complete"),
        _("Until shown"),
        _("Clock lag"),
        _("Longest gap"),
        _("Last message"),
    )
    several = len({row.collector for row in rows if row.collector}) > 1
    body = [_row(pilot, row, health.get(row.id), complete.get(row.id), several) for row in rows]
    caption = _(
        "{pilot}: fates of all messages by feed; completeness over {days}; times over the last 3 days of messages",
        pilot=pilot.name,
        days=days or _("no day"),
    )
    children = [
        html.Caption(caption),
        dmc.TableThead(dmc.TableTr([html.Th(one, scope="col") for one in head])),
        dmc.TableTbody(body),
    ]
    return scrolling(dmc.Table(children, className="numbers figures-table fates-table"), caption)


def _row(pilot: Pilot, row: Feed, health: FeedNow | None, complete: IndicatorValue | None, several: bool) -> Any:
    verdict = health.verdict if health else "unknown"
    name: list[Any] = [icon(f"feed-{verdict}"), html.Span(row.id, className="feed-id")]
    under = _("no feed of the pilot's file") if row.id == fates.UNDECLARED else health.sentence if health else ""
    if several and row.collector:
        under = _("told by collector {name}. {more}", name=row.collector, more=under)
    counts = [
        ("received", row.count("received")),
        ("written", row.count("written")),
        ("duplicate", row.count("duplicate")),
        ("dead_lettered", row.count("dead_lettered")),
        ("dropped", row.dropped),
        ("pending", row.count("pending")),
    ]
    share = complete.value if complete else None
    last = row.report.last_received if row.report else None
    return dmc.TableTr(
        [
            html.Th([html.Span(name, className="fates-feed"), html.Small(under)], scope="row"),
            *[_count(pilot, row, fate, n) for fate, n in counts],
            dmc.TableTd(
                wording.number(share, "%"), **attributes({"data-feed": row.id, "data-fate": "complete"})
            ),
            *[dmc.TableTd(text) for text in (fates.latency(row), fates.skew(row), fates.gap(row, pilot))],
            dmc.TableTd(wording.moment(wording.ns_of(last), pilot.zone) if last else wording.NOTHING),
        ]
    )  # fmt: skip


def _count(pilot: Pilot, row: Feed, fate: str, n: int | None) -> Any:
    text = wording.number(n)
    if fate == "dropped" and row.rules:
        text += "\n" + ", ".join(rule for rule, _count_of_rule in row.rules)
    named = {"data-pilot": pilot.slug, "data-feed": row.id, "data-fate": fate, "data-value": raw(n)}
    return dmc.TableTd(text, className="fates-bad" if fate == "dead_lettered" and n else "", **attributes(named))


def _kinds(who: Viewer, pilot: Pilot, rows: list[Feed], able: bool) -> list[Any]:
    found = fates.kinds(rows)
    if not found:
        return []
    total = sum(n for _row_, _kind, n, _sample in found)
    title = _n("{n} message is set aside, by reason", "{n} messages are set aside, by reason", total)
    return [
        html.Div(
            [html.H3(title), html.Ul([_kind(who, pilot, *one, able) for one in found], className="kinds")],
            className="fates-kinds",
        )
    ]


def _kind(who: Viewer, pilot: Pilot, row: Feed, kind: str, n: int, sample: Sample | None, able: bool) -> html.Li:
    said = sample.text if sample else _("Removed by hand; only its count is kept.") if kind == "purged" else ""
    about: list[Any] = [html.Strong(f"{row.id} · {kind}"), " ", html.Span(wording.number(n), className="kind-n")]
    parts: list[Any] = [html.P(about), html.P(said)]
    if sample is not None:
        when = wording.moment(wording.ns_of(sample.last), pilot.zone)
        parts.append(
            html.P(_("Newest: {time}, topic {topic}", time=when, topic=sample.topic), className="quiet kind-where")
        )
        parts.append(_body_of(who, sample))
    if able and kind != "purged":
        parts.append(_acts(pilot, row, kind, n))
    return html.Li(parts, className="kind", **attributes({"data-feed": row.id, "data-kind": kind, "data-n": str(n)}))


def _acts(pilot: Pilot, row: Feed, kind: str, n: int) -> html.Div:
    """What an operator can have done with a kind; removing needs a second press."""

    def button(act: str, words: str, more: str = "") -> html.Button:
        name = {"type": ACT, "act": act, "collector": row.collector, "pilot": pilot.slug, "feed": row.id, "kind": kind}
        return html.Button(words, id=name, className=f"kind-button {more}", type="button")

    sure = _n("Remove {n} message for good", "Remove {n} messages for good", n)
    return html.Div(
        [
            button("requeue", _("Try again")),
            button("show", _("Show the newest")),
            html.Details([html.Summary(_("Remove…")), button("purge", sure, "is-bad")]),
        ],
        className="kind-acts",
    )


def _body_of(who: Viewer, sample: Sample) -> Any:
    """The beginning of the newest one, for those who can mend it."""
    if not rules.may(who.role, "record"):
        return html.P(_("Operators see the beginning of the message here."), className="quiet")
    if sample.body is None:
        return html.P(_("Its body is not shown: the feed may name persons, or nothing was kept."), className="quiet")
    more = (
        _("the first {n} characters of {size} bytes", n=len(sample.body), size=wording.number(sample.body_size))
        if sample.body_size > len(sample.body.encode())
        else _("the whole message")
    )
    return html.Details(
        [html.Summary(_("Show {what}", what=more)), html.Pre(sample.body, className="kind-body", tabIndex=0)]
    )


def _notes(rows: list[Feed]) -> list[str]:
    notes = []
    share = fates.share_set_aside(rows)
    if share is not None and share > _MANY:
        notes.append(_("{share} % of what was received is set aside; more than 1 % needs a look.",
                       share=wording.number(100 * share)))  # fmt: skip
    if unread := fates.mostly_without_reading(rows):
        notes.append(_("Most messages of {feeds} held none of the fields in its map, so nothing of them is stored; "
                       "correct its values in the pilot's file, then run periscope replay --dropped --since 72h.",
                       feeds=", ".join(unread)))  # fmt: skip
    if any(row.id == fates.UNDECLARED and row.told for row in rows):
        notes.append(_("Messages under unknown came on topics that no feed of this pilot's file declares."))
    return notes
