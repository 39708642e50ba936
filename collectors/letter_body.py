"""What may be shown of a dead letter's body, and where it is withheld.

Promises: the body of a feed that names persons, or that could be one, is never shown; what is shown is bounded, and
text has no character that a terminal or a page would act on.
"""

from typing import NamedTuple

from collectors.dead_letters import DeadLetter
from collectors.topics import UNKNOWN, Roster

MOST_SHOWN = 64 * 1024


class Shown(NamedTuple):
    """A body as text or hexadecimal digits; `body` is None where `why_not` says why nothing is shown."""

    body: str | None
    encoding: str
    truncated: bool
    why_not: str = ""


def shown(letter: DeadLetter, roster: Roster, most: int = MOST_SHOWN, raw: bool = False) -> Shown:
    """The first `most` bytes of a letter's body, or why they are not shown; `raw` leaves control characters in."""
    if names_persons(letter.pilot, letter.feed, letter.payload, roster):
        return Shown(None, "", False, "withheld: this feed may name persons")
    if letter.size and not letter.payload:
        return Shown(None, "", False, "the body was not kept")
    piece = letter.payload[:most]
    cut = len(piece) < letter.size
    try:
        text = piece.decode("utf-8", "strict" if not cut else "ignore")
    except UnicodeDecodeError:
        return Shown(piece[: most // 2].hex(), "hex", cut or len(piece) > most // 2)
    return Shown(text if raw else printable(text), "text", cut)


def names_persons(pilot: str, feed: str, payload: bytes, roster: Roster) -> bool:
    """Whether a body may hold a person's id or pseudonym."""
    if b"actor_key" in payload or b"actor\\u" in payload:
        return True
    declared = next((f for f in found.feeds if f.id == feed), None) if (found := roster.pilot(pilot)) else None
    if declared is None or feed == UNKNOWN:  # a mistyped topic, or a feed that was declared once
        return roster.may_name_persons(pilot)
    return declared.person_id is not None or declared.consent == "cohort"


def printable(text: str) -> str:
    """The text with a mark in place of each control character but line feed and tab.

    >>> printable("a\\x1b[31mb")
    'a·[31mb'
    """
    return "".join(ch if ch.isprintable() or ch in "\n\t" else "·" for ch in text)
