"""What the collector's ledger says of an import: how much of its feed was written, set aside, dropped or waits.

Promises: it reads beside a running collector and changes nothing; numbers are those of the pilot and feed since the
import began, other messages of that feed included.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Signal
from typing import Any

from collectors.clock_rules import utc_day
from collectors.ledger import DEAD, Counts
from collectors.spool import Spool
from config.settings import Spool as SpoolSettings

_REASONS = """SELECT d.stage, d.code, count(*) FROM dead_letter d JOIN message m USING (seq)
              WHERE m.state = ? AND m.pilot = ? AND m.feed = ? AND m.received_ns >= ? GROUP BY 1, 2"""
_POLL_S = 0.2


@dataclass(frozen=True)
class Fates:
    """Messages by fate; `dead` are dead letters by reason, `place` is the spool they were read from."""

    pilot: str
    feed: str
    place: Path
    counts: Mapping[str, int]
    dead: Mapping[str, int] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        return self.counts.get("pending", 0)

    def lines(self) -> list[str]:
        def number(fate: str) -> str:
            return f"{self.counts.get(fate, 0):,}"

        dropped = sum(n for fate, n in self.counts.items() if fate.startswith("dropped:"))
        lines = [
            f"Of {self.pilot}/{self.feed} since then: {number('written')} written, {number('duplicate')} duplicates, "
            f"{number('dead_lettered')} dead-lettered, {dropped:,} dropped by a rule, {number('pending')} pending."
        ]
        lines += [
            f"  dropped, {fate.removeprefix('dropped:')}: {n:,}"
            for fate, n in sorted(self.counts.items()) if fate.startswith("dropped:") and n
        ]  # fmt: skip
        lines += [f"  dead-lettered, {reason}: {n:,}" for reason, n in sorted(self.dead.items())]
        if self.dead:
            lines.append("  `periscope dead-letters list` says why, one by one.")
        if self.pending:
            lines.append(f"  What is pending is safe in {self.place}; `periscope collect` delivers it.")
        return lines

    def facts(self) -> dict[str, Any]:
        named = {
            fate: self.counts.get(fate, 0) for fate in ("received", "written", "duplicate", "dead_lettered", "pending")
        }
        dropped = {fate.removeprefix("dropped:"): n for fate, n in self.counts.items() if fate.startswith("dropped:")}
        return {**named, "dropped": dropped, "dead_letters": dict(self.dead), "spool": str(self.place)}


class FeedLedger:
    """The ledger of one feed in a spool on this machine, which may not be there yet."""

    def __init__(self, folder: Path, settings: SpoolSettings, pilot: str, feed: str) -> None:
        self._folder, self._settings, self._pilot, self._feed = folder, settings, pilot, feed

    def read(self) -> dict[str, int]:
        """Messages of the feed by fate, over all days."""
        if not self._folder.is_dir():
            return {}
        with closing(Spool(self._folder, self._settings, lease=False)) as spool:
            return self._of(spool)

    def since(self, before: Mapping[str, int], began_ns: int) -> Fates | None:
        """What changed since `before`; None where no collector keeps a spool on this machine."""
        if not self._folder.is_dir():
            return None
        with closing(Spool(self._folder, self._settings, lease=False)) as spool:
            now = self._of(spool)
            dead: Counter[str] = Counter()
            for day in spool.days():
                if day >= utc_day(began_ns):
                    with spool.day(day).reading() as connection:
                        for stage, code, n in connection.execute(_REASONS, (DEAD, self._pilot, self._feed, began_ns)):
                            dead[f"{stage}/{code}"] += n
        counts = {fate: n - before.get(fate, 0) for fate, n in now.items() if fate != "pending"}
        counts["pending"] = now.get("pending", 0)
        return Fates(self._pilot, self._feed, self._folder, counts, dead)

    def wait(
        self, before: Mapping[str, int], sent: int, seconds: float, stop: Signal, show: Callable[[str], None]
    ) -> bool:
        """Until `sent` messages came in and none is pending; False when the time was over before."""
        deadline = time.monotonic() + seconds
        while True:
            now = self.read()
            came = now.get("received", 0) - before.get("received", 0)
            if came >= sent and not now.get("pending", 0):
                return True
            if time.monotonic() > deadline or stop.wait(_POLL_S):
                return False
            show(f"{self._pilot}/{self._feed}: {came:,} received, {now.get('pending', 0):,} to deliver")

    def _of(self, spool: Spool) -> dict[str, int]:
        found: Counter[str] = Counter()
        counts: Counts
        for counts in spool.ledger().values():
            for (pilot, feed, fate), n in counts.items():
                if (pilot, feed) == (self._pilot, self._feed) and not fate.startswith("points_"):
                    found[fate] += n
        return dict(found)
