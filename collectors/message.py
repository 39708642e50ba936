"""The words that collectors share: a raw message, why it failed, and the errors a person is told about."""

from collections.abc import Sequence
from typing import Any

import msgspec


class RawMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came in. `received_ns` is UTC; `topic` is what the broker said, never what a payload claims."""

    topic: str
    payload: bytes
    received_ns: int
    content_type: str = ""
    retained: bool = False


class Fault(msgspec.Struct, frozen=True):
    """Why a message or one of its points is set aside: a stage, a code fit for counting, and a sentence."""

    stage: str
    code: str
    text: str
    point: str = ""


class Undecodable(Exception):
    """One payload, or one point of it, is condemned; its neighbours are not. `whole`: never one point alone.

    Stages: decode, validate, identity, clock, write.
    """

    def __init__(self, stage: str, code: str, sentence: str, whole: bool = False) -> None:
        super().__init__(sentence)
        self.fault = Fault(stage, code, sentence[:512])
        self.whole = whole


class CollectorError(Exception):
    """Work cannot go on; the message is the sentence for the person who started it, with place and remedy."""


class BrokerAway(CollectorError):
    """The broker cannot be reached now; trying again may help."""


class BrokerRefused(CollectorError):
    """The broker answered and will not have us; trying again will not help."""


class LoginRefused(BrokerRefused):
    """The broker does not know this user, or not with this password."""


class CertificateRefused(BrokerRefused):
    """The broker's certificate is expired, of another name, or of nobody we trust."""


class SpoolHeld(CollectorError):
    """Another collector delivers from this spool folder."""


class SpoolFailed(CollectorError):
    """The disk under the spool failed; nothing was acknowledged since, and a restart recovers what is there."""


class SpoolFull(CollectorError):
    """No room: the disk or the quota is full. Nothing is lost; acknowledging resumes when there is room.

    `left` are the messages given that are not on disk, where others of them are: they belong into files of two days.
    """

    left: Sequence[Any] | None = None
