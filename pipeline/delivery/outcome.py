"""How an attempt to deliver ended."""

from typing import Literal

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """`reason` says why a letter was not delivered, or to whom not; `asked_s` is the pause a receiver asks for."""

    kind: Literal["sent", "refused", "later"]
    reason: str = ""
    asked_s: float | None = None


class Refused(Exception):
    """The receiver will never take this letter."""


class Later(Exception):
    """The receiver cannot take this letter now."""

    def __init__(self, reason: str, asked_s: float | None = None) -> None:
        super().__init__(reason)
        self.asked_s = asked_s
