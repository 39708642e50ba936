"""Events of use: the service is seen, taken up, used, changed, away and judged. Source: indicators.md 3.3."""

from config.events.codes import Amount, Code, Id, Moment, Name, Whole
from config.events.envelope import Common


class ServiceExposed(Common, kw_only=True, gc=False):
    """Somebody saw the service or was told of it."""


class ServiceRegistered(Common, kw_only=True, gc=False):
    """Somebody signed up for the service."""


class SessionStarted(Common, kw_only=True, gc=False):
    """A visit began."""


class SessionEnded(Common, kw_only=True, gc=False):
    """A visit ended."""

    duration_ms: Amount | None = None


class ActionPerformed(Common, kw_only=True, gc=False):
    """The service was used; a core action unless `core` is false."""

    core: bool | None = None
    action: Name | None = None
    task_id: Id | None = None
    outcome: Name | None = None
    duration_ms: Amount | None = None


class Task(Common, kw_only=True, gc=False):
    """One attempt at a task."""

    task_id: Id | None = None
    task_family: Code | None = None
    attempt_id: Id | None = None
    outcome: Name | None = None
    duration_ms: Amount | None = None


class TaskStarted(Task, kw_only=True, gc=False):
    """An attempt at a task began."""


class TaskCompleted(Task, kw_only=True, gc=False):
    """A task was done."""


class TaskFailed(Task, kw_only=True, gc=False):
    """A task could not be done."""


class TaskAbandoned(Task, kw_only=True, gc=False):
    """A task was given up."""


class ServiceReleased(Common, kw_only=True, gc=False):
    """A new version of the service came out."""

    fieldtest_stage: Code | None = None
    released: Moment | None = None


class ServiceOutage(Common, kw_only=True, gc=False):
    """The service was away from `start` to `end`."""

    start: Moment | None = None
    end: Moment | None = None
    since: Moment | None = None
    until: Moment | None = None
    reason: Code | None = None


class SurveyResponse(Common, kw_only=True, gc=False):
    """One filled-in questionnaire."""

    instrument: Code | None = None
    scores: list[float | None] | dict[str, float | None] | None = None
    item: Code | None = None
    respondent: Code | None = None
    invited: Whole | None = None
    skills_needed: list[Code] | None = None
    skills_present: list[Code] | None = None
    obstacles: list[Code] | None = None
    lessons: list[Code] | None = None


TYPES: dict[str, type[Common]] = {
    "service.exposed": ServiceExposed,
    "service.registered": ServiceRegistered,
    "session.started": SessionStarted,
    "session.ended": SessionEnded,
    "action.performed": ActionPerformed,
    "task.started": TaskStarted,
    "task.completed": TaskCompleted,
    "task.failed": TaskFailed,
    "task.abandoned": TaskAbandoned,
    "service.released": ServiceReleased,
    "service.outage": ServiceOutage,
    "survey.response": SurveyResponse,
}

MEANINGS = {
    "duration_ms": "How long it took, in ms.",
    "core": "False where the action is not what the service is for.",
    "action": "Which action.",
    "task_id": "The task.",
    "task_family": "Tasks of one family are compared with each other.",
    "attempt_id": "Tells attempts at one task apart.",
    "outcome": "How it ended.",
    "fieldtest_stage": "Stage of the field test; tests are compared within one.",
    "released": "When it came out.",
    "start": "When it began.",
    "end": "When it ended.",
    "since": "The same as `start`.",
    "until": "The same as `end`.",
    "reason": "Code of the reason.",
    "instrument": "Code of the questionnaire.",
    "scores": "Scores in the order of the items, null where one is unanswered; or scores by item.",
    "item": "The item, where the event holds one item only.",
    "respondent": "Who answered, such as participant or project_manager.",
    "invited": "How many were asked to answer.",
    "skills_needed": "Codes of skills that were needed.",
    "skills_present": "Codes of skills that were there.",
    "obstacles": "Codes of what made it hard.",
    "lessons": "Codes of what to keep or to change.",
}
