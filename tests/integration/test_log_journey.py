"""An operator with a phone: from the form through a real broker, collector and pipeline to *Pilot* and the export."""

import csv
import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from config.settings import PACKAGED_PILOTS
from tests.command import Running, periscope
from tests.journey import Journey, embedded
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port

DEADLINE_S = 60
expect.set_options(timeout=30_000)


class Hall:
    """The running system, and the phones that look at it."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.journey, self.broker = Journey(folder, broker, PACKAGED_PILOTS, embedded()), broker
        self.port = free_port()
        self.settings = {**self.journey.settings, "dashboard__port": self.port}
        self.server: Running | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_server(self) -> None:
        self.server = Running("dashboard", cwd=self.journey.folder, **self.settings)
        self.server.says("Open http://")

    def stop_server(self) -> None:
        assert self.server is not None
        assert self.server.stop() == 0, self.server.text

    @contextmanager
    def running(self) -> Iterator["Hall"]:
        with self.journey.collecting(), Running("pipeline", cwd=self.journey.folder, **self.settings):
            self.start_server()
            try:
                yield self
            finally:
                if self.server is not None:
                    self.server.stop()

    def export(self, name: str) -> list[dict[str, str]]:
        """One table of a fresh export; [] while there is nothing to export."""
        target = self.journey.folder / "export.zip"
        done = periscope("export", "--out", target, "--pilots", "genoa", cwd=self.journey.folder, **self.settings)
        if done.returncode:
            return []
        with zipfile.ZipFile(target) as package:
            return list(csv.DictReader(io.StringIO(package.read(name).decode(), newline="")))

    def attendance(self) -> dict[str, str]:
        """Attendances of Genoa's whole time, by subgroup: in all and by stage."""
        rows = [row for row in self.export("indicators.csv") if row["indicator_id"] == "attendance" and row["value"]]
        return {row["subgroup"]: row["value"] for row in rows}


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(0.1)


@pytest.fixture
def hall(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Hall]:
    with Hall(tmp_path, mosquitto).running() as running:
        yield running


@contextmanager
def phone(chromium: Browser, hall: Hall) -> Iterator[Page]:
    """A phone whose page shows no error of its own; a server that is away is none."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page, wrong = context.new_page(), list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    page.goto(f"{hall.address}/log")
    expect(page.locator("#log-form")).to_be_visible()
    expect(page.locator("#log-kept")).not_to_be_empty()
    yield page
    context.close()
    assert [text for text in wrong if "Failed to fetch" not in text] == []


def step(page: Page, n: int) -> None:
    page.locator(f"[data-log-step='{n}']").tap()
    expect(page.locator("#log-form")).to_have_attribute("data-step", str(n))


def field(page: Page, name: str) -> Locator:
    return page.locator(f'[id=\'{{"name":"{name}","type":"log-field"}}\']')


def card(page: Page, name: str, title: str) -> None:
    group = page.locator(f'[id=\'{{"name":"{name}","type":"log-field"}}-label\']').locator("..")
    group.locator(".log-card").filter(has=page.get_by_text(title, exact=True)).tap()
    expect(group.get_by_label(title, exact=True)).to_be_checked()


def pick(page: Page, name: str, title: str) -> None:
    field(page, name).tap()
    page.locator(".mantine-Select-option:visible, .mantine-MultiSelect-option:visible").filter(
        has=page.get_by_text(title, exact=True)
    ).first.tap()


def count(page: Page, name: str, number: int) -> None:
    field(page, name).fill(str(number))


def begin(page: Page, at: str = "00:00") -> None:
    """A workshop of today in Genoa."""
    card(page, "pilot", "Genoa")
    card(page, "what", "An activity was held")
    field(page, "time").fill(at)
    step(page, 2)
    pick(page, "method", "Co-design workshop")
    card(page, "stage", "Co-decide")
    card(page, "level_declared", "Involve")
    card(page, "open", "Open to all")
    card(page, "mode", "In person")
    card(page, "timing_basis", "Calendar")


def save(page: Page) -> str:
    """Save the draft; the id of the record."""
    step(page, 5)
    page.locator("#log-save").tap()
    expect(page.locator("#log-said")).to_contain_text("Saved as ")
    found = re.search(r"Saved as (\S+)\.", page.locator("#log-said").inner_text())
    assert found is not None
    return found[1]


def row(page: Page, record: str) -> Locator:
    return page.locator(f"[data-record='{record}']")


def draft(page: Page) -> dict[str, object]:
    kept: dict[str, object] = page.evaluate("JSON.parse(localStorage.getItem('log-draft')).fields")
    return kept


def check_in(context: BrowserContext, address: str, group: str) -> str:
    """Scan the code with another phone and agree; the code that the person gets."""
    page = context.new_page()
    page.goto(address)
    page.get_by_label(group).check()
    page.get_by_role("button", name="I agree, check me in").click()
    expect(page.locator(".check-in-done")).to_be_visible()
    return page.locator(".check-in-code").inner_text()


def test_a_workshop_with_three_groups_two_codes_and_a_decision_is_on_pilot_and_in_the_export(
    chromium: Browser, hall: Hall
) -> None:
    with phone(chromium, hall) as page:
        begin(page)
        step(page, 3)
        for group, number in (("citizen", 12), ("business", 7), ("government", 6)):
            count(page, f"count_{group}", number)
        page.locator("#log-qr-open").tap()
        address = page.locator(".log-qr-address").get_attribute("href")
        assert address is not None
        codes = []
        for group in ("Citizens", "Business"):
            other = chromium.new_context(viewport={"width": 390, "height": 844})
            codes.append(check_in(other, address, group))
            other.close()
        assert codes[0] != codes[1]
        expect(page.locator("#log-coming")).to_have_text("2 people have checked in.")

        before = draft(page)
        hall.stop_server()
        step(page, 4)
        page.locator("summary").filter(has_text="A decision was made").tap()
        card(page, "outcome", "Approved with changes")
        card(page, "level_delivered", "Collaborate")
        pick(page, "role_citizen", "Co-decider")
        pick(page, "role_government", "Decider")
        step(page, 5)
        expect(page.locator("#log-review")).to_contain_text("Approved with changes")
        expect(page.locator(".log-lost")).to_be_visible()
        page.locator("#log-save").tap()
        hall.start_server()
        page.reload()
        expect(page.locator("#log-review")).to_contain_text("Approved with changes")
        assert before.items() <= draft(page).items()

        record = save(page)
        step(page, 1)
        expect(row(page, record)).to_have_attribute("data-state", "arrived")
        expect(row(page, record)).to_contain_text("In the store since")

        page.goto(f"{hall.address}/pilot?pilot=genoa")
        expect(page.locator("#frame-activities")).to_contain_text("co-design workshop")
        expect(page.locator("#frame-activities td").filter(has_text=re.compile("^25$"))).to_be_visible()
        expect(page.locator("#frame-decisions")).to_contain_text("co-decider")
    eventually(lambda: hall.attendance().get("") == "25", "25 attendances in the export")
    assert hall.attendance()["co_decide"] == "25"
    decided = {(one["group"], one["role"], one["people"]) for one in hall.export("decisions.csv")}
    assert decided == {("citizen", "co_decider", "12"), ("government", "decider", "6")}
    assert [one["attendance"] for one in hall.export("activities.csv")] == ["25"]


def test_a_correction_supersedes_and_a_withdrawal_takes_everything_back(chromium: Browser, hall: Hall) -> None:
    with phone(chromium, hall) as page:
        begin(page)
        step(page, 3)
        count(page, "count_citizen", 30)
        count(page, "count_academia", 9)
        record = save(page)
        eventually(lambda: hall.attendance().get("") == "39", "39 attendances")

        step(page, 1)
        row(page, record).get_by_role("button", name="Correct").tap()
        expect(page.locator(".log-correcting")).to_be_visible()
        step(page, 3)
        expect(field(page, "count_citizen")).to_have_value("30")
        count(page, "count_citizen", 20)
        field(page, "count_academia").fill("")
        assert save(page) == record
        eventually(lambda: hall.attendance().get("") == "20", "20 attendances, the old ones gone")
        step(page, 1)
        expect(row(page, record)).to_have_attribute("data-state", "arrived")
        expect(row(page, record)).to_contain_text("Corrected.")

        row(page, record).locator("summary").tap()
        row(page, record).get_by_role("button", name="Yes, withdraw it").tap()
        expect(row(page, record)).to_contain_text("Withdrawn; it counts no more.")
        eventually(
            lambda: hall.export("activities.csv") == [] and hall.attendance().get("") in (None, "0"), "nothing left"
        )
    assert hall.journey.dead_letters() == []


def test_a_broker_that_is_away_loses_nothing(chromium: Browser, hall: Hall) -> None:
    with phone(chromium, hall) as page:
        begin(page)
        step(page, 3)
        count(page, "count_citizen", 15)
        hall.broker.stop()
        record = save(page)
        step(page, 1)
        expect(row(page, record)).to_have_attribute("data-state", "waiting")
        expect(row(page, record)).to_contain_text("Kept here, nothing is lost.")
        hall.stop_server()
        hall.broker.start()
        hall.start_server()
        expect(row(page, record)).to_have_attribute("data-state", "arrived", timeout=60_000)
    eventually(lambda: hall.attendance().get("") == "15", "15 attendances in the export")
