"""Whether a change comes from one of our own pages: a token in the request, and the origin that the browser states.

The token is a signature of the session, so that it changes with it. Before sign-in it is a signed random text that
cookie and form must both carry; where nobody is asked, any text that both carry, so that several demos on one machine,
whose cookies the browser does not tell apart, do not disturb each other.
"""

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import Request

HEADER = "X-CSRFToken"
FIELD = "csrf"
_RANDOM = re.compile(r"[A-Za-z0-9_-]{20,100}")


class Tokens:
    """Tokens signed with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def sign(self, purpose: str, text: str) -> str:
        """A signature that only the holder of the secret can make."""
        return hmac.new(self._secret, f"{purpose}|{text}".encode(), hashlib.sha256).hexdigest()

    def of_session(self, anchor: str) -> str:
        """The token of a session."""
        return self.sign("session", anchor)

    def before_sign_in(self, cookie: str) -> str:
        """The token in the cookie if it is one of ours, else a new one."""
        text, _, signature = cookie.partition(".")
        if hmac.compare_digest(self.sign("form", text).encode(), signature.encode()):
            return cookie
        text = secrets.token_urlsafe(24)
        return f"{text}.{self.sign('form', text)}"

    @staticmethod
    def of_demo(cookie: str) -> str:
        """The token in the cookie, or a new one."""
        return cookie if _RANDOM.fullmatch(cookie) else secrets.token_urlsafe(24)


def same(given: str, right: str) -> bool:
    """Whether a request carries the right token."""
    return hmac.compare_digest(given.encode(), right.encode())


def from_own_origin(request: Request, public_url: str | None) -> bool:
    """False when the browser says that the request was started by a page of another origin."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    known = {request.host, urlsplit(public_url or "").netloc}
    # Not taken apart by `urlsplit`, which fails on what a stranger may send.
    return origin is None or origin.partition("://")[2] in known - {""}
