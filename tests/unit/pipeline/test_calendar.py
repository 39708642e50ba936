"""Days that are not judged: closures and public holidays, and no others."""

import pytest

from config.catalogue import Pilot
from pipeline.alerts.calendar import closed


def pilot(**calendar: object) -> Pilot:
    feed = {"id": "app", "topic": "pilots/x/usage/app", "stream": "usage"}
    return Pilot.model_validate(
        {"slug": "x", "name": "X", "country": "DE", "time_zone": "Europe/Berlin", "feeds": [feed], "calendar": calendar}
    )


@pytest.mark.parametrize(
    ("code", "day", "expected"),
    [
        ("DE-HB", "2026-10-31", True),  # Reformation Day, in Bremen
        ("DE", "2026-10-31", False),  # but not in all of Germany
        ("SE", "2026-06-20", True),  # Midsummer Day moves with the calendar
        ("SE", "2026-06-22", False),
    ],
)
def test_a_public_holiday_is_not_judged(code: str, day: str, expected: bool) -> None:
    assert closed(pilot(holidays=code), day) is expected


def test_a_closure_holds_its_first_and_its_last_day() -> None:
    closure = {"first": "2026-08-03", "last": "2026-08-05", "reason": "summer"}
    days = [f"2026-08-0{number}" for number in range(2, 7)]
    assert [closed(pilot(closures=[closure]), day) for day in days] == [False, True, True, True, False]


def test_without_a_calendar_every_day_is_judged() -> None:
    assert not closed(pilot(), "2026-01-01")


@pytest.mark.parametrize("code", ["XX", "DE-XX", ""])
def test_a_calendar_that_nobody_knows_is_told_when_the_file_is_read(code: str) -> None:
    with pytest.raises(ValueError, match="is no calendar of the holidays library"):
        pilot(holidays=code)
