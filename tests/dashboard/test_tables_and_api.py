"""Each figure of the pages of findings has a text summary and a data table, and the API says the same numbers.

The tables are read as a reader gets them; what they should hold is written here from the API's JSON alone, over answers
made up and over those of the real pipeline.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from dash import Dash

from config.settings import PACKAGED_PILOTS
from config.vocabulary import load_vocabulary
from dashboard import finding_words, wording
from dashboard.pages import FINDINGS
from pipeline.findings import Figure
from tests.dashboard.callbacks import texts
from tests.dashboard.test_finding_pages import draw, marked
from tests.dashboard.test_same_numbers import city, dash, items

__all__ = ["city", "dash"]

WORDS = load_vocabulary(PACKAGED_PILOTS)
NAMES = [page.PATH[1:] for page in FINDINGS]
K = 5
Row = tuple[str, ...]


@pytest.fixture(params=["made up", "computed"])
def pages(request: pytest.FixtureRequest) -> Dash:
    found: Dash = request.getfixturevalue("app" if request.param == "made up" else "dash")
    return found


def shown(frame: Any) -> list[Row]:
    """The rows of the data table of a frame."""
    [details] = [one for one in marked(frame, "className") if one["className"] == "frame-table"]
    [table] = marked(details, "data")
    return [tuple(str(cell) for cell in row) for row in table["data"]["body"]]


def frames(app: Dash, name: str, query: str = "") -> dict[str, Any]:
    """The frames of a page that say something, by what comes after "frame-" in their ids."""
    every = [one for one in marked(draw(app, name, query), "aria-labelledby") if one.get("className") == "frame"]
    return {one["id"].removeprefix("frame-"): one for one in every if "frame-table" in str(one)}


def said(part: dict[str, Any]) -> str:
    return finding_words.said(msgspec.convert(part, Figure), K)


def number(value: float | None) -> str:
    return wording.number(value)


def title(name: str, code: str) -> str:
    return finding_words.title_of(WORDS, name, code)


def pilots(app: Dash) -> dict[str, str]:
    return {one["pilot"]: one["name"] for one in items(app, "/api/v1/pilots")}


def p_value(one: dict[str, Any]) -> str:
    if one["p_value"] is None:
        return wording.status_words()[one["status"]]
    return "below 0.001" if one["p_value"] < 0.001 else f"{one['p_value']:.3f}"


def test_the_table_of_one_size_is_the_apis(pages: Dash) -> None:
    found = frames(pages, "methods").get("one-size")
    known = items(pages, "/api/v1/one-size")
    assert (found is None) is (known == [])
    if found is not None:
        assert [row[1:5] for row in shown(found)] == [
            (p_value(one), number(one["statistic"]), number(one["permutations"]), number(one["activities"]))
            for one in known
        ]


@pytest.mark.parametrize("stage", ["", "co_design"])
@pytest.mark.parametrize("dim", ["method", "skill"])
def test_the_table_of_method_fit_is_the_apis(pages: Dash, dim: str, stage: str) -> None:
    names, figures = pilots(pages), finding_words.figure_names()
    cells = [one for one in items(pages, "/api/v1/method-fit") if (one["dim"], one["stage"]) == (dim, stage)]
    used = [name for name in figures if any(name in one["figures"] for one in cells)]
    assert cells
    assert [row[:-1] for row in shown(frames(pages, "methods", f"?dim={dim}&stage={stage}")["fit"])] == [
        (names[one["pilot"]], title(dim, one["code"]), number(one["activities"]),
         *[said(one["figures"][name]) if name in one["figures"] else "–" for name in used])
        for one in cells
    ]  # fmt: skip


def test_p_best_in_the_table_is_the_apis(app: Dash) -> None:
    cells = [one for one in items(app, "/api/v1/method-fit") if (one["dim"], one["stage"]) == ("method", "")]
    told = [row[-1] for row in shown(frames(app, "methods")["fit"])]
    bests = [one["best"].get("attendance") for one in cells]
    assert any(bests)
    assert told == [f"P(best) {number(one['value'])}, 0.02 to 0.97" if one else "–" for one in bests]


def test_the_table_of_skills_is_the_apis(pages: Dash) -> None:
    names = pilots(pages)
    known = [one for one in items(pages, "/api/v1/skills") if not one["stage"]]
    assert known
    assert shown(frames(pages, "methods")["skills"]) == [
        (names[one["pilot"]], title("method", one["method"]) if one["method"] else "all methods",
         title("skill", one["skill"]), number(one["needed"]), number(one["present"]), said(one["met"]),
         number(one["level"]["value"]))
        for one in known
    ]  # fmt: skip


@pytest.mark.parametrize("dim", ["obstacle", "lesson"])
def test_the_tables_of_obstacles_and_lessons_are_the_apis(pages: Dash, dim: str) -> None:
    names = pilots(pages)
    known = [one for one in items(pages, "/api/v1/codes") if (one["dim"], one["stage"], one["method"]) == (dim, "", "")]
    found = frames(pages, "methods").get(f"{dim}s")
    assert (found is None) is (known == [])
    if found is not None:
        assert sorted(shown(found)) == sorted(
            (names[one["pilot"]], title(dim, one["code"]), number(one["n"])) for one in known
        )


def by_pilot(app: Dash, page: str, prefix: str, path: str, row: Callable[[dict[str, Any]], Row]) -> None:
    """Each pilot's table against the rows that its items make; some have any."""
    found, rows, known = frames(app, page), 0, items(app, f"/api/v1/{path}")
    for slug in pilots(app):
        expected = [row(one) for one in known if one["pilot"] == slug]
        frame = found.get(prefix + slug)
        assert (frame is None) is (expected == []), slug
        if frame is not None:
            assert shown(frame) == expected
            rows += len(expected)
    assert rows


def test_the_tables_of_roles_are_the_apis(pages: Dash) -> None:
    by_pilot(pages, "decisions", "roles-", "roles", lambda one: (
        finding_words.stage_name(one["stage"]), title("actor_kind", one["group"]), title("decision_role", one["role"]),
        number(one["decisions"]), said(one["share"]),
    ))  # fmt: skip


def test_the_tables_of_who_took_part_are_the_apis(pages: Dash) -> None:
    by_pilot(pages, "decisions", "groups-", "stage-groups", lambda one: (
        finding_words.stage_name(one["stage"]), title("actor_kind", one["group"]), number(one["activities"]),
        said(one["taking_part"]),
    ))  # fmt: skip


@pytest.mark.parametrize("variant", ["in", "or_later"])
def test_the_tables_of_retention_are_the_apis(pages: Dash, variant: str) -> None:
    found = frames(pages, "retention", f"?variant={variant}")
    every = [one for one in items(pages, "/api/v1/retention") if one["variant"] == variant]
    assert every
    for slug in pilots(pages):
        mine = [one for one in every if one["pilot"] == slug]
        if mine:
            assert [row[:3] for row in shown(found[f"retention-{slug}"])] == [
                (wording.day(one["cohort"]), str(one["after"]), said(one["share"])) for one in mine
            ]
            computed = [row[3] for row in shown(found[f"retention-{slug}"])]
            assert [None if one == "–" else float(one) for one in computed] == [one["share"]["value"] for one in mine]


def test_the_tables_of_impact_are_the_apis(app: Dash) -> None:
    titles = {one["indicator"]: one["title"] for one in items(app, "/api/v1/indicators")}
    verdicts = {"as_intended": "moved as intended", "not_as_intended": "did not move as intended",
                "cannot_tell": "cannot tell"}  # fmt: skip
    by_pilot(app, "impact", "impact-", "impact", lambda one: (
        titles[one["indicator"]], one["direction"], one["declared"], one["by"], number(one["target"]),
        said(one["baseline"]), said(one["reached"]), said(one["change"]), verdicts[one["verdict"]],
    ))  # fmt: skip


def test_the_tables_of_effects_are_the_apis(pages: Dash) -> None:
    known = items(pages, "/api/v1/effects")
    found = frames(pages, "effects")
    assert {slug for slug in pilots(pages) if f"effects-{slug}" in found} == {one["pilot"] for one in known}
    for slug in {one["pilot"] for one in known}:
        mine = [one for one in known if one["pilot"] == slug]
        for row, one in zip(shown(found[f"effects-{slug}"]), mine, strict=True):
            holds = [each["holds"] for each in one["conditions"]]
            assert row[2] == (one["level"] or "–")
            assert row[3] == (said(one["estimate"]) if all(holds) else "–")
            assert [None if p == "–" else float(p) for p in row[4:6]] == [one["p_value"], one["p_adjusted"]]
            assert list(row[6:14]) == ["holds" if each else "fails" for each in holds]
            assert row[14] == one["sentence"]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_each_page_has_a_summary_and_a_table(app: Dash, name: str) -> None:
    every = [one for one in marked(draw(app, name), "aria-labelledby") if one.get("className") == "frame"]
    assert every
    for frame in every:
        [sentence] = [one for one in marked(frame, "className") if one["className"] == "frame-sentence"]
        assert len(" ".join(texts(sentence["children"]))) > 10, frame["id"]
        [body] = [one for one in marked(frame, "className") if one["className"] == "frame-body"]
        if body["children"]:
            assert shown(frame), frame["id"]
