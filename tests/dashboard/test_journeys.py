"""A reader in Chromium: what the address restores, what changes without a reload, what leaves the machine."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from config.catalogue import Catalogue
from dashboard.pages import PAGES
from pipeline.values import IndicatorValue
from tests.dashboard.conftest import Site
from tests.dashboard.made_up import MadeUpAnswers

# Two cores that other tests share are slow at times; no test depends on how slow.
expect.set_options(timeout=20_000)
Serve = Callable[[MadeUpAnswers], Site]
PATHS = [page.PATH for page in PAGES]


@contextmanager
def reader(chromium: Browser, width: int = 1440, scheme: str = "light") -> Iterator[Page]:
    """A page that fails the test on any error in the console and any request to another host."""
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page, wrong = context.new_page(), list[str]()
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if _leaves(request.url) else None)
    yield page
    context.close()
    assert wrong == []


def _leaves(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1"


@pytest.fixture
def site(serve: Serve, answers: MadeUpAnswers) -> Site:
    return serve(answers)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_whole_and_stays_within_its_width(chromium: Browser, site: Site, scheme: str, width: int) -> None:
    with reader(chromium, width, scheme) as page:
        for path in PATHS:
            page.goto(site.address + path)
            expect(page.locator("#page h1")).to_be_visible()
            expect(page.locator("#page .mantine-Skeleton-root")).to_have_count(0)
            expect(page.locator("#synthetic-notice")).to_be_visible()
            expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_address_restores_a_selection(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(f"{site.address}/compare?pilots=athens,genoa&span=12w&period=month&scale=absolute")
        expect(page.locator("#frame-people .multiple")).to_have_count(2)
        expect(page.locator("#bar input[type=checkbox]:checked")).to_have_count(2)
        assert page.locator("#bar-span input:checked").get_attribute("value") == "12w"
        assert page.locator("#bar-period input:checked").get_attribute("value") == "month"
        assert page.locator("#bar-scale input:checked").get_attribute("value") == "absolute"


def test_a_choice_is_written_into_the_address_and_kept_on_the_next_page(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(f"{site.address}/compare")
        page.locator("#bar-span").get_by_text("4 weeks", exact=True).click()
        expect(page).to_have_url(re.compile(r"/compare\?span=4w$"))
        page.locator(".bar").get_by_text("Bremen", exact=True).click()
        expect(page).to_have_url(re.compile(r"pilots=athens,genoa,malmo,milan,palmela&span=4w$"))
        page.locator("#nav").get_by_text("Pilot", exact=True).click()
        expect(page).to_have_url(re.compile(r"/pilot\?pilots=athens,genoa,malmo,milan,palmela&span=4w$"))
        page.go_back()
        page.go_back()
        expect(page.locator("#bar input[type=checkbox]:checked")).to_have_count(6)


def test_new_numbers_appear_without_a_reload(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(site.address)
        today = page.locator("[data-pilot=athens][data-stream=usage][data-what=today]")
        expect(today).to_have_text("180")
        page.evaluate("window.sameDocument = true")
        site.answers.usage_today["athens"] = 4321
        site.answers.steps += 1
        expect(today).to_have_text("4,321")
        assert page.evaluate("window.sameDocument") is True


class Restless(MadeUpAnswers):
    """A store that is slow and changes all the time, as while a long history is being loaded."""

    never = Event()

    def version(self) -> str:
        return str(next(self._numbers))

    def values(self, *args: Any, **kwargs: Any) -> list[IndicatorValue]:
        self.never.wait(1)  # longer than the time between two looks for a newer version
        return super().values(*args, **kwargs)

    _numbers = itertools.count()


@pytest.mark.parametrize("path", ["/compare", "/pilot"])
def test_a_slow_page_is_seen_although_newer_versions_keep_coming(
    chromium: Browser, serve: Serve, catalogue: Catalogue, path: str
) -> None:
    with reader(chromium) as page:
        page.goto(serve(Restless(list(catalogue.pilots))).address + path)
        expect(page.locator("[id^=frame-people]").first).to_be_visible()


def test_a_page_without_data_says_what_is_missing(chromium: Browser, serve: Serve, catalogue: Catalogue) -> None:
    quiet = serve(MadeUpAnswers(list(catalogue.pilots), silent={"bremen": "2026-02-02"}, empty=["milan"]))
    with reader(chromium) as page:
        page.goto(f"{quiet.address}/compare?start=2026-04-01&end=2026-05-12")
        missing = page.locator("#frame-people").get_by_text("No data from Bremen in this period")
        expect(missing).to_contain_text("the last event is of 2 February 2026; silent: app and meetings")
        page.goto(f"{quiet.address}/pilot?pilot=milan")
        expect(page.locator("#page")).to_contain_text("No event from Milan has arrived")


def test_a_store_that_went_away_is_told_and_its_return_too(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(site.address)
        expect(page.locator("#now-card-athens")).to_be_visible()
        site.answers.away = True
        expect(page.locator("#now-cards")).to_contain_text("The store does not answer")
        site.answers.away = False
        expect(page.locator("#now-card-athens")).to_be_visible()


def test_the_figures_of_the_period_can_be_read_from_the_table(chromium: Browser, site: Site) -> None:
    known = {one.pilot: one.value for one in site.answers.chosen(site.answers.pilots, ["people"])}
    with reader(chromium) as page:
        page.goto(f"{site.address}/compare?span=all")
        for pilot, value in known.items():
            cell = page.locator(f"td[data-indicator=people][data-pilot={pilot}]")
            expect(cell).to_have_attribute("data-value", str(int(value)))
            expect(cell).to_contain_text(f"{value:,.0f}")


def test_a_definition_is_one_click_away(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(f"{site.address}/compare")
        page.locator("#frame-contributions").get_by_text("Definition").click()
        expect(page).to_have_url(re.compile(r"/definitions#contributions$"))
        expect(page.locator("#contributions")).to_be_in_viewport()


def test_the_scheme_is_switched_and_remembered(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(f"{site.address}/pilot?pilot=genoa")
        line = page.locator("#frame-people .scatterlayer path.js-line").last
        light = line.get_attribute("style")
        page.get_by_role("button", name="Switch between light and dark").click()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        expect(line).not_to_have_attribute("style", light or "")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


def test_the_menu_of_a_small_screen_leads_to_every_page(chromium: Browser, site: Site) -> None:
    with reader(chromium, 390) as page:
        page.goto(site.address)
        button = page.locator("summary[aria-label=Menu]")
        button.click()
        expect(page.locator("#menu a")).to_have_count(len(PAGES))
        page.keyboard.press("Escape")
        expect(page.locator("#menu")).to_be_hidden()
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        page.locator("#menu").get_by_text("Compare").click()
        expect(page.locator("h1")).to_have_text("Compare")
        expect(page.locator("#menu")).to_be_hidden()


def test_the_findings_stand_under_one_entry_of_the_wide_menu(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(f"{site.address}/?pilots=genoa")
        findings = page.locator("#nav summary")
        for title in ("Methods", "Decisions", "Retention", "Impact", "Effects"):
            findings.click()
            page.locator("#nav").get_by_text(title, exact=True).last.click()
            expect(page.locator("h1")).to_have_text(title)
            expect(findings).to_have_text(f"Findings: {title}")
            expect(page.locator("#nav .menu-list")).to_be_hidden()
            expect(page).to_have_url(re.compile(r"pilots=genoa$"))
        assert len({link.bounding_box()["y"] for link in page.locator("#nav > *").all()}) == 1  # type: ignore[index]


def test_an_opened_table_stays_open_when_data_change(chromium: Browser, site: Site) -> None:
    with reader(chromium) as page:
        page.goto(f"{site.address}/compare?pilots=genoa&indicators=people")
        page.locator("#frame-people").get_by_text("Numbers as table").click()
        expect(page.locator("#frame-people table")).to_be_visible()
        with page.expect_response(lambda answer: "_dash-update-component" in answer.url):
            site.answers.steps += 1
        expect(page.locator("#frame-people table")).to_be_visible()
