"""A drop-off over its days: what was observed against the expected band, and the evidence beneath."""

from collections.abc import Sequence
from itertools import groupby

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures import TEMPLATES
from dashboard.palette import Scheme
from pipeline.alerts.stories import Day


def fall(days: Sequence[Day], threshold: float, opened: str, change: str | None, scheme: Scheme, hue: str) -> go.Figure:
    """Two rows over one time axis. Days that are left out are hollow; the band is of 90 % of days."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.08)
    figure.update_layout(
        template=TEMPLATES[scheme.name], uirevision="keep", margin={"l": 44, "r": 12, "t": 12, "b": 44}
    )
    for known, part in groupby(days, key=lambda one: one.expected is not None):
        row = list(part)
        if known and len(row) > 1:
            _expected(figure, row, scheme)
    for left_out in (False, True):
        dots = [one for one in days if bool(one.why) is left_out]
        figure.add_scatter(
            x=[one.day for one in dots],
            y=[one.observed for one in dots],
            mode="markers",
            marker={"color": scheme.card if left_out else hue, "size": 7, "line": {"color": hue, "width": 1.5}},
            text=[one.why for one in dots],
            hovertemplate="%{x}: %{y} %{text}<extra></extra>",
            row=1,
            col=1,
        )
    figure.add_scatter(
        x=[one.day for one in days],
        y=[one.evidence for one in days],
        mode="lines",
        line={"color": hue, "width": 2, "shape": "hv"},
        fill="tozeroy",
        hovertemplate="%{x}: %{y:.1f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.add_hline(y=threshold, line={"color": scheme.quiet, "width": 1, "dash": "dash"}, row=2, col=1)
    for day, dash in ((opened, "solid"), (change, "dot")):
        if day and days[0].day <= day <= days[-1].day:
            figure.add_vline(x=day, line={"color": scheme.quiet, "width": 1, "dash": dash})
    figure.update_xaxes(tickformat="%-d %b")
    figure.update_yaxes(rangemode="tozero", nticks=5, row=1, col=1)
    figure.update_yaxes(rangemode="tozero", nticks=3, row=2, col=1)
    figure.update_layout(showlegend=False)
    return figure


def _expected(figure: go.Figure, row: Sequence[Day], scheme: Scheme) -> None:
    days = [one.day for one in row]
    figure.add_scatter(
        x=days + days[::-1],
        y=[one.high for one in row] + [one.low for one in reversed(row)],
        fill="toself",
        fillcolor=scheme.line,
        mode="none",
        opacity=0.6,
        hoverinfo="skip",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=days, y=[one.expected for one in row], mode="lines", line={"color": scheme.quiet, "width": 1.5},
        hovertemplate="%{x}: %{y:.1f}<extra></extra>", row=1, col=1,
    )  # fmt: skip
