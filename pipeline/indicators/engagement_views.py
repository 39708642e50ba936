"""How participants see their influence (E12): the questionnaire's items, the gap to what is recorded, who answers."""

from collections import Counter
from collections.abc import Iterable
from math import sqrt
from typing import Final

from pipeline.indicators.engagement_answers import NO_DISPOSITION, percent, taken_up
from pipeline.indicators.engagement_rows import code, engagement, found, number
from pipeline.indicators.intervals import wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.window import Window
from pipeline.rows import Row

SOON: Final = 30
INSTRUMENT: Final = "participation-2"
ITEMS: Final = ("influence", "trust")
TOP: Final = 4
NO_SURVEY: Final = "no participant answered the questionnaire in this period"


def answers(window: Window) -> list[Row]:
    """Answers of participants to the questionnaire on influence and trust."""
    return answers_among(found(window, "survey.response"))


def answers_among(rows: Iterable[Row]) -> list[Row]:
    """Those of some answers that participants gave to that questionnaire."""
    asked = [row for row in rows if row.data.get("respondent", "participant") == "participant"]
    return [row for row in asked if row.data.get("instrument") == INSTRUMENT]


def score(row: Row, item: str) -> float | None:
    """The score of an item: its place in a list of all, its name in a mapping, or the only one of an item's own row."""
    given = row.data.get("scores")
    if isinstance(given, dict):
        score = given.get(item)
    elif isinstance(given, list) and "item" in row.data:
        score = given[0] if row.data["item"] == item and given else None
    else:
        place = ITEMS.index(item)
        score = given[place] if isinstance(given, list) and len(given) > place else None
    return float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None


def scores(rows: list[Row], item: str) -> tuple[int, int]:
    """Answers of 4 or 5 to an item, and all from 1 to 5."""
    top = n = 0
    for row in rows:
        given = score(row, item)
        if given is not None and 1 <= given <= 5:
            n, top = n + row.count, top + (row.count if given >= TOP else 0)
    return top, n


@engagement(
    id="perceived-influence",
    title="Perceived influence and trust",
    unit="%",
    direction="up",
    formula=f"by item of the questionnaire {INSTRUMENT} (influence, trust), 100 · answers of 4 or 5 / answers from "
    "1 to 5 that participants gave in the period",
    min_n=10,
    interval_method="wilson",
    comparable="yes",
    needs=("survey.response",),
    streams=("usage", "engagement"),
    dims=("item",),
    caveat="Only who answers is heard: see the response rate.",
    source="E12 perceived influence, trust",
)
def perceived_influence(window: Window) -> list[Measure]:
    rows = answers(window)
    measures = []
    for item in ITEMS:
        top, n = scores(rows, item)
        people = (top, n - top, n)
        measures.append(percent(top, n, "item", item, people) if n else not_defined(NO_SURVEY, "item", item))
    return measures


@engagement(
    id="influence-gap",
    title="Perceived influence less recorded influence",
    unit="percentage points",
    direction="none",
    formula="the share of answers of 4 or 5 to the item influence (perceived-influence) less the share of inputs "
    "adopted or adapted (influence), of the same period, times 100",
    min_n=10,
    interval_method="wilson",
    comparable="within",
    needs=("survey.response", "contribution.disposition", "decision.closed"),
    streams=("usage", "engagement"),
    caveat="n is the smaller of both; who answers and whose input was treated are seldom the same people.",
    source="E12 gap to E11; Newcombe 1998, method 10",
)
def influence_gap(window: Window) -> list[Measure]:
    top, asked = scores(answers(window), "influence")
    inputs, _ = taken_up(window)
    treated = inputs.total()
    if not asked:
        return [not_defined(NO_SURVEY)]
    if not treated:
        return [not_defined(NO_DISPOSITION)]
    taken = sum(count for (_, hit), count in inputs.items() if hit)
    seen, real = top / asked, taken / treated
    (low, high), (floor, ceiling) = wilson(top, asked), wilson(taken, treated)
    below = sqrt((seen - low) ** 2 + (ceiling - real) ** 2)
    above = sqrt((high - seen) ** 2 + (real - floor) ** 2)
    gap = seen - real
    return [
        Measure(value=100 * gap, n=min(asked, treated), lower=100 * (gap - below), upper=100 * (gap + above),
                interval="wilson", people=(top, asked - top, asked))
    ]  # fmt: skip


@engagement(
    id="participation-survey-response",
    title="Response rate on influence and trust",
    unit="%",
    direction="up",
    formula=f"100 · answers to {INSTRUMENT} in the period / people asked, over the activities that answers name: as "
    "the answers state (invited), or else the attendances of the activity in the period or up to 30 days before",
    min_n=10,
    interval_method="wilson",
    comparable="within",
    needs=("survey.response", "attendance"),
    streams=("usage", "engagement"),
    look_back=SOON,
    caveat="An activity about which nobody answered is not in it.",
    source="E12 response rate",
)
def survey_response_rate(window: Window) -> list[Measure]:
    answered: Counter[str] = Counter()
    stated: Counter[str] = Counter()
    for row in answers(window):
        if (activity := code(row, "activity_id")) != "unknown":
            answered[activity] += row.count
            stated[activity] = max(stated[activity], int(number(row, "invited") or 0))
    attended: Counter[str] = Counter()
    for row in found(window, "attendance", back=SOON):
        attended[code(row, "activity_id")] += row.count
    asked = {key: stated[key] or attended[key] for key in answered}
    hits = sum(min(n, asked[key]) for key, n in answered.items() if asked[key])
    n = sum(asked[key] for key in answered)
    if not n:
        return [not_defined(NO_SURVEY if not answered else "nobody says how many were asked")]
    counted = [asked[key] for key in answered if not stated[key]]
    return [percent(hits, n, people=(hits, n - hits, n, *counted))]
