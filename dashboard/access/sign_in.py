"""Signing in by password and signing out, as plain forms.

Promises: an unknown name, a wrong password and a disabled account get the same answer after the same work; a new
session begins with a new identifier; readers are led only to addresses of this server.
"""

from flask import Flask, Response, abort, g, redirect, request

from dashboard.access import rules
from dashboard.access.access import Access, called
from dashboard.access.forgery import FIELD
from dashboard.access.plain_page import plain_page
from dashboard.access.proxy import client_address
from dashboard.queries import Queries
from dashboard.texts import _
from pipeline.accounts import LONGEST_PASSWORD, TRIES_WINDOW_S

_FORM = """
{% if problem %}<p class="door-problem" role="alert">{{ problem }}</p>{% endif %}
{% if with_password %}
<form method="post" action="/sign-in" class="door-form">
<input type="hidden" name="{{ field }}" value="{{ token }}">
<input type="hidden" name="next" value="{{ goal }}">
<label for="name">{{ words.name }}</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64"
 value="{{ name }}"{% if not name %} autofocus{% endif %}>
<label for="password">{{ words.password }}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
 maxlength="{{ longest }}"{% if name %} autofocus{% endif %}>
<button class="door-button" type="submit">{{ words.button }}</button>
</form>
{% endif %}
{% if provider %}
{% if with_password %}<p class="door-or"><span>{{ words.either }}</span></p>{% endif %}
<p><a class="door-button{% if with_password %} door-second{% endif %}"
 href="/sign-in/provider?next={{ goal|urlencode }}">{{ provider }}</a></p>
{% endif %}
{% if not provider and not with_password %}<p class="lead">{{ words.proxy }}</p>{% endif %}
<p class="note">{{ words.help }}</p>
"""
_ACCOUNT = """
<dl class="door-facts">
{% for term, said in facts %}<div><dt>{{ term }}</dt><dd>{{ said }}</dd></div>{% endfor %}
</dl>
{% if can_leave %}
<form method="post" action="/sign-out" class="door-form">
<input type="hidden" name="{{ field }}" value="{{ token }}">
<button class="door-button" type="submit">{{ leave }}</button>
</form>
{% endif %}
<p><a href="/">{{ back }}</a></p>
"""


def register(server: Flask, access: Access, queries: Queries) -> None:
    """The routes of signing in and out."""

    @server.get("/sign-in")
    def ask() -> Response:
        goal = own_address(request.args.get("next", ""))
        return sent_to(goal) if g.signed is not None else sign_in_page(access, goal)

    @server.post("/sign-in")
    def sign_in() -> Response:
        return _signed_in(access, request.form.get("name", "").strip().lower()[:64], request.form.get("password", ""))

    @server.post("/sign-out")
    def sign_out() -> Response:
        response = sent_to("/" if access.lets_in else "/sign-in")
        access.end(response, request)
        access.note(called(g.viewer), "sign-out")
        return response

    @server.get("/account")
    def account() -> Response:
        return _account_page(access, queries)


def sign_in_page(access: Access, goal: str, problem: str = "", name: str = "", status: int = 200) -> Response:
    """The page that asks who is there, by every way that there is."""
    words = {
        "name": _("Name"),
        "password": _("Password"),
        "button": _("Sign in"),
        "either": _("or"),
        "proxy": _("Whoever runs this server lets a proxy say who you are, and it did not say it."),
        "help": _("No account, or a lost password? Ask whoever runs this server."),
    }
    provider = _("Sign in with {label}", label=access.oidc.label) if access.oidc.issuer else ""
    with_password = access.accounts is not None and access.accounts.exist()
    return plain_page(
        _("Sign in"), _FORM, status, problem=problem, with_password=with_password, field=FIELD, token=g.token,
        goal=goal, name=name, longest=LONGEST_PASSWORD, words=words, provider=provider,
    )  # fmt: skip


def _signed_in(access: Access, name: str, password: str) -> Response:
    goal = own_address(request.form.get("next", ""))
    if access.accounts is None:
        abort(404)
    address = client_address(request, access.proxy)
    keys = [access.tokens.sign("name", name), access.tokens.sign("address", address)]
    tries = access.accounts.begin_try(keys, access.clock())
    if tries is None:
        access.note_refusal("nobody", "sign-in", "refused: too many tries")
        said = _("Too many tries. Wait {n} minutes, then try again.", n=TRIES_WINDOW_S // 60)
        response = sign_in_page(access, goal, said, name, 429)
        response.headers["Retry-After"] = str(TRIES_WINDOW_S)
        return response
    account = access.accounts.check(name, password)
    if account is None:
        # The name is not written down: it may be a password that went into the wrong field.
        access.note("nobody", "sign-in", "refused: wrong name or password")
        return sign_in_page(access, goal, _("Name and password do not belong together."), name, 401)
    access.accounts.forget_try(tries)
    access.note(account.who(), "sign-in")
    response = sent_to(goal)
    access.start(response, request, account)
    return response


def _account_page(access: Access, queries: Queries) -> Response:
    who = g.viewer
    pilots = [pilot.name for pilot in queries.pilots(who)]
    facts = [
        (_("Name"), who.name),
        (_("Role"), role_name(who.role)),
        (_("May"), ", ".join(_(said) for need, said in rules.WORDS.items() if need in rules.GRANTS[who.role])),
        (_("Pilots"), _("all") if who.pilots is None else ", ".join(pilots) or _("none")),
    ]
    return plain_page(
        _("Your account"), _ACCOUNT, facts=facts, can_leave=g.signed.way == "session", field=FIELD, token=g.token,
        leave=_("Sign out"), back=_("Back to the pages"),
    )  # fmt: skip


def role_name(role: str) -> str:
    """A role in the reader's language."""
    return {
        "viewer": _("viewer"),
        "operator": _("operator"),
        "evaluator": _("evaluator"),
        "admin": _("administrator"),
    }[role]


def own_address(goal: str) -> str:
    """The address if it is a path of this server, else the first page's.

    >>> own_address("/pilot?pilot=genoa"), own_address("//elsewhere.example"), own_address("/\\\\elsewhere.example")
    ('/pilot?pilot=genoa', '/', '/')
    """
    plain = goal.isascii() and goal.isprintable() and "\\" not in goal and len(goal) <= 4_000
    ours = goal.startswith("/") and not goal.startswith(("//", "/sign-"))
    return goal if plain and ours else "/"


def sent_to(goal: str) -> Response:
    """A redirect that turns a form into a page."""
    response: Response = redirect(goal, 303, Response)  # type: ignore[assignment]
    return response
