"""Pure figures: values in, plotly figures out. The template and the one graph factory are here.

Promises: a period without a value is a gap, never 0 and never bridged by a line; a value whose feeds were incomplete
is a hollow marker; every interval that a value has is drawn; nothing in a figure asks another host for anything.
"""

from typing import Any, Final

import plotly.graph_objects as go
from dash import dcc

from dashboard.palette import SCHEMES, Scheme

FONT: Final = '"Public Sans", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
# "Share chart" would post the figure to another host (stack.md 4.5).
CONFIG: Final[dict[str, Any]] = {
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "displaylogo": False,
    "responsive": True,
    "displayModeBar": False,
    "scrollZoom": False,
    "doubleClick": "reset",
}


def graph(id: str | dict[str, str], figure: go.Figure, height: int, **more: Any) -> dcc.Graph:
    """The only place that makes a Graph."""
    config: Any = dict(CONFIG)
    return dcc.Graph(id=id, figure=figure, config=config, style={"height": f"{height}px"}, responsive=True, **more)


def template(scheme: Scheme) -> go.layout.Template:
    """Quiet axes, no frame, horizontal grid only."""
    axis = {
        "showgrid": False,
        "zeroline": False,
        "linecolor": scheme.line,
        "tickcolor": scheme.line,
        "ticklen": 4,
        "tickfont": {"size": 11, "color": scheme.quiet},
        "fixedrange": True,
        "automargin": False,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": scheme.ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 40, "r": 8, "t": 8, "b": 24},
            "showlegend": False,
            "xaxis": {**axis, "ticks": "outside", "showline": True},
            "yaxis": {
                **axis,
                "showgrid": True,
                "gridcolor": scheme.line,
                "gridwidth": 1,
                "ticks": "",
                "nticks": 4,
                "ticksuffix": " ",
            },
            "hoverlabel": {
                "bgcolor": scheme.card,
                "bordercolor": scheme.line,
                "align": "left",
                "font": {"family": FONT, "size": 12, "color": scheme.ink},
            },
            "hovermode": "closest",
        }
    )


TEMPLATES: Final = {name: template(scheme) for name, scheme in SCHEMES.items()}
