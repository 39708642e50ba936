"""A feed that falls silent, told on a time line."""

from pipeline.alerts import silence
from pipeline.alerts.silence import Silence


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
