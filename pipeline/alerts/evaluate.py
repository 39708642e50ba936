"""The shell around the pure alerts: what is known now goes in, transitions are recorded.

Promises: evaluating again records nothing twice; a fall that late events explain away is closed as `revised`,
kept and announced; an incident whose series cannot be judged stays as it is.
"""

import msgspec

from pipeline.alerts import drop_off, silence
from pipeline.alerts.care import Care
from pipeline.alerts.silence import Silence
from pipeline.alerts.streams import VERSION
from pipeline.alerts.transition import BACKFILL_NS, Transition
from pipeline.history import History
from pipeline.operations import Operations
from pipeline.periods import day_of


def evaluate_drop_off(history: History, operations: Operations, as_of_ns: int, now_ns: int, k: int = 0) -> bool:
    """Replay one pilot's past and record what is new; True where anything was."""
    pilot = history.pilot
    recorded = operations.of_kind(pilot.slug, drop_off.KIND)
    known = {(one.series, one.since) for one in recorded}
    transitions = drop_off.replay(history, as_of_ns, now_ns, k, Care(operations).levels(pilot.slug), known)
    opened = {(found.series, found.since) for found in transitions if found.what == "opened"}
    changed = False
    told = set[str]()  # series of which people know that they have fallen, by an earlier day or rule
    for incident in recorded:
        if incident.closed_ns is None and (incident.series, incident.since) not in opened:
            other = operations.opened_with(incident.id).get("rule") != VERSION
            revised = Transition(
                pilot=pilot.slug,
                kind=drop_off.KIND,
                series=incident.series,
                what="closed",
                day=incident.since,
                since=incident.since,
                at_ns=now_ns,
                sentence="Another rule judges this series now." if other else "Late events explain the fall.",
                reason="another rule" if other else "revised",
                backfill=now_ns - incident.opened_ns > BACKFILL_NS,
                quiet=other,
            )
            told |= {incident.series} if other else set()
            changed |= operations.record(revised, now_ns, incident.synthetic) is not None
    for transition in transitions:
        if transition.series in told and transition.what == "opened":
            transition = msgspec.structs.replace(transition, quiet=True)
        changed |= operations.record(transition, now_ns, _synthetic(history)) is not None
    return changed


def evaluate_silence(history: History, operations: Operations, heard: dict[str, int], now_ns: int) -> bool:
    """Look at the clock for each feed of a pilot that states its rhythm; `heard` is the newest sign of life."""
    pilot, changed = history.pilot, False
    for feed in pilot.feeds:
        every = feed.heartbeat_every or feed.expect_every
        if every is None:
            continue
        kept = operations.state(pilot.slug, feed.id, "feed_silent")
        state = msgspec.json.decode(kept, type=Silence) if kept else Silence()
        last_ns = heard.get(feed.id)
        day = "" if last_ns is None else day_of(last_ns, pilot.zone)
        after, transitions = silence.step(state, feed.id, every.total_seconds(), last_ns, now_ns, day, pilot.slug)
        for transition in transitions:
            changed |= operations.record(transition, now_ns, _synthetic(history) or feed.synthetic) is not None
        if after != state:
            operations.keep_state(pilot.slug, feed.id, "feed_silent", msgspec.json.encode(after))
    return changed


def _synthetic(history: History) -> bool:
    return history.pilot.synthetic
