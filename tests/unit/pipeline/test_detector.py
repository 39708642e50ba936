"""The day loop: what fires, what holds, what recovers, and what later days may never change."""

from typing import Any

import numpy as np
import pytest

from pipeline.alerts.detector import STATES, Course, Rule, watch

RULE = Rule(version=1, h=4.9)
DAYS = 200


def course(counts: Any, *, judged: Any = None, completeness: Any = None, rule: Rule = RULE, restart: int = 0) -> Course:
    """One series, judged and complete unless said otherwise."""
    rows = np.atleast_2d(np.asarray(counts, dtype=float))
    days = rows.shape[1]
    said = np.ones(rows.shape, dtype=bool) if judged is None else np.atleast_2d(judged)
    whole = np.ones(rows.shape) if completeness is None else np.atleast_2d(completeness)
    return watch(rows, said, whole, np.arange(days) % 7, [rule] * len(rows), np.full(len(rows), restart))


def steady(days: int = DAYS, level: int = 20) -> np.ndarray:
    """Ordinary days without chance: as many as expected, by weekday."""
    return np.resize(np.array([1.2, 1.2, 1.1, 1.1, 1.0, 0.8, 0.6]) * level, days).round()


def names(found: Course, start: int = 0) -> list[str]:
    """States in order, each told once."""
    told = [STATES[code] for code in found.state[0, start:]]
    return [name for at, name in enumerate(told) if at == 0 or name != told[at - 1]]


def test_ordinary_days_learn_and_stay_ok() -> None:
    assert names(course(steady())) == ["learning", "ok"]
    found = course(steady())
    assert STATES[found.state[0, 26]] == "learning"
    assert STATES[found.state[0, 27]] == "ok"
    assert found.provisional[0, 40]
    assert not found.provisional[0, 41]


def test_a_fall_by_half_fires_dates_its_beginning_and_recovers() -> None:
    counts = steady()
    counts[100:130] //= 2
    found = course(counts)
    assert names(found) == ["learning", "ok", "firing", "recovering", "ok"]
    fired = int(np.argmax(found.state[0] == 3))
    assert 101 <= fired <= 106
    assert found.change_day[0, fired] == 100
    assert found.ratio[0, fired] == pytest.approx(0.5, abs=0.05)


def test_the_expectation_is_held_while_an_incident_is_open() -> None:
    counts = steady()
    counts[100:] //= 2
    found = course(counts)
    fired = int(np.argmax(found.state[0] == 3))
    assert np.all(found.state[0, fired:] == 3)
    assert len(set(found.fit_day[0, fired:])) == 1
    assert found.expected[0, fired + 70] == pytest.approx(found.expected[0, fired])


def test_days_of_an_incident_are_not_learned_from() -> None:
    counts = steady()
    counts[100:140] //= 2
    found = course(counts)
    assert found.state[0, -1] == 1
    assert found.expected[0, 190] == pytest.approx(found.expected[0, 92], rel=0.02)


def test_days_not_judged_keep_evidence_counters_and_state() -> None:
    counts, judged = steady(), np.ones(DAYS, dtype=bool)
    counts[100:110] //= 2
    counts[110:120] = 0  # a silent feed
    judged[110:120] = False
    found = course(counts, judged=judged)
    for held in (found.evidence, found.state, found.change_day, found.ratio, found.deficit, found.recovering):
        assert np.all(held[0, 110:120] == held[0, 109])


def test_counts_of_days_not_judged_are_never_read() -> None:
    counts, judged = steady(), np.ones(DAYS, dtype=bool)
    judged[60:80] = False
    other = counts.copy()
    other[60:80] = np.nan
    assert np.array_equal(course(counts, judged=judged).evidence, course(other, judged=judged).evidence, equal_nan=True)


def test_a_partial_day_is_judged_by_what_could_arrive() -> None:
    counts, share = steady(level=40), np.ones(DAYS)
    share[100:130] = 0.6
    counts[100:130] = (counts[100:130] * 0.6).round()
    assert names(course(counts, completeness=share)) == ["learning", "ok"]
    assert "firing" in names(course(counts))
    found = course(counts, completeness=share)
    assert found.expected[0, 160] == pytest.approx(found.expected[0, 90], rel=0.03)  # learned as whole days


def test_appended_days_never_change_an_earlier_one() -> None:
    rng = np.random.default_rng(11)
    counts = rng.negative_binomial(8.0, 0.4, (6, 520)).astype(float)
    counts[:, 200:240] = (counts[:, 200:240] / 3).round()
    counts[3, 450:] = 0
    judged = rng.random(counts.shape) < 0.93
    whole, rules = np.ones_like(counts), [RULE] * 6
    every = watch(counts, judged, whole, np.arange(520) % 7, rules)
    assert {1, 2, 3, 4} <= set(every.state.ravel())
    for end in (40, 205, 219, 238, 431, 519):
        part = watch(counts[:, :end], judged[:, :end], whole[:, :end], np.arange(end) % 7, rules)
        for name in ("expected", "evidence", "state", "change_day", "ratio", "deficit", "recovering", "fit_day"):
            assert np.array_equal(getattr(part, name), getattr(every, name)[:, :end], equal_nan=True), name


def test_a_series_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(12)
    counts = rng.poisson(9.0, (5, 300)).astype(float)
    counts[2, 150:] //= 3
    together = course(counts)
    alone = course(counts[2])
    assert np.array_equal(together.state[2], alone.state[0])
    assert together.evidence[2] == pytest.approx(alone.evidence[0], abs=1e-9)


def test_a_new_normal_learns_again_and_forgets_what_was() -> None:
    counts = steady()
    counts[80:] //= 2
    found = course(counts, restart=130)
    assert names(found) == ["learning", "ok", "firing", "learning", "ok"]
    assert STATES[found.state[0, 130]] == "learning"
    assert found.expected[0, 187] == pytest.approx(0.5 * found.expected[0, 75], rel=0.06)
    assert np.array_equal(found.state[0, :130], course(counts).state[0, :130])


def test_a_fall_of_few_events_does_not_fire() -> None:
    counts = np.resize([1.0, 0.0, 0.0], DAYS)
    counts[120:132] = 0
    rule = Rule(version=1, h=1.0)
    assert "firing" not in names(course(counts, rule=rule))
    assert "firing" in names(course(counts, rule=Rule(version=1, h=1.0, least_fall=2.0)))


def test_a_small_fall_does_not_fire_however_long() -> None:
    counts = steady(400, level=60)
    counts[200:] = (counts[200:] * 0.8).round()
    assert "firing" not in names(course(counts))


def test_a_milder_fall_of_a_large_stream_fires_and_stays_open_while_it_lasts() -> None:
    counts = steady(level=100)
    counts[100:140] *= 0.75
    found = course(counts)
    assert names(found) == ["learning", "ok", "firing", "recovering", "ok"]
    fired, ended = (int(np.argmax((found.state[0] == code) & (np.arange(DAYS) > 100))) for code in (3, 4))
    assert 101 <= fired <= 107
    assert found.milder[0, fired]
    assert found.change_day[0, fired] == 100
    assert found.ratio[0, fired] == pytest.approx(0.75, abs=0.02)
    assert 140 < ended <= 155
    assert "firing" not in names(course(counts, rule=Rule(version=1, h=4.9, milder_h=np.inf)))


def test_the_evidence_of_a_milder_fall_delays_no_recovery_from_a_fall_by_half() -> None:
    counts = steady(level=20)
    counts[100:120] //= 2
    with_it, without = course(counts), course(counts, rule=Rule(version=1, h=4.9, milder_h=np.inf))
    closed, alone = (int(np.flatnonzero(np.diff(one.state[0] >= 3))[1]) for one in (with_it, without))
    assert closed == alone


def test_recovery_counts_judged_days_in_a_row() -> None:
    counts = steady()
    counts[100:112] //= 3
    counts[118] = 0
    found = course(counts)
    closed = int(np.argmax((found.state[0] == 1) & (np.arange(DAYS) > 112)))
    assert found.recovering[0, closed - 1] == 2
    assert STATES[found.state[0, closed - 1]] == "recovering"


def test_what_does_not_fit_is_refused_with_a_sentence() -> None:
    days = np.arange(7)
    one = np.ones((1, 7))
    with pytest.raises(ValueError, match="weekdays"):
        watch(one, one > 0, one, days[:6], [RULE])
    with pytest.raises(ValueError, match="weekday must count"):
        watch(one, one > 0, one, np.array([0, 1, 2, 3, 4, 6, 5]), [RULE])
    with pytest.raises(ValueError, match="count of 0 or more"):
        watch(-one, one > 0, one, days, [RULE])
    with pytest.raises(ValueError, match="completeness"):
        watch(one, one > 0, 0 * one, days, [RULE])
