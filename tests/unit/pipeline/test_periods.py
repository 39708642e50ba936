from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pipeline.periods import (
    Period,
    date_ns,
    day_bounds,
    day_of,
    period_of,
    periods_between,
    previous,
    shift,
)

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Stockholm",
        "Europe/Athens",
        "America/Sao_Paulo",
        "America/Havana",
        "America/St_Johns",
        "Pacific/Apia",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
    ]
).map(ZoneInfo)
DAYS = st.dates(date(1995, 1, 1), date(2035, 12, 31)).map(date.isoformat)
HOUR_NS = 3600 * 10**9


@given(ZONES, DAYS)
def test_days_tile_time_without_gap_or_overlap(zone: ZoneInfo, day: str) -> None:
    start, end = day_bounds(day, zone)
    assert start <= end == day_bounds(shift(day, 1), zone)[0]
    assert end - start <= 25 * HOUR_NS


@given(ZONES, st.integers(788_918_400, 2_082_758_400), st.integers(0, 10**9 - 1))
def test_every_instant_lies_in_the_bounds_of_its_day(zone: ZoneInfo, second: int, rest: int) -> None:
    instant = second * 10**9 + rest
    start, end = day_bounds(day_of(instant, zone), zone)
    assert start <= instant < end


@given(ZONES, DAYS)
def test_both_ends_of_a_day_belong_to_it_or_to_its_neighbour(zone: ZoneInfo, day: str) -> None:
    start, end = day_bounds(day, zone)
    if start < end:
        assert day_of(start, zone) == day
        assert day_of(end - 1, zone) == day


def test_a_day_of_the_clock_change_has_23_or_25_hours() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    lengths = [
        (end - start) // HOUR_NS
        for start, end in (day_bounds(day, stockholm) for day in ("2026-03-29", "2026-03-30", "2026-10-25"))
    ]
    assert lengths == [23, 24, 25]


@given(st.sampled_from(["day", "week", "month"]), DAYS, st.integers(0, 800))
def test_periods_tile_the_days(name: str, first: str, length: int) -> None:
    last = shift(first, length)
    periods = list(periods_between(name, first, last))
    assert periods[0].start <= first <= periods[0].end
    assert periods[-1].start <= last <= periods[-1].end
    for earlier, later in pairwise(periods):
        assert shift(earlier.end, 1) == later.start
        assert previous(later) == earlier


@given(DAYS)
def test_a_week_begins_on_monday_and_a_month_on_its_first(day: str) -> None:
    assert date.fromisoformat(period_of("week", day).start).weekday() == 0
    month = period_of("month", day)
    assert month.start == day[:8] + "01"
    assert (date.fromisoformat(month.end) + timedelta(days=1)).day == 1


def test_the_period_before_a_chosen_one_is_as_long() -> None:
    assert previous(Period("chosen", "2026-03-05", "2026-03-14")) == Period("chosen", "2026-02-23", "2026-03-04")


def test_a_date_lies_at_its_utc_midnight() -> None:
    assert date_ns("2026-01-31") == 1_769_817_600 * 10**9
