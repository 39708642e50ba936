"""What the form asks: each field's kind, its words and its bounds, in the order of the steps.

A field is a choice of one code, of several, a whole number, a short code, a day or an hour; free text is none of them,
so that no name can be typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from config.vocabulary import Term, Vocabulary
from dashboard.log.languages import LANGUAGES
from dashboard.texts import _

Kind = Literal["one", "several", "number", "code", "day", "hour"]
ACTIVITY: Final = ("held", "scheduled", "cancelled")
WHATS: Final = (*ACTIVITY, "closure")
MOST_PEOPLE: Final = 20_000


@dataclass(frozen=True)
class Field:
    """`words` is the vocabulary's list of its codes; `needed` names what cannot be recorded without it."""

    kind: Kind
    words: str = ""
    most: int = 0
    least: int = 0
    needed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Form:
    """The fields by name, for one vocabulary."""

    vocabulary: Vocabulary
    fields: Mapping[str, Field]

    def terms(self, words: str) -> Mapping[str, Term]:
        """The codes of a list, each with title and sentence."""
        return self.vocabulary[words].codes

    def codes(self, field: Field) -> list[str]:
        """What a choice may be; languages are not in the vocabulary."""
        return list(LANGUAGES) if field.words == "lang" else list(self.terms(field.words))

    def counted(self, prefix: str, words: str) -> dict[str, str]:
        """Names of the fields that are one per code of a list, by code."""
        return {code: f"{prefix}{code}" for code in self.terms(words)}


def form_of(vocabulary: Vocabulary) -> Form:
    """The form with the codes of this vocabulary."""
    known = ("held", "scheduled")
    fields: dict[str, Field] = {
        "date": Field("day", needed=ACTIVITY), "time": Field("hour", needed=known),
        "stage": Field("one", "stage", needed=known), "method": Field("one", "method", needed=known),
        "level_declared": Field("one", "level", needed=known), "open": Field("one", "open", needed=known),
        "mode": Field("one", "mode", needed=known), "timing_basis": Field("one", "timing_basis", needed=known),
        "cancel_reason": Field("one", "cancel_reason", needed=("cancelled",)),
        "tools": Field("several", "tool"), "techniques": Field("several", "technique"),
        "skills_needed": Field("several", "skill"), "skills_present": Field("several", "skill"),
        "place": Field("code"), "challenge_id": Field("code"), "lang": Field("several", "lang"),
        "duration_min": Field("number", most=10_080, least=1), "facilitators_n": Field("number", most=1_000),
        "cost_eur": Field("number", most=10_000_000),
        **_numbers("count_", vocabulary["actor_kind"].codes),
        **_numbers("made_", vocabulary["contribution_kind"].codes),
        **_numbers("became_", vocabulary["disposition"].codes),
        "disposition_reason": Field("one", "disposition_reason"), "recorded_by": Field("one", "recorded_by"),
        "outcome": Field("one", "decision_outcome"), "level_delivered": Field("one", "level"),
        "inputs_considered": Field("number", most=MOST_PEOPLE), "inputs_adopted": Field("number", most=MOST_PEOPLE),
        **{f"role_{group}": Field("one", "decision_role") for group in vocabulary["actor_kind"].codes},
        "obstacles": Field("several", "obstacle"), "lessons": Field("several", "lesson"),
        "first": Field("day", needed=("closure",)), "last": Field("day", needed=("closure",)),
        "closure_reason": Field("one", "closure_reason", needed=("closure",)),
    }  # fmt: skip
    return Form(vocabulary, fields)


def _numbers(prefix: str, codes: Mapping[str, Term]) -> dict[str, Field]:
    return {f"{prefix}{code}": Field("number", most=MOST_PEOPLE) for code in codes}


def missing(name: str) -> str:
    """The sentence beside a field that must not stay empty."""
    sentences = {
        "date": _("Choose the day."), "time": _("Enter the hour at which it began."),
        "first": _("Choose the first day."), "last": _("Choose the last day."),
        "pilot": _("Choose the pilot."), "what": _("Choose what you record."),
    }  # fmt: skip
    return sentences.get(name, _("Choose one; every choice says what it means."))
