"""Who is there: by a proxy's word, by a session, or, where nobody can be asked, as the operator of a demo.

Promises: as soon as there is an account, a provider or a proxy that names people, everybody is asked; nobody is let in
by themselves from another machine, nor by a page that gave this machine's address another name.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from flask import Request, Response

from config.access import LOOPBACK, Oidc, Proxy
from config.settings import Dashboard
from dashboard.access import proxy as proxies
from dashboard.access.addresses import check_address
from dashboard.access.forgery import Tokens
from dashboard.access.throttle import Throttle
from dashboard.viewer import Viewer
from pipeline.accounts import Account, Accounts
from pipeline.sessions import Sessions

DEMO: Final = "demo"
_REPEATS_S: Final = 60


@dataclass(frozen=True)
class Signed:
    """Somebody who is signed in; `anchor` is what the token against forgery is bound to."""

    who: Viewer
    way: Literal["demo", "session", "proxy"]
    anchor: str = ""


class Access:
    """Everything that the guard asks. Without accounts there is nobody to ask, so the demo's operator is let in."""

    def __init__(
        self,
        accounts: Accounts | None = None,
        clock: Callable[[], int] = lambda: 0,
        web: Dashboard | None = None,
        oidc: Oidc | None = None,
        proxy: Proxy | None = None,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accounts, self.clock, self.tick = accounts, clock, tick
        self.web, self.oidc, self.proxy = web or Dashboard(), oidc or Oidc(), proxy or Proxy()
        self.sessions = Sessions(accounts, self.web.idle_min * 60, self.web.session_h * 3600) if accounts else None
        key = self.web.secret_key.get_secret_value() if self.web.secret_key else secrets.token_hex(32)
        self.tokens = Tokens(key)
        # Twice the rate over twice the time: a page that opens asks for all its parts at once.
        self.callbacks = Throttle(2 * self.web.callbacks_per_s, 2, tick)
        self.exports = Throttle(self.web.exports_per_h, 3600, tick)
        self._told = Throttle(1, _REPEATS_S, tick)
        public = urlsplit(self.web.public_url or "")
        self.https = public.scheme == "https"
        self.secure = self.https or self.web.host not in LOOPBACK
        names = ("__Host-periscope", "__Host-periscope-csrf") if self.secure else ("periscope", "_csrf_token")
        self.session_cookie, self.token_cookie = names
        if accounts:
            accounts.get_ready()

    def check(self, host: str) -> None:
        """Raises ConfigError when this server must not listen at an address."""
        check_address(
            host, public_url=self.web.public_url, secret=self.web.secret_key is not None, asks=not self.lets_in,
            provider=self.oidc.issuer is not None,
        )  # fmt: skip

    @property
    def lets_in(self) -> bool:
        """True while nobody can be asked who they are."""
        asks = self.oidc.issuer or self.proxy.user_header or (self.accounts and self.accounts.exist())
        return not asks

    def who_is_there(self, request: Request, doing: bool = True) -> Signed | None:
        """Who made a request; None when that is not known. `doing` is whether the reader did something just now."""
        if self.lets_in:
            return Signed(Viewer("operator", name=DEMO), "demo") if _by_this_name(request) else None
        if self.accounts is None or self.sessions is None:
            return None
        if found := proxies.vouched(request, self.proxy):
            return self._vouched(found)
        identifier = request.cookies.get(self.session_cookie, "")
        account = self.sessions.find(identifier, self.clock(), doing) if identifier else None
        return Signed(as_viewer(account), "session", identifier) if account else None

    def _vouched(self, found: proxies.Vouched) -> Signed | None:
        if found.role is None or self.accounts is None:
            return None
        account = self.accounts.from_elsewhere("proxy", found.name, found.name, found.role, found.pilots, self.clock())
        return Signed(as_viewer(account), "proxy", found.name) if account else None

    def token(self, signed: Signed | None, request: Request) -> str:
        """The token that a change by this reader must carry."""
        cookie = request.cookies.get(self.token_cookie, "")
        if signed is None:
            return self.tokens.before_sign_in(cookie)
        return self.tokens.of_demo(cookie) if signed.way == "demo" else self.tokens.of_session(signed.anchor)

    def start(self, response: Response, request: Request, account: Account) -> None:
        """Open a new session for an account, and end the one that this browser had."""
        if self.sessions is None:
            return
        self.sessions.end(request.cookies.get(self.session_cookie, ""))
        identifier = self.sessions.open(account, self.clock())
        response.set_cookie(
            self.session_cookie, identifier, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )
        self.set_token(response, self.tokens.of_session(identifier))

    def end(self, response: Response, request: Request) -> None:
        """End the session of this browser."""
        if self.sessions is not None:
            self.sessions.end(request.cookies.get(self.session_cookie, ""))
        response.delete_cookie(self.session_cookie, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def set_token(self, response: Response, token: str) -> None:
        """Hand the browser its token, where the pages' script finds it."""
        response.set_cookie(self.token_cookie, token, path="/", secure=self.secure, samesite="Lax")

    def note(self, who: str, what: str, outcome: str = "ok") -> None:
        """Write into the audit."""
        if self.accounts is not None:
            self.accounts.operations.audit(who, what, self.clock(), outcome)

    def note_refusal(self, who: str, what: str, outcome: str) -> None:
        """The same for what may be repeated many times: once a minute."""
        if self._told.allows((who, what, outcome)):
            self.note(who, what, outcome)


def as_viewer(account: Account) -> Viewer:
    """An account as the pages know it."""
    return Viewer(account.role, account.pilots, account.name, account.id)


def called(who: Viewer) -> str:
    """How the audit names a reader."""
    return who.name if who.account is None else f"{who.account} {who.name}"


def _by_this_name(request: Request) -> bool:
    """Another name would be a page elsewhere that had its name lead to this machine."""
    return urlsplit(f"//{request.host}").hostname in LOOPBACK
