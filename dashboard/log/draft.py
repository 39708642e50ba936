"""Pure: what a browser sent → an entry that may be recorded, or a sentence for each field that is wrong.

Promises: nothing that the form does not ask is kept; a choice is a code of the vocabulary; what was held has begun;
days and hours are the pilot's own, and an hour that its clocks leave out is refused.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from config.catalogue import Feed, Pilot
from dashboard.log.fields import ACTIVITY, WHATS, Field, Form, missing
from dashboard.texts import _

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{7,39}")
_PLACE: Final = re.compile(r"(?=[A-Z0-9-]*\d|[A-Z]{1,6}$)[A-Z0-9]+(?:-[A-Z0-9]+){0,4}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD: Final = timedelta(minutes=10)
_OLDEST: Final = timedelta(days=399)
_LONGEST_CLOSURE: Final = timedelta(days=366)
_LONGEST_CODE: Final = 20
# A year that slipped while typing, such as 0026, has neither a time in ns nor days around it to look at.
FIRST_YEAR, LAST_YEAR = 1971, 2199


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one record says: `values` holds only fields that were filled in, and are right."""

    id: str
    pilot: str
    what: str
    values: dict[str, Any]

    @property
    def kind(self) -> str:
        return "activity" if self.what in ACTIVITY else "closure"


class Wrong(Exception):
    """Nothing was recorded: a sentence for each field, and under "" what concerns no single one."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        super().__init__("; ".join(sentences.values()))
        self.sentences = dict(sentences)


def fields_in(given: object) -> dict[str, Any]:
    """The fields of a draft as a browser keeps it; {} of anything else."""
    fields = given.get("fields") if isinstance(given, dict) else None
    return fields if isinstance(fields, dict) else {}


def record_id(given: object) -> str:
    """The id that the draft was begun with; raises Wrong for anything that is none."""
    found = fields_in(given).get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise Wrong({"": _("This draft has no id of its own; begin a new one.")})
    return found


def entry_in(given: object, form: Form, pilots: Mapping[str, tuple[Pilot, Feed]], now_ns: int) -> Entry:
    """The entry of a draft; `pilots` are those that its operator may record for. Raises Wrong."""
    fields, wrong, values = fields_in(given), dict[str, str](), dict[str, Any]()
    what, slug = str(fields.get("what")), str(fields.get("pilot"))
    if what not in WHATS:
        wrong["what"] = missing("what")
    if slug not in pilots:
        wrong["pilot"] = missing("pilot")
    if wrong:
        raise Wrong(wrong)
    for name, field in form.fields.items():
        if not _asked(name, what):
            continue
        value = fields.get(name)
        try:
            found = None if value in (None, "", []) else _read(field, value, form)
        except ValueError as error:
            wrong[name] = str(error)
            continue
        if found in (None, "", []):
            if what in field.needed:
                wrong[name] = missing(name)
        else:
            values[name] = found
    wrong |= {name: said for name, said in _together(what, values, *pilots[slug], now_ns).items() if name not in wrong}
    if wrong:
        raise Wrong(wrong)
    return Entry(id=record_id(given), pilot=slug, what=what, values=values)


def _asked(name: str, what: str) -> bool:
    """Whether a field belongs to what is recorded; what came out is asked only of what was held."""
    if name in ("first", "last", "closure_reason"):
        return what == "closure"
    if what == "closure":
        return False
    if name == "cancel_reason":
        return what == "cancelled"
    came_out = (
        "count_",
        "made_",
        "became_",
        "role_",
        "disposition_",
        "recorded_",
        "outcome",
        "level_delivered",
        "inputs_",
    )
    return what == "held" or not name.startswith((*came_out, "obstacles", "lessons", "skills_present"))


def _read(field: Field, value: object, form: Form) -> Any:
    match field.kind:
        case "one":
            if value in form.codes(field):
                return value
            raise ValueError(_("This is none of the choices; choose again."))
        case "several":
            if isinstance(value, list) and all(one in form.codes(field) for one in value):
                return list(dict.fromkeys(value))
            raise ValueError(_("One of these is none of the choices; remove it."))
        case "number":
            return _whole(field, value)
        case "code":
            return _code(value)
        case "day":
            return _day(value)
        case "hour":
            return _hour(value)


def _whole(field: Field, value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not field.least <= value <= field.most:
        raise ValueError(_("Enter a whole number from {least} to {most}.", least=field.least, most=f"{field.most:,}"))
    return value


def _code(value: object) -> str:
    text = str(value).strip().upper()
    if not isinstance(value, str) or len(text) > _LONGEST_CODE or not _PLACE.fullmatch(text):
        raise ValueError(_("Enter a code such as 16157 or PEGLI-2, and no name or address."))
    return text


def _day(value: object) -> str:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(_("This is no day; choose it again.")) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(_("The year is wrong; choose the day again."))
    return day.isoformat()


def _hour(value: object) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", str(value)):
        raise ValueError(_("Enter the hour as 18:30."))
    return str(value)[:5]


def _together(what: str, values: Mapping[str, Any], pilot: Pilot, feed: Feed, now_ns: int) -> dict[str, str]:
    """What is wrong between fields that are right alone."""
    if what == "closure":
        return _closure(values)
    wrong: dict[str, str] = {}
    now = _EPOCH + timedelta(microseconds=now_ns // 1000)
    if what == "held" and "date" in values and "time" in values:
        local = datetime.fromisoformat(f"{values['date']}T{values['time']}")
        began = local.replace(tzinfo=pilot.zone)
        oldest = feed.accept_since or (now - _OLDEST).astimezone(pilot.zone).date()
        if began.astimezone(UTC).astimezone(pilot.zone).replace(tzinfo=None) != local:
            wrong["time"] = _("This hour does not exist on that day: the clocks go forward.")
        elif began > now + _AHEAD:
            wrong["date"] = _("This is still to come; record it as planned.")
        elif local.date() < oldest:
            wrong["date"] = _("Days before {day} are not taken any more.", day=oldest.isoformat())
    return wrong | _decision(values)


def _decision(values: Mapping[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    roles = [name for name in values if name.startswith("role_")]
    told = [name for name in ("outcome", "level_delivered", "inputs_considered", "inputs_adopted") if name in values]
    if roles or told:
        if "outcome" not in values:
            wrong["outcome"] = _("Choose what was decided, or remove the rest of the decision.")
        if "level_delivered" not in values:
            wrong["level_delivered"] = _("Choose how much say people really had.")
        if not roles:
            wrong["role_citizen"] = _("Choose the part of at least one group.")
    if values.get("inputs_adopted", 0) > values.get("inputs_considered", 0):
        wrong["inputs_adopted"] = _("More were adopted than considered.")
    return wrong


def _closure(values: Mapping[str, Any]) -> dict[str, str]:
    if "first" not in values or "last" not in values:
        return {}
    first, last = date.fromisoformat(values["first"]), date.fromisoformat(values["last"])
    if last < first:
        return {"last": _("The last day lies before the first.")}
    return {"last": _("A closure is at most a year.")} if last - first > _LONGEST_CLOSURE else {}
