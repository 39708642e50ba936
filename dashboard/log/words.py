"""Pure: what the fields are called, and on which step each stands; the form and the browser's review share it."""

from typing import Any, Final

from dashboard.log.fields import Form
from dashboard.log.languages import LANGUAGES
from dashboard.texts import _

STEPS: Final = 5


def labels(form: Form) -> dict[str, str]:
    """The label of every field, in the order of the steps."""
    told = form.vocabulary
    named = {
        "what": _("What you record"), "pilot": _("Pilot"), "date": _("Day"), "time": _("Began at"),
        "first": _("First day"), "last": _("Last day"), "closure_reason": _(told["closure_reason"].title),
        "cancel_reason": _(told["cancel_reason"].title), "method": _("Method"), "stage": _("Stage"),
        "level_declared": _("Level declared"), "open": _("Open or invited"), "mode": _("Mode"),
        "timing_basis": _("Why at this time"), "tools": _("Tools"), "techniques": _("Techniques"),
        "skills_needed": _("Skills needed"), "skills_present": _("Skills present"), "place": _("Area code"),
        "challenge_id": _("Challenge"), "lang": _("Languages"), "duration_min": _("Duration"),
        "facilitators_n": _("Facilitators"), "cost_eur": _("Cost"),
    }  # fmt: skip
    for prefix, words in (("count_", "actor_kind"), ("made_", "contribution_kind"), ("became_", "disposition")):
        named |= {name: _(form.terms(words)[code].title) for code, name in form.counted(prefix, words).items()}
    named |= {
        "disposition_reason": _("Reason for that"), "recorded_by": _("Said by"),
        "outcome": _("Outcome of the decision"),
        "level_delivered": _("Level delivered"), "inputs_considered": _("Contributions considered"),
        "inputs_adopted": _("Contributions adopted"),
    }  # fmt: skip
    named |= {
        f"role_{group}": _("Role: {group}", group=_(term.title)) for group, term in form.terms("actor_kind").items()
    }
    return named | {"obstacles": _("Obstacles"), "lessons": _("Lessons")}


def step_of(name: str) -> int:
    """The step on which a field stands."""
    if name in ("what", "pilot", "date", "time", "first", "last", "closure_reason", "cancel_reason"):
        return 1
    if name.startswith("count_"):
        return 3
    came_out = ("made_", "became_", "disposition", "recorded", "outcome", "level_delivered", "inputs_", "role_")
    return 4 if name.startswith((*came_out, "obstacles", "lessons")) else 2


def for_browser(form: Form, pilots: dict[str, str], who: str) -> dict[str, Any]:
    """What the browser needs to keep the draft of this reader and to say it again in words, also without the server."""
    lists = {name: field.words for name, field in form.fields.items() if field.words}
    titles = {words: {code: _(term.title) for code, term in form.terms(words).items()}
              for words in sorted(set(lists.values()) - {"lang"})}  # fmt: skip
    named = labels(form)
    return {
        "who": who,
        "labels": named,
        "steps": {name: step_of(name) for name in named},
        "lists": {**lists, "what": "what", "pilot": "pilot"},
        "several": [name for name, field in form.fields.items() if field.kind == "several"],
        "titles": {**titles, "lang": LANGUAGES, "pilot": pilots, "what": whats()},
        "said": {
            "draft": _("Kept on this device"),
            "empty": _("Nothing is entered yet."),
            "correcting": _("You correct a record; saving replaces what it said."),
        },
    }


def whats() -> dict[str, str]:
    """What can be recorded, by code."""
    return {"held": _("An activity was held"), "scheduled": _("An activity is planned"),
            "cancelled": _("An activity was cancelled"), "closure": _("Days without participation")}  # fmt: skip
