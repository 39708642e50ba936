"""Before and after each request: who may pass, what browsers are told.

Promises: a route that is not listed here is refused; a callback is JSON of at most 1 MiB from our own origin; every
answer carries the security headers, and data are never cached; scripts run only from this server or by their hash.
"""

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request

from config.problems import ConfigError, Problem
from dashboard.viewer import EVERYTHING, NOBODY, Viewer

MAX_BODY = 1024 * 1024
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Rules of url_map, by what they may answer without asking who is there. Anything else is refused.
PUBLIC_RULES = frozenset(
    {
        "/healthz",
        "/readyz",
        "/_favicon.ico",
        "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
        "/_dash-component-suites/<path:fingerprinted_path>",
        "/assets/<path:filename>",
    }
)
VIEWER_RULES = frozenset(
    {
        "/",
        "/<path:path>",
        "/_dash-layout",
        "/_dash-dependencies",
        "/_dash-update-component",
        "/download/<name>.csv",
    }
)


def check_address(host: str, *, accounts: bool = False, secret: bool = False) -> None:
    """Refuse an address that other machines can reach, unless readers log in and sessions are signed."""
    if host in LOOPBACK or (accounts and secret):
        return
    raise ConfigError(
        [
            Problem(
                "settings",
                "dashboard.host",
                "is not this machine's loopback address",
                "use 127.0.0.1 and a proxy that asks who is there; accounts are not built yet",
            )
        ]
    )


def viewer() -> Viewer:
    """Who made this request; the guard has set it."""
    found: Viewer = g.viewer
    return found


def guard(server: Flask, pages: Sequence[str], secret_key: str | None) -> None:
    """Install the checks before requests."""
    server.secret_key = secret_key or secrets.token_hex(32)
    server.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PROPAGATE_EXCEPTIONS=False,
    )

    @server.before_request
    def admit() -> None:
        g.viewer = NOBODY
        rule = request.url_rule.rule if request.url_rule else None
        if rule in PUBLIC_RULES:
            return
        if rule not in VIEWER_RULES:
            abort(404)
        if rule == "/<path:path>" and request.path not in pages:
            abort(404)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _own_origin_only()
        g.viewer = EVERYTHING


def _own_origin_only() -> None:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def headers(server: Flask, script_hashes: Sequence[str]) -> None:
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
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.url_rule is None or request.url_rule.rule not in PUBLIC_RULES:
            response.headers["Cache-Control"] = "no-store"
        return response
