"""What the reader chose ⇄ the address bar.

The query string is untrusted: whatever is unknown, malformed or out of bounds is dropped, and the rest is used. The
same choices always give the same query string, and only what differs from the default is written into it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

SPANS: Final = {"4w": 28, "12w": 84, "26w": 182, "52w": 364}
ALL, CUSTOM = "all", "custom"
DEFAULT_SPAN: Final = "26w"
PERIODS: Final = ("day", "week", "month")
SCALES: Final = ("own", "absolute", "per1000")
DIMS: Final = ("method", "tool", "technique", "skill")
STAGES: Final = ("co_design", "co_decide", "co_produce", "co_evaluate")
# What an activity is judged by on page Methods (E14), in the order of the switch.
FIGURES: Final = (
    "attendance", "no_show", "contributions_per_hour", "answered", "influence", "perceived", "skills_met",
)  # fmt: skip
VARIANTS: Final = ("in", "or_later")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_QUERY = 4_000


@dataclass(frozen=True)
class Choices:
    """What can be chosen at all: slugs of pilots and ids of indicators, in the order in which they are shown."""

    pilots: tuple[str, ...]
    indicators: tuple[str, ...]


@dataclass(frozen=True)
class Selection:
    """Empty `pilots` or `indicators` means the default ones; `start` and `end` are ISO dates, both included.

    `pilot` is the one that page *Pilot* shows; empty is the first chosen one. `dim`, `stage` ("" is all), `figure` and
    `variant` are the switches of the pages *Methods*, *Decisions* and *Retention*.
    """

    pilots: tuple[str, ...] = ()
    span: str = DEFAULT_SPAN
    start: str | None = None
    end: str | None = None
    period: str = "week"
    indicators: tuple[str, ...] = ()
    scale: str = "own"
    pilot: str = ""
    dim: str = DIMS[0]
    stage: str = ""
    figure: str = FIGURES[0]
    variant: str = VARIANTS[0]

    @classmethod
    def from_query(cls, query: object, choices: Choices) -> "Selection":
        """A query string such as "?pilots=bremen,genoa&span=4w" as a selection; never raises."""
        if not isinstance(query, str) or len(query) > _LONGEST_QUERY:
            return cls()
        try:
            return cls.from_mapping(dict(parse_qsl(query.removeprefix("?"), max_num_fields=40)), choices)
        except ValueError:
            return cls()

    @classmethod
    def from_mapping(cls, chosen: Mapping[str, object], choices: Choices) -> "Selection":
        """The same from names and texts, as the bar's controls give them."""
        start, end = _day(chosen.get("start")), _day(chosen.get("end"))
        span = str(chosen.get("span") or DEFAULT_SPAN)
        if start and end and start <= end:
            span = CUSTOM
        else:
            start = end = None
            span = span if span in SPANS or span == ALL else DEFAULT_SPAN
        pilots = _known(chosen.get("pilots"), choices.pilots)
        pilot = _known(chosen.get("pilot"), choices.pilots)[:1]
        return cls(
            pilots=() if pilots == choices.pilots else pilots,
            span=span,
            start=start,
            end=end,
            period=_one_of(chosen.get("period"), PERIODS, "week"),
            indicators=_known(chosen.get("indicators"), choices.indicators),
            scale=_one_of(chosen.get("scale"), SCALES, "own"),
            pilot=pilot[0] if pilot else "",
            dim=_one_of(chosen.get("dim"), DIMS, DIMS[0]),
            stage=_one_of(chosen.get("stage"), STAGES, ""),
            figure=_one_of(chosen.get("figure"), FIGURES, FIGURES[0]),
            variant=_one_of(chosen.get("variant"), VARIANTS, VARIANTS[0]),
        )

    @property
    def beside_the_bar(self) -> dict[str, object]:
        """What is chosen on the pages themselves, so that a change in the bar keeps it."""
        return {name: getattr(self, name) for name in ("pilot", "dim", "stage", "figure", "variant")}

    def to_query(self, **changed: object) -> str:
        """This selection as a query string, "" for the default one; `changed` replaces single choices."""
        one = replace(self, **changed) if changed else self  # type: ignore[arg-type]
        parts = {
            "pilots": ",".join(one.pilots),
            "span": one.span if one.span not in (DEFAULT_SPAN, CUSTOM) else "",
            "start": one.start or "",
            "end": one.end or "",
            "period": one.period if one.period != "week" else "",
            "indicators": ",".join(one.indicators),
            "scale": one.scale if one.scale != "own" else "",
            "pilot": one.pilot,
            "dim": one.dim if one.dim != DIMS[0] else "",
            "stage": one.stage,
            "figure": one.figure if one.figure != FIGURES[0] else "",
            "variant": one.variant if one.variant != VARIANTS[0] else "",
        }
        written = urlencode({key: value for key, value in parts.items() if value}, safe=",")
        return f"?{written}" if written else ""

    def bounds(self, known: tuple[str, str] | None) -> tuple[str, str] | None:
        """First and last day to show, given the first and last day with data; None when nothing is known.

        A span ends at the last day with data and not today, so that past data are shown without searching for them.
        """
        if self.start and self.end:
            return self.start, self.end
        if known is None or self.span == ALL:
            return known
        last = date.fromisoformat(known[1])
        return (last - timedelta(days=SPANS[self.span] - 1)).isoformat(), known[1]


def _known(chosen: object, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a list (or comma-separated text) that exist, once each, in the order of the catalogue."""
    parts: Iterable[object] = (
        chosen.split(",") if isinstance(chosen, str) else chosen if isinstance(chosen, list) else ()
    )
    wanted = {part for part in parts if isinstance(part, str)}
    return tuple(one for one in allowed if one in wanted)


def _one_of(chosen: object, allowed: tuple[str, ...], default: str) -> str:
    return chosen if isinstance(chosen, str) and chosen in allowed else default


def _day(chosen: object) -> str | None:
    if not isinstance(chosen, str) or not _ISO_DATE.fullmatch(chosen):
        return None
    try:
        day = date.fromisoformat(chosen)
    except ValueError:
        return None
    return day.isoformat() if 1970 <= day.year < 2200 else None  # with room to look back and ahead
