"""The live boards of all pilots: which must be read and written again at this look at the clock."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pipeline.history import History
from pipeline.model import NS_PER_S, STREAMS, Event, Record, Touch
from pipeline.now import Board
from pipeline.periods import shift
from pipeline.reports import Reports
from pipeline.store.port import Store

EVERY_NS: Final = 10 * NS_PER_S  # a board without new events is written so often, since its ages grow
BUSY: Final = 5000  # events in the last hour above which a look reads only the last minutes


class Boards:
    """One board per pilot, read from the store only when today or yesterday was touched."""

    def __init__(self, store: Store, histories: Mapping[str, History]) -> None:
        self._store = store
        self._boards = {slug: Board(history) for slug, history in histories.items()}
        self._seen: dict[str, tuple[int, int]] = {}
        self._written_ns: dict[str, int] = {}
        self._busy: set[str] = set()
        self._reports = Reports()

    def heard(self, slug: str) -> dict[str, int]:
        """The newest sign of life of each feed of a pilot, in ns."""
        return self._boards[slug].heard

    def remember(self, slug: str) -> None:
        """Days of a pilot changed: take signs of life from them and write its board at the next look."""
        self._boards[slug].remember()
        self._written_ns.pop(slug, None)

    def take_day(self, slug: str, events: Sequence[Event], start_ns: int, end_ns: int, now_ns: int) -> None:
        """All events of a pilot's open day, in place of what was counted of it."""
        self._boards[slug].take(events, start_ns, end_ns, now_ns)
        self._reports.take(events)

    def hear(self, events: Sequence[Event]) -> None:
        """What collectors told on a day, however old: a pipeline that stood still for days must not miss it."""
        self._reports.take(events)

    def refresh(self, touches: Sequence[Touch], today: Mapping[str, str], now_ns: int) -> int:
        """Write the boards whose pilots were touched, or that are 10 s old, and new reports; the number written."""
        newest = _newest(touches, today)
        records = []
        for slug, board in self._boards.items():
            touched = newest.get(slug, (0, 0)) != self._seen.get(slug)
            last_ns = self._written_ns.get(slug)
            if not touched and last_ns is not None and now_ns - last_ns < EVERY_NS:
                continue
            if touched:
                start, end = board.to_read(now_ns, slug in self._busy)
                events = self._store.read(slug, STREAMS, start, end)
                board.take(events, start, end, now_ns)
                self._reports.take(events)
                (self._busy.add if len(events) > BUSY else self._busy.discard)(slug)
            self._seen[slug], self._written_ns[slug] = newest.get(slug, (0, 0)), now_ns
            body = msgspec.json.encode(board.board(now_ns))
            records.append(Record(kind="now", pilot=slug, key="now", time_ns=0, body=body))
        records += self._reports.news()
        if records:
            self._store.put(records)
        return len(records)


def _newest(touches: Sequence[Touch], today: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """The latest touches of yesterday and today, by pilot."""
    yesterday = {slug: shift(day, -1) for slug, day in today.items()}
    found: dict[str, tuple[int, int]] = {}
    for touch in touches:
        before, current = found.get(touch.pilot, (0, 0))
        if touch.day == today[touch.pilot]:
            found[touch.pilot] = (before, touch.seq)
        elif touch.day == yesterday[touch.pilot]:
            found[touch.pilot] = (touch.seq, current)
    return found
