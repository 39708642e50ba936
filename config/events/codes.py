"""The kinds of value that fields of events hold: closed lists of codes, codes of open lists, ids, numbers, days.

Closed lists are those of `config/vocabulary.toml`, written out so that a type checker knows them too; a test
compares both. Codes of open lists may be any, in lower case.
"""

from datetime import date
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

Stage = Literal["co_design", "co_decide", "co_produce", "co_evaluate"]
Level = Literal["inform", "consult", "involve", "collaborate", "empower"]
Mode = Literal["in_person", "online", "hybrid"]
Open = Literal["open", "invited"]
TimingBasis = Literal["calendar", "funding", "reactive_to_low_use", "opportunistic", "unknown"]
ActorKind = Literal["citizen", "civil_society", "business", "government", "academia", "unknown"]
Represents = Literal["self", "organisation"]
DecisionRole = Literal["informed", "consulted", "deliberated", "co_decider", "decider"]
ContributionKind = Literal["idea", "report", "comment", "vote", "test", "prototype", "data", "care"]
Disposition = Literal["adopted", "adapted", "rejected", "deferred", "none"]
Evidence = Literal["device_log", "system_log", "facilitator_record", "self_report", "estimate"]
# Closed too, and in no form that people fill in.
Consent = Literal["none", "count_only", "cohort"]
Precision = Literal["ms", "s", "minute", "hour", "day", "month"]
PopulationKind = Literal["inhabitants", "students", "visitors", "target"]
WithdrawalKind = Literal["participant", "innovation", "research"]
Assessor = Literal["staff", "self", "peer"]

CLOSED: Final = {
    "stage": Stage, "level": Level, "mode": Mode, "open": Open, "timing_basis": TimingBasis,
    "actor_kind": ActorKind, "represents": Represents, "decision_role": DecisionRole,
    "contribution_kind": ContributionKind, "disposition": Disposition, "evidence": Evidence,
}  # fmt: skip
ACTOR_KINDS: Final = frozenset(get_args(ActorKind))

# To the very end in the dialects of Python and of JSON Schema alike: Python's $ lets a last line break pass.
CODE: Final = r"^[a-z0-9][a-z0-9_.-]*(?![\s\S])"
Code = Annotated[str, Meta(pattern=CODE, max_length=64)]
Text = Annotated[str, Meta(max_length=4096)]
Name = Annotated[str, Meta(max_length=128)]
Id = Annotated[str, Meta(max_length=128)] | int
Whole = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Amount = Annotated[float, Meta(ge=0)]
Grade = Annotated[float, Meta(ge=1, le=5)]
Year = Annotated[int, Meta(ge=1800, le=2200)]
Day = date
# RFC 3339; kept as it was written, because readers of old records forgive more than a check would.
Moment = Annotated[str, Meta(max_length=64)]
