"""Random histories against the brute force of `brute.py`, and against a computation from scratch."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.indicators import INDICATORS
from pipeline.model import Event
from pipeline.values import IndicatorValue, PeriodValues
from tests.unit.pipeline.brute import Brute
from tests.unit.pipeline.making import City, Clock, act, event, ns, pilot

ZONE = "Europe/Stockholm"
FIRST = date(2026, 3, 1)
DAY_NS = 86_400 * 10**9
PEOPLE = st.sampled_from(["a", "b", "c", "d", "e", "f"])
INHABITANTS = [{"kind": "inhabitants", "value": 400, "year": 2025, "source": "test"}]


@st.composite
def events(draw: st.DrawFn) -> Event:
    at = ns("2026-03-01T00:00:00") + draw(st.integers(0, 75)) * DAY_NS + draw(st.integers(0, 86_399)) * 10**9
    kind = draw(st.sampled_from(["act", "act", "act", "idea", "comment", "attend", "held"]))
    if kind == "act":
        return act(at, draw(PEOPLE))
    if kind == "held":
        return event("activity.held", at, data={"activity_id": f"w{at % 7}", "stage": "co_design"})
    if kind == "attend":
        return event("attendance", at, draw(PEOPLE), data={"activity_id": f"w{at % 7}"} if at % 3 else {})
    return event("contribution.made", at, draw(PEOPLE), data={"kind": kind})


# The first two days always hold one event of each kind, so that every zero below is a known zero.
ALWAYS = [
    act("2026-03-01T10:00:00", "a"),
    event("attendance", "2026-03-01T11:00:00", "a"),
    event("activity.held", "2026-03-01T11:00:00", data={"activity_id": "w"}),
    event("contribution.made", "2026-03-01T12:00:00", "a", data={"kind": "idea"}),
]
HISTORIES = st.lists(events(), min_size=1, max_size=40, unique_by=lambda one: one.event_id)
QUIET = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


def values(city: City) -> dict[tuple[str, str, str], IndicatorValue]:
    found = {}
    for record in city.store.get("values", "test", -(1 << 62), 1 << 62):
        for value in msgspec.json.decode(record.body, type=PeriodValues).values:
            if value.dim == "":
                found[value.period, value.start, value.indicator] = value
    return found


def before(period: str, first: date, last: date) -> tuple[date, date] | None:
    if period == "all":
        return None
    end = first - timedelta(days=1)
    start = end.replace(day=1) if period == "month" else end - (last - first)
    return (start, end) if start >= FIRST else None


@QUIET
@given(HISTORIES)
def test_every_value_of_a_closed_period_is_that_of_brute_force(history: list[Event]) -> None:
    city = City(pilot(ZONE, denominators=INHABITANTS), Clock("2027-01-01T00:00:00"))
    city.add([*ALWAYS, *history])
    city.work()
    oracle = Brute([*ALWAYS, *history], ZONE, 400)
    checked, known = 0, {}
    for (period, start, indicator), value in values(city).items():
        first, last = date.fromisoformat(start), date.fromisoformat(value.end)
        window = (first, last, before(period, first, last))
        if window not in known:
            known[window] = oracle.values(*window)
        expected = known[window].get(indicator, "none")
        if expected == "none":
            continue
        if value.status == "insufficient_n":
            assert value.n is not None
            assert value.n < INDICATORS[indicator].min_n
            assert value.value is None
            continue
        assert value.status == ("not_defined" if expected is None else "ok"), (value, expected)
        assert value.value == (None if expected is None else pytest.approx(expected)), (value, expected)
        checked += 1
    assert checked > 0


@QUIET
@given(HISTORIES, st.randoms(use_true_random=False), st.integers(1, 6))
def test_the_order_of_arrival_makes_no_difference(history: list[Event], order, parts: int) -> None:
    everything = [*ALWAYS, *history]
    order.shuffle(everything)
    clock = Clock("2026-05-01T00:00:00")
    city = City(pilot(ZONE, denominators=INHABITANTS), clock)
    running = city.pipeline()
    for part in range(parts):
        if batch := everything[part::parts]:
            city.add(batch)
            for _ in range(order.randint(0, 3)):
                running.step()
        clock.ns += order.randint(0, 9) * DAY_NS
        if order.random() < 0.2:
            running = city.pipeline()
    city.work(running)
    assert city.documents() == scratch(city).documents()


def test_one_event_40_days_late_changes_every_period_that_it_should() -> None:
    clock = Clock("2026-05-20T00:00:00")
    city = City(pilot(ZONE, denominators=INHABITANTS), clock)
    city.add([*ALWAYS, *(act(f"2026-04-{day:02}T10:00:00", "ab"[day % 2]) for day in range(1, 31))])
    running = city.pipeline()
    city.work(running)
    known = city.documents()
    city.add([act("2026-04-05T12:00:00", "late"), act("2026-04-06T12:00:00", "late")])
    city.work(running)
    assert city.documents() != known
    assert city.documents() == scratch(city).documents()
    april = values(city)["month", "2026-04-01", "returned-day-1"]
    assert (april.value, april.status) == (1, "ok")  # the late one; b came back after two days


def scratch(city: City) -> City:
    """The same events in an empty place, computed once at the same time."""
    again = City(city.pilot, city.clock)
    stored = city.store.read("test", ("usage", "engagement", "sensor", "ops"), -(1 << 62), 1 << 62)
    again.add(stored)
    again.work()
    return again


def test_what_later_days_tell_of_earlier_cohorts_is_told() -> None:
    """Day by day in order: only the look-ahead of earlier periods can bring their values up to date."""
    city = City(pilot(ZONE), Clock("2026-05-20T00:00:00"))
    running = city.pipeline()
    city.add(ALWAYS)
    city.work(running)
    for late in (
        act("2026-03-08T10:00:00", "a"),
        event("attendance", "2026-04-29T10:00:00", "a"),
        event("activity.held", "2026-04-29T10:00:00", data={"activity_id": "x"}),
    ):
        city.add([late])
        city.work(running)
    assert city.documents() == scratch(city).documents()
    first = values(city)["day", "2026-03-01", "returned-days-1-7"]
    assert (first.value, first.status) == (1, "ok")


def test_shares_of_enough_people_are_those_of_brute_force() -> None:
    city = City(pilot(ZONE), Clock("2027-01-01T00:00:00"))
    history = list(ALWAYS)
    for number in range(60):
        who, day = f"p{number}", date(2026, 3, 1) + timedelta(days=number % 5)
        later = (day + timedelta(days=number % 9)).isoformat()
        history += [
            act(f"{day}T09:00:00", who),
            act(f"{later}T15:00:00", who),
            event("attendance", f"{day}T18:00:00", who),
        ]
        if number % 3 == 0:
            again = day + timedelta(days=58 + number % 4)
            history.append(event("attendance", f"{again}T18:00:00", who))
    history += [event("activity.held", f"2026-0{day}T18:00:00", data={"activity_id": day}) for day in ("3-05", "4-30")]
    city.add(history)
    city.work()
    oracle = Brute(history, ZONE)
    shares = ("retention-day-1", "retention-days-1-7", "return-participation")
    checked = 0
    for (period, _, indicator), value in values(city).items():
        if indicator in shares and period in ("week", "month", "all") and value.status == "ok":
            first, last = date.fromisoformat(value.start), date.fromisoformat(value.end)
            assert value.value == pytest.approx(oracle.values(first, last, None)[indicator]), value
            assert value.lower is not None
            assert value.upper is not None
            assert 0 <= value.lower <= value.value <= value.upper <= 100
            checked += 1
    assert checked >= 6
