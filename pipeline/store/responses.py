"""What an answer of InfluxDB means: try again, tell the operator, or take the batch apart.

Source: the response classes of `docs/store.md`, proven on InfluxDB 2.7.12.
"""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from pipeline.store.port import PENDING_DELETION, StoreAway, StoreHeld

MOST_WAIT_S: Final = 600.0
_SPLIT: Final = (400, 413, 422)
_HELD: Final = {
    401: "does not accept our token; set PERISCOPE_INFLUX__TOKEN",
    403: "does not allow this token to do that; give it the rights named in docs/store.md",
    404: "has no such bucket or organisation for this token; make it, or set PERISCOPE_INFLUX__ORG and its buckets",
}
# The server echoes the line it could not read; what we keep is the reason after it.
_ECHO: Final = re.compile(r"unable to parse '.*': ", re.DOTALL)


class Split(Exception):
    """The batch holds at least one point that can never be written."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def meaning(status: int | None, headers: Mapping[str, str] | None, body: bytes | str | None, where: str) -> Exception:
    """The error to raise for an answer outside 2xx. `where` names the server for people."""
    reason = _reason(body)
    if status == 400 and "organization name" in reason and "not found" in reason:
        status = 404  # what a write calls 404, a query calls 400
    if status in _SPLIT:
        return Split(_code(status, reason), reason)
    if status in _HELD:
        return StoreHeld(f"{where} {_HELD[status]}")
    if status is None or status in (408, 429) or status >= 500:
        return StoreAway(
            f"{where} answers {status}: {reason}" if reason else f"{where} answers {status}",
            retry_after_s(headers or {}),
        )
    # A redirect, a maintenance page or another program: it may be gone tomorrow, the points must not be.
    return StoreHeld(f"{where} answers {status}: {reason}; is this an InfluxDB 2? Check PERISCOPE_INFLUX__URL")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks us to wait, at most 600; None when it does not say.

    An HTTP date is taken against the `Date` of the same answer, so that our clock does not matter.

    >>> retry_after_s({"Retry-After": "7"}), retry_after_s({"Retry-After": "86400"}), retry_after_s({})
    (7.0, 600.0, None)
    """
    text = headers.get("Retry-After") or headers.get("retry-after")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            sent = parsedate_to_datetime(headers.get("Date") or headers.get("date") or "")
            seconds = (parsedate_to_datetime(text) - sent).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), MOST_WAIT_S) if seconds == seconds else None


def _reason(body: bytes | str | None) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        told = json.loads(text)
        text = str(told.get("message", "")) if isinstance(told, dict) else text
    except ValueError:
        pass
    return _ECHO.sub("", text).strip()[:300]


def _code(status: int | None, reason: str) -> str:
    if status == 413:
        return "too_large"
    if "retention policy" in reason:
        return "beyond_retention"
    if "pending deletion" in reason:  # a shard on its way out: the same write succeeds a minute later, or never
        return PENDING_DELETION
    return "type_conflict" if "field type conflict" in reason else "refused_by_store"
