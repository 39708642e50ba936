"""The channels of the settings: where letters go, and what may be said of the addresses."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from config.alerts import AlertRules, ChannelRules
from config.notify import Notify
from config.problems import ConfigError, Problem
from config.settings import Settings
from pipeline.delivery.routes import Route, Routes

_HIDDEN: Final = "***"
_SHORTEST: Final = 4  # shorter parts of an address are no secrets, and are found in every sentence


class Webhook(msgspec.Struct, frozen=True, tag="webhook"):
    """An address that takes a POST."""

    url: str


class Mail(msgspec.Struct, frozen=True, tag="mail"):
    """A mail server and who gets mail."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None
    sender: str
    receivers: list[str]


class Other(msgspec.Struct, frozen=True, tag="other"):
    """An address that Apprise understands."""

    url: str


Address = Webhook | Mail | Other


class Channel(msgspec.Struct, frozen=True):
    """A name and an address. `shown` may be shown to anybody."""

    name: str
    address: Address

    @property
    def shown(self) -> str:
        if isinstance(self.address, Mail):
            return f"mail by {self.address.host}:{self.address.port} to {', '.join(self.address.receivers)}"
        return hidden(self.address.url)

    def scrub(self, text: str) -> str:
        """A text without anything that this channel's address keeps secret."""
        for secret in sorted(_secrets(self.address), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text


def channels_of(notify: Notify) -> dict[str, Channel]:
    """Every channel that has an address."""
    found: dict[str, Address] = {}
    if notify.webhook_url is not None:
        found["webhook"] = Webhook(notify.webhook_url.get_secret_value())
    if notify.smtp_host and notify.mail_to:
        password = notify.smtp_password.get_secret_value() if notify.smtp_password else None
        found["mail"] = Mail(
            notify.smtp_host, notify.smtp_port, notify.smtp_security, notify.smtp_user, password, notify.mail_from,
            notify.mail_to,
        )  # fmt: skip
    for name, secret in notify.urls.items():
        url = secret.get_secret_value()
        found[name] = Webhook(url) if urlsplit(url).scheme in ("http", "https") else Other(url)
    return {name: Channel(name, address) for name, address in found.items()}


def routes_of(settings: Settings, rules: AlertRules) -> Routes:
    """Which channel hears what; raises ConfigError for a channel of the rules that has no address."""
    channels = channels_of(settings.notify)
    if strangers := [name for name in rules.channels if name not in channels]:
        raise ConfigError([Problem("alerts.toml", f"channels.{name}", "has no address", _remedy(name))
                           for name in strangers])  # fmt: skip
    found = []
    for name in channels:
        one = rules.channels.get(name, ChannelRules())
        found.append(Route(name, tuple(one.pilots), tuple(one.kinds), one.severity, one.watchdog))
    delivery, web = rules.delivery, settings.dashboard
    base = web.public_url or (f"http://{web.host}:{web.port}" if web.port else "")
    return Routes(
        tuple(found), delivery.group_wait_s, delivery.storm_per_h, delivery.repeat_days, delivery.repeat_fault_h, base
    )


def hidden(url: str) -> str:
    """An address as it may be shown: of a web address the machine, of any other the scheme alone.

    >>> hidden("https://ana:secret@hooks.example/T00/B00?key=1"), hidden("slack://TokenA/TokenB/#ops")
    ('https://hooks.example/***', 'slack://***')
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}://{_HIDDEN}"
    port = f":{parts.port}" if parts.port else ""
    rest = f"/{_HIDDEN}" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.hostname}{port}{rest}"


def _secrets(address: Address) -> set[str]:
    if isinstance(address, Mail):
        return {address.password} if address.password else set()
    parts = urlsplit(address.url)
    web = isinstance(address, Webhook)
    rest = f"{parts.username or ''}/{parts.password or ''}/{parts.path}/{parts.query}/{parts.fragment}"
    words = re.split(r"[/?&=#:@,]", rest if web else address.url.partition("://")[2])
    found = {word for word in words if len(word) >= _SHORTEST}
    return {address.url} | found | {unquote(word) for word in found}


def _remedy(name: str) -> str:
    match name:
        case "webhook":
            return "set PERISCOPE_NOTIFY__WEBHOOK_URL, or remove the channel"
        case "mail":
            return "set PERISCOPE_NOTIFY__SMTP_HOST and PERISCOPE_NOTIFY__MAIL_TO, or remove the channel"
        case _:
            return f"set PERISCOPE_NOTIFY__URLS__{name.upper()}, or remove the channel"
