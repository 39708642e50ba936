"""create_app(queries): nothing else builds a Dash. Importing this module does nothing; two apps share nothing."""

import base64
import hashlib
import logging
from typing import Any

from dash import Dash
from flask import Flask, request

from dashboard import downloads, palette, security, serve, shell, texts
from dashboard.pages import PAGES
from dashboard.queries import Queries

log = logging.getLogger(__name__)

# Before anything is drawn: the reader's own choice, else that of the system. No flash of the other scheme.
_SCHEME_SCRIPT = (
    '(function(){var s=null;try{s=localStorage.getItem("mantine-color-scheme-value")}catch(e){}'
    'if(s!=="light"&&s!=="dark"){s=matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}'
    'document.documentElement.setAttribute("data-mantine-color-scheme",s)})();'
)
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


def create_app(queries: Queries, *, refresh_s: float, secret_key: str | None = None) -> Dash:
    """The dashboard of one catalogue; `refresh_s` is how often an open page looks for new data, in seconds."""
    server = Flask("periscope_dashboard", static_folder=None)
    security.guard(server, [page.PATH for page in PAGES], secret_key)
    _speak_the_readers_language(server)
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
        on_error=_tell_log,
    )
    app.layout = lambda: shell.layout(queries, refresh_s)
    parts: Any = [shell.layout(queries, refresh_s), *[page.layout() for page in PAGES]]
    app.validation_layout = parts
    shell.register(app, queries)
    for page in PAGES:
        page.register(app, queries)
    downloads.register(server, queries)
    serve.health(server, queries)
    digest = base64.b64encode(hashlib.sha256(_SCHEME_SCRIPT.encode()).digest()).decode()
    security.headers(server, [*app.csp_hashes(), f"'sha256-{digest}'"])
    return app


def _index() -> str:
    return _INDEX.format(
        language=texts.LANGUAGE,
        script=_SCHEME_SCRIPT,
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
