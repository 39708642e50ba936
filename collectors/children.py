"""Processes that run together: started one by one, watched, and stopped together.

Promises: each child leads a process group of its own, so Ctrl-C reaches only us and we stop them in order; after
`stop` no child and none of its children is left; what a child wrote is in its log file.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event as Signal
from types import TracebackType

from collectors.message import CollectorError

_POLL_S = 0.1
_ORPHANS_S = 2.0


class ChildLost(CollectorError):
    """A part ended although nobody asked it to, or did not get ready; the sentence holds its last words."""


class Children:
    """A context manager: leaving it stops everything, the last started first."""

    def __init__(self, logs: Path, env: Mapping[str, str], stop: Signal, grace_s: float = 10) -> None:
        self._logs, self._env, self._stop, self._grace_s = logs, dict(env), stop, grace_s
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str], ready: Callable[[], bool], timeout_s: float = 60) -> None:
        """Start a child and return when `ready` says so, or when we are told to stop; raises ChildLost."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._env, start_new_session=True
            )
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ChildLost(f"{name} did not get ready within {timeout_s:.0f} s{self._last_words(name)}")
            if self._stop.wait(_POLL_S):
                return

    def check(self) -> None:
        """Raise ChildLost when a child has ended."""
        for name, child in self._running.items():
            if (code := child.poll()) is not None:
                how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
                raise ChildLost(f"{name} {how}, so everything was stopped{self._last_words(name)}")

    def watch(self) -> None:
        """Return when told to stop; raises ChildLost when a child ends before that."""
        while not self._stop.wait(_POLL_S):
            self.check()

    def stop(self) -> None:
        """Ask all to stop, wait, then end what is left."""
        for child in reversed(self._running.values()):
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + self._grace_s
        for child in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in self._running.values():
            # The group may hold grandchildren even when the child itself has gone.
            _signal(child, signal.SIGKILL)
            child.wait()
        # Orphans are ended but not ours to wait for; where nobody collects the dead they stay in the group for ever.
        deadline = time.monotonic() + _ORPHANS_S
        while any(_signal(child, 0) for child in self._running.values()) and time.monotonic() < deadline:
            time.sleep(_POLL_S / 10)
        self._running.clear()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _last_words(self, name: str) -> str:
        log = self._logs / f"{name}.log"
        lines = log.read_text(errors="replace").strip().splitlines()[-1:]
        said = f": {lines[0][:300].rstrip('.')}" if lines else ""
        return f"{said}. Its log is {log}."


def _signal(child: subprocess.Popen[bytes], number: int) -> bool:
    """Signal a child's group; False when nothing is left in it that could hear."""
    try:
        os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
