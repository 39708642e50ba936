"""Pure: what must hold for a whole row, and between rows; the cells themselves are right already.

Promises: a row passes every rule or gets one sentence; days and hours are the pilot's own; an activity that another row
speaks of was accepted in this workbook, or is known from before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from collectors.workbook.cells import Wrong
from collectors.workbook.form import GROUPS, SCORES, Sheet

Values = Mapping[str, Any]


@dataclass
class Row:
    """One filled row: where it stands and what its cells say."""

    sheet: Sheet
    number: int
    values: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.values[self.sheet.key.field])

    @property
    def name(self) -> str:
        """The row's name across sheets and imports."""
        return f"{self.sheet.name}/{self.id}"


@dataclass
class Known:
    """What rows may refer to: days of accepted activities by id, those refused here, and others recorded before."""

    today: date
    zone: ZoneInfo
    days: dict[str, date]
    refused: dict[str, int] = field(default_factory=dict)
    elsewhere: Callable[[], Mapping[str, date]] = dict
    _recorded: Mapping[str, date] | None = None

    def day_of(self, activity: str) -> date | None:
        """The day of an activity; raises Wrong for one that is not known."""
        if activity in self.days:
            return self.days[activity]
        if activity in self.refused:
            raise Wrong(
                f'The activity "{activity}" was refused in row {self.refused[activity]} of Activities; mend that first.'
            )
        if self._recorded is None:
            self._recorded = self.elsewhere()
        if activity in self._recorded:
            return self._recorded[activity]
        raise Wrong(f'There is no activity "{activity}"; add it to the sheet Activities or correct the id.')


def check(row: Row, known: Known) -> None:
    """Raise Wrong when the row breaks a rule; fills in the day that attendance takes from its activity."""
    values = row.values
    if row.sheet.name != "activities" and values.get("activity_id"):
        day = known.day_of(values["activity_id"])
        if row.sheet.name == "attendance" and values.get("date") is None:
            values["date"] = day
    _RULES[row.sheet.name](values, known)
    for column in row.sheet.columns:
        day = values.get(column.field)
        is_plan = column.field == "date" and values.get("status") in ("scheduled", "cancelled")
        if column.kind == "date" and day is not None and day > known.today and not is_plan:
            raise Wrong(f"{column.title} {day} lies in the future.")


def _activity(values: Values, known: Known) -> None:
    status, day = values["status"], values["date"]
    _both(values, "announced_on", "timing_basis", "A day of announcement needs the reason why at this time")
    if status == "scheduled" and values["announced_on"] is None:
        raise Wrong("A scheduled activity needs the day of announcement and the reason why at this time.")
    if status == "cancelled" and values["cancelled_on"] is None:
        raise Wrong("A cancelled activity needs the day on which it was cancelled.")
    if status != "cancelled" and (values["cancelled_on"] or values["cancel_reason"]):
        raise Wrong("There is a day or reason of cancelling, but the state is not cancelled.")
    _not_before(values, "date", "announced_on", "The activity lies before its announcement")
    if values["start"] is not None and not _exists(datetime.combine(day, values["start"]), known.zone):
        raise Wrong(f"The hour {values['start']:%H:%M} does not exist on {day}: the clocks go forward.")


def _attendance(values: Values, known: Known) -> None:
    if values["date"] is None:
        raise Wrong("The day of that activity is not known here; give the date.")
    if (values["count"] is None) == (values["code"] is None):
        raise Wrong("Give either a count for the group or the code of one person who consented.")


def _decision(values: Values, known: Known) -> None:
    if values["opened_on"] is None and values["closed_on"] is None:
        raise Wrong("A decision needs the day it was opened or the day it was decided.")
    _not_before(values, "closed_on", "opened_on", "It was decided before it was opened")
    result = [values[name] for name in ("level_delivered", "outcome")]
    if values["closed_on"] is not None and None in result:
        raise Wrong("A decision that is made needs the level delivered and the outcome.")
    if values["closed_on"] is None and any(item is not None for item in result):
        raise Wrong("There is a level or an outcome, but no day on which it was decided.")
    if all(values[f"role_{group}"] is None for group in GROUPS):
        raise Wrong("No group has a role in this decision; give at least one.")
    considered, adopted = values["inputs_considered"], values["inputs_adopted"]
    if adopted is not None and (considered is None or adopted > considered):
        raise Wrong("More contributions were adopted than considered.")


def _contribution(values: Values, known: Known) -> None:
    if values["count"] is not None and values["code"] is not None:
        raise Wrong("Give either a count or the code of one person, not both.")
    _both(values, "disposition", "disposition_on", "What became of it and the day of that go together")
    if values["disposition"] is None and values["disposition_reason"] is not None:
        raise Wrong("There is a reason, but not what became of it.")
    _not_before(values, "disposition_on", "date", "It was decided on before it was given")
    _not_before(values, "answered_on", "date", "It was answered before it was given")


def _survey(values: Values, known: Known) -> None:
    if all(values[f"item_{n}"] is None for n in range(1, SCORES + 1)):
        raise Wrong("No item has a score.")


def _both(values: Values, one: str, other: str, sentence: str) -> None:
    if (values[one] is None) != (values[other] is None):
        raise Wrong(f"{sentence}.")


def _not_before(values: Values, later: str, earlier: str, sentence: str) -> None:
    if values[later] is not None and values[earlier] is not None and values[later] < values[earlier]:
        raise Wrong(f"{sentence} ({values[later]}, {values[earlier]}).")


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


_RULES: Final[Mapping[str, Callable[[Values, Known], None]]] = {
    "activities": _activity, "attendance": _attendance, "decisions": _decision, "contributions": _contribution,
    "surveys": _survey,
}  # fmt: skip
