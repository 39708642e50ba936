"""The pages of findings by POST: the numbers of the answers, in every state, without an order of merit."""

from typing import Any

import pytest
from dash import Dash

from config.catalogue import Catalogue
from dashboard import dots, finding_words
from dashboard.app import create_app
from dashboard.pages import FINDINGS
from dashboard.queries import Queries
from dashboard.tables import raw
from dashboard.viewer import EVERYTHING
from pipeline.findings import Condition, Effect, Figure, FitCell
from tests.dashboard.callbacks import post, texts
from tests.dashboard.made_up import NOW_NS, MadeUpAnswers

NAMES = [page.PATH[1:] for page in FINDINGS]


def draw(app: Dash, name: str, query: str = "") -> Any:
    answer = post(app, f"..{name}-body.children...{name}-drawn.data..", {"url.search": query})
    assert answer.status_code == 200, answer.data
    assert answer.json is not None
    return answer.json["response"][f"{name}-body"]["children"]


def marked(node: Any, key: str) -> list[dict[str, Any]]:
    """Every part of a page that carries this attribute."""
    if isinstance(node, dict):
        own = [node] if key in node else []
        return own + [one for part in node.values() for one in marked(part, key)]
    return [one for part in node for one in marked(part, key)] if isinstance(node, list) else []


def said(app: Dash, name: str, query: str = "") -> str:
    return " ".join(texts(draw(app, name, query)))


def of(answers: MadeUpAnswers, catalogue: Catalogue) -> Dash:
    return create_app(Queries(answers, catalogue, lambda: NOW_NS), refresh_s=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_has_a_sentence_a_file_and_a_definition(app: Dash, name: str) -> None:
    page = draw(app, name)
    frames = [one for one in marked(page, "aria-labelledby") if one.get("className") == "frame"]
    assert frames
    for frame in frames:
        hrefs = [one["href"] for one in marked(frame, "href")]
        assert any(href.startswith("/download/") for href in hrefs), frame["id"]
        assert any(href.startswith("/definitions") for href in hrefs), frame["id"]
        sentence = next(one for one in marked(frame, "className") if one["className"] == "frame-sentence")
        assert texts(sentence["children"])[0].endswith("."), frame["id"]


@pytest.mark.parametrize("name", NAMES)
def test_every_definition_that_a_frame_points_to_exists(app: Dash, name: str) -> None:
    definitions = post(app, "definitions-body.children", {"url.pathname": "/definitions"}).json
    known = {one["id"] for one in marked(definitions, "id") if isinstance(one["id"], str)}
    for one in marked(draw(app, name), "href"):
        if one["href"].startswith("/definitions"):
            assert one["href"].partition("#")[2] in known, one["href"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_without_any_data_says_so(catalogue: Catalogue, name: str) -> None:
    app = of(MadeUpAnswers(list(catalogue.pilots), empty=list(catalogue.pilots)), catalogue)
    words = said(app, name)
    assert "No event of the chosen pilots has arrived" in words


@pytest.mark.parametrize("name", NAMES)
def test_a_pilot_without_findings_says_so(app: Dash, catalogue: Catalogue, name: str) -> None:
    quiet = MadeUpAnswers(list(catalogue.pilots))
    for question in ("fit", "one_size", "roles", "stage_groups", "skills", "counted", "impact", "retention", "effects"):
        setattr(quiet, question, lambda pilots: [])
    words = said(of(quiet, catalogue), name, "?pilots=genoa")
    assert "could not be drawn" not in words
    assert any(word in words.lower() for word in (" no ", "nobody", "nothing"))


@pytest.mark.parametrize("name", NAMES)
def test_a_store_that_is_away_is_told(app: Dash, answers: MadeUpAnswers, name: str) -> None:
    answers.away = True
    assert "The store does not answer" in said(app, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_draws_nothing_again_that_it_shows(app: Dash, name: str) -> None:
    output = f"..{name}-body.children...{name}-drawn.data.."
    first = post(app, output, {}).json
    assert first is not None
    drawn = first["response"][f"{name}-drawn"]["data"]
    assert post(app, output, {f"{name}-drawn.data": drawn}).json == {"multi": True, "response": {}}


@pytest.mark.parametrize("figure", ["attendance", "perceived", "answered"])
@pytest.mark.parametrize("stage", ["", "co_decide"])
def test_methods_shows_the_numbers_of_the_answers(app: Dash, queries: Queries, figure: str, stage: str) -> None:
    page = draw(app, "methods", f"?figure={figure}&stage={stage}")
    shown = {(one["data-pilot"], one["data-code"]): one for one in marked(page, "data-figure") if "data-code" in one}
    known = {
        (one.pilot, one.code): one.figures[figure]
        for one in queries.fit(EVERYTHING, list(queries.names()))
        if one.dim == "method" and one.stage == stage
    }
    assert known
    for place, value in known.items():
        assert (shown[place]["data-value"], shown[place]["data-status"]) == (raw(value.value), value.status)
    assert {one["data-status"] for place, one in shown.items() if place not in known} <= {"none"}


def test_a_cell_of_few_activities_is_hatched_and_has_no_dot(app: Dash, queries: Queries) -> None:
    few = {
        (one.pilot, one.code)
        for one in queries.fit(EVERYTHING, list(queries.names()))
        if one.dim == "method" and not one.stage and one.activities < 5
    }
    assert few
    for one in marked(draw(app, "methods"), "data-figure"):
        if "data-code" in one and one["data-status"] != "none":
            is_few = (one["data-pilot"], one["data-code"]) in few
            assert (one.get("className") == "is-few") is is_few
            if is_few:
                assert not [part for part in marked(one, "className") if part["className"] == "dot"]


def test_rows_and_columns_keep_their_order_whatever_the_numbers(app: Dash, catalogue: Catalogue) -> None:
    cells = [one for one in marked(draw(app, "methods"), "data-figure") if "data-code" in one]
    assert [one["data-pilot"] for one in cells[:6]] == list(catalogue.pilots)
    assert list(dict.fromkeys(one["data-code"] for one in cells)) == [
        "open_meeting", "participatory_budgeting", "co_design_workshop", "survey", "field_test"
    ]  # fmt: skip


def test_only_intervals_that_lie_apart_are_said_to(app: Dash) -> None:
    def cell(code: str, low: float, high: float) -> FitCell:
        figure = Figure(value=(low + high) / 2, lower=low, upper=high, n=9)
        return FitCell(pilot="genoa", stage="", dim="method", code=code, activities=9, figures={"attendance": figure})

    cells = [cell("survey", 1, 4), cell("interview", 4, 7), cell("petition", 8, 9)]
    assert dots.apart(cells, "attendance") == [("petition", "survey"), ("petition", "interview")]
    assert dots.apart(cells[:2], "attendance") == []


def test_one_size_says_the_sentence_of_the_test(app: Dash, queries: Queries) -> None:
    found = queries.one_size(EVERYTHING, list(queries.names()))
    words = said(app, "methods")
    assert all(one.sentence in words for one in found)
    assert "One pilot alone cannot say" in said(app, "methods", "?pilots=genoa")


@pytest.mark.parametrize("stage", ["", "co_decide"])
def test_decisions_shows_each_role_and_group(app: Dash, queries: Queries, stage: str) -> None:
    page = draw(app, "decisions", f"?stage={stage}")
    shown = {(one["data-pilot"], one["data-group"], one["data-role"]): one for one in marked(page, "data-role")}
    known = [one for one in queries.roles(EVERYTHING, list(queries.names())) if one.stage == stage]
    assert len(shown) == len(known) > 0
    for one in known:
        assert shown[one.pilot, one.group, one.role]["data-value"] == raw(one.share.value)
    matrix = {(one["data-pilot"], one["data-stage"], one["data-group"]): one for one in marked(page, "data-stage")}
    for cell in queries.stage_groups(EVERYTHING, list(queries.names())):
        assert matrix[cell.pilot, cell.stage, cell.group]["data-value"] == raw(cell.taking_part.value)
        assert matrix[cell.pilot, cell.stage, cell.group]["data-status"] == cell.taking_part.status


@pytest.mark.parametrize("variant", ["in", "or_later"])
def test_retention_shows_the_triangle_and_greys_what_is_not_over(app: Dash, queries: Queries, variant: str) -> None:
    known = {
        (one.cohort, str(one.after)): one.share
        for one in queries.retention(EVERYTHING, ["palmela"])
        if one.variant == variant
    }
    cells = marked(draw(app, "retention", f"?pilots=palmela&variant={variant}"), "data-cohort")
    assert {one["data-status"] for one in cells} == {"ok", "incomplete", "suppressed", "none"}
    for one in cells:
        share = known.get((one["data-cohort"], one["data-after"]))
        assert one["data-value"] == raw(share.value if share else None)
        assert ("is-open" in one["className"]) is (share is not None and share.status == "incomplete")
        if share is not None and share.value is None:
            assert one["children"] == ""
            assert one["aria-label"]


def test_impact_shows_each_verdict_with_its_evidence(app: Dash, queries: Queries) -> None:
    shown = marked(draw(app, "impact"), "data-verdict")
    known = queries.impact(EVERYTHING, list(queries.names()))
    assert [(one["data-pilot"], one["data-verdict"], one["data-value"]) for one in shown] == [
        (one.pilot, one.verdict, raw(one.change.value)) for one in known
    ]
    for part, one in zip(shown, known, strict=True):
        words = " ".join(texts(part))
        assert one.sentence in words
        assert "112 (93 to 134, n 112)" in words
        assert (one.reached.reason in words) is (one.reached.value is None) or not one.reached.reason


def test_a_pilot_without_a_target_or_without_a_value_says_so(app: Dash, catalogue: Catalogue) -> None:
    assert "Nothing can be said of the declared targets yet" in said(app, "impact", "?pilots=milan")
    without = {slug: pilot.model_copy(update={"targets": []}) for slug, pilot in catalogue.pilots.items()}
    bare = catalogue.model_copy(update={"pilots": without})
    words = said(of(MadeUpAnswers(list(bare.pilots)), bare), "impact", "?pilots=milan")
    assert "The file of Milan declares no target" in words


def test_an_effect_has_a_number_only_where_all_conditions_hold(app: Dash, queries: Queries) -> None:
    shown = marked(draw(app, "effects"), "data-activity")
    known = queries.effects(EVERYTHING, list(queries.names()))
    assert len(shown) == len(known) > 0
    for part, one in zip(shown, known, strict=True):
        failing = {each["data-condition"] for each in marked(part, "data-holds") if each["data-holds"] == "false"}
        assert failing == {each.letter for each in one.conditions if not each.holds}
        assert (part["data-value"] != "") is not failing
        assert ("no effect claimed" in " ".join(texts(part))) is bool(failing)


def test_no_number_of_an_effect_is_shown_when_a_condition_fails_although_there_is_one(catalogue: Catalogue) -> None:
    answers = MadeUpAnswers(list(catalogue.pilots))
    conditions = [Condition(letter=one, holds=one != "b", sentence=f"of {one}") for one in "abcdefgh"]
    number = Figure(value=77.5, n=1, lower=70.5, upper=80.5, unit="%")
    wrong = Effect(
        pilot="genoa", activity_id="x", day="2026-02-01", outcome="people", window_weeks=4, level="L2", sentence="S.",
        conditions=conditions, estimate=number, p_adjusted=0.0123, tests=1,
    )  # fmt: skip
    answers.effects = lambda pilots: [wrong]  # type: ignore[method-assign]
    words = said(of(answers, catalogue), "effects", "?pilots=genoa")
    for told in ("77", "78 %", "70", "80", "0.0123 over"):
        assert told not in words


def test_the_number_of_tests_is_shown(app: Dash) -> None:
    words = said(app, "effects", "?pilots=athens")
    assert "2, and p-values are corrected for that number" in words
    assert "0.098 over 2 tests" in words


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_called_best_first_or_last_and_no_pilot_is_ranked(app: Dash, name: str) -> None:
    words = said(app, name).replace("P(best)", "").replace("comes out best of those in its column", "").lower()
    for word in ("rank", "winner", "league", "best pilot", "worst", "top "):
        assert word not in words, word


def test_a_choice_on_a_page_stays_when_the_bar_changes(app: Dash) -> None:
    output = next(one for one in app.callback_map if "url.search" in one)
    values = {
        "url.search": "?dim=tool&stage=co_decide&figure=influence&variant=or_later",
        "bar-pilots.value": ["genoa"],
        "bar-span.value": "26w",
        "bar-period.value": "week",
        "bar-scale.value": "own",
        "bar-indicators.value": [],
        "bar-dates.value": [None, None],
    }
    import json

    from tests.dashboard.callbacks import TOKEN, body, send

    client = app.server.test_client()
    client.set_cookie("_csrf_token", TOKEN)
    asked = {**body(app, output, values), "changedPropIds": ["bar-pilots.value"]}
    answer = send(client, json.dumps(asked), **{"X-CSRFToken": TOKEN}).json
    assert answer is not None
    assert answer["response"]["url"]["search"] == (
        "?pilots=genoa&dim=tool&stage=co_decide&figure=influence&variant=or_later"
    )


def test_a_figure_in_words() -> None:
    assert finding_words.said(Figure(status="suppressed"), 5) == "hidden: would tell of fewer than 5 people"
    assert finding_words.said(Figure(value=0.0, n=12, lower=0.0, upper=24.2, unit="%")) == "0 %\n0 to 24 %, n 12"
    assert "0" not in finding_words.said(Figure(status="not_defined"))
