"""The indicators once more, from indicators.md alone: plain sets of people over plain lists of events.

Nothing here comes from the code under test. `events` are objects with the fields of section 3; days are
`datetime.date`s in the pilot's zone; windows are first and last day, both included.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def share(part, whole: int | None, scale: int) -> float | None:
    return scale * len(part) / whole if whole else None


class Brute:
    """All events of one pilot, by local day."""

    def __init__(self, events, zone: str, inhabitants: int | None = None) -> None:
        tz = ZoneInfo(zone)
        self.rows = [(datetime.fromtimestamp(e.time_ns // 10**9, UTC).astimezone(tz).date(), e) for e in events]
        self.inhabitants = inhabitants
        self.kinds = {e.type: [] for _, e in self.rows}
        for day, e in self.rows:
            self.kinds[e.type].append((day, e))

    def days(self, kind: str, first: date, last: date):
        return [(day, e) for day, e in self.kinds.get(kind, []) if first <= day <= last]

    def who(self, kind: str, first: date, last: date) -> set[str]:
        return {e.actor_key for _, e in self.days(kind, first, last) if e.actor_key}

    def active(self, first: date, last: date) -> set[str]:
        """A(w): distinct consented actors with at least one core action in window w."""
        return self.who("action.performed", first, last)

    def first_day(self, actor: str) -> date:
        return min(day for day, e in self.rows if e.type == "action.performed" and e.actor_key == actor)

    def on_several_days(self, first: date, last: date) -> set[str]:
        return {
            a
            for a in self.active(first, last)
            if len({day for day, e in self.days("action.performed", first, last) if e.actor_key == a}) > 1
        }

    def new(self, first: date, last: date) -> set[str]:
        """Window minus everything before."""
        return {a for a in self.active(first, last) if first <= self.first_day(a) <= last}

    def returned(self, first: date, last: date, within: int) -> set[str]:
        """Of the first-time cohort, active again 1 to `within` days after the first day."""
        found = set()
        for actor in self.new(first, last):
            began = self.first_day(actor)
            if actor in self.active(began + DAY, began + within * DAY):
                found.add(actor)
        return found

    def total(self, kind: str, first: date, last: date) -> int:
        return sum(e.count for _, e in self.days(kind, first, last))

    def participants(self, first: date, last: date) -> set[str]:
        return self.who("contribution.made", first, last) | self.who("attendance", first, last)

    def held(self, first: date, last: date) -> set[str]:
        return {e.data["activity_id"] for _, e in self.days("activity.held", first, last)}

    def came_back(self, first: date, last: date) -> tuple[set[str], set[str]]:
        """E8: attendees offered another activity within 60 days, and those of them who attended again."""
        offered, back = set(), set()
        for day, e in self.days("attendance", first, last):
            here = e.data.get("activity_id")
            if e.actor_key and self.held(day + DAY, day + 60 * DAY) - {here}:
                offered.add(e.actor_key)
                later = self.days("attendance", day + DAY, day + 60 * DAY)
                if any(
                    here is None or one.data.get("activity_id") != here
                    for _, one in later
                    if one.actor_key == e.actor_key
                ):
                    back.add(e.actor_key)
        return offered, back

    def values(self, first: date, last: date, before: tuple[date, date] | None) -> dict[str, float | None]:
        """Every value of a closed window by indicator id; None where it is not defined."""
        begin = date(1900, 1, 1)
        cohort = self.new(first, last)
        offered, back = self.came_back(first, last)
        active, participants = self.active(first, last), self.participants(first, last)
        actions = sum(e.count for _, e in self.days("action.performed", first, last) if e.actor_key)
        return {
            "people": len(active),
            "people-multi-day": None if first == last else len(self.on_several_days(first, last)),
            "active-1": len(self.active(last, last)),
            "active-7": len(self.active(last - 6 * DAY, last)),
            "active-28": len(self.active(last - 27 * DAY, last)),
            "new-people": len(cohort),
            "returning-people": None if before is None else len(active & self.active(*before)),
            "returned-day-1": len(self.returned(first, last, 1)) if cohort else None,
            "returned-days-1-7": len(self.returned(first, last, 7)) if cohort else None,
            "retention-day-1": share(self.returned(first, last, 1), len(cohort), 100),
            "retention-days-1-7": share(self.returned(first, last, 7), len(cohort), 100),
            "core-actions": self.total("action.performed", first, last),
            "core-actions-per-person": actions / len(active) if active else None,
            "adoption-per-1000": share(self.active(begin, last), self.inhabitants, 1000),
            "contributions": self.total("contribution.made", first, last),
            "statements": sum(
                e.count for _, e in self.days("contribution.made", first, last) if e.data["kind"] == "idea"
            ),
            "contributors": len(self.who("contribution.made", first, last)),
            "participants-who-use": len(participants & active),
            "activities-held": len(self.held(first, last)),
            "attendance": self.total("attendance", first, last),
            "return-participation": share(back, len(offered), 100),
            "participation-per-1000": share(participants, self.inhabitants, 1000),
        }
