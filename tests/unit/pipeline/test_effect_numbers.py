"""The arithmetic of effects against computations that share no code: loops over weeks, full covariance, raw events."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.catalogue import EffectPlan
from pipeline.effects.estimate import Interval, bootstrap, design, interrupted, least_seen, noise, restricted, whitened
from pipeline.effects.ladder import holm, percent, rung
from pipeline.effects.recorded import recorded
from pipeline.effects.series import weekly
from pipeline.effects.tests import contrasts, rank
from pipeline.model import Event
from tests.unit.pipeline.making import act, event, ns, pilot
from tests.unit.pipeline.plain_town import person
from tests.unit.pipeline.towns import history_of

START = date(2026, 1, 7)  # a Wednesday: the first week is not whole
PEOPLE = 8


def change_by_hand(log: list[float], week: int, width: int) -> float | None:
    if week - width < 0 or week + width >= len(log):
        return None
    after, before = log[week + 1 : week + 1 + width], log[week - width : week]
    found = sum(after) / width - sum(before) / width
    return None if found != found else found


SERIES = st.lists(st.one_of(st.floats(-3, 3), st.just(float("nan"))), min_size=1, max_size=50)


@settings(max_examples=100, deadline=None)
@given(SERIES, st.integers(1, 5))
def test_contrasts_are_means_after_less_means_before(log: list[float], width: int) -> None:
    found = contrasts(np.array(log), width)
    for week in range(len(log)):
        expected = change_by_hand(log, week, width)
        assert np.isnan(found[week]) if expected is None else found[week] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=30, max_size=60), st.integers(1, 3), st.data())
def test_a_placebo_rank_counts_the_dates_at_which_the_change_was_smaller(
    log: list[int], width: int, data: st.DataObject
) -> None:
    """Small whole numbers, so that ties abound: a tie counts against the claim."""
    week = data.draw(st.integers(width, len(log) - width - 1))
    others = [change_by_hand([float(x) for x in log], at, width) for at in range(len(log)) if at != week]
    mine = change_by_hand([float(x) for x in log], week, width)
    assert mine is not None
    known = [other for other in others if other is not None]
    found = rank(contrasts(np.array(log, dtype=float), width), [week])
    assert found is not None
    below = sum(other < mine - 1e-9 for other in known)
    assert (found.below, found.dates) == (below, len(known))
    assert found.p_value == pytest.approx((1 + len(known) - below) / (1 + len(known)))
    down = rank(contrasts(-np.array(log, dtype=float), width), [week], "down")
    assert down is not None
    assert (down.below, down.p_value) == (found.below, found.p_value)


def test_fewer_than_twenty_other_dates_test_nothing() -> None:
    log = np.arange(22.0)
    assert rank(contrasts(np.append(log, 22.0), 1), [10]) is not None  # 21 weeks with a contrast: 20 others
    assert rank(contrasts(log, 1), [10]) is None
    assert rank(contrasts(np.append(log, 22.0), 1), [0]) is None  # nothing lies before the first week


def test_a_circular_shift_keeps_the_spacing_of_the_pattern() -> None:
    rng = np.random.default_rng(3)
    log, places, width = rng.normal(size=60), [10, 17, 40], 2
    every = [change_by_hand(log.tolist(), week, width) for week in range(60)]
    known = [one for one in every if one is not None]  # weeks 2 to 57
    means = [np.mean([known[(place - 2 + shift) % 56] for place in places]) for shift in range(56)]
    found = rank(contrasts(log, width), places)
    assert found is not None
    assert found.change == pytest.approx(means[0])
    assert found.below == sum(mean < means[0] for mean in means)
    assert found.dates == 55


@pytest.mark.parametrize("rho", [-0.4, 0.0, 0.3, 0.7])
def test_prais_winsten_is_least_squares_under_the_whole_covariance(rho: float) -> None:
    rng = np.random.default_rng(11)
    matrix = design(60, [40], 4, seasonal=True)
    y = rng.normal(size=60) + matrix[:, -1]
    known = np.array([week for week in range(60) if week not in (20, 40)])
    x, y = matrix[known], y[known]
    # Weeks after a gap begin anew, so the covariance is in blocks.
    block = np.cumsum(np.concatenate([[0], np.diff(known) > 1]))
    covariance = np.where(block[:, None] == block, rho ** np.abs(known[:, None] - known), 0) / (1 - rho * rho)
    inverse = np.linalg.inv(covariance)
    middle = np.linalg.inv(x.T @ inverse @ x)
    beta = middle @ x.T @ inverse @ y
    error = y - x @ beta
    spread = np.sqrt(error @ inverse @ error / (len(y) - x.shape[1]) * middle[-1, -1])
    found, found_spread = whitened(x, y, np.diff(known) == 1, rho)
    assert found == pytest.approx(beta)
    assert found_spread == pytest.approx(spread)


def test_an_interrupted_series_finds_a_planted_level_among_trend_and_season() -> None:
    rng, hits = np.random.default_rng(2), 0
    matrix = design(104, [70], 8, seasonal=True)
    for _ in range(60):
        error = np.zeros(104)
        for week in range(1, 104):
            error[week] = 0.4 * error[week - 1] + rng.normal(0, 0.1)
        found = interrupted(matrix @ [3, 1, 0.2, -0.1, 0.5] + error, matrix)
        assert found is not None
        hits += found.lower <= 0.5 <= found.upper
    assert hits >= 50


def test_noise_and_interval_follow_the_variance_of_a_mean_of_windows() -> None:
    rng = np.random.default_rng(8)
    log = rng.normal(0, 0.2, 4000)
    for events in (1, 4):
        draws, free = noise(log, design(4000, [2000], 2, False), 2, events, rng)
        expected = 0.2 * np.sqrt((1 / 2 + 1 / 2) / events)
        assert draws.std() == pytest.approx(expected, rel=0.1)
        assert free == pytest.approx(3996 / 2.25)  # correlations 1/2, -1/4, -1/2, -1/4 on either side
        found = bootstrap(0.3, draws, free)
        assert found is not None
        assert (found.upper - found.lower) / 2 == pytest.approx(1.961 * expected, rel=0.1)
        least = least_seen(draws, 0.05)
        assert least == pytest.approx((1.645 + 0.8416) * expected, rel=0.1)


def test_too_short_a_series_has_no_interval() -> None:
    rng = np.random.default_rng(8)
    draws, free = noise(rng.normal(size=12), design(12, [6], 2, False), 2, 1, rng)
    assert (len(draws), free) == (0, 0)
    assert bootstrap(1.0, draws, free) is None
    assert least_seen(draws, 0.05) is None


def closed_testing(p_values: list[float]) -> list[float]:
    """Holm's method as what it is: the largest Bonferroni p of all sets that hold the hypothesis."""
    every = range(len(p_values))
    sets = [chosen for size in range(1, len(p_values) + 1) for chosen in combinations(every, size)]
    return [
        max(min(1.0, min(p_values[n] for n in chosen) * len(chosen)) for chosen in sets if mine in chosen)
        for mine in every
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_closed_testing_with_bonferroni(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(closed_testing(p_values))


def test_rungs_ask_for_the_one_below() -> None:
    clear, vague = Interval(0.3, 0.1, 0.5), Interval(0.3, -0.1, 0.7)
    assert rung(None, clear, True, "up") == "L0"
    assert rung(0.051, clear, True, "up") == "L0"
    assert rung(0.05, vague, True, "up") == "L1"
    assert rung(0.05, clear, False, "up") == "L2"
    assert rung(0.05, clear, False, "down") == "L1"
    assert rung(0.05, clear, True, "up") == "L3"
    assert rung(0.05, Interval(-0.3, -0.5, -0.1), False, "down") == "L2"
    assert percent(0) == 0


@st.composite
def days_of_use(draw: st.DrawFn) -> list[Event]:
    found = []
    for number in range(draw(st.integers(1, 60))):
        on = START + timedelta(days=draw(st.integers(0, 40)))
        who = person(draw(st.integers(0, PEOPLE - 1)))
        kind = draw(st.sampled_from(["act", "act", "act", "anon", "aside", "attend", "signup", "done"]))
        at = f"{on.isoformat()}T{8 + number % 12:02d}:{number % 60:02d}:00"
        match kind:
            case "act":
                found.append(act(at, who, service_id=draw(st.sampled_from([None, "other"]))))
            case "anon":
                found.append(act(at, None))
            case "aside":
                found.append(act(at, who, data={"core": False}))
            case "attend":
                found.append(event("attendance", at, who, data={"activity_id": "w"}))
            case _:
                type_ = {"signup": "fieldtest.signup", "done": "fieldtest.task_done"}[kind]
                found.append(event(type_, at, who, data={"activity_id": "w"}))
    return [act(f"{START.isoformat()}T07:00:00", "k1" + "Z" * 26), *found]


def day_of_event(one: Event) -> date:
    return datetime.fromtimestamp(one.time_ns // 10**9, UTC).date()


def left_out_by_hand(events: list[Event]) -> set[tuple[str, date]]:
    day = day_of_event
    out = {(one.actor_key or "", day(one)) for one in events if one.type == "attendance"}
    last = max(day(one) for one in events)
    for who in {one.actor_key or "" for one in events if one.type.startswith("fieldtest")}:
        mine = [one for one in events if one.type.startswith("fieldtest") and one.actor_key == who]
        first, ends = min(map(day, mine)), [day(one) for one in mine if one.type == "fieldtest.task_done"]
        end = max(ends) if ends else min(last, max(map(day, mine)) + timedelta(days=28))
        out |= {(who, first + timedelta(days=n)) for n in range((end - first).days + 1)}
    return out


@settings(max_examples=40, deadline=None)
@given(days_of_use(), st.sampled_from([None, "other"]))
def test_the_weekly_outcome_is_that_of_raw_events(events: list[Event], control: str | None) -> None:
    town = pilot()
    history = history_of(town, events)
    now = START + timedelta(days=60)
    out = left_out_by_hand(events)
    expected: dict[str, dict[date, list[str]]] = {"service": defaultdict(list), "other": defaultdict(list)}
    for one in events:
        on = day_of_event(one)
        core = one.type == "action.performed" and one.data.get("core", True) and one.actor_key
        if core and (one.actor_key, on) not in out:
            service = (one.service_id or "service") if control else "service"
            expected[service][on - timedelta(days=on.weekday())].append(one.actor_key or "")
    for outcome in ("people", "core_actions"):
        plan = EffectPlan(outcome=outcome, window_weeks=2, declared=START, control=control)  # type: ignore[arg-type]
        found = weekly(history, recorded(history), plan, ns(f"{now.isoformat()}T00:00:00"))
        last = max(day_of_event(one) for one in events)
        mondays = [date(2026, 1, 12) + timedelta(days=7 * n) for n in range(9)]
        mondays = [monday for monday in mondays if monday + timedelta(days=6) <= last]
        for values, service in ((found.values, "service"), (found.control, "other")):
            if values is None:
                assert control is None
                continue
            size = {"people": lambda who: len(set(who)), "core_actions": len}[outcome]
            assert values == [size(expected[service][monday]) for monday in mondays]
        assert not mondays or date.fromordinal(found.first) == mondays[0]


def test_rho_maximises_the_restricted_likelihood_of_the_whole_covariance() -> None:
    """Against the textbook form with determinants of n by n matrices, at any rho, up to one constant."""
    rng = np.random.default_rng(4)
    matrix = design(40, [28], 3, seasonal=False)
    y = rng.normal(size=40)
    known = np.array([week for week in range(40) if week not in (9, 28)])
    x, y = matrix[known], y[known]
    block = np.cumsum(np.concatenate([[0], np.diff(known) > 1]))
    differences = []
    for rho in (-0.5, 0.0, 0.2, 0.8):
        covariance = np.where(block[:, None] == block, rho ** np.abs(known[:, None] - known), 0) / (1 - rho * rho)
        inverse = np.linalg.inv(covariance)
        middle = x.T @ inverse @ x
        error = y - x @ np.linalg.solve(middle, x.T @ inverse @ y)
        free = len(y) - x.shape[1]
        expected = (
            np.linalg.slogdet(covariance)[1]
            + np.linalg.slogdet(middle)[1]
            + free * np.log(error @ inverse @ error)
        )  # fmt: skip
        differences.append(restricted(x, y, np.diff(known) == 1, rho) - expected)
    assert differences == pytest.approx([differences[0]] * 4)
