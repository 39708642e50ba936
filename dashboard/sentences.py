"""Pure: what the data say, in plain words computed from them. A sentence never ranks pilots and never explains why."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard import wording
from dashboard.texts import _
from pipeline.values import FeedNow, IndicatorValue

_EVEN = 100.0
_CLEAR = 5.0


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
    """Which pilots are above, below or about their own baseline; an interval that holds 100 decides for "about".

    Where the definition has no interval, a difference of up to 5 % counts as none.
    """
    names: dict[str, list[str]] = {"above": [], "below": [], "even": [], "unknown": []}
    for one in told:
        names[_standing(one.index)].append(one.name)
    parts = []
    if names["above"]:
        parts.append(_("Above: {names}.", names=wording.listing(names["above"])))
    if names["below"]:
        parts.append(_("Below: {names}.", names=wording.listing(names["below"])))
    if names["even"]:
        parts.append(_("No clear difference: {names}.", names=wording.listing(names["even"])))
    if not parts:
        return _("No pilot has both a complete value and a baseline in this period.")
    if names["unknown"]:
        parts.append(_("No baseline yet: {names}.", names=wording.listing(names["unknown"])))
    return " ".join([_("The last complete value against each pilot's own baseline."), *parts])


def _standing(index: IndicatorValue | None) -> str:
    if index is None or index.value is None:
        return "unknown"
    low = index.value - _CLEAR if index.lower is None else index.lower
    high = index.value + _CLEAR if index.upper is None else index.upper
    return "above" if low > _EVEN else "below" if high < _EVEN else "even"


def in_own_units(told: Sequence[Told], unit: str) -> str:
    """The last complete value of each pilot."""
    whens = {wording.days(one.latest.start, one.latest.end) for one in told if one.latest is not None}
    if len(whens) == 1:
        same = [f"{one.name} {wording.number(one.latest.value, unit)}" for one in told if one.latest is not None]
        return _("Last complete value, {when}: {values}.", when=whens.pop(), values="; ".join(same))
    said = [
        _(
            "{name} {value} ({when})",
            name=one.name,
            value=wording.number(one.latest.value, unit),
            when=wording.days(one.latest.start, one.latest.end),
        )
        for one in told
        if one.latest is not None
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
    place = _standing(index)
    if place == "even":
        return said + _(", not clearly different from {name}'s own baseline.", name=name)
    change = f"{abs(index.value - _EVEN):.0f}"
    if place == "above":
        return said + _(", {change} % above {name}'s own baseline.", change=change, name=name)
    return said + _(", {change} % below {name}'s own baseline.", change=change, name=name)


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
    if change >= 300:
        times = wording.number(float(round(today / usual)))
        return _("{times} times what is usual by now ({usual})", times=times, usual=wording.number(usual))
    if change == 0:
        return _("as usual by now ({usual})", usual=wording.number(usual))
    more = _("{n} % more than usual by now ({usual})", n=change, usual=wording.number(usual))
    fewer = _("{n} % fewer than usual by now ({usual})", n=-change, usual=wording.number(usual))
    return more if change > 0 else fewer
