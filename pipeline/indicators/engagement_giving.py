"""What people give and whether they stay: contributions and their concentration (E7), field tests (E9)."""

from collections import Counter, defaultdict
from datetime import date
from math import ceil
from typing import Final

from pipeline.indicators.diversity import gini_logit, interval_of_share, median, top_tenth, top_tenth_logit, value_of
from pipeline.indicators.engagement_rows import (
    NO_CONSENT,
    Person,
    code,
    day,
    engagement,
    found,
    nobody,
    one_key,
    participants,
)
from pipeline.indicators.intervals import wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.resampling import bootstrap, gini
from pipeline.indicators.window import Window
from pipeline.rows import Row

FOLLOWED: Final = 60
_OF_PEOPLE: Final = "of people with at least one contribution.made in the period"
NO_SIGNUP: Final = "nobody signed up for a field test in this period"


@engagement(
    id="contribution-rate",
    title="Participants who contribute",
    unit="%",
    direction="up",
    formula="100 · people with at least one contribution.made in the period / people who contributed or attended in it",
    min_n=20,
    interval_method="wilson",
    comparable="within",
    needs=("contribution.made", "attendance"),
    caveat="Channels count differently: on a platform whoever takes part contributes.",
    source="E7 contribution rate",
)
def contribution_rate(window: Window) -> list[Measure]:
    people = participants(window)
    if not people:
        return [nobody(window)]
    giving, n = len(_gifts(people)), len(people)
    lower, upper = wilson(giving, n)
    return [
        Measure(value=100 * giving / n, n=n, lower=100 * lower, upper=100 * upper, interval="wilson",
                people=(giving, n - giving, n))
    ]  # fmt: skip


def _gifts(people: dict[str, Person]) -> list[int]:
    return [person.contributions for person in people.values() if person.contributions]


def _spread(window: Window, make: str) -> list[Measure]:
    people = participants(window)
    gifts = _gifts(people)
    if not gifts:
        return [nobody(window) if not people else not_defined("no participant contributed in this period")]
    n, units, scale = len(gifts), [[float(gift)] for gift in gifts], 100.0 if make == "top" else 1.0
    disclosed = (n, ceil(n / 10 - 1e-9)) if make == "top" else (n,)
    if make == "median":
        value, interval = value_of(units, median), bootstrap(units, median)
    elif n < 2:
        return [Measure(n=n, people=disclosed)]
    else:
        value = value_of(units, top_tenth if make == "top" else gini)
        interval = interval_of_share(units, top_tenth_logit if make == "top" else gini_logit)
    lower, upper = interval if interval is not None else (None, None)
    return [
        Measure(value=scale * value, n=n, lower=None if lower is None else scale * lower,
                upper=None if upper is None else scale * upper,
                interval="" if interval is None else "bootstrap" if make == "median" else "bootstrap-t",
                people=disclosed)
    ]  # fmt: skip


@engagement(
    id="contributions-each",
    title="Contributions per contributor",
    unit="contributions",
    direction="none",
    formula=f"median number of contributions {_OF_PEOPLE}",
    min_n=20,
    interval_method="bootstrap",
    comparable="within",
    needs=("contribution.made",),
    caveat="The median moves in whole steps; see the concentration for the few who give much.",
    source="E7 median each",
)
def contributions_each(window: Window) -> list[Measure]:
    return _spread(window, "median")


@engagement(
    id="contribution-gini",
    version=3,
    title="Concentration of contributions",
    unit="0 to 1",
    direction="none",
    formula=f"Gini coefficient, times n / (n - 1), of the numbers of contributions {_OF_PEOPLE}; 0 is all alike",
    min_n=100,
    interval_method="bootstrap-t",
    comparable="within",
    needs=("contribution.made",),
    caveat="Biased low where few contribute, hence the least n.",
    source="E7 Gini",
)
def contribution_gini(window: Window) -> list[Measure]:
    return _spread(window, "gini")


@engagement(
    id="contribution-top-tenth",
    version=2,
    title="Contributions of the most active tenth",
    unit="%",
    direction="none",
    formula=f"100 · contributions by the tenth (rounded up) with the most {_OF_PEOPLE} / contributions by all of them",
    min_n=300,
    interval_method="bootstrap-t",
    comparable="within",
    needs=("contribution.made",),
    caveat="A few who give much are not wrong, but they are not everybody. Of fewer people its interval is too narrow.",
    source="E7 top-10 % share",
)
def contribution_top_tenth(window: Window) -> list[Measure]:
    return _spread(window, "top")


def _test(row: Row) -> str:
    """The field test that a row speaks of: its own id, or else its activity's."""
    own = code(row, "fieldtest_id")
    return own if own != "unknown" else code(row, "activity_id")


class Signups:
    """Who signed up in the period, for which test, and how that ended within 60 days."""

    def __init__(self, window: Window) -> None:
        self.nameless, self.young = False, False
        self.began: dict[tuple[str, str], tuple[int, str]] = {}
        for row in found(window, "fieldtest.signup"):
            if row.actor is None:
                self.nameless = True
            else:
                self.began.setdefault((_test(row), row.actor), (day(window, row), code(row, "fieldtest_stage")))
        one_key(actor for _, actor in self.began)
        self._assigned: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
        self._done: dict[tuple[str, str, str], int] = {}
        self._left: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        if self.began:
            self._follow(window)

    def _follow(self, window: Window) -> None:
        types = ("fieldtest.task_assigned", "fieldtest.task_done", "fieldtest.withdrawn")
        for row in found(window, *types, ahead=FOLLOWED):
            if row.actor is None:
                continue
            who, task = (_test(row), row.actor), code(row, "task_id")
            if row.type == "fieldtest.task_assigned":
                deadline = row.data.get("deadline")
                self._assigned[who][task] = deadline if isinstance(deadline, str) else None
            elif row.type == "fieldtest.task_done":
                self._done.setdefault((*who, task), day(window, row))
            else:
                self._left[who].append((day(window, row), code(row, "kind")))
        self.young = any(not window.closed_on(began + FOLLOWED, ("engagement",)) for began, _ in self.began.values())

    def completed(self, who: tuple[str, str]) -> bool:
        """All tasks assigned, at least one, done by their deadlines and within 60 days of signing up."""
        last = self.began[who][0] + FOLLOWED
        tasks = self._assigned.get(who, {})
        return bool(tasks) and all(
            (done := self._done.get((*who, task))) is not None and done <= min(last, _by(deadline, last))
            for task, deadline in tasks.items()
        )

    def kind(self, who: tuple[str, str]) -> str:
        """Why somebody left, as told by the first withdrawal; "unknown" where none was told."""
        last = self.began[who][0] + FOLLOWED
        told = [kind for left, kind in self._left.get(who, []) if left <= last]
        return told[0] if told else "unknown"


def _by(deadline: str | None, default: int) -> int:
    """The last day named by an ISO text."""
    try:
        return date.fromisoformat((deadline or "")[:10]).toordinal()
    except ValueError:
        return default


@engagement(
    id="field-test-drop-out",
    title="Field-test drop-out",
    unit="%",
    direction="down",
    formula="100 · (1 - people who did every task that they were assigned, at least one, by its deadline and within "
    "60 days of signing up / people who signed up in the period); in all, by kind of withdrawal and by stage of "
    "the test",
    window="the period and 60 days after",
    min_n=10,
    interval_method="wilson",
    comparable="yes",
    needs=("fieldtest.signup", "fieldtest.task_assigned", "fieldtest.task_done", "fieldtest.withdrawn"),
    dims=("kind", "fieldtest_stage"),
    look_ahead=FOLLOWED,
    caveat="Not churn: it tells of a test, not of the service. Compare only tests of the same stage.",
    source="E9 field-test drop-out",
)
def field_test_drop_out(window: Window) -> list[Measure]:
    signups = Signups(window)
    if not signups.began:
        return [not_defined(NO_CONSENT if signups.nameless else NO_SIGNUP)]
    out = {who for who in signups.began if not signups.completed(who)}
    kinds = Counter(signups.kind(who) for who in out)
    stages: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for who, (_, stage) in signups.began.items():
        stages[stage].append(who)
    n = len(signups.began)
    parts = [(len(out), n, "", "")]
    parts += [(kinds[kind], n, "kind", kind) for kind in sorted(kinds)]
    parts += [(len(out.intersection(stages[key])), len(stages[key]), "fieldtest_stage", key) for key in sorted(stages)]
    status = "incomplete" if signups.young else "ok"
    reason = f"not everybody who signed up has been followed for {FOLLOWED} days" if signups.young else ""
    return [_dropped(*part, status, reason) for part in parts]


def _dropped(hits: int, n: int, dim: str, segment: str, status: str, reason: str) -> Measure:
    lower, upper = wilson(hits, n)
    return Measure(
        value=100 * hits / n, n=n, lower=100 * lower, upper=100 * upper, interval="wilson", dim=dim, segment=segment,
        people=(hits, n - hits, n), status=status, reason=reason,
    )  # fmt: skip
