"""A contestant as its real process: when it said something, what it cost."""

import contextlib
import os
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

import psutil

from tests.services.process import wait_until


class Contestant:
    """A running process whose output is read line by line, each with its time; ended with the block."""

    def __init__(
        self, command: list[str], environment: dict[str, str] | None = None, folder: Path | None = None
    ) -> None:
        self._command, self._folder = command, folder
        self._environment = environment or dict(os.environ)
        self._lines: list[tuple[float, str]] = []

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._folder,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._psutil = psutil.Process(self._process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def said(self, words: str, deadline_s: float) -> float:
        """The moment at which a line with `words` came."""

        def found() -> bool:
            if self._process.poll() is not None and not self._reader.is_alive():
                return True
            return any(words in line for _, line in self._lines)

        wait_until(found, deadline_s, f'"{words}" from {self._command[0]}')
        for at, line in list(self._lines):
            if words in line:
                return at
        raise RuntimeError(f'{self._command} ended without "{words}":\n' + "\n".join(line for _, line in self._lines))

    def cpu_s(self) -> float:
        """Processor seconds so far of the whole tree, children that have ended included."""
        return sum(self.cpu_by_process().values())

    def cpu_by_process(self) -> dict[int, float]:
        """The same by process id; what ended children had used counts for their parent."""
        found = {}
        for one in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                found[one.pid] = float(sum(one.cpu_times()[:4]))
        return found

    def peak_mib(self) -> float:
        """Most resident memory of the whole tree: the kernel's high-water mark of each process, added up.

        The marks need not have been reached at one moment and shared pages count twice, so the truth is never more.
        """
        total = 0
        for one in self._tree():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                marks = re.findall(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{one.pid}/status").read_text(), re.MULTILINE)
                total += sum(map(int, marks))
        return total / 1024

    def _tree(self) -> list[psutil.Process]:
        return [self._psutil, *self._psutil.children(recursive=True)]

    def _read(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                self._lines.append((time.monotonic(), line.rstrip()))
