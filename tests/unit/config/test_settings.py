"""Settings come from four sources; what is wrong is told by source, key and remedy, and a secret never."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from config.problems import ConfigError
from config.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _nothing_from_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("PERISCOPE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(**overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(**overrides)
    return str(caught.value)


def test_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert (settings.store, settings.mqtt.port, settings.dashboard.host) == ("sqlite", 1883, "127.0.0.1")


def test_the_strongest_source_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "periscope.toml").write_text("[mqtt]\nport = 1001\nkeepalive_s = 60\n")
    assert load_settings().mqtt.port == 1001
    (tmp_path / ".env").write_text("PERISCOPE_MQTT__PORT=1002\n")
    assert load_settings().mqtt.port == 1002
    monkeypatch.setenv("PERISCOPE_MQTT__PORT", "1003")
    assert load_settings().mqtt.port == 1003
    chosen = load_settings(mqtt={"port": 1004}).mqtt
    # A stronger source replaces the one key, not its whole group.
    assert (chosen.port, chosen.keepalive_s) == (1004, 60)


def test_a_secret_file_gives_one_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "PERISCOPE_INFLUX__TOKEN").write_text("s3cret\n")
    monkeypatch.setenv("PERISCOPE_SECRETS_DIR", str(secrets))
    settings = load_settings()
    assert settings.influx.token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_a_wrong_value_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERISCOPE_MQTT__PORT", "eighteen")
    said = refused()
    assert said.startswith("environment variable PERISCOPE_MQTT__PORT: ")
    assert "eighteen" not in said


def test_a_wrong_value_in_a_file_names_the_file_and_the_key(tmp_path: Path) -> None:
    (tmp_path / "periscope.toml").write_text("[mqtt]\nport = 70000\n")
    assert refused().startswith("periscope.toml: mqtt.port: ")


def test_unknown_keys_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "periscope.toml").write_text("[mqtt]\nportt = 1\n")
    assert "periscope.toml: mqtt.portt: is not a known key" in refused()
    (tmp_path / "periscope.toml").unlink()
    monkeypatch.setenv("PERISCOPE_MQQT__PORT", "1")
    assert "environment variable PERISCOPE_MQQT__PORT: is not a known setting" in refused()


def test_a_broken_settings_file_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "periscope.toml").write_text("[mqtt\n")
    assert "periscope.toml: is not TOML" in refused()


def test_settings_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    assert "cert and key must be set together" in refused(mqtt={"cert": str(tmp_path / "c.pem")})


def test_a_wrong_secret_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERISCOPE_INFLUX", '{"token": ["hunter2"]}')
    assert "hunter2" not in refused()


def _fields(model: type[BaseModel], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += _fields(kind, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", field))
    return found


@pytest.mark.parametrize(("name", "field"), _fields(Settings))
def test_every_setting_has_a_default_and_a_sentence(name: str, field: Any) -> None:
    assert not field.is_required(), name
    assert field.description, name
    assert field.description.endswith("."), name
