"""Differences between pilots: page, API and file say the same of each pair, no pilot has a place among the others."""

import csv
import io
from typing import Any

import pytest
from dash import Dash

from config.catalogue import Catalogue
from dashboard import pair_frames
from dashboard.app import create_app
from dashboard.queries import Queries
from dashboard.tables import raw
from pipeline.findings import Figure, Pair
from pipeline.values import IndicatorValue
from tests.dashboard.callbacks import post, texts
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers
from tests.dashboard.test_finding_pages import marked

FIGURES = "..compare-figures.children...compare-figures-drawn.data.."
DAYS = "start=2026-03-02&end=2026-05-03"
RATES = "adoption-per-1000,participation-per-1000,retention-week-1"


def page(app: Dash, query: str) -> Any:
    answer = post(app, FIGURES, {"url.search": query})
    assert answer.json is not None
    return answer.json["response"]["compare-figures"]["children"]


def frames(app: Dash, query: str) -> list[Any]:
    return [one for one in marked(page(app, query), "id") if str(one["id"]).startswith("frame-pairs-")]


def number(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.parametrize("pilots", ["", "pilots=bremen,genoa&"])
@pytest.mark.parametrize("span", [DAYS, "span=all"])
def test_page_api_and_file_say_the_same_of_each_pair(app: Dash, pilots: str, span: str) -> None:
    query = f"?{pilots}{span}&indicators={RATES}"
    cells = marked(page(app, query), "data-order")
    shown = {(one["data-pair"], one["data-pilot"], one["data-other"]): one for one in cells}
    client = app.server.test_client()
    asked = f"?{pilots}indicators={RATES}" + (f"&{span}" if span == DAYS else "")
    answer = client.get(f"/api/v1/pairs{asked}").json
    assert answer is not None
    flat = client.get(f"/api/v1/pairs{asked}&format=csv").get_data(as_text=True)
    assert flat == client.get(f"/download/pairs.csv{query}").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(flat)))
    assert len(answer["items"]) == len(shown) == len(rows) > 0
    for one, row in zip(answer["items"], rows, strict=True):
        cell = shown[one["indicator"], one["pilot"], one["other"]]
        assert cell["data-value"] == raw(one["difference"]["value"])
        assert (cell["data-status"], cell["data-order"]) == (one["difference"]["status"], one["order"])
        assert number(cell["data-higher"]) == one["higher"] == number(row["higher"])
        for part, name in (
            ("difference", "value"),
            ("difference", "lower"),
            ("figure", "n"),
            ("other_figure", "upper"),
        ):
            assert number(row[f"{part}_{name}"]) == one[part][name]


def test_a_pair_over_whole_weeks_sets_the_values_of_the_table_side_by_side(app: Dash) -> None:
    found = page(app, f"?{DAYS}&indicators={RATES}")
    table = {(one["data-pilot"], one["data-indicator"]): one for one in marked(found, "data-segment")}
    compared = [one for one in marked(found, "data-order") if one["data-value"]]
    assert compared
    for one in compared:
        first, second = (float(table[one[f"data-{who}"], one["data-pair"]]["data-value"]) for who in ("pilot", "other"))
        assert float(one["data-value"]) == pytest.approx(first - second)


def test_every_frame_has_sentence_table_file_definition_and_what_it_is_per(app: Dash) -> None:
    found = frames(app, f"?{DAYS}")
    assert [one["id"] for one in found] == ["frame-pairs-adoption-per-1000", "frame-pairs-participation-per-1000"]
    for frame in found:
        words = " ".join(texts(frame))
        assert "people of the target population" in words
        assert "Numbers as table" in words
        hrefs = [one["href"] for one in marked(frame, "href")]
        assert any(href.startswith("/download/pairs.csv") for href in hrefs)
        assert any(href.startswith("/definitions") for href in hrefs)


def test_pairs_stand_in_one_order_whatever_their_numbers(app: Dash, queries: Queries) -> None:
    for frame in frames(app, f"?{DAYS}"):
        found = [(one["data-pilot"], one["data-other"]) for one in marked(frame, "data-order")]
        slugs = list(queries.names())
        assert found == [(one, other) for at, one in enumerate(slugs) for other in slugs[at + 1 :]]
        said = " ".join(texts(frame)).lower()
        for word in ("best", "worst", "rank", "first place", "leader", "score"):
            assert word not in said


def test_pilots_that_count_other_people_are_not_compared_and_the_page_says_why(app: Dash) -> None:
    [frame] = frames(app, f"?{DAYS}&pilots=athens,bremen&indicators=adoption-per-1000")
    assert "Athens counts per visitors, Bremen per people of the target population" in " ".join(texts(frame))
    [cell] = marked(frame, "data-order")
    assert (cell["data-value"], cell["data-higher"], cell["data-order"]) == ("", "", "open")
    assert cell["className"] == "is-few"
    assert "dot" not in {one["className"] for one in marked(cell, "className")}


@pytest.mark.parametrize("status", ["feed_poor", "suppressed", "incomplete"])
def test_a_value_that_is_not_sound_makes_no_pair(catalogue: Catalogue, status: str) -> None:
    answers = MadeUpAnswers(list(catalogue.pilots))
    before = answers._value

    def poor(definition: object, pilot: str, *rest: Any) -> IndicatorValue:
        value = before(definition, pilot, *rest)
        return value if pilot != "bremen" else IndicatorValue(
            pilot=pilot, indicator=value.indicator, version=1, period=value.period, start=value.start, end=value.end,
            status=status, reason="so it is",
        )  # fmt: skip

    answers._value = poor  # type: ignore[method-assign]
    app = create_app(Queries(answers, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]
    [frame] = frames(app, f"?{DAYS}&pilots=bremen,genoa&indicators=adoption-per-1000")
    [cell] = marked(frame, "data-order")
    assert (cell["data-value"], cell["data-order"]) == ("", "open")
    assert "Bremen: so it is" in " ".join(texts(cell))


def test_what_is_not_comparable_is_not_set_side_by_side(app: Dash) -> None:
    assert frames(app, f"?{DAYS}&indicators=core-actions") == []
    assert "may be compared between pilots" in " ".join(texts(page(app, f"?{DAYS}&indicators=core-actions")))
    assert frames(app, f"?{DAYS}&pilots=genoa") == []


def test_no_order_is_named_where_it_is_uncertain() -> None:
    names = {"a": "Aa", "b": "Bb"}

    def words(higher: float | None, order: str) -> str:
        pair = Pair(pilot="a", other="b", indicator="x", difference=Figure(value=1.0), higher=higher, order=order)
        return pair_frames.order_words(pair, names)

    assert words(0.79, "open") == "no order: P between 0.2 and 0.8"
    assert words(0.8, "higher") == "Aa higher (P 0.80)"
    assert words(0.004, "lower") == "Bb higher (P over 0.99)"
    assert words(None, "open") == ""
