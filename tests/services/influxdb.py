"""A real InfluxDB 2.7, set up through its HTTP API."""

import json
import os
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.services import missing
from tests.services.process import Server, free_port

VERSION = "2.7.12"


def program() -> str:
    """Path of influxd 2.x: PERISCOPE_TEST_INFLUXD, PATH, or what `make services` built; skips or fails without."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / "periscope" / f"influxd-{VERSION}" / "influxd"
    for found in (os.environ.get("PERISCOPE_TEST_INFLUXD"), shutil.which("influxd"), str(built)):
        if found and os.access(found, os.X_OK) and (found == str(built) or _is_2(found)):
            return found
    missing("InfluxDB 2.7 (influxd)")


def _is_2(path: str) -> bool:
    """Distributions still ship 1.x under the same name; a build from the Go module calls itself "dev"."""
    version = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=False).stdout
    return version.startswith(("InfluxDB v2.", "InfluxDB 2.", "InfluxDB dev"))


class Influx:
    """One server with one organisation. `token` may do everything; `fresh_buckets` gives empty buckets."""

    org = "periscope-tests"

    def __init__(self, folder: Path, setup: bool = True) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(16)
        self.folder = folder
        self.org_id = ""
        self._setup = setup
        folder.mkdir(parents=True, exist_ok=True)
        self._server = Server(
            [
                program(),
                "run",
                "--bolt-path",
                str(folder / "influxd.bolt"),
                "--engine-path",
                str(folder / "engine"),
                "--sqlite-path",
                str(folder / "influxd.sqlite"),
                "--http-bind-address",
                f"127.0.0.1:{self.port}",
                "--reporting-disabled",
                "--log-level",
                "warn",
            ],
            folder,
        )

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def running(self) -> bool:
        return self._server.running

    def start(self) -> None:
        self._server.start(self._healthy, 60)
        if self._setup and not self.org_id:
            answer = self.call(
                "POST",
                "/api/v2/setup",
                {
                    "username": "tests",
                    "password": secrets.token_hex(16),
                    "org": self.org,
                    "bucket": "setup",
                    "token": self.token,
                },
            )
            self.org_id = answer["org"]["id"]

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def fresh_buckets(self, retention_s: int = 0) -> tuple[str, str]:
        """Names of two new empty buckets, for raw and derived; `retention_s` 0 keeps everything."""
        name = secrets.token_hex(6)
        for part in ("raw", "derived"):
            rules = [{"type": "expire", "everySeconds": retention_s}] if retention_s else []
            self.call(
                "POST", "/api/v2/buckets", {"orgID": self.org_id, "name": f"{part}-{name}", "retentionRules": rules}
            )
        return f"raw-{name}", f"derived-{name}"

    def bucket(self, name: str) -> dict[str, Any]:
        """What the server says of one bucket; by name, as a list of all has pages."""
        (found,) = self.call("GET", f"/api/v2/buckets?name={name}")["buckets"]
        return dict(found)

    def count(self, bucket: str, measurement: str, name: str, since_ns: int = 0) -> int:
        """How many points of a measurement from an instant on hold the field `name`."""
        flux = (
            f'from(bucket: "{bucket}") |> range(start: time(v: {since_ns}), stop: 2100-01-01T00:00:00Z) '
            f'|> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{name}") '
            "|> group() |> count()"
        )
        request = urllib.request.Request(
            f"{self.url}/api/v2/query?org={self.org}",
            flux.encode(),
            method="POST",
            headers={
                "Authorization": f"Token {self.token}",
                "Content-Type": "application/vnd.flux",
                "Accept": "application/csv",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            rows = [line.split(",") for line in response.read().decode().splitlines() if line]
        return int(rows[1][rows[0].index("_value")]) if len(rows) > 1 else 0

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, token: str | None = None) -> Any:
        """One request to the HTTP API with the token that may do everything, or another; the JSON answer."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {token or self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def _healthy(self) -> bool:
        try:
            return bool(self.call("GET", "/health")["status"] == "pass")
        except (urllib.error.URLError, OSError):
            return False
