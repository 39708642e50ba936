"""The figures of the method-fit table: what each takes from an activity, how it is summed up, and when it has no sense.

One table, so that cells, the probability of being best and the test for one size all speak of the same numbers.
Source: indicators.md 4.2, E14 with E10 to E12.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log
from typing import Final

import msgspec

from pipeline import release
from pipeline.findings import Figure
from pipeline.fit import intervals
from pipeline.fit.activities import ANSWER_DAYS, HeldActivity
from pipeline.fit.batches import as_of
from pipeline.fit.telling import Told

Pair = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One figure. `of` gives an activity's part as (count, of what), None where the activity says nothing.

    `sum_up` makes a figure of the parts, `better` is +1 or -1, `needs` the rows without which it is not defined,
    `people` the numbers of people of an activity that are summed up in it, which still come in for `delay` days, and
    `scale` the number of one activity that the test for one size compares.
    """

    name: str
    unit: str
    better: int
    of: Callable[[HeldActivity], Pair | None]
    sum_up: Callable[[Sequence[Pair]], Figure]
    needs: tuple[str, ...]
    missing: str
    scale: Callable[[Pair], float]
    people: Callable[[HeldActivity], tuple[int, ...]] | None = None
    delay: int = 0
    median: bool = False


def _of_some(pair: tuple[int, int] | None) -> Pair | None:
    return None if pair is None or not pair[1] else (float(pair[0]), float(pair[1]))


def _share(pair: Pair) -> float:
    return pair[0] / pair[1]


def _per_hour(one: HeldActivity) -> Pair | None:
    return None if one.hours is None else (float(one.contributions), one.hours)


def _split(pair: tuple[int, int] | None) -> tuple[int, ...]:
    """Those counted and all others."""
    return (0, 0) if pair is None else (pair[0], pair[1] - pair[0])


def _skills(one: HeldActivity) -> Pair | None:
    if not one.needed:
        return None
    return float(len(set(one.needed) & set(one.present or ()))), float(len(one.needed))


# Numbers of people and contributions are compared by their ratios, hence logarithms; a half keeps 0 in.
KINDS: Final = (
    Kind(
        name="attendance",
        unit="attendances",
        better=1,
        of=lambda one: None if one.attendance is None else (float(one.attendance), 1.0),
        sum_up=lambda pairs: intervals.median([count for count, _ in pairs], "attendances"),
        needs=(),
        missing="nobody counted who came",
        scale=lambda pair: log(pair[0] + 0.5),
        median=True,
    ),
    Kind(
        name="no_show",
        unit="%",
        better=-1,
        of=lambda one: _of_some(one.missed),
        sum_up=intervals.share,
        needs=("registration", "attendance"),
        missing="no registration with attendance was reported",
        scale=_share,
        people=lambda one: _split(one.missed),
    ),
    Kind(
        name="contributions_per_hour",
        unit="per hour",
        better=1,
        of=_per_hour,
        sum_up=lambda pairs: intervals.rate(pairs, "per hour"),
        needs=("contribution.made",),
        missing="no contribution names an activity whose duration is known",
        scale=lambda pair: log((pair[0] + 0.5) / pair[1]),
    ),
    Kind(
        name="answered",
        unit="%",
        better=1,
        of=lambda one: _of_some(one.answered),
        sum_up=intervals.share,
        needs=("contribution.made", "response.published"),
        missing="no contribution of an activity has been followed for 30 days, or no answer was ever published",
        scale=_share,
    ),
    Kind(
        name="influence",
        unit="%",
        better=1,
        of=lambda one: _of_some(one.influence),
        sum_up=intervals.share,
        needs=(),
        missing="nothing is recorded of what became of contributions",
        scale=_share,
    ),
    Kind(
        name="perceived",
        unit="%",
        better=1,
        of=lambda one: _of_some(one.perceived),
        sum_up=intervals.share,
        needs=("survey.response",),
        missing="no participant answered a questionnaire about an activity",
        scale=_share,
        people=lambda one: _split(one.perceived),
        delay=ANSWER_DAYS,
    ),
    Kind(
        name="skills_met",
        unit="%",
        better=1,
        of=_skills,
        sum_up=intervals.share,
        needs=("skills_present",),
        missing="no activity says which skills it needed and had",
        scale=_share,
    ),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}


def parts(kind: Kind, activities: Sequence[HeldActivity]) -> list[Pair]:
    """What the activities say of a figure; those on days of poor feeds say nothing."""
    return [part for one in activities if not one.poor and (part := kind.of(one)) is not None]


def figure(
    kind: Kind, activities: Sequence[HeldActivity], reports: frozenset[str], k: int, told: Told | None = None
) -> Figure:
    """One figure of some activities of one pilot that reports these types, released under k; of people only what may
    be `told` (`pipeline.fit.telling`)."""
    usable = [one for one in activities if not one.poor]
    known = parts(kind, activities)
    if not set(kind.needs) <= reports or (not known and len(usable) == len(activities)):
        return Figure(status="not_defined", reason=kind.missing, unit=kind.unit)
    if not known:
        return Figure(status="feed_poor", reason="the feeds were poor on the days of these activities", unit=kind.unit)
    found = kind.sum_up(known)
    if found.status != "ok":
        return msgspec.structs.replace(found, unit=kind.unit)
    if k > 1 and kind.median:
        found = _median(found, known, k)
    elif k > 1 and kind.people is not None:
        found = _of_people(kind, len(known), told, k)
    return _noted(found, kind, activities)


def _median(found: Figure, known: Sequence[Pair], k: int) -> Figure:
    """A median is the count of one activity or the mean of two, its bounds are counts too; a lower one below k is drawn
    at 0, which says no more than "fewer than k"."""
    counts = sorted(int(count) for count, _ in known)
    middle = counts[(len(counts) - 1) // 2], counts[len(counts) // 2], int(found.upper or 0)
    if any(0 < count < k for count in middle):
        return Figure(status="suppressed", reason=release.reason(k), unit=found.unit)
    if found.lower is not None and 0 < found.lower < k:
        return msgspec.structs.replace(found, lower=0.0)
    return found


def _of_people(kind: Kind, activities: int, told: Told | None, k: int) -> Figure:
    """The figure of the activities that may be told. Its bounds are widened to whole percents: they depend on how each
    activity differs, so all their digits would leave few possible numbers."""
    if told is None:
        return Figure(status="suppressed", reason=release.reason(k), unit=kind.unit)
    known = parts(kind, told[0])
    found = kind.sum_up(known)
    if found.lower is not None and found.upper is not None:
        found = msgspec.structs.replace(found, lower=float(floor(found.lower)), upper=float(ceil(found.upper)))
    if len(known) == activities:
        return found
    return msgspec.structs.replace(found, status="incomplete", reason=as_of(told[1], k))


def _noted(found: Figure, kind: Kind, activities: Sequence[HeldActivity]) -> Figure:
    """What a reader must know besides: activities left out, and numbers that are only a least one."""
    notes = [found.reason] if found.reason else []
    if found.value is not None and (poor := sum(one.poor for one in activities)):
        notes.append(f"{poor} left out, as feeds were poor on their days")
    if found.value is not None and kind.name == "no_show" and (least := sum(one.at_least for one in activities)):
        notes.append(f"at least so many: {least} counted people without pseudonyms")
    return msgspec.structs.replace(found, reason="; ".join(notes)) if notes else found
