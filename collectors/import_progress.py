"""How far an import is: a line that renews itself on a terminal, a line now and then elsewhere, or nothing.

Promises: nothing is asked of the clock more than it is told; what is printed goes to standard error, so that the report
on standard output stays what a program can read.
"""

import sys
import time
from collections.abc import Callable
from typing import TextIO

_TERMINAL_S, _PLAIN_S = 0.2, 10.0


class ProgressLine:
    """`quiet` prints nothing. `clock` gives seconds, `to` is where lines go."""

    def __init__(
        self, quiet: bool = False, clock: Callable[[], float] = time.monotonic, to: TextIO | None = None
    ) -> None:
        self._to = to or sys.stderr
        self._quiet, self._clock = quiet, clock
        self._terminal = self._to.isatty()
        self._open = False
        self._name = ""
        self._due = 0.0

    def begin(self, name: str, rows: int = 0, share: float | None = 0.0) -> None:
        """A file of which `rows` and `share` were dealt with before."""
        self._name, self._rows, self._share = name, rows, share or 0.0
        self._began = self._clock()
        self._due = self._began + (_TERMINAL_S if self._terminal else _PLAIN_S)

    def show(self, rows: int, share: float | None) -> None:
        """Tell, if it is time to."""
        if self._quiet or self._clock() < self._due:
            return
        spent = max(0.001, self._clock() - self._began)
        rate = (rows - self._rows) / spent
        text = f"{self._name}: {rows:,} rows, {rate:,.0f} rows/s"
        if share is not None and share > self._share:
            left = spent * (1 - share) / (share - self._share)
            text += f", {share:.0%}, {_span(left)} left"
        self.say(text)

    def say(self, text: str, now: bool = False) -> None:
        """Show a text in the same place; `now` even if the last one is young."""
        if self._quiet or (not now and self._clock() < self._due):
            return
        self._due = self._clock() + (_TERMINAL_S if self._terminal else _PLAIN_S)
        self._open = self._terminal
        print(
            f"\r\x1b[K{text}" if self._terminal else text, end="" if self._terminal else "\n", file=self._to, flush=True
        )

    def close(self) -> None:
        """Leave the line as it stands."""
        if self._open:
            print(file=self._to, flush=True)
            self._open = False


def _span(seconds: float) -> str:
    """A time that a person can use.

    >>> _span(4000), _span(75), _span(3)
    ('1 h 07 min', '1 min 15 s', '3 s')
    """
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
