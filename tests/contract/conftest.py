"""The store under test, on each adapter in turn."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.store.port import Store
from tests.contract.places import Place, influx_place, sqlite_place


@pytest.fixture(params=["sqlite", "influx"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[int | None], Place]:
    """Makes an empty place; its argument is a retention in seconds or None."""
    if request.param == "sqlite":
        return lambda retention_s: sqlite_place(tmp_path / "store", retention_s)
    influx = request.getfixturevalue("influx")
    return lambda retention_s: influx_place(influx, retention_s)


@pytest.fixture
def place(new_place: Callable[[int | None], Place]) -> Place:
    return new_place(None)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    opened = place.open("all")
    yield opened
    opened.close()
