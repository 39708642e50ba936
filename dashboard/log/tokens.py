"""The address at which people check in to one activity: signed, so that nobody invents one, and with an end.

A token names pilot and record and the minutes between which it works. It is no secret of anybody: whoever stands in the
room sees it. What it must not do is work for ever, for another activity, or from a guess.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

_TOKEN: Final = re.compile(
    r"([a-z][a-z0-9-]{0,39})\.([a-z0-9-]{8,40})\.([0-9a-z]{1,8})\.([0-9a-z]{1,8})\.([A-Za-z0-9_-]{22})"
)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
MINUTE_NS: Final = 60_000_000_000


@dataclass(frozen=True)
class Invitation:
    """Who may check in to what, from when until when (ns UTC, whole minutes)."""

    pilot: str
    record: str
    opens_ns: int
    ends_ns: int


def token_of(invitation: Invitation, secret: bytes) -> str:
    """The invitation as a text for an address."""
    minutes = (_base36(ns // MINUTE_NS) for ns in (invitation.opens_ns, invitation.ends_ns))
    text = ".".join((invitation.pilot, invitation.record, *minutes))
    return f"{text}.{_signature(text, secret)}"


def invitation_in(token: str, secret: bytes) -> Invitation | None:
    """The invitation of a token that we signed; None for any other text. Whether it is over is for the caller."""
    found = _TOKEN.fullmatch(token)
    if found is None or not hmac.compare_digest(_signature(token.rpartition(".")[0], secret), found[5]):
        return None
    return Invitation(found[1], found[2], int(found[3], 36) * MINUTE_NS, int(found[4], 36) * MINUTE_NS)


def _signature(text: str, secret: bytes) -> str:
    digest = hmac.new(secret, f"check-in|{text}".encode(), sha256).digest()
    return base64.urlsafe_b64encode(digest)[:22].decode()


def _base36(number: int) -> str:
    """
    >>> _base36(35), _base36(36)
    ('z', '10')
    """
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"
