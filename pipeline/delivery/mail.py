"""One letter by SMTP."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from pipeline.delivery.channels import Mail
from pipeline.delivery.letters import Words
from pipeline.delivery.outcome import Later, Refused

_TIMEOUT_S: Final = 10.0


def send(address: Mail, key: str, words: Words, date_s: float) -> str:
    """For whom the server took no mail, where it took it for others. Raises Refused or Later.

    A mail is sent by one Message-ID and one date, however often it is tried.
    """
    mail = EmailMessage()
    mail["From"], mail["To"] = address.sender, ", ".join(address.receivers)
    mail["Date"], mail["Message-ID"] = formatdate(date_s), f"<{key.replace('|', '.')}@periscope>"
    mail["Subject"], mail["Auto-Submitted"] = " ".join(words.title.split()), "auto-generated"
    mail.set_content(words.text)
    try:
        with _connected(address) as server:
            return _said(server.send_message(mail))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if all(code >= 500 for code in codes):
            raise Refused(f"it refused every receiver: {_said(error.recipients)}") from None
        raise Later(f"it took the mail for no receiver: {_said(error.recipients)}") from None
    except smtplib.SMTPResponseException as error:
        said = f"it answered {error.smtp_code} {_text(error.smtp_error)}"
        raise (Refused if error.smtp_code >= 500 else Later)(said) from None
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(str(error)) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Later(f"it gave no answer: {error}") from None


def _connected(address: Mail) -> smtplib.SMTP:
    if address.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            address.host, address.port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(address.host, address.port, timeout=_TIMEOUT_S)
    if address.security == "starttls":
        server.starttls(context=ssl.create_default_context())
    if address.user is not None:
        server.login(address.user, address.password or "")
    return server


def _said(refused: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{receiver}: {code} {_text(said)}" for receiver, (code, said) in refused.items())


def _text(said: bytes | str) -> str:
    return " ".join((said.decode(errors="replace") if isinstance(said, bytes) else said).split())[:200]
