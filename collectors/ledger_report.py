"""The ledger as events: what a collector tells the pages, through the broker like everything else.

One `collector.ledger` event per pilot whose numbers changed, on `periscope/ops/{collector}/{pilot}`; the collector's
own messages are not counted in it, else every report would be news.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from collectors.ledger import Counts, total
from collectors.topics import LEDGER_FEED

_KEPT_DAYS = 3


class LedgerReport:
    """Remembers what was told last."""

    def __init__(self, collector: str, pilots: list[str]) -> None:
        self._collector = collector
        self._pilots = pilots
        self._told: dict[str, object] = {}

    def changed(self, ledgers: Mapping[str, Counts], now_ns: int) -> list[tuple[str, bytes]]:
        """(topic, payload) for each pilot whose numbers are not those told last."""
        messages = []
        totals = total(ledgers.values())
        recent = {day: ledgers[day] for day in sorted(ledgers)[-_KEPT_DAYS:]}
        for pilot in self._pilots:
            told = {
                "total": _feeds(totals, pilot),
                "days": {day: _feeds(counts, pilot) for day, counts in recent.items()},
            }
            if told["total"] and self._told.get(pilot) != told:
                self._told[pilot] = told
                messages.append((f"periscope/ops/{self._collector}/{pilot}", self._event(pilot, told, now_ns)))
        return messages

    def _event(self, pilot: str, told: dict[str, object], now_ns: int) -> bytes:
        moment = datetime.fromtimestamp(now_ns // 10**9, UTC).replace(microsecond=now_ns // 1000 % 10**6)
        return json.dumps(
            {
                "specversion": "1.0",
                "id": str(now_ns),
                "source": f"/pilots/{pilot}/collector-{self._collector}",
                "type": "collector.ledger",
                "time": moment.isoformat().replace("+00:00", "Z"),
                "data": {"collector": self._collector, "synthetic": False, **told},
            }
        ).encode()


def _feeds(counts: Counts, pilot: str) -> dict[str, dict[str, int]]:
    feeds: dict[str, dict[str, int]] = {}
    for (owner, feed, fate), n in sorted(counts.items()):
        if owner == pilot and feed != LEDGER_FEED and n:
            feeds.setdefault(feed, {})[fate] = n
    return feeds
