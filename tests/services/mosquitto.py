"""A real Mosquitto, configured from deploy/mosquitto."""

import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.services import missing
from tests.services.process import Server, free_port, listens

RENDER = Path(__file__).parents[2] / "deploy/mosquitto/render.py"


def program() -> str:
    """Path of the broker; skips or fails when it is not installed."""
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return found or missing("Mosquitto")


class Mosquitto:
    """One broker on its own port and folder. `stop` lets it save its queues, `kill` does not.

    `extra` are further arguments of deploy/mosquitto/render.py; without them anyone on loopback may do
    everything and payloads up to 64 MiB pass, so that oversized ones reach the code under test.
    """

    host = "127.0.0.1"
    username: str | None = None
    password: str | None = None

    def __init__(self, folder: Path, profile: str = "throughput", extra: tuple[str, ...] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.profile = profile
        (folder / "data").mkdir(parents=True, exist_ok=True)
        options = ("--anonymous", "--max-payload", str(64 << 20)) if extra is None else extra
        user = "root" if os.geteuid() == 0 else "mosquitto"
        self.config = folder / "mosquitto.conf"
        self.config.write_bytes(
            subprocess.run(
                [
                    sys.executable,
                    str(RENDER),
                    "--profile",
                    profile,
                    "--port",
                    str(self.port),
                    "--user",
                    user,
                    "--data",
                    str(folder / "data"),
                    *options,
                ],
                check=True,
                stdout=subprocess.PIPE,
            ).stdout
        )
        self._server = Server([program(), "-c", str(self.config)], folder)
        named = dict(pairwise(options))
        self._ports = [self.port, *([int(named["--tls-port"])] if "--tls-port" in named else [])]

    @property
    def pid(self) -> int:
        return self._server.pid

    @property
    def running(self) -> bool:
        return self._server.running

    @property
    def log(self) -> str:
        return self._server.log.read_text(errors="replace")

    def start(self) -> None:
        self._server.start(lambda: all(listens(port) for port in self._ports))

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()
