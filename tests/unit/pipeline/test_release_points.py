"""On which days running totals may be read: whatever is told differs by 0 or by at least k."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.periods import ordinal
from pipeline.release_points import NOTHING_DECIDED, Decided, choose, decide, growth

MONDAY = ordinal("2026-01-26")
GROWTH = st.lists(st.integers(0, 9), min_size=28, max_size=28)


def running(daily: list[int], first: int = MONDAY):
    return growth(lambda day: (total(daily, day, first),))


def total(daily: list[int], day: int, first: int = MONDAY) -> int:
    return sum(daily[: max(0, day - first + 1)])


@given(GROWTH, st.integers(2, 12))
def test_any_two_readable_days_differ_by_nothing_or_by_at_least_k(daily: list[int], k: int) -> None:
    found = decide(NOTHING_DECIDED, MONDAY, MONDAY + 27, running(daily), k).points
    told = [0, *(total(daily, day) for day in found)]
    assert all(after - before == 0 or after - before >= k for before, after in combinations(told, 2))


@given(GROWTH, st.integers(2, 12))
@settings(max_examples=50)
def test_weeks_decided_one_by_one_are_never_taken_back(daily: list[int], k: int) -> None:
    grew, kept = running(daily), NOTHING_DECIDED
    for week in range(1, 5):
        later = decide(kept, MONDAY, MONDAY + 7 * week - 1, grew, k)
        assert set(kept.points) <= set(later.points)
        assert not set(later.points) - set(kept.points) & set(range(MONDAY, kept.until + 1))
        kept = later


def test_the_end_and_whole_weeks_come_before_single_days() -> None:
    daily = [3, 3, 0, 0, 0, 0, 0] + [1] * 7 + [5] * 7
    found = decide(NOTHING_DECIDED, MONDAY, MONDAY + 20, running(daily), 5).points
    assert {MONDAY + 6, MONDAY + 13, MONDAY + 20} <= set(found)
    assert MONDAY not in found  # its 3 would be told, and the 3 of the next day
    assert MONDAY + 1 in found


def test_a_day_before_the_first_person_is_readable() -> None:
    assert choose([MONDAY, MONDAY + 1], running([0, 7]), 5) == [MONDAY, MONDAY + 1]


def test_late_data_withdraw_a_decision_and_make_none_anew() -> None:
    kept = Decided(MONDAY + 6, (MONDAY, MONDAY + 6))
    now = decide(kept, MONDAY, MONDAY + 6, running([6, 2, 0, 0, 0, 0, 0]), 5)
    assert now.points == (MONDAY + 6,)
    assert decide(now, MONDAY, MONDAY + 6, running([6, 6, 0, 0, 0, 0, 0]), 5).points == (MONDAY + 6,)


def test_only_days_of_the_wider_family_are_offered() -> None:
    found = decide(NOTHING_DECIDED, MONDAY, MONDAY + 6, running([9] * 7), 5, among=[MONDAY + 2, MONDAY + 6])
    assert found.points == (MONDAY + 2, MONDAY + 6)


def test_days_before_the_first_known_are_offered_when_they_arrive() -> None:
    daily = [6] * 28
    newest = decide(NOTHING_DECIDED, MONDAY + 21, MONDAY + 27, running(daily), 5)
    assert newest.points[0] == MONDAY + 21
    earlier = decide(newest, MONDAY + 7, MONDAY + 27, running(daily), 5)
    every = decide(earlier, MONDAY, MONDAY + 27, running(daily), 5)
    assert every.points == tuple(range(MONDAY, MONDAY + 28))


def test_days_that_were_known_before_any_could_be_decided_are_offered_too() -> None:
    nothing = decide(NOTHING_DECIDED, MONDAY + 7, MONDAY + 6, running([6] * 28), 5)
    assert nothing.points == ()
    assert decide(nothing, MONDAY, MONDAY + 6, running([6] * 28), 5).points == tuple(range(MONDAY, MONDAY + 7))


@given(GROWTH, st.integers(2, 12), st.lists(st.integers(0, 27), min_size=1, max_size=5))
@settings(max_examples=50)
def test_what_arrives_newest_days_first_stays_apart_too(daily: list[int], k: int, firsts: list[int]) -> None:
    kept = NOTHING_DECIDED
    for first in sorted(firsts, reverse=True):
        known = [0] * first + daily[first:]
        kept = decide(kept, MONDAY + first, MONDAY + 27, running(known), k)
        told = [0, *(total(known, day) for day in kept.points)]
        assert all(after - before == 0 or after - before >= k for before, after in combinations(told, 2))


def test_of_sums_ends_of_months_come_before_whole_weeks() -> None:
    daily = [5, 0, 0, 0, 0, 3, 2] + [5] * 21  # the month ends on the Saturday, when 3 came, and 2 on the Sunday
    assert ordinal("2026-01-31") == MONDAY + 5
    weekly = decide(NOTHING_DECIDED, MONDAY, MONDAY + 27, running(daily), 4).points
    monthly = decide(NOTHING_DECIDED, MONDAY, MONDAY + 27, running([8, *daily[1:5], 4, 2, *daily[7:]]), 4, monthly=True)
    assert MONDAY + 6 in weekly
    assert MONDAY + 5 not in weekly
    assert MONDAY + 5 in monthly.points
    assert MONDAY + 6 not in monthly.points
