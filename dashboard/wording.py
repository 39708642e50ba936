"""Pure: numbers, days, ages and statuses as a reader sees them. "Not computed" is a dash with a reason, never 0."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dashboard.texts import _
from pipeline.values import IndicatorValue

NOTHING: Final = "–"
_NS_PER_S = 1_000_000_000
# Units that are shown behind the number; all others are named once, in the title.
_SHORT_UNITS = {"%": " %"}


def number(value: float | None, unit: str = "") -> str:
    """Grouped thousands and three telling digits; no decimals on whole numbers and on an index.

    >>> number(15076.0), number(0.0), number(None), number(3.14159), number(27.44), number(949.7), number(4.25, "%")
    ('15,076', '0', '–', '3.14', '27.4', '950', '4.25 %')
    """
    if value is None:
        return NOTHING
    if float(value).is_integer() or abs(value) >= 100 or unit == "index":
        text = f"{value:,.0f}"
    elif abs(value) >= 10:
        text = f"{value:.1f}"
    else:
        text = f"{value:.2f}"
    return text.replace("-", "−") + _SHORT_UNITS.get(unit, "")


def interval(value: IndicatorValue, unit: str = "") -> str:
    """The 95 % interval as "12 to 20", or a dash when the definition has none."""
    if value.lower is None or value.upper is None:
        return NOTHING
    return _("{low} to {high}", low=number(value.lower, unit), high=number(value.upper, unit))


def status_words() -> dict[str, str]:
    """What each status is called."""
    return {
        "ok": _("complete"),
        "suppressed": _("hidden"),
        "incomplete": _("incomplete"),
        "insufficient_n": _("too few to say"),
        "feed_poor": _("feed incomplete"),
        "not_defined": _("not defined"),
    }


def status(value: IndicatorValue, k: int) -> str:
    """The status as a short phrase; a hidden value names the published limit."""
    if value.status == "suppressed" and k:
        return _("hidden: would tell of fewer than {k} people", k=k)
    return status_words().get(value.status, value.status)


def day(iso: str, *, year: bool = True) -> str:
    """An ISO date for people.

    >>> day("2026-05-12"), day("2026-05-12", year=False)
    ('12 May 2026', '12 May')
    """
    one = date.fromisoformat(iso)
    months = (
        _("January"),
        _("February"),
        _("March"),
        _("April"),
        _("May"),
        _("June"),
        _("July"),
        _("August"),
        _("September"),
        _("October"),
        _("November"),
        _("December"),
    )
    month = months[one.month - 1]
    return f"{one.day} {month} {one.year}" if year else f"{one.day} {month}"


def prose(sentence: str) -> str:
    """A sentence of the pipeline with its ISO dates for people.

    >>> prose("Silent since 2026-11-25 10:00:00 UTC; the last activity was on 2026-11-04.")
    'Silent since 25 November 2026 10:00:00 UTC; the last activity was on 4 November 2026.'
    """
    return re.sub(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])", lambda found: day(found[0]), sentence)


def days(start: str, end: str) -> str:
    """A span of days, both included, as short as it can be said.

    >>> days("2026-04-27", "2026-05-03"), days("2026-05-04", "2026-05-10"), days("2025-12-29", "2026-01-04")
    ('27 April – 3 May 2026', '4 – 10 May 2026', '29 December 2025 – 4 January 2026')
    """
    if start == end:
        return day(start)
    one, two = date.fromisoformat(start), date.fromisoformat(end)
    if (one.year, one.month) == (two.year, two.month):
        return f"{one.day} – {day(end)}"
    return f"{day(start, year=one.year != two.year)} – {day(end)}"


def age(seconds: float) -> str:
    """How long ago, in the largest fitting unit.

    >>> age(3), age(240), age(7200), age(200000)
    ('3 s', '4 min', '2 h', '2 days')
    """
    if seconds < 100:
        return _("{n} s", n=max(0, round(seconds)))
    if seconds < 6000:
        return _("{n} min", n=round(seconds / 60))
    if seconds < 172_800:
        return _("{n} h", n=round(seconds / 3600))
    return _("{n} days", n=round(seconds / 86_400))


def lag(seconds: float) -> str:
    r"""A difference of two clocks with its sign, in the largest fitting unit.

    >>> [lag(one).replace("\u00a0", " ") for one in (0.04, -3.2, 600, -7300, 0)]
    ['0.04 s', '−3.2 s', '10 min', '−2 h', '0.001 s']
    """
    size = abs(seconds)
    text = (f"{max(size, 0.001):.2g} s" if size < 10 else age(size)).replace(" ", "\u00a0")
    return f"−{text}" if seconds < 0 else text


def ns_of(text: str) -> int:
    """An RFC 3339 time of a report in ns."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000


def moment(ns: int, zone: ZoneInfo) -> str:
    """Day and time of a moment where the pilot is.

    >>> moment(0, ZoneInfo("Europe/Berlin"))
    '1 January 01:00'
    """
    at = local(ns, zone)
    return f"{day(at.date().isoformat(), year=False)} {at:%H:%M}"


def clock_time(ns: int, zone: ZoneInfo | None = None) -> str:
    """The time of day of a moment, in the pilot's zone or UTC.

    >>> clock_time(0), clock_time(0, ZoneInfo("Europe/Berlin"))
    ('00:00:00', '01:00:00')
    """
    return local(ns, zone).strftime("%H:%M:%S")


def local(ns: int, zone: ZoneInfo | None = None) -> datetime:
    """A moment as local time, whole seconds."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=ns // _NS_PER_S)).astimezone(zone or UTC)


def population(kind: str) -> str:
    """The kind of a denominator in words."""
    return {
        "inhabitants": _("inhabitants"),
        "students": _("students"),
        "visitors": _("visitors"),
        "target": _("people of the target population"),
    }.get(kind, kind)


def listing(parts: list[str]) -> str:
    """A list in a sentence.

    >>> listing(["Malmö"]), listing(["Malmö", "Bremen", "Genoa"])
    ('Malmö', 'Malmö, Bremen and Genoa')
    """
    if len(parts) < 2:
        return "".join(parts)
    return _("{others} and {last}", others=", ".join(parts[:-1]), last=parts[-1])
