"""Every visible string goes through the one call."""

import gettext
import json
from collections.abc import Iterator
from typing import Any

import pytest
from babel.messages.pofile import read_po
from dash import Dash

from dashboard import texts
from dashboard.pages import FINDINGS, PAGES
from pipeline.indicators import INDICATORS
from tests.dashboard.callbacks import post
from tests.dashboard.catalogue_texts import TEMPLATE, source_texts
from tests.dashboard.made_up import MadeUpAnswers

VISIBLE = {"children", "label", "placeholder", "title", "caption", "aria-label"}
# Names, facts and what the pipeline says of a feed are data, not texts of the dashboard.
DATA = {"Periscope", "Athens", "Bremen", "Genoa", "Malmö", "Milan", "Palmela", "app", "meetings", "#", "Smart Square"}
DATA |= {
    "heartbeats arrive",
    "some heartbeats are missing",
    "pm10",
    " · pm10",
    "Smart Square, where civic decisions are taken",
}
TOLD = MadeUpAnswers(["athens"])
DATA |= {"GR"} | {one.sentence for one in (*TOLD.impact(TOLD.pilots), *TOLD.effects(TOLD.pilots))}
DATA |= {one.reason for each in TOLD.impact(TOLD.pilots) for one in (each.baseline, each.reached, each.change)}
DATA |= set("abcdefgh") | {each.sentence for one in TOLD.effects(TOLD.pilots) for each in one.conditions}
DATA |= {", ".join(one.needs) for one in INDICATORS.values()}
DRAWN = [
    "now-cards.children",
    "definitions-body.children",
    "..compare-series.children...compare-series-drawn.data..",
    "..compare-figures.children...compare-figures-drawn.data..",
    "..pilot-body.children...pilot-drawn.data..",
    *[f"..{page.PATH[1:]}-body.children...{page.PATH[1:]}-drawn.data.." for page in FINDINGS],
]


class Marked(gettext.NullTranslations):
    """A language in which every text is between brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, n: int) -> str:
        return f"⟦{one if n == 1 else many}⟧"


@pytest.fixture
def marked(app: Dash) -> Iterator[Dash]:
    app.server.before_request_funcs[None].append(lambda: texts.speak(Marked()))
    yield app
    texts.speak(gettext.NullTranslations())


def untranslated(node: Any, key: str = "children") -> set[str]:
    """Visible texts without brackets that hold a letter."""
    if isinstance(node, str):
        said = key in VISIBLE and any(one.isalpha() for one in node) and "⟦" not in node
        return {node} - DATA if said else set()
    if isinstance(node, dict):
        parts = {} if node.get("type") == "Graph" else node
        hidden = ("type", "namespace", "id")
        return {one for name, part in parts.items() if name not in hidden for one in untranslated(part, name)}
    return {one for part in node for one in untranslated(part, key)} if isinstance(node, list) else set()


def test_the_template_holds_every_text() -> None:
    with TEMPLATE.open("rb") as file:
        held = {message.id for message in read_po(file) if message.id}
    assert source_texts() == held, "run `python -m tests.dashboard.catalogue_texts`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.TITLE)
def test_no_layout_shows_a_text_that_cannot_be_translated(marked: Dash, page: Any) -> None:
    assert untranslated(post(marked, "..page.children...page-title.data..", {"url.pathname": page.PATH}).json) == set()


@pytest.mark.parametrize("output", DRAWN)
def test_no_page_shows_a_text_that_cannot_be_translated(marked: Dash, output: str) -> None:
    assert untranslated(post(marked, output, {"url.search": "?pilots=athens&span=12w"}).json) == set()


def test_the_shell_shows_no_text_that_cannot_be_translated(marked: Dash) -> None:
    assert untranslated(json.loads(marked.server.test_client().get("/_dash-layout").get_data())) == set()
