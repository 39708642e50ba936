"""Knobs of the machine: every setting has a default, a bound and a sentence.

Sources, strongest first: command line, environment `PERISCOPE_*`, `.env`, `periscope.toml` (or the file that
`PERISCOPE_CONFIG` names), secret files in the folder that `PERISCOPE_SECRETS_DIR` names.
"""

import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from config.access import Group, Oidc, Proxy
from config.notify import Notify
from config.problems import ConfigError, Problem, problems_of

PACKAGED_PILOTS = Path(__file__).parent / "pilots"


class Mqtt(Group):
    """The broker and our session on it."""

    host: str = Field("127.0.0.1", min_length=1, description="Name or address of the broker.")
    port: int = Field(1883, ge=1, le=65535, description="Port of the broker; 8883 is usual with TLS.")
    protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version; 3.1.1 is faster and all that amqtt knows.")
    username: str | None = Field(None, description="Name of the broker user.")
    password: SecretStr | None = Field(None, description="Password of the broker user.")
    ca: Path | None = Field(None, description="CA certificate; setting it turns TLS on.")
    cert: Path | None = Field(None, description="Client certificate for TLS.")
    key: Path | None = Field(None, description="Key of the client certificate.")
    keepalive_s: int = Field(30, ge=5, le=3600, description="Seconds between keep-alive pings.")
    receive_maximum: int = Field(500, ge=10, le=65535, description="Messages in flight before the broker waits for us.")
    session_expiry_s: int = Field(
        604_800, ge=60, le=4_294_967_294, description="How long the broker keeps our session, in seconds."
    )

    @model_validator(mode="after")
    def _certificate_and_key_go_together(self) -> "Mqtt":
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key must be set together")
        if self.cert is not None and self.ca is None:
            raise ValueError("cert needs ca, the CA certificate of the broker")
        return self


class Influx(Group):
    """InfluxDB 2, used when `store` is "influx"."""

    url: str = Field("http://127.0.0.1:8086", pattern=r"^https?://", description="Address of InfluxDB.")
    org: str = Field("periscope", min_length=1, description="Organisation in InfluxDB.")
    token: SecretStr = Field(
        SecretStr(""), description="Token of this process; give each part its own, least-privilege one."
    )
    raw_bucket: str = Field("raw", min_length=1, description="Bucket of events.")
    derived_bucket: str = Field("derived", min_length=1, description="Bucket of indicator values.")
    timeout_s: float = Field(15, gt=0, le=300, description="Seconds before a request counts as failed.")


class Spool(Group):
    """The queue on disk between the broker and the store."""

    batch: int = Field(250, ge=1, le=5000, description="Most messages in one commit.")
    commit_ms: int = Field(50, ge=1, le=1000, description="Longest wait of a message for its commit, in ms.")
    write_batch: int = Field(2000, ge=1, le=5000, description="Most messages in one write to the store.")
    deliver_in: Literal["process", "thread"] = Field(
        "process",
        description="Where messages are delivered: in a process of its own, or in one thread beside receiving.",
    )
    journal_h: int = Field(72, ge=1, le=720, description="Hours that written messages are kept for replay.")
    max_bytes: int = Field(
        20_000_000_000, ge=1_000_000, description="Size at which the spool is full and acknowledging stops."
    )
    max_age_h: int = Field(
        168,
        ge=1,
        le=8760,
        description="Age of the oldest undelivered message, in hours, at which acknowledging stops; a repeat of an "
        "older one might not be recognised.",
    )
    dead_letter_bytes: int = Field(
        1_073_741_824, ge=0, description="Size of dead letters' bodies beyond which new bodies are not kept."
    )


class Pipeline(Group):
    """How often work is looked for."""

    interval_s: float = Field(2, ge=0.1, le=3600, description="Seconds between looks at what was touched.")
    today_s: float = Field(
        5, ge=1, le=3600, description="Most often that the open day is recomputed exactly, in seconds."
    )
    health_port: int = Field(
        0, ge=0, le=65535, description="Loopback port of the pipeline's /healthz and /readyz; 0 is off."
    )


class Dashboard(Group):
    """The web server."""

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address to listen on; another than loopback needs accounts and a secret.",
    )
    port: int = Field(8050, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    refresh_s: float = Field(2, ge=0.5, le=600, description="Seconds between looks for new values in an open page.")
    secret_key: SecretStr | None = Field(
        None, min_length=32, description="Signs what forms carry; 32 characters or more; needed beyond loopback."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^/?#\s]+$",
        description="What readers type, such as https://periscope.example; needed behind TLS and for OpenID Connect.",
    )
    idle_min: int = Field(
        30, ge=1, le=1440, description="Minutes without a reader's doing that end a session; live updates do not count."
    )
    session_h: int = Field(12, ge=1, le=168, description="Hours after which a session ends in any case.")
    callbacks_per_s: int = Field(
        20, ge=1, le=1000, description="Requests of one reader's pages per second, twice as many at once."
    )
    exports_per_h: int = Field(10, ge=1, le=10_000, description="Downloads of one reader per hour.")


class Settings(BaseSettings):
    """Everything a process of Periscope can be told."""

    model_config = SettingsConfigDict(
        env_prefix="PERISCOPE_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
        hide_input_in_errors=True,
        secrets_nested_delimiter="__",
        env_ignore_empty=True,
    )

    catalogue: Path = Field(PACKAGED_PILOTS, description="Folder of pilot files.")
    state: Path = Field(
        Path("var"), description="Folder of everything we keep on disk: spool, embedded store, incidents."
    )
    store: Literal["sqlite", "influx"] = Field("sqlite", description="Where events and values live.")
    collector: str = Field(
        "main", pattern=r"^[a-z0-9-]{1,40}$", description="Name of this collector: MQTT client id and spool folder."
    )
    health_port: int = Field(
        0, ge=0, le=65535, description="Loopback port of /healthz, /readyz and /metrics; 0 is off."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least important message that is logged."
    )
    mqtt: Mqtt = Mqtt()
    influx: Influx = Influx()
    spool: Spool = Spool()
    pipeline: Pipeline = Pipeline()
    dashboard: Dashboard = Dashboard()
    notify: Notify = Notify()
    oidc: Oidc = Oidc()
    proxy: Proxy = Proxy()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=os.environ.get("PERISCOPE_CONFIG", "periscope.toml"))
        return init_settings, env_settings, dotenv_settings, toml, NestedSecretsSettingsSource(file_secret_settings)


def load_settings(**overrides: Any) -> Settings:
    """Settings from all sources; raises ConfigError naming source, key and remedy, never a value."""
    toml = Path(os.environ.get("PERISCOPE_CONFIG", "periscope.toml"))
    if "PERISCOPE_CONFIG" in os.environ and not toml.is_file():
        raise ConfigError([Problem("PERISCOPE_CONFIG", "", "names a file that is not there", "correct the path")])
    if unknown := _unknown_variables():
        raise ConfigError(unknown)
    try:
        return Settings(_env_file=".env", _secrets_dir=os.environ.get("PERISCOPE_SECRETS_DIR"), **overrides)
    except ValidationError as error:
        known = {".env": _keys_of_env_file(Path(".env")), toml.name: _keys_of_toml(toml)}
        raise ConfigError([_with_source(problem, known) for problem in problems_of(error, "settings")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(toml.name, "", f"is not TOML: {error}", "mend the syntax at that place")]) from None
    except SettingsError as error:
        raise ConfigError([Problem("environment", "", str(error), "write that value as JSON")]) from None
    except (OSError, ValueError) as error:
        raise ConfigError([Problem("settings", "", f"cannot be read: {error}", "mend or remove that file")]) from None


def _unknown_variables() -> list[Problem]:
    """A misspelt PERISCOPE_* variable would otherwise be passed over in silence."""
    known = {name.upper() for name in Settings.model_fields} | {"DATA", "REQUIRE_SERVICES", "CONFIG", "SECRETS_DIR"}
    names = [name for name in os.environ if name.upper().startswith("PERISCOPE_")]
    firsts = {name: name.upper().removeprefix("PERISCOPE_").split("__")[0] for name in names}
    return [
        Problem(f"environment variable {name}", "", "is not a known setting", "remove it or correct its spelling")
        for name, first in firsts.items()
        if first not in known and not first.startswith("TEST_")
    ]


def _with_source(problem: Problem, known: dict[str, set[str]]) -> Problem:
    """Name the strongest source that set this key, as pydantic does not say which one won."""
    parts = [part for part in problem.key.split(".") if not part.isdigit()]
    names = ["PERISCOPE_" + "__".join(parts[:depth]).upper() for depth in range(len(parts), 0, -1)]
    upper = {name.upper(): name for name in os.environ}
    for name in names:
        if name in upper:
            return replace(
                problem, place=f"environment variable {upper[name]}", key="" if name == names[0] else problem.key
            )
    for place, keys in known.items():
        if any(name in keys for name in names):
            return replace(problem, place=place)
    return problem


def _keys_of_env_file(path: Path) -> set[str]:
    return {key.upper() for key in dotenv_values(path)} if path.is_file() else set()


def _keys_of_toml(path: Path) -> set[str]:
    def walk(table: dict[str, Any], prefix: str) -> set[str]:
        found = set()
        for key, value in table.items():
            name = f"{prefix}{key}".upper()
            found |= {name} | (walk(value, f"{name}__") if isinstance(value, dict) else set())
        return found

    return walk(tomllib.loads(path.read_text()), "PERISCOPE_") if path.is_file() else set()
