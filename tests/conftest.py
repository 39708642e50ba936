"""Fixtures for every test: real services, a free port, the folder of real data."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.services import browser, influxdb, process
from tests.services import mosquitto as broker


def pytest_configure() -> None:
    # A time limit ends the run with SIGTERM, which would skip the fixtures' ends and leave servers running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[broker.Mosquitto]:
    """A broker of this test's own, running; `stop`, `start` and `kill` keep its port and folder."""
    service = broker.Mosquitto(tmp_path / "mosquitto")
    service.start()
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[influxdb.Influx]:
    """The session's InfluxDB 2: url, org, token, and `fresh_buckets()`. Who stops it starts it again."""
    service = influxdb.Influx(tmp_path_factory.mktemp("influx"))
    service.start()
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; take `chromium.new_context()` for a reader of one's own."""
    with browser.browser() as running:
        yield running


@pytest.fixture
def free_port() -> int:
    """A loopback port that nothing listens on."""
    return process.free_port()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data: PERISCOPE_DATA, else shared/data next to the repository."""
    folder = Path(os.environ.get("PERISCOPE_DATA") or Path(__file__).parents[2] / "shared/data")
    if not folder.is_dir():
        pytest.skip("no real data here: set PERISCOPE_DATA to the folder that holds them")
    return folder
