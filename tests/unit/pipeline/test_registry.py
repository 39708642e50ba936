from dataclasses import fields, replace
from pathlib import Path

import pytest

from pipeline.dictionary import STATUS_WORDS, markdown, words
from pipeline.indicators import INDICATORS, Indicator
from pipeline.indicators.registry import BadIndicator, register
from pipeline.values import STATUSES
from pipeline.work import LOOK_AHEAD

PEOPLE = INDICATORS["people"]
# Figures that need a least n although no interval goes with them.
RATES = ("core-actions-per-person", "group-coverage", "representation-gap")


@pytest.mark.parametrize("blank", ["title", "unit", "formula", "caveat", "source", "needs", "version", "id"])
def test_an_indicator_with_a_blank_is_refused(blank: str) -> None:
    empty = {str: "", tuple: (), int: 0}[type(getattr(PEOPLE, blank))]
    with pytest.raises(BadIndicator, match=blank):
        register(replace(PEOPLE, **{blank: empty}), {})


def test_an_id_is_taken_once() -> None:
    registry: dict[str, Indicator] = {}
    register(PEOPLE, registry)
    with pytest.raises(BadIndicator, match="two indicators"):
        register(PEOPLE, registry)


def test_every_planned_indicator_is_there() -> None:
    planned = """people people-multi-day active-1 active-7 active-28 new-people returning-people returned-day-1
        returned-days-1-7 retention-day-1 retention-days-1-7 core-actions core-actions-per-person adoption-per-1000
        contributions statements contributors participants-who-use activities-held attendance return-participation
        participation-per-1000 effective-groups effective-groups-of-20 gini-simpson group-coverage representation
        representation-gap undeclared stage-coverage depth depth-delivered decider-share contribution-rate
        contributions-each contribution-gini contribution-top-tenth field-test-drop-out days-to-answer
        answered-30-days influence without-disposition perceived-influence influence-gap participation-survey-response
        hours-per-contributor eur-per-contributor hours-per-adopted eur-per-adopted
        sensor-level hours-over-limit footfall completeness freshness longest-gap
        reach stickiness activation retention-week-1 retention-week-4 retention-week-4-or-later task-success
        time-to-complete time-to-complete-p90 intensity concentration resurrected-people dormant-people net-growth
        channel-mix assisted-share delay-median delay-p95 dated-ahead back-filled validity uniqueness time-available
        flat-line-share spike-rate seasonal-drift satisfaction-sus satisfaction-top-2 survey-response-rate"""
    assert set(INDICATORS) == set(planned.split())


def test_estimates_have_a_least_n_and_counts_have_none() -> None:
    for one in INDICATORS.values():
        counted = one.interval_method in ("poisson", "none") and one.id not in RATES
        if one.family == "quality":
            continue  # counted over all messages: a least n, and no interval
        assert (one.min_n > 0) == (not counted), one.id


def test_the_pipeline_waits_as_long_as_any_indicator_looks_ahead() -> None:
    for one in INDICATORS.values():
        assert one.look_ahead in LOOK_AHEAD, one.id


def test_every_status_is_explained() -> None:
    assert set(STATUS_WORDS) == set(STATUSES)


def test_the_data_dictionary_is_the_one_that_the_registry_writes() -> None:
    page = Path(__file__).parents[3] / "docs/indicators.md"
    assert page.read_text(encoding="utf-8") == markdown(), "run: python -m pipeline.dictionary docs/indicators.md"


def test_a_definition_as_words_leaves_nothing_out_but_its_function() -> None:
    assert len(words(PEOPLE)) == len(fields(PEOPLE)) - 1
