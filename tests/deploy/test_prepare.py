"""The files that deploy/prepare.sh makes, and TLS as a real Mosquitto speaks it from them."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.users import User
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
PILOTS = str(DEPLOY.parent / "config/pilots")


def prepare(deploy: Path, *options: str, pilots: str = PILOTS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(deploy / "prepare.sh"), *options],
        env={**os.environ, "PILOTS": pilots},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/ after prepare.sh."""
    folder = tmp_path_factory.mktemp("prepared") / "deploy"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns("secrets", "rendered", "__pycache__"))
    done = prepare(folder, "--self-signed", "localhost")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def tls_broker(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, int]]:
    port = free_port()
    service = Mosquitto(
        tmp_path_factory.mktemp("tls"),
        "crash-safe",
        (
            "--passwords",
            str(prepared / "rendered/passwords"),
            "--acl",
            str(prepared / "mosquitto/acl"),
            "--tls",
            str(prepared / "secrets/tls"),
            "--tls-port",
            str(port),
        ),
    )
    service.start()
    try:
        yield service, port
    finally:
        service.stop()


def bremen(prepared: Path) -> str:
    return (prepared / "secrets/mqtt_bremen").read_text()


def test_a_pilot_comes_in_by_tls(tls_broker: tuple[Mosquitto, int], prepared: Path) -> None:
    ca = str(prepared / "secrets/tls/ca.crt")
    with User(tls_broker[1], "bremen", bremen(prepared), host="localhost", ca_certs=ca) as pilot:
        pilot.publish("pilots/bremen/usage/app", "1")


def handshake(port: int, context: ssl.SSLContext, name: str = "localhost") -> str:
    """The TLS version that both sides agreed on; SSLError when they did not."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname=name) as secure:
            return secure.version() or ""


def trust(deploy: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(deploy / "secrets/tls/ca.crt"))


def test_the_certificate_is_for_its_authority_and_its_name(
    tls_broker: tuple[Mosquitto, int], prepared: Path, tmp_path: Path
) -> None:
    other = tmp_path / "deploy"
    shutil.copytree(DEPLOY, other, ignore=shutil.ignore_patterns("secrets", "rendered", "__pycache__"))
    assert prepare(other, "--self-signed", "localhost").returncode == 0
    assert handshake(tls_broker[1], trust(prepared)) in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls_broker[1], trust(other))
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(tls_broker[1], trust(prepared), "broker.example")


def test_tls_before_1_2_is_refused(tls_broker: tuple[Mosquitto, int], prepared: Path) -> None:
    context = trust(prepared)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(tls_broker[1], context)


def test_the_tls_port_speaks_nothing_else(tls_broker: tuple[Mosquitto, int]) -> None:
    connect = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a"
    with socket.create_connection(("127.0.0.1", tls_broker[1]), timeout=20) as plain:
        plain.sendall(connect)
        try:
            answer = plain.recv(4)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"\x20")


def test_a_second_run_keeps_every_secret(prepared: Path) -> None:
    before = {path: path.read_bytes() for path in (prepared / "secrets").rglob("*") if path.is_file()}
    assert prepare(prepared, "--self-signed", "localhost").returncode == 0
    assert {path: path.read_bytes() for path in before} == before


def test_everything_secret_is_private(prepared: Path) -> None:
    files = [p for folder in ("secrets", "rendered") for p in (prepared / folder).rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_without_certificates_it_says_what_is_missing(tmp_path: Path) -> None:
    deploy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, deploy, ignore=shutil.ignore_patterns("secrets", "rendered", "__pycache__"))
    done = prepare(deploy)
    assert done.returncode == 1
    assert "secrets/tls/ca.crt is missing" in done.stderr


def test_a_pilot_cannot_take_the_name_of_a_part(tmp_path: Path, prepared: Path) -> None:
    (tmp_path / "collector.toml").touch()
    done = prepare(prepared, pilots=str(tmp_path))
    assert done.returncode == 1
    assert "is a broker user" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--anonymous", "--address", "0.0.0.0"], "--anonymous is for loopback only"),
        (["--anonymous", "--tls", "/tls"], "--anonymous is for loopback only"),
        (["--address", "0.0.0.0"], "beyond loopback use --tls"),
        (["--client-certificates"], "needs --tls"),
    ],
)
def test_an_open_broker_is_not_rendered(options: list[str], sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, str(DEPLOY / "mosquitto/render.py"), *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert sentence in done.stderr


def test_every_profile_states_its_limits(prepared: Path) -> None:
    text = (prepared / "rendered/mosquitto.conf").read_text()
    for line in (
        "allow_anonymous false",
        "max_queued_messages 2000000",
        "message_size_limit 65536",
        "plugin_opt_sync full",
        "plugin_opt_flush_period 1",
        "listener 8883",
    ):
        assert line in text.splitlines()
