"""The monthly evidence: made-up series everywhere, the real civic reports where PERISCOPE_DATA has them."""

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.dropoff import page
from tests.benchmarks.dropoff.reports import NAMED, Reports, Watch, found_after, others, read, told


def made_up(fall: float) -> np.ndarray:
    """Eight years of two councils with a winter, without chance; the first falls in the sixth year."""
    mean = 60 * np.exp(0.4 * np.cos(2 * np.pi * np.arange(96) / 12)) * np.ones((2, 96))
    mean[0, 66:] *= 1 - fall
    return mean.round()


def test_a_fall_is_found_and_a_winter_is_not_one() -> None:
    [alarm] = Watch(made_up(0.6)).alarms
    assert (alarm.council, alarm.since) == (0, 66)
    assert alarm.fired <= 68
    assert Watch(made_up(0.0)).alarms == []


@pytest.fixture(scope="module")
def reports(data_dir: Path) -> Reports:
    return read(data_dir)


def test_the_named_collapses_are_found_within_three_months(reports: Reports) -> None:
    found = found_after(reports, Watch(reports.counts).alarms)
    assert set(found) == set(NAMED)
    assert all(month is not None and month <= 3 for month in found.values())


def test_the_page_tells_of_the_twenty_largest_other_alarms(reports: Reports) -> None:
    watch = Watch(reports.counts)
    rest = others(reports, watch.alarms)
    text = page.PAGE.read_text()
    assert f"{len(rest)} other alarms in {watch.live / 12:.0f} council-years" in " ".join(text.split())
    for one in rest[:20]:
        assert "| " + " | ".join(told(reports, one)) + " |" in text
