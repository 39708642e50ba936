"""Callbacks by POST, as a browser calls them."""

import json
from typing import Any

import pytest
from dash import Dash
from msgspec.structs import replace

from config.catalogue import Catalogue
from dashboard.app import create_app
from dashboard.figures import CONFIG
from dashboard.pages import PAGES
from dashboard.queries import Queries
from dashboard.viewer import Viewer
from pipeline.values import Incident
from tests.dashboard.callbacks import names, post, texts
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers
from tests.dashboard.test_finding_pages import marked

NOW, TICK, ROUTE = "now-cards.children", "version.data", "..page.children...page-title.data.."
SERIES = "..compare-series.children...compare-series-drawn.data.."
FIGURES = "..compare-figures.children...compare-figures-drawn.data.."
HEAD, BODY = "pilot-head.children", "..pilot-body.children...pilot-drawn.data.."
DEFINITIONS, NOTICES = "definitions-body.children", "..notices.children...evaluated.children.."
NONSENSE: list[Any] = [
    None,
    "",
    "?pilots=atlantis",
    "?" + "x" * 9000,
    7,
    [],
    {"a": {"b": None}},
    True,
    "?start=2026-13-45&end=x",
]


def answer(app: Dash, output: str, **values: Any) -> Any:
    response = post(app, output, {name.replace("__", "."): value for name, value in values.items()})
    assert response.status_code == 200, response.data
    return response.json


def said(app: Dash, output: str, **values: Any) -> str:
    return " ".join(texts(answer(app, output, **values)))


def found(node: Any, key: str) -> list[Any]:
    """Every value under a key, at any depth."""
    if isinstance(node, dict):
        return [one for name, part in node.items() for one in ([part] if name == key else []) + found(part, key)]
    return [one for part in node for one in found(part, key)] if isinstance(node, list) else []


@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda one: repr(one)[:24])
def test_no_callback_breaks_on_nonsense(app: Dash, nonsense: Any) -> None:
    for output in names(app):
        known = app.callback_map[output]
        inputs = {f"{one['id']}.{one['property']}": nonsense for one in known["inputs"]}
        response = post(app, output, inputs)
        assert response.status_code in (200, 204), (output, response.status_code)
        assert "could not be drawn" not in response.get_data(as_text=True), output


def test_a_page_is_laid_out_without_arguments_and_with_foolish_ones() -> None:
    for page in PAGES:
        assert page.layout().to_plotly_json() is not None
        assert page.layout(pilots="atlantis", evil="<script>").to_plotly_json() is not None


def test_two_applications_in_one_process_share_nothing(catalogue: Catalogue) -> None:
    slugs = list(catalogue.pilots)
    one, two = MadeUpAnswers(slugs), MadeUpAnswers(slugs)
    one.usage_today["athens"], two.usage_today["athens"] = 1111, 2222
    first = create_app(Queries(one, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    second = create_app(Queries(two, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    assert names(first) == names(second)
    assert "1,111" in said(first, NOW)
    assert "2,222" not in said(first, NOW)
    assert "2,222" in said(second, NOW)


def test_a_reader_changes_nothing_for_the_next_one(app: Dash) -> None:
    before = answer(app, FIGURES, url__search="?span=4w")
    answer(app, FIGURES, url__search="?pilots=genoa&span=all")
    assert answer(app, FIGURES, url__search="?span=4w") == before


def test_the_tick_tells_a_version_once(app: Dash, answers: MadeUpAnswers) -> None:
    version = answer(app, TICK)["response"]["version"]["data"]
    assert answer(app, TICK, version__data=version)["response"] == {}
    answers.steps += 1
    assert answer(app, TICK, version__data=version)["response"]["version"]["data"] != version


def test_now_shows_new_numbers_when_the_version_is_new(app: Dash, answers: MadeUpAnswers) -> None:
    assert "4,321" not in said(app, NOW)
    answers.usage_today["athens"] = 4321
    answers.steps += 1
    assert "4,321" in said(app, NOW)


def test_a_page_draws_nothing_again_that_it_already_shows(app: Dash) -> None:
    drawn = answer(app, SERIES)["response"]["compare-series-drawn"]["data"]
    assert post(app, SERIES, {"compare-series-drawn.data": drawn}).json == {"multi": True, "response": {}}


def test_several_incidents_of_a_kind_are_one_line_of_a_card(app: Dash, answers: MadeUpAnswers) -> None:
    words = {"pilot": "genoa", "opened_ns": NOW_NS, "since": "2026-05-02", "sentence": "Something fell on 2026-05-02."}
    answers.opened = [
        Incident(id=at, kind="drop_off", series=series, **words) for at, series in enumerate(("vote", "idea"))
    ]
    shown = answer(app, NOW)
    assert "2 open incidents (drop-off), the first since 2 May 2026: idea and vote." in " ".join(texts(shown))
    assert "/alerts?pilots=genoa" in found(shown, "href")
    answers.opened, answers.steps = answers.opened[:1], answers.steps + 1
    shown = answer(app, NOW)
    assert "Something fell on 2 May 2026." in " ".join(texts(shown))
    assert "/alerts?incident=0" in found(shown, "href")


def test_a_silent_feed_is_not_shown_as_0(catalogue: Catalogue) -> None:
    quiet = MadeUpAnswers(list(catalogue.pilots), silent={"bremen": "2026-02-02"})
    app = create_app(Queries(quiet, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    shown = answer(app, NOW, url__search="?pilots=bremen")
    assert "The feed is silent" in " ".join(texts(shown))
    assert set(found(shown, "data-value")) == {""}


@pytest.mark.parametrize(
    ("verdicts", "shown"),
    [(("silent", "unknown"), ""), (("silent", "ok"), "0"), (("unknown", "unknown"), "0"), (("ok", "unknown"), "0")],
)
def test_a_feed_by_hand_does_not_make_a_silent_stream_0(
    catalogue: Catalogue, verdicts: tuple[str, str], shown: str
) -> None:
    answers = MadeUpAnswers(list(catalogue.pilots), silent={"bremen": "2026-05-12"})
    board = answers.now("bremen")
    assert board is not None
    feeds = [replace(board.feeds[0], verdict=one, feed=one, stream="usage") for one in verdicts]
    answers.now = lambda pilot: replace(board, feeds=feeds)  # type: ignore[method-assign]
    app = create_app(Queries(answers, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    cells = [
        one
        for one in marked(answer(app, NOW, url__search="?pilots=bremen"), "data-what")
        if one["data-stream"] == "usage"
    ]
    assert cells[0]["data-value"] == shown


def test_a_stream_of_which_nothing_ever_came_is_not_shown_as_0(catalogue: Catalogue) -> None:
    answers = MadeUpAnswers(list(catalogue.pilots), silent={"bremen": "2026-05-12"})
    board = answers.now("bremen")
    assert board is not None
    feeds = [replace(one, verdict="unknown", last_ns=None, age_s=None) for one in board.feeds]
    answers.now = lambda pilot: replace(board, feeds=feeds)  # type: ignore[method-assign]
    app = create_app(Queries(answers, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    shown = answer(app, NOW, url__search="?pilots=bremen")
    assert "Nothing has arrived yet" in " ".join(texts(shown))
    assert set(found(shown, "data-value")) == {""}


def test_a_pilot_without_data_says_what_is_missing(catalogue: Catalogue) -> None:
    quiet = MadeUpAnswers(list(catalogue.pilots), silent={"bremen": "2026-02-02"}, empty=["milan"])
    app = create_app(Queries(quiet, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    words = said(app, SERIES, url__search="?start=2026-04-01&end=2026-05-01")
    assert (
        "No data from Bremen in this period; the last event is of 2 February 2026; silent: app and meetings." in words
    )
    assert "No data from Milan in this period; none has ever arrived." in words


def test_what_no_chosen_pilot_measures_is_said_once(app: Dash) -> None:
    words = said(app, SERIES, url__search="?pilots=genoa,athens&indicators=footfall")
    assert "No chosen pilot measures this in the period: Footfall and traffic." in words
    assert "Not measured in Athens" in said(app, SERIES, url__search="?pilots=athens,milan&indicators=footfall")


def test_pilots_stand_in_the_order_of_the_catalogue_whatever_their_numbers(app: Dash, catalogue: Catalogue) -> None:
    cells = found(answer(app, FIGURES, url__search="?pilots=palmela,athens,genoa&span=4w"), "data-pilot")
    assert cells[:3] == ["athens", "genoa", "palmela"]


def test_the_table_of_the_period_carries_the_raw_numbers(app: Dash, queries: Queries) -> None:
    cells = {}

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if "data-indicator" in node:
                cells[node["data-pilot"], node["data-indicator"], node["data-segment"]] = node["data-value"]
            node = list(node.values())
        for one in node if isinstance(node, list) else []:
            collect(one)

    collect(answer(app, FIGURES, url__search="?span=all"))
    for one in queries.figures(Viewer("evaluator"), queries.choices(Viewer()).pilots, None, None):
        if queries.definitions()[one.indicator].family != "quality":
            raw = cells[one.pilot, one.indicator, one.segment]
            assert (float(raw) if raw else None) == one.value


def test_each_graph_of_every_page_comes_from_the_one_factory(app: Dash) -> None:
    configs = found(answer(app, SERIES), "config") + found(answer(app, BODY), "config")
    assert len(configs) > 6
    assert all(config == CONFIG for config in configs)


def test_the_own_scale_is_not_drawn_across_pilots_that_are_not_comparable(app: Dash) -> None:
    words = said(app, SERIES, url__search="?scale=absolute&indicators=people")
    assert "own vertical scale" in words
    assert "own vertical scale" not in said(
        app, SERIES, url__search="?scale=absolute&indicators=retention-day-1&pilots=genoa"
    )


def test_a_rate_names_its_denominator_and_what_has_none(app: Dash) -> None:
    words = said(app, SERIES, url__search="?scale=per1000&indicators=people,core-actions&pilots=genoa")
    assert "per 1,000 people of the target population" in words
    assert "Core actions: compared within a pilot only" in words


def test_the_notices_say_simulated_and_open_incidents_on_every_page(app: Dash, answers: MadeUpAnswers) -> None:
    words = {
        "kind": "drop_off",
        "series": "engagement",
        "since": "2026-05-04",
        "sentence": "Engagement fell below half.",
    }
    answers.opened = [Incident(id=1, pilot="genoa", opened_ns=NOW_NS, **words)]
    shown = said(app, NOTICES)
    assert "Simulated data" in shown
    assert "Engagement fell below half" in shown
    assert "Alerts evaluated 13:59 UTC" in shown
    assert "Engagement fell" not in said(app, NOTICES, url__search="?pilots=athens")


def test_nobody_looking_is_told_in_red_and_a_page_that_is_open_learns_of_it(app: Dash, answers: MadeUpAnswers) -> None:
    before = said(app, "version.data", tick__n_intervals=1)
    assert "Alerts last evaluated" not in said(app, NOTICES)
    answers.evaluated_ns = NOW_NS - 14 * 60 * 10**9
    assert "Alerts last evaluated 14 min ago" in said(app, NOTICES)
    assert said(app, "version.data", tick__n_intervals=2) != before


def test_a_channel_that_does_not_deliver_is_told_to_those_who_can_mend_it(app: Dash, answers: MadeUpAnswers) -> None:
    words = {"kind": "channel_failing", "series": "ops", "since": "x", "sentence": "Channel ops does not deliver: 404."}
    answers.opened = [Incident(id=1, pilot="-", opened_ns=NOW_NS, **words)]
    assert "Channel ops does not deliver: 404." in said(app, NOTICES)


@pytest.mark.parametrize("output", [NOW, SERIES, FIGURES, BODY])
def test_a_store_that_is_away_is_told_in_a_sentence(app: Dash, answers: MadeUpAnswers, output: str) -> None:
    answers.away = True
    assert "The store does not answer" in said(app, output)


def test_what_is_made_up_stays_said_when_the_store_is_away(app: Dash, answers: MadeUpAnswers) -> None:
    answers.away = True
    assert "Simulated data" in said(app, NOTICES, version__data="away")


def test_a_fault_of_ours_is_told_without_its_details(
    app: Dash, answers: MadeUpAnswers, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise ValueError("secret detail")

    answers.now = broken  # type: ignore[method-assign, assignment]
    words = said(app, NOW)
    assert "could not be drawn" in words
    assert "secret detail" not in words
    assert "secret detail" in caplog.text


def test_an_unknown_page_says_so(app: Dash) -> None:
    assert "There is no such page" in said(app, ROUTE, url__pathname="/atlantis")


def test_what_is_not_documented_is_said_to_be(app: Dash, catalogue: Catalogue) -> None:
    assert "not documented" in said(app, HEAD, url__search="?pilot=athens")


def test_a_source_is_linked_only_when_it_is_an_address_of_the_web(app: Dash) -> None:
    links = found(answer(app, HEAD, url__search="?pilot=genoa"), "href")
    assert links
    assert all(link.startswith(("https://", "http://", "/pilot")) for link in links)


def test_every_definition_has_its_own_address(app: Dash, queries: Queries) -> None:
    ids = found(answer(app, DEFINITIONS), "id")
    assert set(queries.definitions()) <= {one for one in ids if isinstance(one, str)}


def test_a_viewer_gets_nothing_of_other_pilots(queries: Queries) -> None:
    who = Viewer("viewer", frozenset({"genoa"}))
    assert [pilot.slug for pilot in queries.pilots(who)] == ["genoa"]
    assert queries.choices(who).pilots == ("genoa",)
    assert queries.now(who, "athens") is None
    assert queries.activities(who, "athens", "2026-01-01", "2026-05-01") == []
    assert {one.pilot for one in queries.figures(who, ["athens", "genoa"], None, None)} == {"genoa"}
    assert {
        one.pilot for one in queries.series(who, ["athens", "genoa"], ["people"], "week", "2026-04-01", "2026-05-01")
    } == {"genoa"}
    assert queries.select(who, "?pilots=athens").pilots == ()


def test_what_a_caller_does_to_an_answer_stays_with_it(queries: Queries) -> None:
    who = Viewer("evaluator")
    queries.figures(who, ["genoa"], None, None).clear()
    assert queries.figures(who, ["genoa"], None, None)


def test_the_file_holds_the_numbers_of_the_page(app: Dash, queries: Queries) -> None:
    import csv

    text = app.server.test_client().get("/download/period.csv?pilots=genoa&span=all").get_data(as_text=True)
    rows = list(csv.DictReader(text.splitlines()))
    known = queries.figures(Viewer("evaluator"), ["genoa"], None, None)
    assert len(rows) == len(known)
    for row, one in zip(rows, known, strict=True):
        assert row["indicator"] == one.indicator
        assert (float(row["value"]) if row["value"] else None) == one.value
        assert row["synthetic"] == "true"


def test_a_layout_is_plain_json(app: Dash) -> None:
    assert json.loads(app.server.test_client().get("/_dash-layout").get_data())


@pytest.mark.parametrize("output", [SERIES, FIGURES])
def test_the_files_of_compare_are_those_of_the_chosen_pilots_whatever_pilot_was_read_before(
    app: Dash, output: str
) -> None:
    def files(search: str) -> list[str]:
        hrefs = found(answer(app, output, url__search=search), "href")
        return [href for href in hrefs if str(href).startswith("/download/")]

    assert files("?period=month&pilot=genoa") == files("?period=month") != []


def test_the_way_from_now_to_a_pilot_keeps_what_was_chosen(app: Dash) -> None:
    links = found(answer(app, NOW, url__search="?pilots=bremen,genoa&span=4w"), "href")
    assert "/pilot?pilots=bremen,genoa&span=4w&pilot=genoa" in links
