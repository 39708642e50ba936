"""Brokers with one fault each, and a way to run doctor's checks on them."""

import ipaddress
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collectors.doctor.finding import Finding
from config.settings import Mqtt
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port


@contextmanager
def broker(folder: Path, *changes: tuple[str, str], add: str = "") -> Iterator[Mosquitto]:
    """A real Mosquitto whose configuration differs from deploy's in these places."""
    service = Mosquitto(folder / "mosquitto")
    text = service.config.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    service.config.write_text(f"{text}\n{add}\n")
    service.start()
    try:
        yield service
    finally:
        service.stop()


def mqtt(service: Mosquitto, **more: Any) -> Mqtt:
    return Mqtt.model_validate({"host": service.host, "port": service.port, **more})


def users(folder: Path, acl: str, **passwords: str) -> tuple[str, str]:
    """A change of the configuration that lets in only these users, with this access list."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acl").write_text(acl)
    (folder / "passwords").write_text("".join(f"{name}:{word}\n" for name, word in passwords.items()))
    subprocess.run(["mosquitto_passwd", "-U", folder / "passwords"], check=True, capture_output=True)
    for file in ("acl", "passwords"):
        (folder / file).chmod(0o644)
    text = f"allow_anonymous false\npassword_file {folder / 'passwords'}\nacl_file {folder / 'acl'}"
    return "allow_anonymous true", text


def certificate(folder: Path, days: float, since_days: float = 60) -> Path:
    """A self-signed certificate for 127.0.0.1 that ends in `days`; `server.crt` and `server.key` in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=since_days))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "server.crt"


@contextmanager
def tls_broker(folder: Path, days: float) -> Iterator[Mqtt]:
    """A broker with a certificate that ends in `days`; yields the settings of a client that trusts it."""
    ca, port = certificate(folder / "tls", days), free_port()
    listener = f"listener {port} 127.0.0.1\ncertfile {ca}\nkeyfile {folder / 'tls/server.key'}"
    with broker(folder, add=listener) as service:
        yield mqtt(service).model_copy(update={"port": port, "ca": ca})


def only(findings: Iterator[Finding] | list[Finding], code: str) -> Finding:
    """The one finding of a code."""
    found = [finding for finding in findings if finding.code == code]
    assert len(found) == 1, [str(finding) for finding in found]
    return found[0]


def told(output: str, code: str) -> list[dict[str, str]]:
    """The findings of a code in what `doctor --json` printed."""
    return [one for one in json.loads(output) if one["code"] == code]


Clock = Callable[[], int]
