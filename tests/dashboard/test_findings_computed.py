"""Pages, API and package over a real store: every finding is the same number in all of them."""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dash import Dash

from dashboard.app import create_app
from dashboard.findings import FINDINGS
from dashboard.pages import FINDINGS as PAGES
from dashboard.queries import Queries
from pipeline.answers import Answers
from pipeline.exports import export
from pipeline.findings_answers import Findings
from tests.dashboard.test_finding_pages import said
from tests.unit.pipeline.fit.making import FIRST, activity, history
from tests.unit.pipeline.making import City, Clock, event, pilot

TARGET = {"indicator": "contributions", "direction": "up", "declared": date(2026, 5, 4), "by": date(2026, 12, 31)}
# The name of each finding in the API, how `Findings` is asked for it, and its file in the package.
ASKED = {
    "method-fit": ("fit", "method_fit"), "one-size": ("one_size", "one_size"), "roles": ("roles", "roles"),
    "stage-groups": ("stage_groups", "stage_groups"), "skills": ("skills", "skills"),
    "codes": ("counted", "obstacles"), "impact": ("impact", "impact"), "effects": ("effects", "effects"),
}  # fmt: skip


@pytest.fixture(scope="module")
def city() -> City:
    found = City(pilot(targets=[TARGET]), Clock("2027-01-01T00:00:00"), k=5)
    events = [*history(3, 40), *activity("hard", FIRST, 20, stage="co_design", method="survey", obstacles=["silos"])]
    for n in range(6):
        own = {"decision_id": f"z{n}", "stage": "co_decide"}
        taken = {**own, "role": "decider"}
        events.append(event("decision.participated", f"2026-02-0{n + 1}T10:00", actor_kind="citizen", data=taken))
        events.append(event("decision.closed", f"2026-02-0{n + 1}T11:00", data=own))
    found.add(events)
    found.work()
    return found


@pytest.fixture(scope="module")
def answers(city: City) -> Answers:
    return Answers(city.store, city.catalogue, city.operations)


@pytest.fixture(scope="module")
def app(city: City, answers: Answers) -> Dash:
    findings = Findings(answers, city.catalogue)
    return create_app(Queries(answers, city.catalogue, city.clock, findings=findings), refresh_s=1)


@pytest.mark.parametrize("name", ASKED)
def test_the_api_gives_what_was_computed(app: Dash, city: City, answers: Answers, name: str) -> None:
    answer = app.server.test_client().get(f"/api/v1/{name}")
    assert answer.status_code == 200, answer.data
    assert answer.json is not None
    expected: list[Any] = getattr(Findings(answers, city.catalogue), ASKED[name][0])(["test"])
    assert expected
    kind = FINDINGS[name].kind
    assert [msgspec.convert(item, kind) for item in answer.json["items"]] == expected


def test_every_table_of_findings_is_in_the_package(city: City, answers: Answers, tmp_path: Path) -> None:
    export(answers, city.catalogue, tmp_path / "out.zip", ["test"], None, None)
    with zipfile.ZipFile(tmp_path / "out.zip") as package:
        for _, file in ASKED.values():
            assert len(package.read(f"{file}.csv").splitlines()) > 1, file


@pytest.mark.parametrize("name", [page.PATH[1:] for page in PAGES])
def test_every_page_of_findings_can_be_drawn_from_a_store(app: Dash, name: str) -> None:
    assert "could not be drawn" not in said(app, name)


def test_the_page_of_methods_says_the_sentence_of_the_test(app: Dash, city: City, answers: Answers) -> None:
    [attendance] = [one for one in Findings(answers, city.catalogue).one_size(["test"]) if one.figure == "attendance"]
    assert attendance.sentence in said(app, "methods")
