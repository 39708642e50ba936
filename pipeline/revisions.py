"""Revisions as they are told: what a published value was and what it became, without telling of a few people.

Rule: where the two would differ by fewer than k people, or may do so, the value before is withheld.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.findings import Revision
from pipeline.freeze import content, key_of
from pipeline.frozen import Superseded
from pipeline.indicators import INDICATORS
from pipeline.values import IndicatorValue, PeriodValues

COUNTS: Final = ("people", "attendances")
COLUMNS: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("indicator_id", "string", "Id of the definition in definitions.json."),
    ("period_start", "date", "First local day, included."),
    ("period_end", "date", "Last local day, included."),
    ("subgroup_dim", "string", "What the value is split by; empty for a total."),
    ("subgroup", "string", "The part; empty for a total."),
    ("revision", "integer", "Which revision of the period, from 1."),
    ("made_at_ns", "integer", "When it was published, in ns since 1970 UTC."),
    ("reason", "string", "Why the value changed."),
    ("before", "number", "The value before; empty where the difference may tell of fewer people than the limit."),
    ("after", "number", "The value that followed; empty where it cannot be said."),
)
EVENTS: Final = ("actions", "contributions", "activities")
Place = tuple[str, str, str]  # pilot, period, start


def told_revisions(rows: Sequence[Superseded], current: Mapping[Place, PeriodValues], k: int) -> list[Revision]:
    """One Revision per value and change, in the order of `rows`; `current` is what is stored now."""
    now = {
        (*place, document.end, *key_of(value)): value
        for place, document in current.items()
        for value in document.values
    }
    found: list[Revision] = []
    for row in reversed(rows):  # what followed a value is the present one, or what the next revision replaced
        told = []
        for before in row.values:
            identity = (row.pilot, row.period, row.start, row.end, *key_of(before))
            after = now.get(identity)
            if after is None or content(after) != content(before):
                told.append(_told(row, before, after, k))
            now[identity] = before
        found += reversed(told)
    return found[::-1]


def _told(row: Superseded, before: IndicatorValue, after: IndicatorValue | None, k: int) -> Revision:
    reason = row.reason
    if after is not None and after.version != before.version:
        reason = f"its definition changed from version {before.version} to {after.version}"
    now = after.value if after is not None else None
    return Revision(
        pilot=row.pilot,
        indicator=before.indicator,
        period=row.period,
        start=row.start,
        end=row.end,
        dim=before.dim,
        segment=before.segment,
        revision=row.revision,
        at_ns=row.at_ns,
        reason=reason,
        before=None if withheld(before, now, k) else before.value,
        after=now,
    )


def withheld(before: IndicatorValue, now: float | None, k: int) -> bool:
    """True where the value before and the one now may tell of 1 to k-1 people.

    A count of people is told beside another only if they are k apart; a rate of people never, since its difference
    tells of as few as stand behind it.
    """
    if k < 2 or before.value is None:
        return False
    definition = INDICATORS.get(before.indicator)
    if definition is None:
        return True
    if definition.family in ("context", "quality") or definition.unit in EVENTS:
        return False
    return definition.unit not in COUNTS or now is None or 0 < abs(now - before.value) < k


def as_row(one: Revision, numbers: bool) -> list[object]:
    """A revision as a row of revisions.csv; without `numbers` neither value is told."""
    values = (one.before, one.after) if numbers else (None, None)
    place = [one.pilot, one.indicator, one.start, one.end, one.dim, one.segment]
    return [*place, one.revision, one.at_ns, one.reason, *values]
