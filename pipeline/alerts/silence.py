"""A feed that falls silent, by the clock: pure, and the same for a restart in between.

A feed is silent when more than 3 of its intervals have passed without a sign of life. Only a feed that was
heard in time before, or within the last 7 days, can fall silent: a finished recording of long ago does not.
Source: alerts.md 3.
"""

from typing import Final

import msgspec

from pipeline.alerts.transition import BACKFILL_NS, Transition
from pipeline.model import NS_PER_S
from pipeline.values import Incident

KIND: Final = "feed_silent"
INTERVALS: Final = 3


class Silence(msgspec.Struct, frozen=True):
    """`phase`: new (never heard in time), heard or silent; `since_ns` is the last sign of life before it."""

    phase: str = "new"
    since_ns: int = 0
    since: str = ""


def step(
    state: Silence, feed: str, every_s: float, last_ns: int | None, now_ns: int, day: str, pilot: str = ""
) -> tuple[Silence, list[Transition]]:
    """The state after a look at the clock. `last_ns` is the newest sign of life, `day` its local day."""
    if last_ns is None:
        return state, []
    age_s = (now_ns - last_ns) / NS_PER_S
    silent = age_s > INTERVALS * every_s
    if state.phase != "silent":
        if not silent:
            return Silence("heard"), []
        if state.phase == "new" and age_s * NS_PER_S > BACKFILL_NS:
            return state, []
        opened = Transition(
            pilot=pilot,
            kind=KIND,
            series=feed,
            what="opened",
            day=day,
            since=_text(last_ns, day),
            at_ns=last_ns + int(INTERVALS * every_s * NS_PER_S),
            sentence=f"Feed {feed} has been silent since {_text(last_ns, day)}; it should be heard every "
            f"{every_s:.0f} s. What people do cannot be judged from it.",
            reason=f"nothing heard for more than {INTERVALS} intervals",
            backfill=age_s * NS_PER_S > BACKFILL_NS,
            inputs={"last_ns": last_ns, "every_s": every_s},
        )
        return Silence("silent", last_ns, opened.since), [opened]
    if silent:
        return state, []
    closed = Transition(
        pilot=pilot,
        kind=KIND,
        series=feed,
        what="closed",
        day=day,
        since=state.since,
        at_ns=now_ns,
        sentence=f"Feed {feed} is heard again.",
        reason="heard again",
        inputs={"last_ns": last_ns},
    )
    return Silence("heard"), [closed]


def out_of_use(incident: Incident, day: str, now_ns: int) -> Transition:
    """The end of an incident whose feed the pilot's file ended."""
    return Transition(
        pilot=incident.pilot, kind=KIND, series=incident.series, what="closed", day=day, since=incident.since,
        at_ns=now_ns, sentence=f"Feed {incident.series} is out of use by the pilot's file.", reason="out of use",
    )  # fmt: skip


def _text(time_ns: int, day: str) -> str:
    """The local day and the UTC time of day of an instant."""
    seconds = time_ns // NS_PER_S % 86_400
    return f"{day} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02} UTC"
