"""Pure: which findings there are, by the name that downloads and the API give them: their type, and how to ask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from dashboard.queries import Queries
from dashboard.viewer import Viewer
from pipeline import findings as types

Ask = Callable[[Queries, Viewer, Sequence[str]], list[Any]]


@dataclass(frozen=True)
class Finding:
    """`title` says in a sentence what one row is."""

    kind: type[msgspec.Struct]
    ask: Ask
    title: str


FINDINGS: Final[dict[str, Finding]] = {
    "method-fit": Finding(
        types.FitCell, Queries.fit, "Pilot × stage × method, tool, technique or skill present (E14)."
    ),
    "one-size": Finding(types.OneSize, Queries.one_size, "Does one size fit all: the method × pilot test of a figure."),
    "roles": Finding(types.RoleShare, Queries.roles, "The share of decisions in which a group had a role (E6)."),
    "stage-groups": Finding(types.StageGroup, Queries.stage_groups, "Who took part at which stage (E4)."),
    "skills": Finding(types.SkillNeed, Queries.skills, "A skill needed against present, by stage and method."),
    "codes": Finding(types.Counted, Queries.counted, "How often an obstacle or a lesson was recorded."),
    "impact": Finding(types.Verdict, Queries.impact, "A declared target against what was measured."),
    "retention": Finding(types.RetentionCell, Queries.retention, "The share of a week's newcomers active later (U6)."),
    "effects": Finding(types.Effect, Queries.effects, "Uptake around an engagement activity, with its conditions."),
    "revisions": Finding(types.Revision, Queries.revisions, "A closed period's value that changed afterwards."),
}
