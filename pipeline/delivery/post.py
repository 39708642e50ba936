"""The workers that deliver: a thread for each channel, and one for what time brings.

Promises: a channel that hangs or fails holds up no other and no evaluation; delivery is at least once, and every try of
a letter carries the same id; a failed try is repeated with growing pauses for 24 hours, a refusal (4xx but 408, 425 and
429, a redirect, 5xx of SMTP) is given up with its reason; a channel that gives up, or has failed for a quarter of an
hour, is an incident of its own, which the other channels are told of.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from pipeline.alerts.transition import Transition
from pipeline.delivery.attempt import DEADLINE_S, attempt
from pipeline.delivery.channels import Channel
from pipeline.delivery.outbox import Letter, Outbox
from pipeline.delivery.outcome import Outcome
from pipeline.delivery.patience import FAILING_S, is_hopeless, pause_ns
from pipeline.delivery.ping import ping
from pipeline.delivery.reminders import remind, sign_of_life
from pipeline.delivery.routes import FAILING, SYSTEM
from pipeline.model import NS_PER_S
from pipeline.operations import Operations
from pipeline.pulse import STALE_S
from pipeline.values import Incident

_log = logging.getLogger(__name__)
_LOOK_S: Final = 1.0
_REMIND_S: Final = 30.0


class Post:
    """Delivers what the outbox of one operational database holds. Without channels the pages alone show incidents.

    `evaluated` says when alerts were last evaluated: nothing claims to be watching while they are not.
    """

    def __init__(
        self,
        operations: Operations,
        channels: Mapping[str, Channel],
        clock: Callable[[], int],
        *,
        ping_url: str | None = None,
        ping_s: float = 300,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._operations, self._channels, self._clock = operations, channels, clock
        self._outbox = Outbox(operations)
        self._ping_url, self._ping_s, self._deadline_s = ping_url, ping_s, deadline_s
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.evaluated_ns: int | None = None

    def start(self) -> None:
        """Deliver in the background until stopped."""
        self._outbox.adopt(self._clock())
        loops: list[tuple[str, float, Callable[[], object]]] = [("reminders", _REMIND_S, self.remind)]
        loops += [(f"channel {name}", _LOOK_S, partial(self.deliver, name)) for name in self._channels]
        if self._ping_url is not None:
            loops.append(("ping", self._ping_s, self.ping))
        for name, pause_s, work in loops:
            thread = threading.Thread(target=self._loop, args=(name, pause_s, work), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """No new attempt; one that is being made has a moment left, and is else made again next time."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def flush(self) -> None:
        """Deliver what waits now, for a pipeline that runs to the end of its work; each channel by itself."""
        self._outbox.adopt(self._clock())
        self.remind()
        workers = [threading.Thread(target=self.deliver, args=(name, True), daemon=True) for name in self._channels]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def remind(self) -> None:
        """Tell what time alone brings."""
        now_ns = self._clock()
        remind(self._operations, now_ns)
        if self.watching:
            sign_of_life(self._operations, now_ns, _moment(now_ns)[:10])

    def ping(self) -> None:
        """Say outside that alerts are being evaluated; silent when they are not."""
        if self._ping_url is not None and self.watching:
            ping(self._ping_url)

    @property
    def watching(self) -> bool:
        """True where alerts were evaluated just now."""
        return self.evaluated_ns is not None and self._clock() - self.evaluated_ns <= STALE_S * NS_PER_S

    def deliver(self, name: str, hurry: bool = False) -> int:
        """Send what is due on one channel, oldest first; the number delivered."""
        self._outbox.gather(name, self._clock(), hurry)
        done = 0
        for letter in self._outbox.due(name, self._clock()):
            if self._stop.is_set():
                break
            channel = self._channels[name]
            body = msgspec.json.decode(letter.body)
            outcome = attempt(channel, letter.key, body, letter.made_ns / NS_PER_S, self._deadline_s, self._stop)
            done += self._settle(letter, outcome)
        return done

    def _settle(self, letter: Letter, outcome: Outcome) -> bool:
        now_ns, name, reason = self._clock(), letter.channel, outcome.reason
        if outcome.kind == "sent":
            self._outbox.sent(letter, now_ns)
            if reason:
                _log.error("Channel %s delivered %s, but not to all: %s", name, letter.key, reason)
                self._fails(name, f"not to all: {reason}", now_ns)
            else:
                self._works(name, now_ns)
            return True
        if outcome.kind == "refused" or is_hopeless(letter.tried_ns, now_ns):
            why = reason if outcome.kind == "refused" else f"not delivered within a day: {reason}"
            _log.error("Channel %s: notification %s was given up: %s", name, letter.key, why)
            self._outbox.give_up(letter, why)
            self._fails(name, why, now_ns)
            return False
        pause = pause_ns(letter.attempts + 1, outcome.asked_s)
        _log.warning("Channel %s failed (%s); next try in %.0f s", name, reason, pause / NS_PER_S)
        self._outbox.put_off(letter, now_ns + pause)
        if now_ns - letter.tried_ns > FAILING_S * NS_PER_S:
            self._fails(name, reason, now_ns)
        return False

    def _fails(self, name: str, why: str, now_ns: int) -> None:
        """Open the incident of a channel, unless it is open."""
        if not self._failing(name):
            self._record(name, "opened", _moment(now_ns), f"Channel {name} does not deliver: {why}.", why, now_ns)

    def _works(self, name: str, now_ns: int) -> None:
        for one in self._failing(name):
            self._record(name, "closed", one.since, f"Channel {name} delivers again.", "delivered", now_ns)

    def _failing(self, name: str) -> list[Incident]:
        """The open incidents of a channel."""
        found = self._operations.incidents([SYSTEM], open_only=True)
        return [one for one in found if one.kind == FAILING and one.series == name]

    def _record(self, name: str, what: str, since: str, sentence: str, reason: str, now_ns: int) -> None:
        moment = Transition(
            pilot=SYSTEM, kind=FAILING, series=name, what=what, day=_moment(now_ns)[:10], since=since, at_ns=now_ns,
            sentence=sentence, reason=reason,
        )  # fmt: skip
        self._operations.record(moment, now_ns, synthetic=False)

    def _loop(self, name: str, pause_s: float, work: Callable[[], object]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except Exception:
                _log.exception("%s: an unexpected error; trying again", name)
            self._stop.wait(pause_s)


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
