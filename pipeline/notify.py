"""Sends what waits in the outbox: a webhook by POST, mail by SMTP.

Promises: delivery is at least once and every try carries the same Idempotency-Key; a failed try is repeated
with growing pauses for 24 hours, a refusal (4xx but 408 and 429) is kept with its reason; sending never
holds up an evaluation for longer than one short timeout per letter, and stops when told to.
"""

import http.client
import json
import logging
import random
import smtplib
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from typing import Final

from config.settings import Notify
from pipeline.model import NS_PER_S
from pipeline.operations import Letter, Operations

_log = logging.getLogger(__name__)
GIVE_UP_S: Final = 24 * 3600
TIMEOUT_S: Final = 5.0


class Undeliverable(Exception):
    """The receiver refused this letter; trying again cannot help."""


class Notifier:
    """Delivers letters to the receivers of the settings. Without any receiver they count as sent: the pages
    show the incident either way."""

    def __init__(self, settings: Notify) -> None:
        self._settings = settings

    def deliver(self, operations: Operations, now_ns: int) -> int:
        """Send what is due, oldest first; the number delivered."""
        done = 0
        for letter in operations.due(now_ns):
            try:
                self._send(letter)
            except Undeliverable as error:
                _log.error("Notification %s was refused: %s", letter.key, error)
                operations.give_up(letter.id, str(error))
            except (OSError, smtplib.SMTPException, http.client.HTTPException) as error:
                self._try_later(operations, letter, error, now_ns)
            else:
                operations.sent(letter.id, now_ns)
                done += 1
        return done

    def run(
        self, operations: Operations, clock: Callable[[], int], stop: threading.Event, pause_s: float = 1.0
    ) -> None:
        """Deliver until told to stop: made for a thread of its own, so that a slow receiver delays no alert."""
        while not stop.is_set():
            self.deliver(operations, clock())
            stop.wait(pause_s)

    def _try_later(self, operations: Operations, letter: Letter, error: Exception, now_ns: int) -> None:
        if now_ns - letter.made_ns > GIVE_UP_S * NS_PER_S:
            _log.error("Notification %s could not be delivered for a day: %s", letter.key, error)
            operations.give_up(letter.id, f"not delivered within a day: {error}")
            return
        pause_s = min(600.0, 2.0 ** min(letter.attempts, 10)) * random.uniform(0.75, 1.25)
        _log.warning("Notification %s failed (%s); next try in %.0f s", letter.key, error, pause_s)
        operations.put_off(letter.id, now_ns + int(pause_s * NS_PER_S))

    def _send(self, letter: Letter) -> None:
        if self._settings.webhook_url:
            self._post(self._settings.webhook_url, letter)
        if self._settings.smtp_host and self._settings.mail_to:
            self._mail(self._settings.smtp_host, letter)

    def _post(self, url: str, letter: Letter) -> None:
        request = urllib.request.Request(
            url,
            data=letter.body.encode(),
            method="POST",
            headers={"Content-Type": "application/json", "Idempotency-Key": letter.key},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return
        except urllib.error.HTTPError as error:
            if 400 <= error.code < 500 and error.code not in (408, 429):
                raise Undeliverable(f"the webhook answered {error.code}") from error
            raise

    def _mail(self, host: str, letter: Letter) -> None:
        body = json.loads(letter.body)
        incident = body["incident"]
        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.mail_from, ", ".join(self._settings.mail_to)
        mail["Message-ID"] = f"<{letter.key.replace('|', '.')}@periscope>"
        synthetic = " (synthetic data)" if incident["synthetic"] else ""
        mail["Subject"] = f"[Periscope] {incident['pilot']}: {incident['kind']} {body['what']}{synthetic}"
        mail.set_content(f"{body['sentence']}\n\n{body['what']}: {body['reason']}\n")
        with smtplib.SMTP(host, self._settings.smtp_port, timeout=TIMEOUT_S) as server:
            server.send_message(mail)
