"""Values of closed periods are frozen: what was published changes as a numbered revision, never silently.

Promises: a value that was incomplete, or of an open period, was not published; what was suppressed of a closed period
under a limit stays so under that limit; the same content again is no revision. Nothing here reads or writes.
"""

from collections.abc import Iterable

import msgspec

from pipeline.partials import Partial
from pipeline.values import IndicatorValue, PeriodValues

Key = tuple[str, str, str]  # indicator, dim, segment
STAYS = "hidden when its period was first told, and therefore kept hidden"


def key_of(value: IndicatorValue) -> Key:
    """What a value is of, within its period."""
    return value.indicator, value.dim, value.segment


def content(value: IndicatorValue) -> tuple[object, ...]:
    """What a reader takes from a value; the sentence and the feeds' state beside it are not part of it."""
    return value.version, value.value, value.n, value.lower, value.upper, value.interval, value.status


def closed(document: PeriodValues) -> dict[Key, IndicatorValue]:
    """The values that stand once they are published."""
    return {key_of(value): value for value in document.values if value.status != "incomplete" and not value.open}


def differ(before: PeriodValues, after: PeriodValues) -> list[Key]:
    """Published values that are no longer what they were, those that are gone among them."""
    now = {key_of(value): value for value in after.values}
    return [key for key, old in closed(before).items() if key not in now or content(now[key]) != content(old)]


def revise(published: PeriodValues | None, fresh: PeriodValues) -> PeriodValues:
    """The fresh document with its revision, and that of each value, after what was published of the period."""
    if published is None or (published.start, published.end) != (fresh.start, fresh.end):
        return fresh
    before = closed(published)
    values = [_kept_hidden(before.get(key_of(value)), value, published.k == fresh.k) for value in fresh.values]
    fresh = msgspec.structs.replace(fresh, values=values)
    changed = set(differ(published, fresh))
    number = published.revision + bool(changed)
    return msgspec.structs.replace(fresh, revision=number, values=list(_numbered(values, before, changed, number)))


def _kept_hidden(before: IndicatorValue | None, value: IndicatorValue, same_limit: bool) -> IndicatorValue:
    shown = value.value is not None or value.n is not None
    if before is None or not same_limit or before.status != "suppressed" or not shown:
        return value
    return keep_hidden(value)


def keep_hidden(value: IndicatorValue) -> IndicatorValue:
    """The value as one that was hidden when its period was first told."""
    return msgspec.structs.replace(
        value, status="suppressed", reason=STAYS, value=None, n=None, lower=None, upper=None, interval=""
    )


def _numbered(
    values: Iterable[IndicatorValue], before: dict[Key, IndicatorValue], changed: set[Key], number: int
) -> Iterable[IndicatorValue]:
    for value in values:
        key = key_of(value)
        revision = number if key in changed else before[key].revision if key in before else 0
        yield msgspec.structs.replace(value, revision=revision) if revision != value.revision else value


def cause(before: Partial | None, after: Partial) -> str:
    """What happened to a day: events were added ("late"), taken out ("removed") or changed ("corrected")."""
    was = sum(before.counts.values()) if before is not None else 0
    now = sum(after.counts.values())
    return "late" if now > was else "removed" if now < was else "corrected"


_CAUSES = {
    "erased": "a person's events of {days} were erased",
    "removed": "events of {days} were taken out",
    "corrected": "events of {days} were corrected",
    "late": "events of {days} came late",
}


def reason(causes: dict[str, set[str]], until: str, rebuilt: bool) -> str:
    """Why values of a period changed: what happened to days up to `until` since the last publication.

    >>> reason({"late": {"2026-03-02"}, "erased": {"2026-04-01"}}, "2026-03-08", rebuilt=False)
    'events of 2026-03-02 came late'
    >>> reason({}, "2026-03-08", rebuilt=True)
    'the catalogue or a definition changed'
    """
    parts = ["the catalogue or a definition changed"] if rebuilt else []
    erased = causes.get("erased", set())
    for name, sentence in _CAUSES.items():
        days = {day for day in causes.get(name, set()) if day <= until and (name == "erased" or day not in erased)}
        if days:
            parts.append(sentence.format(days=_named(sorted(days))))
    return "; ".join(parts) or "a late change"


def _named(days: list[str]) -> str:
    if len(days) <= 3:
        return " and ".join(days)
    return f"{len(days)} days from {days[0]} to {days[-1]}"
