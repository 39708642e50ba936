"""Checks of the feeds from the messages that came lately: who is silent, whose clock is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime
from statistics import median

from collectors.doctor.finding import Finding
from collectors.doctor.spool_look import SpoolLook
from config.catalogue import Catalogue, Feed, Pilot

AHEAD_S, BEHIND_S = 60, 3600
MOST_AHEAD_S = 660  # what is further ahead is set aside as clock_skew
_TIMES = 3
_JUDGED = 500


def silent(catalogue: Catalogue, look: SpoolLook, now_ns: int) -> Iterator[Finding]:
    """Feeds that have said nothing for three times their interval."""
    expected = [
        (pilot, feed)
        for pilot in catalogue.pilots.values()
        for feed in pilot.feeds
        if _interval_s(feed) and not feed.over(_day(pilot, now_ns))
    ]
    if not expected:
        yield Finding(
            "unknown", "silent-feed", "no feed has an expected interval", "set expect_every or heartbeat_every on feeds"
        )
        return
    if not look.running or look.started_ns is None:
        yield Finding(
            "unknown", "silent-feed", "cannot be told while the collector does not run",
            "start it with `periscope collect` and look again after the longest expect_every",
        )  # fmt: skip
        return
    quiet = [found for pilot, feed in expected if (found := _silence(pilot, feed, look, now_ns)) is not None]
    yield from quiet or [Finding("ok", "silent-feed", f"none of {len(expected)} feeds is silent")]


def _day(pilot: Pilot, now_ns: int) -> str:
    return datetime.fromtimestamp(now_ns // 10**9, UTC).astimezone(pilot.zone).date().isoformat()


def _interval_s(feed: Feed) -> float:
    known = [every.total_seconds() for every in (feed.expect_every, feed.heartbeat_every) if every is not None]
    return 0.0 if feed.by_hand or not known else min(known)


def _silence(pilot: Pilot, feed: Feed, look: SpoolLook, now_ns: int) -> Finding | None:
    limit_ns = int(_TIMES * _interval_s(feed) * 1e9)
    arrived = look.arrivals.get((pilot.slug, feed.id), [])
    last_ns = max((one.received_ns for one in arrived), default=0)
    known_since_ns = max(look.started_ns or 0, last_ns)
    if now_ns - known_since_ns <= limit_ns:
        return None
    if not arrived and _received(look, pilot.slug, feed.id) and now_ns - (look.since_ns or now_ns) <= limit_ns:
        return None  # others sent so much that what was read row by row does not reach back far enough
    since = f"for {_span(now_ns - last_ns)}" if last_ns else "since the collector started, or ever"
    return Finding(
        "problem", "silent-feed",
        f"{pilot.slug}/{feed.id} has sent nothing {since}, and should every {_span(int(limit_ns / _TIMES))}",
        f"see whether its sender runs and publishes on {feed.topic}, and may: Mosquitto acknowledges a publish that "
        f"its access list denies; `periscope try --listen --pilot {pilot.slug} --feed {feed.id}` shows what comes",
    )  # fmt: skip


def _received(look: SpoolLook, pilot: str, feed: str) -> bool:
    return any(counts[pilot, feed, "received"] for counts in look.ledgers.values())


def clocks(catalogue: Catalogue, look: SpoolLook) -> Iterator[Finding]:
    """Feeds whose event times do not go with the times of receipt, by the median of the newest messages."""
    wrong: list[Finding] = []
    for pilot in catalogue.pilots.values():
        for feed in pilot.feeds:
            arrived = look.arrivals.get((pilot.slug, feed.id), [])
            lags = [(one.received_ns - one.time_ns) / 1e9 for one in arrived[:_JUDGED] if one.time_ns is not None]
            skewed = sum(n for (p, f, code), n in look.dead.items() if (p, f, code) == (pilot.slug, feed.id, _SKEW))
            wrong += _judged(pilot.slug, feed, lags, skewed)
    yield from wrong or [Finding("ok", "clock", "the feeds' times go with this machine's clock")]


_SKEW = "clock/clock_skew"


def _judged(pilot: str, feed: Feed, lags: list[float], skewed: int) -> Iterator[Finding]:
    name = f"{pilot}/{feed.id}"
    if skewed:
        yield Finding(
            "problem", "clock", f"{name}: {skewed} messages have times that cannot be, and are set aside",
            "mend the sender's clock (NTP), or this machine's if all feeds have it; for a back-fill set accept_since",
        )  # fmt: skip
    # Of a time that is known to the hour or day only, the place within it comes from a hash (docs/ingest.md).
    lag = median(lags) if lags and min(lags) >= -MOST_AHEAD_S else 0.0
    if lag < -AHEAD_S:
        yield Finding(
            "problem", "clock", f"{name}: its clock is {-lag:.0f} s ahead of this machine's",
            "mend the sender's clock (NTP), or this machine's if all feeds have it",
        )  # fmt: skip
    elif lag > BEHIND_S and not feed.by_hand and feed.accept_since is None:
        yield Finding(
            "warn", "clock", f"{name}: its messages come {_span(int(lag * 1e9))} after their time",
            "see whether the sender's clock is behind or it sends late on purpose; its lateness must cover that",
        )  # fmt: skip


def _span(ns: int) -> str:
    seconds = ns / 1e9
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
