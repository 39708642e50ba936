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


def _share(lines: Ints, chosen: npt.NDArray[np.bool_], dim: str = "", segment: str = "") -> Measure:
    """The share of core actions that are chosen; actions of one person are not independent."""
    actions, who = lines[:, Col.ACTIONS], lines[:, Col.WHO]
    total, hits = int(actions.sum()), int(actions[chosen].sum())
    known = who >= 0
    people, place = np.unique(who[known], return_inverse=True)
    interval: Interval
    if known.all():
        trials = np.bincount(place, weights=actions)
        interval = clustered_wilson(np.bincount(place, weights=actions * chosen).tolist(), trials.tolist())
        method = "clustered wilson"
    else:
        interval, method = wilson(hits, total), "wilson, unclustered"
    scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
    inside = len(np.unique(who[chosen & known]))
    return estimated(100 * hits / total, total, scaled, method, (len(people), inside), dim, segment)


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
    lines = window.history.usage.core(window.first, window.last)
    if not lines[:, Col.ACTIONS].sum():
        return [not_defined(NO_ACTION)]
    channels = lines[:, Col.CHANNEL]
    named = {window.history.usage.word(int(one)): int(one) for one in np.unique(channels)}
    named.pop(NO_WORD, None)
    if not named:
        return [not_defined("no core action of this period names its channel")]
    found = [_share(lines, channels > 0)]
    if len(named) > MOST_CHANNELS:
        return [*found, not_defined(f"has more than {MOST_CHANNELS} parts", "channel", "too many")]
    return found + [_share(lines, channels == named[word], "channel", word) for word in sorted(named)]


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
    lines = window.history.usage.core(window.first, window.last)
    if not lines[:, Col.ACTIONS].sum():
        return [not_defined(NO_ACTION)]
    if not lines[:, Col.ASSISTED].any():
        return [not_defined("no core action of this period says whether somebody helped")]
    return [_share(lines, lines[:, Col.ASSISTED] == HELPED)]
