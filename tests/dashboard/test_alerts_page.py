"""Alerts in Chromium: what is open, why it fired, who looks after it, and what is over, from the real pipeline."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect

from dashboard.app import create_app
from dashboard.pages import alerts
from dashboard.queries import Queries
from pipeline.alerts.care import Care
from pipeline.answers import Answers
from tests.dashboard.conftest import serving
from tests.dashboard.test_journeys import reader
from tests.unit.pipeline.making import City, Clock, pilot
from tests.unit.pipeline.test_run import FEEDS, days


@contextmanager
def showing(city: City) -> Iterator[str]:
    answers = Answers(city.store, city.catalogue, city.operations)
    app = create_app(Queries(answers, city.catalogue, city.clock), refresh_s=1)
    with serving(app, answers) as site:
        yield site.address


@pytest.fixture(scope="module")
def fallen() -> City:
    city = City(pilot(feeds=FEEDS, synthetic=True), Clock("2026-02-20T00:30:00"), k=5)
    city.add([*days(0, 40, 10), *days(40, 50, 2)])
    city.work()
    return city


@pytest.fixture
def address(fallen: City) -> Iterator[str]:
    with showing(fallen) as found:
        yield found


@pytest.mark.parametrize("width", [1440, 390])
def test_an_open_incident_tells_what_fell_and_why(chromium: Browser, address: str, width: int) -> None:
    with reader(chromium, width=width) as page:
        page.goto(f"{address}/alerts")
        shown = page.locator("#frame-incident-1")
        expect(shown.locator(".frame-sentence")).to_contain_text("90 % band")
        expect(shown).to_contain_text("Since about10 February 2026")
        expect(shown).to_contain_text("alert at 6.1")
        expect(shown).to_contain_text("simulated")
        expect(shown.locator(".js-plotly-plot")).to_be_visible()
        shown.locator("summary").first.click()
        expect(shown.locator("td").filter(has_text="15 February 2026")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_who_looks_after_it_is_named(chromium: Browser, fallen: City, address: str) -> None:
    Care(fallen.operations).acknowledge(1, "ana", "calling the library", fallen.clock.ns)
    with reader(chromium) as page:
        page.goto(f"{address}/alerts")
        expect(page.locator("#frame-incident-1")).to_contain_text("ana looks after it: calling the library")


def test_where_nothing_is_open_the_page_says_so(chromium: Browser) -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-02-20T00:30:00"), k=5)
    city.add(days(0, 50, 10))
    city.work()
    with showing(city) as address, reader(chromium) as page:
        page.goto(f"{address}{alerts.PATH}")
        expect(page.locator("#alerts-body")).to_contain_text("Nothing open")
