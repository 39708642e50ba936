"""Uptake: how often people come, how much they do, and how unevenly."""

from typing import Final

import numpy as np

from pipeline.indicators.measure import Measure, not_defined, of_total
from pipeline.indicators.registry import indicator
from pipeline.indicators.resampling import (
    Interval,
    bootstrap_quantile,
    bootstrap_t,
    gini,
    gini_with_error,
    mean_with_error,
)
from pipeline.indicators.usage import (
    LONGER,
    NO_CONSENT,
    NO_USAGE,
    NOBODY,
    RESAMPLED,
    absent,
    actions_each,
    actors_lines,
    anonymous,
    estimated,
    pairs,
)
from pipeline.indicators.window import Window
from pipeline.periods import WEEK, monday
from pipeline.usage_days import NO_WORD, Col, Ints

MONTH: Final = 28
# Days of one visit that a service of this rhythm is made for; 28 days say nothing of slower ones.
RHYTHMS: Final = {NO_WORD: 1, "daily": 1, "weekly": WEEK}


@indicator(
    id="core-actions",
    version=1,
    family="uptake",
    title="Core actions",
    unit="actions",
    direction="up",
    formula="sum of counts of core actions in the period",
    window="the period",
    min_n=0,
    interval_method="none",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Driven by a few very active people; read it beside the number of people.",
    source="U9 intensity",
)
def core_actions(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    total = sum(day.core_actions for day in window.days)
    return [of_total(total, total)]


@indicator(
    id="core-actions-per-person",
    version=1,
    family="uptake",
    title="Core actions per active person",
    unit="actions per person",
    direction="none",
    formula="core actions that carry a pseudonym / distinct active people",
    window="the period",
    min_n=5,
    interval_method="none",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="A mean, driven by few; no interval, since actions of one person are not independent.",
    source="U9 intensity",
)
def core_actions_per_person(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if window.active.nobody:
        return [not_defined(NO_CONSENT if anonymous(window) else NOBODY)]
    count = window.active.count
    return [Measure(value=sum(day.core_by_people for day in window.days) / count, n=count, people=(count,))]


@indicator(
    id="stickiness",
    version=2,
    family="uptake",
    title="Stickiness",
    unit="0 to 1",
    direction="up",
    formula="mean over the 28 days that end with the period of the people active on a day / people active within the "
    "28 days; for a service whose natural_cadence is weekly: mean over its four weeks of the people active in a week",
    window="28 days; not said of single days",
    min_n=30,
    interval_method="bootstrap-t",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=27,
    caveat="Falls when newcomers arrive. Compare only services of the same natural cadence.",
    source=f"U4 stickiness; {RESAMPLED}, studentised",
)
def stickiness(window: Window) -> list[Measure]:
    if window.period.name == "day":
        return [not_defined(LONGER)]
    first, began = window.last - MONTH + 1, window.history.first_of_stream("usage")
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    if began is None or first < began:
        return [not_defined("the 28 days are not wholly within the pilot's data")]
    lines = actors_lines(window, first, window.last)
    if not len(lines):
        return [not_defined(NO_CONSENT if anonymous(window) else "nobody used the service within the 28 days")]
    rhythm = _rhythm(window, lines)
    if rhythm not in RHYTHMS:
        return [not_defined("the service is made to be used less often than weekly, so 28 days say nothing of it")]
    span = RHYTHMS[rhythm]
    who, _, _ = pairs(lines[:, Col.WHO], (lines[:, Col.DAY] - first) // span)
    _, spans = np.unique(who, return_counts=True)
    shares = np.sort(spans) * (span / MONTH)
    interval = _within(bootstrap_t(shares[:, np.newaxis], mean_with_error))
    return [estimated(float(shares.mean()), len(shares), interval, "bootstrap-t", (len(shares),))]


def _within(interval: Interval) -> Interval:
    """No further than the scale from 0 to 1 goes."""
    return None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))


def _rhythm(window: Window, lines: Ints) -> str:
    """The natural cadence that most core actions name; "" where none does."""
    words, place = np.unique(lines[:, Col.CADENCE], return_inverse=True)
    totals = np.bincount(place, weights=lines[:, Col.ACTIONS])
    named = {window.history.usage.word(int(word)): total for word, total in zip(words, totals, strict=True) if word}
    return min(named, key=lambda word: (-named[word], word)) if named else NO_WORD


@indicator(
    id="intensity",
    version=1,
    family="uptake",
    title="Core actions of a person in a week",
    unit="actions per week",
    direction="none",
    formula="median over person and week of the core actions in it; a person's weeks without any are left out, "
    "and of an even number the lower middle is taken",
    window="the ISO weeks that lie wholly in the period; not said of single days",
    min_n=20,
    interval_method="bootstrap",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="More is not better where a task should need one visit. n is the number of people.",
    source=f"U9 intensity; Woodruff 1952; {RESAMPLED}, with all weeks of an actor drawn together",
)
def intensity(window: Window) -> list[Measure]:
    if window.period.name == "day":
        return [not_defined(LONGER)]
    if (missing := absent(window)) is not None:
        return missing
    first, last = monday(window.first + WEEK - 1), monday(window.last + 1) - 1
    if last < first:
        return [not_defined("the period holds no whole week")]
    lines = actors_lines(window, first, last)
    if not len(lines):
        return [not_defined("nobody used the service in a whole week of this period")]
    who, _, place = pairs(lines[:, Col.WHO], (lines[:, Col.DAY] - first) // WEEK)
    counts = np.bincount(place, weights=lines[:, Col.ACTIONS])
    value = float(np.sort(counts)[(len(counts) - 1) // 2])
    _, begins = np.unique(who, return_index=True)
    groups = [[(float(n), True) for n in weeks] for weeks in np.split(counts, begins[1:])]
    interval = bootstrap_quantile(groups, 0.5)
    return [estimated(value, len(groups), interval, "bootstrap", (len(groups),))]


@indicator(
    id="concentration",
    version=3,
    family="uptake",
    title="Concentration of use",
    unit="0 to 1",
    direction="none",
    formula="Gini coefficient of the core actions per person, times n / (n - 1): 0 where all do equally much, "
    "near 1 where one does all",
    window="the period; not said of single days",
    min_n=75,
    interval_method="bootstrap-t",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Only people with at least one core action are in it; long periods are less even than short ones.",
    source=f"U9 concentration; Davidson 2009; {RESAMPLED}, studentised",
)
def concentration(window: Window) -> list[Measure]:
    if window.period.name == "day":
        return [not_defined(LONGER)]
    if (missing := absent(window)) is not None:
        return missing
    each = actions_each(actors_lines(window, window.first, window.last)).astype(np.float64)[:, np.newaxis]
    if len(each) < 2:
        return [not_defined("one person cannot be uneven")]
    value = float(gini(np.ones((1, len(each))), each)[0])
    return [estimated(value, len(each), _within(bootstrap_t(each, gini_with_error)), "bootstrap-t", (len(each),))]
