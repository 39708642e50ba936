"""Uptake: how content people are with the service, as they say themselves."""

from collections import defaultdict
from typing import Any, Final

import numpy as np

from pipeline.indicators.intervals import clustered_wilson, wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.registry import indicator
from pipeline.indicators.resampling import RESAMPLES, bootstrap, mean
from pipeline.indicators.usage import NO_USAGE, estimated
from pipeline.indicators.window import Window
from pipeline.rows import Row

SUS_ITEMS: Final = 10
TOP: Final = 4  # of 5: the two upper answers
# What respondents other than users say (project managers on the process) is no satisfaction with a service.
OF_USERS: Final = (None, "user", "citizen", "participant")
SUS: Final = "sus"
CONTENT: Final = ("csat", "service")


def _answers(window: Window, *instruments: str) -> list[Row]:
    """The latest answer of each person to each instrument whose id begins with one of these words."""
    latest: dict[tuple[Any, ...], Row] = {}
    for row in window.history.usage.answers(window.first, window.last):
        instrument = str(row.data.get("instrument", ""))
        if of_users(row) and instrument.startswith(instruments):
            latest[instrument, row.actor if row.actor is not None else (row.id, row.at_ns)] = row
    return list(latest.values())


def of_users(row: Row) -> bool:
    """True where a user of the service answered."""
    return row.data.get("respondent") in OF_USERS


def scores_of(row: Row) -> list[float]:
    scores = row.data.get("scores")
    if not isinstance(scores, list):
        return []
    return [one for one in scores if isinstance(one, int | float) and not isinstance(one, bool) and 1 <= one <= 5]


def sus(scores: list[float]) -> float:
    """The System Usability Scale of one respondent, 0 to 100. Source: Brooke 1996.

    >>> sus([5, 1, 5, 1, 5, 1, 5, 1, 5, 1])
    100.0
    """
    odd, even = sum(scores[0::2]), sum(scores[1::2])
    return 2.5 * (odd - 5 + 25 - even)


@indicator(
    id="satisfaction-sus",
    version=2,
    family="uptake",
    title="Usability (SUS)",
    unit="points of 100",
    direction="up",
    formula="mean over respondents of the System Usability Scale: 2.5 · (sum of the odd items less 5, plus 25 less the "
    "sum of the even items)",
    window="the period; the latest answer of each person in it",
    min_n=15,
    interval_method="bca",
    comparable="yes",
    needs=("survey.response",),
    streams=("usage",),
    caveat="Who does not answer is not heard: read it beside the response rate. Answers with fewer than ten items are "
    "left out; without pseudonyms somebody may have answered twice.",
    source=f"U12 satisfaction; Brooke 1996; BCa bootstrap by respondent, {RESAMPLES:,} resamples",
)
def satisfaction_sus(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    whole = [scores for row in _answers(window, SUS) if len(scores := scores_of(row)) == SUS_ITEMS]
    if not whole:
        return [not_defined("nobody answered the System Usability Scale in this period")]
    points = np.sort([sus(scores) for scores in whole])
    interval = bootstrap(points[:, np.newaxis], mean, bca=True)
    return [estimated(float(points.mean()), len(points), interval, "bca", (len(points),))]


@indicator(
    id="satisfaction-top-2",
    version=1,
    family="uptake",
    title="Content with the service",
    unit="%",
    direction="up",
    formula="100 · answers of 4 or 5 / answers from 1 to 5, over the items of the questionnaires on the service "
    "(csat, service-5)",
    window="the period; the latest answer of each person in it",
    min_n=10,
    interval_method="clustered wilson",
    comparable="yes",
    needs=("survey.response",),
    streams=("usage",),
    caveat="Who does not answer is not heard: read it beside the response rate. Compare only the same questionnaire. n "
    "is the number of respondents, whose items are not independent: the interval allows for it.",
    source="U12 satisfaction, CSAT top-2; Wilson 1927, Kish 1965",
)
def satisfaction_top_2(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    found: dict[str, list[float]] = defaultdict(list)
    for row in _answers(window, *CONTENT):
        found[row.actor or row.id] += scores_of(row)
    each = [scores for scores in found.values() if scores]
    if not each:
        return [not_defined("nobody answered a questionnaire on the service in this period")]
    content = [sum(score >= TOP for score in scores) for scores in each]
    items = [len(scores) for scores in each]
    interval = clustered_wilson(content, items)
    scaled = None if interval is None else (100 * interval[0], 100 * interval[1])
    some, not_all = sum(one > 0 for one in content), sum(a < b for a, b in zip(content, items, strict=True))
    value = 100 * sum(content) / sum(items)
    return [estimated(value, len(each), scaled, "clustered wilson", (len(each), some, not_all))]


@indicator(
    id="survey-response-rate",
    version=1,
    family="uptake",
    title="Response rate of questionnaires",
    unit="%",
    direction="up",
    formula="100 · respondents / people invited, over the questionnaires on the service that state how many were "
    "invited (the largest number that their answers of the period state)",
    window="the period",
    min_n=10,
    interval_method="wilson",
    comparable="yes",
    needs=("survey.response",),
    streams=("usage",),
    caveat="A questionnaire that states no number of invited people has no response rate.",
    source="U12 response rate; Wilson 1927",
)
def survey_response_rate(window: Window) -> list[Measure]:
    if not window.known("usage"):
        return [not_defined(NO_USAGE)]
    answered: dict[str, int] = defaultdict(int)
    invited: dict[str, int] = {}
    for row in _answers(window, SUS, *CONTENT):
        instrument = str(row.data.get("instrument"))
        answered[instrument] += 1
        number = row.data.get("invited")
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            invited[instrument] = max(number, invited.get(instrument, 0))
    asked = sum(invited.values())
    if not asked:
        return [not_defined("no questionnaire of this period states how many were invited")]
    hits = min(sum(answered[one] for one in invited), asked)
    lower, upper = wilson(hits, asked)
    return [estimated(100 * hits / asked, asked, (100 * lower, 100 * upper), "wilson", (hits, asked))]
