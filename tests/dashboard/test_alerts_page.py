"""Alerts in Chromium: what is open, why it fired, who looks after it, and what is over, from the real pipeline."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from config.access import Oidc, Proxy
from config.settings import Dashboard
from dashboard.access.access import Access
from dashboard.app import create_app
from dashboard.incident_frames import group_frame, together
from dashboard.pages import alerts
from dashboard.queries import Queries
from dashboard.tending import NotDone, Tending
from dashboard.viewer import Viewer
from pipeline.accounts import Accounts
from pipeline.alerts.care import Care
from pipeline.alerts.stories import Story
from pipeline.answers import Answers
from pipeline.values import Incident
from tests.dashboard.conftest import serving
from tests.dashboard.signing import CHEAP, PASSWORD
from tests.dashboard.test_accessible import NAMELESS, WEAK
from tests.dashboard.test_journeys import reader
from tests.unit.pipeline.making import City, Clock, pilot
from tests.unit.pipeline.test_run import FEEDS, days

DAY_NS = 86_400 * 10**9


@contextmanager
def showing(city: City) -> Iterator[str]:
    answers = Answers(city.store, city.catalogue, city.operations)
    queries = Queries(answers, city.catalogue, city.clock)
    tending = Tending(city.operations, city.clock)
    accounts = Accounts(city.operations, CHEAP)
    access = Access(accounts, city.clock, Dashboard(callbacks_per_s=1000), Oidc(), Proxy(), lambda: city.clock.ns / 1e9)
    with serving(create_app(queries, refresh_s=0.5, access=access, tending=tending), answers) as site:
        yield site.address


@pytest.fixture
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


def sign_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/alerts?incident=1")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#frame-incident-1")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_an_operator_acknowledges_silences_and_ends_the_silence(
    chromium: Browser, fallen: City, width: int, scheme: str
) -> None:
    Accounts(fallen.operations, CHEAP).add("anna", PASSWORD, "operator", None, fallen.clock.ns)
    with showing(fallen) as address, reader(chromium, width, scheme) as page:
        sign_in(page, address, "anna")
        shown, dialog = page.locator("#frame-incident-1"), page.get_by_role("dialog")
        shown.get_by_role("button", name="Acknowledge").click()
        expect(dialog).to_contain_text("anna will be named as looking after it")
        assert page.evaluate(WEAK) == []
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        dialog.get_by_role("button", name="Acknowledge").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Say in a few words why")
        dialog.get_by_label("What is being done").fill("calling the library")
        dialog.get_by_role("textbox", name="For how long").click()
        page.get_by_role("option", name="3 days").click()
        dialog.get_by_role("button", name="Acknowledge").click()
        expect(dialog).to_have_count(0)
        expect(page.locator("#alerts-said")).to_contain_text("anna looks after incident 1")
        expect(shown.locator(".care-held")).to_contain_text("anna looks after it: calling the library")
        expect(shown.locator(".care-history")).to_contain_text(
            "anna looks after it, until 23 February 00:30: calling the library"
        )

        page.goto(f"{address}/alerts")
        page.locator("#frame-incident-1").get_by_role("button", name="Silence").click()
        expect(dialog.get_by_role("textbox", name="Stream or feed")).to_have_value("contributions")
        dialog.get_by_label("Reason").fill("works in the building")
        dialog.get_by_role("button", name="Silence").click()
        expect(page.locator("#frame-silences li")).to_contain_text("until 27 February 00:30 UTC")
        expect(page.locator("#frame-silences")).to_contain_text("Test · drop-off · contributions")
        expect(page.locator("#frame-incident-1")).to_contain_text("anna silenced it")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#frame-silences").get_by_role("button", name="End the silence").click()
        dialog.get_by_role("button", name="End the silence now").click()
        expect(page.locator("#frame-silences")).to_contain_text("No notification is kept back")
        expect(page.locator("#frame-incident-1")).to_contain_text("anna ended the silence")
    done = [what for _, who, what, _ in fallen.operations.audited() if who == "1 anna"]
    assert done[-3:] == [
        "acknowledge incident 1: calling the library",
        "silence test drop_off contributions for 7 days: works in the building",
        "end silence 1",
    ]


def test_a_viewer_sees_what_was_done_and_can_do_nothing(chromium: Browser, fallen: City) -> None:
    Accounts(fallen.operations, CHEAP).add("vera", PASSWORD, "viewer", None, fallen.clock.ns)
    Care(fallen.operations).silence("ben", "works", fallen.clock.ns, 3)
    with showing(fallen) as address, reader(chromium) as page:
        sign_in(page, address, "vera")
        expect(page.locator("#frame-incident-1")).to_contain_text("ben silenced it")
        expect(page.locator("#page button").filter(has_text="…")).to_have_count(0)
        page.get_by_role("link", name="All incidents").click()
        expect(page.locator("#frame-silences")).to_contain_text("ben")
        expect(page.locator("#page button").filter(has_text="…")).to_have_count(0)


def test_the_address_opens_one_incident_and_an_unknown_one_is_told(chromium: Browser, address: str) -> None:
    with reader(chromium) as page:
        page.goto(f"{address}/alerts?incident=1")
        expect(page.locator("#frame-incident-1 .js-plotly-plot")).to_be_visible()
        expect(page.locator("#frame-silences")).to_have_count(0)
        for nonsense in ("99", "1e3", "-1", "%00", "9" * 30):
            page.goto(f"{address}/alerts?incident={nonsense}")
            expect(page.locator("#alerts-body")).to_contain_text("There is no incident")
            expect(page.locator("#frame-incident-1")).to_be_visible()


def test_the_notice_on_every_page_leads_to_its_incident(chromium: Browser, address: str) -> None:
    with reader(chromium) as page:
        page.goto(f"{address}/quality")
        page.locator("#incident-notice summary").click()
        page.locator("#incident-notice li a").click()
        expect(page).to_have_url(f"{address}/alerts?incident=1")
        expect(page.locator("#frame-incident-1")).to_be_visible()


def test_a_fall_that_lasts_is_accepted_on_the_page(chromium: Browser, fallen: City) -> None:
    fallen.add(days(50, 100, 2))
    fallen.clock.ns += 50 * DAY_NS
    running = fallen.pipeline()
    fallen.work(running)
    with showing(fallen) as address, reader(chromium) as page:
        page.goto(f"{address}/alerts?incident=1")
        page.get_by_role("button", name="Accept as new normal").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("This cannot be undone")
        dialog.get_by_label("Why it will stay so").fill("the library moved out")
        dialog.get_by_role("button", name="Accept as new normal").click()
        expect(page.locator("#alerts-said")).to_contain_text("is the new normal from today on")
        expect(page.locator("#frame-incident-1")).to_contain_text("accepted it as the new normal")
        fallen.clock.ns += 4 * DAY_NS
        fallen.add(days(100, 104, 2))
        fallen.work(running)
        expect(page.locator("#frame-incident-1")).to_contain_text("closed, new normal")
        expect(page.get_by_role("button", name="Accept as new normal")).to_have_count(0)


HERE = Viewer("operator", None, "anna", 1)
ELSEWHERE = Viewer("operator", frozenset({"genoa"}), "olga", 2)
ONE_OF_TWO = Viewer("operator", frozenset({"test"}), "otto", 3)


@pytest.mark.parametrize(
    ("who", "act", "of", "given"),
    [
        (Viewer("viewer", None, "vera", 4), "acknowledge", "1", {"note": "x", "days": "3"}),
        (Viewer("evaluator", None, "eva", 5), "silence", "", {"note": "x", "days": "3", "pilot": "test"}),
        (ELSEWHERE, "acknowledge", "1", {"note": "x", "days": "3"}),
        (ELSEWHERE, "accept", "1", {"note": "x"}),
        (ELSEWHERE, "silence", "", {"note": "x", "days": "3", "pilot": "test"}),
        (ELSEWHERE, "silence", "", {"note": "x", "days": "3"}),
        (ONE_OF_TWO, "silence", "", {"note": "x", "days": "3", "pilot": ""}),
        (ONE_OF_TWO, "end", "1", {}),
        (HERE, "acknowledge", "99", {"note": "x", "days": "3"}),
        (HERE, "acknowledge", "1", {"note": " ", "days": "3"}),
        (HERE, "acknowledge", "1", {"note": "x", "days": "-3"}),
        (HERE, "acknowledge", "1", {"note": ["x"], "days": "3"}),
        (HERE, "silence", "", {"note": "x", "days": "31", "pilot": "test"}),
        (HERE, "silence", "", {"note": "x", "days": "3", "pilot": "test", "kind": "all"}),
        (HERE, "accept", "1", {"note": "too early"}),
        (HERE, "end", "7", {}),
        (HERE, "delete", "1", {"note": "x"}),
    ],
)
def test_what_may_not_be_done_is_refused_and_changes_nothing(
    fallen: City, who: Viewer, act: str, of: str, given: dict[str, Any]
) -> None:
    Care(fallen.operations).silence("ben", "works", fallen.clock.ns, 3)
    before = fallen.operations.version(), fallen.operations.audited()
    with pytest.raises(NotDone):
        Tending(fallen.operations, fallen.clock).do(who, who.name, act, of, given)
    assert (fallen.operations.version(), fallen.operations.audited()) == before


def story(number: int, day: int, series: str = "vote", name: str = "athens", kind: str = "drop_off") -> Story:
    one = Incident(id=number, pilot=name, kind=kind, series=series, opened_ns=day * DAY_NS, since="2026-05-02",
                   sentence="S.")  # fmt: skip
    return Story(one, [])


def test_incidents_of_one_pilot_kind_and_time_stand_together_with_the_total_first() -> None:
    stories = [story(1, 30), story(2, 31, "contributions"), story(3, 32, name="genoa"),
               story(4, 33, "app", kind="feed_silent"),
               story(5, 60, "comment"), story(6, 18, "idea")]  # fmt: skip
    assert [[one.incident.id for one in group] for group in together(stories)] == [[2, 1, 6], [3], [4], [5]]


def test_a_group_says_what_it_holds_and_that_it_may_be_one_event() -> None:
    said = str(group_frame([story(2, 31, "contributions"), story(1, 30)], None, []))
    assert "Periscope: 2 incidents that may be one event" in said
    assert "Contributions and Contributions: vote" in said
