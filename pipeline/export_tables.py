"""Tables of findings for the evaluator's package: the figures of `Findings`, one row each, with their status.

Promises: they cover all time, whatever dates the package was asked for, and `first_day` and `last_day` say which days;
an empty value has a status that says why.
"""

from collections.abc import Sequence
from typing import Final

from pipeline.effects.export import effects_table
from pipeline.findings import Figure
from pipeline.findings_answers import Findings

Columns = tuple[tuple[str, str, str], ...]
Table = tuple[Columns, list[list[object]]]

_PILOT: Final[Columns] = (("pilot", "string", "Slug of the pilot."),)
_DAYS: Final[Columns] = (
    ("first_day", "date", "First local day that it rests on."),
    ("last_day", "date", "Last local day that it rests on."),
)
_FIGURE: Final[Columns] = (
    ("value", "number", "The figure; empty where it cannot be said."),
    ("unit", "string", "Unit of value, lower and upper."),
    ("n", "integer", "What it rests on: activities, decisions, people or answers."),
    ("lower", "number", "Lower end of the 95 % interval."),
    ("upper", "number", "Upper end of the 95 % interval."),
    ("interval_method", "string", "How the interval was computed; none where there is none."),
    ("status", "string", "See the status codes."),
    ("reason", "string", "Why the status is not ok, or what must be known besides."),
)
_STAGE: Final[Columns] = (("stage", "string", "Stage of co-production; empty for all."),)
_METHOD: Final[Columns] = (("method", "string", "Code of the method; empty for all."),)
_SYNTHETIC: Final[Columns] = (("synthetic", "boolean", "True where it is simulated."),)

METHOD_FIT: Final[Columns] = (
    *_PILOT,
    *_DAYS,
    *_STAGE,
    ("dim", "string", "What the code is of: method, tool, technique or skill."),
    ("code", "string", "Code of the method, tool, technique or skill."),
    ("activities", "integer", "Activities held."),
    ("figure", "string", "Which figure of E14; see docs/method-fit.md."),
    *_FIGURE,
    ("p_best", "number", "Probability of being the best method of the pilot and stage in this figure."),
    ("p_best_lower", "number", "Lower end of its 95 % interval."),
    ("p_best_upper", "number", "Upper end of its 95 % interval."),
    *_SYNTHETIC,
)
ONE_SIZE: Final[Columns] = (
    ("figure", "string", "Which figure of E14."),
    ("pilots", "string", "Pilots that entered, separated by spaces."),
    ("methods", "string", "Methods that entered, separated by spaces."),
    ("activities", "integer", "Activities that entered."),
    ("statistic", "number", "Weighted squares by which cells miss an additive model."),
    ("p_value", "number", "P-value, not corrected for the number of figures."),
    ("permutations", "integer", "Permutations of each reference."),
    ("status", "string", "See the status codes."),
    ("sentence", "string", "What may be said."),
    *_SYNTHETIC,
)
ROLES: Final[Columns] = (
    *_PILOT,
    *_DAYS,
    *_STAGE,
    ("group", "string", "Stakeholder group."),
    ("role", "string", "The part that the group took; decides is decider or co-decider."),
    ("decisions", "integer", "Closed decisions of the stage."),
    *_FIGURE,
    *_SYNTHETIC,
)
STAGE_GROUPS: Final[Columns] = (
    *_PILOT,
    *_DAYS,
    *_STAGE,
    ("group", "string", "Stakeholder group."),
    ("activities", "integer", "Activities held at the stage."),
    *_FIGURE,
    *_SYNTHETIC,
)
SKILLS: Final[Columns] = (
    *_PILOT,
    *_DAYS,
    *_STAGE,
    *_METHOD,
    ("skill", "string", "Code of the skill."),
    ("needed", "integer", "Activities that needed it."),
    ("present", "integer", "Of them, activities where it was present."),
    *_FIGURE,
    ("level", "number", "Median of its assessed levels, 1 to 5."),
    ("level_n", "integer", "Assessments."),
    ("level_status", "string", "Status of the level."),
    *_SYNTHETIC,
)
OBSTACLES: Final[Columns] = (
    *_PILOT,
    *_DAYS,
    *_STAGE,
    *_METHOD,
    ("dim", "string", "obstacle or lesson."),
    ("code", "string", "Code of the obstacle or lesson."),
    ("n", "integer", "How often it was recorded."),
    *_SYNTHETIC,
)
IMPACT: Final[Columns] = (
    *_PILOT,
    ("indicator_id", "string", "Indicator that the target is about."),
    ("direction", "string", "Desired direction."),
    ("declared", "date", "Day on which the target was declared."),
    ("by", "date", "Day up to which it was to be reached."),
    ("target", "number", "Desired value; empty where only a direction was declared."),
    ("verdict", "string", "as_intended, not_as_intended or cannot_tell."),
    ("achieved", "boolean", "Whether the desired value was reached; empty where it cannot be told."),
    ("baseline_first_day", "date", "First day of the weeks before."),
    ("baseline_last_day", "date", "Last day of the weeks before."),
    ("baseline", "number", "Weekly mean before."),
    ("reached_first_day", "date", "First day of the weeks after."),
    ("reached_last_day", "date", "Last day of the weeks after."),
    ("reached", "number", "Weekly mean after."),
    *_FIGURE,
    ("sentence", "string", "The verdict in words."),
    *_SYNTHETIC,
)


def finding_tables(findings: Findings, pilots: Sequence[str]) -> dict[str, Table]:
    """Every table of findings by its file's name; one without rows is there with its columns."""
    return {
        "method_fit.csv": (METHOD_FIT, _method_fit(findings, pilots)),
        "one_size.csv": (ONE_SIZE, _one_size(findings, pilots)),
        "roles.csv": (
            ROLES,
            [
                [one.pilot, *_days(findings, one.pilot), one.stage, one.group, one.role, one.decisions,
                 *_figure(one.share), one.synthetic]
                for one in findings.roles(pilots)
            ],
        ),
        "stage_groups.csv": (
            STAGE_GROUPS,
            [
                [one.pilot, *_days(findings, one.pilot), one.stage, one.group, one.activities,
                 *_figure(one.taking_part), one.synthetic]
                for one in findings.stage_groups(pilots)
            ],
        ),
        "skills.csv": (
            SKILLS,
            [
                [one.pilot, *_days(findings, one.pilot), one.stage, one.method, one.skill, one.needed, one.present,
                 *_figure(one.met), one.level.value, one.level.n, one.level.status, one.synthetic]
                for one in findings.skills(pilots)
            ],
        ),
        "obstacles.csv": (
            OBSTACLES,
            [
                [one.pilot, *_days(findings, one.pilot), one.stage, one.method, one.dim, one.code, one.n,
                 one.synthetic]
                for one in findings.counted(pilots)
            ],
        ),
        "impact.csv": (IMPACT, _impact(findings, pilots)),
        "effects.csv": effects_table(findings.effects(pilots)),
    }  # fmt: skip


def _method_fit(findings: Findings, pilots: Sequence[str]) -> list[list[object]]:
    found: list[list[object]] = []
    for cell in findings.fit(pilots):
        days = _days(findings, cell.pilot)
        for name, figure in cell.figures.items():
            best = cell.best.get(name, Figure())
            found.append(
                [cell.pilot, *days, cell.stage, cell.dim, cell.code, cell.activities, name, *_figure(figure),
                 best.value, best.lower, best.upper, cell.synthetic]
            )  # fmt: skip
    return found


def _one_size(findings: Findings, pilots: Sequence[str]) -> list[list[object]]:
    return [
        [one.figure, " ".join(one.pilots), " ".join(one.methods), one.activities, one.statistic, one.p_value,
         one.permutations, one.status, one.sentence, one.synthetic]
        for one in findings.one_size(pilots)
    ]  # fmt: skip


def _impact(findings: Findings, pilots: Sequence[str]) -> list[list[object]]:
    return [
        [one.pilot, one.indicator, one.direction, one.declared, one.by, one.target, one.verdict, one.achieved,
         *(one.baseline_days or (None, None)), one.baseline.value, *(one.reached_days or (None, None)),
         one.reached.value, *_figure(one.change), one.sentence, one.synthetic]
        for one in findings.impact(pilots)
    ]  # fmt: skip


def _days(findings: Findings, pilot: str) -> tuple[str | None, str | None]:
    return findings.days(pilot) or (None, None)


def _figure(one: Figure) -> list[object]:
    return [one.value, one.unit, one.n, one.lower, one.upper, one.interval or "none", one.status, one.reason]
