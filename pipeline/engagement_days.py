"""What single events of a day say, sorted by type: every row but those that are summed per person.

Promise: a day is read again when its rows changed. As many rows are kept as a city's two busiest months have.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pipeline.rows import SUMMED, Row

if TYPE_CHECKING:
    from pipeline.history import History

ROOM: Final = 300_000  # rows
ByType = Mapping[str, Sequence[Row]]
_NOTHING: Final[ByType] = {}


class EngagementDays:
    """The days of one history, read when first asked for."""

    def __init__(self, history: "History", room: int = ROOM) -> None:
        self._history, self._room, self._held = history, room, 0
        self._days: OrderedDict[int, tuple[str, ByType, int]] = OrderedDict()

    def of(self, day: int) -> ByType:
        """The rows of a day by type, in order of time."""
        known = self._history.day(day)
        sign = known.rows if known is not None else ""
        if not sign:
            return _NOTHING
        if day in self._days and self._days[day][0] == sign:
            self._days.move_to_end(day)
            return self._days[day][1]
        return self._read(day, sign)

    def _read(self, day: int, sign: str) -> ByType:
        by_type: dict[str, list[Row]] = {}
        rows = [row for row in self._history.rows(day, day) if row.type not in SUMMED]
        for row in rows:
            by_type.setdefault(row.type, []).append(row)
        if day in self._days:
            self._held -= self._days.pop(day)[2]
        self._days[day] = (sign, by_type, len(rows))
        self._held += len(rows)
        while self._held > self._room and len(self._days) > 1:
            self._held -= self._days.popitem(last=False)[1][2]
        return by_type
