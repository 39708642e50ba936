"""Obstacles and lessons, counted by code.

Promises: an activity counts a code once; so does each questionnaire of a project manager, but those of a code only as
of ends of months and where no few of them follow (`pipeline.fit.splitting`), since few people run a pilot. A
questionnaire about the whole pilot is in the counts of all, not of a stage.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from pipeline.findings import Counted
from pipeline.fit.activities import Gathered, activity_of, codes
from pipeline.fit.skills import order
from pipeline.fit.splitting import Answer, Place, places, told_answers
from pipeline.rows import Row

DIMS: Final = {"obstacle": "obstacles", "lesson": "lessons"}


def counted(seen: Gathered, rows: Sequence[Row], k: int) -> list[Counted]:
    """Counts by list, place ("" is all) and code, the most frequent code first."""
    found = []
    for dim, field in DIMS.items():
        by_place = _of_activities(seen, field)
        for code, answers in _of_surveys(seen, rows, field).items():
            for place, those in told_answers(answers, seen.last, k)[0].items():
                by_place[place][code] += len(those)
        for place in sorted(by_place, key=order):
            ranked = sorted(by_place[place].items(), key=lambda item: (-item[1], item[0]))
            found += [
                Counted(
                    pilot=seen.pilot, dim=dim, code=code, n=n, stage=place[0], method=place[1], synthetic=seen.synthetic
                )
                for code, n in ranked
            ]
    return found


def _of_activities(seen: Gathered, field: str) -> dict[Place, Counter[str]]:
    found: dict[Place, Counter[str]] = defaultdict(Counter)
    for one in seen.activities:
        for place in places(one.stage, one.method):
            found[place].update(getattr(one, field))
    return found


def _of_surveys(seen: Gathered, rows: Sequence[Row], field: str) -> dict[str, list[Answer]]:
    known = {one.id: (one.stage, one.method) for one in seen.activities}
    found: dict[str, list[Answer]] = defaultdict(list)
    for row in rows:
        if row.type == "survey.response":
            for code in codes(row.data.get(field)):
                found[code].append((row.at_ns, known.get(activity_of(row))))
    return found
