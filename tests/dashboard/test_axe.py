"""axe-core's rules on every page in Chromium, wide and narrow, with data, with incidents and without any data."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from config.catalogue import Catalogue
from dashboard.pages import PAGES
from pipeline.values import Incident
from tests.dashboard.conftest import Site
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers
from tests.dashboard.test_journeys import reader

DAY_NS = 86_400 * 10**9
Serve = Callable[[MadeUpAnswers], Site]


def incident(number: int, series: str, kind: str = "drop_off", closed: bool = False) -> Incident:
    return Incident(
        id=number, kind=kind, pilot="athens", series=series, opened_ns=NOW_NS - (number + 2) * DAY_NS,
        closed_ns=NOW_NS - DAY_NS if closed else None, severity="warning", sentence=f"{series} has fallen.",
        since="2026-05-02", synthetic=True,
    )  # fmt: skip


def wrong(chromium: Browser, site: Site, width: int, scheme: str) -> list[str]:
    """What axe finds: page, rule and the first element that breaks it."""
    found = []
    with reader(chromium, width, scheme) as page:
        for path in [one.PATH for one in PAGES]:
            page.goto(site.address + path)
            expect(page.locator("#page h1")).to_be_visible()
            expect(page.locator("#page .mantine-Skeleton-root")).to_have_count(0)
            for one in Axe().run(page).response["violations"]:
                found.append(f"{path}: {one['id']} ({one['help']}): {one['nodes'][0]['html'][:200]}")
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_no_page_breaks_a_rule(
    chromium: Browser, serve: Serve, answers: MadeUpAnswers, width: int, scheme: str
) -> None:
    answers.opened = [incident(1, "contributions"), incident(2, "vote"), incident(3, "app", "feed_silent"),
                      incident(4, "comment", closed=True)]  # fmt: skip
    assert wrong(chromium, serve(answers), width, scheme) == []


def test_no_page_without_data_breaks_a_rule(chromium: Browser, serve: Serve, catalogue: Catalogue) -> None:
    pilots = list(catalogue.pilots)
    assert wrong(chromium, serve(MadeUpAnswers(pilots, empty=pilots)), 1440, "light") == []
