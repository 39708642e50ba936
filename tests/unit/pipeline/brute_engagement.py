"""Engagement once more, from indicators.md 4.2 alone: plain loops over raw events, nothing of the code under test.

`events` are objects with the fields of section 3, each once. Windows are first and last local day, both included.
Every answer is a dict: (indicator, dimension, segment) to (value, n), value None where it has no meaning.
"""

from datetime import UTC, date, datetime, timedelta
from math import ceil, comb, exp, log
from statistics import median
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
HELIX = {"citizen": 4, "civil_society": 4, "business": 3, "government": 2, "academia": 1}
KINDS = sorted(HELIX)
LADDER = ["inform", "consult", "involve", "collaborate", "empower"]
STAGES = ["co_design", "co_decide", "co_produce", "co_evaluate"]


class Engagement:
    def __init__(self, events, zone: str) -> None:
        self.of_kind = "inhabitants"  # the kind of the pilot's denominator
        tz = ZoneInfo(zone)
        dated = [
            (e.time_ns, e.event_id, datetime.fromtimestamp(e.time_ns // 10**9, UTC).astimezone(tz).date(), e)
            for e in events
        ]
        self.all = [(day, e) for _, _, day, e in sorted(dated, key=lambda one: one[:2])]

    def some(self, kind: str, first: date, last: date):
        return [(day, e) for day, e in self.all if e.type == kind and first <= day <= last]

    # E2, E3

    def participants(self, first, last):
        """By person, what each event says of them."""
        told = {}
        for kind in ("attendance", "contribution.made"):
            for _, e in self.some(kind, first, last):
                if e.actor_key:
                    told.setdefault(e.actor_key, []).append(e)
        return told

    def word(self, told, field):
        said = [e.actor_kind if field == "actor_kind" else e.data.get(field) for e in told]
        said = sorted(word for word in said if word and word != "unknown")
        return max(said, key=said.count) if said else None

    def breadth(self, first, last):
        people = self.participants(first, last)
        sizes = [0, 0, 0, 0, 0]
        for told in people.values():
            if kind := self.word(told, "actor_kind"):
                sizes[HELIX[kind]] += 1
        n, out = sum(sizes), {}
        if not people:
            return {
                (key, "", ""): (None, None)
                for key in ("effective-groups", "effective-groups-of-20", "gini-simpson", "group-coverage")
            }
        if n >= 2:
            out["effective-groups", "", ""] = exp(-sum(x / n * log(x / n) for x in sizes if x)), n
            out["gini-simpson", "", ""] = 1 - sum(x * (x - 1) for x in sizes) / (n * (n - 1)), n
        if n >= 20:
            mean = 0.0
            for size in sizes:
                for x in range(1, 21):
                    if x <= size and 20 - x <= n - size:
                        mean -= comb(size, x) * comb(n - size, 20 - x) / comb(n, 20) * x / 20 * log(x / 20)
            out["effective-groups-of-20", "", ""] = exp(mean), n
        out["group-coverage", "", ""] = sum(x > 0 for x in sizes) / 4, n
        return out

    def representation(self, first, last):
        people = self.participants(first, last)
        if not people:
            return {}
        out = {}
        for field in ("actor_kind", "age_band", "area", "gender"):
            silent = [p for p in people.values() if self.word(p, field) is None]
            out["undeclared", "dimension", field] = 100 * len(silent) / len(people), len(people)
        snapshots = self.some("population.snapshot", date.min, last)
        fitting = [e for _, e in snapshots if e.data["kind"] == self.of_kind] or [e for _, e in snapshots]
        for field, sizes in (fitting[-1].data["by_group"] if fitting else {}).items():
            words = [word for p in people.values() if (word := self.word(p, field)) in sizes]
            gaps = []
            for group, size in sizes.items():
                share = size / sum(sizes.values())
                if words:
                    gaps.append(abs(words.count(group) / len(words) - share))
                if len(words) * share >= 5:
                    ratio = words.count(group) / len(words) / share
                    out["representation", field, group] = ratio, len(words)
            out["representation-gap", "dimension", field] = (100 * max(gaps) if gaps else None), len(words)
        return out

    # E4, E5, E6

    def last_by(self, kind, field, first, last):
        return {e.data[field]: e for _, e in self.some(kind, first, last) if e.data.get(field)}

    def stages(self, first, last):
        held = self.last_by("activity.held", "activity_id", first, last)
        if not held:
            return {("stage-coverage", "", ""): (None, None)}
        reached = set()
        for activity, e in held.items():
            guests, counted = set(), 0
            for _, a in self.some("attendance", first, last):
                if a.data.get("activity_id") == activity and a.actor_kind not in ("government", "unknown"):
                    if a.actor_key:
                        guests.add(a.actor_key)
                    else:
                        counted += a.count
            if len(guests) + counted >= 3:
                reached.add(e.data["stage"])
        out = {("stage-coverage", "stage", stage): (float(stage in reached), None) for stage in STAGES}
        return {**out, ("stage-coverage", "", ""): (len(reached) / 4, len(held))}

    def depth(self, first, last):
        held = self.last_by("activity.held", "activity_id", first, last)
        levels = [e.data["level_declared"] for e in held.values() if e.data.get("level_declared")]
        n = len(levels)
        if not n:
            return {("depth", "", ""): (None, None)}
        out = {("depth", "level", level): (100 * levels.count(level) / n, n) for level in LADDER}
        out["depth", "", ""] = 100 * sum(level in LADDER[3:] for level in levels) / n, n
        return out

    def before(self, first, last):
        """Activities up to 90 days back: as held, else as announced."""
        begin = first - 90 * DAY
        announced = self.last_by("activity.scheduled", "activity_id", begin, last)
        return announced | self.last_by("activity.held", "activity_id", begin, last)

    def decisions(self, first, last):
        closed = self.last_by("decision.closed", "decision_id", first, last)
        if not closed:
            return {("decider-share", "", ""): (None, None)}
        known, out, steps = self.before(first, last), {}, []
        for e in closed.values():
            activity = known.get(e.data.get("activity_id"))
            declared, delivered = activity and activity.data.get("level_declared"), e.data.get("level_delivered")
            if declared and delivered:
                steps.append(LADDER.index(declared) - LADDER.index(delivered))
        if steps:
            out["depth-delivered", "delivery", "below"] = 100 * sum(x > 0 for x in steps) / len(steps), len(steps)
            out["depth-delivered", "delivery", "as_declared"] = 100 * steps.count(0) / len(steps), len(steps)
            out["depth-delivered", "delivery", "above"] = 100 * sum(x < 0 for x in steps) / len(steps), len(steps)
        deciding = {
            (e.data["decision_id"], e.actor_kind)
            for _, e in self.some("decision.participated", first - 90 * DAY, last)
            if e.data["role"] in ("decider", "co_decider")
        }
        stage_of = {}
        for decision, e in closed.items():
            activity = known.get(e.data.get("activity_id"))
            stage_of[decision] = e.data.get("stage") or (activity.data["stage"] if activity else "unknown")
        n = len(closed)
        for kind in KINDS:
            mine = [d for d in closed if (d, kind) in deciding]
            out["decider-share", "group", kind] = 100 * len(mine) / n, n
            for stage in set(stage_of.values()):
                of = [d for d in closed if stage_of[d] == stage]
                hits = [d for d in mine if stage_of[d] == stage]
                out["decider-share", "stage_group", f"{stage}/{kind}"] = 100 * len(hits) / len(of), len(of)
        others = [d for d in closed if any((d, kind) in deciding for kind in KINDS if kind != "government")]
        out["decider-share", "", ""] = 100 * len(others) / n, n
        return out

    # E7, E9

    def giving(self, first, last):
        people = self.participants(first, last)
        gifts = [sum(e.count for e in p if e.type == "contribution.made") for p in people.values()]
        each = sorted(gift for gift in gifts if gift)
        if not people:
            return {("contribution-rate", "", ""): (None, None)}
        n, out = len(each), {("contribution-rate", "", ""): (100 * len(each) / len(people), len(people))}
        if each:
            out["contributions-each", "", ""] = median(each), n
        if n > 1:
            distance = sum(abs(x - y) for x in each for y in each)
            out["contribution-gini", "", ""] = distance / (2 * n * (n - 1) * (sum(each) / n)), n
            out["contribution-top-tenth", "", ""] = 100 * sum(each[-ceil(n / 10) :]) / sum(each), n
        return out

    def field_tests(self, first, last):
        began = {}
        for day, e in self.some("fieldtest.signup", first, last):
            if e.actor_key:
                began.setdefault((e.data["fieldtest_id"], e.actor_key), (day, e.data.get("fieldtest_stage", "unknown")))
        if not began:
            return {("field-test-drop-out", "", ""): (None, None)}
        out_, kinds, stages = [], [], [stage for _, stage in began.values()]
        for (test, who), (day, stage) in began.items():

            def mine(kind, test=test, who=who):
                found = self.some(kind, first, last + 60 * DAY)
                return [(d, e) for d, e in found if (e.data["fieldtest_id"], e.actor_key) == (test, who)]

            end = day + 60 * DAY
            tasks = {e.data["task_id"]: e.data.get("deadline") for _, e in mine("fieldtest.task_assigned")}
            done = {}
            for d, e in mine("fieldtest.task_done"):
                done.setdefault(e.data["task_id"], d)
            by = {task: min(end, date.fromisoformat(text)) if text else end for task, text in tasks.items()}
            if tasks and all(task in done and done[task] <= by[task] for task in tasks):
                continue
            left = [e.data["kind"] for d, e in mine("fieldtest.withdrawn") if d <= end]
            out_.append(stage)
            kinds.append(left[0] if left else "unknown")
        n = len(began)
        out = {("field-test-drop-out", "", ""): (100 * len(out_) / n, n)}
        out |= {("field-test-drop-out", "kind", kind): (100 * kinds.count(kind) / n, n) for kind in set(kinds)}
        for stage in set(stages):
            of = stages.count(stage)
            out["field-test-drop-out", "fieldtest_stage", stage] = 100 * out_.count(stage) / of, of
        return out

    # E10, E11

    def waits(self, first, last):
        """Days to the first answer of each contribution, None where none came within 60 days."""
        made, waits = {}, []
        for day, e in self.some("contribution.made", first, last):
            if e.data.get("contribution_id"):
                made.setdefault(e.data["contribution_id"], day)
        for key, day in made.items():
            answers = [
                max(0, (d - day).days)
                for d, e in self.some("response.published", first, date.max)
                if key in e.data["contribution_ids"]
            ]
            waits.append(min((x for x in answers if x <= 60), default=None))
        return made, waits

    def answers(self, first, last):
        made, waits = self.waits(first, last)
        if not made:
            return {
                (key, "", ""): (None, None) for key in ("days-to-answer", "answered-30-days", "without-disposition")
            }
        n, out = len(made), {}
        alive, middle = 1.0, None
        for t in range(61):
            at_risk = sum(w is None or w >= t for w in waits)
            if at_risk:
                alive *= 1 - sum(w == t for w in waits) / at_risk
            if middle is None and alive <= 0.5 + 1e-9:
                middle = float(t)
        out["days-to-answer", "", ""] = (middle, n if middle is not None else None)
        out["answered-30-days", "", ""] = 100 * sum(w is not None and w <= 30 for w in waits) / n, n
        told = {
            e.data["contribution_id"]
            for d, e in self.some("contribution.disposition", first, date.max)
            if (key := e.data.get("contribution_id")) in made
            and d <= made[key] + 60 * DAY
            and e.data["disposition"] != "none"
        }
        out["without-disposition", "", ""] = 100 * (n - len(told)) / n, n
        return out

    def inputs(self, first, last):
        """(who recorded it, taken up, how many, activity, contribution) of each input treated in the window."""
        events = [e for _, e in self.some("contribution.disposition", first, last)]
        last_word = {e.data["contribution_id"]: e for e in events if e.data.get("contribution_id")}
        events = [e for e in events if not e.data.get("contribution_id")] + list(last_word.values())
        named = {e.data.get("activity_id") for e in events} - {None}
        found = [
            (e.data.get("recorded_by", "unknown"), e.data["disposition"] in ("adopted", "adapted"), e.count,
             e.data.get("activity_id"), e.data.get("contribution_id"))
            for e in events
            if e.data["disposition"] != "none"
        ]  # fmt: skip
        for e in self.last_by("decision.closed", "decision_id", first, last).values():
            considered, adopted = e.data.get("inputs_considered"), e.data.get("inputs_adopted")
            if considered is None or adopted is None or adopted > considered or e.data.get("activity_id") in named:
                continue
            found.append(("unknown", True, adopted, e.data.get("activity_id"), None))
            found.append(("unknown", False, considered - adopted, e.data.get("activity_id"), None))
        return found

    def influence(self, first, last):
        inputs = self.inputs(first, last)
        n = sum(count for _, _, count, _, _ in inputs)
        if not n:
            return {("influence", "", ""): (None, None)}
        out = {("influence", "", ""): (100 * sum(c for _, hit, c, _, _ in inputs if hit) / n, n)}
        for recorder in {one[0] for one in inputs}:
            of = sum(c for who, _, c, _, _ in inputs if who == recorder)
            if of:
                hits = sum(c for who, hit, c, _, _ in inputs if who == recorder and hit)
                out["influence", "recorded_by", recorder] = 100 * hits / of, of
        return out

    # E12, E13

    def survey(self, first, last):
        rows = [
            e
            for _, e in self.some("survey.response", first, last)
            if e.data["instrument"] == "participation-2" and e.data.get("respondent") != "project_manager"
        ]
        out = {}
        for place, item in enumerate(("influence", "trust")):
            given = [(e.data["scores"][place], e.count) for e in rows if e.data["scores"][place] is not None]
            n = sum(count for _, count in given)
            if n:
                out["perceived-influence", "item", item] = 100 * sum(c for x, c in given if x >= 4) / n, n
        treated = self.influence(first, last)["influence", "", ""]
        seen = out.get(("perceived-influence", "item", "influence"), (None, None))
        if seen[1] and treated[1]:
            out["influence-gap", "", ""] = seen[0] - treated[0], min(seen[1], treated[1])
        hits = whole = 0
        for activity in {e.data.get("activity_id") for e in rows} - {None}:
            mine = [e for e in rows if e.data.get("activity_id") == activity]
            guests = [
                e.count
                for _, e in self.some("attendance", first - 30 * DAY, last)
                if e.data.get("activity_id") == activity
            ]
            asked = max(e.data.get("invited", 0) for e in mine) or sum(guests)
            hits, whole = hits + min(asked, sum(e.count for e in mine)), whole + asked
        if whole:
            out["participation-survey-response", "", ""] = 100 * hits / whole, whole
        return out

    def effort(self, first, last):
        out = {}
        known = self.before(first, last)
        givers = {}
        for _, e in self.some("contribution.made", first, last):
            if e.actor_key:
                givers.setdefault(e.actor_key, set()).add(e.data.get("activity_id"))
        of_contribution = {
            e.data["contribution_id"]: e.data.get("activity_id")
            for _, e in self.some("contribution.made", first - 90 * DAY, last)
            if e.data.get("contribution_id")
        }
        adopted = [
            (activity or of_contribution.get(key), count)
            for _, hit, count, activity, key in self.inputs(first, last)
            if hit
        ]
        for what in ("hours", "eur"):
            spent = [e for _, e in self.some("resource.spent", first, last) if e.data.get(what) is not None]
            if not spent:
                out[f"{what}-per-contributor", "", ""] = out[f"{what}-per-adopted", "", ""] = None, None
                continue
            on = {e.data["activity_id"] for e in spent if e.data.get("activity_id")}
            whole = sum(e.data[what] for e in spent)
            joint = sum(e.data[what] for e in spent if not e.data.get("activity_id"))
            method = {a: known[a].data["method"] for a in on if a in known}
            for per in ("contributor", "adopted"):
                key = f"{what}-per-{per}"
                results = len(givers) if per == "contributor" else sum(count for _, count in adopted)
                out[key, "", ""] = (whole / results, len(on)) if results else (None, None)
                for name in set(method.values()):
                    mine = {a for a in method if method[a] == name}
                    cost = sum(e.data[what] for e in spent if e.data.get("activity_id") in mine)
                    cost += joint * len(mine) / len(on)
                    if per == "contributor":
                        results = sum(
                            len(places & mine) / len({p if p in on else None for p in places})
                            for places in givers.values()
                        )
                    else:
                        results = sum(count for activity, count in adopted if activity in mine)
                    out[key, "method", name] = (cost / results, len(mine)) if results else (None, None)
        return out

    def everything(self, first: date, last: date):
        out = {}
        for part in (
            self.breadth, self.representation, self.stages, self.depth, self.decisions, self.giving,
            self.field_tests, self.answers, self.influence, self.survey, self.effort,
        ):  # fmt: skip
            out |= part(first, last)
        return out
