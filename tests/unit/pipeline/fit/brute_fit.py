"""The method-fit table once more, from indicators.md alone: plain Python over plain lists of events.

Nothing here comes from the code under test. `events` are objects with the fields of section 3; days are dates in UTC.
"""

from datetime import UTC, date, datetime, timedelta


def day_of(e) -> date:
    return datetime.fromtimestamp(e.time_ns // 10**9, UTC).date()


class BruteFit:
    """All events of one pilot, up to the last day that is over."""

    def __init__(self, events, last: date) -> None:
        self.events = [e for e in {e.event_id: e for e in events}.values() if day_of(e) <= last]
        self.events.sort(key=lambda e: (e.time_ns // 1_000_000, e.event_id))
        self.last = last
        self.held = {e.data["activity_id"]: e for e in self.kind("activity.held")}

    def kind(self, *kinds: str):
        return [e for e in self.events if e.type in kinds]

    def of(self, activity: str, kind: str):
        return [e for e in self.kind(kind) if e.data.get("activity_id") == activity]

    def attendance(self, activity: str):
        come = self.of(activity, "attendance")
        return sum(e.count for e in come) if come else self.held[activity].data.get("attendance")

    def no_show(self, activity: str):
        signed, come = self.of(activity, "registration"), self.of(activity, "attendance")
        if not signed or not come:
            return None
        names = {e.actor_key for e in signed if e.actor_key}
        if names:
            return len([n for n in names if n not in {e.actor_key for e in come}]), len(names)
        n = sum(e.count for e in signed)
        return max(0, n - sum(e.count for e in come)), n

    def answered(self, activity: str):
        hits = n = 0
        for e in self.of(activity, "contribution.made"):
            if day_of(e) + timedelta(days=30) > self.last or "contribution_id" not in e.data:
                continue
            n += 1
            replies = [
                r for r in self.kind("response.published") if e.data["contribution_id"] in r.data["contribution_ids"]
            ]
            if replies and day_of(replies[0]) <= day_of(e) + timedelta(days=30) and day_of(replies[0]) >= day_of(e):
                hits += 1
        return hits, n

    def influence(self, activity: str):
        hits = n = 0
        for e in self.of(activity, "contribution.made"):
            fates = [
                f.data["disposition"]
                for f in self.kind("contribution.disposition")
                if f.data["contribution_id"] == e.data.get("contribution_id")
            ]
            if fates and fates[-1] != "none":
                n, hits = n + e.count, hits + (e.count if fates[-1] in ("adopted", "adapted") else 0)
        if n == 0:
            for d in self.of(activity, "decision.closed"):
                n, hits = n + d.data["inputs_considered"], hits + d.data["inputs_adopted"]
        return hits, n

    def perceived(self, activity: str):
        asked = [e for e in self.of(activity, "survey.response") if e.data["instrument"] == "participation-2"]
        scores = [e.data["scores"][0] for e in asked if e.data.get("respondent") != "project_manager"]
        scores = [s for s in scores if s is not None]
        return len([s for s in scores if s >= 4]), len(scores)

    def skills(self, activity: str):
        needed, there = (
            self.held[activity].data.get("skills_needed", []),
            self.held[activity].data.get("skills_present", []),
        )
        return len([s for s in needed if s in there]), len(needed)

    def activities(self, stage: str, dim: str, code: str):
        def has(data) -> bool:
            if dim == "method":
                return data.get("method") == code
            return code in data.get({"tool": "tools", "technique": "techniques", "skill": "skills_present"}[dim], [])

        return [a for a, e in self.held.items() if stage in ("", e.data.get("stage")) and has(e.data)]

    def figures(self, stage: str, dim: str, code: str) -> dict[str, float | None]:
        """Value by figure; None where fewer than five activities say something."""
        mine = self.activities(stage, dim, code)
        come = sorted(a for a in (self.attendance(one) for one in mine) if a is not None)
        found: dict[str, float | None] = {"attendance": None}
        if len(come) >= 5:
            half = len(come) // 2
            found["attendance"] = come[half] if len(come) % 2 else (come[half - 1] + come[half]) / 2
        timed = [a for a in mine if self.held[a].data.get("duration_min")]
        given = sum(e.count for a in timed for e in self.of(a, "contribution.made"))
        hours = sum(self.held[a].data["duration_min"] for a in timed) / 60
        found["contributions_per_hour"] = given / hours if len(timed) >= 5 else None
        for name, of in (
            ("no_show", self.no_show),
            ("answered", self.answered),
            ("influence", self.influence),
            ("perceived", self.perceived),
            ("skills_met", self.skills),
        ):
            pairs = [p for p in (of(a) for a in mine) if p is not None and p[1]]
            found[name] = 100 * sum(h for h, _ in pairs) / sum(n for _, n in pairs) if len(pairs) >= 5 else None
        return found
