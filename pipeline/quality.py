"""What a feed delivered of what it should have: one verdict per feed and local day.

Sensor feeds with `expect_every` are judged by samples per device, event feeds with `heartbeat_every` by the
share of the day that heartbeats speak for and by what they announced against what is stored. A feed with
neither is `unknown` and gates nothing. No data is not "no people": a silent feed's day is never read as 0.
"""

from typing import Final

import msgspec

from config.catalogue import Feed
from pipeline.feed_days import FeedDay
from pipeline.model import NS_PER_S

OK: Final = 0.9
PARTIAL: Final = 0.5


class FeedVerdict(msgspec.Struct, frozen=True):
    """`verdict`: ok (at least 0.9), partial (at least 0.5), poor, silent (nothing) or unknown (no measure).

    `completeness` is 0 to 1, None where unknown.
    """

    verdict: str
    completeness: float | None


UNKNOWN: Final = FeedVerdict("unknown", None)


def judge(
    feed: Feed, day: FeedDay | None, following: FeedDay | None, devices: set[str], start_ns: int, end_ns: int
) -> FeedVerdict:
    """The verdict on a feed's local day [start_ns, end_ns); of an open day, give its elapsed part.

    `following` is the feed's next day, whose first heartbeat may speak for the end of this one. `devices`
    are those that the feed is known to have.
    """
    length_s = (end_ns - start_ns) / NS_PER_S
    if length_s <= 0:
        return UNKNOWN
    if feed.stream == "sensor" and feed.expect_every is not None:
        expected = length_s / feed.expect_every.total_seconds()
        return _verdict(_sampled(day, devices, expected))
    if feed.heartbeat_every is not None:
        return _verdict(_announced(day, following, start_ns, end_ns))
    return UNKNOWN


def _verdict(completeness: float) -> FeedVerdict:
    if completeness >= OK:
        return FeedVerdict("ok", completeness)
    if completeness >= PARTIAL:
        return FeedVerdict("partial", completeness)
    return FeedVerdict("poor" if completeness > 0 else "silent", completeness)


def _sampled(day: FeedDay | None, devices: set[str], expected: float) -> float:
    """Mean over devices of samples received of samples expected, each at most 1."""
    if day is None or not devices:
        return 0.0
    received = {found.device: found.track.n for found in day.devices}
    return sum(min(1.0, received.get(device, 0) / expected) for device in devices) / len(devices)


def _announced(day: FeedDay | None, following: FeedDay | None, start_ns: int, end_ns: int) -> float:
    """The lesser of the share of time that heartbeats speak for and the share of announced events stored."""
    share = covered_share(day, following, start_ns, end_ns)
    if day is None or day.announced == 0:
        return share
    return min(share, day.stored / day.announced)


def covered_share(day: FeedDay | None, following: FeedDay | None, start_ns: int, end_ns: int) -> float:
    """The share of [start_ns, end_ns) of a day that heartbeats speak for, the next day's first one included."""
    covered_s = day.covered_s if day is not None else 0.0
    if following is not None and following.beats is not None and following.beats.first_ns < end_ns:
        reach = max(start_ns, following.beats.first_ns)
        if day is not None and day.beats is not None:
            reach = max(reach, day.beats.last_ns)
        covered_s += max(0, end_ns - reach) / NS_PER_S
    return min(1.0, covered_s / ((end_ns - start_ns) / NS_PER_S))
