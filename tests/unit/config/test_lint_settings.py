"""What lint says of settings, alone and together with the pilots' files."""

import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from config.catalogue import load_catalogue
from config.lint import Finding
from config.lint_settings import lint_settings
from config.settings import Settings
from tests.unit.config.test_lint import CLEAN

TODAY = date(2026, 1, 1)


def said(folder: Path, text: str = CLEAN, files: list[Path] | None = None, **settings: Any) -> list[Finding]:
    (folder / "pilots").mkdir(exist_ok=True)
    (folder / "pilots/lund.toml").write_text(text)
    known = Settings(_env_file=None, **settings)
    return lint_settings(known, load_catalogue(folder / "pilots"), TODAY, files or [])


def test_the_defaults_have_no_finding(tmp_path: Path) -> None:
    assert said(tmp_path) == []
    assert said(tmp_path, store="influx") == []


def test_a_commit_that_is_larger_than_the_window(tmp_path: Path) -> None:
    (found,) = said(tmp_path, spool={"batch": 600})
    assert (found.level, found.key) == ("warning", "spool.batch")
    assert "PERISCOPE_SPOOL__BATCH to 500" in found.remedy
    assert said(tmp_path, spool={"batch": 500}) == []
    assert said(tmp_path, spool={"batch": 600}, mqtt={"protocol": "3.1.1"}) == []  # the broker sets the window


@pytest.mark.parametrize(
    ("since", "store", "level"),
    [
        ("2026-01-02", "sqlite", "error"),
        ("2010-01-01", "sqlite", None),
        ("2010-01-01", "influx", "warning"),
        ("2024-01-01", "influx", None),
    ],
)
def test_a_back_fill_that_reaches_the_future_or_beyond_what_is_kept(
    tmp_path: Path, since: str, store: str, level: str | None
) -> None:
    text = CLEAN.replace('heartbeat_every = "1m"', f'heartbeat_every = "1m"\naccept_since = {since}')
    found = said(tmp_path, text, store=store)
    assert [one.level for one in found] == ([level] if level else [])
    assert all(one.key == "feeds.app.accept_since" for one in found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "PERISCOPE_LOG_LEVEL=INFO\nPERISCOPE_MQTT__PASSWORD=hunter22\n"),
        ("periscope.toml", '[influx]\ntoken = "hunter22"\n'),
        (".env", "PERISCOPE_NOTIFY__URLS__OPS=hunter22\n"),
        ("periscope.toml", '[notify.urls]\nops = "hunter22"\n'),
    ],
)
def test_a_secret_that_other_users_may_read(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    path.chmod(0o644)
    (found,) = said(tmp_path, files=[path])
    assert found.level == "error"
    assert f"chmod 600 {name}" in found.remedy
    assert "hunter22" not in str(found)
    path.chmod(0o600)
    assert said(tmp_path, files=[path]) == []
    path.chmod(0o644)
    path.write_text(text.replace("hunter22", ""))
    assert said(tmp_path, files=[path, tmp_path / "absent"]) == []
    assert path.stat().st_mode & stat.S_IROTH
