"""Why an alert fired, in numbers and in one paragraph: what fell, against what, since when, and who stayed away.

Everything comes from the course of the detector and the days beneath it, so the same past explains itself the same way.
Groups are named only where at least k people stand behind what was expected of them. Source: alerts.md 7.
"""

from collections import Counter
from typing import Final

import msgspec
import numpy as np

from pipeline.alerts.detector import Course, band_of_window, days_to_see
from pipeline.alerts.parts import Part, parts_of
from pipeline.alerts.series import KIND, TYPE, WHOLE
from pipeline.alerts.streams import ACTIVITY, CLOSURE, HELD, HOLIDAY, TOTAL, Streams
from pipeline.history import History
from pipeline.periods import iso
from pipeline.segments import DIMENSIONS, USE

PRECEDING: Final = 28
SHARED_FALL: Final = 0.5  # of what is expected, by which every stream falls on a day that the calendar misses
MEASURED: Final = ("ok", "partial", "poor", "silent", "unknown")
LEFT_OUT: Final = {
    HOLIDAY: ("public holiday", "public holidays"),
    CLOSURE: ("day of closure", "days of closure"),
    ACTIVITY: ("day of an activity or soon after", "days of an activity or soon after"),
    HELD: ("day with a feed that could not be trusted", "days with a feed that could not be trusted"),
}
# About how often a threshold errs, per year: docs/benchmarks-alerts.md.
ERRS: Final = "At these thresholds about one false alarm per pilot and year."


class FeedDays(msgspec.Struct, frozen=True):
    """How far a feed could be trusted since the change day: days by verdict, and the mean completeness of the judged
    days, None where the feed states no rhythm."""

    feed: str
    days: dict[str, int]
    completeness: float | None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One incident as of one day. `since` is the day on which the evidence began, `low` and `high` the 90 % band of the
    sum over the `judged` days since then, `evidence` and `threshold` in nats. `left_out` counts days by reason, `parts`
    are ranked by their part of the deficit, `activities` are the last of the four weeks before, with their days.
    `feeds` are those that brought the stream, the largest first.
    `together` are the first and last of the days with which a total's evidence began and on which every stream of it
    was at half of what is expected or less: perhaps days that the calendar misses.
    `sees_half` is about how many days a fall by half needs to be seen here, None where too few events come."""

    series: str
    since: str
    day: str
    observed: int
    expected: float
    low: float
    high: float
    judged: int
    evidence: float
    threshold: float
    completeness: float
    provisional: bool
    left_out: dict[str, int]
    parts: list[Part]
    activities: list[tuple[str, str]]
    sees_half: float | None
    rule: int
    feeds: list[FeedDays] = []
    together: tuple[str, str] | None = None

    @property
    def fall(self) -> float:
        """The share that is missing."""
        return 1 - self.observed / self.expected if self.expected else 0.0

    @property
    def severity(self) -> str:
        """By what is left of the expectation; a pilot's total is always critical."""
        return _severity(self.series, 1 - self.fall)


def explain(history: History, streams: Streams, course: Course, row: int, index: int, k: int) -> Explanation:
    """Why stream `row` stood as it did at the end of day `index`; needs a run of evidence on that day."""
    begin = int(course.change_day[row, index])
    days = [day for day in range(begin, index + 1) if not streams.why(row, day)]
    share = streams.completeness[row, days]
    expected = course.expected[row, days] * share
    phi = 1 + (course.phi[row, days] - 1) * share
    low, high = band_of_window(expected, course.se[row, days], phi)
    observed = int(streams.counts[row, days].sum())
    mean, last = float(course.expected[row, days].mean()), days[-1]
    return Explanation(
        series=streams.names[row],
        since=streams.day(begin),
        day=streams.day(index),
        observed=observed,
        expected=float(expected.sum()),
        low=low,
        high=high,
        judged=len(days),
        evidence=float(course.evidence[row, index]),
        threshold=streams.rules[row].h,
        completeness=float(share.mean()),
        provisional=bool(course.provisional[row, index]),
        left_out=dict(Counter(streams.why(row, day) for day in range(begin, index + 1) if streams.why(row, day))),
        parts=parts_of(history, streams, row, days, float(expected.sum()), observed, k),
        activities=_preceding(history, streams.first + begin),
        sees_half=days_to_see(mean, float(course.phi[row, last]), h=streams.rules[row].h, k=streams.rules[row].k),
        rule=streams.rules[row].version,
        feeds=_feeds(streams, row, range(begin, index + 1), days),
        together=_together(streams, course, row, days),
    )


def _together(streams: Streams, course: Course, row: int, days: list[int]) -> tuple[str, str] | None:
    """The first of these judged days on which all streams of a total fell by half; None of a single stream's fall.

    Only streams that are frequent enough on their own to say so.
    """
    if streams.dims[row] != WHOLE:
        return None
    found = []
    for day in days:
        due = course.expected[:, day] * streams.completeness[:, day]
        rows = [
            at
            for at, dim in enumerate(streams.dims)
            if dim in (KIND, TYPE) and streams.notifies[at] and streams.watched[at, day] and not streams.why(at, day)
        ]
        if len(rows) < 2 or not (streams.counts[rows, day] <= SHARED_FALL * due[rows]).all():
            break
        found.append(day)
    return (streams.day(found[0]), streams.day(found[-1])) if found else None


def _feeds(streams: Streams, row: int, span: range, judged: list[int]) -> list[FeedDays]:
    """The feeds that brought the stream by then, and what was known of each since the change day."""
    brought = streams.brought[:, row, : span.stop].sum(axis=1)
    found = []
    for at in np.argsort(-brought, kind="stable"):
        one = streams.feeds[at]
        measured = any(one.verdicts[day] in MEASURED for day in span)
        if brought[at] > 0:
            share = float(one.completeness[judged].mean()) if measured else None
            found.append(FeedDays(one.feed, dict(Counter(one.verdicts[day] for day in span)), share))
    return found


def severity_on(streams: Streams, course: Course, row: int, index: int) -> str:
    """How grave the fall of stream `row` was at the end of day `index`, as `explain` would say."""
    begin = int(course.change_day[row, index])
    days = [day for day in range(begin, index + 1) if not streams.why(row, day)]
    expected = float((course.expected[row, days] * streams.completeness[row, days]).sum())
    return _severity(streams.names[row], float(streams.counts[row, days].sum()) / expected if expected else 1.0)


def _severity(series: str, left: float) -> str:
    return "critical" if left < 0.3 or series == TOTAL else "warning" if left < 0.6 else "notice"


def _preceding(history: History, change: int) -> list[tuple[str, str]]:
    days = history.days_with(["engagement/activity.held"], change - PRECEDING, change)
    return [
        (iso(day), held.method) for day in days if (partial := history.day(day)) is not None for held in partial.held
    ][-3:]


def sentence(one: Explanation) -> str:
    """The paragraph of a notification and of the page."""
    parts = [
        f"{name_of(one.series)}: {one.observed} in the last {one.judged} judged days, expected {one.expected:.0f} "
        f"(90 % band {one.low:.0f} to {one.high:.0f}), down {one.fall:.0%}, since about {one.since}.",
        f"Evidence {one.evidence:.1f}, alert at {one.threshold:.1f}.",
    ]
    parts += [_of_feed(feed) for feed in one.feeds]
    if one.left_out:
        left = (f"{number} {LEFT_OUT[why][number > 1]}" for why, number in sorted(one.left_out.items()))
        parts.append(f"Left out: {', '.join(left)}.")
    for dim in DIMENSIONS:
        top = [part for part in one.parts if part.dim == dim][:1]
        if top and top[0].share > 0.2:
            part, missing = top[0], one.expected - one.observed
            parts.append(f"By {dim}: {part.name.replace('_', ' ')} "
                         f"{part.observed - part.expected:.0f} of {-missing:.0f} ({part.share:.0%}).")  # fmt: skip
    if one.activities:
        day, method = one.activities[-1]
        parts.append(f"The last activity before was {method.replace('_', ' ')} on {day}.")
    if one.together is not None:
        first, last = one.together
        when = f"on {first}" if first == last else f"on {first} and stayed low to {last}"
        parts.append(f"All streams fell {when}: if that was a holiday or a closure, enter it in the calendar.")
    if one.provisional:
        parts.append("Provisional: less than six weeks were learned from.")
    parts.append(ERRS)
    return " ".join(parts)


def _of_feed(one: FeedDays) -> str:
    """A feed's verdicts in a sentence."""
    total = sum(one.days.values())
    said = ", ".join(f"{verdict} on {days}" for verdict, days in sorted(one.days.items(), key=lambda pair: -pair[1]))
    share = "" if one.completeness is None else f", completeness {one.completeness:.0%} on judged days"
    return f"Feed {one.feed}: {said} of {total} days{share}."


def name_of(series: str) -> str:
    """A series as a sentence begins with it.

    >>> name_of("group/business"), name_of("usage/session.started"), name_of("idea")
    ('Contributions by group business', 'Events session.started', 'Contributions of kind idea')
    """
    dim, _, word = series.partition("/")
    if dim == USE:
        return f"Events {word}" if word else "Core actions"
    if word and dim in DIMENSIONS:
        return f"Contributions by {dim} {word.replace('_', ' ')}"
    return "Contributions" if series == TOTAL else f"Contributions of kind {series.replace('_', ' ')}"
