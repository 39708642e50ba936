"""The state machine of one alert, pure: what is known, one more judged day or none, and the time.

Promises: a day that is not judged never opens and never closes anything; counting is in judged days, not in
clock time; the expectation is frozen while an incident is open; time is an argument. Source: alerts.md 6; the
rule itself is the week-half rule of alerts.md 10 until the count detector comes behind the same interface.
"""

from statistics import median
from typing import Any, Final

import msgspec

from pipeline.model import NS_PER_S

BACKFILL_NS: Final = 7 * 86_400 * NS_PER_S


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How a fall is recognised. A week counts when `week_days` of its 7 days are judged, scaled to 7."""

    kind: str = "drop_off"
    version: int = 1
    learn_days: int = 28
    ratio: float = 0.5
    least_fall: float = 5.0
    recover: float = 0.8
    recover_days: int = 3
    week_days: int = 5
    weeks: int = 3


class JudgedDay(msgspec.Struct, frozen=True):
    """One local day as the alert sees it. `value` is None where the day is not judged: `why` says held (a feed
    was not healthy) or masked (the calendar leaves it out). `number` counts days; `over_ns` is when it was due."""

    day: str
    number: int
    value: float | None
    over_ns: int
    why: str = ""


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """Something began or ended. `at_ns` is when the facts were due, `since` the day the evidence began."""

    pilot: str
    kind: str
    series: str
    what: str
    day: str
    since: str
    at_ns: int
    sentence: str
    reason: str
    severity: str = "warning"
    backfill: bool = False
    inputs: dict[str, Any] = {}


class State(msgspec.Struct, frozen=True, kw_only=True):
    """`phase`: learning, ok or firing; `held` is a mark beside it. `recent` are the last 35 days as (number,
    value or None)."""

    phase: str = "learning"
    held: bool = False
    judged: int = 0
    recent: tuple[tuple[int, float | None], ...] = ()
    expected: float | None = None
    since: str = ""
    recovering: int = 0


def step(
    state: State,
    rule: Rule,
    judged: JudgedDay | None,
    now_ns: int,
    pilot: str = "",
    series: str = "",
) -> tuple[State, list[Transition]]:
    """The state after one more day; `judged` None (nothing new to judge) changes nothing."""
    if judged is None:
        return state, []
    recent = (
        *((number, value) for number, value in state.recent if number > judged.number - 35),
        (judged.number, judged.value),
    )
    state = msgspec.structs.replace(state, recent=recent, held=judged.value is None and judged.why == "held")
    if judged.value is None:
        return state, []
    state = msgspec.structs.replace(state, judged=state.judged + 1)
    if state.phase == "learning":
        state = msgspec.structs.replace(state, phase="ok" if state.judged >= rule.learn_days else "learning")
    week = _week(recent, judged.number, rule)
    if week is None or state.phase == "learning":
        return state, []
    tell = _Teller(rule, pilot, series, judged, now_ns)
    return _watch(state, rule, week, tell) if state.phase == "ok" else _mend(state, rule, week, tell)


def _watch(state: State, rule: Rule, week: float, tell: "_Teller") -> tuple[State, list[Transition]]:
    earlier = [
        found for back in (7, 14, 21, 28) if (found := _week(state.recent, tell.judged.number - back, rule)) is not None
    ]
    if len(earlier) < rule.weeks:
        return state, []
    expected = float(median(earlier))
    if week >= rule.ratio * expected or expected - week < rule.least_fall:
        return state, []
    firing = msgspec.structs.replace(state, phase="firing", expected=expected, since=tell.judged.day, recovering=0)
    return firing, [tell.opened(week, expected)]


def _mend(state: State, rule: Rule, week: float, tell: "_Teller") -> tuple[State, list[Transition]]:
    expected = state.expected or 0.0
    if week < rule.recover * expected:
        return msgspec.structs.replace(state, recovering=0), []
    recovering = state.recovering + 1
    if recovering < rule.recover_days:
        return msgspec.structs.replace(state, recovering=recovering), []
    calm = msgspec.structs.replace(state, phase="ok", expected=None, since="", recovering=0)
    return calm, [tell.closed(week, expected, state.since)]


def _week(recent: tuple[tuple[int, float | None], ...], last: int, rule: Rule) -> float | None:
    """The sum of the 7 days up to `last`, scaled by its judged days; None with too few of them."""
    values = [value for number, value in recent if last - 6 <= number <= last and value is not None]
    return sum(values) * 7 / len(values) if len(values) >= rule.week_days else None


class _Teller(msgspec.Struct, frozen=True):
    rule: Rule
    pilot: str
    series: str
    judged: JudgedDay
    now_ns: int

    def opened(self, week: float, expected: float) -> Transition:
        fall = 1 - week / expected
        sentence = (
            f"{self.series.capitalize()}: {week:.0f} in the 7 days to {self.judged.day}, expected about "
            f"{expected:.0f} (the median of the four weeks before), down {fall:.0%}. Its feeds were healthy."
        )
        return self._transition(
            "opened", self.judged.day, sentence, "fell below half of its 4-week median", week, expected
        )

    def closed(self, week: float, expected: float, since: str) -> Transition:
        sentence = f"{self.series.capitalize()}: back at {week:.0f} in 7 days, of {expected:.0f} before the fall."
        return self._transition("closed", since, sentence, "recovered on 3 judged days", week, expected)

    def _transition(
        self, what: str, since: str, sentence: str, reason: str, week: float, expected: float
    ) -> Transition:
        severity = "critical" if week < 0.3 * expected else "warning"
        return Transition(
            pilot=self.pilot,
            kind=self.rule.kind,
            series=self.series,
            what=what,
            day=self.judged.day,
            since=since,
            at_ns=self.judged.over_ns,
            sentence=sentence,
            reason=reason,
            severity=severity,
            backfill=self.now_ns - self.judged.over_ns > BACKFILL_NS,
            inputs={"week": week, "expected": expected, "rule": self.rule.version},
        )
