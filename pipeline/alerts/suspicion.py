"""A feed that states no rhythm and has been without a sign of life for too long to be chance: a feed's incident."""

from typing import Any, Final

from config.catalogue import Feed
from pipeline.alerts.gate import NOT_CHANCE, Run
from pipeline.alerts.streams import ENGAGEMENT, Streams
from pipeline.alerts.transition import BACKFILL_NS, Transition
from pipeline.history import History
from pipeline.segments import USE

KIND: Final = "feed_silent"
ACTS: Final = {ENGAGEMENT: "contributions", USE: "core actions"}


def replay(history: History, streams: Streams, now_ns: int) -> list[Transition]:
    """Every such incident, each known by its first day without a sign; a feed with a rhythm is `silence`'s affair."""
    feeds = {feed.id: feed for feed in history.pilot.feeds}
    return [
        transition
        for course in streams.feeds
        for run in course.runs
        if feeds[course.feed].expect_every is None
        for transition in _of_run(history, streams, feeds[course.feed], run, now_ns)
    ]


def _of_run(history: History, streams: Streams, feed: Feed, run: Run, now_ns: int) -> list[Transition]:
    since = streams.day(run.begin)

    def moment(index: int, **more: Any) -> Transition:
        at_ns = streams.over_ns[index]
        return Transition(pilot=history.pilot.slug, kind=KIND, series=feed.id, day=streams.day(index), since=since,
                          at_ns=at_ns, backfill=now_ns - at_ns > BACKFILL_NS, **more)  # fmt: skip

    opened = moment(
        run.found,
        what="opened",
        sentence=f"Nothing has come from feed {feed.id} since {since}, where {run.expected:.0f} "
        f"{ACTS[streams.domain]} were expected. It states no rhythm, so a broken feed and people who stay away look "
        "alike; its days are not judged. Look at the feed, and give it heartbeats.",
        reason="too many days without a sign to be chance",
        inputs={"expected": run.expected, "threshold": NOT_CHANCE},
    )
    if run.end is None:
        return [opened] if not opened.backfill else []  # a recording of long ago is finished
    return [opened, moment(run.end, what="closed", sentence=f"Feed {feed.id} is heard again.", reason="heard again")]
