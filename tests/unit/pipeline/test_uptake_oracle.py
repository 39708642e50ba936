"""Every uptake indicator that needs more than counts, against the brute force of `brute_uptake.py`.

Histories are random (any order of arrival, every event twice, one event 40 days late) or simulated.
"""

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.clock_rules import Window as ClockWindow
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.simulator import history as simulated
from collectors.topics import Roster
from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.indicators.measure import Measure
from pipeline.indicators.window import Window
from pipeline.model import Event
from pipeline.periods import Period, day_bounds, periods_between, previous
from pipeline.retention import triangle
from tests.unit.pipeline.brute_uptake import Uptake
from tests.unit.pipeline.making import City, Clock, act, event, ns, pilot
from tests.unit.pipeline.test_oracle import DAY_NS, INHABITANTS, QUIET, ZONE, scratch
from tests.unit.simulator.telling import NOW, packaged

DAY = timedelta(days=1)
FIRST, DAYS = date(2026, 3, 2), 75
PEOPLE = st.sampled_from([f"p{number}" for number in range(8)])
CHANNELS = ("app", "web", "van")


@st.composite
def usage(draw: st.DrawFn) -> Event:
    """Any event of usage, on any second of 75 days."""
    at = ns("2026-03-02T00:00:00") + draw(st.integers(0, DAYS - 1)) * DAY_NS + draw(st.integers(0, 86_399)) * 10**9
    who = draw(PEOPLE)
    data: dict[str, object] = {"channel": draw(st.sampled_from(CHANNELS))}
    kind = draw(
        st.sampled_from(
            ["act"] * 6 + ["session.started", "service.registered", "service.exposed", "started", "ended", "answer"]
        )
    )
    if kind == "act":
        data |= {"assisted": draw(st.booleans()), "gender": "f" if who < "p4" else "m", "natural_cadence": "daily"}
        return act(at, who, data=data, count=1, actor_kind="citizen" if who < "p6" else "business")
    if kind in ("started", "ended"):
        data |= {"task_id": f"t{draw(st.integers(0, 9))}", "attempt_id": str(draw(st.integers(0, 1)))}
        kind = "task.started" if kind == "started" else draw(st.sampled_from(["task.completed", "task.failed"]))
        if draw(st.booleans()):
            data |= {"task_family": "find", "duration_ms": draw(st.integers(1, 100_000)) * 1000}
    if kind == "answer":
        kind, instrument = "survey.response", draw(st.sampled_from(["sus", "service-5"]))
        data |= {"instrument": instrument, "invited": draw(st.integers(10, 20))}
        data["scores"] = draw(st.lists(st.integers(1, 5), min_size=10, max_size=10))
        if draw(st.integers(0, 4)) == 0:
            data["respondent"] = "project_manager"
    return event(kind, at, who, data=data)


ALWAYS = [
    act("2026-03-02T10:00:00", "p0", data={"channel": "app", "assisted": True}),
    event("service.exposed", "2026-03-02T10:30:00", "p1"),
    event("session.started", "2026-03-02T11:00:00", "p1"),
    act("2026-05-15T09:00:00", "p0", data={"channel": "app"}),
]


def city_of(events: list[Event], order: random.Random, now: str) -> City:
    """Delivered in a random order and portions, each twice, and the middle one 40 days after all others."""
    late, city = events[len(events) // 2], City(pilot(ZONE, denominators=INHABITANTS), Clock(now))
    rest = [one for one in events if one is not late] * 2
    order.shuffle(rest)
    running = city.pipeline()
    for part in (rest[::2], rest[1::2]):
        city.add(part)
        running.step()
    city.work(running)
    city.clock.ns += 40 * DAY_NS
    city.add([late, late])
    city.work(running)
    city.history = running._histories["test"]  # type: ignore[attr-defined]
    return city


def said(history: History, period: Period, as_of_ns: int, indicator: str) -> dict[tuple[str, str], Measure]:
    """What an indicator says of a period, by dimension and segment, before its least n and release."""
    measures = INDICATORS[indicator].compute(Window(history, period, as_of_ns))
    return {(one.dim, one.segment): one for one in measures}


def windows(first: date, last: date) -> list[Period]:
    both = first.isoformat(), last.isoformat()
    grid = [one for name in ("week", "month") for one in periods_between(name, *both)]
    return [*grid, Period("all", *both), Period("chosen", (first + 9 * DAY).isoformat(), (last - 20 * DAY).isoformat())]


def expected(oracle: Uptake, period: Period, began: date) -> dict[str, dict[tuple[str, str], float | None]]:
    """By indicator, dimension and segment; None where it is not defined."""
    first, last = date.fromisoformat(period.start), date.fromisoformat(period.end)
    tasks = oracle.attempts(first, last)
    timed = [one for one in tasks if one[1] and one[3] is not None]
    families = {one[0] for one in tasks}
    mix = oracle.channels(first, last)
    single = {
        "reach": oracle.reach(first, last),
        "stickiness": oracle.stickiness(last, weekly=False) if last - 27 * DAY >= began else None,
        "intensity": oracle.intensity(first, last),
        "concentration": oracle.gini(first, last),
        "activation": oracle.activation(first, last)[0],
        "retention-week-1": oracle.in_week(first, last, 1)[0],
        "retention-week-4": oracle.in_week(first, last, 4)[0],
        "task-success": oracle.success(tasks),
        "time-to-complete": oracle.time_until(timed, 0.5),
        "time-to-complete-p90": oracle.time_until(timed, 0.9),
        "assisted-share": oracle.assisted(first, last),
        "satisfaction-sus": oracle.sus(first, last),
        "satisfaction-top-2": oracle.top_2(first, last),
        "survey-response-rate": oracle.response_rate(first, last),
    }
    if period.name in ("all", "chosen"):
        single["retention-week-4-or-later"] = oracle.or_later(first, last, 4)
    then = previous(period)
    if period.name != "all" and date.fromisoformat(then.start) >= began:
        flows = oracle.flows(first, last, (date.fromisoformat(then.start), date.fromisoformat(then.end)))
        single |= {key: flows[key] for key in flows if key != "net-growth" or period.name in ("week", "month")}
    found: dict[str, dict[tuple[str, str], float | None]] = {key: {("", ""): value} for key, value in single.items()}
    found["channel-mix"] = {("channel" if word else "", word): share for word, share in mix.items()} or {("", ""): None}
    if len(families) > 1:
        for family in families:
            part = [one for one in tasks if one[0] == family]
            found["task-success"]["task_family", family] = oracle.success(part)
    if period.name in ("week", "month", "all"):
        found["people"] = {("", ""): len(oracle.active(first, last))}
    if period.name in ("month", "all"):
        for dim in ("actor_kind", "gender", "channel"):
            for word, n in oracle.parts(first, last, dim).items():
                found["people"][dim, word] = n
    return found


def compare(history: History, oracle: Uptake, period: Period, as_of_ns: int, began: date) -> int:
    checked = 0
    for indicator, parts in expected(oracle, period, began).items():
        found = said(history, period, as_of_ns, indicator)
        for key, value in parts.items():
            one = found.get(key)
            assert one is not None, (period, indicator, key)
            assert one.value == (None if value is None else pytest.approx(value)), (period, indicator, key, one)
            if one.value is None:
                assert one.status in ("not_defined", "incomplete"), (period, indicator, one)
            else:
                checked += 1
                assert one.lower is None or one.upper is None or one.lower <= one.upper
        if indicator not in ("time-to-complete", "time-to-complete-p90"):
            assert set(found) == set(parts), (period, indicator)
    return checked


@QUIET
@given(st.lists(usage(), min_size=1, max_size=60, unique_by=lambda one: one.event_id), st.integers(0, 1 << 30))
def test_every_value_is_that_of_brute_force(history: list[Event], seed: int) -> None:
    everything = [*ALWAYS, *history]
    city = city_of(everything, random.Random(seed), "2026-08-01T00:00:00")
    oracle = Uptake(everything, ZONE, 400, lambda day: True)
    known = city.history  # type: ignore[attr-defined]
    checked = sum(compare(known, oracle, one, city.clock.ns, FIRST) for one in windows(FIRST, oracle.last_day))
    assert checked > 20
    assert city.documents() == scratch(city).documents()


@QUIET
@given(st.lists(usage(), min_size=30, max_size=60, unique_by=lambda one: one.event_id), st.integers(5, DAYS))
def test_what_is_not_over_is_left_out_and_marked(history: list[Event], days: int) -> None:
    now = FIRST + days * DAY
    everything = [*ALWAYS, *history]
    shown = pilot(ZONE, denominators=INHABITANTS)
    city = City(shown, Clock(f"{now - 9 * DAY}T12:00:00"))
    city.add(everything)
    running = city.pipeline()
    for _ in range(4):  # time alone changes what is over
        city.work(running)
        city.clock.ns += 9 * DAY_NS // 4
    city.work(running)
    as_of, lateness = city.clock.ns, 2 * DAY_NS
    assert city.documents() == scratch(city).documents()
    oracle = Uptake(everything, ZONE, 400, lambda day: day_bounds(day.isoformat(), shown.zone)[1] + lateness <= as_of)
    known = running._histories["test"]
    for period in windows(FIRST, oracle.last_day):
        first, last = date.fromisoformat(period.start), date.fromisoformat(period.end)
        for indicator, (value, young) in {
            "activation": oracle.activation(first, last),
            "retention-week-1": oracle.in_week(first, last, 1),
            "retention-week-4": oracle.in_week(first, last, 4),
        }.items():
            one = said(known, period, as_of, indicator)["", ""]
            assert one.value == (None if value is None else pytest.approx(value)), (period, indicator)
            assert (one.status == "incomplete") == young, (period, indicator, one)
        tasks = said(known, period, as_of, "task-success")["", ""]
        assert tasks.value == (pytest.approx(oracle.success(oracle.attempts(first, last))))


@QUIET
@given(st.lists(usage(), min_size=30, max_size=60, unique_by=lambda one: one.event_id), st.integers(20, DAYS + 20))
def test_the_triangle_is_that_of_brute_force(history: list[Event], days: int) -> None:
    everything = [*ALWAYS, *history]
    shown = pilot(ZONE)
    city = City(shown, Clock(f"{FIRST + days * DAY}T12:00:00"))
    city.add(everything)
    running = city.pipeline()
    city.work(running)
    as_of = city.clock.ns
    oracle = Uptake(everything, ZONE, 1, lambda day: day_bounds(day.isoformat(), shown.zone)[1] + 2 * DAY_NS <= as_of)
    cells = triangle(running._histories["test"], as_of, 20, 0)
    wanted = oracle.triangle(20)
    seen = set()
    for cell in cells:
        key = date.fromisoformat(cell.cohort), cell.after, cell.variant
        if key in wanted:
            seen.add(key)
            assert (cell.share.status, cell.share.value) == ("insufficient_n", None)  # eight people, twenty needed
        else:
            assert cell.share.status in ("incomplete", "not_defined"), cell
            assert cell.share.value is None
    assert seen == set(wanted)


@pytest.fixture(scope="module")
def simulation() -> tuple[History, Uptake, City, str]:
    """Sixteen weeks of one simulated city, delivered shuffled."""
    slug, catalogue = "palmela", packaged()
    ingest, events = Ingest(Roster(catalogue, "main"), ClockWindow()), []
    for message in simulated(catalogue, 11, NOW, 16, 300_000):
        if f"/{slug}/usage/" in message.topic:
            events += ingest.judge(RawMessage(topic=message.topic, payload=message.payload, received_ns=NOW)).events
    one = catalogue.pilots[slug]
    city = City(one, Clock("2026-11-25T23:00:00"))
    random.Random(3).shuffle(events)
    city.add(events)
    running = city.pipeline()
    city.work(running)
    people = one.denominator()
    assert people is not None
    real = [event for event in events if event.type != "feed.heartbeat"]
    as_of = city.clock.ns
    oracle = Uptake(real, one.time_zone, int(people.value),
                    lambda day: day_bounds(day.isoformat(), one.zone)[1] + 2 * DAY_NS <= as_of)  # fmt: skip
    return running._histories[slug], oracle, city, slug


def test_the_simulated_city_has_the_values_of_brute_force(simulation: tuple[History, Uptake, City, str]) -> None:
    history, oracle, city, _ = simulation
    began = min(day for day, _ in oracle.rows)
    last, checked = oracle.last_day - 45 * DAY, 0
    for period in windows(began, last):
        if date.fromisoformat(period.end) <= last:
            checked += compare(history, oracle, period, city.clock.ns, began)
    assert checked > 200


def crowd(seed: int) -> list[Event]:
    """Thirty newcomers in each of nine weeks, who come ever less."""
    rng, found = random.Random(seed), []
    for number in range(270):
        began = number // 30 * 7 + rng.randint(0, 6)
        found += [
            act(f"{FIRST + day * DAY}T09:00:00", f"c{number}")
            for day in range(began, DAYS)
            if day == began or rng.random() < 0.25 * 0.97 ** (day - began)
        ]
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_the_triangle_of_a_crowd(seed: int) -> None:
    events = [*ALWAYS, *crowd(seed)]
    shown = pilot(ZONE)
    city = City(shown, Clock("2026-05-19T12:00:00"))
    city.add(events)
    running = city.pipeline()
    city.work(running)
    as_of, values, told = city.clock.ns, 0, {}
    oracle = Uptake(events, ZONE, 1, lambda day: day_bounds(day.isoformat(), shown.zone)[1] + 2 * DAY_NS <= as_of)
    cells = {(c.cohort, c.after, c.variant): c.share for c in triangle(running._histories["test"], as_of, 12, 3)}
    for (cohort, after, variant), share in oracle.triangle(12).items():
        found = cells[cohort.isoformat(), after, variant]
        n = len(oracle.first_timers(cohort, cohort + 6 * DAY))
        if 0 < share * n / 100 < 2.9:
            assert (found.status, found.value, found.n) == ("suppressed", None, None)
        if found.status == "suppressed":  # it, or what it leaves of another cell, is few
            assert (found.value, found.n) == (None, None)
            continue
        if found.reason.startswith("as of"):  # who came since would be few
            assert (found.status, found.n, variant) == ("incomplete", n, "or_later")
            assert found.value is not None
            assert found.value <= share
            continue
        told.setdefault(variant, {}).setdefault(cohort, [n]).append(round(share * n / 100))
        values += 1
        assert (found.value, found.n) == (pytest.approx(share), n)
        assert found.lower is not None
        assert found.upper is not None
        assert -1e-9 <= found.lower <= share + 1e-9 <= found.upper + 2e-9 <= 100 + 3e-9
        if variant == "in" and (later := cells[cohort.isoformat(), after, "or_later"].value) is not None:
            assert later >= share
    assert values > 30
    for lasting in told["or_later"].values():
        assert all(before - now == 0 or before - now >= 3 for before, now in pairwise(lasting))
    assert any(cell.status == "incomplete" and cell.value is None for cell in cells.values())
