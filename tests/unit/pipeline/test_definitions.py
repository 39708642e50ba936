"""A changed definition has a higher version, so that a reader can tell two numbers apart."""

from dataclasses import replace

import pytest

from pipeline.indicators import INDICATORS, intervals, uptake_habit
from pipeline.indicators.window import Window
from tests.unit.pipeline import definitions
from tests.unit.pipeline.definitions import digest, recorded, unraised


def test_no_definition_changed_without_a_higher_version() -> None:
    assert list(unraised(recorded())) == [], "raise the version, then: python -m tests.unit.pipeline.definitions"


def test_every_definition_is_recorded_as_it_is() -> None:
    now = {one.id: (one.version, digest(one)) for one in INDICATORS.values()}
    assert recorded() == now, "run: python -m tests.unit.pipeline.definitions"


def test_a_changed_word_of_the_formula_is_noticed() -> None:
    one = INDICATORS["stickiness"]
    assert digest(replace(one, formula=one.formula + " or so")) != digest(one)
    assert digest(replace(one, min_n=21)) != digest(one)
    assert digest(replace(one, title="Other words")) == digest(one)


def test_a_changed_helper_constant_or_window_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = INDICATORS["stickiness"]
    reached: dict[str, str] = {}
    definitions._reach(one.compute, reached)
    assert {
        "pipeline.indicators.uptake_habit.stickiness",
        "pipeline.indicators.uptake_habit._rhythm",
        "pipeline.indicators.resampling.mean_with_error",
        "pipeline.indicators.resampling.bootstrap_t",
        "pipeline.indicators.resampling._known_t",
        "pipeline.indicators.window.Window.known",
        "pipeline.indicators.uptake_habit.MONTH",
    } <= set(reached)
    before = digest(one)
    monkeypatch.setattr(uptake_habit, "MONTH", 30)
    assert digest(one) != before


def test_what_an_indicator_does_not_use_leaves_it_alone() -> None:
    reached: dict[str, str] = {}
    definitions._reach(INDICATORS["core-actions"].compute, reached)
    assert f"{intervals.__name__}.wilson" not in reached
    assert not any(key.endswith(Window.cohorts.__qualname__) for key in reached)


def test_a_version_that_was_not_raised_is_named() -> None:
    one = INDICATORS["stickiness"]
    assert list(unraised({one.id: (one.version, "another")})) == [one.id]
    assert list(unraised({one.id: (one.version - 1, "another")})) == []
    assert list(unraised({})) == []
