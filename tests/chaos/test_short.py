"""The short form of the fault matrix, for CI: all zeros where zero is promised. `make chaos` runs the long one.

PERISCOPE_TEST_CHAOS_SEED=7 pytest tests/chaos/test_short.py
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.harness import Place, Scale
from tests.chaos.rows import found

SHORT = ("F1", "F2", "F6", "F7", "F9", "F17", "F22")


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path, lambda: request.getfixturevalue("influx")) as place:
        yield place


@pytest.mark.parametrize("row", SHORT)
def test_a_row_of_the_fault_matrix_keeps_its_promises(place: Place, row: str) -> None:
    scale = Scale(short=True, seed=int(os.environ.get("PERISCOPE_TEST_CHAOS_SEED", "1")))
    outcome = found([row])[row](place, scale)
    assert outcome.failures() == []
    assert (outcome.lost, outcome.spurious, outcome.corrupted) == (0, 0, 0)
    assert outcome.faults > 0
