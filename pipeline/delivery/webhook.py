"""One letter by POST to a web address."""

import http.client
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Final

from pipeline.delivery.outcome import Later, Refused

_TIMEOUT_S: Final = 10.0
_TRY_AGAIN: Final = (408, 425, 429)


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET, whose answer says nothing about the letter."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def send(url: str, key: str, body: str) -> None:
    """Raises Refused or Later."""
    request = urllib.request.Request(
        url,
        data=body.encode(),
        method="POST",
        headers={"Content-Type": "application/json", "Idempotency-Key": key, "User-Agent": "Periscope"},
    )
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=_TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        with error:
            if error.code < 400:
                raise Refused(f"it answered {error.code}, a redirect: set the address that it leads to") from None
            if error.code < 500 and error.code not in _TRY_AGAIN:
                raise Refused(f"it answered {error.code}") from None
            asked = error.headers.get("Retry-After", "")
            raise Later(f"it answered {error.code}", float(asked) if asked.isdigit() else None) from None
    except (OSError, http.client.HTTPException) as error:
        raise Later(f"it gave no answer: {getattr(error, 'reason', error)!s}") from None
