"""One server process: started, waited for, ended by its id."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], deadline_s: float, what: str, look_s: float = 0.02) -> None:
    """Return as soon as `condition` holds; raise TimeoutError naming `what` after `deadline_s` seconds."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {deadline_s:.0f} s")
        time.sleep(look_s)


def listens(port: int) -> bool:
    """Whether something accepts connections on that loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Server:
    """A command that runs until it is ended; its output goes to `log`."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self.command = command
        self.environment = environment
        self.folder = folder
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        if self.process is None:
            raise RuntimeError(f"{self.command[0]} was not started")
        return self.process.pid

    def start(self, ready: Callable[[], bool], deadline_s: float = 30) -> None:
        """Start and return when `ready` holds; what the process printed is in the error if it does not."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

        def ready_or_dead() -> bool:
            if not self.running:
                raise RuntimeError(f"{self.command[0]} ended at once:\n{self.tail()}")
            return ready()

        try:
            wait_until(ready_or_dead, deadline_s, f"{self.command[0]} being ready")
        except BaseException:
            self.kill()
            raise

    def stop(self, deadline_s: float = 30) -> None:
        """Ask the process to end (SIGTERM) and wait; one that does not is killed."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process without any chance to write (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
