"""The shell around the pure alerts: what is known now goes in, transitions are recorded.

Promises: evaluating again records nothing twice; late events that move an opening leave the incident what it is, and
its history says so; a fall that they explain away is closed as `revised`, kept and announced; an incident whose series
cannot be judged stays as it is.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from config.catalogue import Pilot
from pipeline.alerts import drop_off, silence, suspicion
from pipeline.alerts.care import Care
from pipeline.alerts.silence import Silence
from pipeline.alerts.states import StateSeries, changes, write_down
from pipeline.alerts.streams import DOMAINS, VERSION, Streams, domain_of, streams_of
from pipeline.alerts.transition import BACKFILL_NS, Transition
from pipeline.history import History
from pipeline.operations import Operations
from pipeline.periods import day_of, ordinal
from pipeline.values import Incident

FAILED: Final = "evaluation_failed"
EVALUATION: Final = "evaluation"
Fall = list[Transition]  # what opened it, what made it graver, what closed it


def evaluate_drop_off(
    history: History,
    operations: Operations,
    as_of_ns: int,
    now_ns: int,
    k: int = 0,
    config: str = "",
    series: StateSeries | None = None,
) -> bool:
    """Replay one pilot's past and record what is new; True where anything was. `config` is the catalogue's hash, and
    `series` keeps the state of every day."""
    pilot, levels = history.pilot, Care(operations).levels(history.pilot.slug)
    judged = {domain: streams_of(history, as_of_ns, levels, domain) for domain in DOMAINS}
    known_streams = [one for one in judged.values() if one is not None]
    recorded = operations.of_kind(pilot.slug, drop_off.KIND)
    days = operations.opening_days(pilot.slug, drop_off.KIND)
    known = {(one.series, days[one.id]) for one in recorded}
    replayed = [one for streams in known_streams for one in drop_off.replay(history, streams, now_ns, k, known)]
    falls, changed = _falls(replayed), False
    told = set[str]()  # series of which people know that they have fallen, by an earlier day or rule
    places = _matched(history, recorded, days, falls)
    for incident in recorded:
        place = places.get(incident.id)
        if place is not None:
            opened = falls[place][0]
            if opened.day != days[incident.id]:
                operations.note(_moved(opened, incident, config), now_ns)
                changed = True
            falls[place] = [msgspec.structs.replace(one, since=incident.since) for one in falls[place]]
        elif incident.closed_ns is None and not _held(judged[domain_of(incident.series)], incident, days[incident.id]):
            other = operations.opened_with(incident.id).get("rule") != VERSION
            changed |= _record(operations, _away(incident, now_ns, other), now_ns, incident.synthetic, config)
            told |= {incident.series} if other else set()
    matched = set(places.values())
    for transition in (one for place, fall in enumerate(falls) for one in fall if place in matched or not one.beneath):
        if transition.series in told and transition.what == "opened":
            transition = msgspec.structs.replace(transition, quiet=True)
        changed |= _record(operations, transition, now_ns, pilot.synthetic, config)
    for streams in known_streams:
        course = drop_off.course_of(streams)
        changed |= write_down(operations, pilot.slug, streams, changes(streams, course), now_ns, config)
        if series is not None:
            series.keep(pilot.slug, streams, course)
    for found in (one for streams in known_streams for one in suspicion.replay(history, streams, now_ns)):
        changed |= _record(operations, found, now_ns, pilot.synthetic, config)
    return changed


def _falls(transitions: Sequence[Transition]) -> list[Fall]:
    found: dict[tuple[str, str], Fall] = {}
    for one in transitions:
        found.setdefault((one.series, one.since), []).append(one)
    return list(found.values())


def _matched(
    history: History, recorded: Sequence[Incident], days: dict[int, str], falls: Sequence[Fall]
) -> dict[int, int]:
    """Which replayed fall each incident is: the one that opened on its day, else one that overlaps with it."""
    places = {(opened.series, opened.day): place for place, (opened, *_) in enumerate(falls)}
    found = {one.id: places[key] for one in recorded if (key := (one.series, days[one.id])) in places}
    for one in recorded:
        if one.id in found:
            continue
        last = "9999" if one.closed_ns is None else day_of(one.closed_ns, history.pilot.zone)
        for place, (opened, *more) in enumerate(falls):
            ended = [later.day for later in more if later.what == "closed"]
            overlaps = opened.began <= last and (not ended or ended[0] >= days[one.id])
            if opened.series == one.series and overlaps and place not in found.values():
                found[one.id] = place
                break
    return found


def _moved(opened: Transition, incident: Incident, config: str) -> Transition:
    return msgspec.structs.replace(
        opened,
        what="revised",
        since=incident.since,
        reason=f"with what is known now it opened on {opened.day}",
        inputs={**opened.inputs, "config": config},
    )


def _held(streams: Streams | None, incident: Incident, day: str) -> bool:
    """True where neither the day of the opening nor the newest day can be judged, so nothing is explained away."""
    if streams is None or incident.series not in streams.names:
        return streams is None
    row, index = streams.names.index(incident.series), ordinal(day) - streams.first
    return bool(streams.held[row, min(max(index, 0), len(streams.masks) - 1)] and streams.held[row, -1])


def _away(incident: Incident, now_ns: int, other: bool) -> Transition:
    return Transition(
        pilot=incident.pilot,
        kind=incident.kind,
        series=incident.series,
        what="closed",
        day=incident.since,
        since=incident.since,
        at_ns=now_ns,
        sentence="Another rule judges this series now." if other else "What is known now explains the fall.",
        reason="another rule" if other else "revised",
        backfill=now_ns - incident.opened_ns > BACKFILL_NS,
        quiet=other,
    )


def evaluate_silence(
    history: History, operations: Operations, heard: dict[str, int], now_ns: int, config: str = ""
) -> bool:
    """Look at the clock for each feed of a pilot that states its rhythm; `heard` is the newest sign of life.

    A feed that the pilot's file ended, or does not name any more, is not missed: its incident ends.
    """
    pilot, changed, today = history.pilot, False, day_of(now_ns, history.pilot.zone)
    used = [feed for feed in pilot.feeds if not feed.over(today)]
    for incident in operations.of_kind(pilot.slug, silence.KIND):
        if incident.closed_ns is None and incident.series not in {feed.id for feed in used}:
            changed |= _record(
                operations, silence.out_of_use(incident, today, now_ns), now_ns, incident.synthetic, config
            )
            operations.keep_state(pilot.slug, incident.series, silence.KIND, msgspec.json.encode(Silence()))
    for feed in used:
        every = feed.heartbeat_every or feed.expect_every
        if every is None:
            continue
        kept = operations.state(pilot.slug, feed.id, silence.KIND)
        state = msgspec.json.decode(kept, type=Silence) if kept else Silence()
        last_ns = heard.get(feed.id)
        day = "" if last_ns is None else day_of(last_ns, pilot.zone)
        after, transitions = silence.step(state, feed.id, every.total_seconds(), last_ns, now_ns, day, pilot.slug)
        for transition in transitions:
            changed |= _record(operations, transition, now_ns, pilot.synthetic or feed.synthetic, config)
        if after != state:
            operations.keep_state(pilot.slug, feed.id, silence.KIND, msgspec.json.encode(after))
    return changed


def _record(operations: Operations, transition: Transition, now_ns: int, synthetic: bool, config: str) -> bool:
    """With the hash of the configuration, so that a record says by which one it was made."""
    said = msgspec.structs.replace(transition, inputs={**transition.inputs, "config": config})
    return operations.record(said, now_ns, synthetic) is not None


def evaluation_failed(operations: Operations, pilot: Pilot, error: Exception, now_ns: int, config: str = "") -> bool:
    """A pilot could not be judged: an incident of its own, never a zero and never the end of another."""
    if any(one.closed_ns is None for one in operations.of_kind(pilot.slug, FAILED)):
        return False
    said = Transition(
        pilot=pilot.slug,
        kind=FAILED,
        series=EVALUATION,
        what="opened",
        day=day_of(now_ns, pilot.zone),
        since=str(now_ns),
        at_ns=now_ns,
        sentence=f"The alerts of {pilot.slug} cannot be evaluated ({type(error).__name__}); open incidents stay as "
        "they are. The pipeline's log says where it failed.",
        reason="the evaluation failed",
        inputs={"error": type(error).__name__},
    )
    return _record(operations, said, now_ns, pilot.synthetic, config)


def evaluation_succeeded(operations: Operations, pilot: Pilot, now_ns: int, config: str = "") -> bool:
    """A pilot is judged again."""
    changed = False
    for one in operations.of_kind(pilot.slug, FAILED):
        if one.closed_ns is None:
            said = Transition(
                pilot=pilot.slug, kind=FAILED, series=EVALUATION, what="closed", day=day_of(now_ns, pilot.zone),
                since=one.since, at_ns=now_ns, sentence=f"The alerts of {pilot.slug} are evaluated again.",
                reason="evaluated again",
            )  # fmt: skip
            changed |= _record(operations, said, now_ns, pilot.synthetic, config)
    return changed
