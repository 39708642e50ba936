"""One pilot's values of one indicator over time: line, interval band, hollow markers, gaps, activities."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import plotly.graph_objects as go

from dashboard import wording
from dashboard.figures import TEMPLATES
from dashboard.palette import Scheme
from dashboard.texts import _
from pipeline.values import Activity, IndicatorValue

HOLLOW = ("feed_poor", "incomplete")
_LENGTHS = {"day": 1, "week": 7, "month": 30}
_STAGE_SYMBOLS = {"co_design": "triangle-down", "co_decide": "diamond", "co_produce": "square", "co_evaluate": "star"}


@dataclass(frozen=True)
class Look:
    """How a trend is drawn: `unit` is that of the values ("index" for 100 = own baseline)."""

    scheme: Scheme
    hue: str
    unit: str
    k: int = 0
    period: str = "week"
    reference: float | None = None
    wide: bool = False
    top: float | None = None


@dataclass(frozen=True)
class Slot:
    """One period of the time axis; `value` None is a period of which nothing was computed."""

    start: str
    value: IndicatorValue | None

    @property
    def y(self) -> float | None:
        return self.value.value if self.value else None


def slots(values: Iterable[IndicatorValue], period: str, start: str, end: str) -> list[Slot]:
    """The complete grid of periods between two days, so that a missing period is a gap and not a shortcut."""
    known = {value.start: value for value in values}
    first = min([start, *known]) if known else start
    return [Slot(one, known.get(one)) for one in _starts(period, first, end)]


def _starts(period: str, start: str, end: str) -> list[str]:
    one, last = date.fromisoformat(start), date.fromisoformat(end)
    if period == "week":
        one -= timedelta(days=one.weekday())
    elif period == "month":
        one = one.replace(day=1)
    found = []
    while one <= last:
        found.append(one.isoformat())
        one += timedelta(days={"day": 1, "week": 7}.get(period) or calendar.monthrange(one.year, one.month)[1])
    return found


def runs(row: Sequence[Slot]) -> list[list[Slot]]:
    """Neighbouring slots that one line may join: it never crosses a slot without a value.

    A period that is not over stands alone, since a line down to it would look like a fall.
    """
    found: list[list[Slot]] = [[]]
    for slot in row:
        if slot.y is None:
            found.append([])
        elif slot.value is not None and slot.value.status == "incomplete":
            found += [[slot], []]
        else:
            found[-1].append(slot)
    return [run for run in found if run]


def top_of(values: Iterable[IndicatorValue]) -> float | None:
    """The highest point that must fit on a common axis."""
    highest = [x for value in values for x in (value.value, value.upper) if x is not None]
    return max(highest) if highest else None


def trend(
    values: Sequence[IndicatorValue], start: str, end: str, look: Look, activities: Sequence[Activity] = ()
) -> go.Figure:
    """The figure; the x axis spans exactly [start, end], so that figures under one another share it."""
    row = slots(values, look.period, start, end)
    figure = go.Figure(layout={"template": TEMPLATES[look.scheme.name]})
    for run in runs(row):
        _draw_interval(figure, run, look)
    _draw_line(figure, row, look)
    top = look.top or top_of(values) or 1.0
    _draw_missing(figure, row, look, top)
    _draw_activities(figure, activities, look, top * 1.12)
    if look.reference is not None:
        figure.add_hline(y=look.reference, line={"color": look.scheme.quiet, "width": 1, "dash": "dot"}, layer="below")
    figure.update_xaxes(**_time_axis(row, end, look))
    figure.update_yaxes(
        range=[-0.06 * top, top * (1.24 if activities else 1.08)], tickformat=_tick_format(look.unit, top)
    )
    figure.update_layout(uirevision="keep")
    return figure


def _draw_interval(figure: go.Figure, run: list[Slot], look: Look) -> None:
    known = [slot.value for slot in run if slot.value and slot.value.lower is not None and slot.value.upper is not None]
    if len(run) == 1 and known:
        value = known[0]
        figure.add_scatter(
            x=[value.start] * 2,
            y=[value.lower, value.upper],
            mode="lines",
            name="interval",
            line={"color": _faint(look.hue, 0.5), "width": 5},
            hoverinfo="skip",
        )
    elif len(known) > 1:
        days = [value.start for value in known]
        figure.add_scatter(
            x=days + days[::-1],
            y=[v.upper for v in known] + [v.lower for v in reversed(known)],
            fill="toself",
            fillcolor=_faint(look.hue, 0.18),
            mode="none",
            name="interval",
            hoverinfo="skip",
        )


def _draw_line(figure: go.Figure, row: list[Slot], look: Look) -> None:
    for run in runs(row):
        if len(run) > 1:
            figure.add_scatter(
                x=[slot.start for slot in run], y=[slot.y for slot in run], mode="lines", name="line",
                line={"color": look.hue, "width": 1.8}, hoverinfo="skip",
            )  # fmt: skip
    lone = {run[0].start for run in runs(row) if len(run) == 1}
    hollow = [slot.value is not None and slot.value.status in HOLLOW for slot in row]
    lone_or_few = lone if len(row) >= 16 else {slot.start for slot in row}
    figure.add_scatter(
        x=[slot.start for slot in row], y=[slot.y for slot in row], mode="markers", name="value", cliponaxis=False,
        marker={
            "color": [look.scheme.card if one else look.hue for one in hollow],
            "size": [_size(slot, one, lone_or_few) for slot, one in zip(row, hollow, strict=True)],
            "line": {"color": look.hue, "width": 1.4}, "opacity": 1,
        },
        text=[hover(slot, look) for slot in row], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _size(slot: Slot, hollow: bool, prominent: set[str]) -> int:
    return 7 if hollow else 5 if slot.start in prominent else 3


def _draw_missing(figure: go.Figure, row: list[Slot], look: Look, height: float) -> None:
    """Periods without a value as shaded ground, so that a gap is seen to be one; pointing at it says why."""
    missing = [slot for slot in row if slot.y is None]
    if not missing or len(missing) == len(row):
        return
    half = timedelta(days=_LENGTHS[look.period]) / 2
    ground = {"type": "rect", "y0": 0, "y1": 1, "yref": "y domain", "layer": "below", "line": {"width": 0}}
    ground["fillcolor"] = look.scheme.sunken
    # All at once: each add_shape would check every earlier shape again, seconds for a year of days.
    figure.update_layout(
        shapes=[
            {
                **ground,
                "x0": str(date.fromisoformat(stretch[0].start) - half),
                "x1": str(date.fromisoformat(stretch[-1].start) + half),
            }
            for stretch in _stretches(row)
        ]
    )
    figure.add_scatter(
        x=[slot.start for slot in missing],
        y=[height / 2] * len(missing),
        mode="markers",
        name="missing",
        marker={"size": 14, "opacity": 0},
        text=[hover(slot, look) for slot in missing],
        hovertemplate="%{text}<extra></extra>",
    )


def _stretches(row: Sequence[Slot]) -> list[list[Slot]]:
    """Neighbouring slots without a value."""
    found: list[list[Slot]] = [[]]
    for slot in row:
        if slot.y is None:
            found[-1].append(slot)
        else:
            found.append([])
    return [stretch for stretch in found if stretch]


def _draw_activities(figure: go.Figure, activities: Sequence[Activity], look: Look, height: float) -> None:
    if not activities:
        return
    for activity in activities:
        figure.add_shape(
            type="line",
            x0=activity.day,
            x1=activity.day,
            y0=0,
            y1=height,
            layer="below",
            line={"color": look.scheme.quiet, "width": 1, "dash": "dot"},
        )
    figure.add_scatter(
        x=[one.day for one in activities],
        y=[height] * len(activities),
        mode="markers",
        name="activities",
        marker={
            "symbol": [_STAGE_SYMBOLS.get(one.stage, "circle") for one in activities],
            "size": 9,
            "color": look.scheme.ink,
            "line": {"color": look.scheme.card, "width": 1},
        },
        text=[activity_words(one) for one in activities],
        hovertemplate="%{text}<extra></extra>",
    )


def activity_words(activity: Activity) -> str:
    """What is known of one activity, in lines."""
    came = _("attendance not known") if activity.attendance is None else _("{n} people came", n=activity.attendance)
    return "<br>".join([f"<b>{plain(activity.method)}</b>", wording.day(activity.day), plain(activity.stage), came])


def plain(code: str) -> str:
    """A code of the vocabulary as words.

    >>> plain("co_design"), plain("unknown")
    ('co-design', 'not documented')
    """
    if code in ("", "unknown"):
        return _("not documented")
    return _(code.replace("co_", "co-").replace("_", " "))


def hover(slot: Slot, look: Look) -> str:
    """What is said of one period."""
    value = slot.value
    if value is None:
        return f"{_('from')} {wording.day(slot.start)}<br>{_('no value')}"
    head = wording.days(value.start, value.end)
    if value.value is None:
        return f"{head}<br>{wording.status(value, look.k)}"
    lines = [head, f"<b>{wording.number(value.value, look.unit)}</b>"]
    if value.lower is not None and value.upper is not None:
        lines.append(_("95 % interval {interval}", interval=wording.interval(value, look.unit)))
    if value.n is not None:
        lines.append(f"n = {wording.number(value.n)}")
    return "<br>".join([*lines, wording.status(value, look.k)])


def _time_axis(row: Sequence[Slot], end: str, look: Look) -> dict[str, object]:
    """The range, half a period wider on both sides so that no marker is cut, and few ticks that fit a narrow figure."""
    half = timedelta(days=_LENGTHS[look.period]) / 2
    first = date.fromisoformat(row[0].start) if row else date.fromisoformat(end)
    last = max(date.fromisoformat(row[-1].start) if row else first, first + timedelta(days=1))
    shares = [at / 14 for at in range(1, 14, 2)] if look.wide else [0.1, 0.5, 0.9]
    places = sorted({first + timedelta(days=round((last - first).days * share)) for share in shares})
    names = [_tick_name(place, (last - first).days) for place in places]
    return {"range": [str(first - half), str(last + half)], "tickvals": [str(one) for one in places], "ticktext": names}


def _tick_name(place: date, length: int) -> str:
    month = wording.day(place.isoformat()).split()[1][:3]
    return f"{month} {place.year}" if length > 370 else f"{place.day} {month}"


def _tick_format(unit: str, top: float) -> str:
    return "~s" if top >= 10_000 else ",~g" if top < 10 else ",.0f"


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
