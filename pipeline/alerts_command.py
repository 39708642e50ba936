"""`periscope alerts`: what has fallen or broken, why an alert fired, and what people do about it.

Promises: everything shown comes from records, so an old alert is explained as it was; each change is in the audit.
"""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from config.alerts import load_alerts
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.alerts.care import Care, CareRefused
from pipeline.alerts.drop_off import KIND, explanation_of
from pipeline.alerts.explanation import Explanation
from pipeline.alerts.states import WITHDRAWN
from pipeline.delivery.attempt import attempt
from pipeline.delivery.channels import channels_of, routes_of
from pipeline.delivery.letters import compose, words
from pipeline.delivery.notices import key_of
from pipeline.delivery.outbox import Outbox
from pipeline.delivery.routes import SYSTEM
from pipeline.model import NS_PER_S
from pipeline.operations import Operations
from pipeline.values import Incident

Tell = Callable[..., None]
_DEFAULT_DAYS: Final = 7


def run(operations: Operations, args: argparse.Namespace, pilots: Sequence[str], now_ns: int, tell: Tell) -> None:
    """Do one thing; raises CareRefused with a sentence."""
    care = Care(operations)
    if args.pilot is not None and args.pilot not in pilots:
        raise CareRefused(f"there is no pilot {args.pilot}; choose from {', '.join(pilots)}")
    match args.what:
        case "list":
            _list(operations, care, args, pilots, now_ns, tell)
        case "show" | "explain":
            _show(operations, care, _named(operations, args, pilots), now_ns, tell, args.what == "explain")
        case "ack":
            one = _named(operations, args, pilots)
            care.acknowledge(one.id, args.who, args.note, now_ns, args.days)
            tell(f"{args.who} looks after incident {one.id}.", incident=one.id, who=args.who)
        case "silence":
            days = args.days or _DEFAULT_DAYS
            care.silence(args.who, args.note, now_ns, days, args.pilot or "", args.kind or "", args.series or "")
            tell(f"No notification for {days} days; incidents are recorded as ever.", days=days, who=args.who)
        case "resend":
            _resend(operations, args, now_ns, tell)
        case _:
            one = _named(operations, args, pilots)
            care.accept(one.id, args.who, args.note, now_ns, _day(now_ns))
            tell(f"The level of incident {one.id} is the new normal from today on.", incident=one.id)


def test(settings: Settings, catalogue: Catalogue, args: argparse.Namespace, now_s: float, tell: Tell) -> bool:
    """Send a test straight to one channel, past outbox and routes; True where it was delivered."""
    channels = channels_of(settings.notify)
    routes = routes_of(settings, load_alerts(catalogue.folder))
    if args.id is None:
        for one in channels.values():
            tell(f"{one.name}  {one.shown}", channel=one.name, address=one.shown)
    if args.id not in channels:
        listed = f"choose from {', '.join(channels)}" if channels else "set one up: docs/alerts.md tells how"
        raise CareRefused(f"name a channel: {listed}" if args.id is None else f"no channel {args.id}; {listed}")
    channel = channels[args.id]
    key, body = compose(
        [{"key": key_of("test", channel.name, str(now_s)), "what": "test", "reason": "asked for", "incident": None,
          "sentence": f"Periscope can reach the channel {channel.name}."}], routes.base,
    )  # fmt: skip
    outcome = attempt(channel, key, body, now_s)
    facts = {"channel": channel.name, "outcome": outcome.kind, "reason": outcome.reason}
    if outcome.kind != "sent":
        lasting = "it would be given up" if outcome.kind == "refused" else "it would be tried again for a day"
        tell(f"Channel {channel.name} ({channel.shown}) did not take it: {outcome.reason}; {lasting}.", **facts)
        return False
    but = f", but not to all: {outcome.reason}" if outcome.reason else ""
    tell(f"Channel {channel.name} ({channel.shown}) took the test{but}.", **facts)
    return not outcome.reason


def _resend(operations: Operations, args: argparse.Namespace, now_ns: int, tell: Tell) -> None:
    """What was given up; with a channel's name or --all it is put in line again, for the pipeline to send."""
    outbox = Outbox(operations)
    found = outbox.given_up(args.id)
    if args.id is None and not args.all:
        for one in found:
            tell(f"{one.id}  {one.channel}  {_at(one.made_ns)}  {_title(one.body)}: {one.failed}", letter=one.id,
                 channel=one.channel, made=_at(one.made_ns), reason=one.failed)  # fmt: skip
        tell("Nothing was given up." if not found else "Name a channel, or --all, to send them again.",
             given_up=len(found))  # fmt: skip
        return
    gone = sorted({one.channel for one in found} - set(operations.routes.channels))
    if gone:
        raise CareRefused(f"channel {gone[0]} is not set up; docs/alerts.md tells how")
    if not found:
        raise CareRefused(f"nothing was given up{f' on channel {args.id}' if args.id else ''}; "
                          "periscope alerts resend lists what was")  # fmt: skip
    done = outbox.resend(found, args.who, now_ns)
    tell(f"{done} in line again; the pipeline sends them, each with its id.", resent=done)


def _title(body: str) -> str:
    return words(msgspec.json.decode(body)).title


def _list(
    operations: Operations, care: Care, args: argparse.Namespace, pilots: Sequence[str], now_ns: int, tell: Tell
) -> None:
    wanted = [args.pilot] if args.pilot else [*pilots, SYSTEM]
    found = operations.incidents(wanted, open_only=not args.all)[: args.limit]
    for one in found:
        held = care.acknowledged(one.id, now_ns)
        state = "open" if one.closed_ns is None else f"over since {_at(one.closed_ns)}"
        mark = f", {held.who} looks after it" if held else ""
        synthetic = " (simulated)" if one.synthetic else ""
        tell(
            f"{one.id}  {one.severity}  {_whose(one)}: {one.kind.replace('_', ' ')} of {one.series} since {one.since}, "
            f"{state}{mark}{synthetic}",
            **_facts(one),
            acknowledged_by=held.who if held else None,
        )
    for quiet in care.silences(now_ns):
        what = " ".join(word for word in (quiet.pilot or "every pilot", quiet.kind, quiet.series) if word)
        tell(f"Silent until {_at(quiet.until_ns)}: {what} ({quiet.who}: {quiet.reason})", **_built(quiet))
    if not found:
        tell("No incident is open." if not args.all else "There has been no incident.")


def _show(operations: Operations, care: Care, one: Incident, now_ns: int, tell: Tell, deep: bool) -> None:
    inputs = operations.opened_with(one.id)
    tell(one.sentence, **_facts(one), inputs=inputs)
    for at_ns, what, reason in operations.read(
        "SELECT at_ns, what, reason FROM transition WHERE incident = ? ORDER BY id", (one.id,)
    ):
        tell(f"  {_at(at_ns)}  {what}: {reason}", at=_at(at_ns), what=what, reason=reason)
    if (held := care.acknowledged(one.id, now_ns)) is not None:
        tell(f"  {held.who} looks after it since {_at(held.at_ns)}: {held.note}", **_built(held))
    if deep and one.kind == KIND:
        for day, state in _states(operations, one):
            tell(f"  {day}  {state}", day=day, state=state)
    if deep and one.kind == KIND and "evidence" in inputs:
        for line in _lines(explanation_of(inputs)):
            tell(f"  {line}")


def _states(operations: Operations, one: Incident) -> list[tuple[str, str]]:
    """How the state of an incident's stream changed, from four weeks before it opened to its end, as known now."""
    end = "9999" if one.closed_ns is None else _day(one.closed_ns)
    rows = operations.read(
        "SELECT day, state FROM state_change WHERE id IN (SELECT max(id) FROM state_change WHERE pilot = ? AND series "
        "= ? GROUP BY day) AND state <> ? AND day >= date(?, '-28 days') AND day <= ? ORDER BY day",
        (one.pilot, one.series, WITHDRAWN, one.since[:10], end),
    )
    return [(day, state) for day, state in rows]


def _whose(one: Incident) -> str:
    return "Periscope" if one.pilot == SYSTEM else one.pilot


def _lines(one: Explanation) -> list[str]:
    """An explanation, a fact a line."""
    seen = "too few events to judge within two weeks" if one.sees_half is None else f"about {one.sees_half:.0f} days"
    return [
        f"change day       {one.since}",
        f"observed         {one.observed} in {one.judged} judged days to {one.day}",
        f"expected         {one.expected:.1f} (90 % band {one.low:.0f} to {one.high:.0f})",
        f"evidence         {one.evidence:.2f} nats, alert at {one.threshold:.2f} (rule {one.rule})",
        f"completeness     {one.completeness:.0%}",
        *(f"left out         {days} days: {why}" for why, days in sorted(one.left_out.items())),
        *(
            f"{part.dim:<16} {part.name}: {part.observed} of {part.expected:.1f} expected, {part.share:.0%} of what "
            "is missing"
            for part in one.parts
        ),
        *(f"activity before  {day}: {method}" for day, method in one.activities),
        f"a fall by half   is seen here in {seen}" if one.sees_half else f"a fall by half   {seen}",
    ]


def _named(operations: Operations, args: argparse.Namespace, pilots: Sequence[str]) -> Incident:
    if args.id is None or not str(args.id).isdigit():
        raise CareRefused(f"name the incident: periscope alerts {args.what} ID; periscope alerts list names them")
    found = [one for one in operations.incidents([*pilots, SYSTEM]) if one.id == int(args.id)]
    if not found:
        raise CareRefused(f"there is no incident {args.id}; periscope alerts list --all names them")
    return found[0]


def _facts(one: Incident) -> dict[str, Any]:
    """As JSON; what it says is "text", since "sentence" is the line itself."""
    built = _built(one)
    built["text"] = built.pop("sentence")
    closed = None if one.closed_ns is None else _at(one.closed_ns)
    return {**built, "opened": _at(one.opened_ns), "closed": closed}


def _built(one: msgspec.Struct) -> dict[str, Any]:
    found = msgspec.to_builtins(one)
    return dict(found)


def _at(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _day(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).date().isoformat()
