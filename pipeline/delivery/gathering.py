"""Which waiting notifications become which letters of a channel: pure.

What one pilot's evaluation found comes in one letter. Where more letters wait than an hour may still have, they become
one, and where it may have none they go on waiting, but for the first of a kind: what nothing like it was told of
within the hour is never held. Nothing is dropped, so the words of a later letter count all of it.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

HOUR_NS: Final = 3600 * 10**9


class Waiting(msgspec.Struct, frozen=True):
    """A notification that a channel has not been told of yet, ready from `ready_ns` on."""

    id: int
    pilot: str
    kind: str
    severity: str
    ready_ns: int

    @property
    def sort(self) -> tuple[str, str, str]:
        """What two notifications share that are of a kind."""
        return self.pilot, self.kind, self.severity


def gather(
    waiting: Sequence[Waiting], now_ns: int, left: int, told: Collection[tuple[str, str, str]]
) -> list[list[int]]:
    """The letters to write now, each as ids of its notifications, oldest first.

    `left` is how many letters the running hour may still have, `told` the sorts of what was told within it.

    >>> rows = [Waiting(1, "a", "drop_off", "warning", 0), Waiting(2, "b", "drop_off", "warning", 0)]
    >>> gather(rows, 1, left=5, told=())
    [[1], [2]]
    >>> gather(rows, 1, left=1, told=[one.sort for one in rows])
    [[1, 2]]
    >>> gather(rows, 1, left=0, told=[rows[0].sort])
    [[2]]
    """
    ripe = {one.pilot for one in waiting if one.ready_ns <= now_ns}
    groups: dict[str, list[Waiting]] = {}
    for one in waiting:
        if one.pilot in ripe:  # the first of a pilot takes along what has come since
            groups.setdefault(one.pilot, []).append(one)
    if len(groups) <= left:
        return [[one.id for one in group] for group in groups.values()]
    every = [one for group in groups.values() for one in group]
    if left > 0:
        return [sorted(one.id for one in every)]
    firsts: dict[tuple[str, str, str], int] = {}
    for one in every:
        if one.sort not in told:
            firsts.setdefault(one.sort, one.id)
    return [[one] for one in firsts.values()]
