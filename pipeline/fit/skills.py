"""Skills: needed against present, by stage and method, and how they were assessed.

Promises: the unit is an activity; where no activity of a pilot ever says which skills were there, none is "not there";
levels (1 to 5) are ordered words, so their middle is a median; below 5 there is neither share nor level.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pipeline import release
from pipeline.findings import Figure, SkillNeed
from pipeline.fit import intervals
from pipeline.fit.activities import Gathered, HeldActivity, activity_of
from pipeline.fit.intervals import LEAST
from pipeline.indicators.intervals import wilson
from pipeline.rows import Row

LEVEL: Final = "level 1 to 5"
Place = tuple[str, str]


def skill_needs(seen: Gathered, rows: Sequence[Row], k: int) -> list[SkillNeed]:
    """Each skill that an activity needed or that was assessed, by stage and method; "" is all of them.

    Rows come for all, for each stage, for each method and for each pair, in this order.
    """
    levels = _levels(seen.activities, rows)
    by_place: dict[Place, list[HeldActivity]] = defaultdict(list)
    for one in seen.activities:
        for place in places(one.stage, one.method):
            by_place[place].append(one)
    for place in levels:
        by_place.setdefault(place, [])
    found = []
    for place in sorted(by_place, key=order):
        mine, assessed = by_place[place], levels.get(place, {})
        for skill in sorted({skill for one in mine for skill in one.needed} | set(assessed)):
            found.append(_need(seen, place, skill, mine, assessed.get(skill, []), k))
    return found


def places(stage: str, method: str) -> tuple[Place, ...]:
    """Where something of a stage and method is counted.

    >>> places("co_design", "survey")
    (('', ''), ('co_design', ''), ('', 'survey'), ('co_design', 'survey'))
    """
    return ("", ""), (stage, ""), ("", method), (stage, method)


def order(place: Place) -> tuple[int, Place]:
    """All first, then stages, methods, and pairs."""
    return bool(place[0]) + 2 * bool(place[1]), place


def _need(
    seen: Gathered, place: Place, skill: str, activities: Sequence[HeldActivity], levels: Sequence[int], k: int
) -> SkillNeed:
    needing = [one for one in activities if skill in one.needed]
    present = sum(skill in (one.present or ()) for one in needing)
    return SkillNeed(
        pilot=seen.pilot,
        stage=place[0],
        method=place[1],
        skill=skill,
        needed=len(needing),
        present=present,
        met=_met(present, len(needing), "skills_present" in seen.reports),
        level=_level(levels, k),
        synthetic=seen.synthetic or any(one.synthetic for one in needing),
    )


def _met(present: int, needed: int, reported: bool) -> Figure:
    if not reported:
        return Figure(status="not_defined", reason="no activity says which skills were present", unit="%")
    if not needed:
        return Figure(status="not_defined", reason="no activity needed it", unit="%")
    if (few := intervals.few(needed)) is not None:
        return msgspec.structs.replace(few, unit="%")
    lower, upper = wilson(present, needed)
    share = 100 * present / needed
    return Figure(value=share, n=needed, lower=100 * lower, upper=100 * upper, interval="wilson", unit="%")


def _level(levels: Sequence[int], k: int) -> Figure:
    """The median level; assessments are of people, so fewer than k are not told."""
    n = len(levels)
    if not n:
        return Figure(status="not_defined", reason="it was never assessed", unit=LEVEL)
    if n < k:
        return Figure(status="suppressed", reason=release.reason(k), unit=LEVEL)
    if n < LEAST:
        reason = f"rests on {n} assessment{'' if n == 1 else 's'}; at least {LEAST} are needed"
        return Figure(n=n, status="insufficient_n", reason=reason, unit=LEVEL)
    return intervals.median(levels, LEVEL)


def _levels(activities: Iterable[HeldActivity], rows: Iterable[Row]) -> dict[Place, dict[str, list[int]]]:
    """Assessed levels by place and skill; one that names no known activity counts for all only."""
    known = {one.id: one for one in activities}
    found: dict[Place, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        skill, level = row.data.get("skill"), row.data.get("level")
        if row.type != "skill.assessed" or not isinstance(skill, str) or level not in (1, 2, 3, 4, 5):
            continue
        one = known.get(activity_of(row))
        where = places(one.stage, one.method) if one is not None else (("", ""),)
        for place in dict.fromkeys(where):
            found[place][skill].append(int(level))
    return {place: dict(by_skill) for place, by_skill in found.items()}
