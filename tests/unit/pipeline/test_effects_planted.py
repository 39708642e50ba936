"""What the simulator planted is found again, and nothing where nothing was planted.

Truth comes from `collectors/simulator/truth.py` alone. None of these seeds was used while the method was chosen.
The pilots' calendars are taken away: simulated people take no notice of holidays, and real ones leave few dates.
"""

from dataclasses import replace
from datetime import date
from functools import cache
from math import exp, log
from pathlib import Path

import pytest
from scipy.stats import combine_pvalues

from collectors.simulator.truth import TRUTH
from config.catalogue import Calendar, EffectPlan, load_catalogue
from config.settings import PACKAGED_PILOTS
from pipeline.effects import effects
from pipeline.findings import Effect
from tests.unit.pipeline.making import catalogue
from tests.unit.pipeline.towns import simulated

NOW = 1_795_648_062_037_000_000  # 2026-11-25T23:07:42.037Z
SEEDS = (20_260, pytest.param(991, marks=pytest.mark.long), pytest.param(4_711, marks=pytest.mark.long))
NOTHING = replace(TRUTH, lifts={pilot: dict.fromkeys(lifts, 1.0) for pilot, lifts in TRUTH.lifts.items()})


@cache
def campaigns(seed: int, planted: bool) -> dict[tuple[str, str], Effect]:
    """Pilot and method with what was found of all its activities together."""
    found: dict[tuple[str, str], Effect] = {}
    for slug, pilot in load_catalogue(Path(PACKAGED_PILOTS)).pilots.items():
        plans = [
            EffectPlan(outcome="people", window_weeks=2, declared=date(2024, 1, 1), method=method, seasonal=False)
            for method in TRUTH.lifts[slug]
        ]
        one = pilot.model_copy(update={"effects": plans, "calendar": Calendar()})
        history = simulated(one, seed, NOW, TRUTH if planted else NOTHING)
        for effect in effects([history], catalogue(one, k=5), NOW):
            found[slug, effect.title] = effect
    return found


def lifted(seed: int, planted: bool, least: float, most: float) -> list[Effect]:
    return [
        effect
        for (pilot, method), effect in campaigns(seed, planted).items()
        if least <= TRUTH.lifts[pilot][method] <= most and effect.p_value is not None
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_strongest_method_of_each_city_stands_out(seed: int) -> None:
    strong = lifted(seed, True, 1.6, 1.6)
    assert len(strong) >= 5
    # Six ranks among 30 to 90 dates, in cities whose other activities move use as well: far smaller none can be.
    assert combine_pvalues([effect.p_value or 1 for effect in strong]).pvalue < 1e-3
    assert all((effect.estimate.value or 0) > 5 for effect in strong)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_size_is_that_which_was_planted(seed: int) -> None:
    """Visits grow by 60 %; distinct people of a week by less, as some come twice anyway: 30 to 60 %."""
    strong = lifted(seed, True, 1.6, 1.6)
    weights = [effect.estimate.n or 0 for effect in strong]
    mean = sum(n * log(1 + (one.estimate.value or 0) / 100) for n, one in zip(weights, strong, strict=True))
    assert 0.30 <= exp(mean / sum(weights)) - 1 <= 0.62
    covering = [one for one in strong if (one.estimate.lower or 0) <= 60 and (one.estimate.upper or 0) >= 30]
    assert len(covering) >= len(strong) - 1


@pytest.mark.parametrize("seed", SEEDS)
def test_methods_without_effect_do_not_stand_out(seed: int) -> None:
    weak = lifted(seed, True, 1.0, 1.0)
    assert len(weak) >= 4
    assert combine_pvalues([effect.p_value or 1 for effect in weak]).pvalue > 0.01
    assert all(effect.level == "L0" for effect in weak)


@pytest.mark.parametrize("seed", SEEDS)
def test_where_nothing_is_planted_nothing_is_claimed(seed: int) -> None:
    found = lifted(seed, False, 0, 9)
    assert len(found) >= 12
    assert sum(effect.level != "L0" for effect in found) <= 1
    assert combine_pvalues([effect.p_value or 1 for effect in found]).pvalue > 0.01
