"""Pure: the small parts that pages and frames are made of."""

import functools
import hashlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import Output, html, no_update
from dash.exceptions import PreventUpdate
from plotly.io.json import to_json_plotly

from config.catalogue import Pilot
from dashboard.palette import LIGHT
from dashboard.queries import AnswersAway
from dashboard.texts import _

log = logging.getLogger(__name__)
Draw = TypeVar("Draw", bound=Callable[..., Any])


def attributes(named: dict[str, str]) -> dict[str, Any]:
    """Attributes such as aria-label or data-pilot, whose names are no Python names."""
    return dict(named)


def icon(name: str) -> html.Span:
    """A decorative icon of assets/icons.css, in the colour of its text."""
    return html.Span(className=f"icon icon-{name}", **attributes({"aria-hidden": "true"}))


def swatch(hue: int) -> html.Span:
    """The dot in a pilot's colour that stands before its name everywhere."""
    ground = {"background": f"var(--hue-{hue % len(LIGHT.hues)})"}
    return html.Span(className="swatch", style=ground, **attributes({"aria-hidden": "true"}))


def pilot_name(pilot: Pilot, hue: int) -> html.Span:
    return html.Span([swatch(hue), pilot.name], className="pilot-name")


def notice(kind: str, title: str, sentence: Any, **more: Any) -> html.Div:
    """A calm box with an icon, a title and a sentence; `kind` is info, warn, bad or empty."""
    names = {"info": "info", "warn": "alert", "bad": "alert", "empty": "empty"}
    return html.Div(
        [icon(names[kind]), html.Div([html.Strong(title), html.P(sentence)])],
        className=f"notice notice-{kind}",
        role="alert" if kind == "bad" else "status",
        **more,
    )


def answered(draw: Draw) -> Draw:
    """Whatever goes wrong while a page is drawn becomes a notice with a sentence; no reader sees a traceback."""

    @functools.wraps(draw)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return draw(*args, **kwargs)
        except PreventUpdate:
            raise
        except AnswersAway as error:
            log.warning("The store is away: %s", error)
            return notice(
                "bad",
                _("The store does not answer"),
                _("Nothing is lost: what arrives is kept on disk meanwhile. This page tries again by itself."),
            )
        except Exception:
            log.exception("A page could not be drawn")
            return notice(
                "bad",
                _("This part could not be drawn"),
                _("The fault is ours and is in the log of the dashboard. Other pages are not affected."),
            )

    return told  # type: ignore[return-value]


def holding_still(prop: str = "disabled") -> list[tuple[Output, Any, Any]]:
    """`running` of a callback that draws: no newer version is looked for until it is done.

    A slow draw would otherwise be overtaken by the next version again and again, and never be seen. Two draws of one
    page hold the tick by different properties, "disabled" and "max_intervals", so that neither lets go for the other.
    """
    held, free = {"disabled": (True, False), "max_intervals": (0, -1)}[prop]
    return [(Output("tick", prop), held, free)]


def unless_drawn(content: Any, drawn: str | None) -> tuple[Any, Any]:
    """Content and its digest, or no update when it is what the page already shows: nothing moves without need."""
    digest = hashlib.sha256(to_json_plotly(content).encode()).hexdigest()
    return (no_update, no_update) if digest == drawn else (content, digest)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> html.Div:
    """An accessible table that scrolls inside itself. A cell is a text whose second line is set small.

    The whole table is one component: a page of a thousand cells as components keeps a browser busy for seconds.
    """
    data = {"caption": caption, "head": list(head), "body": [list(row) for row in rows]}
    return scrolling(dmc.Table(data=data, className="numbers plain"), caption)


def scrolling(content: Any, label: str) -> html.Div:
    """A region that scrolls by itself, also by keyboard."""
    return html.Div(content, className="table-scroll", tabIndex=0, role="region", **attributes({"aria-label": label}))


def outside(url: str, text: str) -> Any:
    """A link to a source, when the address is http or https; else only its text."""
    if urlsplit(url).scheme in ("http", "https"):
        return html.A(text, href=url, rel="noopener noreferrer nofollow", target="_blank")
    return text


def skeleton(heights: Sequence[int]) -> list[Any]:
    """What stands in the place of content while it is read, and says so."""
    said = _("Reading the figures. The first reading after new data may take some seconds.")
    return [
        html.P(said, className="note reading", role="status"),
        *[dmc.Skeleton(height=height, radius="sm", mb="md") for height in heights],
    ]


def heading(title: str, lead: str, *more: Any) -> html.Div:
    """The head of a page."""
    return html.Div([html.Div([html.H1(title), html.P(lead, className="lead")]), *more], className="page-head")
