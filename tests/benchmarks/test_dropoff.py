"""The benchmark of drop-off detectors in short: every part runs, and the detector is not far from its bounds."""

import json

import pytest

from pipeline.alerts.streams import OF_STREAM, OF_TOTAL
from tests.benchmarks.dropoff import criteria, page
from tests.benchmarks.dropoff.__main__ import measure, parts
from tests.benchmarks.dropoff.figures import CELLS, STREAM, TOTAL
from tests.benchmarks.dropoff.rivals import THRESHOLDS, name_of
from tests.benchmarks.dropoff.rules import AS_WRITTEN, RULES
from tests.benchmarks.dropoff.samples import Samples, pooled

SEED, SIZE = 77, 25


@pytest.fixture(scope="module")
def found() -> Samples:
    wanted = [part for part in parts() if part[0] == "A" or part in ("rivals 4", "published 3")]
    each = [measure((part, SEED, SIZE))[1] for part in wanted]
    return pooled([{name: sample for one in each for name, sample in one.items()}])


def test_what_ships_is_what_is_measured() -> None:
    assert (TOTAL, STREAM) == (OF_TOTAL, OF_STREAM)


def test_every_criterion_is_measured(found: Samples) -> None:
    rows = criteria.rows(found, {SEED: found})
    assert {row["id"] for row in rows} == {f"A{number}" for number in range(1, 12)}
    assert all(row["n"] > 0 and row["low"] <= row["figure"] <= row["high"] for row in rows)


@pytest.mark.parametrize("name", ["A1", "A4 P14", "A8", "A10 firings h 6.1", "A11"])
def test_a_small_sample_is_not_far_from_its_bound(found: Samples, name: str) -> None:
    [criterion] = [one for one in criteria.CRITERIA if one.sample == name]
    assert criterion.verdict(found[name].figure()) in ("holds", "within")


def test_every_rule_has_a_threshold_in_every_cell() -> None:
    limits = json.loads(THRESHOLDS.read_text())["once a year"]
    assert set(limits) == {name_of(*cell) for cell in CELLS}
    assert all(set(one) == set(RULES) == set(AS_WRITTEN) for one in limits.values())


def test_the_page_has_a_place_for_every_table() -> None:
    text = page.PAGE.read_text()
    for name in ("run", "criteria", "FA as written", "FA tuned", "P14 50%", "lead 30%", "published", "others"):
        assert f"<!-- {name} -->" in text
