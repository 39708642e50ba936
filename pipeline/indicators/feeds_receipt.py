"""Quality of receipt: how late messages came (Q2), were they valid (Q3) and new (Q4), how long a feed was up (Q5)."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from pipeline.delays import AHEAD, BACKFILLED, quantile
from pipeline.fates import fates_between
from pipeline.indicators.feeds import NEVER, feeds_with_days
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import Compute, indicator
from pipeline.indicators.window import Window
from pipeline.periods import day_bounds, iso
from pipeline.quality import covered_share

NO_DELAY: Final = "no event of this feed had both a time of its own, to the second, and a time of receipt"
NO_REPORT: Final = "no collector told of messages of this feed in the period"
NO_BEATS: Final = "this feed states no heartbeats, so that silence cannot be told from quiet"
TOLD_LATER: Final = 3  # days: a report tells of its last three
MAY_NEED: Final = 20


def quality(id: str, **words: Any) -> Callable[[Compute], Compute]:
    """Register an indicator of feeds, version 1: counted over all messages, so without interval and gate."""
    common: dict[str, Any] = {
        "version": 1, "family": "quality", "interval_method": "none", "comparable": "within", "streams": (),
        "dims": ("feed",), "min_n": MAY_NEED,
    }  # fmt: skip
    return indicator(id=id, **{**common, **words})


def _delays(window: Window, figure: Callable[[Counter[int]], tuple[float | None, int]]) -> list[Measure]:
    found = []
    for feed, first, last in feeds_with_days(window):
        counts: Counter[int] = Counter()
        for day in range(first, last + 1):
            told = window.history.feed_day(feed.id, day)
            counts.update(told.delays if told is not None else {})
        value, n = figure(counts) if counts else (None, 0)
        reason = NEVER if last < first else NO_DELAY
        found.append(
            Measure(value=value, n=n, dim="feed", segment=feed.id, gate=False)
            if value is not None
            else not_defined(reason, "feed", feed.id)
        )
    return found


def _judged(counts: Counter[int]) -> int:
    return counts.total() - counts[BACKFILLED]


_LATE: Final = "time from an event to its receipt, over events whose own time is precise to a second and that were "
_WEEK: Final = "received within 7 days"
_DELAY_CAVEAT: Final = "To 6 %. A clock ahead makes delays look short: see the share dated ahead."


@quality(
    id="delay-median", title="Delay, median", unit="s", direction="down", formula=f"median {_LATE}{_WEEK}",
    window="the period, by event time", needs=("any event",), caveat=_DELAY_CAVEAT, source="Q2 timeliness, p50",
)  # fmt: skip
def delay_median(window: Window) -> list[Measure]:
    return _delays(window, lambda counts: (quantile(counts, 0.5), _judged(counts)))


@quality(
    id="delay-p95", title="Delay, 95th percentile", unit="s", direction="down",
    formula=f"95th percentile of the {_LATE}{_WEEK}", window="the period, by event time", needs=("any event",),
    caveat=_DELAY_CAVEAT, source="Q2 timeliness, p95",
)  # fmt: skip
def delay_p95(window: Window) -> list[Measure]:
    return _delays(window, lambda counts: (quantile(counts, 0.95), _judged(counts)))


@quality(
    id="dated-ahead", title="Events dated ahead of receipt", unit="%", direction="down",
    formula=f"100 · events received before their own time / all events whose own time is precise to a second, {_WEEK}",
    window="the period, by event time", needs=("any event",),
    caveat="A clock that is behind cannot be told from a slow way.", source="Q2 timeliness, share negative",
)  # fmt: skip
def dated_ahead(window: Window) -> list[Measure]:
    return _delays(window, lambda counts: (_percent(counts[AHEAD], _judged(counts)), _judged(counts)))


@quality(
    id="back-filled", title="Events that came more than a week late", unit="%", direction="none",
    formula="100 · events received more than 7 days after their own time / all events whose own time is precise to a "
    "second",
    window="the period, by event time", needs=("any event",),
    caveat="Imports of past data are meant to be late.", source="Q2 timeliness; the limit is that of the alerts",
)  # fmt: skip
def back_filled(window: Window) -> list[Measure]:
    return _delays(window, lambda counts: (_percent(counts[BACKFILLED], counts.total()), counts.total()))


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _told(window: Window, kind: str) -> list[Measure]:
    """100 · (received − those of a kind) / received, by feed, over UTC days of receipt."""
    days = window.history.days(window.first, window.last + TOLD_LATER)
    fates = fates_between((told for day in days for told in day.told), window.period.start, window.period.end)
    found = []
    for feed in window.pilot.feeds:
        counts = fates.get(feed.id, Counter())
        n = counts["received"]
        found.append(
            Measure(value=100 * (n - counts[kind]) / n, n=n, dim="feed", segment=feed.id, gate=False)
            if n
            else not_defined(NO_REPORT, "feed", feed.id)
        )
    return found


@quality(
    id="validity", title="Valid messages", unit="%", direction="up",
    formula="100 · (messages received - messages set aside as dead letters) / messages received, as collectors told of "
    "the UTC days of receipt that have the period's dates",
    window="the period and 3 days after, in which collectors tell of it", needs=("collector.ledger",),
    look_ahead=0, caveat="What is set aside is kept and may be put right later; it then counts as valid.",
    source="Q3 validity; docs/ledger.md",
)  # fmt: skip
def validity(window: Window) -> list[Measure]:
    return _told(window, "dead_lettered")


@quality(
    id="uniqueness", title="Messages that were new", unit="%", direction="up",
    formula="100 · (messages received - duplicates) / messages received, as collectors told of the UTC days of receipt "
    "that have the period's dates",
    window="the period and 3 days after, in which collectors tell of it", needs=("collector.ledger",),
    look_ahead=0, caveat="Redelivery at QoS 1 is normal, and duplicates change no figure.",
    source="Q4 uniqueness; docs/ledger.md",
)  # fmt: skip
def uniqueness(window: Window) -> list[Measure]:
    return _told(window, "duplicate")


@quality(
    id="time-available", title="Time available", unit="%", direction="up",
    formula="100 · share of the elapsed time of the period that a feed's heartbeats speak for, mean over its days",
    window="the period from the feed's first day", min_n=0, needs=("feed.heartbeat",),
    caveat="Planned maintenance counts as not available.", source="Q5 continuity, share of time available",
)  # fmt: skip
def time_available(window: Window) -> list[Measure]:
    found = []
    for feed, first, last in feeds_with_days(window):
        shares = []
        for day in range(first, last + 1):
            start, end = day_bounds(iso(day), window.pilot.zone)
            if start < (end := min(end, window.as_of_ns)):
                days = window.history.feed_day(feed.id, day), window.history.feed_day(feed.id, day + 1)
                shares.append(covered_share(*days, start, end))
        if not shares:
            found.append(not_defined(NEVER, "feed", feed.id))
        elif feed.heartbeat_every is None:
            found.append(not_defined(NO_BEATS, "feed", feed.id))
        else:
            value = 100 * sum(shares) / len(shares)
            found.append(Measure(value=value, n=len(shares), dim="feed", segment=feed.id, gate=False))
    return found
