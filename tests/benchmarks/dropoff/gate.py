"""Outages as the production gate sees them: heartbeats and stored counts per feed-day, judged by `pipeline.quality`."""

from typing import Final

import numpy as np

from config.catalogue import Feed
from pipeline.feed_days import FeedDay, Track
from pipeline.quality import judge
from tests.benchmarks.dropoff.generator import DAYS, Bools, Floats

FEED: Final = Feed(id="app", topic="pilots/town/engagement/app", stream="engagement", heartbeat_every="15m")
SECOND: Final = 1_000_000_000
DAY_S: Final = 86_400
BEATS: Final = 96  # a day
LOST: Final = 0.005  # of heartbeats, by chance
PER_YEAR: Final = 3


class Outages:
    """Three outages of 2 to 6 days a year, of any hour; half silence the heartbeats, half lose events behind them.

    `down` (series, days): share of each day that is lost. `first`, `last`: (series, 3), days. `quiet_beats`: whether
    heartbeats fail too.
    """

    def __init__(self, rng: np.random.Generator, series: int) -> None:
        self.first = rng.integers(136, 471, (series, PER_YEAR))
        self.last = self.first + rng.integers(2, 7, (series, PER_YEAR)) - 1
        self.quiet_beats = rng.random((series, PER_YEAR)) < 0.5
        begin = self.first + rng.uniform(0, 1, (series, PER_YEAR))
        end = self.last + rng.uniform(0, 1, (series, PER_YEAR))
        days = np.arange(DAYS)
        each = np.clip(np.minimum(end[:, :, None], days + 1) - np.maximum(begin[:, :, None], days), 0, 1)
        self.down = np.minimum(each.sum(axis=1), 1.0)
        self.deaf = np.minimum((each * self.quiet_beats[:, :, None]).sum(axis=1), 1.0)
        self.beats_lost = rng.binomial(BEATS, LOST, (series, DAYS)) / BEATS

    def thinned(self, rng: np.random.Generator, counts: Floats) -> Floats:
        """What is stored of `counts`."""
        return rng.binomial(counts.astype(int), 1 - self.down).astype(float)

    def verdicts(self, sent: Floats, stored: Floats) -> tuple[Bools, Floats]:
        """Which days may be judged, and how complete they are (1 where ok). `sent`, `stored`: (series, days)."""
        may, share = np.zeros(sent.shape, dtype=bool), np.ones(sent.shape)
        covered = np.maximum(0.0, (1 - self.deaf) - self.beats_lost)
        for row, day in np.ndindex(sent.shape):
            told = sent[row, day] if self.deaf[row, day] == 0 else stored[row, day]
            verdict = judge(FEED, _feed_day(covered[row, day], told, stored[row, day]), None, set(), 0, DAY_S * SECOND)
            may[row, day] = verdict.verdict in ("ok", "partial")
            if verdict.verdict == "partial" and verdict.completeness is not None:
                share[row, day] = verdict.completeness
        return may, share


def _feed_day(covered: float, sent: float, stored: float) -> FeedDay | None:
    if covered <= 0:
        return None
    beats = Track(first_ns=0, last_ns=DAY_S * SECOND, n=round(covered * BEATS), gap_s=(1 - covered) * DAY_S)
    return FeedDay(
        feed="app",
        stream="engagement",
        messages=int(stored),
        beats=beats,
        covered_s=covered * DAY_S,
        announced=int(sent),
        stored=int(stored),
    )
