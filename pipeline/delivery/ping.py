"""The outside half of the dead-man's switch: a service that expects a ping, and tells when none comes."""

import http.client
import logging
import urllib.request
from typing import Final

from pipeline.delivery.channels import hidden

_log = logging.getLogger(__name__)
_TIMEOUT_S: Final = 5.0


def ping(url: str) -> bool:
    """Ask the address; a failure is logged, and the service tells of it by itself."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S):
            return True
    except (OSError, http.client.HTTPException) as error:
        _log.warning("The ping to %s failed (%s)", hidden(url), type(error).__name__)
        return False
