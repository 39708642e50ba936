"""Events of engagement: activities, who comes, what they give, what becomes of it, and decisions.

Source: indicators.md 3.4.
"""

from config.events.codes import (
    Amount,
    Assessor,
    Code,
    ContributionKind,
    Day,
    DecisionRole,
    Disposition,
    Grade,
    Id,
    Level,
    Mode,
    Moment,
    Name,
    Open,
    Stage,
    Text,
    TimingBasis,
    Whole,
    WithdrawalKind,
)
from config.events.envelope import Common


class Activity(Common, kw_only=True, gc=False):
    """What is said of an activity."""

    stage: Stage | None = None
    level_declared: Level | None = None
    method: Code | None = None
    tools: list[Code] | None = None
    techniques: list[Code] | None = None
    skills_needed: list[Code] | None = None
    skills_present: list[Code] | None = None
    facilitators_n: Amount | None = None
    mode: Mode | None = None
    open: Open | None = None
    duration_min: Amount | None = None
    lang: list[Name] | Name | None = None
    timing_basis: TimingBasis | None = None
    cost_eur: Amount | None = None
    place: Text | None = None
    declared_on: Day | None = None
    obstacles: list[Code] | None = None
    lessons: list[Code] | None = None


class ActivityScheduled(Activity, kw_only=True, gc=False):
    """An activity was announced; without `timing_basis` no effect on use could ever be claimed."""

    timing_basis: TimingBasis
    starts_on: Day | None = None
    starts_at: Name | None = None


class ActivityHeld(Activity, kw_only=True, gc=False):
    """An activity took place."""

    attendance: Whole | None = None


class ActivityCancelled(Activity, kw_only=True, gc=False):
    """An activity that was announced did not take place."""

    reason: Code | None = None


class InvitationSent(Common, kw_only=True, gc=False):
    """People were invited; `count` says how many by one channel."""


class Registration(Common, kw_only=True, gc=False):
    """Somebody signed up for an activity."""


class Attendance(Common, kw_only=True, gc=False):
    """Somebody came."""

    counted: Whole | None = None


class ContributionMade(Common, kw_only=True, gc=False):
    """Somebody gave an idea, a report, a vote, work."""

    kind: ContributionKind | None = None
    contribution_id: Id | None = None
    answers_to: Id | None = None


class ContributionDisposition(Common, kw_only=True, gc=False):
    """What became of a contribution."""

    disposition: Disposition
    contribution_id: Id | None = None
    decision_id: Id | None = None
    reason: Code | None = None
    recorded_by: Code | None = None


class ResponsePublished(Common, kw_only=True, gc=False):
    """The city published an answer."""

    contribution_ids: list[Id]


class Decided(Common, kw_only=True, gc=False):
    """What is said of a decision."""

    decision_id: Id | None = None
    stage: Stage | None = None


class DecisionOpened(Decided, kw_only=True, gc=False):
    """A matter was put up for decision."""


class DecisionParticipated(Decided, kw_only=True, gc=False):
    """A group, or one of its members, took part in a decision."""

    decision_id: Id
    role: DecisionRole


class DecisionClosed(Decided, kw_only=True, gc=False):
    """A decision was made."""

    level_delivered: Level | None = None
    outcome: Code | None = None
    inputs_considered: Whole | None = None
    inputs_adopted: Whole | None = None


class FieldTest(Common, kw_only=True, gc=False):
    """What is said of a field test."""

    fieldtest_id: Id | None = None
    fieldtest_stage: Code | None = None
    task_id: Id | None = None
    deadline: Moment | None = None


class FieldTestSignup(FieldTest, kw_only=True, gc=False):
    """Somebody signed up for a field test."""


class FieldTestTaskAssigned(FieldTest, kw_only=True, gc=False):
    """A participant of a field test was given a task."""


class FieldTestTaskDone(FieldTest, kw_only=True, gc=False):
    """A participant of a field test did a task."""

    duration_ms: Amount | None = None


class FieldTestWithdrawn(FieldTest, kw_only=True, gc=False):
    """A field test lost a participant, or ended early."""

    kind: WithdrawalKind | None = None
    reason: Code | None = None


class ResourceSpent(Common, kw_only=True, gc=False):
    """Hours of staff or money went into an activity."""

    hours: Amount | None = None
    eur: Amount | None = None


class SkillAssessed(Common, kw_only=True, gc=False):
    """How well somebody has a skill."""

    skill: Code
    level: Grade
    assessed_by: Assessor | None = None
    assessor: Assessor | None = None


class RecordWithdrawn(Common, kw_only=True, gc=False):
    """The event with this id is said no more; it counts nothing."""


TYPES: dict[str, type[Common]] = {
    "activity.scheduled": ActivityScheduled,
    "activity.held": ActivityHeld,
    "activity.cancelled": ActivityCancelled,
    "invitation.sent": InvitationSent,
    "registration": Registration,
    "attendance": Attendance,
    "contribution.made": ContributionMade,
    "contribution.disposition": ContributionDisposition,
    "response.published": ResponsePublished,
    "decision.opened": DecisionOpened,
    "decision.participated": DecisionParticipated,
    "decision.closed": DecisionClosed,
    "fieldtest.signup": FieldTestSignup,
    "fieldtest.task_assigned": FieldTestTaskAssigned,
    "fieldtest.task_done": FieldTestTaskDone,
    "fieldtest.withdrawn": FieldTestWithdrawn,
    "resource.spent": ResourceSpent,
    "skill.assessed": SkillAssessed,
    "record.withdrawn": RecordWithdrawn,
}

MEANINGS = {
    "stage": "Stage of making the service together.",
    "level_declared": "How much say people were promised.",
    "method": "Code of the method.",
    "tools": "Codes of tools.",
    "techniques": "Codes of techniques.",
    "facilitators_n": "How many led it.",
    "mode": "Where people met.",
    "open": "Who could come.",
    "duration_min": "How long it was planned to last or lasted, in minutes.",
    "lang": "Languages spoken.",
    "timing_basis": "Why the date was chosen.",
    "cost_eur": "What it cost, in euro.",
    "place": "Where it is, as people know it.",
    "declared_on": "Day on which it was decided to hold it.",
    "starts_on": "Day for which it is planned.",
    "starts_at": "Hour for which it is planned, of the pilot's clock.",
    "attendance": "How many came, where no event says who.",
    "counted": "How many of the group were counted in the room, those with a code included.",
    "kind": "What was given.",
    "contribution_id": "The contribution.",
    "answers_to": "The contribution that it answers.",
    "disposition": "What became of it.",
    "decision_id": "The decision.",
    "recorded_by": "Who says so; a city that reports on itself is told apart.",
    "contribution_ids": "The contributions that are answered.",
    "role": "The strongest part that they had in the decision.",
    "level_delivered": "How much say people had in the end.",
    "inputs_considered": "Contributions considered.",
    "inputs_adopted": "Contributions adopted.",
    "fieldtest_id": "The field test.",
    "deadline": "Until when it is to be done.",
    "fieldtest.withdrawn/kind": "Whether a participant, the innovation or the research ended.",
    "hours": "Hours of staff.",
    "eur": "Money, in euro.",
    "skill": "Code of the skill.",
    "level": "From 1 (hardly) to 5 (fully).",
    "assessed_by": "Who judged.",
    "assessor": "The same as `assessed_by`.",
}
