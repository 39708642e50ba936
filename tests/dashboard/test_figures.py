"""Figures by their data."""

from typing import Any

import plotly.graph_objects as go
import pytest

from dashboard.figures import CONFIG, graph
from dashboard.figures.trends import Look, trend
from dashboard.palette import DARK, LIGHT
from pipeline.values import Activity, IndicatorValue

LOOK = Look(LIGHT, LIGHT.hue(0), "people", 5)
WEEKS = ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"]
ENDS = ["2026-01-11", "2026-01-18", "2026-01-25", "2026-02-01", "2026-02-08"]


def week(at: int, value: float | None, **more: Any) -> IndicatorValue:
    words = {"lower": value - 2, "upper": value + 2} if value is not None else {}
    return IndicatorValue(
        pilot="genoa",
        indicator="people",
        version=1,
        period="week",
        start=WEEKS[at],
        end=ENDS[at],
        value=value,
        n=9,
        **{**words, **more},
    )


def drawn(values: list[IndicatorValue], look: Look = LOOK, activities: list[Activity] | None = None) -> go.Figure:
    return trend(values, WEEKS[0], ENDS[-1], look, activities or [])


def line(figure: go.Figure) -> Any:
    return next(one for one in figure.data if one.name == "value")


def test_a_missing_week_is_a_gap_and_never_0() -> None:
    figure = drawn([week(0, 10.0), week(1, 12.0), week(3, 9.0), week(4, 8.0)])
    assert list(line(figure).x) == WEEKS
    assert list(line(figure).y) == [10.0, 12.0, None, 9.0, 8.0]
    assert [list(one.x) for one in figure.data if one.name == "line"] == [WEEKS[:2], WEEKS[3:]]


def test_a_true_0_is_drawn() -> None:
    assert list(line(drawn([week(at, 0.0) for at in range(5)])).y) == [0.0] * 5


def test_no_interval_band_crosses_a_gap() -> None:
    figure = drawn([week(0, 10.0), week(1, 12.0), week(3, 9.0), week(4, 8.0)])
    bands = [sorted(set(one.x)) for one in figure.data if one.name == "interval"]
    assert bands == [WEEKS[:2], WEEKS[3:]]


def test_no_line_falls_to_a_week_that_is_not_over() -> None:
    figure = drawn([week(0, 10.0), week(1, 12.0), week(2, 3.0, status="incomplete")])
    assert [list(one.y) for one in figure.data if one.name == "line"] == [[10.0, 12.0]]
    assert list(line(figure).y)[:3] == [10.0, 12.0, 3.0]


def test_a_lone_value_keeps_its_interval() -> None:
    bars = [one for one in drawn([week(2, 10.0)]).data if one.name == "interval"]
    assert [list(one.y) for one in bars] == [[8.0, 12.0]]


@pytest.mark.parametrize(("status", "hollow"), [("ok", False), ("feed_poor", True), ("incomplete", True)])
def test_a_value_on_incomplete_feeds_is_hollow(status: str, hollow: bool) -> None:
    colours = line(drawn([week(0, 10.0, status=status)])).marker.color
    assert (colours[0] == LIGHT.card) is hollow


def test_a_hidden_value_says_so_where_it_is_missing() -> None:
    figure = drawn([week(0, 10.0), week(1, None, status="suppressed")])
    said = next(one for one in figure.data if one.name == "missing").text
    assert "hidden: would tell of fewer than 5 people" in said[0]


def test_activities_are_marked_on_their_day() -> None:
    held = [Activity(pilot="genoa", activity_id="a", day="2026-01-14", stage="co_design", method="workshop")]
    marks = next(one for one in drawn([week(0, 10.0)], activities=held).data if one.name == "activities")
    assert list(marks.x) == ["2026-01-14"]
    assert "workshop" in marks.text[0]
    assert "attendance not known" in marks.text[0]


def test_every_point_tells_its_n_and_interval() -> None:
    assert "n = 9" in line(drawn([week(0, 10.0)])).text[0]
    assert "8 to 12" in line(drawn([week(0, 10.0)])).text[0]


def test_both_schemes_have_their_own_template() -> None:
    light = drawn([week(0, 1.0)]).layout.template.layout.font.color
    dark = drawn([week(0, 1.0)], Look(DARK, DARK.hue(0), "people")).layout.template.layout.font.color
    assert (light, dark) == (LIGHT.ink, DARK.ink)


def test_the_graph_factory_leaves_no_way_to_another_host() -> None:
    made = graph("g", drawn([week(0, 1.0)]), 100).config
    assert made == CONFIG
    assert (made["showSendToCloud"], made["plotlyServerURL"], made["displaylogo"]) == (False, "", False)
