"""How far the feeds of a stream can be trusted, and feeds without a rhythm that have been silent for too long."""

import numpy as np

from pipeline.alerts.gate import Run, shares, suspect_runs

DAYS = 60
GOOD, BAD = np.full(DAYS, True), np.full(DAYS, False)


def test_a_stream_is_as_complete_as_the_feeds_that_bring_it() -> None:
    brought = np.array([[[9.0] * DAYS, [0.0] * DAYS], [[1.0] * DAYS, [5.0] * DAYS]])  # feeds, streams, days
    trusted, complete = np.array([GOOD, GOOD]), np.ones((2, DAYS))
    trusted[1, 50:], complete[1, 50:] = False, 0.0
    found = shares(brought, np.array([GOOD, GOOD]), trusted, complete)
    assert np.allclose(found[:, :50], 1.0)
    assert np.allclose(found[0, 50:], 0.9)  # a tenth of this stream is lost: judged
    assert np.allclose(found[1, 50:], 0.0)  # all of that one is: held
    trusted[1], trusted[0, 50:], complete[0, 50:] = True, False, 0.0
    complete[1] = 1.0
    assert np.allclose(shares(brought, np.array([GOOD, GOOD]), trusted, complete)[:, 50:], [[0.0], [1.0]])


def test_a_stream_is_held_where_more_than_a_tenth_is_lost_though_most_is_there() -> None:
    brought = np.array([[[8.0] * DAYS], [[2.0] * DAYS]])
    trusted, complete = np.array([GOOD, GOOD]), np.ones((2, DAYS))
    trusted[1, 50:], complete[1, 50:] = False, 0.0
    found = shares(brought, np.array([GOOD, GOOD]), trusted, complete)
    assert np.allclose(found[0, 49:51], [1.0, 0.0])


def test_a_half_complete_feed_makes_its_part_of_a_stream_partial() -> None:
    brought = np.array([[[6.0] * DAYS], [[4.0] * DAYS]])
    complete = np.ones((2, DAYS))
    complete[1, 50:] = 0.5
    found = shares(brought, np.array([GOOD, GOOD]), np.array([GOOD, GOOD]), complete)
    assert np.allclose(found[0, 50], 0.8)


def test_a_feed_that_was_never_heard_holds_nothing() -> None:
    brought = np.array([[[6.0] * DAYS], [[0.0] * DAYS]])
    found = shares(brought, np.array([GOOD, BAD]), np.array([GOOD, BAD]), np.array([np.ones(DAYS), np.zeros(DAYS)]))
    assert np.allclose(found, 1.0)


def runs(counts: np.ndarray, idle: np.ndarray = BAD) -> tuple[Run, ...]:
    return suspect_runs(counts.tobytes(), (counts > 0).tobytes(), idle.tobytes(), 0)


def test_zero_days_are_suspect_once_chance_does_not_explain_them() -> None:
    counts = np.tile([3.0, 1, 2, 2, 1, 3, 2], 9)[:DAYS]  # from day 50 on: 1 + 2 + 2 + 1 and then 3 passes 6.9
    counts[50:57] = 0
    [run] = runs(counts)
    assert (run.begin, run.found, run.end) == (50, 54, 57)
    counts[57:] = 0
    assert runs(counts)[0].end is None
    counts[53] = 1
    assert [one.begin for one in runs(counts)] == [54]


def test_a_closure_and_the_first_four_weeks_make_no_feed_suspect() -> None:
    counts, idle = np.full(DAYS, 2.0), BAD.copy()
    counts[40:], idle[40:] = 0, True
    assert runs(counts, idle) == ()
    counts = np.full(DAYS, 2.0)
    counts[10:20] = 0
    assert runs(counts) == ()
