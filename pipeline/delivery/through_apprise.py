"""One letter through Apprise, which knows Matrix, Slack, ntfy and many more."""

import logging
from typing import Final

from pipeline.delivery.letters import Words
from pipeline.delivery.outcome import Later, Refused

MISSING: Final = "Apprise is not installed: pip install 'periscope[alerts]'"


def send(url: str, words: Words) -> None:
    """Raises Refused or Later. Apprise says no more of a failure than what it logs, so most are tried again."""
    try:
        import apprise
    except ImportError:
        raise Later(MISSING) from None
    said = _Said()
    logging.getLogger("apprise").addHandler(said)
    try:
        # A redirect could turn a POST into a GET, whose answer says nothing about the letter.
        notifier = apprise.Apprise(asset=apprise.AppriseAsset(http_redirects=False))
        if not notifier.add(url):
            raise Refused(f"Apprise does not understand the address: {said.last or 'see its list of services'}")
        if not notifier.notify(title=words.title, body=words.text, body_format=apprise.NotifyFormat.TEXT):
            raise Later(said.last or "Apprise could not deliver it and says no more")
    finally:
        logging.getLogger("apprise").removeHandler(said)


class _Said(logging.Handler):
    """Keeps the last warning."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
