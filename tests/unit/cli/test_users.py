"""`periscope users` as a real process: passwords never on the command line, sentences for what cannot be done."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Running, environment, periscope

PASSWORD = "correct horse battery"


def users(cwd: Path, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "periscope", "users", *words, "--state", "state"], cwd=cwd, env=environment(),
        input=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_an_account_is_added_listed_changed_disabled_and_audited(tmp_path: Path) -> None:
    assert "no accounts" in users(tmp_path, "list").stdout
    added = users(tmp_path, "add", "anna", "--role", "operator", "--pilots", "genoa,malmo", given=f"{PASSWORD}\n")
    assert (added.returncode, added.stdout) == (0, "anna may sign in: operator, pilots genoa, malmo\n")
    file = tmp_path / "password"
    file.write_text("another good password\n")
    assert users(tmp_path, "reset", "anna", "--password-file", "password").returncode == 0
    assert users(tmp_path, "change", "anna", "--role", "admin", "--pilots", "all").returncode == 0
    assert users(tmp_path, "disable", "anna").returncode == 0
    facts = json.loads(users(tmp_path, "list", "--json").stdout)
    assert facts == {"id": 1, "name": "anna", "role": "admin", "source": "local", "disabled": True, "pilots": None}
    assert users(tmp_path, "enable", "anna").returncode == 0
    audit = [json.loads(line)["what"] for line in users(tmp_path, "audit", "--json").stdout.splitlines()]
    assert audit == [
        "add account 1 anna, operator, pilots genoa, malmo",
        "reset account 1 anna, operator, pilots genoa, malmo",
        "change account 1 anna, admin, all pilots",
        "disable account 1 anna, admin, all pilots",
        "enable account 1 anna, admin, all pilots",
    ]


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "periscope", "users", "add", "anna", "--state", "state"], cwd=tmp_path,
        env=environment(), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, close_fds=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        for question in (b"Password", b"Once more"):
            while question not in shown:
                shown += os.read(ours, 1000)
            os.write(ours, f"{PASSWORD}\n".encode())
        while b"may sign in" not in shown:
            shown += os.read(ours, 1000)
        assert process.wait(30) == 0
    os.close(ours)
    assert PASSWORD.encode() not in shown


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (["add"], PASSWORD, "name the account"),
        (["add", "anna"], "short", "12 to 256 characters"),
        (["add", "anna"], "", "12 to 256 characters"),
        (["add", "anna", "--pilots", "atlantis"], PASSWORD, "unknown pilot atlantis"),
        (["add", "anna", "--role", "owner"], PASSWORD, "invalid choice"),
        (["add", "anna", "--password-file", "nowhere"], "", "cannot be read"),
        (["disable", "anna"], "", "no account anna"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(tmp_path: Path, words: list[str], given: str, said: str) -> None:
    done = users(tmp_path, *words, given=given)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dashboard_beyond_loopback_needs_an_account_and_a_secret(tmp_path: Path) -> None:
    words = ("dashboard", "--state", "state", "--set", "dashboard.host=0.0.0.0", "--set", "dashboard.port=0")
    refused = periscope(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert "nobody would be asked who they are" in refused.stderr
    assert users(tmp_path, "add", "anna", given=PASSWORD).returncode == 0
    refused = periscope(*words, cwd=tmp_path)
    assert refused.returncode == 2
    assert "dashboard.secret_key: is not set" in refused.stderr
    assert "nobody would be asked" not in refused.stderr
    secret = "0123456789abcdef0123456789abcdef"
    with Running(*words, cwd=tmp_path, dashboard__secret_key=secret) as running:
        running.says("Open http://0.0.0.0:")
        assert running.stop() == 0
        assert secret not in running.text


def test_a_password_cannot_be_an_argument(tmp_path: Path) -> None:
    assert periscope("users", "add", "anna", "--password", PASSWORD, cwd=tmp_path).returncode == 2
    assert periscope("users", "add", "anna", PASSWORD, cwd=tmp_path).returncode == 2
