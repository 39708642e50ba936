"""Uptake: by which way people come to the service, and how many are helped."""

import numpy as np
import numpy.typing as npt

from pipeline.indicators.intervals import clustered_wilson, wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import indicator
from pipeline.indicators.resampling import Interval
from pipeline.indicators.usage import NO_USAGE, estimated
from pipeline.indicators.window import Window
from pipeline.usage_days import HELPED, NO_WORD, Col, Ints

MOST_CHANNELS = 12
NO_ACTION = "nobody used the service in this period"


class _Actions:
    """The core actions of a period, by person where pseudonyms tell people apart."""

    def __init__(self, lines: Ints) -> None:
        self.actions, who = lines[:, Col.ACTIONS], lines[:, Col.WHO]
        self.total = int(self.actions.sum())
        self._known = who >= 0
        _, self._place = np.unique(who[self._known], return_inverse=True)
        self._trials = np.bincount(self._place, weights=self.actions[self._known])

    def share(self, chosen: npt.NDArray[np.bool_], dim: str = "", segment: str = "") -> Measure:
        """The share of core actions that are chosen; those of one person are not independent."""
        hits = int(self.actions[chosen].sum())
        mine = (self.actions * chosen)[self._known]
        each = np.bincount(self._place, weights=mine, minlength=len(self._trials))
        interval: Interval
        if self._known.all():
            interval, method = clustered_wilson(each, self._trials), "clustered wilson"
        else:
            interval, method = wilson(hits, self.total), "wilson, unclustered"
        scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
        people = (len(self._trials), int((each > 0).sum()))
        return estimated(100 * hits / self.total, self.total, scaled, method, people, dim, segment)


@indicator(
    id="channel-mix",
    version=1,
    family="uptake",
    title="Channel mix",
    unit="%",
    direction="none",
    formula="100 · core actions by a channel / core actions; the total is the share that names its channel",
    window="the period",
    min_n=20,
    interval_method="clustered wilson",
    comparable="no",
    needs=("action.performed",),
    streams=("usage",),
    dims=("channel",),
    caveat="A description, and no better for being more. n is the number of core actions; where some carry no "
    "pseudonym the interval cannot allow for several of one person, and says so.",
    source="U11 channel mix",
)
def channel_mix(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    lines = window.core
    if not lines[:, Col.ACTIONS].sum():
        return [not_defined(NO_ACTION)]
    channels = lines[:, Col.CHANNEL]
    named = {window.history.usage.word(int(one)): int(one) for one in np.unique(channels)}
    named.pop(NO_WORD, None)
    if not named:
        return [not_defined("no core action of this period names its channel")]
    actions = _Actions(lines)
    found = [actions.share(channels > 0)]
    if len(named) > MOST_CHANNELS:
        return [*found, not_defined(f"has more than {MOST_CHANNELS} parts", "channel", "too many")]
    return found + [actions.share(channels == named[word], "channel", word) for word in sorted(named)]


@indicator(
    id="assisted-share",
    version=1,
    family="uptake",
    title="Assisted share",
    unit="%",
    direction="none",
    formula="100 · core actions in which somebody helped (assisted) / core actions",
    window="the period",
    min_n=20,
    interval_method="clustered wilson",
    comparable="no",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Where a service means to help in person, as a mobile counter does, a high share is the goal. n is the "
    "number of core actions.",
    source="U11 assisted share",
)
def assisted_share(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    lines = window.core
    if not lines[:, Col.ACTIONS].sum():
        return [not_defined(NO_ACTION)]
    if not lines[:, Col.ASSISTED].any():
        return [not_defined("no core action of this period says whether somebody helped")]
    return [_Actions(lines).share(lines[:, Col.ASSISTED] == HELPED)]
