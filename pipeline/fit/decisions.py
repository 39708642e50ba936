"""Who takes part in decisions: groups and their roles by stage, E6.

Promises: a decision counts once, by the last event that closes it; a role of a group is counted per decision, however
many of the group had it; below 5 decisions no share is given, since the decisions themselves are listed then; where no
role was ever recorded, shares are not defined, and not 0.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.findings import Figure, RoleShare
from pipeline.fit.activities import GROUPS, UNKNOWN, activity_of, text
from pipeline.fit.intervals import LEAST
from pipeline.indicators.intervals import wilson
from pipeline.rows import Row

DECIDING: Final = ("decider", "co_decider")
DECIDES: Final = "decides"  # either of the two, as E6 counts
ROLES: Final = ("informed", "consulted", "deliberated", "co_decider", "decider", DECIDES)


@dataclass(frozen=True)
class Decided:
    """One closed decision: its stage (or that of its activity), and the roles of each group."""

    id: str
    stage: str
    roles: dict[str, frozenset[str]]
    synthetic: bool


def closed_decisions(rows: Sequence[Row]) -> list[Decided]:
    """The closed decisions among a pilot's rows, in order of id."""
    stages = {activity_of(row): text(row.data.get("stage")) for row in _ordered(rows, "activity.held")}
    roles: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in _ordered(rows, "decision.participated"):
        role = text(row.data.get("role"))
        roles[text(row.data.get("decision_id"))][row.actor_kind] |= {role, DECIDES} if role in DECIDING else {role}
    found = {}
    for row in _ordered(rows, "decision.closed"):
        key = row.data.get("decision_id")
        name = key if isinstance(key, str) and key else row.id
        own = text(row.data.get("stage"))
        stage = own if own != UNKNOWN else stages.get(activity_of(row), UNKNOWN)
        taken = {group: frozenset(parts) for group, parts in roles.get(name, {}).items()}
        found[name] = Decided(name, stage, taken, row.synthetic)
    return [found[key] for key in sorted(found)]


def role_shares(pilot: str, decisions: Sequence[Decided], synthetic: bool = False) -> list[RoleShare]:
    """The share of decisions of each stage ("" is all) in which each group had each role; [] without a decision."""
    if not decisions:
        return []
    groups = [*GROUPS, *sorted({group for one in decisions for group in one.roles} - set(GROUPS))]
    roles = [*ROLES, *sorted({role for one in decisions for had in one.roles.values() for role in had} - set(ROLES))]
    recorded = any(one.roles for one in decisions)
    found = []
    for stage in ("", *sorted({one.stage for one in decisions})):
        within = [one for one in decisions if stage in ("", one.stage)]
        for group in groups:
            found += [
                RoleShare(
                    pilot=pilot,
                    stage=stage,
                    group=group,
                    role=role,
                    decisions=len(within),
                    share=_share(within, group, role, recorded),
                    synthetic=synthetic or any(one.synthetic for one in within),
                )
                for role in roles
            ]
    return found


def _share(decisions: Sequence[Decided], group: str, role: str, recorded: bool) -> Figure:
    n = len(decisions)
    if not recorded:
        return Figure(status="not_defined", reason="no role in a decision was ever recorded", unit="%")
    if n < LEAST:
        reason = f"rests on {n} decision{'' if n == 1 else 's'}; at least {LEAST} are needed, and these are listed"
        return Figure(n=n, status="insufficient_n", reason=reason, unit="%")
    hits, silent = sum(role in one.roles.get(group, ()) for one in decisions), sum(not one.roles for one in decisions)
    lower, upper = wilson(hits, n)
    return Figure(
        value=100 * hits / n,
        n=n,
        lower=100 * lower,
        upper=100 * upper,
        interval="wilson",
        reason=f"{silent} of them have no role recorded, and count as without" if silent else "",
        unit="%",
    )


def _ordered(rows: Iterable[Row], kind: str) -> list[Row]:
    return sorted((row for row in rows if row.type == kind), key=lambda row: (row.at_ns, row.id))
