"""Findings over time: what is told of people grows from one end of a month to another, never by one activity.

Two looks a day apart, before and after an activity, would subtract to what that activity alone says. Sums over
activities are therefore told as of ends of months, and each only where what it grew by may be told too.
"""

from collections.abc import Iterator, Sequence

from pipeline.fit.activities import Gathered, HeldActivity
from pipeline.periods import iso, ordinal, period_of


def months(seen: Gathered) -> Iterator[tuple[int, list[HeldActivity]]]:
    """The ends of months that are over and in which activities were held, each with the activities up to then."""
    ends = [(month_end(one.day), place) for place, one in enumerate(seen.activities, 1)]
    upto = dict(ends)  # in order of day, so the last place of a month stays
    for end, place in upto.items():
        if end <= seen.last:
            yield end, seen.activities[:place]


def month_end(day: int) -> int:
    return ordinal(period_of("month", iso(day)).end)


def as_of(day: int, k: int) -> str:
    """The sentence beside a figure that is told as of an earlier day."""
    return f"as of {iso(day)}: what came since would tell of fewer than {k} people, or its month is not over"


def listed(activities: Sequence[HeldActivity], k: int) -> list[HeldActivity]:
    """Those whose attendance the list of activities tells; smaller ones would be what a sum leaves beside the list."""
    return [one for one in activities if k < 2 or (one.attendance or 0) >= k]


def without(activities: int, k: int) -> str:
    """The sentence beside a figure that leaves out activities which the list tells no number of."""
    return f"without {activities} activit{'y' if activities == 1 else 'ies'} of fewer than {k} attendances"
