"""Fixtures of the simulator's tests."""

import pandas as pd
import pytest

from config.catalogue import Catalogue
from tests.unit.simulator.telling import counted, packaged


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return packaged()


@pytest.fixture(scope="session")
def two_years() -> pd.DataFrame:
    return counted(7)
