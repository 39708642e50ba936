"""Signing in by a provider: away to it and back, each bound to the browser that asked; a state is taken once."""

import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, abort, request

from config.problems import ConfigError, Problem
from dashboard.access.access import Access
from dashboard.access.claims import claim, role_of
from dashboard.access.sign_in import own_address, sent_to, sign_in_page
from dashboard.texts import _
from pipeline.accounts import Account
from pipeline.sessions import HANDSHAKE_S

if TYPE_CHECKING:
    from dashboard.access.oidc import Provider

log = logging.getLogger(__name__)
_LONGEST_NAME = 200


def register(server: Flask, access: Access) -> None:
    """The two routes; they answer 404 when no provider is set."""
    provider = _provider(access) if access.oidc.issuer else None
    cookie = "__Host-periscope-away" if access.secure else "periscope-away"

    @server.get("/sign-in/provider")
    def leave() -> Response:
        if provider is None or access.sessions is None:
            abort(404)
        from dashboard.access.oidc import ProviderAway

        goal = own_address(request.args.get("next", ""))
        try:
            url, state, shake = provider.leave(goal)
        except ProviderAway as error:
            return _away(access, goal, error)
        browser = secrets.token_urlsafe(32)
        access.sessions.begin_handshake(state, browser, shake, access.clock())
        response = sent_to(url)
        response.set_cookie(
            cookie, browser, max_age=HANDSHAKE_S, path="/", secure=access.secure, httponly=True, samesite="Lax"
        )
        return response

    @server.get("/sign-in/provider/return")
    def come_back() -> Response:
        if provider is None:
            abort(404)
        response = _come_back(access, provider, request.cookies.get(cookie, ""))
        response.delete_cookie(cookie, path="/", secure=access.secure, httponly=True, samesite="Lax")
        return response


def _provider(access: Access) -> "Provider":
    try:
        from dashboard.access.oidc import Provider
    except ImportError:
        what = "needs a library that is not installed"
        raise ConfigError(
            [Problem("settings", "oidc.issuer", what, "install it: pip install 'periscope[oidc]'")]
        ) from None
    back = f"{(access.web.public_url or '').rstrip('/')}/sign-in/provider/return"
    return Provider(access.oidc, back, access.clock, access.tick)


def _come_back(access: Access, provider: "Provider", browser: str) -> Response:
    from dashboard.access.oidc import ProviderAway, ProviderRefused

    if access.sessions is None:
        abort(404)
    shake = access.sessions.end_handshake(request.args.get("state", ""), browser, access.clock())
    if shake is None:
        return _refused(access, "/", "unknown state", _("This sign-in is too old or was used before. Start again."))
    if "code" not in request.args:
        return _refused(access, shake.goal, "the provider refused", _("The provider did not sign you in."))
    try:
        claims = provider.claims(request.args["code"], shake)
    except ProviderAway as error:
        return _away(access, shake.goal, error)
    except ProviderRefused as error:
        return _refused(access, shake.goal, str(error), _("The provider's answer could not be believed. Start again."))
    account = _account(access, claims)
    if account is None:
        said = _("You are known, but no role lets you in. Ask whoever runs this server.")
        return _refused(access, shake.goal, "no role", said, 403)
    access.note(account.who(), "sign-in by provider")
    response = sent_to(shake.goal)
    access.start(response, request, account)
    return response


def _account(access: Access, claims: Mapping[str, Any]) -> Account | None:
    settings, subject = access.oidc, str(claims["sub"])
    role = role_of(claim(claims, settings.role_claim), settings.role_map)
    if role is None or access.accounts is None:
        return None
    pilots = None if settings.pilots_claim is None else frozenset(claim(claims, settings.pilots_claim))
    said = claims.get(settings.name_claim)
    name = said if isinstance(said, str) and said else subject
    return access.accounts.from_elsewhere(
        "oidc", f"{settings.issuer} {subject}", name[:_LONGEST_NAME], role, pilots, access.clock()
    )


def _refused(access: Access, goal: str, why: str, said: str, status: int = 401) -> Response:
    access.note_refusal("nobody", "sign-in by provider", f"refused: {why}")
    return sign_in_page(access, goal, said, status=status)


def _away(access: Access, goal: str, error: Exception) -> Response:
    log.warning("The provider cannot be asked: %s", error)
    access.note_refusal("nobody", "sign-in by provider", "provider away")
    said = _("The provider does not answer now. Try again in a minute.")
    return sign_in_page(access, goal, said, status=503)
