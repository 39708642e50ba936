"""A query string of the API, checked. Unlike a page, the API drops nothing: what it cannot use is an error.

Errors: BadQuestion with one sentence that says which parameter is wrong and what would be right.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from dashboard.queries import Queries
from dashboard.selection import PERIODS
from dashboard.viewer import Viewer

# What each parameter takes, in words for the description.
PARAMETERS: Final = {
    "pilots": "Slugs of pilots, comma-separated; all that you may see when it is left out.",
    "indicators": "Ids of indicators, comma-separated; all when it is left out.",
    "period": "One value per day, week (ISO, from Monday) or month; week when it is left out.",
    "start": "First day, ISO date, local to each pilot; the first with data when it is left out.",
    "end": "Last day, included; the last with data when it is left out.",
    "format": "json or csv; when it is left out, the Accept header decides, and JSON is the default.",
}
FORMATS: Final = ("json", "csv")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN = 12


class BadQuestion(Exception):
    """The question cannot be answered as it was asked."""


@dataclass(frozen=True)
class Asked:
    """What was asked for; empty `indicators` means all, None for a day leaves that side open."""

    pilots: tuple[str, ...]
    indicators: tuple[str, ...] = ()
    period: str = "week"
    start: str | None = None
    end: str | None = None
    format: str = ""


def read(given: Sequence[tuple[str, str]], known: Iterable[str], queries: Queries, who: Viewer) -> Asked:
    """The question in these names and values; `known` are the parameters of the address."""
    allowed = (*known, "format")
    found: dict[str, str] = {}
    for name, value in given:
        if name not in allowed:
            raise BadQuestion(f'There is no parameter "{_short(name)}" here; it takes {", ".join(allowed)}.')
        if name in found:
            raise BadQuestion(f'The parameter "{name}" stands twice; write its values once, separated by commas.')
        found[name] = value
    choices = queries.choices(who)
    start, end = _day("start", found.get("start")), _day("end", found.get("end"))
    if start and end and end < start:
        raise BadQuestion(f'"end" ({end}) lies before "start" ({start}); exchange them.')
    return Asked(
        pilots=_several("pilots", found.get("pilots"), choices.pilots) or choices.pilots,
        indicators=_several("indicators", found.get("indicators"), choices.indicators),
        period=_one_of("period", found.get("period", "week"), PERIODS),
        start=start,
        end=end,
        format=_one_of("format", found["format"], FORMATS) if "format" in found else "",
    )


def _several(name: str, value: str | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The values of a list in the order of the catalogue; () when it is left out."""
    if value is None:
        return ()
    wanted = [one for one in value.split(",") if one]
    wrong = next((one for one in wanted if one not in allowed), None)
    if wrong is not None or not wanted:
        raise BadQuestion(f'"{_short(wrong or "")}" in "{name}" is not known to you; known are {_listed(allowed)}.')
    return tuple(one for one in allowed if one in wanted)


def _listed(allowed: Sequence[str]) -> str:
    more = f" and {len(allowed) - _SHOWN} more" if len(allowed) > _SHOWN else ""
    return ", ".join(allowed[:_SHOWN]) + more if allowed else "none"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise BadQuestion(f'"{name}" is {", ".join(allowed[:-1])} or {allowed[-1]}, not "{_short(value)}".')
    return value


def _day(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year < 2200:
        raise BadQuestion(f'"{name}" is a day such as 2026-05-12, from 1970 on, not "{_short(value)}".')
    return value


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
