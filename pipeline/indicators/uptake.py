"""Uptake: how many people use the service, in the period and in the days that end with it."""

from typing import Final

import numpy as np

from pipeline.indicators.intervals import poisson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import indicator
from pipeline.indicators.usage import NO_CONSENT, NO_USAGE, THETA, actors_lines, counted, estimated, pairs
from pipeline.indicators.window import Window
from pipeline.usage_days import NO_WORD, Col

__all__ = ["NO_CONSENT", "NO_USAGE", "THETA"]
SPLIT: Final = {
    "service": Col.SERVICE,
    "channel": Col.CHANNEL,
    "actor_kind": Col.KIND,
    "age_band": Col.AGE,
    "gender": Col.GENDER,
    "area": Col.AREA,
}
# Windows that overlap would tell of single people: parts are of months and of the whole (`pipeline.release_parts`).
SPLIT_PERIODS: Final = ("month", "all")
MOST_PARTS: Final = 12


@indicator(
    id="people",
    version=3,
    family="uptake",
    title="People who use the service",
    unit="people",
    direction="up",
    formula="number of distinct people with at least one core action in the period",
    window="the period",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    dims=("service", "channel", "actor_kind", "age_band", "gender", "area"),
    caveat="Only people who consented to a pseudonym are counted; a person with two pseudonyms counts twice, and one "
    "who uses two channels stands in both parts.",
    source=f"U3 active users; {THETA}",
)
def people(window: Window) -> list[Measure]:
    found = counted(window, window.active)
    if found[0].status == "ok" and window.period.name in SPLIT_PERIODS:
        found += _parts(window)
    return found


def _parts(window: Window) -> list[Measure]:
    """People by each dimension of which the period holds more than one word."""
    lines = actors_lines(window, window.first, window.last)
    found: list[Measure] = []
    if not len(lines):
        return found
    for dim, column in SPLIT.items():
        if (lines[:, column] == lines[0, column]).all():
            continue
        words, people = np.unique(pairs(lines[:, column], lines[:, Col.WHO])[0], return_counts=True)
        if len(words) > MOST_PARTS:
            found.append(not_defined(f"has more than {MOST_PARTS} parts", dim, "too many"))
        else:
            named = {window.history.usage.word(int(word)): int(n) for word, n in zip(words, people, strict=True)}
            found += [
                estimated(float(n), n, poisson(n), "poisson", (n,), dim, part(dim, word))
                for word, n in sorted(named.items())
            ]
    return found


def part(dim: str, word: str) -> str:
    """The name of a part of a dimension."""
    return f"{dim.replace('_', ' ')} not stated" if word in (NO_WORD, "unknown") else word


@indicator(
    id="people-multi-day",
    version=1,
    family="uptake",
    title="People who use the service on more than one day",
    unit="people",
    direction="up",
    formula="number of distinct people with core actions on at least two local days of the period",
    window="the period; not defined for a single day",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Longer periods give people more days to come back.",
    source=f"U3 active users; {THETA}",
)
def people_multi_day(window: Window) -> list[Measure]:
    if window.first == window.last:
        return [not_defined("a single day cannot hold two days of use")]
    return counted(window, window.on_several_days)


def _trailing(window: Window, days: int) -> list[Measure]:
    return counted(window, window.history.union("active", window.last - days + 1, window.last))


@indicator(
    id="active-1",
    version=1,
    family="uptake",
    title="Active people on the last day",
    unit="people",
    direction="up",
    formula="distinct people with a core action on the period's last day",
    window="last day of the period",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    caveat="Never add days: one person is active on many.",
    source=f"U3 A(1); {THETA}",
)
def active_1(window: Window) -> list[Measure]:
    return _trailing(window, 1)


@indicator(
    id="active-7",
    version=1,
    family="uptake",
    title="Active people within 7 days",
    unit="people",
    direction="up",
    formula="distinct people with a core action on the 7 days that end with the period",
    window="7 days",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=6,
    caveat="In the first 6 days of a pilot the window reaches back before its data.",
    source=f"U3 A(7); {THETA}",
)
def active_7(window: Window) -> list[Measure]:
    return _trailing(window, 7)


@indicator(
    id="active-28",
    version=1,
    family="uptake",
    title="Active people within 28 days",
    unit="people",
    direction="up",
    formula="distinct people with a core action on the 28 days that end with the period",
    window="28 days",
    min_n=0,
    interval_method="poisson",
    comparable="within",
    needs=("action.performed",),
    streams=("usage",),
    look_back=27,
    caveat="28 days hold each weekday four times; in a pilot's first 27 days the window reaches back before its data.",
    source=f"U3 A(28); {THETA}",
)
def active_28(window: Window) -> list[Measure]:
    return _trailing(window, 28)
