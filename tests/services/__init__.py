"""The real services that tests run against: Mosquitto, InfluxDB 2, Chromium.

Each is started on a free loopback port with its files in a temporary folder, and ended by its process id.
A service that is not installed skips the test and names the remedy, or fails it when
PERISCOPE_REQUIRE_SERVICES is 1.
"""

import os
from typing import NoReturn

import pytest


def missing(service: str) -> NoReturn:
    """Skip because `service` cannot be had, or fail where services are required."""
    sentence = f"{service} is not installed: run `make services`"
    if os.environ.get("PERISCOPE_REQUIRE_SERVICES") == "1":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
