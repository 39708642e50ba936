"""The one frame around every figure."""

import json

from dash import dcc
from plotly.io.json import to_json_plotly

from dashboard.baseline import Baseline, as_index, baseline
from dashboard.frame import Framed, facts_of, frame
from dashboard.multiples import value_text
from dashboard.sentences import Told, against_baselines, no_data, of_one, today_against_usual
from pipeline.values import FeedNow, IndicatorValue
from tests.dashboard.callbacks import texts


def value(amount: float | None, **more: object) -> IndicatorValue:
    words = {"start": "2026-04-27", "end": "2026-05-03", "period": "week", "n": 40} | more
    return IndicatorValue(pilot="genoa", indicator="people", version=1, value=amount, **words)  # type: ignore[arg-type]


def test_a_frame_holds_all_that_a_reader_needs() -> None:
    shown = frame(
        Framed(
            name="f",
            title="T",
            sentence="S",
            body=dcc.Graph(),
            facts=[("n", "5")],
            table="numbers",
            csv="/download/x.csv",
            definition="/definitions#people",
        )
    )
    said = texts(json.loads(to_json_plotly(shown)))
    assert {"T", "S", "n", "5", "numbers", "/download/x.csv", "/definitions#people"} <= set(said)


def test_the_facts_state_n_interval_and_status() -> None:
    values = [
        value(40.0, interval="wilson"),
        value(12.0, n=12, interval="wilson", status="feed_poor"),
        value(None, n=None, status="suppressed"),
    ]
    assert facts_of(values, 5, {"wilson": "Wilson"}) == [
        ("n", "12 to 40 per value"),
        ("Interval", "95 %, Wilson"),
        ("Status", "1 complete, 1 feed incomplete, 1 hidden: would tell of fewer than 5 people"),
    ]


def test_a_cell_without_a_value_gives_its_reason_and_no_number() -> None:
    assert (
        value_text(value(None, status="suppressed"), "people", 5).strip("\u200b\n")
        == "hidden: would tell of fewer than 5 people"
    )
    assert value_text(None, "people", 5) == "–"
    assert value_text(value(0.0, n=0), "people", 5) == "0\nn 0"


def test_a_sentence_names_above_and_below_only_where_the_interval_leaves_the_baseline() -> None:
    told = [
        Told("Athens", None, value(130.0, lower=110.0, upper=150.0)),
        Told("Bremen", None, value(130.0, lower=90.0, upper=170.0)),
        Told("Genoa", None, value(60.0, lower=50.0, upper=70.0)),
        Told("Milan", None, None),
    ]
    said = against_baselines(told)
    assert "Above: Athens." in said
    assert "Below: Genoa." in said
    assert "No clear difference: Bremen." in said
    assert "No baseline yet: Milan." in said


def test_a_value_without_a_baseline_is_set_against_nothing() -> None:
    assert "no baseline" in of_one("Genoa", value(40.0), None, "people")


def test_the_baseline_is_that_of_the_first_weeks_when_three_are_complete() -> None:
    first = [value(10.0), value(20.0), value(30.0), value(99.0, status="feed_poor")]
    assert baseline(first, [value(1.0)] * 9) == Baseline(20.0, "first_weeks", 3)


def test_without_them_it_is_that_of_the_first_third_of_the_period() -> None:
    shown = [value(float(at)) for at in range(1, 13)]
    assert baseline([value(10.0), value(20.0)], shown) == Baseline(2.5, "first_third", 4)


def test_too_little_or_nothing_at_all_gives_no_baseline() -> None:
    assert baseline([], [value(5.0), value(6.0)]) is None
    assert baseline([value(0.0)] * 8, [value(0.0)] * 8) is None


def test_an_index_of_nothing_is_nothing() -> None:
    assert as_index(value(None, status="suppressed"), Baseline(20.0, "first_weeks", 8)).value is None


def test_missing_data_are_told_with_their_last_day_and_the_silent_feed() -> None:
    silent = [FeedNow(feed="app", stream="usage", verdict="silent", sentence="")]
    assert no_data("Bremen", "2026-05-12", silent) == (
        "No data from Bremen in this period; the last event is of 12 May 2026; silent: app."
    )
    assert no_data("Milan", None, []) == "No data from Milan in this period; none has ever arrived."


def test_today_is_told_against_the_usual() -> None:
    assert today_against_usual(12, 10.0) == "20 % more than usual by now (10)"
    assert today_against_usual(193, 4.38) == "44 times what is usual by now (4.38)"
    assert today_against_usual(0, 10.0) == "100 % fewer than usual by now (10)"
    assert today_against_usual(3, None) == "usual not known yet"
    assert today_against_usual(3, 0.0) == "usually none by now"
