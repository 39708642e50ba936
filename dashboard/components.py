"""Pure: the small parts that pages and frames are made of."""

import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dash_mantine_components as dmc
from dash import html
from dash.exceptions import PreventUpdate

from config.catalogue import Pilot
from dashboard.queries import AnswersAway
from dashboard.texts import _

log = logging.getLogger(__name__)
Draw = TypeVar("Draw", bound=Callable[..., Any])


def icon(name: str) -> html.Span:
    """A decorative icon of assets/icons.css, in the colour of its text."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})


def swatch(hue: int) -> html.Span:
    """The dot in a pilot's colour that stands before its name everywhere."""
    return html.Span(className="swatch", style={"background": f"var(--hue-{hue % 6})"}, **{"aria-hidden": "true"})


def pilot_name(pilot: Pilot, hue: int) -> html.Span:
    return html.Span([swatch(hue), pilot.name], className="pilot-name")


def notice(kind: str, title: str, sentence: Any, **more: Any) -> html.Div:
    """A calm box with an icon, a title and a sentence; `kind` is info, warn, bad or empty."""
    names = {"info": "info", "warn": "alert", "bad": "alert", "empty": "empty"}
    return html.Div(
        [icon(names[kind]), html.Div([html.Strong(title), html.P(sentence)])],
        className=f"notice notice-{kind}", role="alert" if kind == "bad" else "status", **more,
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
            return notice("bad", _("The store does not answer"),
                          _("Nothing is lost: what arrives is kept on disk meanwhile. This page tries again by itself."))
        except Exception:
            log.exception("A page could not be drawn")
            return notice("bad", _("This part could not be drawn"),
                          _("The fault is ours and is in the log of the dashboard. Other pages are not affected."))

    return told  # type: ignore[return-value]


def table(head: Sequence[Any], rows: Sequence[Sequence[Any]], caption: str, *, dense: bool = True) -> html.Div:
    """An accessible table that scrolls inside itself; the first cell of a row is its header. Cells may be components."""
    def cell(content: Any, first: bool) -> Any:
        if isinstance(content, (dmc.TableTd, dmc.TableTh)):
            return content
        return html.Th(content, scope="row") if first else dmc.TableTd(content)

    body = [dmc.TableTr([cell(content, at == 0) for at, content in enumerate(row)]) for row in rows]
    return html.Div(
        dmc.Table(
            [html.Caption(caption), dmc.TableThead(dmc.TableTr([html.Th(one, scope="col") for one in head])), dmc.TableTbody(body)],
            verticalSpacing=4 if dense else 8, className="numbers",
        ),
        className="table-scroll", tabIndex=0, role="region", **{"aria-label": caption},
    )


def outside(url: str, text: str) -> Any:
    """A link to a source, when the address is http or https; else only its text."""
    if urlsplit(url).scheme in ("http", "https"):
        return html.A(text, href=url, rel="noopener noreferrer nofollow", target="_blank")
    return text


def skeleton(heights: Sequence[int]) -> list[dmc.Skeleton]:
    """What stands in the place of content while it is read."""
    return [dmc.Skeleton(height=height, radius="sm", mb="md") for height in heights]


def heading(title: str, lead: str, *more: Any) -> html.Div:
    """The head of a page."""
    return html.Div([html.Div([html.H1(title), html.P(lead, className="lead")]), *more], className="page-head")
