"""What all pages share: head with menu, the notices that no page may leave out, the selection bar, the live tick.

The shell holds the one Location. The tick writes only a version to a Store; a page draws again when that changes.
"""

from types import ModuleType
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from flask import has_request_context

from dashboard import bar, notices
from dashboard.access import rules
from dashboard.access.access import DEMO
from dashboard.access.sign_in import role_name
from dashboard.components import answered, attributes, icon, notice
from dashboard.figures import FONT
from dashboard.pages import FINDINGS, PAGES
from dashboard.queries import AnswersAway, Queries
from dashboard.security import viewer
from dashboard.texts import _
from dashboard.viewer import EVERYTHING, Viewer

_SLATE = ["#f1f4f7", "#e1e7ec", "#c2ced9", "#9fb2c4", "#7c97af", "#567a99", "#1f4f7a", "#1b456b", "#163a5a", "#102c46"]
THEME = {
    "fontFamily": FONT,
    "headings": {"fontFamily": FONT},
    "primaryColor": "slate",
    "primaryShade": {"light": 6, "dark": 4},
    "colors": {"slate": _SLATE},
    "defaultRadius": "sm",
    "cursorType": "pointer",
    "autoContrast": True,
}


def layout(queries: Queries, refresh_s: float) -> dmc.MantineProvider:
    """The page around every page, made anew per request for whoever made it."""
    who = viewer() if has_request_context() else EVERYTHING
    choices = queries.choices(who)
    return dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="version"),
            dcc.Store(id="scheme"),
            dcc.Store(id="page-title"),
            dcc.Store(id="sink"),
            dcc.Interval(id="tick", interval=round(refresh_s * 1000)),
            html.A(_("Skip to content"), href="#page", className="skip"),
            _head(who),
            *_let_in(who),
            html.Section(id="notices", className="wide", **attributes({"aria-label": _("Notices")})),
            bar.layout(queries, choices),
            html.Main(id="page", className="wide", tabIndex=-1),
            html.Footer(
                _("Periscope measures uptake next to engagement. Every value carries its n, interval and status."),
                className="wide foot",
            ),
            html.Div(
                [icon("alert"), _("Connection lost. Trying again; the numbers shown may be old.")],
                className="lost",
                role="alert",
            ),
            html.Div(
                [
                    icon("alert"),
                    html.Span(_("You are signed out; what is shown may be old.")),
                    html.A(_("Sign in again"), href="/sign-in", id="sign-in-again"),
                ],
                className="out",
                role="alert",
            ),
        ],
        theme=THEME,
        defaultColorScheme="auto",
    )


def _let_in(who: Viewer) -> list[Any]:
    """What must be said where nobody was asked who they are."""
    if who.account is not None or who.name != DEMO:
        return []
    said = _(
        "You were signed in as this demo's {role} without being asked, as is anyone on this machine. "
        "The first account that is added ends this.",
        role=role_name(who.role),
    )
    strip = html.Div([icon("user"), html.Strong(_("Demo")), html.Span(said)], className="strip", role="note")
    return [html.Section(strip, id="demo-notice", className="wide", **attributes({"aria-label": _("Demo")}))]


def _head(who: Viewer) -> html.Header:
    # A disclosure of the browser's own: it says by itself whether it is open, also to those who hear the page.
    menu = html.Details(
        [
            html.Summary(icon("menu"), className="menu-button", **attributes({"aria-label": _("Menu")})),
            html.Nav([], id="menu", className="menu-list", **attributes({"aria-label": _("All pages")})),
        ],
        className="menu",
    )
    mark = html.Span(className="mark", **attributes({"aria-hidden": "true"}))
    toggle = dmc.ColorSchemeToggle(
        lightIcon=icon("sun"),
        darkIcon=icon("moon"),
        variant="subtle",
        size="lg",
        color="slate",
        **attributes({"aria-label": _("Switch between light and dark")}),
    )
    return html.Header(
        html.Div(
            [
                dcc.Link([mark, "Periscope"], href="/", className="brand"),
                html.Nav(id="nav", className="nav", **attributes({"aria-label": _("Pages")})),
                html.Div(
                    [
                        html.Span(id="evaluated", className="evaluated"),
                        _account(who),
                        toggle,
                        html.Div(menu, className="small-only"),
                    ],
                    className="head-end",
                ),
            ],
            className="wide head",
        ),
        className="top",
    )


def _account(who: Viewer) -> html.A:
    shown = _("Demo") if who.name == DEMO else who.name
    named = {"aria-label": _("Your account: {name}, {role}", name=shown, role=role_name(who.role))}
    name = html.Span(shown, className="account-name")
    return html.A([icon("user"), name], href="/account", className="account", **attributes(named))


def register(app: Dash, queries: Queries) -> None:
    """The callbacks of the shell; those of the pages are registered by the pages."""
    bar.register(app, queries)
    _register_routes(app, queries)
    _register_live(app, queries)
    for name, output, source in (
        ("scheme", Output("scheme", "data"), Input("url", "pathname")),
        ("title", Output("sink", "data"), Input("page-title", "data")),
    ):
        app.clientside_callback(ClientsideFunction("periscope", name), output, source)  # type: ignore[no-untyped-call]


def _register_routes(app: Dash, queries: Queries) -> None:
    @app.callback(Output("page", "children"), Output("page-title", "data"), Input("url", "pathname"))
    def show(path: str | None) -> tuple[Any, str]:
        for page in PAGES:
            if path == page.PATH and rules.may(viewer().role, rules.PAGES[page.PATH]):
                return page.layout(), f"{_(page.TITLE)} – {queries.title}"
        return notice("empty", _("There is no such page"), _("Choose one from the menu above.")), queries.title

    @app.callback(
        Output("nav", "children"), Output("menu", "children"), Input("url", "pathname"), Input("url", "search")
    )
    def link(path: str | None, search: str | None) -> tuple[list[Any], list[Any]]:
        kept = queries.select(viewer(), search).to_query()
        allowed = [page for page in PAGES if rules.may(viewer().role, rules.PAGES[page.PATH])]
        return _wide(allowed, path, kept), [_link(page, path, kept, "menu-link") for page in allowed]


def _link(page: ModuleType, path: str | None, kept: str, kind: str) -> dmc.Anchor:
    here = {"aria-current": "page"} if path == page.PATH else {}
    return dmc.Anchor(_(page.TITLE), href=page.PATH + kept, underline="never", className=kind, **here)


def _wide(allowed: list[ModuleType], path: str | None, kept: str) -> list[Any]:
    """The menu of a wide screen: the findings stand under one entry, which names the one that is open."""
    group = [page for page in allowed if page in FINDINGS]
    found: list[Any] = []
    for page in allowed:
        if page not in FINDINGS:
            found.append(_link(page, path, kept, "nav-link"))
        elif page is group[0]:
            here = next((_(one.TITLE) for one in group if path == one.PATH), "")
            summary = html.Summary(
                [_("Findings"), html.Span(f": {here}")] if here else _("Findings"),
                className="nav-link is-here" if here else "nav-link",
            )
            links = html.Div([_link(one, path, kept, "menu-link") for one in group], className="menu-list")
            found.append(html.Details([summary, links], className="menu"))
    return found


def _register_live(app: Dash, queries: Queries) -> None:
    @app.callback(
        Output("version", "data"),
        Input("tick", "n_intervals"),
        State("version", "data"),
        running=[(Output("tick", "disabled"), True, False)],
    )
    def look(ticks: int | None, shown: str | None) -> Any:
        try:
            version = queries.version()
            # Nothing is written while nobody looks, so that the notice of it needs a sign of its own, once a minute.
            if (ago_s := notices.unwatched_s(queries)) is not None:
                version = f"{version}.{ago_s // 60:.0f}"
        except AnswersAway:
            version = "away"
        return no_update if version == shown else version

    draw, judged = answered(notices.notices), answered(notices.evaluated)

    @app.callback(
        Output("notices", "children"), Output("evaluated", "children"), Input("url", "search"), Input("version", "data")
    )
    def warn(search: str | None, version: str | None) -> tuple[Any, Any]:
        who = viewer()
        shown = draw(queries, who, queries.select(who, search))
        return shown, "" if version == "away" else judged(queries)
