"""One attempt to deliver, with a deadline for all of it: a process of its own makes it, and can be ended anywhere.

No library ends a receiver that answers a byte a minute, a resolver that hangs, or a channel's own retries.
"""

import math
import signal
import subprocess
import sys
import threading
from typing import Any, Final

import msgspec

from pipeline.delivery.channels import Channel
from pipeline.delivery.outcome import Outcome
from pipeline.delivery.send import Order

DEADLINE_S: Final = 20.0  # the start of the process, and Apprise's import, included
STOPPING_S: Final = 3.0
_LOOK_S: Final = 0.25
_ALARMED: Final = -signal.SIGALRM if hasattr(signal, "SIGALRM") else None


def attempt(
    channel: Channel,
    key: str,
    body: dict[str, Any],
    made_s: float,
    deadline_s: float = DEADLINE_S,
    stop: threading.Event | None = None,
) -> Outcome:
    """Send one letter; a failure is an outcome, never an exception. Once told to stop it is ended after a moment."""
    order = msgspec.json.encode(Order(channel, key, body, made_s, math.ceil(deadline_s)))
    # What it needs comes by its input, never as an argument that other users of the machine can read.
    command = [sys.executable, "-P", "-m", "pipeline.delivery.send"]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    except OSError as error:
        return Outcome("later", f"no process could be started ({error.strerror})")
    given: bytes | None = order
    left_s = deadline_s
    while True:
        try:
            told, said = process.communicate(given, timeout=min(_LOOK_S, left_s))
            break
        except subprocess.TimeoutExpired:
            given, left_s = None, left_s - _LOOK_S
            if stop is not None and stop.is_set():
                left_s = min(left_s, STOPPING_S)
            if left_s <= 0:
                process.kill()
                process.communicate()
                return _late(deadline_s)
    if process.returncode == _ALARMED:
        return _late(deadline_s)
    try:
        return msgspec.json.decode(told.splitlines()[-1], type=Outcome)
    except (IndexError, msgspec.DecodeError):
        lines = said.decode(errors="replace").strip().splitlines()
        why = channel.scrub(lines[-1]) if lines else f"code {process.returncode}"
        return Outcome("later", f"the attempt ended unexpectedly ({why})")


def _late(deadline_s: float) -> Outcome:
    return Outcome("later", f"it did not take the letter within {deadline_s:g} s")
