"""The real command line as a process: run to its end, or start, wait for a sign, and stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[1]


def environment(**settings: object) -> dict[str, str]:
    """This machine's environment without its Periscope settings, and with these: `mqtt__port=1884`."""
    kept = {key: value for key, value in os.environ.items() if not key.upper().startswith("PERISCOPE_")}
    ours = {f"PERISCOPE_{key.upper()}": str(value) for key, value in settings.items()}
    return kept | ours | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def periscope(
    *words: object, cwd: Path, timeout_s: float = 120, **settings: object
) -> "subprocess.CompletedProcess[str]":
    """Run one verb to its end."""
    return subprocess.run(
        [sys.executable, "-m", "periscope", *map(str, words)], cwd=cwd, env=environment(**settings),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip


class Running:
    """A verb that runs until it is told to stop; leaving the block stops it."""

    def __init__(self, *words: object, cwd: Path, **settings: object) -> None:
        self.output = cwd / f"{words[0]}.{time.monotonic_ns()}.out"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "periscope", *map(str, words)], cwd=cwd, env=environment(**settings),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def until(self, condition: Callable[[], bool], timeout_s: float = 60) -> None:
        """Wait for a condition; fails when the process ends before or the time is over."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.text[-2000:]}"
            assert time.monotonic() < deadline, f"not within {timeout_s} s: {self.text[-2000:]}"
            time.sleep(0.05)

    def says(self, words: str, timeout_s: float = 60) -> None:
        self.until(lambda: words in self.text, timeout_s)

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 20) -> int:
        """Ask it to stop and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
