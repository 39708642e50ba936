"""Knobs of how alerts are sent. `config/settings.py` holds them with all others."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from config.access import Group
from config.alerts import NAME

RESERVED = ("webhook", "mail")


class Notify(Group):
    """Where alerts are sent; docs/alerts.md tells how. Addresses are secrets: keep them in files."""

    webhook_url: SecretStr | None = Field(None, description="Receives a POST with JSON for each message.")
    smtp_host: str | None = Field(None, description="Mail server; unset sends no mail.")
    smtp_port: int = Field(25, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "none", description="How the way to the mail server is protected; certificates are verified."
    )
    smtp_user: str | None = Field(None, description="Name at the mail server; unset sends without signing in.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    mail_from: str = Field("periscope@localhost", description="Sender of mails.")
    mail_to: list[str] = Field([], description="Receivers of mails.")
    urls: dict[str, SecretStr] = Field(
        {},
        description="Further channels by name, as in PERISCOPE_NOTIFY__URLS__OPS: https:// is a webhook, any other "
        "scheme is one of Apprise (`pip install periscope[alerts]`).",
    )
    ping_url: SecretStr | None = Field(
        None, description="Asked by GET while alerts are evaluated; the service behind it tells when that stops."
    )
    ping_s: int = Field(300, ge=30, le=86_400, description="Seconds between such pings.")

    @field_validator("webhook_url", "ping_url")
    @classmethod
    def _is_a_web_address(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            parts = urlsplit(given.get_secret_value())
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("must be an address that begins with http:// or https://")
        return given

    @field_validator("urls")
    @classmethod
    def _names_can_be_variables(cls, given: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, url in given.items():
            if not re.match(NAME, name) or name in RESERVED:
                raise ValueError(
                    f"{name!r} cannot name a channel: use small letters, digits and _, and neither {RESERVED[0]} nor "
                    f"{RESERVED[1]}, which have settings of their own"
                )
            if "://" not in url.get_secret_value():
                raise ValueError(f"the address of {name} has no scheme such as https://")
        return given

    @model_validator(mode="after")
    def _signing_in_is_protected(self) -> "Notify":
        if self.smtp_password is not None and self.smtp_user is None:
            raise ValueError("smtp_password needs smtp_user")
        if self.smtp_password is not None and self.smtp_security == "none":
            raise ValueError("smtp_password needs smtp_security: a password would travel in the clear")
        return self
