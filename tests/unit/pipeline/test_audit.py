"""An attacker with a linear programme, every grid, the whole and two exports a day apart finds nothing hidden.

Criterion: whatever is told, a hidden count of 1 to k-1 people may still be any of at least two whole numbers.
"""

import pytest

from pipeline.release_rules import RULES
from tests.unit.pipeline.attacker import Attacker, count
from tests.unit.pipeline.audit import narrowest


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("k", [3, 5])
def test_nothing_hidden_can_be_worked_out(seed: int, k: int) -> None:
    room, hidden, name = narrowest(100 * k + seed, k, week_by_week=seed % 2 == 1)
    assert hidden > 3
    assert room >= 1 - 1e-6, f"{name} is known to be one number"


def test_the_rule_of_single_figures_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule before: 1 to k-1 hidden, each figure by itself."""
    monkeypatch.setattr("pipeline.indicators.evaluate.judge", lambda *_: None)
    assert any(narrowest(500 + seed, 5)[0] < 1e-6 for seed in range(3))


@pytest.mark.parametrize("rule", ["new-people", "active-7", "people-multi-day"])
def test_each_rule_is_needed(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(RULES, rule)
    assert any(narrowest(500 + seed, 5)[0] < 1 - 1e-6 for seed in range(12))


def test_the_attacker_finds_what_follows_from_what_is_told() -> None:
    everybody = [0b011, 0b011, 0b001, 0b010, 0b110, 0b100]
    attacker = Attacker(range(1, 1 << 3))
    for cell in (("active", 0, 1), ("active", 0, 0)):
        attacker.learn(cell, count(cell, everybody))
    assert attacker.bounds(("new", 1, 1)) == pytest.approx((2, 2))
    low, high = attacker.bounds(("active", 1, 1))
    assert (low, high) == pytest.approx((2, 5))
