"""What the workbook's sheets and columns are: names, help, kinds of cells, bounds and an example each.

Promises: the first column of a sheet is the row's own id; a field's name never changes, since CSV headers use it.
"""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["id", "activity", "date", "time", "code", "whole", "number", "person", "languages", "text", "flag"]
Example = str | int | float


@dataclass(frozen=True)
class Column:
    """One column. `words` names a list of the vocabulary; `least` and `most` bound numbers."""

    field: str
    title: str
    help: str
    kind: Kind
    words: str = ""
    required: bool = False
    example: Example = ""
    least: float = 0
    most: float = 1_000_000


@dataclass(frozen=True)
class Sheet:
    """One sheet; `name` is part of every id that comes from it."""

    name: str
    title: str
    help: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> Column:
        return self.columns[0]

    def column(self, header: str) -> Column | None:
        """The column that a header names, by field or title, whatever its case and spaces."""
        wanted = " ".join(header.replace("_", " ").split()).casefold()
        return next((c for c in self.columns if wanted in (c.field.replace("_", " "), c.title.casefold())), None)


REASON: Final = "reason"
EXAMPLE: Final = "EXAMPLE"
GROUPS: Final = ("citizen", "civil_society", "business", "government", "academia")
SCORES: Final = 10
SEVERAL: Final = 3


def _several(field: str, title: str, words: str, help_: str, *examples: str) -> tuple[Column, ...]:
    shown = [*examples, *[""] * SEVERAL]
    return tuple(
        Column(f"{field}_{n}", f"{title} {n}", help_, "code", words, example=shown[n - 1])
        for n in range(1, SEVERAL + 1)
    )


_ACTIVITY = "The id that the activity has in the sheet Activities, or had in an earlier workbook."
_CODE = (
    "Only where people consented: the code on the person's card, never a name. It is replaced by a pseudonym before "
    "anything is sent. Leave the count empty then."
)
_WITHDRAWN = Column("withdrawn", "Withdrawn", "Write yes to take back a row that was imported by mistake; leave the "
                    "rest as it was.", "flag")  # fmt: skip
_EVIDENCE = Column("evidence", "How it is known", "Where the numbers come from.", "code", "evidence",
                   example="facilitator_record")  # fmt: skip
_KIND = Column("actor_kind", "Stakeholder group", "One row for each group.", "code", "actor_kind", required=True,
               example="citizen")  # fmt: skip
_REPRESENTS = Column("represents", "Speaks for", "Whether people came for themselves or were sent.", "code",
                     "represents", example="self")  # fmt: skip

ACTIVITIES = Sheet("activities", "Activities", "One row for each workshop, meeting, survey or other activity.", (
    Column("activity_id", "Activity id", "A short id of your own, used once: letters, digits, - and _ only.", "id",
           required=True, example="EXAMPLE-2026-03-workshop"),
    Column("status", "State", "What has become of it so far.", "code", "activity_status", required=True,
           example="held"),
    Column("date", "Date", "The (first) day on which it is or was held, such as 2026-03-14.", "date", required=True,
           example="2026-03-14"),
    Column("start", "Start", "The hour it began, local time, such as 18:30; may be left empty.", "time",
           example="18:30"),
    Column("announced_on", "Announced on", "The day on which date and place were fixed and made known. Needed as long "
           "as it is only scheduled; without it no effect on use can be claimed.", "date", example="2026-02-10"),
    Column("timing_basis", "Why at this time", "Needed with the day of announcement.", "code", "timing_basis",
           example="calendar"),
    Column("cancelled_on", "Cancelled on", "Only if it was cancelled: the day of that decision.", "date"),
    Column("cancel_reason", "Why cancelled", "Only if it was cancelled.", "code", "cancel_reason"),
    Column("stage", "Stage", "The part of making the service that it belonged to.", "code", "stage", required=True,
           example="co_design"),
    Column("method", "Method", "The method that describes most of it.", "code", "method", required=True,
           example="co_design_workshop"),
    Column("level_declared", "Level promised", "How much say people were promised.", "code", "level",
           example="involve"),
    Column("open", "Open or invited", "Who could come.", "code", "open", example="open"),
    Column("mode", "Mode", "Where people met.", "code", "mode", example="in_person"),
    Column("place", "Place", "Name of a public place, such as the town library; no private address.", "text",
           example="Town library"),
    Column("duration_min", "Duration in minutes", "Minutes from beginning to end.", "whole", example=120, least=1,
           most=100_000),
    Column("lang", "Languages", "Two-letter codes of the languages spoken, such as it, en.", "languages",
           example="it, en"),
    Column("facilitators_n", "Facilitators", "How many people led it.", "whole", example=2, most=1000),
    Column("cost_eur", "Cost in euro", "All costs, staff included if known.", "number", example=850),
    Column("hours", "Staff hours", "Hours of staff to prepare, hold and follow up.", "number", example=24,
           most=100_000),
    *_several("tool", "Tool", "tool", "A thing that was used.", "map", "moderation"),
    *_several("technique", "Technique", "technique", "A way of working that was used.", "small-groups"),
    *_several("skill_needed", "Skill needed", "skill", "A skill that it needed.", "facilitation", "service-design"),
    *_several("skill_present", "Skill present", "skill", "A needed skill that was there.", "facilitation"),
    *_several("obstacle", "Obstacle", "obstacle", "What made it hard.", "low_turnout"),
    *_several("lesson", "Lesson", "lesson", "What should be done so, or differently, next time.", "go_to_people"),
    Column("challenge_id", "Challenge id", "The id of the challenge it belonged to, if you use such ids.", "id"),
    Column("service_id", "Service id", "The id of the service it was about, if not the pilot's only one.", "id"),
    _EVIDENCE, _WITHDRAWN,
))  # fmt: skip

ATTENDANCE = Sheet("attendance", "Attendance", "Who came: a count for each group, or a row for each code.", (
    Column("row_id", "Row id", "An id of your own for this row, used once, such as 1, 2, 3.", "id", required=True,
           example="EXAMPLE-1"),
    Column("activity_id", "Activity id", _ACTIVITY, "activity", required=True, example="EXAMPLE-2026-03-workshop"),
    Column("date", "Date", "Only if it differs from the activity's.", "date"),
    _KIND, _REPRESENTS,
    Column("count", "Count", "How many of this group came; 0 corrects a count to nobody.", "whole", example=14,
           most=100_000),
    Column("code", "Code", _CODE, "person"),
    _EVIDENCE, _WITHDRAWN,
))  # fmt: skip

DECISIONS = Sheet("decisions", "Decisions", "One row for each decision, with the part that each group had in it.", (
    Column("decision_id", "Decision id", "A short id of your own, used once.", "id", required=True,
           example="EXAMPLE-plan"),
    Column("activity_id", "Activity id", _ACTIVITY, "activity", example="EXAMPLE-2026-03-workshop"),
    Column("opened_on", "Opened on", "The day from which it was known that this would be decided.", "date",
           example="2026-03-01"),
    Column("closed_on", "Decided on", "The day of the decision; empty while it is open.", "date",
           example="2026-03-28"),
    Column("stage", "Stage", "The part of making the service that it belonged to.", "code", "stage",
           example="co_decide"),
    *(Column(f"role_{group}", f"Role of {title}", "The strongest part that this group had; empty if none.", "code",
             "decision_role", example=example)
      for group, title, example in zip(
          GROUPS, ("citizens", "civil society", "business", "government", "academia"),
          ("deliberated", "consulted", "", "decider", ""), strict=True)),
    Column("level_delivered", "Level delivered", "How much say people really had; needed once it is decided.", "code",
           "level", example="involve"),
    Column("outcome", "Outcome", "What was decided; needed once it is decided.", "code", "decision_outcome",
           example="approved_with_changes"),
    Column("inputs_considered", "Contributions considered", "How many contributions were looked at.", "whole",
           example=31),
    Column("inputs_adopted", "Contributions adopted", "How many of those were taken over, changed or not.", "whole",
           example=9),
    _EVIDENCE, _WITHDRAWN,
))  # fmt: skip

CONTRIBUTIONS = Sheet("contributions", "Contributions", "What people gave, without its text, and what became of it.", (
    Column("contribution_id", "Contribution id", "A short id of your own, used once.", "id", required=True,
           example="EXAMPLE-idea-1"),
    Column("date", "Date", "The day it was given.", "date", required=True, example="2026-03-14"),
    Column("kind", "Kind", "What was given.", "code", "contribution_kind", required=True, example="idea"),
    Column("activity_id", "Activity id", f"{_ACTIVITY} Empty if it came outside any.", "activity",
           example="EXAMPLE-2026-03-workshop"),
    _KIND, _REPRESENTS,
    Column("count", "Count", "How many alike this row stands for; empty is 1.", "whole", example=3, most=100_000),
    Column("code", "Code", _CODE, "person"),
    Column("disposition", "What became of it", "What the city did with it.", "code", "disposition", example="adapted"),
    Column("disposition_on", "Decided on", "The day of that; needed with it.", "date", example="2026-03-28"),
    Column("disposition_reason", "Reason for that", "Why.", "code", "disposition_reason", example="fits-plan"),
    Column("recorded_by", "Recorded by", "Who says so.", "code", "recorded_by", example="city"),
    Column("answered_on", "Answered on", "The day on which an answer was published.", "date", example="2026-04-02"),
    _EVIDENCE, _WITHDRAWN,
))  # fmt: skip

SURVEYS = Sheet("surveys", "Surveys", "Answers of project managers: one row for each filled questionnaire, no names.", (
    Column("response_id", "Response id", "An id of your own for this answer, used once.", "id", required=True,
           example="EXAMPLE-1"),
    Column("date", "Date", "The day it was answered.", "date", required=True, example="2026-04-10"),
    Column("instrument", "Questionnaire", "The questionnaire that the scores belong to.", "code", "instrument",
           required=True, example="project-manager-1"),
    Column("activity_id", "Activity id", f"{_ACTIVITY} Empty if it is about the whole pilot.", "activity"),
    *(Column(f"item_{n}", f"Item {n}", "The answer to this item, from 1 to 5; empty if not answered.", "whole",
             example=4 if n <= 5 else "", least=1, most=5) for n in range(1, SCORES + 1)),
    *_several("skill_needed", "Skill needed", "skill", "A skill that the work needed.", "facilitation"),
    *_several("skill_present", "Skill present", "skill", "A needed skill that was there.", "facilitation"),
    *_several("obstacle", "Obstacle", "obstacle", "What made it hard.", "lack_of_time", "silos"),
    *_several("lesson", "Lesson", "lesson", "What should be done so, or differently, next time.", "start_earlier"),
    _WITHDRAWN,
))  # fmt: skip

# Activities first: the others speak of them.
SHEETS: Final = (ACTIVITIES, ATTENDANCE, DECISIONS, CONTRIBUTIONS, SURVEYS)


def sheet_named(name: str) -> Sheet | None:
    """The sheet that a tab or file is called after."""
    wanted = name.strip().casefold()
    return next((sheet for sheet in SHEETS if wanted in (sheet.name, sheet.title.casefold())), None)
