"""What browsers are told, and what no request may exceed; who may pass is decided in `access`.

Promises: a body has at most 1 MiB; every answer carries the security headers, and data are never cached; scripts run
only from this server or by their hash.
"""

import secrets
from collections.abc import Sequence

from dash.exceptions import DependencyException
from flask import Flask, Response, g, request

from dashboard.access import rules
from dashboard.viewer import Viewer

MAX_BODY = 1024 * 1024


def viewer() -> Viewer:
    """Who made this request; the guard has set it."""
    found: Viewer = g.viewer
    return found


def limits(server: Flask) -> None:
    """Set what Flask leaves open: the size of a body, and that a fault shows no traceback."""
    # Nothing is kept in Flask's own session; whoever adds something finds it signed with a key of this process.
    server.secret_key = secrets.token_hex(32)
    server.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PROPAGATE_EXCEPTIONS=False,
    )
    # A script that no package has would otherwise be a fault of ours, with a traceback in the log each time.
    server.register_error_handler(DependencyException, lambda error: ("Not found\n", 404))


def headers(server: Flask, script_hashes: Sequence[str], https: bool = False) -> None:
    """Install the headers after requests; call it after every callback is registered: hashes are of them."""
    policy = "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src 'self'", *script_hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        ]
    )

    @server.after_request
    def tell(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if https or request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.url_rule is None or rules.route(request.method, request.url_rule.rule) != "open":
            response.headers["Cache-Control"] = "no-store"
        return response
