"""Over which days pilots are compared: whole weeks, over for all, followed long enough, and each pilot's own days."""

from collections.abc import Sequence

import pytest

from config.catalogue import Catalogue, load_catalogue
from config.settings import PACKAGED_PILOTS
from pipeline.findings import Pair
from pipeline.indicators import INDICATORS
from pipeline.pairs import pairs
from pipeline.values import IndicatorValue
from tests.unit.pipeline.making import ns

NOW = "2026-05-14T12:00"  # a Thursday
FEW = ["adoption-per-1000", "retention-week-1", "people"]


class Spans:
    """Pilots of which only the first and last day are known; each value is the number of its days."""

    def __init__(self, **spans: tuple[str, str]) -> None:
        self.spans = spans

    def span(self, pilot: str) -> tuple[str, str] | None:
        return self.spans.get(pilot)

    def as_of_ns(self) -> int:
        return ns(NOW)

    def chosen(
        self, pilots: Sequence[str], indicators: Sequence[str] | None, start: str | None = None, end: str | None = None
    ) -> list[IndicatorValue]:
        assert start is not None
        assert end is not None
        return [
            IndicatorValue(pilot=pilot, indicator=one, version=1, period="chosen", start=start, end=end, value=20.0,
                           lower=18.0, upper=22.0, n=100, dim=dim)
            for pilot in pilots
            for one in indicators or INDICATORS
            for dim in ("", "feed")
        ]  # fmt: skip


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(PACKAGED_PILOTS)


WHOLE = {"bremen": ("2026-01-01", "2026-05-14"), "genoa": ("2026-02-01", "2026-05-14")}


def days(found: list[Pair]) -> dict[str, tuple[str, str]]:
    return {one.indicator: (one.start, one.end) for one in found}


def test_whole_weeks_that_are_over_and_could_be_followed_are_compared(catalogue: Catalogue) -> None:
    found = pairs(Spans(**WHOLE), catalogue, ["bremen", "genoa"], FEW, "2026-02-05", "2026-05-14")
    assert days(found) == {
        "people": ("2026-02-09", "2026-05-10"),
        "adoption-per-1000": ("2026-02-09", "2026-05-10"),
        "retention-week-1": ("2026-02-09", "2026-04-26"),  # newcomers need another week, and 13 days of it
    }
    assert [one.order for one in found] == ["open"] * 3


def test_without_dates_the_days_that_all_of_them_have_are_compared(catalogue: Catalogue) -> None:
    found = pairs(Spans(**WHOLE), catalogue, ["bremen", "genoa"], ["adoption-per-1000"])
    assert days(found) == {"adoption-per-1000": ("2026-02-02", "2026-05-10")}
    assert found[0].difference.status == "ok"


def test_all_that_may_be_compared_is_when_nothing_is_named(catalogue: Catalogue) -> None:
    found = pairs(Spans(**WHOLE), catalogue, ["genoa", "bremen"])
    assert [one.indicator for one in found] == [one.id for one in INDICATORS.values() if one.comparable == "yes"]


@pytest.mark.parametrize("own", [("2026-03-10", "2026-05-14"), ("2026-01-01", "2026-05-03")])
def test_a_pilot_that_has_not_all_of_the_days_is_not_compared(catalogue: Catalogue, own: tuple[str, str]) -> None:
    spans = Spans(**{**WHOLE, "genoa": own})
    [found] = pairs(spans, catalogue, ["bremen", "genoa"], ["adoption-per-1000"], "2026-02-02", "2026-05-14")
    assert (found.difference.status, found.higher) == ("not_defined", None)
    assert "bremen covers 2026-02-02 to 2026-05-10" in found.difference.reason


def test_a_quiet_end_of_the_last_week_is_no_missing_week(catalogue: Catalogue) -> None:
    spans = Spans(**{**WHOLE, "genoa": ("2026-01-01", "2026-05-06")})
    [found] = pairs(spans, catalogue, ["bremen", "genoa"], ["adoption-per-1000"], "2026-02-02", "2026-05-14")
    assert found.difference.status == "ok"


def test_less_than_a_week_compares_nothing(catalogue: Catalogue) -> None:
    assert pairs(Spans(**WHOLE), catalogue, ["bremen", "genoa"], FEW, "2026-05-05", "2026-05-11") == []
    assert pairs(Spans(bremen=WHOLE["bremen"]), catalogue, ["bremen", "genoa", "atlantis"], FEW) == []
