"""effects.csv of the evaluator's package: a row per activity or campaign and declared outcome.

Source: indicators.md 8.
"""

from collections.abc import Iterable
from typing import Final

from pipeline.effects.conditions import CHECKS
from pipeline.findings import Effect

Table = tuple[tuple[tuple[str, str, str], ...], list[list[object]]]
_SAYS: Final = {
    "a": "the date was fixed and recorded before the outcome",
    "b": "the date did not depend on use",
    "c": "enough complete weeks before and after",
    "d": "no release, outage, closure, holiday, price or definition change within the window",
    "e": "windows of no two activities overlap",
    "f": "attendees' use on the day and use that the activity brought about are left out",
    "g": "feeds at least 90 % complete throughout (Q1)",
    "h": "outcome and window declared beforehand",
}
COLUMNS: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("activity_id", "string", "Activity, or method:CODE where all activities of a method are taken together."),
    ("day", "date", "Local day on which it, or the first of them, was held."),
    ("method", "string", "Code of the method."),
    ("outcome", "string", "people or core_actions, per week."),
    ("window_weeks", "integer", "Weeks before and after that are compared."),
    ("activities", "integer", "Activities that entered; empty where none did."),
    ("before", "number", "Mean per week before."),
    ("after", "number", "Mean per week after."),
    ("estimate", "number", "Change of the mean logarithm, in percent."),
    ("lower", "number", "Lower 95 % bound of the estimate."),
    ("upper", "number", "Upper 95 % bound of the estimate."),
    ("interval_method", "string", "How the bounds were computed."),
    ("test", "string", "placebo_date or circular_shift; empty where none was done."),
    ("placebo_below", "integer", "Other dates at which the change was smaller, in the declared direction."),
    ("placebo_dates", "integer", "Other dates compared with."),
    ("p_value", "number", "One-sided p-value by rank."),
    ("p_adjusted", "number", "The same after Holm's correction over the tests of the pilot."),
    ("tests", "integer", "Tests of the pilot."),
    ("least_seen", "number", "Smallest change in percent that would have been seen with 80 % power."),
    *((f"condition_{letter}", "string", f"passed or failed: {_SAYS[letter]}.") for letter in CHECKS),
    ("level", "string", "Rung of the wording ladder, L0 to L3; empty where nothing may be said."),
    ("sentence", "string", "What may be said, or which conditions failed."),
    ("status", "string", "See the status codes."),
    ("synthetic", "boolean", "True where it is simulated."),
)


def effects_table(effects: Iterable[Effect]) -> Table:
    """Columns (name, type, meaning) and rows, in the order given."""
    return COLUMNS, [_row(one) for one in effects]


def _row(one: Effect) -> list[object]:
    figure = one.estimate
    passed = {condition.letter: "passed" if condition.holds else "failed" for condition in one.conditions}
    test = "" if one.p_value is None else "circular_shift" if (figure.n or 0) > 1 else "placebo_date"
    below, dates = one.placebo or (None, None)
    return [
        one.pilot, one.activity_id, one.day, one.title, one.outcome, one.window_weeks, figure.n, one.before.value,
        one.after.value, figure.value, figure.lower, figure.upper, figure.interval, test, below, dates, one.p_value,
        one.p_adjusted, one.tests if one.p_value is not None else None, one.least,
        *(passed[letter] for letter in CHECKS), one.level, one.sentence, figure.status, one.synthetic,
    ]  # fmt: skip
