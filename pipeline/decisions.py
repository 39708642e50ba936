"""Decisions: what was decided on a day, and who took which part in it.

Promises: of two events that close one decision the later revision speaks; people are counted only where an event is
about people (`count_only` or `cohort`), so a role that is stated of a whole group says no number. Nothing is added
up across groups: somebody may belong to two.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from pipeline.model import Event
from pipeline.values import Decision, DecisionRole


class Closed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One `decision.closed`."""

    decision_id: str
    activity_id: str = ""
    level_delivered: str = "unknown"
    outcome: str = "unknown"
    inputs_considered: int | None = None
    inputs_adopted: int | None = None
    synthetic: bool = False


def closed_in(events: Iterable[Event]) -> list[Closed]:
    """The decisions that a day's events close, in order of id."""
    found: dict[str, tuple[tuple[int, int, str], Closed]] = {}
    for event in events:
        if event.type == "decision.closed":
            decision, order = _closed(event), (event.revision, event.time_ns, event.event_id)
            if decision.decision_id not in found or found[decision.decision_id][0] < order:
                found[decision.decision_id] = (order, decision)
    return [found[key][1] for key in sorted(found)]


def roles_in(events: Iterable[Event]) -> dict[str, dict[str, int]]:
    """People by "group/role" for each decision id; 0 where a role is stated of a group without a number."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for event in events:
        if event.type == "decision.participated" and (decision := event.data.get("decision_id")):
            roles, key = found[str(decision)], f"{event.actor_kind}/{event.data.get('role') or 'unknown'}"
            roles[key] = roles.get(key, 0) + (event.count if event.consent != "none" else 0)
    return {decision: dict(sorted(roles.items())) for decision, roles in sorted(found.items())}


def as_decision(pilot: str, day: str, closed: Closed, roles: dict[str, int], k: int) -> Decision:
    """A decision as it is told: numbers of people from 1 to k-1 are hidden."""
    parts = []
    for key, people in sorted(roles.items()):
        group, _, role = key.partition("/")
        parts.append(DecisionRole(group=group, role=role, people=people if people and people >= k else None))
    return Decision(
        pilot=pilot,
        decision_id=closed.decision_id,
        activity_id=closed.activity_id,
        day=day,
        level_delivered=closed.level_delivered,
        outcome=closed.outcome,
        inputs_considered=closed.inputs_considered,
        inputs_adopted=closed.inputs_adopted,
        roles=parts,
        synthetic=closed.synthetic,
    )


def _closed(event: Event) -> Closed:
    data = event.data
    return Closed(
        decision_id=str(data.get("decision_id") or event.event_id),
        activity_id=str(data.get("activity_id") or ""),
        level_delivered=str(data.get("level_delivered") or "unknown"),
        outcome=str(data.get("outcome") or "unknown"),
        inputs_considered=_whole(data.get("inputs_considered")),
        inputs_adopted=_whole(data.get("inputs_adopted")),
        synthetic=event.synthetic,
    )


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
