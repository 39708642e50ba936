"""Pure: what the data say, in plain words computed from them. A sentence never ranks pilots and never explains why."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import wording
from dashboard.texts import _
from pipeline.values import FeedNow, IndicatorValue

_EVEN = 100.0


@dataclass(frozen=True)
class Told:
    """One pilot of a sentence: `latest` is its last complete value; `index` the same with 100 for its baseline."""

    name: str
    latest: IndicatorValue | None
    index: IndicatorValue | None = None


def latest(values: Sequence[IndicatorValue]) -> IndicatorValue | None:
    """The last value that is complete."""
    return next((one for one in reversed(values) if one.status == "ok" and one.value is not None), None)


def against_baselines(told: Sequence[Told]) -> str:
    """Which pilots are above, below or about their own baseline; an interval that holds 100 decides for "about"."""
    above, below, even, unknown = [], [], [], []
    for one in told:
        if one.index is None or one.index.value is None:
            unknown.append(one.name)
            continue
        low = one.index.value if one.index.lower is None else one.index.lower
        high = one.index.value if one.index.upper is None else one.index.upper
        (above if low > _EVEN else below if high < _EVEN else even).append(one.name)
    parts = []
    if above:
        parts.append(_("above it: {names}", names=wording.listing(above)))
    if below:
        parts.append(_("below it: {names}", names=wording.listing(below)))
    if even:
        parts.append(_("no clear difference: {names}", names=wording.listing(even)))
    if unknown:
        parts.append(_("no baseline yet: {names}", names=wording.listing(unknown)))
    if not parts:
        return _("There is no value in this period.")
    return _("Each pilot's last complete value against its own baseline – {parts}.", parts="; ".join(parts))


def in_own_units(told: Sequence[Told], unit: str) -> str:
    """The last complete value of each pilot."""
    said = [
        _("{name} {value} ({when})", name=one.name, value=wording.number(one.latest.value, unit),
          when=wording.days(one.latest.start, one.latest.end))
        for one in told if one.latest is not None
    ]
    if not said:
        return _("No period is complete enough to give a value.")
    return _("Last complete value: {values}.", values="; ".join(said))


def of_one(name: str, value: IndicatorValue | None, index: IndicatorValue | None, unit: str) -> str:
    """One pilot's last complete value, its interval, and how it stands to its own baseline."""
    if value is None:
        return _("No period is complete enough to give a value.")
    said = _("{when}: {value}", when=wording.days(value.start, value.end), value=wording.number(value.value, unit))
    if value.lower is not None and value.upper is not None:
        said += _(" (95 % interval {interval})", interval=wording.interval(value, unit))
    if index is None or index.value is None:
        return said + _(". There is no baseline to set it against yet.")
    change = index.value - _EVEN
    if (index.lower is not None and index.lower <= _EVEN) and (index.upper is not None and index.upper >= _EVEN):
        return said + _(", not clearly different from {name}'s own baseline.", name=name)
    direction = _("above") if change > 0 else _("below")
    return said + _(", {change} % {direction} {name}'s own baseline.", change=f"{abs(change):.0f}", direction=direction, name=name)


def no_data(name: str, last_day: str | None, silent: Sequence[FeedNow]) -> str:
    """Why there is nothing to see of a pilot: since when, and which feed is silent."""
    said = _("No data from {name} in this period", name=name)
    if last_day is None:
        return said + _("; none has ever arrived.")
    said += _("; the last event is of {day}", day=wording.day(last_day))
    if silent:
        feeds = wording.listing([feed.feed for feed in silent])
        return said + _("; silent: {feeds}.", feeds=feeds)
    return said + "."


def today_against_usual(today: int, usual: float | None) -> str:
    """Today's count so far against the median by this time of day."""
    if usual is None:
        return _("usual not known yet")
    if usual == 0:
        return _("usually none by now")
    change = round(100 * (today - usual) / usual)
    if change == 0:
        return _("as usual by now ({usual})", usual=wording.number(usual))
    more = _("{n} % more than usual by now ({usual})", n=change, usual=wording.number(usual))
    fewer = _("{n} % fewer than usual by now ({usual})", n=-change, usual=wording.number(usual))
    return more if change > 0 else fewer
