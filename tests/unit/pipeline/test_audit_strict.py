"""The strict release tells of rounded counts alone: no number of people, and no share, gives an exact one back."""

import pytest

from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.indicators.evaluate import _measures, evaluate
from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.periods import Period, periods_between
from pipeline.release import STRICT_BASE, STRICT_K
from pipeline.values import IndicatorValue
from pipeline.work import everything
from tests.unit.pipeline.making import City, Clock, pilot
from tests.unit.pipeline.test_engagement_oracle import history_of
from tests.unit.pipeline.test_oracle import INHABITANTS
from tests.unit.pipeline.test_uptake_oracle import ALWAYS, crowd

PER_PEOPLE = {"%": 100.0, "ratio": 1.0, "percentage points": 100.0}


@pytest.fixture(scope="module", params=[1, 2])
def told(request: pytest.FixtureRequest) -> list[tuple[Measure, IndicatorValue, dict[str, IndicatorValue]]]:
    """Every figure that is told of people, with what it says exactly, and all that is told of its period."""
    city = City(pilot(denominators=INHABITANTS), Clock("2027-01-01T00:00:00"), k=5)
    city.add([*ALWAYS, *crowd(request.param), *history_of(request.param, 900)])
    running = city.pipeline()
    city.work(running)
    history, as_of_ns = running._histories["test"], city.clock.ns
    whole = everything(history, as_of_ns)
    assert whole is not None
    grid = [one for name in ("week", "month") for one in periods_between(name, whole.start, whole.end)]
    return [found for period in (whole, *grid) for found in of_period(history, period, as_of_ns)]


def of_period(
    history: History, period: Period, as_of_ns: int
) -> list[tuple[Measure, IndicatorValue, dict[str, IndicatorValue]]]:
    window = Window(history, period, as_of_ns)
    exact = {(key, one.dim, one.segment): one for key in INDICATORS for one in _measures(INDICATORS[key], window)}
    values = evaluate(history, period, as_of_ns, STRICT_K, base=STRICT_BASE)
    totals = {one.indicator: one for one in values if one.dim == ""}
    known = [(exact.get((one.indicator, one.dim, one.segment)), one) for one in values if one.value is not None]
    return [(measure, one, totals) for measure, one in known if measure is not None and measure.people]


def multiple(number: float) -> bool:
    return abs(number - STRICT_BASE * round(number / STRICT_BASE)) < 1e-6


def test_every_number_of_people_is_a_multiple(
    told: list[tuple[Measure, IndicatorValue, dict[str, IndicatorValue]]],
) -> None:
    assert len({one.indicator for _, one, _ in told}) > 15
    for measure, one, _ in told:
        assert (one.lower, one.upper) == (None, None), one
        if measure.n in measure.people:
            assert one.n is not None
            assert multiple(one.n), one
        if measure.value == measure.people[0]:
            assert one.value is not None
            assert multiple(one.value), one


def test_no_share_or_ratio_of_people_gives_an_exact_number(
    told: list[tuple[Measure, IndicatorValue, dict[str, IndicatorValue]]],
) -> None:
    seen = set()
    for measure, one, totals in told:
        scale = PER_PEOPLE.get(INDICATORS[one.indicator].unit)
        if scale is None or not one.n or measure.n not in measure.people or one.value is None:
            continue
        if one.indicator == "representation-gap":  # a mean over groups, which no sum of people is
            continue
        if measure.interval == "kaplan-meier":
            assert one.value == round(one.value)
            continue
        share = one.value
        if one.indicator == "influence-gap":  # what people say beside what was adopted, which is told too
            share += totals["influence"].value or 0
        if one.indicator == "representation":  # beside the share of the group in the population, which is no secret
            share *= measure.people[0] / measure.n / (measure.value or 1)
        assert multiple(share * one.n / scale), (measure, one)
        seen.add(one.indicator)
    assert len(seen) > 6
    assert {"influence-gap", "net-growth", "return-participation"} <= seen
