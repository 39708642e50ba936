"""What is wrong with settings, alone or together with the pilots' files; a value is never repeated."""

import stat
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from config.catalogue import Catalogue
from config.lint import Finding
from config.settings import Settings

# What deploy/influxdb/init.py keeps unless told otherwise; doctor asks the server itself.
_USUAL_RETENTION = timedelta(days=1095)
_SECRETS = ("PASSWORD", "TOKEN", "SECRET", "SECRET_KEY", "WEBHOOK_URL", "PING_URL")
_ADDRESSES = "NOTIFY__URLS__"  # each is a secret whatever its name


def lint_settings(settings: Settings, catalogue: Catalogue, today: date, files: list[Path]) -> list[Finding]:
    """Findings of the settings; `files` are those that settings come from, such as .env and periscope.toml."""
    return [*_window(settings), *_back_fill(settings, catalogue, today), *_open_files(files)]


def _window(settings: Settings) -> Iterator[Finding]:
    batch, most = settings.spool.batch, settings.mqtt.receive_maximum
    if settings.mqtt.protocol == "5" and batch > most:
        yield Finding(
            "warning", "settings", "spool.batch", f"is {batch}, but only {most} messages may be in flight "
            "(mqtt.receive_maximum), so that each commit waits its whole time", f"set PERISCOPE_SPOOL__BATCH to {most} "
            "or less",
        )  # fmt: skip


def _back_fill(settings: Settings, catalogue: Catalogue, today: date) -> Iterator[Finding]:
    for pilot in catalogue.pilots.values():
        for feed in pilot.feeds:
            since, key = feed.accept_since, f"feeds.{feed.id}.accept_since"
            if since is None:
                continue
            if since > today:
                yield Finding(
                    "error", f"{pilot.slug}.toml", key, "lies in the future, so it widens nothing",
                    "write the first day of the past data",
                )  # fmt: skip
            elif settings.store == "influx" and today - since > _USUAL_RETENTION:
                yield Finding(
                    "warning", f"{pilot.slug}.toml", key,
                    f"is earlier than the {_USUAL_RETENTION.days} days that deploy/influxdb/init.py lets a bucket keep",
                    "see with `periscope doctor` how long yours keeps events, and make it longer",
                )  # fmt: skip


def _open_files(files: list[Path]) -> Iterator[Finding]:
    """Secrets in a file that other users of this machine may read."""
    for path in files:
        if not path.is_file() or not path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            continue
        for number, key in _secret_keys(path):
            yield Finding(
                "error", path.name, key, "is a secret in a file that other users may read",
                f"move it to a file in the folder that PERISCOPE_SECRETS_DIR names, or chmod 600 {path.name}", number,
            )  # fmt: skip


def _secret_keys(path: Path) -> Iterator[tuple[int, str]]:
    if path.suffix != ".toml":
        named = {key for key, value in dotenv_values(path).items() if value and _is_secret(key)}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            key = line.partition("=")[0].removeprefix("export ").strip()
            if key in named:
                yield number, key
        return
    import tomllib

    for key in _keys(tomllib.loads(path.read_text()), ""):
        if _is_secret(key.replace(".", "__")):
            yield 0, key


def _is_secret(variable: str) -> bool:
    return variable.upper().endswith(_SECRETS) or _ADDRESSES in variable.upper()


def _keys(table: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
        elif value:
            yield f"{prefix}{key}"
