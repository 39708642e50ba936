"""Data quality in Chromium: every feed's fates, what was set aside, and who may see what."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from dash import Dash
from playwright.sync_api import Browser, expect

from config.catalogue import Catalogue
from dashboard import fates
from dashboard.app import create_app
from dashboard.mending import Mending, NotAsked
from dashboard.pages import quality
from dashboard.queries import Queries
from dashboard.viewer import EVERYTHING, Viewer
from pipeline.feed_report import FeedReport
from pipeline.reports import ToldReport
from tests.dashboard.callbacks import post, texts
from tests.dashboard.conftest import Site, serving
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers
from tests.dashboard.test_finding_pages import marked
from tests.dashboard.test_journeys import reader

Serve = Callable[[MadeUpAnswers], Site]


def report(feed: str = "app", **total: int) -> ToldReport:
    return ToldReport(NOW_NS, FeedReport(collector="main", feed=feed, total=total, dead={}, days={}))


def test_every_feed_has_a_row_with_its_fates(chromium: Browser, serve: Serve, catalogue: Catalogue) -> None:
    site = serve(MadeUpAnswers(list(catalogue.pilots)))
    with reader(chromium) as page:
        page.goto(f"{site.address}/quality?pilots=bremen")
        expect(page.locator("#frame-bremen tbody tr")).to_have_count(5)  # four declared, one that only the report names
        cells = {
            cell.get_attribute("data-fate"): cell.get_attribute("data-value")
            for cell in page.locator("#frame-bremen td[data-feed=meetings][data-fate]").all()
        }
        told = site.answers.reports("bremen")[1].report.total
        assert cells["received"] == str(told["received"])
        assert (cells["dead_lettered"], cells["duplicate"], cells["dropped"], cells["pending"]) == (
            "7",
            "20",
            "10",
            "3",
        )
        never = page.locator("#frame-bremen td[data-feed=participation][data-fate=received]")
        expect(never).to_have_text("–")  # not told is not 0
        expect(page.locator("#frame-bremen .frame-sentence")).to_contain_text("messages received are accounted for")


def test_a_kind_set_aside_shows_its_newest_message_as_text(
    chromium: Browser, serve: Serve, catalogue: Catalogue
) -> None:
    site = serve(MadeUpAnswers(list(catalogue.pilots)))
    with reader(chromium, width=390) as page:
        page.goto(f"{site.address}/quality?pilots=bremen")
        kind = page.locator(".kind[data-kind='decode:not_json']")
        expect(kind).to_contain_text("the payload is not JSON: line 1, column 8")
        kind.locator("summary").click()
        expect(kind.locator("pre")).to_have_text('{"at": <b>now')  # shown, never run
        expect(page.locator(".kind[data-kind='validate:consent']")).to_contain_text("may name persons")
        assert page.evaluate("document.documentElement.scrollWidth <= 390")


def test_a_pilot_without_reports_and_a_collector_that_went_quiet_say_so(
    chromium: Browser, serve: Serve, catalogue: Catalogue
) -> None:
    site = serve(MadeUpAnswers(list(catalogue.pilots), silent={"genoa": "2026-05-01"}, empty=["milan"]))
    with reader(chromium) as page:
        page.goto(f"{site.address}/quality")
        expect(page.locator("#frame-milan .frame-sentence")).to_have_text("No collector has told of Milan yet.")
        expect(page.locator("#frame-genoa .frame-sentence")).to_contain_text("does not run or cannot reach the broker")


def test_sessions_that_the_broker_lost_are_told_with_the_time_they_concern(app: Dash) -> None:
    answer = post(app, "..quality-body.children...quality-drawn.data..", {"url.search": "?pilots=genoa,bremen"}).json
    assert answer is not None
    [found] = marked(answer, "data-lost")
    assert found["data-lost"] == "2"
    words = " ".join(texts(found))
    assert "2 sessions with the broker were lost" in words
    assert "Between an unknown time and 12 May 14:00 messages may be missing (collector main)." in words
    assert "Between 12 May 00:00 and 12 May 01:00 messages may be missing" in words
    told = app.server.test_client().get("/api/v1/session-losses").json
    assert told is not None
    assert [(one["pilot"], one["since"]) for one in told["items"]] == [
        ("genoa", "2026-05-11T22:00:00.000000Z"), ("genoa", None),
    ]  # fmt: skip


def test_requests_that_were_not_taken_are_told_to_who_asks_next(catalogue: Catalogue) -> None:
    answer = {"ok": True, "done": 4, "sentence": "4 messages are tried again.", "overrun": 3}
    mending = Mending(Collector(answer), lambda *said: None)
    asked = {"act": "requeue", "collector": "main", "pilot": "bremen", "feed": "app", "kind": "decode:not_json"}
    assert "3 other requests came while too many waited" in str(quality._told(mending, EVERYTHING, asked))


@pytest.mark.parametrize(
    ("total", "said"),
    [
        ({"received": 5, "written": 5}, "All 5 messages received are accounted for: 5 written."),
        ({"received": 5, "written": 3}, "2 messages of Bremen have no fate"),
        ({"received": 0}, "Nothing has been received."),
        (
            {"received": 6, "written": 1, "duplicate": 1, "dead_lettered": 1, "pending": 1, "dropped:simulated": 2},
            "All 6 messages received are accounted for: 1 written, 1 repeated, 1 set aside, "
            "2 dropped by rule, 1 waiting.",
        ),
    ],
)
def test_the_sentence_adds_up_or_says_that_it_does_not(total: dict[str, int], said: str, catalogue: Catalogue) -> None:
    rows = fates.feeds(catalogue.pilots["bremen"], [report(**total)])
    assert fates.sentence("Bremen", rows, NOW_NS).startswith(said)


def test_messages_of_no_declared_feed_have_a_row_of_their_own(catalogue: Catalogue) -> None:
    rows: list[Any] = fates.feeds(catalogue.pilots["bremen"], [report("unknown", received=3, dead_lettered=3)])
    assert [row.id for row in rows][-1] == "unknown"
    assert [row.id for row in rows if row.told] == ["unknown"]


def test_a_feed_whose_messages_hold_no_reading_is_named(catalogue: Catalogue) -> None:
    """A misspelt name in its map is enough, and leaves no dead letter."""
    told = {"received": 5, "dropped:no_reading": 3, "written": 2}
    rows = fates.feeds(catalogue.pilots["bremen"], [report(**told)])
    (name,) = fates.mostly_without_reading(rows)
    assert f"Most messages of {name} held none of the fields" in " ".join(quality._notes(rows))
    assert not fates.mostly_without_reading(fates.feeds(catalogue.pilots["bremen"], [report(received=4, written=4)]))


class Collector:
    """A collector at the port of `dashboard.mending`: remembers what it was asked."""

    def __init__(self, answer: Any = None) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answer = answer or {"ok": True, "done": 4, "sentence": "4 messages are tried again.", "letters": []}

    def __call__(self, collector: str, request: Any) -> Any:
        self.asked.append((collector, dict(request)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def asking(catalogue: Catalogue) -> Iterator[Callable[[Collector], tuple[Site, list[Any]]]]:
    with ExitStack() as running:

        def start(collector: Collector) -> tuple[Site, list[Any]]:
            answers, noted = MadeUpAnswers(list(catalogue.pilots)), list[Any]()
            queries = Queries(answers, catalogue, lambda: NOW_NS)  # type: ignore[arg-type]
            mending = Mending(collector, lambda *said: noted.append(said))
            app = create_app(queries, refresh_s=0.5, mending=mending)
            return running.enter_context(serving(app, answers)), noted

        yield start


def test_an_operator_has_a_kind_tried_again_and_reads_what_became_of_it(
    chromium: Browser, asking: Callable[[Collector], tuple[Site, list[Any]]]
) -> None:
    collector = Collector()
    site, noted = asking(collector)
    with reader(chromium) as page:
        page.goto(f"{site.address}/quality?pilots=bremen")
        page.locator(".kind[data-kind='decode:not_json']").get_by_role("button", name="Try again").click()
        expect(page.get_by_text("4 messages are tried again.")).to_be_visible()
    ((name, request),) = collector.asked
    by = request.pop("by")
    assert (name, request) == (
        "main", {"do": "requeue", "pilot": "bremen", "feed": "meetings", "code": "not_json"},
    )  # fmt: skip
    assert noted == [(by, "requeue dead letters of bremen/meetings, not_json", "4 done")]


def test_removing_needs_a_second_press(
    chromium: Browser, asking: Callable[[Collector], tuple[Site, list[Any]]]
) -> None:
    collector = Collector({"ok": True, "done": 3, "sentence": "3 messages were removed."})
    site, _noted = asking(collector)
    with reader(chromium, width=390) as page:
        page.goto(f"{site.address}/quality?pilots=bremen")
        kind = page.locator(".kind[data-kind='validate:consent']")
        sure = kind.get_by_role("button", name="Remove 3 messages for good")
        expect(sure).not_to_be_visible()
        kind.get_by_text("Remove…").click()
        assert collector.asked == []
        sure.click()
        expect(page.get_by_text("3 messages were removed.")).to_be_visible()
    assert [request["do"] for _, request in collector.asked] == ["purge"]


def test_a_collector_that_does_not_answer_is_a_sentence(
    chromium: Browser, asking: Callable[[Collector], tuple[Site, list[Any]]]
) -> None:
    site, noted = asking(Collector(NotAsked('collector "main" did not answer in time')))
    with reader(chromium) as page:
        page.goto(f"{site.address}/quality?pilots=bremen")
        page.get_by_role("button", name="Show the newest").first.click()
        expect(page.get_by_text("did not answer in time")).to_be_visible()
    assert [outcome for *_, outcome in noted] == ["not asked"]


def test_a_pilot_that_may_not_be_seen_cannot_be_asked_about() -> None:
    collector = Collector()
    mending = Mending(collector, lambda *_: None)
    with pytest.raises(NotAsked):
        mending.do(Viewer("o", "operator", ("athens",)), "o", "requeue", "main", "bremen", "app", "decode:not_json")
    with pytest.raises(NotAsked):
        mending.do(EVERYTHING, "o", "forget", "main", "bremen", "app", "decode:not_json")
    assert collector.asked == []
