"""A reader in Chromium signs in, reads, and is signed out; also without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from config.catalogue import Catalogue
from tests.dashboard.conftest import Site, serving
from tests.dashboard.signing import PASSWORD, House, house
from tests.dashboard.test_journeys import reader
from tests.services.process import wait_until

expect.set_options(timeout=20_000)


@pytest.fixture
def home(catalogue: Catalogue) -> Iterator[House]:
    with house(catalogue) as home:
        home.add("anna", "operator", ["genoa", "milan"])
        yield home


@pytest.fixture
def site(home: House) -> Iterator[Site]:
    with serving(home.app, home.answers) as site:
        yield site


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_a_reader_signs_in_sees_only_their_pilots_and_signs_out(
    chromium: Browser, site: Site, width: int, scheme: str
) -> None:
    with reader(chromium, width, scheme) as page:
        page.goto(f"{site.address}/compare?span=12w")
        expect(page.locator("h1")).to_have_text("Sign in")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(re.compile(r"/compare\?span=12w$"))
        expect(page.locator("#bar-pilots input, #bar .mantine-Chip-root")).not_to_have_count(0)
        expect(page.locator(".bar").get_by_text("Genoa", exact=True)).to_be_visible()
        expect(page.locator(".bar").get_by_text("Athens", exact=True)).to_have_count(0)
        expect(page.locator("#demo-notice")).to_have_count(0)
        page.get_by_role("link", name="Your account: anna, operator").click()
        expect(page.locator("main")).to_contain_text("Genoa, Milan")
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("h1")).to_have_text("Sign in")
        page.go_back()
        page.goto(site.address)
        expect(page.locator("h1")).to_have_text("Sign in")


def test_a_session_that_ends_while_a_page_is_open_is_told_and_nothing_is_taken_away(
    chromium: Browser, site: Site, home: House
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{site.address}/compare?span=12w")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#page h1")).to_be_visible()
    expect(page.locator(".out")).to_be_hidden()
    home.clock.wait(31 * 60)
    expect(page.locator(".out")).to_be_visible()
    expect(page.locator("#page h1")).to_be_visible()
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/compare\?span=12w$"))
    context.close()


def test_signing_in_needs_no_script(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False, color_scheme="dark")
    page = context.new_page()
    page.goto(site.address)
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("not the password at all")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Name and password do not belong together.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{site.address}/account")
    expect(page.locator("h1")).to_have_text("Your account")
    context.close()


def test_of_two_operators_on_one_phone_each_finds_their_own_draft(chromium: Browser, site: Site, home: House) -> None:
    home.add("bert", "operator", ["genoa", "milan"])
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    citizens = page.locator('[id=\'{"name":"count_citizen","type":"log-field"}\']')

    def take_up(name: str) -> None:
        page.goto(f"{site.address}/log")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#log-kept")).not_to_be_empty()
        page.locator("[data-log-step='3']").click()
        expect(citizens).to_be_visible()

    def count(number: int) -> None:
        citizens.fill(str(number))
        # Not by wait_for_function: its second look evaluates a string in the page, which the page's policy forbids.
        said = f"JSON.parse(localStorage.getItem('log-draft') ?? '{{}}').fields?.count_citizen == {number}"
        wait_until(lambda: bool(page.evaluate(said)), 30, "the draft to be kept")

    def leave() -> None:
        page.goto(f"{site.address}/account")
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("h1")).to_have_text("Sign in")

    take_up("anna")
    count(77)
    leave()
    take_up("bert")
    expect(citizens).to_have_value("")
    count(5)
    leave()
    take_up("anna")
    expect(citizens).to_have_value("77")
    leave()
    take_up("bert")
    expect(citizens).to_have_value("5")
    context.close()
