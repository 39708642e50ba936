"""create_app(queries): nothing else builds a Dash. Importing this module does nothing; two apps share nothing."""

import logging
from types import ModuleType
from typing import Any

from dash import Dash
from flask import Flask, request

from dashboard import downloads, palette, security, serve, shell, texts
from dashboard.access import forgery, guard, provider_routes, sign_in
from dashboard.access.access import Access
from dashboard.api import routes
from dashboard.log import check_in
from dashboard.log.desk import Desk
from dashboard.mending import Mending
from dashboard.pages import PAGES
from dashboard.pages import alerts as alerts_page
from dashboard.pages import log as log_page
from dashboard.pages import quality as quality_page
from dashboard.queries import Queries
from dashboard.tending import Tending

log = logging.getLogger(__name__)

_INDEX = """<!DOCTYPE html>
<html lang="{language}" data-mantine-color-scheme="light">
    <head>
        {{%metas%}}
        <meta name="color-scheme" content="light dark">
        <title>{{%title%}}</title>
        <link rel="icon" type="image/svg+xml" href="/assets/mark.svg">
        <script>{script}</script>
        {{%css%}}
        <style>{colours}</style>
    </head>
    <body>
        {{%app_entry%}}
        <noscript>{noscript}</noscript>
        {{%config%}}{{%scripts%}}{{%renderer%}}
    </body>
</html>"""


def create_app(
    queries: Queries,
    *,
    refresh_s: float,
    access: Access | None = None,
    desk: Desk | None = None,
    mending: Mending | None = None,
    tending: Tending | None = None,
) -> Dash:
    """The dashboard of one catalogue; `refresh_s` is how often an open page looks for new data, in seconds.

    Without `access` there are no accounts, and whoever reads on this machine is the operator of a demo. Without `desk`
    nothing can be recorded, without `mending` no collector be asked, without `tending` nothing be done about incidents.
    """
    server, access = Flask("periscope_dashboard", static_folder=None), access or Access()
    server.extensions["periscope_access"] = access
    security.limits(server)
    _speak_the_readers_language(server)
    guard.install(server, access)
    server.config["COMPRESS_MIMETYPES"] = [
        "text/html",
        "text/css",
        "text/csv",
        "application/json",
        "application/javascript",
        "text/javascript",
        "image/svg+xml",
    ]
    app = Dash(
        "dashboard",
        server=server,  # type: ignore[arg-type]
        title=queries.title,
        update_title="",
        index_string=_index(),
        compress=True,
        use_pages=False,
        pages_folder="",
        suppress_callback_exceptions=False,
        add_log_handler=False,
        enable_mcp=False,
        csrf_token_name=access.token_cookie,
        csrf_header_name=forgery.HEADER,
        on_error=_tell_log,
    )
    app.layout = lambda: shell.layout(queries, refresh_s)
    parts: Any = [shell.layout(queries, refresh_s), *[page.layout() for page in PAGES], *log_page.every_part(desk)]
    app.validation_layout = parts
    shell.register(app, queries)
    own: dict[ModuleType, tuple[Any, ...]] = {
        log_page: (desk,),
        quality_page: (mending,),
        alerts_page: (tending,),
    }
    for page in PAGES:
        page.register(app, queries, *own.get(page, ()))
    if desk is not None:
        check_in.register(server, access, desk)
    downloads.register(server, queries)
    routes.register(server, queries)
    serve.health(server, queries)
    sign_in.register(server, access, queries)
    provider_routes.register(server, access)
    security.headers(server, [*app.csp_hashes(), palette.script_hash()], access.https)
    return app


def _index() -> str:
    return _INDEX.format(
        language=texts.LANGUAGE,
        script=palette.SCHEME_SCRIPT,
        colours=palette.as_css(),
        noscript=texts._("This page draws live figures and needs JavaScript, all of it from this server."),
    )


def _speak_the_readers_language(server: Flask) -> None:
    @server.before_request
    def speak() -> None:
        texts.speak(texts.catalogue(request.accept_languages.best_match([texts.LANGUAGE]) or texts.LANGUAGE))


def _tell_log(error: Exception) -> Any:
    """The outermost frame of every callback: the page keeps what it shows."""
    log.error("A callback failed", exc_info=error)
