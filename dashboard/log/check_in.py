"""The page behind an activity's QR code: a plain form by which somebody says that they are there, under a code.

Promises: nothing is noted before the button is pressed; the code is random, lives in the person's own browser and is
shown to them; what leaves is its pseudonym within the pilot; pressing twice counts once; it can be taken back.
"""

import re
import secrets
import time
from typing import Final

from flask import Flask, Response, abort, g, request

from config.catalogue import Pilot
from dashboard.access.access import Access
from dashboard.access.forgery import FIELD
from dashboard.access.plain_page import plain_page, refusal
from dashboard.access.proxy import client_address
from dashboard.access.throttle import Throttle
from dashboard.log.desk import Desk
from dashboard.log.draft import Wrong
from dashboard.log.tokens import Invitation, invitation_in
from dashboard.texts import _

COOKIE: Final = "periscope_code"
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is read as something else
_CODE: Final = re.compile(f"[{_ALPHABET}]{{16}}")
_KEEP_S: Final = 26 * 7 * 86_400
# A hall full of phones behind one address must pass; a script must not. The token bounds all of them together.
_A_MINUTE_BY_ADDRESS, _A_MINUTE_BY_TOKEN = 60, 240

_PAGE: Final = """
<link rel="stylesheet" href="/assets/6-log.css">
<p class="lead">{{ words.what }}</p>
{% if problem %}<p class="door-problem" role="alert">{{ problem }}</p>{% endif %}
{% if code %}
<p class="check-in-done" role="status">{{ words.done }}</p>
<p class="check-in-code">{{ code }}</p>
<p class="note">{{ words.keep }}</p>
<form method="post" class="door-form">
<input type="hidden" name="{{ field }}" value="{{ token }}">
<button class="door-button door-second" name="do" value="out" type="submit">{{ words.out }}</button>
</form>
{% else %}
<form method="post" class="door-form check-in-form">
<input type="hidden" name="{{ field }}" value="{{ token }}">
<fieldset>
<legend>{{ words.group }}</legend>
{% for value, title, help in groups %}
<label><input type="radio" name="group" value="{{ value }}" required{% if value == chosen %} checked{% endif %}>
<span>{{ title }}<small>{{ help }}</small></span></label>
{% endfor %}
</fieldset>
<p>{{ words.consent }}</p>
<details{% if typed %} open{% endif %}><summary>{{ words.again }}</summary>
<label for="code">{{ words.code }}</label>
<input id="code" name="code" autocomplete="off" autocapitalize="characters" maxlength="24" value="{{ typed }}">
</details>
<button class="door-button" name="do" value="in" type="submit">{{ words.agree }}</button>
</form>
<p class="note">{{ words.free }}</p>
{% endif %}
"""


def register(server: Flask, access: Access, desk: Desk) -> None:
    """The two routes; they ask nobody to sign in."""
    by_address, by_token = (Throttle(n, 60, time.monotonic) for n in (_A_MINUTE_BY_ADDRESS, _A_MINUTE_BY_TOKEN))

    @server.get("/check-in/<token>")
    def check_in(token: str) -> Response:
        invitation, pilot = _invited(desk, token)
        return _page(desk, invitation, pilot)

    @server.post("/check-in/<token>")
    def checked_in(token: str) -> Response:
        invitation, pilot = _invited(desk, token)
        if not (by_address.allows(client_address(request, access.proxy)) and by_token.allows(token)):
            return _page(desk, invitation, pilot, _("Too many at once; try again in a minute."), 429)
        try:
            if request.form.get("do") == "out":
                return _out(desk, invitation, pilot)
            return _in(access, desk, invitation, pilot)
        except Wrong as error:
            return _page(desk, invitation, pilot, next(iter(error.sentences.values())), 400)


def _invited(desk: Desk, token: str) -> tuple[Invitation, Pilot]:
    invitation = invitation_in(token, desk.secret)
    pilot = desk.pilot(invitation.pilot) if invitation else None
    if invitation is None or pilot is None:
        abort(
            refusal(
                _("No such check-in"),
                _("This address is not complete, or was not made here. Scan the code again."),
                404,
            )
        )
    if desk.clock() >= invitation.ends_ns:
        abort(refusal(_("Check-in is over"), _("This code worked until twelve hours after the activity."), 410))
    return invitation, pilot


def _in(access: Access, desk: Desk, invitation: Invitation, pilot: Pilot) -> Response:
    group, typed = request.form.get("group", ""), _plain(request.form.get("code", ""))
    if group not in desk.form.terms("actor_kind"):
        raise Wrong({"group": _("Choose the group that you belong to here.")})
    if typed and not _CODE.fullmatch(typed):
        raise Wrong({"code": _("This code is not complete; it has 16 letters and digits.")})
    code = typed or _kept() or "".join(secrets.choice(_ALPHABET) for _place in range(16))
    desk.check_in(invitation, code, group)
    response = _page(desk, invitation, pilot, code=code)
    response.set_cookie(
        COOKIE, code, max_age=_KEEP_S, path="/check-in", secure=access.secure, httponly=True, samesite="Lax"
    )
    return response


def _out(desk: Desk, invitation: Invitation, pilot: Pilot) -> Response:
    if code := _kept():
        desk.check_out(invitation, code)
    response = _page(
        desk, invitation, pilot, _("You are not noted as being here. Your code was removed from this browser.")
    )
    response.delete_cookie(COOKIE, path="/check-in")
    return response


def _page(
    desk: Desk, invitation: Invitation, pilot: Pilot, problem: str = "", status: int = 200, code: str = ""
) -> Response:
    words = {
        "what": _("{pilot}: say that you take part, without a name.", pilot=pilot.name),
        "done": _("Thank you, you are checked in."),
        "keep": _(
            "This is your code. It stays in this browser for half a year; note it to use it on another device, or "
            "to have what was noted under it erased."
        ),
        "out": _("I was not here, or I do not agree any more"),
        "group": _("I come as"),
        "consent": _(
            "If you agree, this browser gets a random code, and that it was here, with the group you choose, is noted "
            "under a key made from it. With it the evaluation sees how many people come again. Nobody is asked for a "
            "name, and nothing else is noted."
        ),
        "again": _("I have a code already"),
        "code": _("Your code"),
        "agree": _("I agree, check me in"),
        "free": _("You may take part without this. You are then counted in the room only."),
    }
    groups = [(one, _(term.title), _(term.help)) for one, term in desk.form.terms("actor_kind").items()]
    return plain_page(
        _("Check in"),
        _PAGE,
        status,
        words=words,
        groups=groups,
        problem=problem,
        code=_shown(code),
        field=FIELD,
        token=g.token,
        typed=request.form.get("code", "")[:24],
        chosen=request.form.get("group", ""),
    )


def _kept() -> str:
    """The code in this browser; "" when there is none, or something else."""
    found = request.cookies.get(COOKIE, "")
    return found if _CODE.fullmatch(found) else ""


def _plain(text: str) -> str:
    return re.sub(r"[\s-]", "", text[:40]).upper()


def _shown(code: str) -> str:
    """In groups of four, as it is read."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
