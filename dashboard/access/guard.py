"""The one guard before every request: what the rule table does not allow is refused.

Order: is the route listed; who is there; does a change come from our own page, with the reader's token; is the callback
or page listed; how often; may this role. Nothing is read for a request that the guard refuses.
"""

from typing import NoReturn
from urllib.parse import quote

from flask import Flask, Response, abort, g, jsonify, request

from dashboard.access import forgery, rules
from dashboard.access.access import Access, Signed, called
from dashboard.access.plain_page import refusal
from dashboard.access.rules import Permission
from dashboard.texts import _
from dashboard.viewer import NOBODY

_CHANGES_NOTHING = ("GET", "HEAD")
_LONGEST_NOTED = 500


def install(server: Flask, access: Access) -> None:
    """Check every request of this server from now on."""

    @server.before_request
    def admit() -> None:
        g.viewer, g.signed, g.token = NOBODY, None, None
        if request.url_rule is None:
            return  # no view answers; Flask says 404 or 405
        need = rules.route(request.method, request.url_rule.rule)
        if need is None:
            _identify(access)
            _refuse(access, 403, "without a rule", _("There is no rule that allows this, so it is refused."))
        if need == "open":
            return
        _identify(access)
        if request.method not in _CHANGES_NOTHING:
            _own_page_only(access, g.signed)
        if need == "public":
            return
        if g.signed is None:
            _ask()
        need = _inner_need(access, need)
        _not_too_often(access, need)
        if not rules.may(g.viewer.role, need):
            _refuse(access, 403, f"role {g.viewer.role}", _("Your account may not do this. Ask an administrator."))

    @server.after_request
    def hand_out(response: Response) -> Response:
        token = g.get("token")
        handed = any(cookie.startswith(f"{access.token_cookie}=") for cookie in response.headers.getlist("Set-Cookie"))
        if token and not handed and request.cookies.get(access.token_cookie) != token:
            access.set_token(response, token)
        if request.url_rule and rules.route(request.method, request.url_rule.rule) == "download" and g.get("signed"):
            if response.status_code == 304:
                pass  # the reader has it already
            elif response.status_code == 429:  # may go on without end, each time with another query
                access.note_refusal(called(g.viewer), f"download {request.url_rule.rule}", "429")
            else:
                query = request.query_string.decode("ascii", "replace")
                what = f"download {request.path}?{query}"[:_LONGEST_NOTED]
                access.note(called(g.viewer), what, str(response.status_code))
        return response


def _identify(access: Access) -> None:
    g.signed = access.who_is_there(request, _by_the_reader())
    if g.signed is None and access.lets_in:
        _refuse(
            access, 403, "foreign name", _("Without accounts, this dashboard answers only as 127.0.0.1 or localhost.")
        )
    if g.signed is not None:
        g.viewer = g.signed.who
    g.token = access.token(g.signed, request)


def _by_the_reader() -> bool:
    """False for a request that an open page makes by itself, which must not keep a session alive."""
    if request.url_rule is None or request.url_rule.rule != rules.CALLBACK_RULE:
        return True
    changed = _body().get("changedPropIds")
    started = {one for one in changed if isinstance(one, str)} if isinstance(changed, list) else set()
    return not started or not started <= rules.BY_ITSELF


def _body() -> dict[str, object]:
    body = request.get_json(silent=True) if request.is_json else None
    return body if isinstance(body, dict) else {}


def _own_page_only(access: Access, signed: Signed | None) -> None:
    is_callback = request.url_rule is not None and request.url_rule.rule == rules.CALLBACK_RULE
    if is_callback and not request.is_json:
        abort(415)
    if not forgery.from_own_origin(request, access.web.public_url):
        _refuse(access, 403, "foreign origin", _("This came from a page of another address, so it is refused."))
    if is_callback and signed is None:
        _ask()
    given = request.headers.get(forgery.HEADER) or ("" if is_callback else request.form.get(forgery.FIELD, ""))
    if not forgery.same(given, g.token):
        _refuse(
            access,
            403,
            "no token",
            _("This page was open for too long, or your browser kept no cookie. Open it again."),
        )


def _ask() -> NoReturn:
    rule = request.url_rule.rule if request.url_rule else ""
    if request.method in _CHANGES_NOTHING and rule in (*rules.PAGE_RULES, "/account"):
        goal = request.full_path.rstrip("?")
        abort(Response("", 303, {"Location": f"/sign-in?next={quote(goal, safe='')}"}))
    abort(
        _told(
            401, _("Sign in first"), _("Nobody is signed in here, or the session has ended."), "/sign-in", _("Sign in")
        )
    )


def _inner_need(access: Access, need: Permission) -> Permission:
    """What the page or callback behind a shared route needs."""
    rule = request.url_rule.rule if request.url_rule else ""
    if rule in rules.PAGE_RULES:
        page = rules.PAGES.get(request.path)
        return page or abort(_told(404, _("There is no such page"), _("The address is wrong, or the page has moved.")))
    if rule == rules.CALLBACK_RULE:
        found = rules.callback(_body().get("output"))
        return found or _refuse(
            access, 403, "without a rule", _("There is no rule that allows this, so it is refused.")
        )
    return need


def _not_too_often(access: Access, need: Permission) -> None:
    reader = g.viewer.account or g.viewer.name
    rule = request.url_rule.rule if request.url_rule else ""
    if rule in (rules.CALLBACK_RULE, rules.API_RULE) and not access.callbacks.allows(reader):
        if rule == rules.API_RULE:
            abort(_as_json(429, _("Too many requests"), _("Wait a second, then ask again.")))
        abort(Response("Too many requests\n", 429, {"Retry-After": "1"}, mimetype="text/plain"))
    if need == "download" and rule != rules.API_RULE and not access.exports.allows(reader):
        said = _(
            "You have downloaded {n} files within the hour. Wait, or ask for the whole export.",
            n=access.web.exports_per_h,
        )
        response = _told(429, _("Too many downloads"), said)
        response.headers["Retry-After"] = "600"
        abort(response)


def _refuse(access: Access, status: int, why: str, sentence: str) -> NoReturn:
    """Refuse a request, write it down, and say why."""
    output = _body().get("output")
    known = rules.key(output) if rules.callback(output) and isinstance(output, str) else ""
    rule = request.url_rule.rule if request.url_rule else ""
    access.note_refusal(called(g.viewer) or "nobody", f"{request.method} {rule} {known}".rstrip(), f"refused: {why}")
    abort(_told(status, _("Refused"), sentence))


def _told(status: int, title: str, sentence: str, link: str = "/", label: str = "") -> Response:
    """For a reader a page, for a script one line, for a program that asks the API a problem in JSON."""
    if request.url_rule is not None and request.url_rule.rule == rules.API_RULE:
        return _as_json(status, title, sentence)
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) == "text/html" and not request.is_json:
        return refusal(title, sentence, status, link, label)
    return Response(f"{title}: {sentence}\n", status, mimetype="text/plain")


def _as_json(status: int, title: str, sentence: str) -> Response:
    """A problem after RFC 9457."""
    response = jsonify(title=title, status=status, detail=sentence)
    response.status_code, response.mimetype = status, "application/problem+json"
    if status == 429:
        response.headers["Retry-After"] = "1"
    return response
