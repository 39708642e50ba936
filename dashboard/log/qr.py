"""The code that people scan to check in, as an inline picture, and its address in words."""

from typing import Any
from urllib.parse import urlsplit

import segno
from dash import html
from flask import request

from config.access import LOOPBACK
from dashboard import wording
from dashboard.log.desk import Desk
from dashboard.log.tokens import Invitation, token_of
from dashboard.texts import _


def code_panel(invitation: Invitation, desk: Desk, public_url: str | None) -> html.Div:
    """The QR code of an activity; on a dark page too it is dark on light, as scanners want it."""
    address = f"{public_url or request.url_root.rstrip('/')}/check-in/{token_of(invitation, desk.secret)}"
    picture = segno.make(address, error="m", micro=False)
    pilot = desk.pilot(invitation.pilot)
    zone = pilot.zone if pilot else None
    until = wording.clock_time(invitation.ends_ns, zone)[:5] if zone else ""
    said: list[Any] = [
        html.Img(
            src=picture.svg_data_uri(scale=8, border=3, dark="#000", light="#fff"),
            alt=_("QR code of the check-in"),
            className="log-qr-picture",
        ),
        html.P(
            _("Valid until {time} ({zone}). It can be shown large, printed or sent.", time=until, zone=zone),
            className="note",
        ),
        html.A(address, href=address, target="_blank", rel="noopener", className="log-qr-address"),
    ]
    if urlsplit(address).hostname in LOOPBACK:
        said.append(
            html.P(
                _(
                    "This address leads to this computer only; other phones reach it when "
                    "PERISCOPE_DASHBOARD__PUBLIC_URL is set."
                ),
                className="note",
            )
        )
    return html.Div(said, className="log-qr")
