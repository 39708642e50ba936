"""Where a server may listen: beyond this machine only when readers are asked who they are and a secret signs."""

from urllib.parse import urlsplit

from config.access import LOOPBACK
from config.problems import ConfigError, Problem


def check_address(
    host: str, *, public_url: str | None = None, secret: bool = False, asks: bool = False, provider: bool = False
) -> None:
    """Raises ConfigError; `asks` is whether there are accounts, a provider or a proxy that names people."""
    problems = []
    if provider and public_url is None:
        what = "is not set, and the provider needs an address to send readers back to"
        problems.append(Problem("settings", "dashboard.public_url", what, "set it to what readers type"))
    beyond = [
        (key, value)
        for key, value, name in (
            ("dashboard.host", host, host),
            ("dashboard.public_url", public_url, urlsplit(public_url or "").hostname),
        )
        if value is not None and name not in LOOPBACK
    ]
    for key, _ in beyond[:1]:
        if not asks:
            remedy = "add an account with `periscope users add`, or connect a provider or proxy: docs/access.md"
            problems.append(
                Problem("settings", key, "leads beyond loopback, and nobody would be asked who they are", remedy)
            )
        if not secret:
            remedy = "set it to at least 32 random characters, such as `openssl rand -hex 32` prints"
            problems.append(
                Problem("settings", "dashboard.secret_key", f"is not set, and {key} leads beyond loopback", remedy)
            )
    if problems:
        raise ConfigError(problems)
