"""What comes out of the pipeline: indicator values, the live board, activities, decisions, incidents."""

from typing import Any, Final

import msgspec

STATUSES: Final = ("ok", "suppressed", "incomplete", "insufficient_n", "feed_poor", "not_defined")
PERIODS: Final = ("day", "week", "month", "all", "chosen")


class IndicatorValue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One indicator for one pilot, period and segment.

    `start` and `end` are pilot-local ISO dates, both included. `value`, `lower` and `upper` are in the
    indicator's unit; None means "cannot be said", never 0. `n` is the number the value rests on (people or
    events, as the definition says). `interval` names the method of [lower, upper] at 95 %. `completeness`
    (0 to 1) is that of the feeds beneath. `reason` says in one sentence why the status is not "ok".
    `revision` is that of the period which gave the value its present content, 0 where it never changed. `open`: the
    period and the time allowed to late events were not over.
    """

    pilot: str
    indicator: str
    version: int
    period: str
    start: str
    end: str
    dim: str = ""
    segment: str = ""
    value: float | None = None
    n: int | None = None
    lower: float | None = None
    upper: float | None = None
    interval: str = ""
    status: str = "ok"
    completeness: float | None = None
    synthetic: bool = False
    reason: str = ""
    revision: int = 0
    open: bool = False


class PeriodValues(msgspec.Struct, frozen=True, kw_only=True):
    """The complete grid of one pilot and period, written whole so that no stale value survives.

    `revision` counts how often what was published of it changed; `since_ns` is when it last changed at all. `k` is the
    limit under which it was released.
    """

    pilot: str
    period: str
    start: str
    end: str
    run: str
    computed_ns: int
    values: list[IndicatorValue]
    revision: int = 0
    since_ns: int = 0
    k: int = 0


class FeedNow(msgspec.Struct, frozen=True, kw_only=True):
    """The health of one feed as known now. `verdict`: ok, silent, poor or unknown; ages in seconds."""

    feed: str
    stream: str
    verdict: str
    sentence: str
    last_ns: int | None = None
    age_s: float | None = None
    expected_s: float | None = None


class NowBoard(msgspec.Struct, frozen=True, kw_only=True):
    """What *Now* shows of one pilot.

    `minutes` holds, per series ("usage", "engagement", "sensor"), 60 counts of the last 60 minutes, oldest
    first, ending at `as_of_ns`. `today` is the count since local midnight, `usual` the median count by this
    time of day on the same weekday of the last 8 weeks (None when fewer than 3 such days are known).
    """

    pilot: str
    day: str
    as_of_ns: int
    minutes: dict[str, list[int]]
    today: dict[str, int]
    usual: dict[str, float | None]
    feeds: list[FeedNow]
    synthetic: bool = False


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One engagement activity that was held, as marked on a pilot's series."""

    pilot: str
    activity_id: str
    day: str
    stage: str = "unknown"
    method: str = "unknown"
    attendance: int | None = None
    synthetic: bool = False
    details: dict[str, Any] = {}


class DecisionRole(msgspec.Struct, frozen=True, kw_only=True):
    """The part that a group took in a decision; `people` None where nobody was counted or the number is hidden."""

    group: str
    role: str
    people: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that was made, with who took which part in it."""

    pilot: str
    decision_id: str
    day: str
    activity_id: str = ""
    level_delivered: str = "unknown"
    outcome: str = "unknown"
    inputs_considered: int | None = None
    inputs_adopted: int | None = None
    roles: list[DecisionRole] = []
    synthetic: bool = False


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One drop-off or feed loss from its first evidence to its resolution. `kind`: feed_silent or drop_off."""

    id: int
    pilot: str
    kind: str
    series: str
    opened_ns: int
    since: str
    sentence: str
    severity: str = "warning"
    closed_ns: int | None = None
    synthetic: bool = False
