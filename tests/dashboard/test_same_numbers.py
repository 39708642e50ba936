"""One selection, five ways: page, download, API in both forms and the evaluator's package say the same numbers."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from dash import Dash

from dashboard.app import create_app
from dashboard.queries import Queries
from pipeline.answers import Answers
from pipeline.exports import export
from pipeline.findings_answers import Findings
from tests.dashboard.callbacks import post
from tests.dashboard.test_finding_pages import marked
from tests.unit.pipeline.fit.making import history
from tests.unit.pipeline.making import City, Clock, act, pilot

START, END = "2026-03-02", "2026-05-31"
CHOICE = f"start={START}&end={END}"
FEEDS = [
    {"id": "app", "topic": "pilots/test/usage/app", "stream": "usage"},
    {"id": "talk", "topic": "pilots/test/engagement/talk", "stream": "engagement"},
]


@pytest.fixture(scope="module")
def city() -> City:
    """Half a year of engagement, and people who use the service: some alone, most often."""
    found = City(pilot(feeds=FEEDS), Clock("2026-12-31T12:00"), k=5)
    found.add(history(7, 60))
    days = [f"2026-{month:02}-{day:02}T10:00:00" for month in (3, 4, 5) for day in range(1, 29)]
    found.add([act(day, f"p{number % 9}", count=1 + number % 3) for number, day in enumerate(days)])
    found.work()
    return found


@pytest.fixture
def dash(city: City) -> Dash:
    answers = Answers(city.store, city.catalogue, city.operations)
    findings = Findings(answers, city.catalogue)
    return create_app(Queries(answers, city.catalogue, city.clock, findings=findings), refresh_s=1)


def package(city: City, folder: Path, name: str) -> list[dict[str, str]]:
    target = folder / "out.zip"
    export(Answers(city.store, city.catalogue, city.operations), city.catalogue, target, ["test"], START, END)
    with zipfile.ZipFile(target) as found:
        return list(csv.DictReader(io.StringIO(found.read(name).decode(), newline="")))


def table(app: Dash, path: str) -> list[dict[str, str]]:
    answer = app.server.test_client().get(path)
    assert answer.status_code == 200, answer.data
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


def items(app: Dash, path: str) -> list[dict[str, Any]]:
    answer = app.server.test_client().get(path)
    assert answer.status_code == 200, answer.data
    found: list[dict[str, Any]] = json.loads(answer.get_data())["items"]
    return found


def number(text: object) -> float | None:
    return None if text in ("", None) else float(str(text))


def test_the_figures_of_a_period_are_the_same_everywhere(dash: Dash, city: City, tmp_path: Path) -> None:
    page = post(dash, "..compare-figures.children...compare-figures-drawn.data..", {"url.search": f"?{CHOICE}"}).json
    shown = {(one["data-indicator"], one["data-segment"]): one for one in marked(page, "data-indicator")}
    api = {(one["indicator"], one["segment"]): one for one in items(dash, f"/api/v1/chosen?{CHOICE}")}
    flat = {(one["indicator"], one["segment"]): one for one in table(dash, f"/api/v1/chosen?{CHOICE}&format=csv")}
    file = {(one["indicator"], one["segment"]): one for one in table(dash, f"/download/period.csv?{CHOICE}")}
    exported = {
        (one["indicator_id"], one["subgroup"]): one
        for one in package(city, tmp_path, "indicators.csv")
        if (one["period_start"], one["period_end"]) == (START, END)
    }
    assert set(api) == set(flat) == set(file) == set(exported)
    assert {one["status"] for one in api.values()} > {"ok"}
    assert sum(one["value"] is not None for one in api.values()) > 10
    for key, one in api.items():
        told = (one["value"], one["n"], one["status"])
        for other in (flat[key], file[key], exported[key]):
            assert (number(other["value"]), number(other["n"]), other["status"]) == told, key
        if key in shown:  # the page shows every family but that of feeds
            assert (number(shown[key]["data-value"]), shown[key]["data-status"]) == (told[0], told[2]), key


def test_method_fit_is_the_same_everywhere(dash: Dash, city: City, tmp_path: Path) -> None:
    api = {
        (one["stage"], one["code"]): one["figures"]["attendance"]
        for one in items(dash, "/api/v1/method-fit")
        if one["dim"] == "method"
    }
    file = {
        (one["stage"], one["code"]): one
        for one in table(dash, "/download/method-fit.csv")
        if (one["dim"], one["figure"]) == ("method", "attendance")
    }
    exported = package(city, tmp_path, "method_fit.csv")
    assert api
    assert set(api) == set(file)
    assert any(one["value"] is not None for one in api.values())
    for stage in {stage for stage, _code in api} & {"", "co_design", "co_decide", "co_produce", "co_evaluate"}:
        page = post(dash, "..methods-body.children...methods-drawn.data..", {"url.search": f"?stage={stage}"}).json
        shown = {one["data-code"]: one for one in marked(page, "data-figure") if "data-code" in one}
        for code in (code for of, code in api if of == stage):
            one, key = api[stage, code], (stage, code)
            assert number(shown[code]["data-value"]) == one["value"] == number(file[key]["value"]), key
            assert shown[code]["data-status"] == one["status"] == file[key]["status"], key
    columns = set(exported[0])
    values = sorted(number(one["value"]) for one in exported if _is_attendance(one) and one["value"])
    assert columns
    assert values == sorted(one["value"] for one in api.values() if one["value"] is not None)


def _is_attendance(row: dict[str, str]) -> bool:
    return "attendance" in row.values() and "method" in row.values()


@pytest.mark.parametrize("name", ["roles", "stage-groups", "skills", "codes", "impact", "retention", "effects"])
def test_findings_are_the_same_in_api_and_file(dash: Dash, name: str) -> None:
    assert table(dash, f"/api/v1/{name}?format=csv") == table(dash, f"/download/{name}.csv")
    assert len(items(dash, f"/api/v1/{name}")) == len(table(dash, f"/download/{name}.csv"))
