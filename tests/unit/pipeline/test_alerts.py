"""Drop-off and silence, told on a time line: counts per day in, phases and transitions out."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts import silence
from pipeline.alerts.silence import Silence
from pipeline.alerts.state import JudgedDay, Rule, State, Transition, step

DAY_NS = 86_400 * 10**9
FIRST = date(2026, 1, 5)
RULE = Rule()


def line(values: str, now_after: int = 0) -> tuple[list[str], list[Transition], State]:
    """Phases and transitions of days such as "10*28 4*7 - x": a number with repeat, - held, x masked.

    Each day is looked at `now_after` days after it was due.
    """
    state, phases, found = State(), [], []
    days = [part for word in values.split() for part in [word.partition("*")[0]] * int(word.partition("*")[2] or 1)]
    for number, text in enumerate(days):
        value = None if text in "-x" else float(text)
        why = {"-": "held", "x": "masked"}.get(text, "")
        due = (number + 3) * DAY_NS
        judged = JudgedDay((FIRST + timedelta(days=number)).isoformat(), number, value, due, why)
        state, transitions = step(state, RULE, judged, due + now_after * DAY_NS, "test", "contributions")
        phases.append("held" if state.held else state.phase)
        found += transitions
    return phases, found, state


SCENARIOS = {
    "a fall to a third": ("10*35 3*7", "learning*27 ok*13 firing*2", ["opened"]),
    "a fall of less than half": ("10*35 6*14", "learning*27 ok*22", []),
    "exactly half is no fall": ("10*35 5*14", "learning*27 ok*22", []),
    "a fall of fewer than five": ("1*35 0*1 1*6 0*4", "learning*27 ok*19", []),
    "silence of the feed": ("10*35 -*14 10*7", "learning*27 ok*8 held*14 ok*7", []),
    "a fall behind a silence": ("10*35 -*3 3*9", "learning*27 ok*8 held*3 ok*4 firing*5", ["opened"]),
    "a closure": ("10*35 x*14 10*7", "learning*27 ok*29", []),
    "silence while firing": ("10*35 2*7 -*10 2*3", "learning*27 ok*12 firing*3 held*10 firing*3", ["opened"]),
    "a recovery": ("10*35 2*7 10*10", "learning*27 ok*12 firing*10 ok*3", ["opened", "closed"]),
    "too short a past": ("10*20 1*7", "learning*27", []),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_phases_and_transitions_follow_the_line(name: str) -> None:
    values, phases, expected = SCENARIOS[name]
    seen, transitions, _ = line(values)
    wanted = [phase for word in phases.split() for phase in [word.partition("*")[0]] * int(word.partition("*")[2])]
    assert seen == wanted
    assert [one.what for one in transitions] == expected


def test_the_transition_says_what_was_seen_and_expected() -> None:
    _, [opened], _ = line("10*35 3*7")
    assert opened.day == opened.since == "2026-02-14"
    assert "28 in the 7 days to 2026-02-14, expected about 70" in opened.sentence
    assert opened.inputs == {"week": 28, "expected": 70, "rule": 1}
    assert not opened.backfill


def test_a_day_first_judged_more_than_7_days_late_is_backfill() -> None:
    assert [one.backfill for one in line("10*35 3*7", now_after=7)[1]] == [False]
    assert [one.backfill for one in line("10*35 3*7", now_after=8)[1]] == [True]


def test_the_expectation_is_frozen_while_firing() -> None:
    _, transitions, state = line("10*35 2*120")
    assert [one.what for one in transitions] == ["opened"]
    assert state.phase == "firing"
    assert state.expected == 70


def test_nothing_new_to_judge_changes_nothing() -> None:
    _, _, state = line("10*35 3*7")
    assert step(state, RULE, None, 10**20) == (state, [])


@given(st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=120))
def test_no_day_that_is_not_judged_ever_makes_a_transition(counts: list[int | None]) -> None:
    state, judged, opened = State(), 0, False
    for number, count in enumerate(counts):
        value = None if count is None else float(count)
        judged += count is not None
        day = JudgedDay("d", number, value, 0, "" if value is not None else "held")
        after, transitions = step(state, RULE, day, 0)
        if value is None:
            assert transitions == []
            assert after.phase == state.phase
        if any(one.what == "opened" for one in transitions):
            assert judged >= RULE.learn_days
            assert not opened
            opened = True
        if any(one.what == "closed" for one in transitions):
            assert opened
            opened = False
        state = after


def look(state: Silence, last_s: int | None, now_s: int) -> tuple[Silence, list[str]]:
    last_ns = None if last_s is None else last_s * 10**9
    after, found = silence.step(state, "app", 60, last_ns, now_s * 10**9, "1970-01-01", "test")
    return after, [one.what for one in found]


def test_a_feed_is_silent_after_three_intervals_and_heard_again_once() -> None:
    state, found = look(Silence(), 1000, 1010)
    assert (state.phase, found) == ("heard", [])
    state, found = look(state, 1000, 1180)
    assert (state.phase, found) == ("heard", [])
    state, found = look(state, 1000, 1181)
    assert (state.phase, found) == ("silent", ["opened"])
    assert look(state, 1000, 2000) == (state, [])
    state, found = look(state, 1995, 2000)
    assert (state.phase, found) == ("heard", ["closed"])


def test_a_feed_that_was_never_heard_is_not_silent() -> None:
    assert look(Silence(), None, 10**6) == (Silence(), [])


def test_a_recording_of_long_ago_is_finished_and_not_silent() -> None:
    assert look(Silence(), 0, 8 * 86_400) == (Silence(), [])
    assert look(Silence(), 0, 6 * 86_400)[1] == ["opened"]


def test_a_clock_set_back_makes_no_second_transition() -> None:
    state, _ = look(Silence(), 1000, 2000)
    assert look(state, 1000, 1990) == (state, [])
