"""The short form of `make coverage`: few draws with bounds widened to match, and the page held to the code."""

from math import sqrt
from pathlib import Path

import pytest

from pipeline.indicators import INDICATORS
from tests.coverage import study, weeks
from tests.coverage.intervals import Subject, subjects
from tests.coverage.study import LEAST_AT_MINIMUM, NEAR, NOMINAL, cells, measure

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"
DRAWS, RUNS = 250, 1000
SHORT = [name for name, cell in cells().items() if cell.kind == "coverage" and cell.n == max(50, cell.least)]
LEVELS = [name for name, cell in cells().items() if cell.kind == "level" and cell.n == 61]


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_interval_holds_the_truth_nearly_as_often_as_it_says(name: str) -> None:
    rate = measure(name, DRAWS)["rate"]
    assert rate >= NOMINAL - NEAR - 3 * sqrt(NOMINAL * (1 - NOMINAL) / DRAWS)


@pytest.mark.parametrize("name", LEVELS)
def test_a_test_rejects_no_more_than_its_level_where_nothing_is_planted(name: str) -> None:
    assert measure(name, RUNS)["rate"] <= weeks.LEVEL + 3 * sqrt(weeks.LEVEL * (1 - weeks.LEVEL) / RUNS)


def test_every_interval_method_of_the_registry_is_studied() -> None:
    studied = {subject.method for subject in subjects()} | {"none"}
    assert {indicator.interval_method for indicator in INDICATORS.values()} <= studied


@pytest.mark.parametrize("subject", subjects(), ids=lambda one: f"{one.method}: {one.figure}")
def test_the_least_n_studied_is_that_of_the_indicators(subject: Subject) -> None:
    for indicator in subject.serves:
        assert INDICATORS[indicator].min_n >= subject.least, indicator


def test_the_page_holds_every_cell_and_nothing_on_it_misleads() -> None:
    """Of a figure that would hold the truth in fewer than 90 %, the least n has to be raised before it is published."""
    text = PAGE.read_text()
    for cell in cells().values():
        assert f"| {cell.method} | {cell.figure} | {cell.truth} | {cell.n} |" in text, cell.name
    assert "| below 90 %" not in text
    assert "| rejects too often" not in text


@pytest.mark.parametrize(
    ("kind", "rate", "n", "said"),
    [
        ("coverage", LEAST_AT_MINIMUM - 0.001, 20, "below 90 %"),
        ("coverage", 0.90, 49, "ok"),
        ("coverage", 0.929, 50, "narrow"),
        ("coverage", 0.93, 50, "ok"),
        ("coverage", 0.971, 50, "wide"),
        ("level", 0.0597, 104, "ok"),
        ("level", 0.06, 104, "rejects too often"),
    ],
)
def test_verdicts_stand_at_their_bounds(kind: str, rate: float, n: int, said: str) -> None:
    assert study.verdict(kind, rate, n, 2000) == said
