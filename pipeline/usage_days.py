"""Who did how many core actions, where and with what help: the rows of days as arrays of numbers.

Promises: a day is read again when its rows changed; pseudonyms and words become numbers that hold within one
history only, so nothing that leaves here may depend on which number somebody has.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.rows import Row

if TYPE_CHECKING:
    from pipeline.history import History

Ints = npt.NDArray[np.int64]
NO_WORD: Final = ""
HELPED: Final = 1
ALONE: Final = 2
_READ_AT_ONCE: Final = 31  # days; a shelf keeps fewer rows than a long window has
_HELP: Final[dict[Any, int]] = {True: HELPED, False: ALONE}
_TASKS: Final = frozenset({"task.started", "task.completed", "task.failed", "task.abandoned"})


class Col(IntEnum):
    """Columns of a day's array. `WHO` is -1 without a pseudonym; `ASSISTED` is `HELPED`, `ALONE` or 0
    where nothing is said; the others are words."""

    DAY = 0
    WHO = 1
    ACTIONS = 2
    ASSISTED = 3
    CHANNEL = 4
    CADENCE = 5
    SERVICE = 6
    KIND = 7
    AGE = 8
    GENDER = 9
    AREA = 10


class UsageDays:
    """The days of one history, read when first asked for."""

    def __init__(self, history: "History") -> None:
        self._history = history
        self._core: dict[int, tuple[str, Ints]] = {}
        self._single: dict[int, tuple[str, list[Row], list[Row]]] = {}
        self._people: dict[str, int] = {}
        self._words: dict[str, int] = {NO_WORD: 0}
        self._names: list[str] = [NO_WORD]

    def word(self, number: int) -> str:
        """The word behind a number of one of the word columns."""
        return self._names[number]

    def core(self, first: int, last: int) -> Ints:
        """Core actions of a window of days: one line per day, person and place, columns as in `Col`."""
        self._read(first, last)
        found = [self._core[day][1] for day in range(first, last + 1) if day in self._core]
        return np.concatenate(found) if found else np.empty((0, len(Col)), np.int64)

    def tasks(self, first: int, last: int) -> list[tuple[int, Row]]:
        """The `task.*` events of a window of days, each with its day."""
        self._read(first, last)
        return [(day, row) for day in range(first, last + 1) if day in self._single for row in self._single[day][1]]

    def answers(self, first: int, last: int) -> list[Row]:
        """The `survey.response` events of a window of days, in order of day and time."""
        self._read(first, last)
        return [row for day in range(first, last + 1) if day in self._single for row in self._single[day][2]]

    def _read(self, first: int, last: int) -> None:
        stale = []
        for day in range(first, last + 1):
            known = self._history.day(day)
            sign = known.rows if known is not None else ""
            if self._core[day][0] != sign if day in self._core else sign:
                stale.append((day, sign))
        for begin in range(0, len(stale), _READ_AT_ONCE):
            portion = stale[begin : begin + _READ_AT_ONCE]
            self._history.rows(portion[0][0], portion[-1][0])  # one read for all
            for day, sign in portion:
                self._take(day, sign, self._history.rows(day, day))

    def _take(self, day: int, sign: str, rows: list[Row]) -> None:
        core = [self._line(day, row) for row in rows if row.data.get("core") is True]
        self._core[day] = (sign, np.array(core, np.int64).reshape(-1, len(Col)))
        tasks = [row for row in rows if row.type in _TASKS]
        self._single[day] = (sign, tasks, [row for row in rows if row.type == "survey.response"])

    def _line(self, day: int, row: Row) -> list[int]:
        who = -1 if row.actor is None else self._people.setdefault(row.actor, len(self._people))
        said = [self._number(row.data.get(field)) for field in ("channel", "natural_cadence")]
        whose = [self._number(row.data.get(field)) for field in ("age_band", "gender", "area")]
        placed = [self._number(row.service), self._number(row.actor_kind)]
        return [day, who, row.count, _HELP.get(row.data.get("assisted"), 0), *said, *placed, *whose]

    def _number(self, word: Any) -> int:
        if not isinstance(word, str):
            return 0
        if word not in self._words:
            self._words[word] = len(self._names)
            self._names.append(word)
        return self._words[word]
