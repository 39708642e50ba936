"""Engagement at the edges of its definitions: the last day that counts, the first that does not, and exact limits."""

from collections import defaultdict
from datetime import date, timedelta

import msgspec
import pytest

from pipeline import rows
from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.model import Event
from pipeline.partials import summarise
from pipeline.periods import Period, day_of
from pipeline.release import hidden
from pipeline.store.sqlite import SQLiteStore
from tests.unit.pipeline.making import event, ns, pilot

DAY = date(2026, 3, 1)
INHABITANTS = [{"kind": "inhabitants", "value": 400, "year": 2025, "source": "test"}]


def on(days: int, hour: int = 12) -> str:
    return f"{DAY + timedelta(days=days)}T{hour:02}:00:00"


def told(type_: str, days: int, actor: str | None = None, /, hour: int = 12, group: str = "citizen", **data) -> Event:
    return event(type_, on(days, hour), actor, actor_kind=group, data=data)


def measures(events: list[Event], indicator: str, first: int = 0, last: int = 0) -> dict[str, Measure]:
    """The figures of an indicator over days of a history, by segment."""
    store, one, days = SQLiteStore(":memory:"), pilot(denominators=INHABITANTS), defaultdict(list)
    history = History(one, rows.Shelf(store, "test"))
    for happened in events:
        days[day_of(happened.time_ns, one.zone)].append(happened)
    for day, those in days.items():
        lines = rows.rows_of(one, those)
        store.put(rows.records("test", day, rows.encode(lines)))
        history.put(msgspec.structs.replace(summarise(one, day, those), rows=rows.digest(rows.encode(lines))))
    start, end = (DAY + timedelta(days=one) for one in (first, last))
    window = Window(history, Period("chosen", start.isoformat(), end.isoformat()), ns("2027-01-01T00:00:00"))
    return {found.segment: found for found in INDICATORS[indicator].compute(window)}


@pytest.mark.parametrize(("back", "stage"), [(90, "co_design"), (91, "unknown")])
def test_a_decision_takes_its_stage_from_an_activity_up_to_90_days_before(back: int, stage: str) -> None:
    events = [
        told("activity.scheduled", -back, activity_id="w", stage="co_design"),
        told("decision.closed", 0, decision_id="d", activity_id="w"),
    ]
    assert f"{stage}/citizen" in measures(events, "decider-share")


@pytest.mark.parametrize(("back", "share"), [(90, 100.0), (91, 0.0)])
def test_a_role_told_up_to_90_days_before_counts(back: int, share: float) -> None:
    events = [
        told("decision.participated", -back, decision_id="d", role="co_decider"),
        told("decision.closed", 0, decision_id="d"),
    ]
    assert measures(events, "decider-share")["citizen"].value == share


@pytest.mark.parametrize(
    ("groups", "value"),
    [
        (["citizen", "business", "academia"], 0.25),
        (["citizen", "business", "government", "unknown"], 0.0),
        (["citizen", "citizen"], 0.0),
    ],
)
def test_a_stage_is_reached_with_three_people_not_of_government(groups: list[str], value: float) -> None:
    events = [told("activity.held", 0, activity_id="w", stage="co_design")]
    events += [told("attendance", 0, f"p{n}", group=group, activity_id="w") for n, group in enumerate(groups)]
    assert measures(events, "stage-coverage")[""].value == value


def test_levels_delivered_are_below_as_or_above_what_was_declared() -> None:
    events = []
    for n, delivered in enumerate(["inform", "consult", "consult", "involve", "involve", "empower"]):
        events.append(told("activity.held", 0, activity_id=f"w{n}", level_declared="consult"))
        events.append(told("decision.closed", 0, decision_id=f"d{n}", activity_id=f"w{n}", level_delivered=delivered))
    found = measures(events, "depth-delivered")
    shares = {key: round(one.value or 0, 1) for key, one in found.items()}
    assert shares == {"below": 16.7, "as_declared": 33.3, "above": 50.0}


def test_few_activities_are_listed_instead_of_shared() -> None:
    events = [told("activity.held", 0, activity_id=f"w{n}", level_declared="involve") for n in range(2)]
    assert measures(events, "depth")[""].reason == "too few for shares; in all: involve 2"


@pytest.mark.parametrize(("days", "share"), [(0, 100.0), (30, 100.0), (31, 0.0)])
def test_an_answer_of_the_30th_day_is_within_30_days(days: int, share: float) -> None:
    events = [
        told("contribution.made", 0, "a", contribution_id="c"),
        told("response.published", days, contribution_ids=["c"]),
    ]
    assert measures(events, "answered-30-days")[""].value == share


@pytest.mark.parametrize(("days", "median"), [(60, 60.0), (61, None)])
def test_an_answer_of_the_60th_day_ends_the_wait(days: int, median: float | None) -> None:
    events = [
        told("contribution.made", 0, "a", contribution_id="c"),
        told("response.published", days, contribution_ids=["c"]),
    ]
    found = measures(events, "days-to-answer")[""]
    assert (found.value, found.status) == (median, "ok" if median else "not_defined")


def test_the_unanswered_are_waited_for_and_not_left_out() -> None:
    events = [told("contribution.made", 0, "a", contribution_id=f"c{n}") for n in range(4)]
    events += [told("response.published", day, contribution_ids=[f"c{n}"]) for n, day in enumerate([1, 9, 20])]
    assert measures(events, "days-to-answer")[""].value == 9.0


@pytest.mark.parametrize(("days", "word", "share"), [(60, "rejected", 0.0), (61, "adopted", 100.0), (3, "none", 100.0)])
def test_what_is_said_by_the_60th_day_is_a_disposition(days: int, word: str, share: float) -> None:
    events = [
        told("contribution.made", 0, "a", contribution_id="c"),
        told("contribution.disposition", days, contribution_id="c", disposition=word),
    ]
    assert measures(events, "without-disposition")[""].value == share


def test_the_last_word_on_a_contribution_counts_and_a_decision_is_not_counted_twice() -> None:
    events = [
        told("contribution.disposition", 0, hour=9, contribution_id="c", activity_id="w", disposition="adopted"),
        told("contribution.disposition", 0, hour=10, contribution_id="c", activity_id="w", disposition="rejected"),
        told("decision.closed", 0, decision_id="d", activity_id="w", inputs_considered=9, inputs_adopted=9),
        told("decision.closed", 0, decision_id="e", activity_id="v", inputs_considered=3, inputs_adopted=1),
    ]
    found = measures(events, "influence")[""]
    assert (found.value, found.n) == (25.0, 4)


@pytest.mark.parametrize(
    ("deadline", "done", "out"), [(9, 9, 0.0), (9, 10, 100.0), (None, 60, 0.0), (None, 61, 100.0), (70, 61, 100.0)]
)
def test_a_task_is_done_by_its_deadline_and_within_60_days(deadline: int | None, done: int, out: float) -> None:
    by = {} if deadline is None else {"deadline": (DAY + timedelta(days=deadline)).isoformat()}
    events = [
        told("fieldtest.signup", 0, "a", fieldtest_id="t"),
        told("fieldtest.task_assigned", 1, "a", fieldtest_id="t", task_id="k", **by),
        told("fieldtest.task_done", done, "a", fieldtest_id="t", task_id="k"),
    ]
    assert measures(events, "field-test-drop-out")[""].value == out


@pytest.mark.parametrize(("days", "kind"), [(60, "innovation"), (61, "unknown")])
def test_a_withdrawal_of_the_60th_day_tells_why(days: int, kind: str) -> None:
    events = [
        told("fieldtest.signup", 0, "a", fieldtest_id="t"),
        told("fieldtest.withdrawn", days, "a", fieldtest_id="t", kind="innovation"),
    ]
    assert kind in measures(events, "field-test-drop-out")


@pytest.mark.parametrize("given", [[4, 3], {"influence": 4, "trust": 3}])
def test_four_of_five_is_among_the_top_two_and_three_is_not(given: object) -> None:
    found = measures(
        [told("survey.response", 0, "a", instrument="participation-2", scores=given)], "perceived-influence"
    )
    assert (found["influence"].value, found["trust"].value) == (100.0, 0.0)


@pytest.mark.parametrize(("old", "drawn"), [(25, True), (24, False)])
def test_a_group_of_whom_five_would_be_expected_is_drawn_though_nobody_came(old: int, drawn: bool) -> None:
    events = [
        told("population.snapshot", 0, kind="inhabitants", by_group={"age_band": {"16-64": 100 - old, "65+": old}})
    ]
    events += [told("attendance", 0, f"p{n}", age_band="16-64") for n in range(20)]
    found = measures(events, "representation")["65+"]
    assert (found.value, found.status) == ((0.0, "ok") if drawn else (None, "insufficient_n"))


@pytest.mark.parametrize(
    ("days", "second", "status"),
    [(60, "v", "ok"), (61, "v", "not_defined"), (5, "w", "not_defined"), (0, "v", "not_defined")],
)
def test_back_is_at_another_activity_within_60_days(days: int, second: str, status: str) -> None:
    events = [
        told("activity.held", 0, activity_id="w"),
        told("attendance", 0, "a", activity_id="w"),
        told("activity.held", days, activity_id=second, hour=15),
        told("attendance", days, "a", activity_id=second, hour=15),
    ]
    found = measures(events, "return-participation")[""]
    assert (found.value, found.status) == (100.0 if status == "ok" else None, status)


def test_joint_costs_make_a_range_by_method_and_stand_whole_in_the_total() -> None:
    events = [told("resource.spent", 0, hours=100)]
    for n in range(6):
        events.append(told("activity.held", 0, activity_id=f"w{n}", method="x" if n < 3 else "y"))
        events.append(told("resource.spent", 0, activity_id=f"w{n}", hours=10 + n))
        events += [
            told("contribution.made", 0, f"p{n}-{k}", activity_id=f"w{n}", kind="idea") for k in range(5 + n % 2)
        ]
    events += [told("contribution.made", 0, "both", activity_id=key, kind="idea") for key in ("w0", "w5")]
    found = measures(events, "hours-per-contributor")
    assert found[""].value == pytest.approx((75 + 100) / 34)
    part = found["x"]
    assert part.value == pytest.approx((33 + 50) / 16.5)
    assert part.lower is not None
    assert part.upper is not None
    assert part.lower <= 33 / 16
    assert part.upper >= (33 + 100) / 16


@pytest.mark.parametrize("indicator", ["effective-groups", "gini-simpson", "representation", "undeclared"])
def test_a_group_of_fewer_than_k_people_hides_what_it_could_be_read_from(indicator: str) -> None:
    snapshot = told(
        "population.snapshot", 0, kind="inhabitants", by_group={"actor_kind": {"citizen": 80, "business": 20}}
    )
    people = [told("attendance", 0, f"p{n}", group="citizen" if n < 57 else "business") for n in range(60)]
    found = list(measures([snapshot, *people], indicator).values())
    if indicator == "undeclared":
        assert hidden(found, 5) == set()
        return
    assert hidden(found, 5) >= {place for place, one in enumerate(found) if one.segment in ("", "business")}
    assert hidden(found, 3) == set()


@pytest.mark.parametrize(("least", "shown"), [(5, 3), (4, 1), (0, 2)])
def test_the_one_hidden_group_cannot_be_had_by_subtraction(least: int, shown: int) -> None:
    sizes = {"16-24": 40, "25-44": 40, "65+": 20}
    snapshot = told("population.snapshot", 0, kind="inhabitants", by_group={"age_band": sizes})
    bands = ["16-24"] * 20 + ["25-44"] * 10 + ["65+"] * least
    people = [told("attendance", 0, f"p{n}", age_band=band) for n, band in enumerate(bands)]
    found = list(measures([snapshot, *people], "representation").values())
    told_of = [one for place, one in enumerate(found) if place not in hidden(found, 5) and one.value]
    assert len(told_of) == shown
