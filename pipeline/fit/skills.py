"""Skills: needed against present, by stage and method, and how they were assessed.

Promises: the unit is an activity; where no activity of a pilot ever says which skills were there, none is "not there";
levels (1 to 5) are ordered words, so their middle is a median; below 5 there is neither share nor level.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from pipeline import release
from pipeline.findings import Figure, SkillNeed
from pipeline.fit import intervals
from pipeline.fit.activities import Gathered, HeldActivity, activity_of
from pipeline.fit.batches import as_of
from pipeline.fit.intervals import LEAST
from pipeline.fit.splitting import ALL, Answer, Place, places, told_answers
from pipeline.indicators.intervals import wilson
from pipeline.rows import Row

LEVEL: Final = "level 1 to 5"
LEVELS: Final = (1, 2, 3, 4, 5)


class Assessed(NamedTuple):
    """The levels that may be told, how many assessments there are, and as of which end of a month they are told."""

    levels: Sequence[int] = ()
    n: int = 0
    until: int = 0


def skill_needs(seen: Gathered, rows: Sequence[Row], k: int) -> list[SkillNeed]:
    """Each skill that an activity needed or that was assessed, by stage and method; "" is all of them.

    Rows come for all, for each stage, for each method and for each pair, in this order.
    """
    levels = _levels(seen, rows, k)
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
            found.append(_need(seen, place, skill, mine, assessed.get(skill, Assessed()), k))
    return found


def order(place: Place) -> tuple[int, Place]:
    """All first, then stages, methods, and pairs."""
    return bool(place[0]) + 2 * bool(place[1]), place


def _need(
    seen: Gathered, place: Place, skill: str, activities: Sequence[HeldActivity], assessed: Assessed, k: int
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
        level=_level(assessed, k),
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


def _level(assessed: Assessed, k: int) -> Figure:
    """The median level of the assessments that may be told; none where it would tell how few were at some level."""
    n = len(assessed.levels)
    if not assessed.n:
        return Figure(status="not_defined", reason="it was never assessed", unit=LEVEL)
    if not n:
        return Figure(status="suppressed", reason=release.reason(k), unit=LEVEL)
    if n < LEAST:
        reason = f"rests on {n} assessment{'' if n == 1 else 's'}; at least {LEAST} are needed"
        return Figure(n=n, status="insufficient_n", reason=reason, unit=LEVEL)
    found = intervals.median(assessed.levels, LEVEL)
    if gives_away(assessed.levels, k, bounds=True):
        found = msgspec.structs.replace(found, lower=None, upper=None, interval="")
    if gives_away(assessed.levels, k, bounds=False):
        return Figure(status="suppressed", reason=release.reason(k), unit=LEVEL)
    if n < assessed.n:
        found = msgspec.structs.replace(found, status="incomplete", reason=as_of(assessed.until, k))
    return found


def gives_away(levels: Sequence[int], k: int, bounds: bool) -> bool:
    """Whether number, median and bounds leave one possible number only of 1 to k-1 people: at a level, or up to it.

    >>> gives_away([2, 2, 2, 3, 3, 3], 5, bounds=False), gives_away([1, 2, 2, 3, 3, 4, 5], 5, bounds=True)
    (True, False)
    """
    ordered, n = sorted(levels), len(levels)
    rank, low, high = intervals.rank(n), (n - 1) // 2, n // 2
    known = {rank: ordered[rank], n - 1 - rank: ordered[n - 1 - rank]} if bounds else {}
    both = ordered[low] + ordered[high]
    spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for one in LEVELS:
        if one > both - one or both - one not in LEVELS or (low == high and 2 * one != both):
            continue
        least, most = _up_to({**known, low: one, high: both - one}, n)
        if any(a > b for a, b in zip(least, most, strict=True)):
            continue  # the bounds rule it out
        for a in range(len(LEVELS) + 1):
            for b in range(a + 1, len(LEVELS) + 1):
                spans.setdefault((a, b), []).append((max(0, least[b] - most[a]), most[b] - least[a]))
    for (a, b), found in spans.items():
        count = sum(a < level <= b for level in ordered)
        if 0 < count < k and min(least for least, _ in found) == max(most for _, most in found):
            return True
    return False


def _up_to(known: dict[int, int], n: int) -> tuple[list[int], list[int]]:
    """The least and the most that may be at each level or below it, from 0 on, where these ranks have these levels."""
    least, most = [0] * len(LEVELS) + [n], [0] + [n] * len(LEVELS)
    for rank, level in known.items():
        for upto in range(len(LEVELS) + 1):
            if upto >= level:
                least[upto] = max(least[upto], rank + 1)
            else:
                most[upto] = min(most[upto], rank)
    return least, most


def _levels(seen: Gathered, rows: Iterable[Row], k: int) -> dict[Place, dict[str, Assessed]]:
    """Assessed levels by place and skill; one that names no known activity counts for all only."""
    known = {one.id: (one.stage, one.method) for one in seen.activities}
    answers: dict[str, list[Answer]] = defaultdict(list)
    levels: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        skill, level = row.data.get("skill"), row.data.get("level")
        if row.type == "skill.assessed" and isinstance(skill, str) and level in LEVELS:
            answers[skill].append((row.at_ns, known.get(activity_of(row))))
            levels[skill].append(int(level))
    found: dict[Place, dict[str, Assessed]] = defaultdict(dict)
    for skill, mine in answers.items():
        told, until = told_answers(mine, seen.last, k)
        for place, n in Counter(one for _, of in mine for one in (places(*of) if of else (ALL,))).items():
            shown = [levels[skill][number] for number in told.get(place, [])]
            found[place][skill] = Assessed(shown, n, until)
    return dict(found)
