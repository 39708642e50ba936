"""The uptake indicators once more, from indicators.md and their printed formulas alone: plain loops over plain events.

Nothing here comes from the code under test. Days are `datetime.date`s in the pilot's zone; windows are first and last
day, both included; `over(day)` tells whether a day and the time allowed to its late events are over.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
HOURS_24 = 24 * 3600 * 10**9
ENDS = ["task.completed", "task.failed", "task.abandoned"]


def monday(day: date) -> date:
    return day - day.weekday() * DAY


class Uptake:
    """All events of one pilot, each once."""

    def __init__(self, events, zone: str, inhabitants: int, over) -> None:
        tz = ZoneInfo(zone)
        once = {e.event_id: e for e in events}.values()
        self.rows = [(datetime.fromtimestamp(e.time_ns // 10**9, UTC).astimezone(tz).date(), e) for e in once]
        self.inhabitants, self.over = inhabitants, over
        self.days_of: dict[str, set[date]] = {}
        for day, e in self.rows:
            if e.type == "action.performed" and e.actor_key:
                self.days_of.setdefault(e.actor_key, set()).add(day)
        self.last_day = max(day for day, _ in self.rows)

    def rows_of(self, kinds, first: date, last: date):
        return [(day, e) for day, e in self.rows if e.type in kinds and first <= day <= last]

    def core(self, first: date, last: date):
        return [(d, e) for d, e in self.rows_of(["action.performed"], first, last) if e.data.get("core", True)]

    def active(self, first: date, last: date) -> set[str]:
        return {e.actor_key for _, e in self.core(first, last) if e.actor_key}

    def first_timers(self, first: date, last: date) -> set[str]:
        return {who for who, days in self.days_of.items() if first <= min(days) <= last}

    # U1, U3, U10

    def reach(self, first, last):
        if not self.rows_of(["service.exposed"], date.min, last):
            return None
        shown = [e.actor_key for _, e in self.rows_of(["service.exposed"], first, last)]
        people = {key for key in shown if key}  # whoever carries no pseudonym cannot be told from others
        return None if shown and not people else 100 * len(people) / self.inhabitants

    def parts(self, first, last, dim):
        found = defaultdict(set)
        for _, e in self.core(first, last):
            if e.actor_key:
                word = e.actor_kind if dim == "actor_kind" else e.data.get(dim)
                stated = word not in (None, "unknown")
                found[word if stated else f"{dim.replace('_', ' ')} not stated"].add(e.actor_key)
        return {word: len(people) for word, people in found.items()} if len(found) > 1 else {}

    def flows(self, first, last, before):
        now, then = self.active(first, last), self.active(*before)
        earlier = {who for who, days in self.days_of.items() if min(days) < before[0]}
        new = self.first_timers(first, last)
        back, gone = (now - then) & earlier, then - now
        growth = (len(new) + len(back)) / len(gone) if gone else None
        return {"resurrected-people": len(back), "dormant-people": len(gone), "net-growth": growth}

    # U4, U9

    def stickiness(self, last, weekly: bool):
        first = last - 27 * DAY
        month = len(self.active(first, last))
        step, times = (7, 4) if weekly else (1, 28)
        spans = [self.active(first + n * step * DAY, first + ((n + 1) * step - 1) * DAY) for n in range(times)]
        return sum(map(len, spans)) / times / month if month else None

    def intensity(self, first, last):
        counts = Counter()
        for day, e in self.core(first, last):
            if e.actor_key and first <= monday(day) and monday(day) + 6 * DAY <= last:
                counts[e.actor_key, monday(day)] += e.count
        ordered = sorted(counts.values())
        return ordered[(len(ordered) - 1) // 2] if ordered else None

    def gini(self, first, last):
        counts = Counter()
        for _, e in self.core(first, last):
            if e.actor_key:
                counts[e.actor_key] += e.count
        x, n = list(counts.values()), len(counts)
        if n < 2:
            return None
        return sum(abs(a - b) for a in x for b in x) / (2 * n * n * (sum(x) / n)) * n / (n - 1)

    # U5, U6

    def activation(self, first, last):
        began = {}
        for day, e in self.rows:
            if e.type in ("service.registered", "session.started") and e.actor_key:
                began[e.actor_key] = min(day, began.get(e.actor_key, day))
        new = {who: day for who, day in began.items() if first <= day <= last}
        followed = {who for who, day in new.items() if self.over(day + WEEK)}
        hit = {who for who in followed if any(new[who] <= day <= new[who] + WEEK for day in self.days_of.get(who, ()))}
        return self.share(len(hit), len(followed)), len(followed) < len(new)

    @staticmethod
    def share(part, whole):
        return 100 * part / whole if whole else None

    def in_week(self, first, last, k):
        fresh = self.first_timers(first, last)
        week = {who: monday(min(self.days_of[who])) + k * WEEK for who in fresh}
        followed = {who for who in fresh if self.over(week[who] + 6 * DAY)}
        hit = {who for who in followed if any(week[who] <= day < week[who] + WEEK for day in self.days_of[who])}
        return self.share(len(hit), len(followed)), len(followed) < len(fresh)

    def last_week(self) -> date:
        """The Monday of the last week that is over."""
        week = monday(self.last_day)
        while not self.over(week + 6 * DAY):
            week -= WEEK
        return week

    def or_later(self, first, last, k):
        """Product over weeks 1 to k of the share of those still to come, among those who could be seen then."""
        end, lives = self.last_week(), []
        for who in self.first_timers(first, last):
            week = monday(min(self.days_of[who]))
            seen = max((monday(day) for day in self.days_of[who] if monday(day) <= end), default=week)
            lives.append(((seen - week).days // 7, (end - week).days // 7))
        share = 1.0
        for step in range(1, k + 1):
            at_risk = [life for life, followed in lives if followed >= step and life >= step - 1]
            if not at_risk:
                return 0.0 if share == 0 else None
            share *= sum(life >= step for life in at_risk) / len(at_risk)
        return 100 * share

    def triangle(self, weeks):
        """{(cohort, weeks after, variant): share} of the cells whose week is over."""
        end, newest, found = self.last_week(), monday(self.last_day), {}
        for back in range(weeks):
            cohort = newest - back * WEEK
            fresh = self.first_timers(cohort, cohort + 6 * DAY)
            after = 1
            while fresh and cohort + after * WEEK <= end:
                week = cohort + after * WEEK
                inside = {w for w in fresh if any(week <= day < week + WEEK for day in self.days_of[w])}
                later = {w for w in fresh if any(week <= day < end + WEEK for day in self.days_of[w])}
                found[cohort, after, "in"] = 100 * len(inside) / len(fresh)
                found[cohort, after, "or_later"] = 100 * len(later) / len(fresh)
                after += 1
        return found

    # U7, U8

    def attempts(self, first, last):
        """(family, actor, outcome, seconds or None) of every attempt that began in the window and came to something."""
        groups, found = defaultdict(list), []
        for number, (day, e) in enumerate(self.rows):
            if not e.type.startswith("task.") or not first - WEEK <= day <= last + DAY:
                continue
            if e.data.get("task_id") or e.data.get("attempt_id"):
                groups[e.service_id, e.actor_key, e.data.get("task_id"), e.data.get("attempt_id")].append((day, e))
            elif e.type in ENDS:
                groups[number].append((day, e))
        for group in groups.values():
            group.sort(key=lambda one: one[1].floor_ns)
            started = [one for one in group if one[1].type == "task.started"]
            day, begun = (started or group)[0]
            if not first <= day <= last:
                continue
            ended = {}
            for _, e in group:
                took = e.data.get("duration_ms")
                late = e.floor_ns - begun.floor_ns > HOURS_24 or (took or 0) * 10**6 > HOURS_24
                if e.type in ENDS and not late:
                    seconds = took / 1000 if took is not None else None
                    if seconds is None and started:
                        seconds = max(0, e.floor_ns - begun.floor_ns) / 1e9
                    ended.setdefault(e.type, seconds)
            kind = next((kind for kind in ENDS if kind in ended), None)
            if kind is None and not self.over(day + DAY) and all(e.type == "task.started" for _, e in group):
                continue
            family = next((e.data["task_family"] for _, e in group if e.data.get("task_family")), "unknown")
            outcome = kind.removeprefix("task.") if kind else "abandoned"
            found.append((family, begun.actor_key, outcome, ended[kind] if kind else 86_400.0))
        return found

    @staticmethod
    def success(attempts):
        return 100 * sum(one[2] == "completed" for one in attempts) / len(attempts) if attempts else None

    @staticmethod
    def time_until(attempts, share):
        """Smallest time by which the product-limit estimate of "not yet completed" is at most 1 - share."""
        timed = [
            (seconds, outcome == "completed") for _, who, outcome, seconds in attempts if who and seconds is not None
        ]
        left = 1.0
        for at in sorted({time for time, done in timed if done}):
            left *= 1 - sum(t == at and done for t, done in timed) / sum(t >= at for t, _ in timed)
            if left <= 1 - share + 1e-12:
                return at
        return None

    # U11, U12

    def channels(self, first, last):
        total, by = 0, Counter()
        for _, e in self.core(first, last):
            total += e.count
            by[e.data.get("channel", "")] += e.count
        named = {word: 100 * n / total for word, n in by.items() if word}
        return {"": sum(named.values()), **named} if named else {}

    def assisted(self, first, last):
        rows = self.core(first, last)
        if not any("assisted" in e.data for _, e in rows):
            return None
        return 100 * sum(e.count for _, e in rows if e.data.get("assisted")) / sum(e.count for _, e in rows)

    def answers(self, first, last, *names):
        latest = {}
        for _, e in sorted(self.rows_of(["survey.response"], first, last), key=lambda one: one[1].time_ns):
            if e.data["instrument"] in names and e.data.get("respondent") != "project_manager":
                latest[e.data["instrument"], e.actor_key or e.event_id] = e
        return list(latest.values())

    def sus(self, first, last):
        points = []
        for e in self.answers(first, last, "sus"):
            if len(e.data["scores"]) == 10:
                items = list(enumerate(e.data["scores"], 1))
                points.append(2.5 * sum(score - 1 if number % 2 else 5 - score for number, score in items))
        return sum(points) / len(points) if points else None

    def top_2(self, first, last):
        scores = [score for e in self.answers(first, last, "csat", "service-5") for score in e.data["scores"]]
        return 100 * sum(score >= 4 for score in scores) / len(scores) if scores else None

    def response_rate(self, first, last):
        invited, answered = {}, Counter()
        for e in self.answers(first, last, "sus", "csat", "service-5"):
            answered[e.data["instrument"]] += 1
            if e.data.get("invited"):
                invited[e.data["instrument"]] = max(e.data["invited"], invited.get(e.data["instrument"], 0))
        asked = sum(invited.values())
        return 100 * min(asked, sum(answered[one] for one in invited)) / asked if asked else None
